"""Where a stack lies: what its acquisitions cover of its grid."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from shapely import union_all
from shapely.geometry import mapping, shape

from alos2.geometry.imagefootprints import grid_footprint
from alos2.product.model import MapGrid
from alos2.types import Json

_SLIVER_DEG2 = 1e-12


def stack_outline(footprints: Sequence[Json], grid: MapGrid) -> Json:
    """Return the outline of several acquisitions on a grid.

    Parameters
    ----------
    footprints : sequence of dict
        GeoJSON, longitudes and latitudes, cut at the antimeridian.
    grid : MapGrid
        What is beyond it is not in the stack.

    Returns
    -------
    dict
        A Polygon or MultiPolygon, right-hand rule.
    """
    whole = grid_footprint(grid.crs_wkt, grid.transform, grid.shape)
    covered: Any = union_all([shape(one) for one in footprints]).intersection(shape(whole))
    parts = [
        part
        for part in getattr(covered, "geoms", [covered])
        if part.geom_type == "Polygon" and part.area > _SLIVER_DEG2
    ]
    if not parts:
        return whole
    polygons = [_right_handed(mapping(part)["coordinates"]) for part in parts]
    if len(polygons) == 1:
        return {"type": "Polygon", "coordinates": polygons[0]}
    return {"type": "MultiPolygon", "coordinates": polygons}


def _right_handed(rings: Sequence[Sequence[Sequence[float]]]) -> list[list[list[float]]]:
    """Return rings of which the outer one runs counter-clockwise, the others clockwise."""
    found = []
    for number, ring in enumerate(rings):
        points = [[float(x), float(y)] for x, y in ring]
        area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(points))
        found.append(points if (area > 0) == (number == 0) else points[::-1])
    return found

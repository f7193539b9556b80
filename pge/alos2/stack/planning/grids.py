"""The grids of a plan: one for each track and one for all of them, in step with one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from alos2.ard.grid import snapped_grid
from alos2.product.model import MapGrid
from alos2.stack.config.model import StackConfig
from alos2.stack.planning.model import Track
from alos2.stack.planning.plane import only_area, to_json, union_of
from alos2.types import Json, RasterShape

MOSAIC: Final = "mosaic"
"""Key of the grid that holds all tracks."""
STEP: Final = 256
"""Pixels to whose multiples grids reach outwards."""


def grids_of(
    tracks: Sequence[Track], area: Json | None, config: StackConfig, before: Before | None = None
) -> dict[str, MapGrid]:
    """Lay the grids of some tracks.

    All have one coordinate reference system and one spacing, and corners at its multiples: a
    track's grid is a window of whole pixels of the mosaic's. They reach outwards to the next
    multiple of `STEP` pixels, if not to the area's bounding box: a further date, whose footprint
    lies some hundred metres aside, shall not move the grid of those that are made.

    Parameters
    ----------
    tracks : sequence of Track
        With at least one acquisition each.
    area : Json, optional
        GeoJSON; a place without extent cuts nothing.
    config : StackConfig
        Its ``cut_to_area``, ``crs`` and ``resolution`` count.
    before : Before, optional
        Grids of an earlier plan: those that hold all that is there now stay.

    Returns
    -------
    dict of str to MapGrid
        By names of tracks, and `MOSAIC`.

    Raises
    ------
    UsageError
        The coordinate reference system cannot show the place, or a grid would be too large.
    """
    spacing = config.single_ard.resolution
    cut = None if area is None or not config.stack.cut_to_area else only_area(shape(area))
    if cut is not None and cut.is_empty:
        cut = None
    extents = {track.name: _extent(track, cut) for track in tracks}
    crs = config.stack.crs or (None if before is None else before.crs)
    whole = union_of(list(extents.values()) if cut is None else [to_json(cut)])
    everything = snapped_grid(whole, spacing, crs)
    crs = crs or f"EPSG:{everything.epsg}"
    limit = None if cut is None else everything
    grids: dict[str, MapGrid] = {}
    for name, extent in extents.items():
        fine = snapped_grid(extent, spacing, crs)
        kept = None if before is None else before.grids.get(name)
        if kept is not None and kept.crs_wkt == fine.crs_wkt and _holds(kept, fine):
            grids[name] = kept
        else:
            grids[name] = _coarse(fine, limit)
    return {**grids, MOSAIC: _of_edges(everything, _around(list(grids.values())))}


class Before(NamedTuple):
    """The grids of an earlier plan."""

    crs: str
    grids: Mapping[str, MapGrid]


def grids_before(document: Any, config: StackConfig, area: Json | None) -> Before | None:
    """Return the grids of an earlier ``plan.json``; None if they were laid by other rules.

    Parameters
    ----------
    document
        What the file holds, whatever that is.
    config, area
        As for the plan that is made now.
    """
    try:
        then = document["config"]
        now = config.to_json()
        same = (
            document["area"] == area
            and then["single_ARD"]["resolution"] == now["single_ARD"]["resolution"]
            and all(then["stack"][key] == now["stack"][key] for key in ("crs", "cut_to_area"))
        )
        if not same:
            return None
        return Before(
            _crs_name(document["mosaic_grid"]),
            {track["name"]: grid_from(track["grid"]) for track in document["tracks"]},
        )
    except (KeyError, TypeError, ValueError, IndexError, CRSError):
        return None  # of another version, or damaged: it is written anew


def has_common_ground(track: Track) -> bool:
    """Whether there is ground that all acquisitions of a track show."""
    shapes = [shape(one.geometry) for one in track.acquisitions]
    return not only_area(shapely.intersection_all(shapes)).is_empty


def _extent(track: Track, cut: BaseGeometry | None) -> Json:
    flat = shapely.union_all([shape(one.geometry) for one in track.acquisitions])
    # What only touches the area at a corner is not worth a cut.
    inside = flat if cut is None else only_area(flat.intersection(cut))
    return to_json(flat if inside.is_empty else inside)


class _Edges(NamedTuple):
    """Of a grid, in pixels from the origin of the map: right and bottom are behind the last."""

    left: int
    top: int
    right: int
    bottom: int


def _edges(grid: MapGrid) -> _Edges:
    """Return a grid's edges; lines are counted downwards from the map's origin."""
    spacing = grid.transform[0]
    left, top = round(grid.transform[2] / spacing), round(-grid.transform[5] / spacing)
    return _Edges(left, top, left + grid.shape.pixels, top + grid.shape.lines)


def _of_edges(like: MapGrid, edges: _Edges) -> MapGrid:
    spacing = like.transform[0]
    transform = (spacing, 0.0, edges.left * spacing, 0.0, -spacing, -edges.top * spacing)
    shape_px = RasterShape(edges.bottom - edges.top, edges.right - edges.left)
    return MapGrid(like.crs_wkt, like.epsg, transform, shape_px)


def _coarse(fine: MapGrid, limit: MapGrid | None) -> MapGrid:
    edges = _edges(fine)
    wide = _Edges(
        *(v // STEP * STEP for v in edges[:2]), *(-(-v // STEP) * STEP for v in edges[2:])
    )
    if limit is not None:
        most = _edges(limit)
        wide = _Edges(
            max(wide.left, most.left),
            max(wide.top, most.top),
            min(wide.right, most.right),
            min(wide.bottom, most.bottom),
        )
    return _of_edges(fine, wide)


def _holds(outer: MapGrid, inner: MapGrid) -> bool:
    big, small = _edges(outer), _edges(inner)
    return (
        outer.transform[0] == inner.transform[0]
        and big.left <= small.left
        and big.top <= small.top
        and big.right >= small.right
        and big.bottom >= small.bottom
    )


def _around(grids: Sequence[MapGrid]) -> _Edges:
    edges = [_edges(grid) for grid in grids]
    return _Edges(
        min(e.left for e in edges),
        min(e.top for e in edges),
        max(e.right for e in edges),
        max(e.bottom for e in edges),
    )


def grid_json(grid: MapGrid) -> Json:
    """Return what ``plan.json`` says of a grid."""
    return {
        "epsg": grid.epsg,
        "crs": None if grid.epsg is not None else grid.crs_wkt,
        "transform": list(grid.transform),
        "lines": grid.shape.lines,
        "pixels": grid.shape.pixels,
    }


def grid_from(document: Json) -> MapGrid:
    """Return a grid that `grid_json` made."""
    crs = CRS.from_user_input(_crs_name(document))
    a, b, c, d, e, f = (float(value) for value in document["transform"])
    lines, pixels = int(document["lines"]), int(document["pixels"])
    return MapGrid(crs.to_wkt(), document["epsg"], (a, b, c, d, e, f), RasterShape(lines, pixels))


def _crs_name(document: Json) -> str:
    epsg = document["epsg"]
    return str(document["crs"]) if epsg is None else f"EPSG:{int(epsg)}"

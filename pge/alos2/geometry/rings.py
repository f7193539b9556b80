"""Footprints as GeoJSON: closed, counter-clockwise, cut at the antimeridian, sound at the poles.

Order of the positions: counter-clockwise seen from above (the right-hand rule of RFC 7946),
starting with the north-western corner. For a usual scene of four corners that is north-west,
south-west, south-east, north-east, north-west, whatever the look side and pass direction were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alos2.errors import BadProduct
from alos2.geometry.antimeridian import split_antimeridian
from alos2.geometry.measures import area_m2, area_ratio, bbox, centroid, distance_m, exteriors
from alos2.geometry.orbit import Floats
from alos2.geometry.outlines import along_great_circles, simplify, unwrap, without_repeats
from alos2.types import Json, LonLat

__all__ = [
    "area_m2",
    "area_ratio",
    "bbox",
    "centroid",
    "distance_m",
    "exteriors",
    "footprint_geometry",
    "simplified",
    "split_antimeridian",
]

POLAR_LATITUDE_DEG: Final = 80.0
"""From here on edges are drawn along great circles: a straight line in degrees is too far off."""

TOLERANCE_M: Final = 100.0
"""Largest deviation of a drawn edge from the true one, m, unless the caller says otherwise."""

_DECIMALS: Final = 8
"""Decimals of a degree in GeoJSON: 1 mm."""


def footprint_geometry(
    corners: Sequence[LonLat] | Floats, *, tolerance_m: float = TOLERANCE_M
) -> Json:
    """GeoJSON of an outline.

    Parameters
    ----------
    corners : sequence of LonLat, or ndarray of shape (n, 2)
        Three or more corners in order, either sense, closed or not, degrees. Of two neighbours
        the shorter way round the Earth is meant, so an outline may cross the antimeridian or
        enclose a pole.
    tolerance_m : float
        Beyond 80 degrees of latitude, positions are added until edges follow great circles this
        closely, m.

    Returns
    -------
    dict
        A Polygon, or a MultiPolygon cut at the antimeridian; longitudes from -180 to 180, order
        of positions as the module says. An outline round a pole is closed along the antimeridian
        and the pole, so that it is a valid polygon on a flat map.

    Raises
    ------
    BadProduct
        If corners are not numbers, latitudes exceed 90 degrees, or no area is enclosed.
    """
    outline = np.array(corners, dtype=np.float64)
    if outline.ndim != 2 or outline.shape[1] != 2 or not np.isfinite(outline).all():
        raise BadProduct("corners of a footprint are not pairs of numbers")
    if (np.abs(outline[:, 1]) > 90.0).any() or (np.abs(outline[:, 0]) > 540.0).any():
        raise BadProduct("a corner of a footprint lies beyond the Earth's longitudes or latitudes")
    outline = without_repeats(outline)
    if len(outline) < 3:
        raise BadProduct(f"a footprint needs three different corners, these are {len(outline)}")
    if np.abs(outline[:, 1]).max() > POLAR_LATITUDE_DEG:
        outline = along_great_circles(outline, tolerance_m)
    rings = [_finished(ring) for ring in split_antimeridian(outline)]
    rings = [ring for ring in rings if len(ring) >= 4]
    if not rings or sum(abs(_flat_area(ring)) for ring in rings) < 1e-12:
        raise BadProduct("the corners of a footprint enclose no area")
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings}
    return {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}


def simplified(corners: Sequence[LonLat] | Floats, tolerance_m: float) -> list[LonLat]:
    """Outline with fewer corners.

    Parameters
    ----------
    corners : sequence of LonLat, or ndarray of shape (n, 2)
        In order, closed or not, degrees.
    tolerance_m : float
        Largest deviation of a dropped corner from the line that remains, m.

    Returns
    -------
    list of LonLat
        Not closed; a part of the corners, longitudes running on across the antimeridian.
    """
    outline = unwrap(without_repeats(np.array(corners, dtype=np.float64)))
    return [LonLat(float(lon), float(lat)) for lon, lat in simplify(outline, tolerance_m)]


def _finished(ring: Floats) -> list[list[float]]:
    """Ring of GeoJSON: rounded, from the north-western corner, closed."""
    ring = _without_flat_repeats(np.round(ring, _DECIMALS) + 0.0)
    if len(ring) < 3:
        return []
    scale = float(np.cos(np.radians(ring[:, 1].mean())))
    north_west = ring[:, 1] - scale * ring[:, 0]
    ring = np.roll(ring, -int(np.argmax(north_west)), axis=0)
    return [[float(lon), float(lat)] for lon, lat in [*ring, ring[0]]]


def _without_flat_repeats(ring: Floats) -> Floats:
    """Drop positions equal to the one before on the flat map (-180 and 180 stay apart)."""
    repeated: NDArray[np.bool_] = (ring == np.roll(ring, 1, axis=0)).all(axis=1)
    return ring[~repeated]


def _flat_area(ring: list[list[float]]) -> float:
    x, y = np.array(ring).T
    return 0.5 * float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))

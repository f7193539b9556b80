"""Outlines of items as well-known binary (OGC 06-103r4, section 8.2).

A footprint is nearly always one polygon of a few corners: that is written here at a tenth of what
it takes to make a geometry first. All else goes through shapely, and comes out the same.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any, Final

import shapely
from shapely.geometry import shape

from alos2.types import Json

_POLYGON: Final = 3
_HEAD: Final = struct.Struct("<BIII")
_LEAST_POINTS: Final = 4


def outline_of(geometry: Json) -> tuple[bytes, Sequence[float]]:
    """Return a GeoJSON geometry as well-known binary, and its west, south, east, north.

    Raises
    ------
    ValueError, KeyError, TypeError, IndexError, AttributeError, shapely.errors.ShapelyError
        It is empty, or no geometry.
    """
    if geometry["type"] == "Polygon" and len(geometry["coordinates"]) == 1:
        ring = geometry["coordinates"][0]
        if _is_plain(ring):
            values = [value for point in ring for value in point]
            head = _HEAD.pack(1, _POLYGON, 1, len(ring))
            lons, lats = values[::2], values[1::2]
            bounds = (min(lons), min(lats), max(lons), max(lats))
            return head + struct.pack(f"<{len(values)}d", *values), bounds
    outline = shape(geometry)
    if outline.is_empty:
        raise ValueError("its geometry is empty")
    return shapely.to_wkb(outline), outline.bounds


def _is_plain(ring: Any) -> bool:
    """Whether it is a closed ring of pairs of finite numbers."""
    return (
        isinstance(ring, list)
        and len(ring) >= _LEAST_POINTS
        and ring[0] == ring[-1]
        and all(
            isinstance(point, list)
            and len(point) == 2
            and isinstance(point[0], float)
            and isinstance(point[1], float)
            and math.isfinite(point[0])
            and math.isfinite(point[1])
            for point in ring
        )
    )

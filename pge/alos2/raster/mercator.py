"""The Web Mercator tile pyramid: world coordinates, rows, and which tiles an image touches.

World coordinates run from (0, 0) at 180 degrees west, 85.05 north, to (1, 1); a tile (z, x, y) of
`mercantile` counts rows from the north (XYZ). Formulas: Snyder, Map Projections (USGS PP 1395),
equations 7-1 and 7-2 on the sphere, as EPSG:3857 has them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

import mercantile
import numpy as np

from alos2.constants import WGS84_SEMI_MAJOR_M
from alos2.raster.layers import Surface
from alos2.raster.pictures import DEEPEST_ZOOM, TILE_PX
from alos2.raster.places import Values

LIMIT_DEG: Final = math.degrees(math.atan(math.sinh(math.pi)))
"""Latitude of the map's edge, 85.0511 degrees."""

_EQUATOR_M: Final = 2 * math.pi * WGS84_SEMI_MAJOR_M
_SIDE_POINTS: Final = 64


def to_lonlat(x: Values, y: Values) -> tuple[Values, Values]:
    """Return longitude and latitude, degrees, of world coordinates."""
    lat = np.degrees(np.arctan(np.sinh(math.pi * (1.0 - 2.0 * np.asarray(y, float)))))
    return np.asarray(x, float) * 360.0 - 180.0, lat


def to_world(lon_deg: Values, lat_deg: Values) -> tuple[Values, Values]:
    """Return world coordinates; those beyond `LIMIT_DEG` lie outside 0 to 1, the poles at inf."""
    with np.errstate(divide="ignore"):
        y = (1.0 - np.arcsinh(np.tan(np.radians(lat_deg))) / math.pi) / 2.0
    return (np.asarray(lon_deg, float) + 180.0) / 360.0, y


def pixel_m(zoom: int, lat_deg: float) -> float:
    """Return the ground size of a tile's pixel, m."""
    return float(_EQUATOR_M * math.cos(math.radians(lat_deg)) / (TILE_PX * 2**zoom))


def native_zoom(places: Surface) -> int:
    """Return the deepest zoom whose pixels are not finer than the image's, at its centre."""
    finest = min(places.pixel_m, places.line_m)
    zoom = math.floor(math.log2(pixel_m(0, center_lat(places)) / finest))
    return min(max(zoom, 0), DEEPEST_ZOOM)


def center_lat(places: Surface) -> float:
    """Return the latitude of the image's centre, degrees, at most that of the map's edge."""
    lines, pixels = places.shape
    _, lat = places.lonlat(np.array(pixels / 2), np.array(lines / 2))
    return float(np.clip(lat, -LIMIT_DEG, LIMIT_DEG))


def row(tile: mercantile.Tile, *, tms: bool) -> int:
    """Return the row in a tile's file name: TMS counts from the south, XYZ from the north."""
    return int(2**tile.z - 1 - tile.y if tms else tile.y)


class Cover(NamedTuple):
    """The tiles of one zoom that an image's box may touch."""

    tiles: frozenset[mercantile.Tile]
    beyond_limit: bool
    """Whether a part of the box lies beyond the map's edge."""


def cover(places: Surface, zoom: int) -> Cover:
    """Find the tiles that the image's box may touch: those around its boundary and all within.

    Across the antimeridian the tiles at both edges of the map are taken. A few tiles that the box
    does not touch may be among them.
    """
    lon, lat = places.lonlat(*_boundary(places))
    x, y = to_world(lon, lat)
    beyond = bool((np.abs(lat) > LIMIT_DEG).any())
    steps = (np.diff(x, append=x[:1]) + 0.5) % 1.0 - 0.5
    top, bottom = float(np.min(y)), float(np.max(y))
    if abs(steps.sum()) > 0.5:  # the box goes round a pole
        west, east = 0.0, 1.0 - 1e-12
        top, bottom = (0.0, bottom) if np.mean(lat) > 0 else (top, 1.0)
        beyond = True
    else:
        unwrapped = x[0] + np.concatenate([[0.0], np.cumsum(steps[:-1])])
        west, east = float(unwrapped.min()), float(unwrapped.max())
    if bottom <= 0.0 or top >= 1.0:
        return Cover(frozenset(), beyond)
    count = 2**zoom
    rows = range(max(0, int(top * count)), min(count - 1, math.floor(bottom * count)) + 1)
    columns = {c % count for c in range(math.floor(west * count), math.floor(east * count) + 1)}
    return Cover(frozenset(mercantile.Tile(c, r, zoom) for c in columns for r in rows), beyond)


def _boundary(places: Surface) -> tuple[Values, Values]:
    lines, pixels = places.shape
    t = np.linspace(0.0, 1.0, _SIDE_POINTS, endpoint=False)
    pixel = np.concatenate([t, np.ones_like(t), 1.0 - t, np.zeros_like(t)]) * pixels
    line = np.concatenate([np.zeros_like(t), t, np.ones_like(t), 1.0 - t]) * lines
    return pixel, line


def children(tile: mercantile.Tile) -> tuple[mercantile.Tile, ...]:
    """Return the four tiles below: north-west, north-east, south-west, south-east."""
    x, y, z = 2 * tile.x, 2 * tile.y, tile.z + 1
    return tuple(mercantile.Tile(x + i, y + j, z) for j in (0, 1) for i in (0, 1))


def ancestors(tiles: Iterable[mercantile.Tile]) -> frozenset[mercantile.Tile]:
    """Return `tiles` and every tile above them, up to the whole world."""
    found: set[mercantile.Tile] = set()
    level = set(tiles)
    while level:
        found |= level
        level = {mercantile.parent(tile) for tile in level if tile.z > 0}
    return frozenset(found)

"""The polygon of the valid pixels of a map-projected image.

The footprint of a geocoded image is not the raster's box, which holds corners without data, but
what is inside it. See `alos2.raster.outline` for how pixels become few corners.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from alos2.errors import BadProduct
from alos2.geometry.rings import footprint_geometry
from alos2.product.model import Product
from alos2.raster.blocks import Extents, valid_extents
from alos2.raster.outline import MOST_CORNERS, Corners, outline
from alos2.raster.pictures import Cancelled, Progress, never, silent
from alos2.raster.places import Places, Values
from alos2.raster.source import PixelSource, open_source
from alos2.types import Json, LonLat, RasterShape

LONG_SIDE: Final = 2048
"""The polygon is as exact as an image decimated to this many pixels would give it."""

_TOLERANCE: Final = 1.5
"""In such decimated pixels."""

_METRES_PER_DEGREE: Final = 111_320.0


def valid_polygon(
    what: Product | PixelSource,
    *,
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> Json | None:
    """Find the polygon of the valid pixels.

    Parameters
    ----------
    what
        A product, whose first image is taken (all cover the same ground), or one image.
    progress
        Told the stage ``valid pixels``, in lines.
    cancelled
        Asked between blocks.

    Returns
    -------
    Json or None
        GeoJSON Polygon (MultiPolygon across the antimeridian), degrees, right-hand rule: one
        convex outline of 3 to 16 corners, typically 4 to 8, that holds every valid pixel. None
        when the images lie on no map (level 1.1).

    Raises
    ------
    BadProduct
        There is no image, it cannot be read, or has no valid pixel at all.
    Interrupted
        `cancelled` said so.
    """
    if not isinstance(what, Product):
        return _of_source(what, progress, cancelled)
    if not what.images:
        raise BadProduct(f"{what.scene}-{what.product} has no image")
    image = what.images[0]
    if image.grid is None:
        return None
    with open_source(what, image) as source:
        return _of_source(source, progress, cancelled)


def _of_source(source: PixelSource, progress: Progress, cancelled: Cancelled) -> Json | None:
    if source.grid is None:
        return None
    extents = valid_extents(source, stage="valid pixels", progress=progress, cancelled=cancelled)
    if not len(extents.lines):
        raise BadProduct(f"{source.name}: no pixel of it is valid, all are 0")
    tolerance = _TOLERANCE * decimation(source.shape)
    ring = outline(corners_of(extents), tolerance)
    places = Places(source.grid)
    ring = straighten(ring, places, tolerance * max(places.pixel_m, places.line_m))
    lon, lat = places.lonlat(ring[:, 0], ring[:, 1])
    return footprint_geometry([LonLat(float(x), float(y)) for x, y in zip(lon, lat, strict=True)])


def decimation(shape: RasterShape) -> float:
    """Return how many pixels of an image one of `LONG_SIDE` is, at least 1."""
    return max(1.0, max(shape) / LONG_SIDE)


def corners_of(extents: Extents) -> Corners:
    """Return the outer corners (pixel, line) of the first and last valid pixel of each line."""
    left, right = extents.first, extents.last + 1
    top, bottom = extents.lines, extents.lines + 1
    pairs = [(left, top), (right, top), (left, bottom), (right, bottom)]
    return np.concatenate([np.column_stack(pair) for pair in pairs]).astype(float)


def straighten(ring: Corners, places: Places, tolerance_m: float) -> Corners:
    """Put corners into those sides that are straight on the map and bent in degrees.

    GeoJSON's sides are straight in longitude and latitude. The side that strays most gets its
    middle, until none strays by more than `tolerance_m` or there are `MOST_CORNERS` corners.
    """
    while len(ring) < MOST_CORNERS:
        stray = _stray_m(ring, places)
        side = int(np.argmax(stray))
        if stray[side] <= tolerance_m:
            break
        middle = (ring[side] + ring[(side + 1) % len(ring)]) / 2
        ring = np.insert(ring, side + 1, middle, axis=0)
    return ring


def _stray_m(ring: Corners, places: Places) -> Values:
    after = np.roll(ring, -1, axis=0)
    middle = (ring + after) / 2
    lon0, lat0 = places.lonlat(ring[:, 0], ring[:, 1])
    lon1, lat1 = places.lonlat(after[:, 0], after[:, 1])
    lon, lat = places.lonlat(middle[:, 0], middle[:, 1])

    def from_middle(other: Values) -> Values:
        return np.asarray((other - lon + 180.0) % 360.0 - 180.0)

    east = (from_middle(lon0) + from_middle(lon1)) / 2 * np.cos(np.radians(lat))
    north = (lat0 + lat1) / 2 - lat
    return np.asarray(np.hypot(east, north) * _METRES_PER_DEGREE)

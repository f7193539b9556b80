"""How long a picture's pixel is on the ground, and where north is on it."""

from __future__ import annotations

import math
from typing import NamedTuple

from pyproj import CRS, Geod, Transformer
from pyproj.exceptions import CRSError, ProjError

from alos2.product.model import MapGrid

_STEP_DEG = 0.01


class Compass(NamedTuple):
    """At the middle of a raster."""

    pixel_m: float
    """Length on the ground of a step of one pixel to the right."""
    north_deg: float
    """Direction of true north, clockwise from the top of the picture."""


def compass_of(grid: MapGrid) -> Compass | None:
    """Return scale and north at the middle of a grid; None where PROJ cannot say."""
    a, b, c, d, e, f = grid.transform
    line, pixel = grid.shape.lines / 2, grid.shape.pixels / 2
    x, y = c + a * pixel + b * line, f + d * pixel + e * line
    try:
        crs = CRS.from_wkt(grid.crs_wkt)
        geodetic = CRS.from_epsg(4326)
        to_lonlat = Transformer.from_crs(crs, geodetic, always_xy=True)
        (lon, other_lon), (lat, other_lat) = to_lonlat.transform(
            [x, x + a], [y, y + d], errcheck=True
        )
        _, _, pixel_m = Geod(ellps="WGS84").inv(lon, lat, other_lon, other_lat)
        back = Transformer.from_crs(geodetic, crs, always_xy=True)
        east, north = back.transform(lon, lat + math.copysign(_STEP_DEG, -lat), errcheck=True)
    except (CRSError, ProjError):
        return None
    # Towards the equator, which is never past a pole; turned round in the north.
    dx, dy = east - x, north - y
    if lat > 0:
        dx, dy = -dx, -dy
    size = a * e - b * d
    across, down = (e * dx - b * dy) / size, (a * dy - d * dx) / size
    if not (math.isfinite(pixel_m) and pixel_m > 0 and math.hypot(across, down) > 0):
        return None
    return Compass(pixel_m, math.degrees(math.atan2(across, -down)))


def round_length(longest_m: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten metres that is not above `longest_m`."""
    power = 10.0 ** math.floor(math.log10(longest_m))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= longest_m * (1 + 1e-9))


def length_name(metres: float) -> str:
    """Return a length for a scale bar: ``500 m``, ``2 km``."""
    return f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"

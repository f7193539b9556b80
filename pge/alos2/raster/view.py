"""How large an image's pixels are on the ground, and which way up it shows the ground from above.

A picture is flipped, never turned: lines so that north is up, pixels so that east is right, as far
as that can be had. For slant-range images the lines follow the flight (upwards when ascending)
and the pixels go away from the track:

=========  ====  ==================  ===================
pass       look  lines flipped       pixels flipped
=========  ====  ==================  ===================
ascending  R     yes                 no (looks east)
ascending  L     yes                 yes (looks west)
descending R     no                  yes (looks west)
descending L     no                  no (looks east)
=========  ====  ==================  ===================

A mirrored picture would need one flip more or less than these, so none of them is mirrored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from pyproj import Geod

from alos2.errors import BadProduct
from alos2.geometry.rangedoppler import rdr2geo
from alos2.product.model import Image, MapGrid, Product, SlantRangeTiming
from alos2.types import LonLat

_EARTH: Final = Geod(ellps="WGS84")
_FLIPS: Final = {
    ("A", "R"): (True, False),
    ("A", "L"): (True, True),
    ("D", "R"): (False, True),
    ("D", "L"): (False, False),
}
"""Whether lines and pixels are flipped, by pass and look side."""


@dataclass(frozen=True)
class View:
    """An image as seen from above."""

    line_m: float
    """Mean ground distance from line to line, m."""
    pixel_m: float
    """Mean ground distance from pixel to pixel, m."""
    flip_lines: bool
    flip_pixels: bool
    geometry: Literal["map", "georeferenced", "slant range"]
    spacing_from: str
    """Where the distances come from, in words."""


def view_of(product: Product, image: Image) -> View:
    """Find out how `image` is to be shown.

    Raises
    ------
    BadProduct
        Spacings or geometry that cannot be.
    """
    if image.grid is not None:
        return _on_map(image.grid)
    line_m, pixel_m, origin = _slant_range_spacing(product, image)
    if not (0.01 < line_m < 10_000 and 0.01 < pixel_m < 10_000):
        raise BadProduct(
            f"{image.file.name}: lines of {line_m:g} m and pixels of {pixel_m:g} m on the "
            f"ground cannot be (from {origin})"
        )
    flip_lines, flip_pixels = _FLIPS[product.pass_direction, product.look]
    return View(line_m, pixel_m, flip_lines, flip_pixels, "slant range", origin)


def _on_map(grid: MapGrid) -> View:
    a, b, _, d, e, _ = grid.transform
    flip_lines = e > 0
    mirrored = a * e - b * d > 0  # lines downwards and pixels to the right have a negative one
    return View(
        line_m=math.hypot(b, e),
        pixel_m=math.hypot(a, d),
        flip_lines=flip_lines,
        flip_pixels=flip_lines != mirrored,
        geometry="map" if b == d == 0 else "georeferenced",
        spacing_from="map grid",
    )


def _slant_range_spacing(product: Product, image: Image) -> tuple[float, float, str]:
    """Mean ground distance of lines and of pixels, m, and who says so; the best source there is."""
    timing, orbit = image.timing, product.orbit
    if timing is not None and orbit is not None:
        return *_from_orbit(product, image, timing), "orbit and ellipsoid"
    if len(image.tie_points) >= 3:
        return *_from_tie_points(image), "tie points"
    incidence = product.sensor.incidence_deg
    if product.line_spacing_m and product.pixel_spacing_m and incidence:
        ground = product.pixel_spacing_m / math.sin(math.radians(incidence))
        return product.line_spacing_m, ground, "spacings and incidence of the leader"
    return 1.0, 1.0, "nothing: taken as square"


def _distance_m(a: LonLat, b: LonLat) -> float:
    return float(_EARTH.inv(*a, *b)[2])


def _from_orbit(product: Product, image: Image, timing: SlantRangeTiming) -> tuple[float, float]:
    if product.orbit is None:
        raise ValueError("no orbit")
    lines, pixels = max(image.shape.lines - 1, 1), max(image.shape.pixels - 1, 1)
    start = product.orbit.seconds(timing.first_line_time)
    middle_line, middle_pixel = start + lines / 2 * timing.line_interval_s, pixels / 2
    near, step = timing.near_range_m, timing.range_spacing_m
    times = np.array([start, start + lines * timing.line_interval_s, middle_line, middle_line])
    ranges = near + step * np.array([middle_pixel, middle_pixel, 0.0, float(pixels)])
    lon, lat = rdr2geo(product.orbit, times, ranges, look=product.look)
    first, last, nearest, farthest = (
        LonLat(float(x), float(y)) for x, y in zip(lon, lat, strict=True)
    )
    return _distance_m(first, last) / lines, _distance_m(nearest, farthest) / pixels


def _from_tie_points(image: Image) -> tuple[float, float]:
    """Mean distances over the pairs of tie points that share a pixel or a line."""
    down, across = [], []
    for i, one in enumerate(image.tie_points):
        for other in image.tie_points[i + 1 :]:
            lines, pixels = abs(other.line - one.line), abs(other.pixel - one.pixel)
            if lines > 0 and pixels == 0:
                down.append(_distance_m(one.position, other.position) / lines)
            elif pixels > 0 and lines == 0:
                across.append(_distance_m(one.position, other.position) / pixels)
    if not down or not across:
        raise BadProduct(f"{image.file.name}: its tie points are not the corners of the image")
    return sum(down) / len(down), sum(across) / len(across)

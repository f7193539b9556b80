"""How large a map image's pixels are on the ground, and which way up it shows the ground.

A picture is flipped, never turned: lines so that north is up, pixels so that east is right, as far
as that can be had, and never so that it would be mirrored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from alos2.product.model import MapGrid


@dataclass(frozen=True)
class View:
    """An image as seen from above."""

    line_m: float
    """Ground distance from line to line, m."""
    pixel_m: float
    """Ground distance from pixel to pixel, m."""
    flip_lines: bool
    flip_pixels: bool
    geometry: Literal["map", "georeferenced"]


def view_of(grid: MapGrid) -> View:
    """Find out how an image on a map is to be shown."""
    a, b, _, d, e, _ = grid.transform
    flip_lines = e > 0
    mirrored = a * e - b * d > 0  # lines downwards and pixels to the right have a negative one
    return View(
        line_m=math.hypot(b, e),
        pixel_m=math.hypot(a, d),
        flip_lines=flip_lines,
        flip_pixels=flip_lines != mirrored,
        geometry="map" if b == d == 0 else "georeferenced",
    )

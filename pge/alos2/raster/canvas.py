"""One picture in power out of one image.

The image is averaged over whole cells in one pass, then brought to the picture's pixels (at most
twice as large) by an averaging filter: all in power, weighted by the valid pixels.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from alos2.raster.blocks import Looks

Plane = npt.NDArray[np.float32]

LARGEST: Final = 2048
SMALLEST: Final = 1024
SHARE: Final = 0.1
SMALL_SIDE: Final = 250


class Box(NamedTuple):
    """A rectangle in cells, not whole numbers in general."""

    left: float
    top: float
    right: float
    bottom: float


class Size(NamedTuple):
    """Of a picture, px."""

    width: int
    height: int


class Canvas(NamedTuple):
    """A picture in the making, shape (height, width)."""

    total: Plane
    """Sum of weight times power."""
    weight: Plane
    """Share of a pixel that is valid; 0 = no data."""

    @property
    def power(self) -> Plane:
        """Mean sigma nought, linear, NaN = no data."""
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: Plane = np.where(self.weight > 0, self.total / self.weight, np.nan)
        return mean.astype(np.float32, copy=False)


def browse_long_side(lines: float, pixels: float) -> float:
    """Return the long side of a browse picture of an image of that size, px, before rounding.

    A tenth, clamped to 1024 to 2048, and never more than there is. `lines` and `pixels` are the
    numbers of ground-square pixels as fine as the image's coarser side.
    """
    longest = max(lines, pixels)
    return min(longest, max(SHARE * longest, SMALLEST), LARGEST)


def _resized(plane: Plane, size: Size, box: Box, method: Pillow.Resampling) -> Plane:
    picture = Pillow.fromarray(plane).resize(size, method, box=box)
    return np.asarray(picture)


def resample(looks: Looks, size: Size, box: Box) -> Canvas:
    """Bring a rectangle of averaged cells to `size`.

    Parameters
    ----------
    looks
        The image in cells.
    size
        Not larger than the rectangle (in cells).
    box
        The rectangle, in cells.
    """
    valid = looks.valid / np.float32(looks.cell_lines * looks.cell_pixels)
    total = np.where(valid > 0, looks.power * valid, np.float32(0))
    # Pillow's BILINEAR is a triangle as wide as the reduction asks for: an averaging filter. Its
    # BOX takes whole cells: right for the mask, which must not grow by the triangle's slopes.
    smooth = _resized(total, size, box, Pillow.Resampling.BILINEAR)
    weight = _resized(valid, size, box, Pillow.Resampling.BILINEAR)
    there = _resized(valid, size, box, Pillow.Resampling.BOX) > 0
    there &= weight > 0
    return Canvas(np.where(there, smooth, np.float32(0)), np.where(there, weight, np.float32(0)))


def canvas_of(looks: Looks, shape: tuple[int, int], height: float, width: float) -> Canvas:
    """Bring an averaged image to the size of a picture.

    Parameters
    ----------
    looks
        The image in cells.
    shape
        Its lines and pixels.
    height, width
        Of the picture, px, before rounding.
    """
    size = Size(max(1, round(width)), max(1, round(height)))
    lines, pixels = shape
    return resample(
        looks, size, Box(0.0, 0.0, pixels / looks.cell_pixels, lines / looks.cell_lines)
    )


def flipped(canvas: Canvas, *, lines: bool, pixels: bool) -> Canvas:
    """Return the canvas turned over."""
    turn = (slice(None, None, -1 if lines else 1), slice(None, None, -1 if pixels else 1))
    return Canvas(
        np.ascontiguousarray(canvas.total[turn]), np.ascontiguousarray(canvas.weight[turn])
    )


def reduced(canvas: Canvas, long_side: int) -> Canvas:
    """Return the canvas made as small as `long_side`, or as it is when it is no larger."""
    height, width = canvas.weight.shape
    scale = max(height, width) / long_side
    if scale <= 1:
        return canvas
    size = Size(max(1, round(width / scale)), max(1, round(height / scale)))
    cells = Looks(canvas.power, canvas.weight, 1, 1)
    return resample(cells, size, Box(0, 0, width, height))

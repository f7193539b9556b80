"""One picture in power out of one image, or out of the beams of a ScanSAR image.

Each image is averaged over whole cells in one pass, then brought to the picture's pixels (at most
twice as large) by an averaging filter: all in power, weighted by the valid pixels.

Beams are placed by azimuth time and slant range: their lines start at different times and have
different intervals, their pixels start at different ranges. Where they overlap their powers are
averaged. The picture is in equal steps of slant range, which over a ScanSAR swath are not equal
on the ground: it is about square in its middle.
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
    """Share of a pixel that is valid, summed over the beams; 0 = no data."""

    @property
    def power(self) -> Plane:
        """Mean sigma nought, linear, NaN = no data."""
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: Plane = np.where(self.weight > 0, self.total / self.weight, np.nan)
        return mean.astype(np.float32, copy=False)


class Frame(NamedTuple):
    """Where an image lies on the canvas, in canvas pixels (the edges of its first and last)."""

    top: float
    left: float
    bottom: float
    right: float


def browse_long_side(lines: float, pixels: float) -> float:
    """Return the long side of a browse picture of an image of that size, px, before rounding.

    A tenth, clamped to 1024 to 2048, and never more than there is. `lines` and `pixels` are the
    numbers of ground-square pixels as fine as the image's coarser side.
    """
    longest = max(lines, pixels)
    return min(longest, max(SHARE * longest, SMALLEST), LARGEST)


def empty_canvas(size: Size) -> Canvas:
    """Return a canvas without data."""
    shape = (size.height, size.width)
    return Canvas(np.zeros(shape, np.float32), np.zeros(shape, np.float32))


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
    # The share of a cell that is valid, and not its pixels: beams have cells of different sizes.
    valid = looks.valid / np.float32(looks.cell_lines * looks.cell_pixels)
    total = np.where(valid > 0, looks.power * valid, np.float32(0))
    # Pillow's BILINEAR is a triangle as wide as the reduction asks for: an averaging filter. Its
    # BOX takes whole cells: right for the mask, which must not grow by the triangle's slopes.
    smooth = _resized(total, size, box, Pillow.Resampling.BILINEAR)
    weight = _resized(valid, size, box, Pillow.Resampling.BILINEAR)
    there = _resized(valid, size, box, Pillow.Resampling.BOX) > 0
    there &= weight > 0
    return Canvas(np.where(there, smooth, np.float32(0)), np.where(there, weight, np.float32(0)))


def place(canvas: Canvas, looks: Looks, frame: Frame, shape: tuple[int, int]) -> None:
    """Add an image to a canvas.

    Parameters
    ----------
    canvas
        Changed in place.
    looks
        The image in cells.
    frame
        Where all of it lies on the canvas.
    shape
        Its lines and pixels.
    """
    height, width = canvas.weight.shape
    top, left = max(0, round(frame.top)), max(0, round(frame.left))
    bottom = min(height, max(top + 1, round(frame.bottom)))
    right = min(width, max(left + 1, round(frame.right)))
    if bottom <= top or right <= left:
        return
    rows, columns = shape[0] / looks.cell_lines, shape[1] / looks.cell_pixels
    down, across = rows / (frame.bottom - frame.top), columns / (frame.right - frame.left)
    box = Box(
        max(0.0, (left - frame.left) * across),
        max(0.0, (top - frame.top) * down),
        min(columns, (right - frame.left) * across),
        min(rows, (bottom - frame.top) * down),
    )
    part = resample(looks, Size(right - left, bottom - top), box)
    canvas.total[top:bottom, left:right] += part.total
    canvas.weight[top:bottom, left:right] += part.weight


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

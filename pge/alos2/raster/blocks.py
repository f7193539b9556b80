"""Going over an image in blocks of bounded size: means of power, and where the data end.

Pure block arithmetic; a block of `BLOCK_PIXELS` costs about 60 MB while it is worked on, whatever
the size of the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from alos2.raster.control import check
from alos2.raster.pictures import Cancelled, Progress, never, silent
from alos2.raster.source import PixelSource
from alos2.types import RasterShape, Window

BLOCK_PIXELS: Final = 2_000_000


class Looks(NamedTuple):
    """An image averaged in power over cells of the same size (but for the last ones)."""

    power: npt.NDArray[np.float32]
    """Mean sigma nought of the valid pixels of each cell, linear; NaN where there is none."""
    valid: npt.NDArray[np.float32]
    """Number of valid pixels in each cell."""
    cell_lines: int
    cell_pixels: int


def strips(window: Window, block_pixels: int = BLOCK_PIXELS) -> Iterator[Window]:
    """Cut `window` into strips of whole lines of at most `block_pixels` (but at least a line)."""
    step = max(1, block_pixels // max(1, window.pixels))
    for line in range(window.line, window.line + window.lines, step):
        lines = min(step, window.line + window.lines - line)
        yield Window(line, window.pixel, lines, window.pixels)


def whole(shape: RasterShape) -> Window:
    """Return the window that is the whole image."""
    return Window(0, 0, *shape)


def _sum_cells(
    block: npt.NDArray[np.float32], line_starts: Sequence[int], cell_pixels: int
) -> npt.NDArray[np.float32]:
    """Sum over cells: those whose lines begin at `line_starts`, the first of them at 0."""
    stops = [*line_starts[1:], block.shape[0]]
    rows = np.stack([block[a:b].sum(axis=0) for a, b in zip(line_starts, stops, strict=True)])
    # Adding columns of a stride is several times as fast as summing short runs of a row.
    full = rows.shape[1] // cell_pixels * cell_pixels
    sums = np.zeros((len(rows), -(-rows.shape[1] // cell_pixels)), np.float32)
    for offset in range(cell_pixels):
        sums[:, : full // cell_pixels] += rows[:, offset:full:cell_pixels]
    if full < rows.shape[1]:
        sums[:, -1] = rows[:, full:].sum(axis=1)
    return sums


def multilook(
    source: PixelSource,
    cell_lines: int,
    cell_pixels: int,
    *,
    window: Window | None = None,
    stage: str = "",
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> Looks:
    """Average an image, or a window of it, in power over cells, in one sequential pass.

    Parameters
    ----------
    source
        The image.
    cell_lines, cell_pixels
        Size of a cell; cells begin at the window's first line and pixel, the last ones may be
        smaller.
    window
        Within the image; None: all of it.
    stage
        What `progress` is told; lines are its unit.

    Raises
    ------
    BadProduct
        The image cannot be read.
    Interrupted
        `cancelled` said so.
    """
    area = window or whole(source.shape)
    rows, columns = -(-area.lines // cell_lines), -(-area.pixels // cell_pixels)
    total = np.zeros((rows, columns), np.float32)
    count = np.zeros((rows, columns), np.float32)
    for strip in strips(area):
        check(cancelled)
        begin = strip.line - area.line
        first, last = begin // cell_lines, (begin + strip.lines - 1) // cell_lines
        starts = [max(0, row * cell_lines - begin) for row in range(first, last + 1)]
        power = source.power(strip)
        valid = np.isfinite(power)
        power[~valid] = 0.0
        total[first : last + 1] += _sum_cells(power, starts, cell_pixels)
        count[first : last + 1] += _sum_cells(valid.astype(np.float32), starts, cell_pixels)
        progress(stage, strip.line + strip.lines - area.line, area.lines)
    with np.errstate(invalid="ignore"):
        np.divide(total, count, out=total)  # 0/0 = NaN: no data
    return Looks(total, count, cell_lines, cell_pixels)


class Extents(NamedTuple):
    """Where the valid pixels of each line begin and end."""

    lines: npt.NDArray[np.int64]
    """The lines that have any."""
    first: npt.NDArray[np.int64]
    """First valid pixel of each of them."""
    last: npt.NDArray[np.int64]
    """Last valid pixel of each of them."""


def valid_extents(
    source: PixelSource,
    *,
    stage: str = "",
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> Extents:
    """Find the first and the last valid pixel of every line.

    Raises
    ------
    BadProduct
        The image cannot be read.
    Interrupted
        `cancelled` said so.
    """
    lines, first, last = [], [], []
    for strip in strips(whole(source.shape)):
        check(cancelled)
        valid = source.valid(strip)
        rows = np.flatnonzero(valid.any(axis=1))
        lines.append(rows + strip.line)
        # argmax stops at the first True: this costs the empty borders only.
        first.append(valid.argmax(axis=1)[rows])
        last.append(strip.pixels - 1 - valid[:, ::-1].argmax(axis=1)[rows])
        progress(stage, strip.line + strip.lines, source.shape.lines)
    return Extents(np.concatenate(lines), np.concatenate(first), np.concatenate(last))

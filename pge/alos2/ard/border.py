"""The edge of an image's valid area, taken off: frayed by focusing, filters and resampling.

What is meant is the edge of the area that was imaged. Holes within it (shadow, calm water that was
set to no data) keep their edges: the area is what lies between the first and the last valid pixel
of its line, or of its column. A bay that shadow cuts into the edge along lines is closed along
columns, and the other way round.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from alos2.raster.blocks import strips, whole
from alos2.raster.control import check
from alos2.raster.pictures import Cancelled, Progress, never, silent
from alos2.raster.places import Values
from alos2.raster.source import PixelSource

Edges = npt.NDArray[np.float64]
"""Shape (n, 2): where the area begins and ends in each line (or column); NaN where it is not."""

_EMPTY: Final = -1


class Border:
    """The valid area of an image without its outermost pixels; safe between threads.

    Parameters
    ----------
    rows, columns : ndarray, shape (n, 2), float64
        Where the valid area begins and ends in each line and in each column, in image coordinates
        (from the outer edge of the first valid pixel to that of the last); NaN where there is
        none.
    off_lines, off_pixels : float
        How many lines and pixels are taken off.
    """

    def __init__(self, rows: Edges, columns: Edges, off_lines: float, off_pixels: float) -> None:
        self._rows = eroded(rows, off_lines, off_pixels)
        self._columns = eroded(columns, off_pixels, off_lines)

    @classmethod
    def of(
        cls,
        source: PixelSource,
        off_lines: float,
        off_pixels: float,
        *,
        stage: str = "",
        progress: Progress = silent,
        cancelled: Cancelled = never,
    ) -> Border:
        """Find the valid area of an image, in one pass over it.

        Parameters
        ----------
        source
            The image.
        off_lines, off_pixels
            How many of its lines and pixels are taken off.
        stage
            What `progress` is told; lines are its unit.

        Raises
        ------
        BadProduct
            The image cannot be read.
        Interrupted
            `cancelled` said so.
        """
        lines, pixels = source.shape
        rows = np.full((lines, 2), np.nan)
        first = np.full(pixels, _EMPTY, np.int64)
        last = np.full(pixels, _EMPTY, np.int64)
        for strip in strips(whole(source.shape)):
            check(cancelled)
            valid = source.valid(strip)
            found = np.flatnonzero(valid.any(axis=1))
            rows[strip.line + found, 0] = valid.argmax(axis=1)[found]
            rows[strip.line + found, 1] = pixels - valid[:, ::-1].argmax(axis=1)[found]
            found = np.flatnonzero(valid.any(axis=0))
            new = found[first[found] == _EMPTY]
            first[new] = strip.line + valid.argmax(axis=0)[new]
            last[found] = strip.line + strip.lines - valid[::-1].argmax(axis=0)[found]
            progress(stage, strip.line + strip.lines, lines)
        columns = np.where(
            (first == _EMPTY)[:, np.newaxis], np.nan, np.column_stack([first, last]).astype(float)
        )
        return cls(rows, columns, off_lines, off_pixels)

    def inside(self, pixel: Values, line: Values) -> npt.NDArray[np.bool_]:
        """Tell which image coordinates lie within what is left; NaN does not."""
        return _between(self._rows, line, pixel) | _between(self._columns, pixel, line)


def _between(edges: Edges, at: Values, value: Values) -> npt.NDArray[np.bool_]:
    known = (at >= 0) & (at < len(edges))
    index = np.where(known, at, 0.0).astype(np.intp)
    with np.errstate(invalid="ignore"):
        within = (value >= edges[index, 0]) & (value <= edges[index, 1])
    return np.asarray(known & within)


def eroded(edges: Edges, off_along: float, off_across: float) -> Edges:
    """Take an ellipse off the edge of an area.

    Parameters
    ----------
    edges : ndarray, shape (n, 2), float64
        Begin and end of the area in each line.
    off_along, off_across : float
        Half axes of the ellipse: in lines, and in the unit of begin and end.

    Returns
    -------
    ndarray, shape (n, 2), float64
        Begin and end of what every such ellipse around lies in; NaN where nothing is left.
    """
    reach = math.ceil(off_along)
    begin = np.where(np.isnan(edges[:, 0]), np.inf, edges[:, 0])
    end = np.where(np.isnan(edges[:, 1]), -np.inf, edges[:, 1])
    # Beyond the first and the last line there is nothing.
    begin = np.pad(begin, reach, constant_values=np.inf)
    end = np.pad(end, reach, constant_values=-np.inf)
    left = np.full(len(edges), -np.inf)
    right = np.full(len(edges), np.inf)
    for away in range(-reach, reach + 1):
        share = min(1.0, max(0.0, abs(away) - 0.5) / off_along) if off_along > 0 else 0.0
        wide = off_across * math.sqrt(1.0 - share * share)
        part = slice(reach + away, reach + away + len(edges))
        np.maximum(left, begin[part] + wide, out=left)
        np.minimum(right, end[part] - wide, out=right)
    result = np.column_stack([left, right])
    result[~(left <= right) | ~np.isfinite(left) | ~np.isfinite(right)] = np.nan
    return result

"""Acquisitions that become a series: where their pixels are, on one grid, read strip by strip."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from alos2.errors import BadProduct, UsageError
from alos2.product.model import MapGrid
from alos2.raster.gridfile import BLOCK, read_grid
from alos2.raster.manyfiles import ManyFiles
from alos2.timeseries.model import Power
from alos2.timeseries.options import Extent
from alos2.types import Window

_LAYOVER_SHADOW: Final = (2, 3, 4)
"""Of a scene's data mask: layover, shadow, both."""
_WHOLE_PIXEL: Final = 1e-2


@dataclass(frozen=True)
class Acquired:
    """One polarisation of one acquisition, analysis-ready."""

    path: Path
    """float32, linear power, NaN = no data."""
    when: datetime
    """UTC."""
    mask: Path | None = None
    """Data mask on the same grid: 2 layover, 3 shadow, 4 both."""
    band: int = 1
    looks: float | None = None
    """Equivalent number of looks, where it is known."""


def common_grid(acquired: Sequence[Acquired], extent: Extent) -> MapGrid:
    """Return the grid of a series.

    Parameters
    ----------
    acquired
        All on one lattice: same projection and spacing, whole pixels apart.
    extent
        All that any of them covers, or what all of them cover.

    Raises
    ------
    UsageError
        There are none, or they have nothing in common.
    BadProduct
        One cannot be read or lies on another lattice; it is named.
    """
    if not acquired:
        raise UsageError("there are no acquisitions to make a series of")
    grids = [read_grid(one.path) for one in acquired]
    first = grids[0]
    boxes = []
    for one, grid in zip(acquired, grids, strict=True):
        line, pixel = _offset(one.path, grid, first)
        boxes.append((line, pixel, line + grid.shape.lines, pixel + grid.shape.pixels))
    lows, highs = (min, max) if extent == "union" else (max, min)
    top, left = lows(box[0] for box in boxes), lows(box[1] for box in boxes)
    bottom, right = highs(box[2] for box in boxes), highs(box[3] for box in boxes)
    if bottom <= top or right <= left:
        raise UsageError(
            "the acquisitions have no place in common", hint="take their union as extent"
        )
    return first.part(Window(top, left, bottom - top, right - left))


def _offset(path: Path, grid: MapGrid, of: MapGrid) -> tuple[int, int]:
    """Return line and pixel of a grid's first pixel within another grid's lattice."""
    a, b, c, d, e, f = of.transform
    same = (of.epsg is not None and grid.epsg == of.epsg) or grid.crs_wkt == of.crs_wkt
    scale = max(abs(a), abs(b), abs(d), abs(e))
    axes = zip(grid.transform[:2] + grid.transform[3:5], (a, b, d, e), strict=True)
    extent = max(*grid.shape, *of.shape)
    same &= all(abs(mine - its) * extent < _WHOLE_PIXEL * scale for mine, its in axes)
    east, north = grid.transform[2] - c, grid.transform[5] - f
    area = a * e - b * d
    pixel, line = (e * east - b * north) / area, (a * north - d * east) / area
    same &= max(abs(pixel - round(pixel)), abs(line - round(line))) < _WHOLE_PIXEL
    if not same:
        raise BadProduct(
            f"{path}: its grid differs from the others' in projection, spacing or by a part of a "
            "pixel",
            hint="make all scenes of a track on one snapped grid",
        )
    return round(line), round(pixel)


class PowerReader:
    """Power of one acquisition in windows of the series' grid; a context manager.

    Serves one thread at a time. What the acquisition does not cover is NaN.

    Parameters
    ----------
    with_mask
        Whether its layover and shadow will be asked for.
    """

    def __init__(self, acquired: Acquired, grid: MapGrid, *, with_mask: bool) -> None:
        if with_mask and acquired.mask is None:
            raise UsageError(
                f"{acquired.path.name}: there is no layover and shadow mask of it",
                hint="make the scenes with create_ls_mask, or leave apply_ls_mask off",
            )
        with ExitStack() as stack:
            files = stack.enter_context(ManyFiles([(acquired.path, acquired.band)], threads=1))
            if files.dtype.kind != "f":
                raise BadProduct(
                    f"{acquired.path}: its pixels are {files.dtype}, not linear power in float32",
                    hint="a series is made of analysis-ready scenes",
                )
            self._files = files
            self._mask: ManyFiles | None = None
            if with_mask and acquired.mask is not None:
                self._mask = stack.enter_context(ManyFiles([(acquired.mask, 1)], threads=1))
                if self._mask.grid.shape != files.grid.shape:
                    raise BadProduct(f"{acquired.mask}: it is not of the size of its scene")
            self._top, self._left = _offset(acquired.path, files.grid, grid)
            self._stack = stack.pop_all()

    def __enter__(self) -> PowerReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def read(self, window: Window) -> Power:
        """Return a window of the series' grid, float32, NaN = no data.

        Raises
        ------
        BadProduct
            The file cannot be read there.
        """
        its, place = self._inside(window)
        power = np.full((window.lines, window.pixels), np.nan, np.float32)
        if its is None:
            return power
        values = self._files.read(its)[0]
        nodata = self._files.nodata
        if nodata is not None and not math.isnan(nodata):
            values[values == nodata] = np.nan
        power[place] = values
        return power

    def layover_shadow(self, window: Window) -> npt.NDArray[np.bool_]:
        """Return where layover or shadow is; nowhere without a mask. Raises as `read`."""
        found = np.zeros((window.lines, window.pixels), np.bool_)
        its, place = self._inside(window)
        if its is not None and self._mask is not None:
            found[place] = np.isin(self._mask.read(its)[0], _LAYOVER_SHADOW)
        return found

    def _inside(self, window: Window) -> tuple[Window | None, tuple[slice, slice]]:
        """Return the part of a window that the file covers, and where that lies in the window."""
        top, left = max(window.line, self._top), max(window.pixel, self._left)
        lines, pixels = self._files.grid.shape
        bottom = min(window.line + window.lines, self._top + lines)
        right = min(window.pixel + window.pixels, self._left + pixels)
        if bottom <= top or right <= left:
            return None, (slice(0), slice(0))
        its = Window(top - self._top, left - self._left, bottom - top, right - left)
        down = slice(top - window.line, bottom - window.line)
        return its, (down, slice(left - window.pixel, right - window.pixel))


class Step(NamedTuple):
    """One step through an image from above: lines to read, and lines that are done then."""

    read: range
    done: range


def steps(lines: range, height: int, halo: int) -> Iterator[Step]:
    """Go through lines of an image so that each block of a file is decompressed once.

    Whole rows of blocks are read; what they finish lies `halo` lines higher.

    Parameters
    ----------
    lines
        What is to be done.
    height
        Of the image.
    halo
        Lines that must be known above and below a line to do it.
    """
    first, last = max(0, lines.start - halo), min(height, lines.stop + halo)
    edges = [first, *range((first // BLOCK + 1) * BLOCK, last, BLOCK), last]
    done = lines.start
    for begin, end in pairwise(edges):
        until = lines.stop if end == last else max(done, min(lines.stop, end - halo))
        yield Step(range(begin, end), range(done, until))
        done = until


class Rolling:
    """Lines of one acquisition as `steps` goes through them: each is read once."""

    def __init__(self, read: Callable[[Window], Power], pixels: int, halo: int) -> None:
        self._read = read
        self._pixels = pixels
        self._halo = halo
        self._first = 0
        self._lines: npt.NDArray[Any] = np.empty((0, pixels), np.float32)

    def take(self, step: Step) -> tuple[Power, int]:
        """Read a step's lines; return all that what is done needs, and how many lines lie above it.

        Shape (lines, pixels); there are fewer than `halo` lines above and below at the image's
        edges.
        """
        fresh = self._read(Window(step.read.start, 0, len(step.read), self._pixels))
        if not len(self._lines):
            self._first, self._lines = step.read.start, fresh
        else:
            self._lines = np.concatenate([self._lines, fresh])
        lines, above = self._lines, step.done.start - self._first
        keep = max(0, step.done.stop - self._halo - self._first)
        # A copy, so that what is no longer wanted is given back.
        self._lines = self._lines[keep:].copy()
        self._first += keep
        return lines, above

"""Pixels of an image onto the grid, in power: mean over the cell, or between pixels.

* Where the image is finer than the grid, a cell is the mean over its area: over as many places in
  it as it has pixels, each bilinear between four pixels. Weights are positive and sum to one, so
  nothing rings and nothing becomes negative, and a point stays where it is.
* Where it is not finer, a cell is bilinear between the four pixels around its centre.
* Where it is much finer, pixels are first averaged by whole numbers of them.

No data have no weight; a cell of which less than half has data has none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from alos2.ard.border import Border
from alos2.raster.blocks import multilook
from alos2.raster.pictures import CalibrationUsed
from alos2.raster.places import Values
from alos2.raster.source import PixelSource
from alos2.types import RasterShape, Window

Plane = npt.NDArray[np.float32]

_MOST_PARTS: Final = 12
"""Places across a cell, at most; finer images are averaged first, to half as many."""
_PATCH_PX: Final = 6_000_000
"""Pixels that are read at once, at most (but for a single cell)."""


class Positions(Protocol):
    """Where cells lie in an image: see `sampling_places`."""

    @property
    def pixel_m(self) -> float:
        """Distance of two pixels of the image on the ground, m."""

    @property
    def line_m(self) -> float:
        """Distance of two lines on the ground, m."""


@dataclass(frozen=True)
class Resampling:
    """How an image's pixels become cells of a certain size."""

    averaged: int
    """Pixels along each side of what is averaged first; 1: nothing is."""
    parts: int
    """Places along each side of a cell."""

    @classmethod
    def between(cls, cell_m: float, image: Positions) -> Resampling:
        """Choose it for cells of `cell_m`."""
        finest = min(image.pixel_m, image.line_m)
        ratio = cell_m / finest
        averaged = 1
        if ratio > _MOST_PARTS:
            averaged = int(ratio / (_MOST_PARTS / 2))
        return cls(averaged, max(1, math.ceil(ratio / averaged - 1e-3)))

    @property
    def words(self) -> str:
        """What documents say."""
        if self.parts == 1:
            return "bilinear in power"
        return f"mean of power over the cell, {self.parts} x {self.parts} places, each bilinear"


class Sampler:
    """One image, brought to cells; safe between threads while its source is.

    Parameters
    ----------
    source
        The image, calibrated.
    resampling
        How.
    border
        What is taken off the edge of its valid area; None: nothing.
    """

    def __init__(
        self, source: PixelSource, resampling: Resampling, border: Border | None = None
    ) -> None:
        self.source = source
        self.resampling = resampling
        self._border = border
        step = resampling.averaged
        self._cells = RasterShape(-(-source.shape.lines // step), -(-source.shape.pixels // step))

    @property
    def calibration(self) -> CalibrationUsed:
        """How digital numbers became backscatter."""
        return self.source.calibration

    def sample(self, pixel: Values, line: Values) -> Plane:
        """Return the power of cells.

        Parameters
        ----------
        pixel, line : ndarray, shape (h + 2, w + 2), float64
            Image coordinates (0.5 = centre of the first pixel) of the centres of the cells and of
            a ring of cells around them; NaN where there are none.

        Returns
        -------
        ndarray, shape (h, w), float32
            NaN = no data.

        Raises
        ------
        BadProduct
            The image cannot be read.
        """
        out = np.full((pixel.shape[0] - 2, pixel.shape[1] - 2), np.nan, np.float32)
        step = self.resampling.averaged
        self._fill(pixel / step - 0.5, line / step - 0.5, out)
        if self._border is not None:
            inside = self._border.inside(pixel[1:-1, 1:-1], line[1:-1, 1:-1])
            out[~inside] = np.nan
        return out

    def _fill(self, across: Values, down: Values, out: Plane) -> None:
        """Fill cells; what needs too much of the image at once is cut in two."""
        lines = _span(down, self._cells.lines)
        pixels = _span(across, self._cells.pixels)
        if lines is None or pixels is None:
            return
        step = self.resampling.averaged
        needed = (lines[1] - lines[0]) * (pixels[1] - pixels[0]) * step * step
        if needed > _PATCH_PX and out.size > 1:
            half = out.shape[0] // 2 if out.shape[0] >= out.shape[1] else 0
            if half:
                self._fill(across[: half + 2], down[: half + 2], out[:half])
                self._fill(across[half:], down[half:], out[half:])
            else:
                half = out.shape[1] // 2
                self._fill(across[:, : half + 2], down[:, : half + 2], out[:, :half])
                self._fill(across[:, half:], down[:, half:], out[:, half:])
            return
        from alos2.ard.samplingkernels import sample_cells  # noqa: PLC0415  numba only to sample

        power = self._power(Window(lines[0], pixels[0], lines[1] - lines[0], pixels[1] - pixels[0]))
        # One kind of array for the kernel: numba compiles each kind anew.
        values = np.empty(out.shape, np.float32)
        sample_cells(
            power,
            np.ascontiguousarray(across) - pixels[0],
            np.ascontiguousarray(down) - lines[0],
            self.resampling.parts,
            values,
        )
        out[:] = values

    def _power(self, cells: Window) -> Plane:
        step, shape = self.resampling.averaged, self.source.shape
        if step == 1:
            return np.ascontiguousarray(self.source.power(cells))
        window = Window(
            cells.line * step,
            cells.pixel * step,
            min((cells.line + cells.lines) * step, shape.lines) - cells.line * step,
            min((cells.pixel + cells.pixels) * step, shape.pixels) - cells.pixel * step,
        )
        return multilook(self.source, step, step, window=window).power


def _span(at: Values, count: int) -> tuple[int, int] | None:
    """First and behind the last pixel around some cells; None if there are none."""
    known = np.isfinite(at)
    if not known.any():
        return None
    values = at[known]
    reach = 0.5 * (_widest(np.diff(at, axis=0)) + _widest(np.diff(at, axis=1)))
    first = max(0, math.floor(float(values.min()) - reach))
    last = min(count, math.ceil(float(values.max()) + reach) + 2)
    return (first, last) if first < last else None


def _widest(steps: Values) -> float:
    """Widest step between neighbours that are both known."""
    known = np.abs(steps[np.isfinite(steps)])
    return float(known.max()) if known.size else 0.0

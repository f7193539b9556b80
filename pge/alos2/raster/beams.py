"""ScanSAR: the beams of a polarisation as one picture.

Each beam has its own times and ranges, and neighbours overlap. The union is an image on common
steps of azimuth time and slant range. Its power is interpolated between the cells of each beam;
where beams overlap their powers are averaged, each with the more weight the farther it is from its
own edge, so that one passes into the other without a seam. A union of one beam is that beam by
itself on the steps of all: where no other overlaps it is the same, to the last bit but one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from alos2.product.model import MapGrid
from alos2.raster.cells import Plane
from alos2.raster.pictures import CalibrationUsed
from alos2.raster.slantplaces import RadarFrame
from alos2.raster.source import PixelSource
from alos2.types import RasterShape, Window

_STRIP_CELLS: Final = 1_000_000
_LEAST_WEIGHT: Final = 1e-3


def union_frame(frames: Sequence[RadarFrame]) -> RadarFrame:
    """Frame that holds all of `frames`, with the steps of the middle one."""
    middle = frames[len(frames) // 2]
    start, near = min(f.start_s for f in frames), min(f.near_m for f in frames)
    lines = math.ceil((max(f.end_s for f in frames) - start) / middle.step_s - 1e-6)
    pixels = math.ceil((max(f.far_m for f in frames) - near) / middle.step_m - 1e-6)
    return RadarFrame(start, middle.step_s, near, middle.step_m, RasterShape(lines, pixels))


class _Between(NamedTuple):
    """Places along one axis of an image: the cells before and after, and the one it is in."""

    before: npt.NDArray[np.intp]
    share: npt.NDArray[np.float32]
    """Weight of the cell after."""
    inside: npt.NDArray[np.intp]
    hit: npt.NDArray[np.bool_]
    """Whether it is within the image at all."""

    @classmethod
    def of(cls, at: npt.NDArray[np.floating[Any]], size: int) -> _Between:
        """Find places `at` that count from the image's edge."""
        center = np.clip(at - 0.5, 0.0, size - 1.0)
        before = np.minimum(center.astype(np.intp), max(size - 2, 0))
        inside = np.clip(np.floor(at), 0, size - 1).astype(np.intp)
        share = (center - before).astype(np.float32)
        return cls(before, share, inside, np.asarray((at >= 0.0) & (at < size)))


class _Seen(NamedTuple):
    """What one beam shows of a window."""

    at: tuple[slice, slice]
    """Its lines and pixels in the window."""
    power: Plane
    valid: npt.NDArray[np.bool_]
    share: npt.NDArray[np.float32]
    """Weight where beams overlap, pixel by pixel."""


class BeamUnion:
    """`PixelSource` over the beams of one polarisation, on their common frame."""

    grid: MapGrid | None = None

    def __init__(
        self, name: str, frame: RadarFrame, beams: Sequence[tuple[PixelSource, RadarFrame]]
    ) -> None:
        self.name = name
        self.shape = frame.shape
        self.calibration: CalibrationUsed = beams[0][0].calibration
        self._frame = frame
        self._beams = tuple(beams)

    def power(self, window: Window) -> Plane:
        """See `PixelSource.power`."""
        lines, pixels = self.shape
        if not (
            0 <= window.line <= window.line + window.lines <= lines
            and 0 <= window.pixel <= window.pixel + window.pixels <= pixels
        ):
            raise ValueError(f"{window} is not within the {lines} x {pixels} cells of {self.name}")
        result = np.full((window.lines, window.pixels), np.nan, np.float32)
        step = max(1, _STRIP_CELLS // max(1, window.pixels))
        for top in range(0, window.lines, step):
            part = window._replace(line=window.line + top, lines=min(step, window.lines - top))
            self._strip(part, result[top : top + part.lines])
        return result

    def valid(self, window: Window) -> npt.NDArray[np.bool_]:
        """See `PixelSource.valid`."""
        return np.asarray(np.isfinite(self.power(window)))

    def _strip(self, window: Window, result: Plane) -> None:
        if len(self._beams) == 1:
            for at, power, valid, _ in self._seen(window):
                result[at] = np.where(valid, power, np.float32(np.nan))
            return
        total, weight = np.zeros(result.shape, np.float32), np.zeros(result.shape, np.float32)
        for at, power, valid, share in self._seen(window):
            total[at] += np.where(valid, power * share, np.float32(0))
            weight[at] += np.where(valid, share, np.float32(0))
        np.divide(total, weight, out=result, where=weight > 0)

    def _seen(self, window: Window) -> Iterator[_Seen]:
        frame = self._frame
        times = frame.start_s + frame.step_s * (window.line + 0.5 + np.arange(window.lines))
        ranges = frame.near_m + frame.step_m * (window.pixel + 0.5 + np.arange(window.pixels))
        for source, own in self._beams:
            rows = np.flatnonzero((times >= own.start_s) & (times < own.end_s))
            columns = np.flatnonzero((ranges >= own.near_m) & (ranges < own.far_m))
            if not (rows.size and columns.size):
                continue
            at = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
            down = _Between.of((times[at[0]] - own.start_s) / own.step_s, own.shape.lines)
            across = _Between.of((ranges[at[1]] - own.near_m) / own.step_m, own.shape.pixels)
            power, valid = _interpolated(source, down, across)
            edge = np.minimum(ranges[at[1]] - own.near_m, own.far_m - ranges[at[1]])
            share = np.maximum(edge / (own.far_m - own.near_m), _LEAST_WEIGHT).astype(np.float32)
            yield _Seen(at, power, valid, share)


def _interpolated(
    source: PixelSource, down: _Between, across: _Between
) -> tuple[Plane, npt.NDArray[np.bool_]]:
    """Power between the cells that are valid, and whether the cell that it lies in is."""
    top, left = int(down.before[0]), int(across.before[0])
    bottom = min(int(down.before[-1]) + 2, source.shape.lines)
    right = min(int(across.before[-1]) + 2, source.shape.pixels)
    cells = source.power(Window(top, left, bottom - top, right - left))
    valid = np.isfinite(cells)
    there = np.asarray(valid[down.inside - top][:, across.inside - left])
    if not valid.all():
        cells[~valid] = 0.0
        weight = _linear(valid.astype(np.float32), down, across, top, left)
        with np.errstate(invalid="ignore", divide="ignore"):
            return _linear(cells, down, across, top, left) / weight, there
    return _linear(cells, down, across, top, left), there


def _linear(cells: Plane, down: _Between, across: _Between, top: int, left: int) -> Plane:
    """Interpolate along the lines, then along the pixels."""
    row, column = down.before - top, across.before - left
    next_row = np.minimum(row + 1, len(cells) - 1)
    next_column = np.minimum(column + 1, cells.shape[1] - 1)
    lines = cells[row] * (1 - down.share)[:, np.newaxis]
    lines += cells[next_row] * down.share[:, np.newaxis]
    result: Plane = lines[:, column] * (1 - across.share)
    result += lines[:, next_column] * across.share
    return result

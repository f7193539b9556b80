"""Regions of the ground: whether points of its plane lie in a disc or a polygon."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Inside: TypeAlias = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.bool_]]
Corner: TypeAlias = tuple[float, float]

_MANY: Final = 16
"""Corners from which on a chart of the polygon is worth its while."""
_CELLS: Final = 768
"""Of the chart, each way."""
_IN: Final = 1
_SHORE: Final = 2


class _Side(NamedTuple):
    x0: float
    y0: float
    x1: float
    y1: float


def disc(x: float, y: float, radius: float) -> Inside:
    """Give the test for a disc (centre and radius, m)."""

    def inside(x_m: NDArray[np.float32], y_m: NDArray[np.float32]) -> NDArray[np.bool_]:
        return np.asarray((x_m - x) ** 2 + (y_m - y) ** 2 <= radius**2)

    return inside


@lru_cache(maxsize=32)
def polygon(corners: tuple[Corner, ...]) -> Inside:
    """Give the test for a polygon: the even-odd rule, a ray to the east crosses how many sides.

    Parameters
    ----------
    corners
        x and y, m. A ring within the ring is a hole.
    """
    ring = [*corners, corners[0]]
    sides = [_Side(*a, *b) for a, b in pairwise(ring) if a[1] != b[1]]
    if len(sides) < _MANY:
        return lambda x_m, y_m: _crossed(sides, x_m, y_m)
    return _Chart(sides).inside


def _crossed(
    sides: list[_Side], x_m: NDArray[np.float32], y_m: NDArray[np.float32]
) -> NDArray[np.bool_]:
    out = np.zeros(np.broadcast(x_m, y_m).shape, dtype=np.bool_)
    if not out.size:
        return out
    west, south, north = x_m.min(), y_m.min(), y_m.max()
    for side in sides:
        low, high = min(side.y0, side.y1), max(side.y0, side.y1)
        # Sides above, below and to the left of all points are crossed by no ray.
        if low > north or high <= south or max(side.x0, side.x1) <= west:
            continue
        slope = (side.x1 - side.x0) / (side.y1 - side.y0)
        out ^= (y_m >= low) & (y_m < high) & (x_m < side.x0 + (y_m - side.y0) * slope)
    return out


class _Chart:
    """A polygon in cells: most points lie in cells that no side comes near."""

    def __init__(self, sides: list[_Side]) -> None:
        self._sides = sides
        xs = [x for side in sides for x in (side.x0, side.x1)]
        ys = [y for side in sides for y in (side.y0, side.y1)]
        self._west, self._south = min(xs), min(ys)
        self._step_x = max((max(xs) - self._west) / _CELLS, 1e-3)
        self._step_y = max((max(ys) - self._south) / _CELLS, 1e-3)
        # A margin of two cells all around, in which whatever lies beyond is put.
        self._cells = self._filled()
        for side in sides:
            self._mark(side)

    def _filled(self) -> NDArray[np.uint8]:
        """Give the cells by their middles: those to the left of each crossing change sides."""
        middles = np.arange(_CELLS + 4) - 1.5
        x, y = self._west + self._step_x * middles, self._south + self._step_y * middles
        changes = np.zeros((_CELLS + 4, _CELLS + 5), dtype=np.uint8)
        for side in self._sides:
            low, high = np.searchsorted(y, sorted((side.y0, side.y1)))
            slope = (side.x1 - side.x0) / (side.y1 - side.y0)
            columns = np.searchsorted(x, side.x0 + (y[low:high] - side.y0) * slope)
            changes[np.arange(low, high), columns] ^= 1
        after = np.bitwise_xor.accumulate(changes[:, ::-1], axis=1)[:, ::-1]
        return np.ascontiguousarray(after[:, 1:])

    def _mark(self, side: _Side) -> None:
        """Mark the cells along a side, and their neighbours."""
        # Two points to a cell: none is passed by.
        count = 2 + 2 * int(
            max(abs(side.x1 - side.x0) / self._step_x, abs(side.y1 - side.y0) / self._step_y)
        )
        part = np.linspace(0.0, 1.0, count)
        column = self._column(side.x0 + part * (side.x1 - side.x0))
        row = self._row(side.y0 + part * (side.y1 - side.y0))
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                self._cells[row + down, column + across] = _SHORE

    def _column(self, x: NDArray[np.floating]) -> NDArray[np.intp]:
        return _cell((x - self._west) / self._step_x)

    def _row(self, y: NDArray[np.floating]) -> NDArray[np.intp]:
        return _cell((y - self._south) / self._step_y)

    def inside(self, x_m: NDArray[np.float32], y_m: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Say of each point whether it lies in the polygon."""
        x, y = np.broadcast_arrays(x_m, y_m)
        found = self._cells[self._row(y), self._column(x)]
        out: NDArray[np.bool_] = found == _IN
        close = found == _SHORE
        if close.any():
            out[close] = _crossed(self._sides, x[close], y[close])
        return out


def _cell(place: NDArray[np.floating]) -> NDArray[np.intp]:
    """Give the number of a row or column; the margin's outer one for all that is beyond."""
    number: NDArray[np.intp] = np.clip(np.floor(place) + 2, 0, _CELLS + 3).astype(np.intp)
    return number

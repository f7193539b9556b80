"""Smooth functions of the image position, computed exactly at nodes and bilinear between.

Nodes lie some 60 lines and pixels apart: over that distance positions on the ground bend by less
than a fiftieth of a pixel in any mode.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alos2.geometry.orbit import Floats
from alos2.types import RasterShape

SPACING_PX: Final = 60.0

Function = Callable[[Floats, Floats], Sequence[Floats]]
"""Lines and pixels (arrays of one shape) to some values of that shape."""


class NodeGrid:
    """Some functions of (line, pixel) over an image.

    Parameters
    ----------
    shape : RasterShape
        Of the image.
    function : callable
        The exact functions, evaluated at the nodes only.
    """

    def __init__(self, shape: RasterShape, function: Function) -> None:
        self.shape = shape
        self._rows = _positions(shape.lines)
        columns = _positions(shape.pixels)
        line, pixel = np.meshgrid(self._rows, columns, indexing="ij")
        self._values = np.stack([np.asarray(v, dtype=np.float64) for v in function(line, pixel)])
        step = columns[1]
        where = np.arange(shape.pixels) / step
        self._left = np.minimum(where.astype(np.intp), columns.size - 2)
        self._weight = (where - self._left).astype(np.float32)

    def strip(self, first_line: int, lines: int) -> NDArray[np.float32]:
        """Interpolate over some whole lines, shape (functions, lines, pixels)."""
        where = np.arange(first_line, first_line + lines) / self._rows[1]
        upper = np.minimum(where.astype(np.intp), self._rows.size - 2)
        weight = (where - upper)[:, np.newaxis]
        rows = self._values[:, upper] * (1.0 - weight) + self._values[:, upper + 1] * weight
        rows32 = rows.astype(np.float32)
        out: NDArray[np.float32] = np.take(np.diff(rows32, axis=2), self._left, axis=2)
        out *= self._weight
        out += np.take(rows32, self._left, axis=2)
        return out


def _positions(count: int) -> Floats:
    """Positions of the nodes along one axis, the first 0 and the last the last pixel."""
    return np.linspace(0.0, count - 1.0, max(2, math.ceil((count - 1) / SPACING_PX) + 1))

"""The small picture of a product: averages of 16 x 16 pixels, for TRL and BRS.

Sums are taken line by line in one order, so that strips of any height give the same numbers.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from alos2.simulate.pixels import LARGEST_NUMBER
from alos2.types import RasterShape

FACTOR: Final = 16
"""Lines and pixels of a cell; those that fill no whole cell are left out, as in JAXA's."""


class QuickLook:
    """Mean power of cells, gathered while strips go by.

    Parameters
    ----------
    shape : RasterShape
        Of the full image.
    """

    def __init__(self, shape: RasterShape) -> None:
        self.shape = RasterShape(shape.lines // FACTOR, shape.pixels // FACTOR)
        self._sums = np.zeros(self.shape, dtype=np.float64)

    def add(self, first_line: int, power: NDArray[np.float32]) -> None:
        """Add a strip of squares of digital numbers."""
        lines, pixels = self.shape
        cells = power[:, : pixels * FACTOR].reshape(power.shape[0], pixels, FACTOR)
        rows = cells.sum(axis=2, dtype=np.float64)
        where = np.arange(first_line, first_line + power.shape[0]) // FACTOR
        whole = where < lines
        np.add.at(self._sums, where[whole], rows[whole])

    def numbers(self) -> NDArray[np.uint16]:
        """Root mean square of the digital numbers, cut off at 65535."""
        means = np.sqrt(self._sums / FACTOR**2)
        return np.minimum(np.rint(means), LARGEST_NUMBER).astype(np.uint16)

    def grey(self) -> NDArray[np.uint8]:
        """Picture of 8 bits: dB from the 2nd to the 98th percentile; 0 where there are no data."""
        numbers = self.numbers()
        data = numbers > 0
        out = np.zeros(numbers.shape, dtype=np.uint8)
        if data.any():
            level = 20.0 * np.log10(numbers[data].astype(np.float64))
            low, high = np.percentile(level, [2.0, 98.0])
            out[data] = np.clip(1.0 + 254.0 * (level - low) / max(high - low, 1.0), 1, 255)
        return out

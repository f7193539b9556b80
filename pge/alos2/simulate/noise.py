"""Speckle that depends on the line alone and not on how an image is cut into strips.

Every line has its own counter range of a Philox generator (Salmon et al., "Parallel random
numbers: as easy as 1, 2, 3", SC 2011), keyed by seed and image; so strips of any height give the
same numbers.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray


class LineNoise:
    """Random numbers of one image, line by line.

    Parameters
    ----------
    seed : int
        Of the product.
    name : str
        Of the image: other images have other numbers.
    """

    def __init__(self, seed: int, name: str) -> None:
        sequence = np.random.SeedSequence([seed, zlib.crc32(name.encode("ascii"))])
        self._key = sequence.generate_state(2, np.uint64)

    def _generator(self, line: int) -> np.random.Generator:
        counter = np.array([0, 0, line, 0], dtype=np.uint64)
        return np.random.Generator(np.random.Philox(key=self._key, counter=counter))

    def circular(self, first_line: int, lines: int, pixels: int) -> NDArray[np.complex64]:
        """Circular Gaussian numbers of unit mean power, shape (lines, pixels)."""
        out = np.empty((lines, 2 * pixels), dtype=np.float32)
        for row in range(lines):
            self._generator(first_line + row).standard_normal(dtype=np.float32, out=out[row])
        out *= np.float32(np.sqrt(0.5))
        return out.view(np.complex64)

    def multilook(
        self, first_line: int, lines: int, pixels: int, looks: float
    ) -> NDArray[np.float32]:
        """Intensity speckle of unit mean (gamma distributed), shape (lines, pixels)."""
        out = np.empty((lines, pixels), dtype=np.float32)
        for row in range(lines):
            generator = self._generator(first_line + row)
            generator.standard_gamma(looks, dtype=np.float32, out=out[row])
        out /= np.float32(looks)
        return out

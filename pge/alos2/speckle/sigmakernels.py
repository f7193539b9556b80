"""Lee sigma: statistics of those pixels of a window that lie within the speckle's usual range.

Importing this module compiles nothing and loads numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from alos2.raster.jit import exact_kernel


@exact_kernel
def lee_sigma(
    padded: Any, margin: Any, radius: Any, guess: Any, bounds: Any, kept: Any, out: Any
) -> None:
    """Fill the improved Lee sigma filter's estimate.

    Parameters
    ----------
    padded
        Power with a margin of NaN.
    guess
        First guess of the mean of each pixel.
    bounds
        Of the range, as multiples of the guess: low, high; and the squared coefficient of
        variation of the speckle that is within. Shape (3,).
    kept
        Pixels of strong targets, which stay as they are, shape of `out`.
    """
    lines, pixels = out.shape
    size = 2 * radius + 1
    first = margin - radius
    speckle = bounds[2]
    for i in range(lines):
        for j in range(pixels):
            centre = padded[i + margin, j + margin]
            if kept[i, j] or np.isnan(centre):
                out[i, j] = centre
                continue
            expected = np.float64(guess[i, j])
            low, high = bounds[0] * expected, bounds[1] * expected
            count, total, square = 0.0, 0.0, 0.0
            for k in range(size):
                row = padded[i + first + k]
                for m in range(size):
                    value = np.float64(row[j + first + m])
                    if low <= value <= high:  # never NaN
                        count += 1.0
                        total += value
                        square += value * value
            if count == 0.0:
                out[i, j] = expected
                continue
            mean = total / count
            variance = max(square / count - mean * mean, 0.0)
            noise = speckle * mean * mean
            share = 0.0
            if variance > noise:
                share = (variance - noise) / (variance * (1.0 + speckle))
            out[i, j] = mean + share * (np.float64(centre) - mean)

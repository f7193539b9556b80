"""Refined Lee: statistics of the half window that lies on the pixel's own side of an edge.

Importing this module compiles nothing and loads numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from alos2.raster.jit import exact_kernel


@exact_kernel
def refined_lee(  # noqa: C901
    padded: Any, small: Any, starts: Any, lengths: Any, speckle: Any, out: Any
) -> None:
    """Fill the refined Lee filter's estimate.

    Parameters
    ----------
    padded
        Power with a margin of 3 of NaN.
    small
        Means of the 3 x 3 windows around each pixel of the image and of 2 more on every side; NaN
        where there is none.
    starts, lengths
        In each line of the 7 x 7 window, the first pixel and the number of pixels of half windows:
        shape (9, 7). Left, right; upper, lower; upper right, lower left; upper left, lower right;
        and the whole.
    speckle
        Squared coefficient of variation of the speckle, 1 / looks.
    """
    lines, pixels = out.shape
    for i in range(lines):
        for j in range(pixels):
            centre = padded[i + 3, j + 3]
            if np.isnan(centre):
                out[i, j] = np.nan
                continue
            # Means of 3 x 3 windows two pixels apart: a b c / d e f / g h k.
            a, b, c = small[i, j], small[i, j + 2], small[i, j + 4]
            d, e, f = small[i + 2, j], small[i + 2, j + 2], small[i + 2, j + 4]
            g, h, k = small[i + 4, j], small[i + 4, j + 2], small[i + 4, j + 4]
            upright = abs((c + f + k) - (a + d + g))
            level = abs((g + h + k) - (a + b + c))
            falling = abs((b + c + f) - (d + g + h))
            rising = abs((a + b + d) - (f + h + k))
            steepest = max(upright, level, falling, rising)
            if not upright + level + falling + rising < np.inf:
                half = 8  # a hole beside: nothing is known of edges
            elif upright == steepest:
                half = 0 if abs(d - e) <= abs(f - e) else 1
            elif level == steepest:
                half = 2 if abs(b - e) <= abs(h - e) else 3
            elif falling == steepest:
                half = 4 if abs(c - e) <= abs(g - e) else 5
            else:
                half = 6 if abs(a - e) <= abs(k - e) else 7
            count, total, square = 0.0, 0.0, 0.0
            for m in range(7):
                row = padded[i + m]
                first = j + starts[half, m]
                for n in range(first, first + lengths[half, m]):
                    value = np.float64(row[n])
                    if not np.isnan(value):
                        count += 1.0
                        total += value
                        square += value * value
            mean = total / count
            variance = max(square / count - mean * mean, 0.0)
            noise = speckle * mean * mean
            share = 0.0
            if variance > noise:
                share = (variance - noise) / (variance * (1.0 + speckle))
            out[i, j] = mean + share * (np.float64(centre) - mean)

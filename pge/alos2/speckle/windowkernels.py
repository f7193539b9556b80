"""Statistics of the window around each pixel, the median, and Frost's weights.

All take an image with a margin of NaN (at least the radius wide) and fill arrays of the image
without it. Sums are in float64 and in one order: lines from above, then pixels from the left.

Importing this module compiles nothing and loads numba.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from alos2.raster.jit import exact_kernel


@exact_kernel
def window_statistics(padded: Any, margin: Any, radius: Any, mean: Any, variation: Any) -> None:
    """Fill mean and squared coefficient of variation of the valid pixels of square windows.

    The variance is that of the population (divided by n). NaN where no pixel is valid; a mean of 0
    has no variation.
    """
    lines, pixels = mean.shape
    width = pixels + 2 * radius
    first = margin - radius
    count_down = np.empty(width, np.float64)
    sum_down = np.empty(width, np.float64)
    square_down = np.empty(width, np.float64)
    count = np.empty(pixels, np.float64)
    total = np.empty(pixels, np.float64)
    square = np.empty(pixels, np.float64)
    for i in range(lines):
        count_down[:] = 0.0
        sum_down[:] = 0.0
        square_down[:] = 0.0
        for k in range(2 * radius + 1):
            row = padded[i + first + k]
            for j in range(width):
                sample = row[first + j]
                value = 0.0 if np.isnan(sample) else np.float64(sample)
                count_down[j] += 0.0 if np.isnan(sample) else 1.0
                sum_down[j] += value
                square_down[j] += value * value
        count[:] = 0.0
        total[:] = 0.0
        square[:] = 0.0
        for k in range(2 * radius + 1):
            for j in range(pixels):
                count[j] += count_down[j + k]
                total[j] += sum_down[j + k]
                square[j] += square_down[j + k]
        for j in range(pixels):
            middle = total[j] / count[j]
            mean[i, j] = middle
            spread = max(square[j] / count[j] - middle * middle, 0.0)
            variation[i, j] = spread / (middle * middle) if middle > 0.0 else 0.0


@exact_kernel
def median(padded: Any, radius: Any, out: Any) -> None:  # noqa: C901, PLR0912
    """Fill the median of the valid pixels of square windows; of an even number, between two.

    NaN where the pixel itself is none. The margin is `radius` wide.
    """
    lines, pixels = out.shape
    size = 2 * radius + 1
    values = np.empty(size * size, np.float32)
    for i in range(lines):
        for j in range(pixels):
            if np.isnan(padded[i + radius, j + radius]):
                out[i, j] = np.nan
                continue
            n = 0
            for k in range(size):
                for m in range(size):
                    value = padded[i + k, j + m]
                    if not np.isnan(value):
                        values[n] = value
                        n += 1
            # Hoare's selection of the upper middle; all below it lie before it afterwards.
            wanted, low, high = n // 2, 0, n - 1
            while low < high:
                pivot = values[(low + high) // 2]
                a, b = low, high
                while a <= b:
                    while values[a] < pivot:
                        a += 1
                    while values[b] > pivot:
                        b -= 1
                    if a <= b:
                        values[a], values[b] = values[b], values[a]
                        a += 1
                        b -= 1
                if wanted <= b:
                    high = b
                elif wanted >= a:
                    low = a
                else:
                    low = high
            middle = np.float64(values[wanted])
            if n % 2 == 0:
                below = values[0]
                for k in range(1, wanted):
                    below = max(below, values[k])
                middle = 0.5 * (middle + np.float64(below))
            out[i, j] = middle


@exact_kernel
def frost(
    padded: Any, radius: Any, ring_of: Any, distances: Any, damping: Any, variation: Any, out: Any
) -> None:
    """Fill means weighted by exp(-damping * variation * distance).

    Parameters
    ----------
    ring_of
        Number of the distance of each pixel of the window, shape (size, size).
    distances
        Distances from the centre, pixels, shape (rings,).
    variation
        Squared coefficient of variation of each window.
    """
    lines, pixels = out.shape
    size = 2 * radius + 1
    weights = np.empty(distances.size, np.float64)
    for i in range(lines):
        for j in range(pixels):
            centre = padded[i + radius, j + radius]
            if np.isnan(centre):
                out[i, j] = np.nan
                continue
            fall = -damping * np.float64(variation[i, j])
            for ring in range(distances.size):
                weights[ring] = math.exp(fall * distances[ring])
            total, weight = 0.0, 0.0
            for k in range(size):
                for m in range(size):
                    value = padded[i + k, j + m]
                    if not np.isnan(value):
                        share = weights[ring_of[k, m]]
                        total += share * np.float64(value)
                        weight += share
            out[i, j] = total / weight

"""Power becomes parents' power, and grey: the end of a tile before it is packed.

Power is as in `loadkernels`: float32, 0 where there is no data. Grey 0 is no data too; what is
valid has 1 to 255, however dark.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from alos2.raster.jit import kernel

_MANTISSA_BITS: Final = 23
_MANTISSA: Final = np.int32((1 << _MANTISSA_BITS) - 1)
_EXPONENT_BIAS: Final = 127
# log2 on [1, 2] by Chebyshev interpolation: wrong by 1e-4 at most, 0.0003 dB.
_C0: Final = np.float32(-2.50561466198)
_C1: Final = np.float32(4.04961689259)
_C2: Final = np.float32(-2.09940228119)
_C3: Final = np.float32(0.63551111652)
_C4: Final = np.float32(-0.08001087691)


@kernel
def halve(tile: Any, parent: Any, down: int, across: int) -> None:
    """Average 2 x 2 pixels in power, the mean of those that are valid, into a tile above.

    A pixel is valid where any of its four is: so a scene that is smaller than a pixel of the whole
    world's tile is still seen there.

    Parameters
    ----------
    tile : float32 (n, n)
    parent : float32 (n, n)
        A quarter of it is written.
    down, across
        First row and column of that quarter.
    """
    half = tile.shape[0] // 2
    for j in range(half):
        upper, lower = tile[2 * j], tile[2 * j + 1]
        out = parent[down + j][across : across + half]
        for i in range(half):
            a, b, c, d = upper[2 * i], upper[2 * i + 1], lower[2 * i], lower[2 * i + 1]
            count = np.float32(a > 0) + np.float32(b > 0) + np.float32(c > 0) + np.float32(d > 0)
            out[i] = (a + b + c + d) / max(count, np.float32(1))


@kernel
def sliding_means(power: Any, lines: int, pixels: int) -> None:
    """Average each pixel with its next ones, in place: the mean power of those that are valid.

    What was the pixel at (j, i) becomes the mean over (j, i) to (j + lines - 1, i + pixels - 1),
    whose centre lies half a pixel farther for each neighbour. Nothing is thinned out: what is
    interpolated between these means is an average around the very place that is asked for.

    Parameters
    ----------
    power : float32 (n, m)
        0 where there is no data; beyond it there is none either.
    lines, pixels
        1 or 2.
    """
    rows, columns = power.shape
    nothing = np.zeros(columns + 1, np.float32)
    upper, lower = np.zeros(columns + 1, np.float32), np.zeros(columns + 1, np.float32)
    wide = np.float32(pixels - 1)
    for j in range(rows):
        upper[:columns] = power[j]
        lower[:columns] = power[j + 1] if lines > 1 and j + 1 < rows else nothing[:columns]
        row = power[j]
        for i in range(columns):
            a, b, c, d = upper[i], wide * upper[i + 1], lower[i], wide * lower[i + 1]
            count = np.float32(a > 0) + np.float32(b > 0) + np.float32(c > 0) + np.float32(d > 0)
            row[i] = (a + b + c + d) / max(count, np.float32(1))


@kernel
def clean(power: Any) -> Any:
    """Replace NaN by 0 in `power`, float32 (n, m); tells whether anything is valid."""
    best = np.float32(0)
    for j in range(power.shape[0]):
        row = power[j]
        for i in range(row.size):
            value = row[i] if row[i] > 0 else np.float32(0)
            row[i] = value
            best = max(best, value)
    return best > 0


@kernel
def shade(power: Any, bits: Any, slope: np.float32, intercept: np.float32, grey: Any) -> None:
    """Turn power into grey: slope * log2(power) + intercept, cut to 1..255; 0 stays 0.

    The logarithm is taken from the number itself: p = 2^e * m, with the exponent e in its bits and
    log2(m) by a polynomial for m from 1 to 2.

    Parameters
    ----------
    power : float32 (n, m)
    bits : int32 (n, m)
        The same memory.
    slope, intercept
        Of the stretch, see `stretch.line_of`; the intercept holds the half that rounds.
    grey : uint8 (n, m + k)
        Its last m columns are written.
    """
    one, most = np.float32(1), np.float32(255)
    first = grey.shape[1] - power.shape[1]
    for j in range(grey.shape[0]):
        line, word, out = power[j], bits[j], grey[j][first:]
        for i in range(line.size):
            exponent = np.float32((word[i] >> _MANTISSA_BITS) - _EXPONENT_BIAS)
            # Dividing by 2^e is exact: the mantissa alone, with an exponent of 0.
            m = one + np.float32(word[i] & _MANTISSA) * np.float32(2.0**-_MANTISSA_BITS)
            log2 = exponent + (_C0 + m * (_C1 + m * (_C2 + m * (_C3 + m * _C4))))
            level = min(max(slope * log2 + intercept, one), most)
            out[i] = np.uint8(np.int32(level)) if line[i] > 0 else np.uint8(0)


@kernel
def divide(power: Any, over: Any, ratio: Any) -> None:
    """Divide power by power, float32 (n, m); 0 where either is not valid."""
    for j in range(ratio.shape[0]):
        upper, lower, out = power[j], over[j], ratio[j]
        for i in range(out.size):
            # What is valid is positive, however small: the quotient of two stays finite.
            valid = upper[i] > 0 and lower[i] > 0
            out[i] = upper[i] / lower[i] if valid else np.float32(0)


@kernel
def interleave(red: Any, green: Any, blue: Any, rows: Any) -> Any:
    """Put three channels into the rows of a colour picture; black where any is not valid.

    Parameters
    ----------
    red, green, blue : uint8 (n, m)
    rows : uint8 (n, 3 * m + k)
        Its last 3 m columns are written.

    Returns
    -------
    bool
        Whether any pixel is valid.
    """
    drawn = False
    first = rows.shape[1] - 3 * red.shape[1]
    for j in range(rows.shape[0]):
        r, g, b, out = red[j], green[j], blue[j], rows[j][first:]
        for i in range(r.size):
            valid = r[i] > 0 and g[i] > 0 and b[i] > 0
            out[3 * i] = r[i] if valid else np.uint8(0)
            out[3 * i + 1] = g[i] if valid else np.uint8(0)
            out[3 * i + 2] = b[i] if valid else np.uint8(0)
            drawn |= valid
    return drawn

"""Means of the power of complex samples over cells, as fast as memory gives them.

A sample is taken as one number, as it lies in a file (see `samplekernels`). A cell's
lines are added up piece by piece, so that the sums stay in the fastest cache; single samples are
looked at only in pieces that hold zeros (no data), and in cells that come out as no number.

Importing this module compiles nothing and loads numba.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from alos2.raster.cells import EXPONENT, LEAST, SHIFT
from alos2.raster.jit import kernel
from alos2.raster.samplekernels import bits_of, one_part, other_part

_DARK_BUT_VALID: Final = LEAST
_LEAST_BITS: Final = np.uint32(EXPONENT << 23)
_SHIFT: Final = np.uint32(SHIFT)
_HALF: Final = np.uint32(1 << (SHIFT - 1))
_MOST: Final = np.uint32(0xFFFF)
_PIECE: Final = 2048
"""Pixels whose sums are kept in cache while a cell's lines are added."""


@kernel
def _set_power(samples: Any, power: Any) -> Any:
    """Put I^2 + Q^2 of a line into `power`; returns how many samples are zero."""
    zeros = np.int32(0)
    for j in range(power.size):
        sample = samples[j]
        i, q = one_part(sample), other_part(sample)
        power[j] = i * i + q * q
        zeros += np.int32(sample == 0)
    return zeros


@kernel
def _add_power(samples: Any, power: Any) -> Any:
    """Add I^2 + Q^2 of a line to `power`; returns how many samples are zero."""
    zeros = np.int32(0)
    for j in range(power.size):
        sample = samples[j]
        i, q = one_part(sample), other_part(sample)
        power[j] += i * i + q * q
        zeros += np.int32(sample == 0)
    return zeros


@kernel
def _add_two(samples: Any, others: Any, power: Any) -> Any:
    """Add I^2 + Q^2 of two lines to `power`; returns how many samples are zero."""
    zeros = np.int32(0)
    for j in range(power.size):
        sample, other = samples[j], others[j]
        i, q = one_part(sample), other_part(sample)
        k, r = one_part(other), other_part(other)
        power[j] += (i * i + q * q) + (k * k + r * r)
        zeros += np.int32(sample == 0) + np.int32(other == 0)
    return zeros


@kernel
def _count_zeros(samples: Any, missing: Any) -> None:
    for j in range(samples.size):
        missing[j] += np.int32(samples[j] == 0)


@kernel
def _add_lines(samples: Any, top: Any, stride: Any, lines: Any, power: Any, missing: Any) -> bool:
    """Add up the lines of a row of cells, pixel by pixel; returns whether any sample is zero."""
    any_missing = False
    for first in range(0, power.size, _PIECE):
        last = min(first + _PIECE, power.size)
        sums = power[first:last]
        zeros = _set_power(samples[top + first : top + last], sums)
        line = 1
        while line < lines:
            base = top + line * stride
            piece = samples[base + first : base + last]
            if line + 1 < lines:
                below = base + stride
                zeros += _add_two(piece, samples[below + first : below + last], sums)
                line += 2
            else:
                zeros += _add_power(piece, sums)
                line += 1
        if zeros > 0:
            if not any_missing:
                missing[:] = 0
                any_missing = True
            for line in range(lines):
                base = top + line * stride
                _count_zeros(samples[base + first : base + last], missing[first:last])
    return any_missing


@kernel
def _fold(power: Any, gains: Any, each: Any, scale: Any, out: Any) -> None:
    """Add up the pixels of whole cells. A loop for each usual size lets them be vectors."""
    p, g = power, gains
    cells = out.size
    if each == 1:
        for c in range(cells):
            out[c] = p[c] * g[c] * scale
    elif each == 2:
        for c in range(cells):
            out[c] = (p[2 * c] * g[2 * c] + p[2 * c + 1] * g[2 * c + 1]) * scale
    else:
        for c in range(cells):
            total = np.float32(0.0)
            for k in range(c * each, (c + 1) * each):
                total += p[k] * g[k]
            out[c] = total * scale


@kernel
def _fold_counting(power: Any, gains: Any, missing: Any, lines: Any, each: Any, out: Any) -> None:
    """Means of cells of which some samples are missing, or some pixels (the last cell)."""
    for c in range(out.size):
        total, count = np.float32(0.0), 0
        for k in range(c * each, min(power.size, (c + 1) * each)):
            total += power[k] * gains[k]
            count += lines - missing[k]
        out[c] = total / np.float32(count) if count else np.float32(np.nan)


@kernel
def _strange(out: Any) -> Any:
    """Count cells that are no number, and lift those that are dark."""
    found = np.int32(0)
    for c in range(out.size):
        value = out[c]
        found += np.int32(not (value < np.float32(np.inf)))
        out[c] = _DARK_BUT_VALID if value < _DARK_BUT_VALID else value
    return found


@kernel
def _shorten(power: Any, out: Any) -> None:
    """Round to the short numbers of `cells`; no number becomes 0."""
    for c in range(power.size):
        bits = bits_of(power[c]) - _LEAST_BITS + _HALF
        out[c] = np.uint16(min(bits >> _SHIFT, _MOST)) if power[c] > 0 else np.uint16(0)


@kernel
def _careful_mean(samples: Any, start: Any, stride: Any, lines: Any, gains: Any) -> Any:
    """Mean of a cell's samples that are numbers and not zero; NaN if there is none."""
    total, count = 0.0, 0
    for line in range(lines):
        for k in range(gains.size):
            sample = samples[start + line * stride + k]
            i, q = np.float64(one_part(sample)), np.float64(other_part(sample))
            power = i * i + q * q
            if 0.0 < power < np.inf:
                total += power * gains[k]
                count += 1
    return np.float32(total / count) if count else np.float32(np.nan)


@kernel
def look_block(
    samples: Any,
    start: Any,
    stride: Any,
    lines: Any,
    cell_lines: Any,
    each: Any,
    gains: Any,
    power: Any,
    missing: Any,
    cells: Any,
    out: Any,
) -> None:
    """Average a block of whole lines over cells; the last row of cells may have fewer lines.

    Parameters
    ----------
    samples : ndarray, flat, uint64, int64 or uint32
        One number a sample, with whatever lies between the lines.
    start, stride : int
        Index of the first sample, and from line to line.
    lines, cell_lines : int
        Lines in the block, and of a cell.
    each : int
        Pixels of a cell; the last may have fewer.
    gains : ndarray, shape (pixels,), float32
        Sigma nought of a sample whose ``I^2 + Q^2`` is 1.
    power, missing, cells : ndarray, shapes (pixels,), (pixels,), (ceil(pixels / each),)
        float32, int32 and float32: room to work in.
    out : ndarray, shape (ceil(lines / cell_lines), ceil(pixels / each)), uint16
        Gets the mean sigma nought of the valid samples of each cell; NaN where there is none.
        A sample is valid that is not zero, and a number. As short numbers (see `cells`).
    """
    pixels = gains.size
    whole = pixels // each
    for row in range(out.shape[0]):
        top = start + row * cell_lines * stride
        here = min(cell_lines, lines - row * cell_lines)
        any_missing = _add_lines(samples, top, stride, here, power, missing)
        if any_missing:
            _fold_counting(power, gains, missing, here, each, cells)
        else:
            _fold(power, gains, each, np.float32(1.0 / (here * each)), cells[:whole])
            first = whole * each
            missing[first:] = 0
            _fold_counting(power[first:], gains[first:], missing[first:], here, each, cells[whole:])
        if _strange(cells) > 0:
            for c in range(cells.size):
                if not (cells[c] < np.float32(np.inf)):
                    first, last = c * each, min(pixels, (c + 1) * each)
                    if any_missing and missing[first:last].sum() == here * (last - first):
                        continue  # nothing there: most of the cells that are no number
                    cells[c] = _careful_mean(samples, top + first, stride, here, gains[first:last])
        _shorten(cells, out[row])

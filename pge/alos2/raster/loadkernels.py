"""Digital numbers as they lie in a mapped file become cells of calibrated power.

Power is linear sigma nought, float32; 0 means no data: what is valid is at least `TINY`, so that
masks need no arrays of their own. Equations: `alos2.radiometry` (sigma0 = (DN^2 + B) / A; a
calibration factor is a gain 1 / A of 10^(CF / 10) with B = 0).

Importing this module loads numba; a kernel is compiled when it is first called (see `jit`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from alos2.raster.jit import kernel

TINY: Final = np.float32(1e-20)
"""A dark but valid pixel has at least this power (-200 dB): a LUT's offset may be negative."""


@kernel
def load_line(words: Any, swapped: bool, gains: Any, offset: np.float32, power: Any) -> Any:
    """Calibrate a run of digital numbers: power = (DN^2 + offset) * gain, and 0 where DN is 0.

    Parameters
    ----------
    words : uint16 (n,)
        As they lie in the file.
    swapped
        Whether their bytes are in the other order than the machine's.
    gains : float32 (n,)
        Of each column.
    power : float32 (n,)
        Written.

    Returns
    -------
    int
        How many are valid.
    """
    valid = np.int64(0)
    for i in range(power.size):
        word = words[i]
        number = np.uint16((word >> 8) | (word << 8)) if swapped else word
        amplitude = np.float32(number)
        value = max((amplitude * amplitude + offset) * gains[i], TINY)
        power[i] = value if number != 0 else np.float32(0)
        valid += number != 0
    return valid


@kernel
def _load_cells(
    words: Any,
    swapped: bool,
    gains: Any,
    offset: np.float32,
    cell: int,
    power: Any,
    count: Any,
) -> None:
    """Add one line, calibrated as by `load_line`, to a row of cells, `cell` pixels wide each."""
    for c in range(power.size):
        total, valid = np.float32(0), np.float32(0)
        for i in range(c * cell, min((c + 1) * cell, words.size)):
            word = words[i]
            number = np.uint16((word >> 8) | (word << 8)) if swapped else word
            amplitude = np.float32(number)
            value = max((amplitude * amplitude + offset) * gains[i], TINY)
            total += value if number != 0 else np.float32(0)
            valid += np.float32(number != 0)
        power[c] += total
        count[c] += valid


@kernel
def load_patch(
    words: Any,
    starts: Any,
    swapped: bool,
    gains: Any,
    offset: np.float32,
    cell_lines: int,
    cell_pixels: int,
    top: int,
    left: int,
    rows: int,
    columns: int,
    patch: Any,
) -> Any:
    """Load a window of cells, calibrated: each the mean power of its valid pixels.

    Parameters
    ----------
    words : uint16 (n,)
        The file.
    starts : int64 (lines,)
        Index of each line's first pixel in `words`.
    swapped, gains, offset
        See `load_line`; `gains` of all columns of the image.
    cell_lines, cell_pixels
        Pixels of a cell; cells are counted from the image's first line and pixel.
    top, left, rows, columns
        The window, in cells; what is outside of the image is no data.
    patch : float32 (rows * columns or more,)
        Written, row after row.

    Returns
    -------
    int
        How many cells are valid.
    """
    lines, pixels = starts.size, gains.size
    begin = min(max(0, -left), columns)
    end = max(begin, min(columns, -(-pixels // cell_pixels) - left))
    first, last = (left + begin) * cell_pixels, min((left + end) * cell_pixels, pixels)
    width = max(0, last - first)
    count = np.empty(end - begin if cell_lines * cell_pixels > 1 else 0, np.float32)
    valid = np.int64(0)
    for r in range(rows):
        row = patch[r * columns : (r + 1) * columns]
        row[:begin] = 0
        row[end:] = 0
        within = row[begin:end]
        line = (top + r) * cell_lines
        if line < 0 or line >= lines or width == 0:
            within[:] = 0
        elif cell_lines * cell_pixels == 1:
            at = starts[line] + first
            valid += load_line(words[at : at + width], swapped, gains[first:last], offset, within)
        else:
            within[:] = 0
            count[:] = 0
            for below in range(line, min(line + cell_lines, lines)):
                at = starts[below] + first
                _load_cells(
                    words[at : at + width],
                    swapped,
                    gains[first:last],
                    offset,
                    cell_pixels,
                    within,
                    count,
                )
            for c in range(within.size):
                within[c] /= max(count[c], np.float32(1))
                valid += count[c] > 0
    return valid

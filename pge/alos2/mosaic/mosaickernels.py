"""Cells, distances, weights and running weighted means of a mosaic, compiled.

Every pixel of a result depends on its own inputs and its own place alone, so that it is the same
wherever blocks are cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from alos2.raster.jit import exact_kernel


@exact_kernel
def average_cells(values: Any, top: int, left: int, size: int, mean: Any, count: Any) -> None:
    """Average the valid pixels of cells.

    Parameters
    ----------
    values : float32 (lines, pixels)
        NaN = no data.
    top, left : int
        Line and pixel of the first value in its cell.
    size : int
        Lines and pixels of a cell.
    mean, count : float32, uint16 (rows, columns)
        Written: mean of the valid pixels (NaN: none), and their number.
    """
    lines, pixels = values.shape
    for row in range(mean.shape[0]):
        first, last = max(0, row * size - top), min(lines, (row + 1) * size - top)
        for column in range(mean.shape[1]):
            begin, end = max(0, column * size - left), min(pixels, (column + 1) * size - left)
            total, known = 0.0, 0
            for line in range(first, last):
                for pixel in range(begin, end):
                    value = values[line, pixel]
                    if not np.isnan(value):
                        total += value
                        known += 1
            mean[row, column] = total / known if known else np.nan
            count[row, column] = known


@exact_kernel
def _distance_along_columns(inside: Any, out: Any) -> None:
    rows, columns = inside.shape
    for column in range(columns):
        away = 0
        for row in range(rows):
            away = away + 1 if inside[row, column] else 0
            out[row, column] = away
        away = 0
        for row in range(rows - 1, -1, -1):
            away = away + 1 if inside[row, column] else 0
            out[row, column] = min(out[row, column], np.float32(away))


@exact_kernel
def distance_to_edge(inside: Any, out: Any) -> None:
    """Distance of each cell's centre to the nearest cell that is not inside; exact.

    Two passes: along the columns, then the lower envelope of the parabolas of each row.
    Felzenszwalb & Huttenlocher, Distance transforms of sampled functions, Theory of Computing 8,
    2012, section 2.1.

    Parameters
    ----------
    inside : bool (rows, columns)
        Its outermost cells are False.
    out : float32 (rows, columns)
        Written; cells. 0 where not inside.
    """
    _distance_along_columns(inside, out)
    columns = inside.shape[1]
    square = np.empty(columns, np.float64)
    vertex = np.empty(columns, np.int64)
    begins = np.empty(columns + 1, np.float64)
    for row in range(inside.shape[0]):
        for column in range(columns):
            square[column] = np.float64(out[row, column]) ** 2
        last = 0
        vertex[0], begins[0], begins[1] = 0, -np.inf, np.inf
        for q in range(1, columns):
            while True:
                v = vertex[last]
                meet = (square[q] + q * q - square[v] - v * v) / (2.0 * (q - v))
                if meet > begins[last]:
                    break
                last -= 1
            last += 1
            vertex[last], begins[last], begins[last + 1] = q, meet, np.inf
        k = 0
        for q in range(columns):
            while begins[k + 1] < q:
                k += 1
            v = vertex[k]
            out[row, q] = np.sqrt(np.float64((q - v) * (q - v)) + square[v])


@exact_kernel
def feather_weights(
    distance: Any, top: int, left: int, size: int, limit: float, least: float, out: Any
) -> None:
    """Interpolate distances between cells to pixels, and make weights of them.

    Parameters
    ----------
    distance : float32 (rows, columns)
        To the edge, of the cells' centres, in cells; 0 outside.
    top, left : int
        Of the first pixel of `out`, counted from the first cell's first pixel; half a cell and
        more from the rim of `distance`.
    size : int
        Lines and pixels of a cell.
    limit, least : float
        Weights are cut to at most and at least that, cells.
    out : float32 (lines, pixels)
        Written. The edge of the data runs half-way between a cell inside and one outside, where
        the interpolated distance is one half: there a weight is nought but for `least`.
    """
    for j in range(out.shape[0]):
        row2 = 2 * (top + j) + 1 - size
        row = row2 // (2 * size)
        p = np.float32(row2 - row * 2 * size) / np.float32(2 * size)
        for i in range(out.shape[1]):
            column2 = 2 * (left + i) + 1 - size
            column = column2 // (2 * size)
            q = np.float32(column2 - column * 2 * size) / np.float32(2 * size)
            a, b = distance[row, column], distance[row, column + 1]
            c, d = distance[row + 1, column], distance[row + 1, column + 1]
            upper, lower = a + q * (b - a), c + q * (d - c)
            weight = upper + p * (lower - upper) - np.float32(0.5)
            out[j, i] = min(max(weight, np.float32(least)), np.float32(limit))


@exact_kernel
def add_weighted(
    values: Any, weights: Any, factor: float, shift: float, mean: Any, total: Any
) -> None:
    """Bring values into running weighted means.

    A pixel of which one raster alone has a value comes out as that value, to the last bit.

    Parameters
    ----------
    values, weights : float32 (lines, pixels)
        Values that are NaN, and those of weight 0 or NaN, count for nothing.
    factor, shift : float
        A value counts as ``factor * value + shift``.
    mean, total : float32 (lines, pixels)
        Changed: the mean so far, and its weight (0: no value yet).
    """
    gain, offset = np.float32(factor), np.float32(shift)
    for j in range(values.shape[0]):
        for i in range(values.shape[1]):
            value, weight = gain * values[j, i] + offset, weights[j, i]
            if np.isnan(value) or not weight > 0:
                continue
            before = total[j, i]
            after = before + weight
            total[j, i] = after
            if before == 0:
                mean[j, i] = value
            else:
                mean[j, i] += (value - mean[j, i]) * (weight / after)

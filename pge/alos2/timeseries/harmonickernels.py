"""Least squares of the yearly cycle of many pixels at once (see `alos2.timeseries.harmonics`).

Importing this module compiles nothing and loads numba.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from alos2.raster.jit import exact_kernel as kernel

PIXELS: Final = 256
LEAST_DATES: Final = 5
AMPLITUDE, PHASE, TREND, MODEL_MEAN, RESIDUALS = range(5)
"""Planes of what is made."""

_NAN: Final = np.float32(np.nan)
_SINGULAR: Final = 1e-7
"""A pivot of the normal equations (their diagonal is at most 1): the remaining dates determine a
function to less than 1/3000 of what all dates do."""


@kernel
def _load(db: Any, low: Any, high: Any, first: Any, known: Any, values: Any, count: Any) -> bool:
    """Take a block; returns whether all of its dates are there."""
    width = min(PIXELS, db.shape[1] - first)
    count[:] = 0.0
    for i in range(db.shape[0]):
        row = db[i, first : first + width]
        for p in range(width):
            y = row[p]
            inside = (y >= low[first + p]) & (y <= high[first + p])
            known[i, p] = 1.0 if inside else 0.0
            values[i, p] = y if inside else 0.0
        known[i, width:] = 0.0
        values[i, width:] = 0.0
        line = known[i]
        for p in range(PIXELS):
            count[p] += line[p]
    fewest = db.shape[0] * 1.0
    for p in range(width):
        fewest = min(fewest, count[p])
    return bool(fewest == db.shape[0])


@kernel
def _normal_equations(basis: Any, known: Any, normal: Any) -> None:
    """Sum the products of the functions over the dates that are there: 10 numbers a pixel."""
    normal[:] = 0.0
    for i in range(known.shape[0]):
        line = known[i]
        place = 0
        for a in range(4):
            for b in range(a + 1):
                product = basis[i, a] * basis[i, b]
                sums = normal[place]
                for p in range(PIXELS):
                    sums[p] += product * line[p]
                place += 1


@kernel
def _right_side(basis: Any, values: Any, right: Any) -> None:
    right[:] = 0.0
    for i in range(values.shape[0]):
        line = values[i]
        for a in range(4):
            share = basis[i, a]
            sums = right[a]
            for p in range(PIXELS):
                sums[p] += share * line[p]


@kernel
def _solve(normal: Any, right: Any, p: Any, factor: Any) -> bool:
    """Solve a pixel's equations in place (Cholesky); returns whether they can be solved."""
    place = 0
    for a in range(4):
        for b in range(a + 1):
            x = normal[place, p]
            for c in range(b):
                x -= factor[a, c] * factor[b, c]
            if a == b:
                if x < _SINGULAR:
                    return False
                factor[a, a] = math.sqrt(x)
            else:
                factor[a, b] = x / factor[b, b]
            place += 1
    for a in range(4):
        x = right[a, p]
        for c in range(a):
            x -= factor[a, c] * right[c, p]
        right[a, p] = x / factor[a, a]
    for a in range(3, -1, -1):
        x = right[a, p]
        for c in range(a + 1, 4):
            x -= factor[c, a] * right[c, p]
        right[a, p] = x / factor[a, a]
    return True


@kernel
def _squares(basis: Any, known: Any, values: Any, found: Any, squares: Any) -> None:
    """Sum the squared differences between values and fit."""
    squares[:] = 0.0
    for i in range(values.shape[0]):
        line, there = values[i], known[i]
        b0, b1, b2, b3 = basis[i, 0], basis[i, 1], basis[i, 2], basis[i, 3]
        f0, f1, f2, f3 = found[0], found[1], found[2], found[3]
        for p in range(PIXELS):
            fit = (b0 * f0[p] + b1 * f1[p]) + (b2 * f2[p] + b3 * f3[p])
            d = there[p] * (line[p] - fit)
            squares[p] += d * d


@kernel
def fit(db: Any, low: Any, high: Any, basis: Any, back: Any, center: Any, out: Any) -> None:
    """Fit float32 decibels (dates, pixels), NaN or beyond low..high = missing; `out` (5, pixels).

    `basis`, `back` and `center` are those of `harmonics.Design`. NaN where fewer than five dates
    are left, or where they do not determine the fit.
    """
    n = db.shape[0]
    known, values = np.empty((n, PIXELS)), np.empty((n, PIXELS))
    normal, right = np.empty((10, PIXELS)), np.empty((4, PIXELS))
    count, squares = np.empty(PIXELS), np.empty(PIXELS)
    solved = np.empty(PIXELS, np.bool_)
    factor = np.empty((4, 4))
    for first in range(0, db.shape[1], PIXELS):
        width = min(PIXELS, db.shape[1] - first)
        complete = _load(db, low, high, first, known, values, count)
        _right_side(basis, values, right)
        if not complete:
            _normal_equations(basis, known, normal)
        for p in range(width):
            solved[p] = count[p] >= LEAST_DATES
            if count[p] < n and solved[p]:
                solved[p] = _solve(normal, right, p, factor)
        _squares(basis, known, values, right, squares)
        for p in range(width):
            if not solved[p]:
                out[:, first + p] = _NAN
                continue
            b0, b1, b2, b3 = 0.0, 0.0, 0.0, 0.0
            for c in range(4):
                x = right[c, p]
                b0 += back[0, c] * x
                b1 += back[1, c] * x
                b2 += back[2, c] * x
                b3 += back[3, c] * x
            out[AMPLITUDE, first + p] = math.hypot(b1, b2)
            out[PHASE, first + p] = math.atan2(b2, b1)
            out[TREND, first + p] = b0
            out[MODEL_MEAN, first + p] = b3 - b0 * center
            out[RESIDUALS, first + p] = math.sqrt(squares[p] / count[p])

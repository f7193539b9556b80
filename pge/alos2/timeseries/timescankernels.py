"""Statistics over time of many pixels at once.

Pixels are taken in blocks of a fixed number, so that every pixel goes through the very same
instructions wherever the image is cut. Within a block the loops run over pixels innermost: they
become vector instructions, and a block stays in the fastest caches from loading to the results.

The dates of a block are sorted by a network of exchanges (Batcher's odd-even merge sort, Knuth, The
Art of Computer Programming 3, 5.2.2 M), on the numbers as they are in the files: codes of one byte
are sorted eight times as fast as powers. Missing dates come first.

Importing this module compiles nothing and loads numba.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from alos2.raster.jit import exact_kernel as kernel
from alos2.timeseries.bits import bits_of, float_of

PIXELS: Final = 512
"""Pixels of a block."""
LEAST_DATES: Final = 5
"""Fewer valid dates have no outliers."""

AVG, MAX, MIN, MEDIAN, P5, P95, STD, COV, COUNT, LOW, HIGH = range(11)
"""Planes; the first six are powers or decibels, the last two the least and the greatest value that
was used."""
_IN_DB: Final = 6
_LOWER, _UPPER, _SHIFTED, _TOTAL, _SQUARES = range(5)
"""Rows to work in: limits, a middle value, sums of distances from it and of their squares."""

_INF: Final = np.float32(np.inf)
_NAN: Final = np.float32(np.nan)
_ZERO: Final = np.float32(0.0)
_ONE: Final = np.float32(1.0)
_LEAST_POWER: Final = np.float32(1e-13)
_TIE: Final = np.float32(3e-7)
"""Relative; what lies on a limit within the rounding of the limit is kept."""

# 10^(x/10) = 2^k 10^(r/10): 10 log10(2) in two parts, of which the first has few bits.
_OCTAVES_PER_DB: Final = np.float32(0.33219280948873623)
_DB_PER_OCTAVE: Final = np.float32(3.01025390625)
_DB_PER_OCTAVE_REST: Final = np.float32(3.010299956639812 - 3.01025390625)
_NEPERS_PER_DB: Final = np.float32(0.23025850929940458)
_MOST_DB: Final = np.float32(379.0)
_E2, _E3, _E4 = np.float32(1 / 2), np.float32(1 / 6), np.float32(1 / 24)
_E5, _E6, _E7 = np.float32(1 / 120), np.float32(1 / 720), np.float32(1 / 5040)
_UP: Final = np.float32(1024.5)
_BIAS, _SHIFT = np.int32(127), np.int32(23)

# log2(m) = 2/ln(2) (s + s^3/3 + ...), s = (m - 1)/(m + 1), m within 1/sqrt(2)..sqrt(2).
_HALF_ROOT_BITS: Final = np.int32(0x3F3504F3)
_DB_PER_NEPER: Final = np.float32(8.685889638065035)
_L3, _L5, _L7, _L9 = (np.float32(1 / n) for n in (3, 5, 7, 9))


@kernel
def _power_of(db: Any) -> Any:
    """Return 10^(db/10), float32; of -inf a number that means nothing."""
    x = -_MOST_DB if db < -_MOST_DB else db
    x = _MOST_DB if x > _MOST_DB else x
    octaves = np.int32(x * _OCTAVES_PER_DB + _UP) - np.int32(1024)
    k = np.float32(octaves)
    r = ((x - k * _DB_PER_OCTAVE) - k * _DB_PER_OCTAVE_REST) * _NEPERS_PER_DB
    e = _ONE + r * (_ONE + r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * (_E6 + r * _E7))))))
    return e * float_of((octaves + _BIAS) << _SHIFT)


@kernel
def db_of(power: Any) -> Any:
    """Return 10 log10(max(power, 1e-13)), float32; NaN stays NaN."""
    x = _LEAST_POWER if power < _LEAST_POWER else power
    bits = np.int32(bits_of(x)) - _HALF_ROOT_BITS
    octaves = bits >> _SHIFT
    m = float_of(np.int32(bits_of(x)) - (octaves << _SHIFT))
    s = (m - _ONE) / (m + _ONE)
    q = s * s
    series = s + s * (q * (_L3 + q * (_L5 + q * (_L7 + q * _L9))))
    k = np.float32(octaves)
    db = k * _DB_PER_OCTAVE + (k * _DB_PER_OCTAVE_REST + _DB_PER_NEPER * series)
    return db if x < _INF else x


@kernel
def _exchange(a: Any, b: Any) -> None:
    for p in range(PIXELS):
        x, y = a[p], b[p]
        a[p] = x if x < y else y
        b[p] = y if x < y else x


@kernel
def _sort(keys: Any, network: Any) -> None:
    for c in range(network.shape[0]):
        _exchange(keys[network[c, 0]], keys[network[c, 1]])


@kernel
def _load_codes(row: Any, keys: Any, count: Any) -> None:
    for p in range(row.size):
        keys[p] = row[p]
    for p in range(row.size, PIXELS):
        keys[p] = 0
    for p in range(PIXELS):
        count[p] += _ONE if keys[p] > 0 else _ZERO


@kernel
def _load_values(row: Any, nodata: Any, keys: Any, count: Any) -> None:
    for p in range(row.size):
        x = row[p]
        keys[p] = x if (abs(x) < _INF) & (x != nodata) else -_INF
    for p in range(row.size, PIXELS):
        keys[p] = -_INF
    for p in range(PIXELS):
        count[p] += _ONE if keys[p] > -_INF else _ZERO


@kernel
def _decode_codes(keys: Any, table: Any, power: Any) -> None:
    for p in range(PIXELS):
        power[p] = table[keys[p]]


@kernel
def _decode_values(keys: Any, is_db: bool, power: Any) -> None:
    if is_db:
        for p in range(PIXELS):
            x = keys[p]
            y = _power_of(x)
            power[p] = y if x > -_INF else _NAN
    else:
        for p in range(PIXELS):
            x = keys[p]
            power[p] = x if x > -_INF else _NAN


@kernel
def _sum(power: Any, total: Any) -> None:
    total[:] = _ZERO
    for i in range(power.shape[0]):
        row = power[i]
        for p in range(PIXELS):
            x = row[p]
            total[p] += x if x >= -_INF else _ZERO


@kernel
def _moments(
    power: Any, low: Any, high: Any, shift: Any, total: Any, squares: Any, count: Any
) -> None:
    """Sum the distances from `shift`, and their squares, of what lies within limits."""
    total[:] = _ZERO
    squares[:] = _ZERO
    count[:] = _ZERO
    n = power.shape[0]
    for i in range(0, n - 3, 4):  # four at a time: half of the loading and storing of sums
        w, x, y, z = power[i], power[i + 1], power[i + 2], power[i + 3]
        for p in range(PIXELS):
            least, most, middle = low[p], high[p], shift[p]
            in_w, in_x = (w[p] >= least) & (w[p] <= most), (x[p] >= least) & (x[p] <= most)
            in_y, in_z = (y[p] >= least) & (y[p] <= most), (z[p] >= least) & (z[p] <= most)
            a, b = w[p] - middle if in_w else _ZERO, x[p] - middle if in_x else _ZERO
            c, d = y[p] - middle if in_y else _ZERO, z[p] - middle if in_z else _ZERO
            total[p] += (a + b) + (c + d)
            squares[p] += (a * a + b * b) + (c * c + d * d)
            k, m = _ONE if in_w else _ZERO, _ONE if in_x else _ZERO
            q, r = _ONE if in_y else _ZERO, _ONE if in_z else _ZERO
            count[p] += (k + m) + (q + r)
    for i in range(n - n % 4, n):
        row = power[i]
        for p in range(PIXELS):
            v = row[p]
            inside = (v >= low[p]) & (v <= high[p])
            e = v - shift[p] if inside else _ZERO
            total[p] += e
            squares[p] += e * e
            count[p] += _ONE if inside else _ZERO


@kernel
def _extremes(power: Any, low: Any, high: Any, least: Any, most: Any) -> None:
    least[:] = _INF
    most[:] = -_INF
    for i in range(power.shape[0]):
        row = power[i]
        for p in range(PIXELS):
            x = row[p]
            inside = (x >= low[p]) & (x <= high[p])
            up = x if inside else _INF
            down = x if inside else -_INF
            least[p] = up if up < least[p] else least[p]
            most[p] = down if down > most[p] else most[p]


@kernel
def _spread(total: Any, squares: Any, count: Any, shift: Any, mean: Any, std: Any) -> None:
    """Mean and population standard deviation of what was summed; NaN of nothing."""
    for p in range(PIXELS):
        k = count[p]
        d = total[p] / k
        v = squares[p] / k - d * d
        mean[p] = shift[p] + d
        std[p] = np.sqrt(_ZERO if v < _ZERO else v)


@kernel
def _statistics(power: Any, rows: Any, found: Any) -> None:
    """Set count, mean and standard deviation of what lies within the limits."""
    shift = rows[_SHIFTED]
    _moments(
        power, rows[_LOWER], rows[_UPPER], shift, rows[_TOTAL], rows[_SQUARES], found[COUNT]
    )  # fmt: skip
    _spread(rows[_TOTAL], rows[_SQUARES], found[COUNT], shift, found[AVG], found[STD])


@kernel
def _limit_outliers(power: Any, valid: Any, trim: Any, z: Any, rows: Any, found: Any) -> None:
    """Set limits beyond which sorted values are outliers, and the median or so."""
    n = power.shape[0]
    low, high, shift = rows[_LOWER], rows[_UPPER], rows[_SHIFTED]
    for p in range(PIXELS):
        v = np.int32(valid[p])
        # Of nothing valid these are the last date's NaN.
        first, cut = min(n - v, n - 1), trim[v]
        low[p] = power[first + cut, p]
        high[p] = power[n - 1 - cut, p]
        shift[p] = power[min(first + v // 2, n - 1), p]
    _statistics(power, rows, found)
    for p in range(PIXELS):
        m, s = found[AVG, p], z * found[STD, p]
        tie = _TIE * (abs(m) + s)
        many = valid[p] >= LEAST_DATES
        low[p] = m - s - tie if many else -_INF
        high[p] = m + s + tie if many else _INF


@kernel
def _limit_nothing(power: Any, valid: Any, rows: Any) -> None:
    """Set limits that let everything in, and the mean."""
    rows[_LOWER][:] = -_INF
    rows[_UPPER][:] = _INF
    shift = rows[_SHIFTED]
    _sum(power, shift)
    for p in range(PIXELS):
        shift[p] /= valid[p]


@kernel
def _between(power: Any, first: Any, k: Any, share: Any, p: Any) -> Any:
    """Return a percentile of `k` sorted values of a pixel, between neighbours linearly."""
    place = share * np.float64(k - 1)
    below = np.int64(place)
    rest = np.float32(place - np.float64(below))
    x = power[first + below, p]
    above = power[first + min(below + 1, k - 1), p]
    return x + rest * (above - x)


@kernel
def _order_statistics(power: Any, valid: Any, lower: Any, found: Any) -> None:
    """Set median and percentiles of what lies within the limits; values are sorted."""
    n = power.shape[0]
    for p in range(PIXELS):
        k = np.int64(found[COUNT, p])
        first = n - np.int64(valid[p])
        while first < n and power[first, p] < lower[p]:
            first += 1
        if k < 1:
            first, k = n - 1, 1  # NaN
        found[MEDIAN, p] = _between(power, first, k, 0.5, p)
        found[P5, p] = _between(power, first, k, 0.05, p)
        found[P95, p] = _between(power, first, k, 0.95, p)


@kernel
def _put(values: Any, as_db: bool, out: Any) -> None:
    if as_db:
        for p in range(PIXELS):
            values[p] = db_of(values[p])
    for p in range(out.size):
        out[p] = values[p]


@kernel
def _results(
    power: Any, valid: Any, trim: Any, z: Any, to_db: bool, slots: Any, rows: Any,
    found: Any, out: Any, first: Any, last: Any,
) -> None:  # fmt: skip
    """All planes of one block from its powers."""
    if z > _ZERO:
        _limit_outliers(power, valid, trim, z, rows, found)
    else:
        _limit_nothing(power, valid, rows)
    _statistics(power, rows, found)
    if slots[MEDIAN] >= 0 or slots[P5] >= 0 or slots[P95] >= 0:
        _order_statistics(power, valid, rows[_LOWER], found)
    if slots[MAX] >= 0 or slots[MIN] >= 0 or slots[LOW] >= 0:
        _extremes(power, rows[_LOWER], rows[_UPPER], found[MIN], found[MAX])
    for p in range(PIXELS):
        known = found[COUNT, p] > _ZERO
        found[MIN, p] = found[MIN, p] if known else _NAN
        found[MAX, p] = found[MAX, p] if known else _NAN
        found[LOW, p] = found[MIN, p]
        found[HIGH, p] = found[MAX, p]
        found[COV, p] = found[STD, p] / found[AVG, p]
    for plane in range(slots.size):
        if slots[plane] >= 0:
            _put(found[plane], to_db and plane < _IN_DB, out[slots[plane], first:last])


@kernel
def scan_codes(
    stack: Any, table: Any, network: Any, order: bool, trim: Any, z: Any, to_db: bool, slots: Any,
    out: Any,
) -> None:  # fmt: skip
    """Statistics of codes: uint8 or uint16 `stack` (n, pixels), float32 `out` (planes, pixels).

    `table` is the power of each code; `network` the exchanges that sort n numbers, used where
    `order` says so: for outliers and order statistics; `trim` the number of values that are cut
    off at either end, by the number of valid ones; `z` the limit in standard deviations, or 0 for
    no outliers; `slots` where each plane goes in `out`, -1 if it is not wanted.
    """
    n = stack.shape[0]
    keys = np.empty((n, PIXELS), stack.dtype)
    power = np.empty((n, PIXELS), np.float32)
    rows = np.empty((5, PIXELS), np.float32)
    found = np.empty((11, PIXELS), np.float32)
    valid = np.empty(PIXELS, np.float32)
    for first in range(0, stack.shape[1], PIXELS):
        last = min(first + PIXELS, stack.shape[1])
        valid[:] = _ZERO
        for i in range(n):
            _load_codes(stack[i, first:last], keys[i], valid)
        if order:
            _sort(keys, network)
        for i in range(n):
            _decode_codes(keys[i], table, power[i])
        _results(
            power, valid, trim, z, to_db, slots, rows, found, out, first, last
        )  # fmt: skip


@kernel
def scan_values(
    stack: Any, is_db: bool, nodata: Any, network: Any, order: bool, trim: Any, z: Any, to_db: bool,
    slots: Any, out: Any,
) -> None:  # fmt: skip
    """Statistics of float32 decibels or powers; otherwise as `scan_codes`."""
    n = stack.shape[0]
    keys = np.empty((n, PIXELS), np.float32)
    power = np.empty((n, PIXELS), np.float32)
    rows = np.empty((5, PIXELS), np.float32)
    found = np.empty((11, PIXELS), np.float32)
    valid = np.empty(PIXELS, np.float32)
    for first in range(0, stack.shape[1], PIXELS):
        last = min(first + PIXELS, stack.shape[1])
        valid[:] = _ZERO
        for i in range(n):
            _load_values(stack[i, first:last], nodata, keys[i], valid)
        if order:
            _sort(keys, network)
        for i in range(n):
            _decode_values(keys[i], is_db, power[i])
        _results(
            power, valid, trim, z, to_db, slots, rows, found, out, first, last
        )  # fmt: skip


@kernel
def encode(values: Any, minimum: Any, maximum: Any, codes: Any, out: Any) -> None:
    """Put float32 values as codes 1 to `codes` into uint8 or uint16 `out`; NaN becomes 0."""
    step = (maximum - minimum) / (codes - 1.0)
    for p in range(values.size):
        x = np.float64(values[p])
        known = not np.isnan(x)
        x = minimum if x < minimum else x
        x = maximum if x > maximum else x
        # Not rounded to even: a tie of measured values is a coincidence.
        code = np.int32((x - minimum) / step + 1.5) if known else np.int32(0)
        out[p] = code

"""What a timescan computes of a piece: the numbers of all dates in, a plane for each metric out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from alos2.timeseries import timescankernels as kernels
from alos2.timeseries.codes import CODES, power_to_db, value_table
from alos2.timeseries.harmonics import Design, design
from alos2.timeseries.metrics import HARMONIC_METRICS, TABLE
from alos2.timeseries.model import Encoding
from alos2.timeseries.outliers import sorting_network, tail_lengths
from alos2.timeseries.timescanoptions import TimescanOptions

Numbers: TypeAlias = npt.NDArray[Any]

_PLANES: Final = {
    "avg": kernels.AVG,
    "max": kernels.MAX,
    "min": kernels.MIN,
    "std": kernels.STD,
    "cov": kernels.COV,
    "median": kernels.MEDIAN,
    "p5": kernels.P5,
    "p95": kernels.P95,
    "count": kernels.COUNT,
}
_KINDS_OF_PLANES: Final = kernels.HIGH + 1
_ORDERED: Final = frozenset({"median", "p5", "p95"})
_FITTED_AT_ONCE: Final = 1 << 15
"""Pixels whose decibels are there at a time."""
_SAME_DB: Final = np.float32(1e-5)
"""Rounding of a value that is taken to decibels in two ways."""


class Values:
    """Computes all metrics of a series, piece by piece; safe between threads.

    Parameters
    ----------
    encoding
        What the numbers mean.
    dates
        When they were acquired, UTC.
    options
        What is wanted.
    """

    def __init__(
        self, encoding: Encoding, dates: Sequence[datetime], options: TimescanOptions
    ) -> None:
        self._encoding = encoding
        self._options = options
        self._metrics = options.layers
        count = len(dates)
        plain = [name for name in self._metrics if name in _PLANES]
        planes = [_PLANES[name] for name in plain]
        self._design: Design | None = None
        if set(HARMONIC_METRICS) & set(self._metrics):
            self._design = design(dates)
            planes += [kernels.LOW, kernels.HIGH]
        self._slots = np.full(_KINDS_OF_PLANES, -1, np.int32)
        self._slots[planes] = np.arange(len(planes))
        self._planes = len(planes)
        self._order = options.remove_outliers or bool(_ORDERED & set(plain))
        self._network = sorting_network(count)
        self._tails = tail_lengths(count)
        self._z = np.float32(options.z_threshold if options.remove_outliers else 0.0)

    def __call__(self, stack: Numbers) -> list[Numbers]:
        """Return a plane for each metric, in the type of the files, shape (pixels,).

        Parameters
        ----------
        stack
            Numbers as they lie in the files, shape (dates, pixels), C-contiguous.
        """
        found = np.empty((self._planes, stack.shape[1]), np.float32)
        encoding, to_db = self._encoding, self._options.to_db
        if encoding.codes is not None:
            kernels.scan_codes(
                stack, encoding.power_table(), self._network, self._order, self._tails, self._z,
                to_db, self._slots, found,
            )  # fmt: skip
        else:
            kernels.scan_values(
                stack, encoding.quantity == "db", np.float32(encoding.nodata), self._network,
                self._order, self._tails, self._z, to_db, self._slots, found,
            )  # fmt: skip
        fitted = None if self._design is None else self._fit(stack, found, self._design)
        return [self._written(name, found, fitted) for name in self._metrics]

    def _written(self, name: str, found: Numbers, fitted: Numbers | None) -> Numbers:
        if fitted is not None and name in HARMONIC_METRICS:
            values = fitted[HARMONIC_METRICS.index(name)]
        else:
            values = found[self._slots[_PLANES[name]]]
        dtype = self._options.dtype
        if dtype == "float32":
            return np.asarray(values)
        if name == "count":
            values[values == 0] = np.nan
        codes = np.empty(values.shape, dtype)
        minimum, maximum = TABLE[name].limits(dtype)
        kernels.encode(values, minimum, maximum, float(CODES[dtype]), codes)
        return codes

    def _fit(self, stack: Numbers, found: Numbers, made: Design) -> Numbers:
        from alos2.timeseries import harmonickernels  # noqa: PLC0415  seldom wanted

        pixels = stack.shape[1]
        fitted = np.full((len(HARMONIC_METRICS), pixels), np.nan, np.float32)
        if not made.is_solvable:
            return fitted
        low = _in_db(found[self._slots[kernels.LOW]]) - _SAME_DB
        high = _in_db(found[self._slots[kernels.HIGH]]) + _SAME_DB
        for first in range(0, pixels, _FITTED_AT_ONCE):
            part = slice(first, first + _FITTED_AT_ONCE)
            harmonickernels.fit(
                self._decibels(stack[:, part]), low[part], high[part], made.basis, made.back,
                made.center, fitted[:, part],
            )  # fmt: skip
        return fitted

    def _decibels(self, numbers: Numbers) -> Numbers:
        encoding = self._encoding
        if encoding.codes is not None:
            table = value_table(encoding.codes, encoding.minimum, encoding.maximum)
            return np.asarray(table.astype(np.float32)[numbers])
        if encoding.quantity == "db":
            decibels: Numbers = np.array(numbers, np.float32)
        else:
            decibels = _in_db(numbers)
        # What no power is, or none that is finite, is missing: as the other metrics have it.
        decibels[~np.isfinite(numbers) | (numbers == np.float32(encoding.nodata))] = np.nan
        return decibels


def _in_db(power: Numbers) -> Numbers:
    return power_to_db(power).astype(np.float32)

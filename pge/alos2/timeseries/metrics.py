"""What a timescan measures: names, units, and the ranges of integer files.

Names and ranges are OpenSarToolkit's (``mt_metrics``), so that its files and ours can be used side
by side; ``count`` is ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from alos2.errors import UsageError
from alos2.timeseries.codes import CODES

TimescanType: TypeAlias = Literal["float32", "uint8", "uint16"]

HARMONIC_METRICS: Final = ("amplitude", "phase", "trend", "model_mean", "residuals")
DECIBEL_METRICS: Final = ("avg", "max", "min", "median", "p5", "p95")
"""Taken of power and written in decibels."""


@dataclass(frozen=True)
class Metric:
    """One layer of a timescan."""

    name: str
    minimum: float
    """Of an integer file's code 1."""
    maximum: float
    """Of an integer file's highest code."""
    unit: str
    """Of what is written (of `DECIBEL_METRICS`: when they are written in decibels)."""
    overviews: Literal["mean", "nearest"] = "mean"

    def limits(self, dtype: TimescanType) -> tuple[float, float]:
        """Return the values of the lowest and the highest code of an integer type."""
        # Dates are counted one by one: their code is their number.
        return (1.0, float(CODES[dtype])) if self.name == "count" else (self.minimum, self.maximum)


_BACKSCATTER_DB: Final = (-30.0, 5.0)

TABLE: Final[dict[str, Metric]] = {
    metric.name: metric
    for metric in (
        *(Metric(name, *_BACKSCATTER_DB, "dB") for name in ("avg", "max", "min", "median")),
        Metric("std", 1e-5, 0.2, "linear power"),
        Metric("cov", 1e-5, 1.0, ""),
        *(Metric(name, *_BACKSCATTER_DB, "dB") for name in ("p5", "p95")),
        Metric("count", 1.0, 255.0, "dates"),
        Metric("amplitude", -5.0, 5.0, "dB"),
        # A mean of angles means nothing at the end of the circle.
        Metric("phase", -math.pi, math.pi, "rad", "nearest"),
        Metric("trend", -5.0, 5.0, "dB/year"),
        Metric("model_mean", *_BACKSCATTER_DB, "dB"),
        Metric("residuals", -10.0, 10.0, "dB"),
    )
}
"""All metrics in the order of their layers."""

METRICS: Final = tuple(TABLE)

_GROUPS: Final = {"percentiles": ("p95", "p5"), "harmonics": HARMONIC_METRICS}


def expand_metrics(names: Iterable[str]) -> tuple[str, ...]:
    """Return the metrics that are meant, each once, in the order of `METRICS`.

    ``percentiles`` and ``harmonics`` stand for several, as in OpenSarToolkit.

    Raises
    ------
    UsageError
        There is no such metric, or none is asked for.
    """
    wanted = {metric for name in names for metric in _GROUPS.get(name, (name,))}
    if unknown := sorted(wanted - set(METRICS)):
        raise UsageError(
            f"there is no metric {', '.join(unknown)}",
            hint=f"metrics are {', '.join((*METRICS, *_GROUPS))}",
        )
    if not wanted:
        raise UsageError("a timescan needs at least one metric")
    return tuple(metric for metric in METRICS if metric in wanted)

"""How each metric of a timescan is drawn: its words, unit, colours and range."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from alos2.animation.colours import Kind


@dataclass(frozen=True)
class Look:
    """How one metric looks."""

    title: str
    unit: str
    colours: Kind
    quantity: Literal["power", "plain", "direction"] = "plain"
    """Power: averaged in power and shown in dB. Direction: an angle, averaged as a vector."""
    extent: Literal["shared", "from_zero", "percentiles", "symmetric", "circle"] = "percentiles"
    """Of the colours: the same for all metrics of backscatter; from 0 up; what the middle 96 % of
    the pixels have; as far to either side of 0; the whole circle."""


def _power(title: str) -> Look:
    return Look(title, "dB", "sequential", "power", "shared")


LOOKS: Final[Mapping[str, Look]] = MappingProxyType(
    {
        "avg": _power("mean"),
        "max": _power("maximum"),
        "min": _power("minimum"),
        "median": _power("median"),
        "p5": _power("5th percentile"),
        "p95": _power("95th percentile"),
        "std": Look("standard deviation", "power", "sequential", extent="from_zero"),
        "cov": Look("coefficient of variation", "", "sequential", extent="from_zero"),
        "count": Look("valid dates", "dates", "sequential", extent="from_zero"),
        "amplitude": Look("yearly cycle: amplitude", "dB", "sequential", extent="from_zero"),
        "phase": Look("yearly cycle: when it is highest", "", "cyclic", "direction", "circle"),
        "trend": Look("trend", "dB a year", "diverging", extent="symmetric"),
        "model_mean": Look("level at the start of 1970", "dB", "sequential"),
        "residuals": Look("what trend and cycle leave", "dB", "sequential", extent="from_zero"),
    }
)

PHASE_TICKS: Final = (
    (-math.pi, "Jul (-pi)"),
    (-math.pi / 2, "Oct"),
    (0.0, "Jan (0)"),
    (math.pi / 2, "Apr"),
    (math.pi, "Jul (pi)"),
)
"""The cycle's model is cos(2 pi t - phase), t in years since 1970-01-01: highest at phase/2pi."""


def ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Return round numbers from low to high: steps of 1, 2 or 5 times a power of ten.

    Parameters
    ----------
    most
        Numbers at most.
    """
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(
        each * power for each in (1, 2, 5, 10, 20) if (high - low) / (each * power) <= most - 1
    )
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) + 0.0 for number in range(first, last + 1)]

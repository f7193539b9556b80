"""How each layer of a timescan is averaged where tracks overlap. The one table of it.

Backscatter is averaged in power, whatever the file holds. What a gain of a track (see `harmonise`)
does to a layer follows from what the layer is: powers and their standard deviation are multiplied,
an intercept in dB is shifted, ratios, angles and counts stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from alos2.errors import UsageError

Combine: TypeAlias = Literal["mean", "circular", "sum"]


@dataclass(frozen=True)
class Rule:
    """How one kind of layer is mosaicked."""

    quantity: Literal["power", "plain"]
    """Power: numbers in dB are turned to power first, and back in the end."""
    combine: Combine = "mean"
    """Weighted mean; direction of the weighted mean of unit vectors; sum without weights."""
    gain: Literal["factor", "shift", "none"] = "none"
    """A track's gain multiplies (as power), is added (as dB), or means nothing."""


_POWER: Final = Rule("power", gain="factor")

METRIC_RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "avg": _POWER,
        "max": _POWER,
        "min": _POWER,
        "median": _POWER,
        "p5": _POWER,
        "p95": _POWER,
        "std": Rule("plain", gain="factor"),
        "cov": Rule("plain"),
        "count": Rule("plain", combine="sum"),
        "amplitude": Rule("plain"),
        "phase": Rule("plain", combine="circular"),
        "trend": Rule("plain"),
        "model_mean": Rule("plain", gain="shift"),
        "residuals": Rule("plain"),
    }
)


def rule_of(metric: str | None) -> Rule:
    """Return how a metric is mosaicked; None is the backscatter of one date.

    Raises
    ------
    UsageError
        There is no such metric.
    """
    if metric is None:
        return _POWER
    try:
        return METRIC_RULES[metric]
    except KeyError:
        known = ", ".join(METRIC_RULES)
        raise UsageError(f"no rule says how to mosaic {metric!r} (known: {known})") from None

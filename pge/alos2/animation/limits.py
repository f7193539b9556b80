"""The stretch of a stack: the same for all its dates."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from alos2.animation.model import AnimationOptions, Plane
from alos2.errors import UsageError
from alos2.raster.pictures import RATIO, StretchLimits
from alos2.raster.stretch import NARROWEST_DB, decibel

FIXED_DB: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "HH": (-20.0, 0.0),
        "VV": (-20.0, 0.0),
        "HV": (-25.0, -5.0),
        "VH": (-25.0, -5.0),
        RATIO: (1.0, 15.0),
    }
)
"""OpenSarToolkit's limits, dB: they suit most land, and stacks can be compared by them."""

_SAMPLES: Final = 200_000
"""Pixels of each date that its share in the limits is found from."""


class Sampler:
    """Collects dB from all dates of a stack, a channel's; the same pixels in every run."""

    def __init__(self) -> None:
        self._taken: list[npt.NDArray[np.float32]] = []

    def add(self, power: Plane) -> None:
        """Take samples of a date: linear power or a ratio of powers, NaN = no data."""
        known = power[np.isfinite(power)]
        self._taken.append(decibel(known[:: max(1, known.size // _SAMPLES)]))

    def limits(self, percentiles: tuple[float, float]) -> StretchLimits | None:
        """Return limits between percentiles; None where no date has any data."""
        every = np.concatenate(self._taken) if self._taken else np.zeros(0, np.float32)
        if not every.size:
            return None
        low, high = (float(value) for value in np.percentile(every, percentiles))
        if high - low < NARROWEST_DB:
            middle = (low + high) / 2
            low, high = middle - NARROWEST_DB / 2, middle + NARROWEST_DB / 2
        # Tenths: what the caption says is exactly what was used.
        shares = "-".join(f"{share:g}" for share in percentiles)
        return StretchLimits(round(low, 1), round(high, 1), f"{shares} percent of all dates")


def given_limits(name: str, options: AnimationOptions) -> StretchLimits | None:
    """Return the limits that the options give a channel, or None.

    Parameters
    ----------
    name
        Polarisation, or ``ratio``.

    Raises
    ------
    UsageError
        The lower one is not below the upper one.
    """
    chosen = options.limits_db.get(name)
    if chosen is None and options.stretch == "fixed":
        chosen = FIXED_DB[name]
    if chosen is None:
        return None
    low, high = chosen
    if not low < high:
        raise UsageError(f"the stretch of {name} from {low:g} to {high:g} dB has no width")
    return StretchLimits(low, high, "fixed")

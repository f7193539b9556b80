"""Power becomes grey: dB between two limits, the same for all pictures of a layer."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from alos2.raster.pictures import RATIO, PictureOptions, StretchLimits

NO_DATA: Final = 0
DARKEST: Final = 1
BRIGHTEST: Final = 255

NARROWEST_DB: Final = 6.0
"""A scene with less contrast than this (a calm sea) is not blown up to black and white."""

RATIO_DB: Final = (0.0, 15.0)
"""Limits of co- over cross-polarised power where those of the polarisations are fixed: from volume
scattering (forest, some 5 dB) to open surfaces (10 dB and more)."""

_TINY: Final = np.float32(1e-20)
"""Power below every radar's noise: what a dark but valid pixel is taken as, linear."""


def decibel(power: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return 10 log10 of `power` (linear, any shape); NaN stays NaN, zero and less are -200 dB."""
    level: npt.NDArray[np.float32] = np.maximum(power, _TINY)
    np.log10(level, out=level)
    level *= np.float32(10.0)
    return level


def fixed_limits(stretch_db: tuple[float, float]) -> StretchLimits:
    """Return limits that somebody chose."""
    return StretchLimits(*stretch_db, method="fixed")


def chosen_limits(name: str, options: PictureOptions) -> StretchLimits | None:
    """Return the limits that the options fix for a polarisation, or for the ratio; None if none.

    Fixed limits for all polarisations leave the ratio of a composite its usual `RATIO_DB`, so that
    all composites of a stack have the same colours.
    """
    own = options.stretch_of.get(name)
    if own is not None:
        method = f"from {options.stretch_from}" if options.stretch_from else "fixed"
        return StretchLimits(*own, method=method)
    if options.stretch_db is not None:
        return fixed_limits(RATIO_DB if name == RATIO else options.stretch_db)
    return None


def find_limits(
    power: npt.NDArray[np.float32], options: PictureOptions, name: str = ""
) -> StretchLimits:
    """Choose the limits of a channel.

    Parameters
    ----------
    power
        It multilooked to a browse picture, linear, NaN = no data; not all NaN.
    options
        Fixed limits or percentiles.
    name
        Polarisation, or ``ratio``.
    """
    chosen = chosen_limits(name, options)
    if chosen is not None:
        return chosen
    levels = decibel(power[np.isfinite(power)])
    low, high = (float(v) for v in np.percentile(levels, options.stretch_percent))
    if high - low < NARROWEST_DB:
        middle = (low + high) / 2
        low, high = middle - NARROWEST_DB / 2, middle + NARROWEST_DB / 2
    percents = "-".join(f"{p:g}" for p in options.stretch_percent)
    # Hundredths: what is written down is exactly what was used.
    return StretchLimits(
        round(low, 2), round(high, 2), f"{percents} percent of the multilooked image"
    )


def to_grey(power: npt.NDArray[np.float32], limits: StretchLimits) -> npt.NDArray[np.uint8]:
    """Return `power` (linear, NaN = no data) as grey: 0 no data, 1 to 255 over the limits' dB."""
    level = decibel(power)
    steps = BRIGHTEST - DARKEST
    level -= np.float32(limits.low_db)
    level *= np.float32(steps / (limits.high_db - limits.low_db))
    level += np.float32(DARKEST + 0.5)  # rounds to nearest in the cast below
    # fmin and fmax would take NaN for a limit: clip keeps it, and the mask turns it into no data.
    np.clip(level, DARKEST, BRIGHTEST, out=level)
    empty = np.isnan(level)
    level[empty] = NO_DATA
    return np.asarray(level.astype(np.uint8))


def grey_to_decibel(grey: npt.NDArray[np.uint8], limits: StretchLimits) -> npt.NDArray[np.float32]:
    """Return the dB that a picture's grey values stand for; NaN where there is no data."""
    step = (limits.high_db - limits.low_db) / (BRIGHTEST - DARKEST)
    level = (grey.astype(np.float32) - DARKEST) * np.float32(step) + np.float32(limits.low_db)
    level[grey == NO_DATA] = np.nan
    return np.asarray(level)

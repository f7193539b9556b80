"""Timescan metrics of one pixel, as they are defined: float64, one pixel after the other."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

Series = npt.NDArray[np.float64]


def without_outliers(power: Series, z: float) -> Series:
    """Return the values that are no outliers; NaN is missing."""
    valid = power[~np.isnan(power)]
    if len(valid) < 5:
        return valid
    low, high = np.percentile(valid, [5, 95])
    inner = valid[(valid >= low) & (valid <= high)]
    return valid[np.abs(valid - inner.mean()) <= z * inner.std()]


def is_close_call(power: Series, z: float, margin: float = 1e-5) -> bool:
    """Whether a value lies so near to a limit that rounding decides about it."""
    valid = power[~np.isnan(power)]
    if len(valid) < 5:
        return False
    low, high = np.percentile(valid, [5, 95])
    inner = valid[(valid >= low) & (valid <= high)]
    limit = z * inner.std()
    return bool((np.abs(np.abs(valid - inner.mean()) - limit) < margin * inner.mean()).any())


def years(when: datetime) -> float:
    day = (when - datetime(when.year, 1, 1, tzinfo=when.tzinfo)).total_seconds() / 86400
    if not calendar.isleap(when.year) and day >= 59:
        day += 1
    return when.year + day / 366 - 1970


def harmonics(db: Series, t: Series) -> dict[str, float]:
    """Fit y = b0 t + b1 cos(2 pi t) + b2 sin(2 pi t) + b3, t about its mean."""
    if len(db) < 5:
        return dict.fromkeys(("amplitude", "phase", "trend", "model_mean", "residuals"), np.nan)
    middle = t.mean()
    x = np.column_stack([t - middle, np.cos(2 * np.pi * t), np.sin(2 * np.pi * t), np.ones(len(t))])
    b = np.linalg.lstsq(x, db, rcond=None)[0]
    return {
        "amplitude": float(np.hypot(b[1], b[2])),
        "phase": float(np.arctan2(b[2], b[1])),
        "trend": float(b[0]),
        "model_mean": float(b[3] - b[0] * middle),
        "residuals": float(np.sqrt(((db - x @ b) ** 2).sum() / len(db))),
    }


def measures(power: Series, dates: Sequence[datetime], z: float | None) -> dict[str, float]:
    """Return all metrics of one pixel, in power (the harmonics in dB)."""
    kept = power[~np.isnan(power)]
    if z is not None:
        kept = without_outliers(power, z)
    if len(kept) == 0:
        return {"count": 0.0}
    p5, p95 = np.percentile(kept, [5, 95])
    if z is not None:
        t = np.array([years(w) for w, p in zip(dates, power, strict=True) if p in kept])
        in_time = np.array([p for p in power if p in kept])
    else:
        t = np.array([years(w) for w, p in zip(dates, power, strict=True) if not np.isnan(p)])
        in_time = kept
    return {
        "avg": kept.mean(),
        "max": kept.max(),
        "min": kept.min(),
        "median": float(np.median(kept)),
        "std": kept.std(),
        "cov": kept.std() / kept.mean(),
        "p5": p5,
        "p95": p95,
        "count": float(len(kept)),
        **harmonics(10 * np.log10(np.maximum(in_time, 1e-13)), t),
    }


def planes(
    power: npt.NDArray[Any], dates: Sequence[datetime], z: float | None, metrics: Sequence[str]
) -> dict[str, npt.NDArray[np.float64]]:
    """Return metrics of powers of shape (dates, lines, pixels), NaN = missing; dB where usual."""
    found = {metric: np.full(power.shape[1:], np.nan) for metric in metrics}
    for place in np.ndindex(power.shape[1:]):
        pixel = measures(power[(slice(None), *place)].astype(np.float64), dates, z)
        for metric in metrics:
            value = pixel.get(metric, np.nan)
            if metric in {"avg", "max", "min", "median", "p5", "p95"}:
                value = 10 * np.log10(max(value, 1e-13)) if not np.isnan(value) else np.nan
            found[metric][place] = value
    return found

"""The yearly cycle of a pixel: what is fitted to its decibels, and with which numbers.

    y(t) = b0 t + b1 cos(2 pi t) + b2 sin(2 pi t) + b3,  t in years since 1970

by least squares: amplitude = hypot(b1, b2), phase = atan2(b2, b1), trend = b0, model_mean = b3,
residuals = sqrt(RSS / N), as OpenSarToolkit has them. A year is a calendar year and a date's place
in it that of a year of 366 days, so that a day of the year has the same phase in every year.

The four functions are made orthonormal over all dates first, with t about its mean: the equations
of a pixel with all its dates are then solved already, and those of a pixel with gaps stay well
conditioned (G. H. Golub, C. F. Van Loan, Matrix Computations, 4th edition, 5.3).
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

LEAST_DATES: Final = 5
"""Four unknowns leave nothing over with fewer."""
_EPOCH_YEAR: Final = 1970
_LEAP_DAYS: Final = 366
_DAY_S: Final = 86400.0
_MARCH: Final = 3
_SINGULAR: Final = 1e-9
"""Below this share of the largest, a function is a sum of the others."""


@dataclass(frozen=True)
class Design:
    """The functions of the fit at the dates of a series."""

    basis: npt.NDArray[np.float64]
    """Orthonormal, shape (dates, 4)."""
    back: npt.NDArray[np.float64]
    """Shape (4, 4): coefficients of the basis to (b0, b1, b2, b at `center`)."""
    center: float
    """Mean time, years since 1970."""
    is_solvable: bool
    """False of too few dates, and where all lie at the same few days of the year."""


def years_since_1970(when: datetime) -> float:
    """Return a time in calendar years since 1970-01-01."""
    day = when.timetuple().tm_yday - 1
    if when.month >= _MARCH and not calendar.isleap(when.year):
        day += 1
    seconds = when.hour * 3600 + when.minute * 60 + when.second + when.microsecond * 1e-6
    return when.year - _EPOCH_YEAR + (day + seconds / _DAY_S) / _LEAP_DAYS


def design(dates: Sequence[datetime]) -> Design:
    """Return the functions of the fit at some dates."""
    t = np.array([years_since_1970(when) for when in dates])
    center = float(t.mean())
    angle = 2 * np.pi * (t % 1.0)
    functions = np.column_stack([t - center, np.cos(angle), np.sin(angle), np.ones_like(t)])
    if len(t) < LEAST_DATES:
        return Design(np.zeros((len(t), 4)), np.eye(4), center, is_solvable=False)
    scale = np.linalg.norm(functions, axis=0)
    scale[scale == 0] = 1.0
    basis, triangle = np.linalg.qr(functions / scale)
    diagonal = np.abs(np.diag(triangle))
    if diagonal.min() < _SINGULAR * diagonal.max():
        return Design(np.zeros((len(t), 4)), np.eye(4), center, is_solvable=False)
    back = np.linalg.inv(triangle) / scale[:, np.newaxis]
    return Design(np.ascontiguousarray(basis), np.ascontiguousarray(back), center, is_solvable=True)

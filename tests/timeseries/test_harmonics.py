"""The fit of the yearly cycle."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt
import pytest

from alos2.timeseries import harmonickernels as kernels
from alos2.timeseries.harmonics import design, years_since_1970
from timeseries.slowly import harmonics, years

NAMES = ("amplitude", "phase", "trend", "model_mean", "residuals")
UTC = timezone.utc


def dates(count: int, days: float, start: datetime) -> list[datetime]:
    return [start + timedelta(days=days * number) for number in range(count)]


def fit(db: npt.NDArray[np.float64], when: list[datetime]) -> dict[str, npt.NDArray[np.float32]]:
    made = design(when)
    assert made.is_solvable
    out = np.empty((5, 2 * db.shape[1]), np.float32)[:, : db.shape[1]]
    limit = np.full(db.shape[1], np.inf, np.float32)
    kernels.fit(db.astype(np.float32), -limit, limit, made.basis, made.back, made.center, out)
    return dict(zip(NAMES, out, strict=True))


def test_years_have_the_same_day_at_the_same_place() -> None:
    assert years_since_1970(datetime(1970, 1, 1, tzinfo=UTC)) == 0
    for year in (2015, 2016):
        place = years_since_1970(datetime(year, 7, 1, tzinfo=UTC)) % 1
        assert place == pytest.approx(182 / 366)
    for number in range(1500):
        when = datetime(2015, 1, 1, 3, 4, 5, tzinfo=UTC) + timedelta(days=number)
        assert years_since_1970(when) == pytest.approx(years(when), abs=1e-12)


def test_a_cycle_is_found_again() -> None:
    when = dates(60, 24, datetime(2015, 2, 1, tzinfo=UTC))
    t = np.array([years_since_1970(one) for one in when])
    db = -12 + 0.4 * (t - 46) + 1.5 * np.cos(2 * np.pi * t - 0.7)
    found = fit(np.repeat(db[:, np.newaxis], 300, 1), when)
    for name, value in (("amplitude", 1.5), ("phase", 0.7), ("trend", 0.4), ("residuals", 0.0)):
        np.testing.assert_allclose(found[name], value, atol=2e-6)
    np.testing.assert_allclose(found["model_mean"], -12 - 0.4 * 46, atol=5e-5)


@pytest.mark.parametrize("days", [3, 42, 365], ids=["months", "years", "decades"])
def test_pixels_with_gaps_are_fitted_by_their_own_dates(days: int) -> None:
    when = dates(23, days + 0.25, datetime(2014, 8, 4, 15, tzinfo=UTC))
    chance = np.random.default_rng(4)
    db = chance.normal(-10, 2, (23, 300))
    db[chance.random(db.shape) < 0.35] = np.nan
    db[4:, 7] = np.nan
    found = fit(db, when)
    t = np.array([years(one) for one in when])
    for pixel in range(db.shape[1]):
        there = ~np.isnan(db[:, pixel])
        truth = harmonics(db[there, pixel].astype(np.float32).astype(float), t[there])
        for name in NAMES:
            mine = float(found[name][pixel])
            if name == "phase":
                assert math.cos(mine - truth[name]) == pytest.approx(1, abs=1e-6) or pixel == 7
            else:
                assert mine == pytest.approx(truth[name], rel=1e-4, abs=1e-4, nan_ok=True)
    assert np.isnan(found["trend"][7])


def test_dates_that_determine_nothing() -> None:
    assert not design(dates(4, 42, datetime(2016, 1, 1, tzinfo=UTC))).is_solvable
    yearly = [datetime(year, 5, 1, tzinfo=UTC) for year in range(2015, 2023)]
    assert not design(yearly).is_solvable
    # All together are enough; without the first two, always the same day of the year is left.
    when = [datetime(2014, 1, 1, tzinfo=UTC), datetime(2014, 9, 1, tzinfo=UTC), *yearly]
    db = np.random.default_rng(0).normal(-10, 1, (len(when), 2))
    db[:2, 1] = np.nan
    found = fit(db, when)
    assert all(np.isfinite(found[name][0]) for name in NAMES)
    assert all(np.isnan(found[name][1]) for name in NAMES)

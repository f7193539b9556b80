"""Interpolation against an orbit known exactly, real vectors left out, and arcs that are wrong."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alos2.errors import BadProduct
from alos2.geometry.orbit import Orbit

UTC = timezone.utc


@pytest.mark.parametrize(
    ("step_s", "tolerance_m", "tolerance_m_s"),
    [(10.0, 1e-7, 1e-8), (60.0, 1e-4, 1e-5), (120.0, 2e-2, 1e-3)],
)
def test_between_exact_vectors(
    circular: Any, step_s: float, tolerance_m: float, tolerance_m_s: float
) -> None:
    truth = circular(node_deg=123.0)
    orbit = truth.orbit(count=12, step_s=step_s)
    t = np.linspace(3.0 * step_s, 8.0 * step_s, 301)
    position, velocity = orbit.interpolate(t)
    expected_position, expected_velocity = truth.state(t)
    assert position.shape == velocity.shape == (301, 3)
    assert np.abs(position - expected_position).max() < tolerance_m
    assert np.abs(velocity - expected_velocity).max() < tolerance_m_s


def test_vectors_themselves_come_back(orbit: Orbit) -> None:
    position, velocity = orbit.interpolate(orbit.times_s)
    assert np.abs(position - orbit.positions_m).max() < 1e-7
    assert np.abs(velocity - orbit.velocities_m_s).max() < 1e-9


def test_acceleration_is_the_slope_of_velocity(orbit: Orbit) -> None:
    _, _, acceleration = orbit.states(800.0)
    _, after = orbit.interpolate(800.01)
    _, before = orbit.interpolate(799.99)
    assert np.allclose(acceleration, (after - before) / 0.02, atol=1e-6)


def test_four_vectors_at_uneven_times_do(circular: Any) -> None:
    truth = circular()
    times = np.array([-3.0, 20.5, 61.0, 99.0])
    orbit = Orbit(datetime(2020, 1, 1, tzinfo=UTC), times, *truth.state(times))
    assert np.abs(orbit.interpolate(42.0)[0] - truth.state(42.0)[0]).max() < 1e-3


def test_scalars_and_shapes(orbit: Orbit) -> None:
    assert orbit.interpolate(5.0)[0].shape == (3,)
    assert orbit.interpolate(np.full((2, 5), 7.0))[1].shape == (2, 5, 3)
    assert orbit.interpolate(np.empty(0))[0].shape == (0, 3)


def test_real_vectors_left_out(real_orbit: Orbit) -> None:
    """Every second of the real 60 s vectors put back from the others: below 2 mm."""
    half = Orbit(
        real_orbit.epoch,
        real_orbit.times_s[::2],
        real_orbit.positions_m[::2],
        real_orbit.velocities_m_s[::2],
    )
    inner = slice(3, -4, 2)
    position, _ = half.interpolate(real_orbit.times_s[inner])
    error = np.linalg.norm(position - real_orbit.positions_m[inner], axis=1)
    assert len(error) >= 10
    assert error.max() < 2e-3


def test_arrays_are_copied_and_cannot_change(orbit: Orbit) -> None:
    with pytest.raises(ValueError, match="read-only"):
        orbit.times_s[0] = 1.0


@pytest.mark.parametrize("t", [-0.001, 1620.001, np.nan, np.inf, 1e300])
def test_outside_the_arc_names_arc_and_time(orbit: Orbit, t: float) -> None:
    with pytest.raises(
        BadProduct, match=r"outside the arc of LED-test.*28 state vectors"
    ) as caught:
        orbit.interpolate(np.array([5.0, t]))
    assert "2020-06-01T12:00:00" in str(caught.value)
    assert "2020-06-01T12:27:00" in str(caught.value)


def test_the_wrong_time_is_in_the_message(orbit: Orbit) -> None:
    with pytest.raises(BadProduct, match=r"^2020-06-01T11:59:58\.500000Z lies outside"):
        orbit.interpolate(-1.5)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_vectors(circular: Any, count: int) -> None:
    with pytest.raises(BadProduct, match=f"LED-test has {count} state vectors, at least 4"):
        circular().orbit(count=count)


def test_repeated_and_backward_times(orbit: Orbit) -> None:
    for wrong in (orbit.times_s[6], orbit.times_s[3]):
        times = orbit.times_s.copy()
        times[7] = wrong
        with pytest.raises(BadProduct, match="state vectors 6 and 7 of 28 do not increase"):
            Orbit(orbit.epoch, times, orbit.positions_m, orbit.velocities_m_s)


def test_not_a_number(orbit: Orbit) -> None:
    position = orbit.positions_m.copy()
    position[9, 1] = np.nan
    with pytest.raises(BadProduct, match="state vector 9 of 28 is not a number"):
        Orbit(orbit.epoch, orbit.times_s, position, orbit.velocities_m_s)


def test_shapes_that_differ(orbit: Orbit) -> None:
    with pytest.raises(BadProduct, match="shapes"):
        Orbit(orbit.epoch, orbit.times_s, orbit.positions_m[:-1], orbit.velocities_m_s)


@given(index=st.integers(0, 27), axis=st.integers(0, 2), factor=st.sampled_from([-1.0, 0.0, 10.0]))
def test_a_wrong_digit_is_found(circular: Any, index: int, axis: int, factor: float) -> None:
    good = circular(node_deg=31.0).orbit()
    position = good.positions_m.copy()
    changed = position[index, axis] * factor
    if abs(changed - position[index, axis]) < 3000.0:
        return
    position[index, axis] = changed
    with pytest.raises(BadProduct, match=r"contradict each other|is no place and velocity"):
        Orbit(good.epoch, good.times_s, position, good.velocities_m_s)


@pytest.mark.parametrize("absurd", [1e300, -1e300, 5e8])
def test_no_place_of_a_satellite(orbit: Orbit, absurd: float) -> None:
    for name in ("positions_m", "velocities_m_s"):
        values = {n: getattr(orbit, n).copy() for n in ("positions_m", "velocities_m_s")}
        values[name][4, 0] = absurd
        with pytest.raises(BadProduct, match="state vector 4 of 28 is no place and velocity"):
            Orbit(orbit.epoch, orbit.times_s, **values)
    with pytest.raises(BadProduct, match="state vector 0 of 28 is no place"):
        Orbit(orbit.epoch, orbit.times_s, orbit.positions_m * 0.5, orbit.velocities_m_s)


def test_real_vectors_fit_each_other(real_orbit: Orbit) -> None:
    assert real_orbit.times_s.size == 28
    assert real_orbit.start == datetime(2014, 9, 9, 4, 20, tzinfo=UTC)
    assert real_orbit.end == datetime(2014, 9, 9, 4, 47, tzinfo=UTC)


def test_seconds_across_midnight(orbit: Orbit) -> None:
    late = Orbit(
        datetime(2020, 6, 1, 23, 50, tzinfo=UTC),
        orbit.times_s,
        orbit.positions_m,
        orbit.velocities_m_s,
    )
    after = datetime(2020, 6, 2, 0, 1, 2, 500000, tzinfo=UTC)
    assert late.seconds(after) == 662.5
    assert late.time(662.5) == after


def test_seconds_across_a_leap_second(orbit: Orbit) -> None:
    """23:59:60 of 2016-12-31 lasts a second that the calendar's difference does not know."""
    late = Orbit(
        datetime(2016, 12, 31, 23, 50, tzinfo=UTC),
        orbit.times_s,
        orbit.positions_m,
        orbit.velocities_m_s,
    )
    before = datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)
    after = datetime(2017, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert late.seconds(before) == 599.0
    assert late.seconds(after) == 602.0
    assert late.time(602.0) == after
    assert late.time(599.0) == before
    assert late.time(600.25) == datetime(2017, 1, 1, tzinfo=UTC), "the midnight that ends it"
    assert late.time(601.5) == datetime(2017, 1, 1, 0, 0, 0, 500000, tzinfo=UTC)


def test_seconds_back_across_a_leap_second(orbit: Orbit) -> None:
    early = Orbit(
        datetime(2015, 7, 1, 0, 0, 5, tzinfo=UTC),
        orbit.times_s - 600.0,
        orbit.positions_m,
        orbit.velocities_m_s,
    )
    before = datetime(2015, 6, 30, 23, 59, 55, tzinfo=UTC)
    assert early.seconds(before) == -11.0
    assert early.time(-11.0) == before


@given(t=st.floats(0.0, 1620.0), zone=st.integers(-12, 12))
def test_time_and_seconds_undo_each_other(circular: Any, t: float, zone: int) -> None:
    orbit = circular().orbit(count=28)
    moment = orbit.time(t).astimezone(timezone(timedelta(hours=zone)))
    assert orbit.seconds(moment) == pytest.approx(t, abs=6e-7)


def test_an_epoch_needs_a_timezone(orbit: Orbit) -> None:
    with pytest.raises(ValueError, match="timezone"):
        Orbit(datetime(2020, 1, 1), orbit.times_s, orbit.positions_m, orbit.velocities_m_s)  # noqa: DTZ001

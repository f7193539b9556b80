from __future__ import annotations

import itertools
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alos2.errors import UsageError
from alos2.geometry.nominal import MEAN_MOTION, states
from alos2.geometry.rangedoppler import geo2rdr, is_right_of_track
from alos2.simulate.orbit import find_orbit

DAY = date(2020, 6, 15)


def test_velocity_is_the_derivative_of_position() -> None:
    phase, step_s = np.linspace(0.0, 2.0 * np.pi, 50), 0.01
    before, _ = states(phase - step_s * MEAN_MOTION, 1.0)
    after, _ = states(phase + step_s * MEAN_MOTION, 1.0)
    assert np.abs((after - before) / (2.0 * step_s) - states(phase, 1.0)[1]).max() < 1e-4


def test_hermite_between_the_vectors_is_the_model() -> None:
    found = find_orbit(138.6, 35.2, DAY, look="R", pass_direction="A", off_nadir_deg=36.6)
    orbit = found.orbit
    assert orbit.times_s.tolist() == [60.0 * k for k in range(28)]
    fewer = type(orbit)(
        orbit.epoch, orbit.times_s[::2], orbit.positions_m[::2], orbit.velocities_m_s[::2]
    )
    wanted, _ = orbit.interpolate(orbit.times_s[9:18:2])
    got, _ = fewer.interpolate(orbit.times_s[9:18:2])
    assert np.abs(got - wanted).max() < 5e-3  # over twice the interval


@pytest.mark.parametrize(
    ("place", "day", "off_nadir", "scene", "clock_s"),
    [
        ((-62.5322, -11.0510), date(2014, 9, 9), 36.26, "ALOS2015976960-140909", 16427.1),
        ((-70.209, -27.157), date(2017, 2, 9), 28.6, "ALOS2146686640-170209", 18663.5),
    ],
)
def test_real_scenes_get_their_own_names(
    place: tuple[float, float], day: date, off_nadir: float, scene: str, clock_s: float
) -> None:
    found = find_orbit(*place, day, look="R", pass_direction="A", off_nadir_deg=off_nadir)
    assert str(found.scene) == scene
    midnight = found.center_time.replace(hour=0, minute=0, second=0, microsecond=0)
    assert (found.center_time - midnight).total_seconds() == pytest.approx(clock_s, abs=20.0)


@pytest.mark.parametrize(
    ("look", "way", "place"),
    list(itertools.product("LR", "AD", [(179.99, 70.0), (-0.1, -75.0), (-120.0, 0.0)])),
)
def test_the_place_is_seen_in_the_middle_as_asked(
    look: str, way: str, place: tuple[float, float]
) -> None:
    found = find_orbit(*place, DAY, look=look, pass_direction=way, off_nadir_deg=33.0)  # type: ignore[arg-type]
    t, r = geo2rdr(found.orbit, *place)
    assert float(t) == pytest.approx(found.center_s, abs=1e-3)
    assert bool(is_right_of_track(found.orbit, *place)) == (look == "R")
    position, velocity = found.orbit.interpolate(found.center_s)
    assert (velocity[2] > 0.0) == (way == "A")
    # Angle at the satellite between the place and the Earth's centre, by its triangle.
    ground = np.linalg.norm(position)
    assert 600e3 < float(r) < 900e3
    assert 7.0e6 < ground < 7.03e6
    assert 780.0 <= found.center_s <= 840.0
    assert found.orbit.epoch.second == 0
    assert found.center_time.date() == DAY
    assert found.center_time.microsecond % 1000 == 0
    assert found.scene.date == DAY


@settings(max_examples=60, deadline=None)
@given(
    place=st.tuples(st.floats(-180.0, 180.0), st.floats(-76.0, 76.0)),
    days=st.integers(0, 4000),
    look=st.sampled_from("LR"),
    way=st.sampled_from("AD"),
    off_nadir=st.floats(10.0, 50.0),
)
def test_anywhere_at_any_day(
    place: tuple[float, float], days: int, look: str, way: str, off_nadir: float
) -> None:
    lon, lat = place
    day = date(2014, 8, 4) + timedelta(days=days)
    try:
        found = find_orbit(lon, lat, day, look=look, pass_direction=way, off_nadir_deg=off_nadir)  # type: ignore[arg-type]
    except UsageError:
        # Left-looking on one hemisphere's end does not reach as far as right-looking.
        assert abs(lat) > 70.0
        return
    t, _ = geo2rdr(found.orbit, lon, lat, look=look)  # type: ignore[arg-type]
    assert float(t) == pytest.approx(found.center_s, abs=2e-3)
    assert 0 <= int(found.scene.frame) < 7200
    assert found.center_time.date() == day


def test_what_the_orbit_does_not_see_is_refused_with_the_limits() -> None:
    with pytest.raises(UsageError, match=r"latitude 88 is not seen to the right on a descending"):
        find_orbit(0.0, 88.0, DAY, look="R", pass_direction="D", off_nadir_deg=36.6)

"""There and back below a millimetre, each equation by itself, the sides, and what has no answer."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alos2.errors import BadProduct
from alos2.geometry.ellipsoid import ecef_to_geodetic, geodetic_to_ecef
from alos2.geometry.orbit import Orbit
from alos2.geometry.rangedoppler import (
    geo2rdr,
    incidence_deg,
    is_right_of_track,
    off_nadir_deg,
    rdr2geo,
)

Look = Literal["L", "R"]
LOOKS: tuple[Look, Look] = ("L", "R")


def _range_at_off_nadir(
    orbit: Orbit, t_s: float, wanted_deg: float, look: Look, height_m: float
) -> float:
    """Slant range at which the off-nadir angle has a value, by bisection."""
    _, _, altitude = ecef_to_geodetic(orbit.interpolate(t_s)[0])
    low, high = float(altitude) - height_m + 3000.0, 2_600_000.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        try:
            too_far = off_nadir_deg(orbit, t_s, middle, look, height_m) > wanted_deg
        except BadProduct:
            too_far = True
        low, high = (low, middle) if too_far else (middle, high)
    return low


@settings(deadline=None, max_examples=150)
@given(
    argument_deg=st.floats(-180.0, 180.0),
    node_deg=st.floats(-180.0, 180.0),
    look=st.sampled_from(LOOKS),
    angle_deg=st.floats(8.0, 63.0),
    height_m=st.floats(-100.0, 9000.0),
    t_s=st.floats(700.0, 900.0),
)
def test_there_and_back(  # noqa: PLR0917
    circular: Any,
    argument_deg: float,
    node_deg: float,
    look: Look,
    angle_deg: float,
    height_m: float,
    t_s: float,
) -> None:
    """All round the Earth, so both passes and near both poles: < 1 mm and < 1e-6 px."""
    orbit = circular(node_deg=node_deg).starting_at(argument_deg).orbit()
    slant_range = _range_at_off_nadir(orbit, t_s, angle_deg, look, height_m)
    lon, lat = rdr2geo(orbit, t_s, slant_range, look=look, height_m=height_m)
    t_back, range_back = geo2rdr(orbit, lon, lat, height_m, look=look)
    # The finest of PALSAR-2: 1.43 m in range (spotlight), about 1.2e-4 s a line.
    assert abs(t_back - t_s) < 1e-6 * 1.2e-4
    assert abs(range_back - slant_range) < 1e-6 * 1.43
    lon_again, lat_again = rdr2geo(orbit, t_back, range_back, look=look, height_m=height_m)
    moved = geodetic_to_ecef(lon_again, lat_again, height_m) - geodetic_to_ecef(lon, lat, height_m)
    assert np.linalg.norm(moved) < 1e-3


def test_beyond_the_horizon_at_70_degrees(orbit: Orbit) -> None:
    """From 637 km the Earth's limb is at 65.4 degrees: 70 degrees is out of sight, and said so."""
    with pytest.raises(BadProduct, match=r"no ground is in sight at a slant range of 3500000\.0 m"):
        rdr2geo(orbit, 810.0, 3_500_000.0, look="R")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("angle_deg", [8.0, 20.0, 40.0, 60.0, 64.5])
def test_the_extremes_of_the_angle(orbit: Orbit, look: Look, angle_deg: float) -> None:
    slant_range = _range_at_off_nadir(orbit, 810.0, angle_deg, look, 0.0)
    assert off_nadir_deg(orbit, 810.0, slant_range, look) == pytest.approx(angle_deg, abs=1e-6)
    lon, lat = rdr2geo(orbit, 810.0, slant_range, look=look)
    t_back, range_back = geo2rdr(orbit, lon, lat, look=look)
    assert abs(t_back - 810.0) < 1e-10
    assert abs(range_back - slant_range) < 1e-6


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("doppler_hz", [0.0, 85.0, -1200.0])
def test_the_equations_hold(orbit: Orbit, look: Look, doppler_hz: float) -> None:
    """Range, Doppler and height of the answer, each computed on its own."""
    t, wavelength = np.array([750.0, 800.0, 900.5]), 0.2424525
    slant_range = np.array([690e3, 800e3, 1100e3])
    height = np.array([0.0, 250.0, 4000.0])
    lon, lat = rdr2geo(
        orbit,
        t,
        slant_range,
        look=look,
        height_m=height,
        doppler_hz=doppler_hz,
        wavelength_m=wavelength,
    )
    ground = geodetic_to_ecef(lon, lat, height)
    position, velocity = orbit.interpolate(t)
    beam = ground - position
    distance = np.linalg.norm(beam, axis=1)
    assert np.abs(distance - slant_range).max() < 1e-6
    found = 2.0 * (velocity * beam).sum(axis=1) / (wavelength * distance)
    assert np.abs(found - doppler_hz).max() < 1e-8
    t_back, range_back = geo2rdr(
        orbit, lon, lat, height, look=look, doppler_hz=doppler_hz, wavelength_m=wavelength
    )
    assert np.abs(t_back - t).max() < 1e-10
    assert np.abs(range_back - slant_range).max() < 1e-6


def test_a_doppler_needs_the_wavelength(orbit: Orbit) -> None:
    with pytest.raises(ValueError, match="wavelength"):
        rdr2geo(orbit, 800.0, 800e3, look="R", doppler_hz=10.0)


def test_right_of_an_ascending_track_is_east(orbit: Orbit) -> None:
    east, _ = rdr2geo(orbit, 810.0, 800e3, look="R")
    west, _ = rdr2geo(orbit, 810.0, 800e3, look="L")
    below, _, _ = ecef_to_geodetic(orbit.interpolate(810.0)[0])
    assert west < below < east


def test_right_of_a_descending_track_is_west(circular: Any) -> None:
    orbit = circular().starting_at(180.0).orbit()
    west, _ = rdr2geo(orbit, 810.0, 800e3, look="R")
    east, _ = rdr2geo(orbit, 810.0, 800e3, look="L")
    assert (east - west) % 360.0 < 180.0


@pytest.mark.parametrize("look", LOOKS)
def test_the_side_of_a_place(orbit: Orbit, look: Look) -> None:
    lon, lat = rdr2geo(orbit, [800.0, 820.0], [700e3, 900e3], look=look, height_m=120.0)
    assert (is_right_of_track(orbit, lon, lat, 120.0) == (look == "R")).all()
    other: Look = "L" if look == "R" else "R"
    with pytest.raises(BadProduct, match="of the track of LED-test, and the antenna looks"):
        geo2rdr(orbit, lon, lat, 120.0, look=other)


def test_no_ground_below_the_nearest_range(orbit: Orbit) -> None:
    with pytest.raises(BadProduct, match=r"slant range of 600000\.0 m from LED-test, 637"):
        rdr2geo(orbit, [810.0, 810.0], [700e3, 600e3], look="R")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0, 0.0])
def test_ranges_that_are_none(orbit: Orbit, bad: float) -> None:
    with pytest.raises(BadProduct, match="no ground is in sight"):
        rdr2geo(orbit, 810.0, bad, look="L")


def test_places_that_the_arc_does_not_pass(orbit: Orbit) -> None:
    with pytest.raises(BadProduct, match=r"longitude 0\.0000, latitude 80\.0000 within the arc"):
        geo2rdr(orbit, [-10.0, 0.0], [0.0, 80.0])


def test_places_that_are_none(orbit: Orbit) -> None:
    with pytest.raises(BadProduct, match="does not pass"):
        geo2rdr(orbit, np.nan, 0.0)


def test_times_outside_the_arc(orbit: Orbit) -> None:
    with pytest.raises(BadProduct, match="outside the arc"):
        rdr2geo(orbit, 1621.0, 800e3, look="R")


def test_angles_on_a_sphere_would_be(orbit: Orbit) -> None:
    """Incidence exceeds off-nadir by the angle at the Earth's centre, nearly."""
    slant_range = np.array([680e3, 800e3, 1000e3])
    off_nadir = off_nadir_deg(orbit, 810.0, slant_range, "R")
    incidence = incidence_deg(orbit, 810.0, slant_range, "R")
    lon, lat = rdr2geo(orbit, 810.0, slant_range, look="R")
    ground, position = geodetic_to_ecef(lon, lat), orbit.interpolate(810.0)[0]
    cosine = (ground @ position) / np.linalg.norm(ground, axis=1) / np.linalg.norm(position)
    assert np.allclose(incidence - off_nadir, np.degrees(np.arccos(cosine)), atol=0.05)
    assert (np.diff(incidence) > 0.0).all()


def test_many_points_at_once(orbit: Orbit) -> None:
    t, slant_range = np.meshgrid(np.linspace(700, 900, 300), np.linspace(690e3, 1000e3, 300))
    lon, lat = rdr2geo(orbit, t, slant_range, look="L", height_m=300.0)
    assert lon.shape == (300, 300)
    t_back, range_back = geo2rdr(orbit, lon, lat, 300.0, look="L")
    assert np.abs(t_back - t).max() < 1e-10
    assert np.abs(range_back - slant_range).max() < 1e-6


def test_no_points_at_all(orbit: Orbit) -> None:
    lon, lat = rdr2geo(orbit, np.empty(0), np.empty(0), look="R")
    assert lon.shape == lat.shape == (0,)
    t, slant_range = geo2rdr(orbit, lon, lat)
    assert t.shape == slant_range.shape == (0,)

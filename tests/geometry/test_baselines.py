"""Baselines of passes that are moved by known vectors, and of passes that repeat."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from alos2.errors import BadProduct
from alos2.geometry.baselines import baseline
from alos2.geometry.ellipsoid import geodetic_to_ecef
from alos2.geometry.orbit import Orbit
from alos2.geometry.rangedoppler import geo2rdr, rdr2geo
from alos2.types import LonLat, LookSide
from geometry.conftest import EARTH_RATE_RAD_S, EPOCH, CircularOrbit

PASS = CircularOrbit().orbit()


def place(look: LookSide = "R", t_s: float = 700.0) -> LonLat:
    lon, lat = rdr2geo(PASS, t_s, 800e3, look=look)
    return LonLat(float(lon), float(lat))


def directions(where: LonLat) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Along the flight, along the line of sight, and upwards at right angles to both."""
    t, _ = geo2rdr(PASS, where.lon_deg, where.lat_deg)
    position, velocity = PASS.interpolate(t)
    ahead = velocity / np.linalg.norm(velocity)
    sight = np.asarray(geodetic_to_ecef(where.lon_deg, where.lat_deg, 0.0)) - position
    sight /= np.linalg.norm(sight)
    up = position - (position @ ahead) * ahead
    up -= (up @ sight) * sight
    return ahead, sight, up / np.linalg.norm(up)


def moved(by_m: np.ndarray) -> Orbit:
    return Orbit(
        EPOCH + timedelta(days=14), PASS.times_s, PASS.positions_m + by_m, PASS.velocities_m_s
    )


@pytest.mark.parametrize("look", ["L", "R"])
def test_a_pass_that_is_moved_sideways(look: LookSide) -> None:
    where = place(look)
    _, sight, up = directions(where)
    for across_m, along_m in ((0.0, 0.0), (150.0, 0.0), (-320.0, 0.0), (40.0, 55.0)):
        found = baseline(PASS, moved(across_m * up + along_m * sight), where)
        # The moved pass is abeam of the place some millimetres earlier or later.
        assert found.perpendicular_m == pytest.approx(across_m, abs=0.05)
        assert found.parallel_m == pytest.approx(along_m, abs=0.05)


def test_ranges_differ_by_the_parallel_part() -> None:
    where = place()
    _, sight, up = directions(where)
    other = moved(90.0 * up + 20.0 * sight)
    (_, first), (_, second) = (geo2rdr(o, where.lon_deg, where.lat_deg) for o in (PASS, other))
    found = baseline(PASS, other, where)
    expected = found.parallel_m - found.perpendicular_m**2 / (2 * float(second))
    assert float(first - second) == pytest.approx(expected, abs=0.01)


def test_later_on_the_same_orbit_the_earth_has_turned() -> None:
    late = CircularOrbit(start_s=-3.0, node_deg=0.0)
    # Three seconds in which the Earth turns under the track, which is nearly at right angles.
    where = place()
    position, _ = PASS.interpolate(700.0)
    turned_m = 3.0 * EARTH_RATE_RAD_S * np.hypot(*position[:2])
    found = baseline(PASS, late.orbit(epoch=EPOCH), where)
    assert np.hypot(*found) == pytest.approx(turned_m, rel=0.06)
    assert baseline(PASS, PASS, where) == pytest.approx((0.0, 0.0), abs=1e-6)


def test_a_place_out_of_reach_is_refused() -> None:
    with pytest.raises(BadProduct, match="does not pass"):
        baseline(PASS, CircularOrbit().orbit(count=5), place(t_s=1500.0))

"""What an antenna sees: as `geo2rdr` where it answers, nothing where it refuses."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from alos2.geometry.rangedoppler import geo2rdr, rdr2geo
from alos2.geometry.sight import seen_from
from alos2.simulate.orbit import find_orbit


@pytest.mark.parametrize("look", ["R", "L"])
def test_it_agrees_with_geo2rdr_and_says_nothing_elsewhere(look: str) -> None:
    flight = find_orbit(
        138.6,
        35.2,
        date(2020, 6, 15),
        look=look,
        pass_direction="A",
        off_nadir_deg=36.6,
        height_m=0.0,
    )
    orbit = flight.orbit
    ranges = np.array([700e3, 800e3, 1.2e6])
    for height in (0.0, 2500.0):
        lon, lat = rdr2geo(orbit, flight.center_s, ranges, look=look, height_m=height)
        t, slant_range = seen_from(orbit, lon, lat, height, look=look)
        assert np.abs(t - flight.center_s).max() < 1e-7
        assert np.abs(slant_range - ranges).max() < 1e-3
        expected = geo2rdr(orbit, lon, lat, height)
        np.testing.assert_array_equal(t, expected[0])
        np.testing.assert_array_equal(slant_range, expected[1])
    other = rdr2geo(orbit, flight.center_s, ranges, look="L" if look == "R" else "R")
    assert np.isnan(seen_from(orbit, *other, look=look)).all()
    lon, lat = np.meshgrid(np.arange(-180.0, 181.0, 3.0), np.arange(-90.0, 91.0, 3.0))
    t, slant_range = seen_from(orbit, lon, lat, look=look)
    assert t.shape == lon.shape
    assert (np.isnan(t) == np.isnan(slant_range)).all()
    assert 0 < np.isfinite(t).mean() < 0.1
    assert np.nanmax(slant_range) < 3e6

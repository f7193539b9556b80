"""Against pyproj, and against itself, from below the ground up to orbits and at the poles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from alos2.geometry.ellipsoid import ecef_to_geodetic, geodetic_to_ecef, up_vector


def test_against_pyproj() -> None:
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(-180, 180, 2000), rng.uniform(-90, 90, 2000)
    height = rng.choice([-9000.0, -100.0, 0.0, 8848.0, 700_000.0], 2000)
    peer = Transformer.from_crs(4979, 4978, always_xy=True)
    expected = np.stack(peer.transform(lon, lat, height), axis=-1)
    assert np.abs(geodetic_to_ecef(lon, lat, height) - expected).max() < 1e-8
    # Backward against the truth: PROJ's own inverse is 3 mm off at the height of orbits.
    lon_back, lat_back, height_back = ecef_to_geodetic(expected)
    assert np.abs((lon_back - lon) * np.cos(np.radians(lat))).max() < 1e-12
    assert np.abs(lat_back - lat).max() < 1e-12
    assert np.abs(height_back - height).max() < 5e-9


@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    height=st.floats(-10_000, 1_000_000),
)
def test_there_and_back(lon: float, lat: float, height: float) -> None:
    xyz = geodetic_to_ecef(lon, lat, height)
    again = geodetic_to_ecef(*ecef_to_geodetic(xyz))
    assert np.abs(again - xyz).max() < 5e-9


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_poles(sign: float) -> None:
    lon, lat, height = ecef_to_geodetic([0.0, 0.0, sign * (6_356_752.314245179 + 12.0)])
    assert lat == sign * 90.0
    assert np.isfinite(lon)
    assert height == pytest.approx(12.0, abs=1e-8)


def test_up_is_the_way_heights_grow() -> None:
    low, high = geodetic_to_ecef(40.0, -33.0, 0.0), geodetic_to_ecef(40.0, -33.0, 1000.0)
    assert np.allclose((high - low) / 1000.0, up_vector(40.0, -33.0), atol=1e-11)


def test_shapes_broadcast() -> None:
    assert geodetic_to_ecef(np.zeros((3, 1)), np.zeros(4)).shape == (3, 4, 3)

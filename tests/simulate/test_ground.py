from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alos2.geometry.ellipsoid import geodetic_to_ecef
from alos2.simulate.ground import FRAMES, Ground, TangentPlane, parcel_index


@settings(max_examples=50, deadline=None)
@given(
    lon=st.floats(-180.0, 180.0),
    lat=st.floats(-90.0, 90.0),
    x=st.floats(-4e5, 4e5),
    y=st.floats(-4e5, 4e5),
)
def test_plane_there_and_back(lon: float, lat: float, x: float, y: float) -> None:
    plane = TangentPlane(lon, lat)
    back = plane.xy(*plane.lonlat(x, y))
    assert back == (pytest.approx(x, abs=1e-6), pytest.approx(y, abs=1e-6))


def test_parcels_pave_the_plane_without_gap_or_overlap() -> None:
    ground = Ground(3, 10.0, 50.0, 0.0)
    assert len(ground.parcels) == 4 + 12 * FRAMES
    rng = np.random.default_rng(1)
    x, y = (rng.uniform(-1.0, 1.0, 4000) * 10.0 ** rng.uniform(0.0, 5.5, 4000) for _ in range(2))
    found = parcel_index(x.astype(np.float32), y.astype(np.float32))
    owners = np.zeros(x.size, dtype=int)
    for parcel in ground.parcels:
        east, north = x - parcel.west_m, y - parcel.south_m
        inside = (east >= 0) & (east < parcel.side_m) & (north >= 0) & (north < parcel.side_m)
        owners += inside
        clear = inside & (
            np.minimum.reduce([east, parcel.side_m - east, north, parcel.side_m - north]) > 0.1
        )
        assert (found[clear] == parcel.number).all()
    assert (owners == 1).all()


def test_every_site_has_its_target_in_its_middle() -> None:
    ground = Ground(3, 10.0, 50.0, 200.0)
    sites = [parcel for parcel in ground.parcels if parcel.has_target]
    assert len(ground.targets) == len(sites) == 1 + 3 * FRAMES
    assert len({t.name for t in ground.targets}) == len(sites)
    for target, site in zip(ground.targets, sites, strict=True):
        assert 0.4 <= (target.east_m - site.west_m) / site.side_m <= 0.6
        assert 0.4 <= (target.north_m - site.south_m) / site.side_m <= 0.6
        assert 200.0 <= target.height_m <= 200.0 + 0.15 * site.side_m + 1e-3
        x, y = ground.plane.xy(target.lon_deg, target.lat_deg)
        assert np.hypot(x - target.east_m, y - target.north_m) < 1e-3
    assert any(t.height_m == 200.0 for t in ground.targets)
    assert any(t.height_m > 250.0 for t in ground.targets)


def test_cross_polarization_is_lower_and_reciprocal() -> None:
    for parcel in Ground(9, 0.0, 0.0, 0.0).parcels:
        assert parcel.sigma0_db["HV"] == parcel.sigma0_db["VH"] < parcel.sigma0_db["HH"] - 4.0


def test_one_ground_per_seed() -> None:
    first, again, other = (Ground(seed, 0.0, 0.0, 0.0) for seed in (1, 1, 2))
    assert first.parcels == again.parcels
    assert first.targets == again.targets
    assert first.parcels != other.parcels


def test_plane_is_metric_at_its_centre() -> None:
    plane = TangentPlane(20.0, -60.0)
    lon, lat = plane.lonlat(np.array([0.0, 30.0]), np.array([0.0, 40.0]))
    ends = geodetic_to_ecef(lon, lat)
    assert np.linalg.norm(ends[1] - ends[0]) == pytest.approx(50.0, abs=1e-6)

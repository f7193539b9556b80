"""The angular slope model, and the signs of its slopes for every way of looking."""

from __future__ import annotations

import numpy as np
import pytest

from alos2.ard.terrain.angular import angular_factor
from alos2.ard.terrain.geometry import TerrainGeometry
from alos2.geometry.ellipsoid import ecef_to_geodetic
from alos2.types import LookSide, PassDirection
from ard.terrainfixtures import HeightsOf, centres, lonlat, utm_grid, view_of_centre, whole


def test_level_ground_stays_as_it_is() -> None:
    theta = np.radians([20.0, 36.0, 60.0])
    for model in ("volume", "surface"):
        assert angular_factor(theta, 0.0, 0.0, model) == pytest.approx(1.0)


def test_the_formulas_of_the_paper() -> None:
    theta, alpha_r, alpha_az = np.radians([[36.0, 40.0], [12.0, -20.0], [7.0, 15.0]])
    right = np.pi / 2
    volume = np.tan(right - theta + alpha_r) / np.tan(right - theta)
    surface = np.cos(right - theta) / (np.cos(alpha_az) * np.cos(right - theta + alpha_r))
    assert angular_factor(theta, alpha_r, alpha_az, "volume") == pytest.approx(volume)
    assert angular_factor(theta, alpha_r, alpha_az, "surface") == pytest.approx(surface)


@pytest.mark.parametrize("model", ["volume", "surface"])
def test_no_answer_in_active_layover_and_shadow(model) -> None:
    theta = np.radians(40.0)
    slopes = np.radians([39.9, 40.0, 41.0, -49.9, -50.0, -60.0, np.nan])
    found = np.isfinite(angular_factor(theta, slopes, 0.0, model))
    assert found.tolist() == [True, False, False, True, False, False, False]


@pytest.mark.parametrize("look", ["R", "L"])
@pytest.mark.parametrize("direction", ["A", "D"])
def test_the_side_that_faces_the_radar_is_darkened(
    look: LookSide, direction: PassDirection
) -> None:
    """A roof from north to south: where the satellite stands is asked of the orbit alone."""
    view, grid = view_of_centre(look, direction), utm_grid(64)
    roof = HeightsOf(lambda x, y: 300.0 - 0.3 * np.abs(x) + 0.0 * y)
    geometry = TerrainGeometry(view, roof, grid)
    cells = geometry.window(whole(grid))
    satellite, _ = view.orbit.interpolate(float(cells.time_s.mean()))
    lon, _, _ = ecef_to_geodetic(satellite)
    radar_in_the_west = float(lon) < lonlat(0.0, 0.0)[0]
    assert radar_in_the_west == ((look == "R") == (direction == "A")), "as ALOS-2 flies"
    east, _ = centres(grid)
    facing = (east < -50.0) if radar_in_the_west else (east > 50.0)
    averted = (east > 50.0) if radar_in_the_west else (east < -50.0)
    assert (cells.slope_range_rad[facing] > np.radians(15)).all()
    assert (cells.slope_range_rad[averted] < -np.radians(15)).all()
    assert (cells.local_incidence_deg < cells.incidence_deg - 10)[facing].all()
    assert (cells.local_incidence_deg > cells.incidence_deg + 10)[averted].all()
    theta = np.radians(cells.incidence_deg)
    for model in ("volume", "surface"):
        factor = angular_factor(theta, cells.slope_range_rad, cells.slope_azimuth_rad, model)
        assert (factor[facing] > 1.2).all(), "divided by: bright slopes become darker"
        assert (factor[averted] < 0.85).all()


@pytest.mark.parametrize("look", ["R", "L"])
@pytest.mark.parametrize("direction", ["A", "D"])
def test_a_slope_that_rises_along_the_flight_is_positive(
    look: LookSide, direction: PassDirection
) -> None:
    """ALOS-2 ascends to the north-north-west and descends to the south-south-west."""
    grid = utm_grid(64)
    to_the_north = HeightsOf(lambda x, y: 0.2 * y + 0.0 * x)
    cells = TerrainGeometry(view_of_centre(look, direction), to_the_north, grid).window(whole(grid))
    assert (np.sign(cells.slope_azimuth_rad) == (1.0 if direction == "A" else -1.0)).all()
    steepest = np.hypot(np.tan(cells.slope_range_rad), np.tan(cells.slope_azimuth_rad))
    assert steepest == pytest.approx(0.2, rel=2e-3)

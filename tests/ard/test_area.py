"""The area model, against an image made by brute force from ground of one gamma nought."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alos2.ard.terrain.angular import angular_factor
from alos2.ard.terrain.arearatio import area_ratio
from alos2.ard.terrain.dem import Dem
from alos2.ard.terrain.geometry import TerrainGeometry
from alos2.ard.terrain.layovershadow import layover_shadow
from alos2.ard.terrain.view import View
from alos2.errors import Interrupted, UsageError
from alos2.types import LookSide, PassDirection, Window
from ard.terrainfixtures import (
    HeightsOf,
    RadarImage,
    grown,
    ridge,
    utm_grid,
    view_of_centre,
    whole,
    write_dem,
    write_raster,
)

SIZE_M = 7000.0


@pytest.fixture(scope="module")
def gentle(tmp_path_factory) -> Path:
    return write_dem(tmp_path_factory.mktemp("dem") / "gentle.tif", ridge(400.0), SIZE_M)


@pytest.fixture(scope="module")
def steep(tmp_path_factory) -> Path:
    return write_dem(tmp_path_factory.mktemp("dem") / "steep.tif", ridge(1100.0), SIZE_M)


@pytest.mark.parametrize(("look", "direction"), [("R", "A"), ("L", "D")])
def test_flattened_ground_of_one_gamma_nought_is_flat(
    gentle: Path, look: LookSide, direction: PassDirection, tmp_path: Path
) -> None:
    view, grid = view_of_centre(look, direction), utm_grid(140)
    with Dem.open(gentle, heights="ellipsoid") as dem, TerrainGeometry(view, dem, grid) as geometry:
        cells = geometry.window(whole(grid))
        ratio = area_ratio(geometry, tmp_path).window(whole(grid))
        assert not layover_shadow(geometry, tmp_path).window(whole(grid)).any()
    beta = RadarImage(view.orbit, ridge(400.0), 5000.0, 20.0).read(
        cells.time_s, cells.slant_range_m
    )
    slope = np.degrees(cells.slope_range_rad)
    assert slope.min() < -25
    assert slope.max() > 25
    theta = np.radians(cells.incidence_deg)
    unflattened = 10.0 * np.log10(beta * np.tan(theta))
    assert np.ptp(unflattened) > 9.0, "the ridge is plain to see before"
    by_area = 10.0 * np.log10(beta / ratio)
    assert np.abs(by_area).max() < 0.1
    assert np.abs(by_area).mean() < 0.02
    factor = angular_factor(theta, cells.slope_range_rad, cells.slope_azimuth_rad, "volume")
    by_angles = 10.0 * np.log10(beta * np.tan(theta) / factor)
    assert np.abs(by_angles).max() < 0.1
    assert np.abs(by_angles).mean() < 0.02


def test_steep_ground_is_flat_outside_of_layover_and_shadow(steep: Path, tmp_path: Path) -> None:
    view, grid = view_of_centre(), utm_grid(140)
    with Dem.open(steep, heights="ellipsoid") as dem, TerrainGeometry(view, dem, grid) as geometry:
        cells = geometry.window(whole(grid))
        ratio = area_ratio(geometry, tmp_path).window(whole(grid))
        mask = layover_shadow(geometry, tmp_path).window(whole(grid))
    beta = RadarImage(view.orbit, ridge(1100.0), 5000.0, 20.0).read(
        cells.time_s, cells.slant_range_m
    )
    clear = ~grown(mask > 0, 2)
    assert 0.2 < clear.mean() < 0.9
    error = np.abs(10.0 * np.log10(beta / ratio)[clear])
    assert np.percentile(error, 99) < 0.2
    # In layover the area model still works, as far as the image resolves it.
    folded = (mask == 1) & ~grown(mask > 1, 2)
    assert abs(np.median(10.0 * np.log10(beta / ratio)[folded])) < 0.3


def test_level_ground_has_the_cotangent_of_its_incidence(tmp_path: Path) -> None:
    path = write_dem(tmp_path / "level.tif", lambda x, y: 300.0 + 0.0 * x, 6000.0)
    grid = utm_grid(60)
    with (
        Dem.open(path, heights="ellipsoid") as dem,
        TerrainGeometry(view_of_centre(), dem, grid) as geometry,
    ):
        ratio = area_ratio(geometry, tmp_path).window(whole(grid))
        theta = np.radians(geometry.window(whole(grid)).incidence_deg)
    assert ratio * np.tan(theta) == pytest.approx(1.0, abs=2e-3)


def test_neither_threads_nor_windows_change_a_bit(steep: Path, tmp_path: Path) -> None:
    view, grid = view_of_centre("R", "D"), utm_grid(120, lines=150)
    made = []
    for threads in (1, 3):
        with (
            Dem.open(steep, heights="ellipsoid") as dem,
            TerrainGeometry(view, dem, grid) as geometry,
        ):
            ratio = area_ratio(geometry, tmp_path, threads=threads)
            mask = layover_shadow(geometry, tmp_path, threads=threads)
            made.append((ratio.window(whole(grid)), mask.window(whole(grid))))
            cut = Window(17, 31, 77, 53)
            inside = np.s_[17 : 17 + 77, 31 : 31 + 53]
            np.testing.assert_array_equal(ratio.window(cut), made[0][0][inside])
            np.testing.assert_array_equal(mask.window(cut), made[0][1][inside])
            assert list(tmp_path.iterdir()) == [], "scratch files have no names"
    np.testing.assert_array_equal(*(a for a, _ in made))
    np.testing.assert_array_equal(*(m for _, m in made))


def test_where_the_dem_ends_there_is_no_area(tmp_path: Path) -> None:
    values = np.full((200, 100), 50.0, np.float32)  # covers the western half only
    grid = utm_grid(80)
    _, _, west, _, _, north = grid.transform
    path = write_raster(
        tmp_path / "half.tif", values, (20.0, 0.0, west - 1000.0, 0.0, -20.0, north + 1000.0)
    )
    with (
        Dem.open(path, heights="ellipsoid") as dem,
        TerrainGeometry(view_of_centre(), dem, grid) as geometry,
    ):
        ratio = area_ratio(geometry, tmp_path).window(whole(grid))
        mask = layover_shadow(geometry, tmp_path).window(whole(grid))
    assert np.isfinite(ratio[:, :38]).all()
    assert np.isnan(ratio[:, 40:]).all()
    assert not mask.any()


def test_a_map_that_reaches_beyond_nadir_and_horizon(tmp_path: Path) -> None:
    values = np.full((60, 120), 20.0, np.float32)
    path = write_raster(
        tmp_path / "wide.tif", values, (0.5, 0.0, 108.0, 0.0, -0.5, 50.0), "EPSG:4326"
    )
    grid = utm_grid(600, 2000.0, lines=12)
    with (
        Dem.open(path, heights="ellipsoid") as dem,
        TerrainGeometry(view_of_centre(), dem, grid) as geometry,
    ):
        theta = geometry.window(whole(grid)).incidence_deg
        ratio = area_ratio(geometry, tmp_path).window(whole(grid))
        assert not layover_shadow(geometry, tmp_path).window(whole(grid)).any()
    assert np.isnan(theta[6, 0]), "left of the track"
    fair = (theta > 10) & (theta < 70)
    assert 1000 < fair.sum() < 0.9 * fair.size
    assert ratio[fair] * np.tan(np.radians(theta[fair])) == pytest.approx(1.0, abs=0.06)
    assert np.isnan(ratio[np.isnan(theta)]).all()


def test_what_is_missing_is_said(steep: Path, tmp_path: Path) -> None:
    grid = utm_grid(64)
    flat = TerrainGeometry(view_of_centre(), HeightsOf(lambda x, y: 0.0 * x * y), grid)
    with pytest.raises(UsageError, match="need a DEM"):
        layover_shadow(flat, tmp_path)
    known = view_of_centre()
    nominal = View(known.orbit, known.look, nominal=True, incidence_error_deg=0.6)
    away = View(known.orbit, "L")
    with Dem.open(steep, heights="ellipsoid") as dem:
        with pytest.raises(UsageError, match=r"needs an orbit.*angular model"):
            area_ratio(TerrainGeometry(nominal, dem, grid), tmp_path)
        with pytest.raises(UsageError, match="looks away"):
            area_ratio(TerrainGeometry(away, dem, grid), tmp_path)
        with pytest.raises(Interrupted):
            area_ratio(TerrainGeometry(known, dem, grid), tmp_path, cancelled=lambda: True)

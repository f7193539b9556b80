"""Heights from rasters of every kind, holes, and what they are above."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from pyproj import CRS, datadir

from alos2.ard.terrain.dem import Dem
from alos2.ard.terrain.geoid import GRIDS
from alos2.ard.terrain.lattice import MapGround
from alos2.errors import BadProduct, UsageError
from alos2.product.model import MapGrid
from alos2.types import RasterShape, Window
from ard.terrainfixtures import EAST, NORTH, centres, utm_grid, whole, write_raster

POSTS = np.random.default_rng(5).uniform(0.0, 500.0, (120, 130)).astype(np.float32)
CORNER = (30.0, 0.0, EAST - 1900.0, 0.0, -30.0, NORTH + 1700.0)


def bilinear(posts: NDArray[np.float32], x: float, y: float) -> float:
    """One height, slowly: weights of the four posts around; any hole of weight is a hole."""
    column, row = (x - (EAST - 1900.0)) / 30.0 - 0.5, (NORTH + 1700.0 - y) / 30.0 - 0.5
    c, r = int(np.floor(column)), int(np.floor(row))
    total = 0.0
    for d in (0, 1):
        for e in (0, 1):
            weight = abs(1 - d - (row - r)) * abs(1 - e - (column - c))
            if weight > 0:
                total += weight * posts[r + d, c + e]
    return total


def of_lonlat(path: Path, west: float, east: float, step: float = 0.01) -> Path:
    """A DEM in degrees whose height is a plane: 10 m a degree east, 20 m a degree north of 34."""
    columns = round((east - west) / step)
    lon = west + (np.arange(columns) + 0.5) * step
    lat = 37.0 - (np.arange(300) + 0.5) * 0.01
    plane = 10.0 * (lon[None] % 360.0) + 20.0 * (lat[:, None] - 34.0)
    return write_raster(
        path, plane.astype(np.float32), (step, 0.0, west, 0.0, -0.01, 37.0), "EPSG:4326"
    )


def test_bilinear_between_the_posts(tmp_path: Path) -> None:
    posts = POSTS.copy()
    posts[40:43, 50:52] = -9999.0
    path = write_raster(tmp_path / "d.tif", posts, CORNER, nodata=-9999.0)
    posts[posts == -9999.0] = np.nan
    grid = utm_grid(100)
    with Dem.open(path, heights="ellipsoid") as dem:
        found = dem.heights(grid, whole(grid))
        assert dem.name == "d.tif"
        assert "ellipsoid" in dem.heights_from
    x, y = centres(grid)
    wanted = np.vectorize(lambda a, b: bilinear(posts, EAST + a, NORTH + b))(x, y)
    assert 4 < np.isnan(wanted).sum() < 60
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    # The place in the raster is right to 0.002 of a post, and neighbours differ by up to 500 m.
    assert np.nanmax(np.abs(found - wanted)) < 1.0
    assert np.nanmean(np.abs(found - wanted)) < 1e-2


def test_another_reference_system(tmp_path: Path) -> None:
    grid = utm_grid(200, 50.0)
    with Dem.open(of_lonlat(tmp_path / "d.tif", 137.0, 140.0), heights="ellipsoid") as dem:
        found = dem.heights(grid, whole(grid))
    lon, lat = MapGround(grid).lonlat(*np.meshgrid(np.arange(200) + 0.5, np.arange(200) + 0.5))
    assert np.abs(found - (10.0 * lon + 20.0 * (lat - 34.0))).max() < 1e-3


@pytest.mark.parametrize(("west", "east"), [(-180.0, 180.0), (178.0, 182.0), (-182.0, -178.0)])
def test_across_the_antimeridian(west: float, east: float, tmp_path: Path) -> None:
    path = of_lonlat(tmp_path / "d.tif", west, east, 0.05)
    with rasterio.open(path, "r+") as file:  # no jump of the plane from 3600 to 0 m
        plane = file.read(1)
        lon = west + (np.arange(plane.shape[1]) + 0.5) * 0.05
        file.write((plane - 10.0 * (lon % 360.0) + 100.0 * np.cos(np.radians(lon))), 1)
    transform = (200.0, 0.0, 713_000.0, 0.0, -200.0, 3_950_000.0)  # UTM zone 60, to its edge
    grid = MapGrid(CRS.from_epsg(32660).to_wkt(), 32660, transform, RasterShape(300, 500))
    lon, lat = MapGround(grid).lonlat(*np.meshgrid(np.arange(500) + 0.5, np.arange(300) + 0.5))
    assert lon.min() < 179.5
    assert lon.max() > 180.2
    with Dem.open(path, heights="ellipsoid") as dem:
        found = dem.heights(grid, whole(grid))
        dem.require_covered(grid)
    wanted = 100.0 * np.cos(np.radians(lon)) + 20.0 * (lat - 34.0)
    assert np.abs(found - wanted).max() < 1e-3


def test_the_same_wherever_windows_are_cut(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "d.tif", POSTS, CORNER, tiled=True, blockxsize=64, blockysize=64)
    grid = utm_grid(100)
    with Dem.open(path, heights="ellipsoid") as dem:
        around = dem.heights(grid, Window(-20, -20, 140, 140))
        cuts = [Window(-20, 0, 33, 100), Window(7, 91, 64, 29), Window(50, 50, 1, 1)] * 6
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda cut: dem.heights(grid, cut), cuts))
    for cut, part in zip(cuts, made, strict=True):
        at = cut.line + 20, cut.pixel + 20
        inside = around[at[0] : at[0] + cut.lines, at[1] : at[1] + cut.pixels]
        np.testing.assert_array_equal(part, inside)


def test_a_finer_dem_is_averaged(tmp_path: Path) -> None:
    corner = (5.0, 0.0, EAST - 1000.0, 0.0, -5.0, NORTH + 1000.0)
    posts = np.random.default_rng(2).normal(100.0, 30.0, (400, 400)).astype(np.float32)
    posts[:7, :7] = np.nan
    path = write_raster(tmp_path / "d.tif", posts, corner)
    grid = utm_grid(80)
    with Dem.open(path, heights="ellipsoid") as dem:
        found = dem.heights(grid, whole(grid))
    with np.errstate(invalid="ignore"):
        groups = posts.astype(np.float64).reshape(80, 5, 80, 5).transpose(0, 2, 1, 3)
    wanted = np.nanmean(groups.reshape(80, 80, 25)[1:], axis=-1)
    assert np.isnan(found[0, 0])
    assert np.isfinite(found.ravel()[1:]).all(), "a group that is known in part has a mean"
    assert np.abs(found[2:] - wanted[1:]).max() < 0.5


def test_voids_that_nobody_declares(tmp_path: Path) -> None:
    posts = POSTS.astype(np.int16)
    posts[60, 60] = -32768
    path = write_raster(tmp_path / "d.tif", posts, CORNER)
    grid = utm_grid(100)
    with Dem.open(path, heights="ellipsoid") as dem:
        assert 0 < np.isnan(dem.heights(grid, whole(grid))).sum() <= 9
    with Dem.open(path, heights="ellipsoid", fill_m=7.0) as dem:
        found = dem.heights(grid, whole(grid))
    assert np.isfinite(found).all()
    assert (found == 7.0).any()


def test_holes_are_told_with_their_place(tmp_path: Path) -> None:
    posts = POSTS.copy()
    posts[50:56, 60:66] = np.nan
    path = write_raster(tmp_path / "holed.tif", posts, CORNER)
    grid = utm_grid(100)
    with Dem.open(path, heights="ellipsoid") as dem:
        survey = dem.survey(grid)
        with pytest.raises(BadProduct) as raised:
            dem.require_covered(grid)
        holes = np.isnan(dem.heights(grid, whole(grid)))
        assert survey.lowest_m >= 0.0
        assert survey.highest_m <= 500.0
    rows, columns = np.nonzero(holes)
    lon, lat = MapGround(grid).lonlat(
        np.array([columns.min(), columns.max() + 1.0]), np.array([rows.max() + 1.0, rows.min()])
    )
    message = str(raised.value)
    assert f"{holes.sum()} of 10000 cells" in message
    told = [float(n) for n in re.findall(r"-?\d+\.\d{4}\b", message)]
    assert told == pytest.approx([*lon, *lat], abs=1e-3)
    assert "holed.tif has holes" in message
    assert "gdal_fillnodata" in message


def test_a_dem_elsewhere_does_not_cover(tmp_path: Path) -> None:
    path = of_lonlat(tmp_path / "d.tif", 10.0, 13.0)
    grid = utm_grid(80)
    with (
        Dem.open(path, heights="ellipsoid") as dem,
        pytest.raises(BadProduct, match=r"does not cover the area: 6400 of 6400 cells"),
    ):
        dem.require_covered(grid)


def test_a_vrt_and_a_cog_are_read_too(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "d.tif", POSTS, CORNER)
    grid = utm_grid(100)
    rasterio.shutil.copy(path, tmp_path / "d.vrt", driver="VRT")
    rasterio.shutil.copy(path, tmp_path / "cog.tif", driver="COG", BLOCKSIZE=128)
    made = []
    for name in ("d.tif", "d.vrt", "cog.tif"):
        with Dem.open(tmp_path / name, heights="ellipsoid") as dem:
            made.append(dem.heights(grid, whole(grid)))
    np.testing.assert_array_equal(made[1], made[0])
    np.testing.assert_array_equal(made[2], made[0])


def test_feet_and_scales(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "d.tif", np.full((120, 130), 1000, np.int16), CORNER)
    with rasterio.open(path, "r+") as file:
        file.units, file.scales, file.offsets = ["ft"], [0.1], [50.0]
    grid = utm_grid(20)
    with Dem.open(path, heights="ellipsoid") as dem:
        assert dem.heights(grid, whole(grid)) == pytest.approx(150.0 * 0.3048, rel=1e-6)
    with rasterio.open(path, "r+") as file:
        file.units = ["kPa"]
    with pytest.raises(BadProduct, match=r"is in 'kpa'"):
        Dem.open(path, heights="ellipsoid")


def test_what_is_no_dem(tmp_path: Path) -> None:
    (tmp_path / "page.tif").write_text("<html>not found</html>")
    nowhere = write_raster(tmp_path / "nowhere.tif", POSTS, CORNER, None)
    for path, words in (
        (tmp_path / "page.tif", "cannot be opened"),
        (tmp_path / "absent.tif", "cannot be opened"),
        (nowhere, "no coordinate reference system"),
    ):
        with pytest.raises(BadProduct, match=words):
            Dem.open(path, heights="ellipsoid")


def test_a_dem_cut_short_is_told(tmp_path: Path) -> None:
    path = write_raster(tmp_path / "d.tif", POSTS, CORNER)
    path.write_bytes(path.read_bytes()[:20_000])
    with Dem.open(path, heights="ellipsoid") as dem, pytest.raises(BadProduct, match="damaged"):
        dem.heights(utm_grid(100), whole(utm_grid(100)))


@pytest.fixture
def undulations(tmp_path: Path) -> Path:
    """A grid of undulations as PROJ's: 30 m everywhere, 40 m from 138.6 degrees eastwards."""
    values = np.where(np.arange(0, 360, 0.25) + 0.125 < 138.6, 30.0, 40.0)
    folder = tmp_path / "proj"
    folder.mkdir()
    return write_raster(
        folder / GRIDS["egm96"][0], np.broadcast_to(values, (720, 1440)).astype(np.float32),
        (0.25, 0.0, 0.0, 0.0, -0.25, 90.0), "EPSG:4326",
    )  # fmt: skip


def test_the_geoid_is_added(tmp_path: Path, undulations: Path, monkeypatch) -> None:
    grid = utm_grid(20)
    plain = write_raster(tmp_path / "plain.tif", POSTS, CORNER)
    vertical = write_raster(tmp_path / "egm.tif", POSTS, CORNER, "EPSG:32654+5773")
    solid = of_lonlat(tmp_path / "solid.tif", 137.0, 140.0)
    with rasterio.open(solid, "r+") as file:
        file.crs = "EPSG:4979"

    def heights(path: Path, setting: str) -> NDArray[np.float32]:
        with Dem.open(path, heights=setting) as dem:
            return dem.heights(grid, whole(grid))

    bare = heights(plain, "ellipsoid")
    with pytest.raises(UsageError, match=r"does not say.*ellipsoid, egm96"):
        Dem.open(plain)
    with pytest.raises(UsageError, match=rf"{GRIDS['egm96'][0]} is not on this machine.*projsync"):
        Dem.open(vertical)
    assert heights(solid, "auto") == pytest.approx(heights(solid, "ellipsoid"))
    assert heights(plain, "36.5") - bare == pytest.approx(36.5, abs=1e-3)
    by_path = heights(plain, str(undulations)) - bare
    assert by_path.min() > 30.0
    assert by_path.max() < 40.0
    monkeypatch.setattr(datadir, "get_user_data_dir", lambda: str(undulations.parent))
    np.testing.assert_array_equal(heights(vertical, "auto") - bare, by_path)
    np.testing.assert_array_equal(heights(plain, "EGM96") - bare, by_path)
    with Dem.open(vertical) as dem:
        assert "EGM96" in dem.heights_from


@pytest.mark.parametrize(("setting", "words"), [("sea", "neither"), ("1000", "-107 to 86")])
def test_settings_that_mean_nothing(setting: str, words: str, tmp_path: Path) -> None:
    path = write_raster(tmp_path / "d.tif", POSTS, CORNER)
    with pytest.raises(UsageError, match=words):
        Dem.open(path, heights=setting)

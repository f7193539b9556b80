"""Relief as the radar sees it: brightness, place, shadow, and that nothing is lost."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from alos2.errors import UsageError
from alos2.geometry.ellipsoid import geodetic_to_ecef
from alos2.geometry.rangedoppler import geo2rdr, incidence_deg, rdr2geo
from alos2.simulate import SimulationSpec, Terrain
from alos2.simulate.facets import covering, facets, projected_power, radar_sigma0
from alos2.simulate.ground import TangentPlane
from alos2.simulate.platform import scene_heading_deg
from alos2.simulate.relief import MapPlaces, Relief, bilinear
from alos2.simulate.scene import Scene, plan
from alos2.simulate.terrain import heights_of
from simulate.measure import inside
from simulate.products import Made, Maker

HEADING_DEG = -9.85
"""Of the ascending track at the default place: a crest along it has slopes in range only."""
ROOF = Terrain("roof", 250.0, 1300.0, azimuth_deg=HEADING_DEG)
WALL = Terrain("ridge", 500.0, 500.0, azimuth_deg=HEADING_DEG)
CENTER = (138.6, 35.2)


def level(x: Any, y: Any) -> Any:
    return np.ones_like(x)


def scene_of(terrain: Terrain, **given: Any) -> Scene:
    return plan(SimulationSpec(targets=False, terrain=terrain, **given))


def bright(scene: Scene) -> Any:
    heights = scene.ground.heights
    assert heights is not None
    return radar_sigma0(scene.swaths[0], scene.ground, heights, [level])[0]


@pytest.mark.parametrize("height_m", [0.0, 800.0])
@pytest.mark.parametrize("look", ["L", "R"])
def test_level_ground_has_the_cosine_of_the_incidence(height_m: float, look: Any) -> None:
    scene = scene_of(Terrain(height_m=0.0), pixels=60, lines=50, look=look, height_m=height_m)
    image = bright(scene)
    swath = scene.swaths[0]
    pixel = np.arange(60.0)
    at = swath.time_s(25.0), swath.range_m(pixel), look
    local, used = (np.radians(incidence_deg(swath.orbit, *at, h)) for h in (height_m, 0.0))
    expected = np.cos(local) / np.sin(local) * np.sin(used)
    np.testing.assert_allclose(image, np.broadcast_to(expected, image.shape), rtol=4e-4)


def test_slopes_are_as_bright_as_their_angle_says() -> None:
    scene = scene_of(ROOF, pixels=260, lines=60)
    image, swath = bright(scene), scene.swaths[0]
    across = math.radians(HEADING_DEG + 90.0)
    away = np.array([-300.0, 300.0])
    x, y = away * math.sin(across), away * math.cos(across)
    lon, lat = scene.ground.plane.lonlat(x, y)
    height = scene.ground.heights(x, y)  # type: ignore[misc]
    assert height == pytest.approx([250.0 * (1.0 - 300.0 / 650.0)] * 2)
    line, pixel = swath.line_pixel(lon, lat, height)
    at = swath.orbit, *geo2rdr(swath.orbit, lon, lat, height), "R"
    local, used = (np.radians(incidence_deg(*at, h)) for h in (height, 0.0))  # type: ignore[arg-type]
    slope = math.atan(250.0 / 650.0) * np.array([1.0, -1.0])
    expected = np.sin(used) / np.tan(local - slope)
    found = [image[round(r), round(c)] for r, c in zip(line, pixel, strict=True)]
    assert 10.0 * np.log10(found) == pytest.approx(10.0 * np.log10(expected), abs=0.02)
    assert 10.0 * math.log10(found[0] / found[1]) > 6.0


def test_no_power_is_lost_or_made() -> None:
    scene = scene_of(WALL, pixels=150, lines=40)
    swath, ground = scene.swaths[0], scene.ground
    assert ground.heights is not None
    image = projected_power(swath, ground, ground.heights, [level])[0]
    within = touching = 0.0
    for block in facets(swath, ground, ground.heights):
        whole = (block.first_line >= -0.5) & (block.last_line <= 39.5)
        whole &= (block.first_pixel >= -0.5) & (block.last_pixel <= 149.5)
        part = (block.last_line > -0.5) & (block.first_line < 39.5)
        part &= (block.last_pixel > -0.5) & (block.first_pixel < 149.5)
        within += block.area_m2[whole].sum()
        touching += block.area_m2[part].sum()
    assert within <= image.sum(dtype=float) * (1.0 + 1e-6) <= touching * (1.0 + 2e-6)
    assert touching / within < 1.05
    # The slope that faces the radar is laid over the ground before it, and far brighter.
    assert image.max() > 3.0 * np.median(image[image > 0.0])


def test_shadow_is_empty_where_a_slow_sweep_finds_it() -> None:
    scene = scene_of(WALL, pixels=240, lines=32)
    image, swath = bright(scene), scene.swaths[0]
    heights = scene.ground.heights
    assert heights is not None
    # One line of the ground from near to far: seen where no nearer point hides it.
    lon, lat = swath.lonlat(10.0, np.arange(-200.0, 240.0, 0.25))
    x, y = scene.ground.plane.xy(lon, lat)
    height = heights(x, y)
    angle = incidence_of_sight(scene, lon, lat, height)
    hidden = angle < np.maximum.accumulate(angle)
    _, pixel = swath.line_pixel(lon, lat, height)
    seen = np.unique(np.rint(pixel[~hidden])).astype(int)
    dark = np.flatnonzero(image[10] == 0.0)
    assert dark.size > 20
    assert np.intersect1d(dark, seen).size <= 1
    cover = covering(swath, scene.ground, heights)
    assert (cover[10, dark] == 0.0).all()
    assert np.rint(cover[10, :5]) == pytest.approx(1.0)


def incidence_of_sight(scene: Scene, lon: Any, lat: Any, height: Any) -> Any:
    """Angle at the satellite between straight down and a place."""
    position, _ = scene.orbit.interpolate(float(scene.swaths[0].time_s(10.0)))
    ray = geodetic_to_ecef(lon, lat, height) - position
    down = -position / np.linalg.norm(position)
    return np.arccos((ray @ down) / np.linalg.norm(ray, axis=-1))


def test_the_heading_is_the_crests() -> None:
    scene = plan(SimulationSpec(pixels=64, lines=64))
    heading = scene_heading_deg(scene.orbit, scene.flight.center_s, scene.center_range_m, "R")
    assert heading == pytest.approx(HEADING_DEG, abs=0.02)


@pytest.fixture(scope="module")
def ortho(make: Maker) -> Made:
    return make(level="2.1", pixels=300, lines=300, targets=False, terrain=ROOF, dem=True)


def test_the_ridge_of_an_orthorectified_image_is_that_of_the_dem() -> None:
    assert crest_m(scene_of(ROOF, level="2.1", pixels=200, lines=200)) == pytest.approx(
        0.0, abs=3.0
    )


def test_on_the_ellipsoid_it_is_displaced_towards_the_radar() -> None:
    scene = scene_of(ROOF, level="1.5", pixels=200, lines=200)
    expected = -250.0 / math.tan(math.radians(scene.incidence_deg))
    assert crest_m(scene) == pytest.approx(expected, abs=6.25)
    t, r = geo2rdr(scene.orbit, *CENTER, 250.0)
    exactly = across_m(scene, *rdr2geo(scene.orbit, t, r, look="R"))
    assert crest_m(scene) == pytest.approx(float(exactly), abs=3.0)


def across_m(scene: Scene, lon: Any, lat: Any) -> Any:
    """Distance from the centre at right angles to the crest, away from the radar."""
    x, y = scene.ground.plane.xy(lon, lat)
    across = math.radians(HEADING_DEG + 90.0)
    return x * math.sin(across) + y * math.cos(across)


def crest_m(scene: Scene) -> float:
    """Where the bright slope ends and the dark one begins on a map without speckle."""
    heights, grid = scene.ground.heights, scene.grid
    assert heights is not None
    assert grid is not None
    cells = Relief(scene, heights).cells()
    image = radar_sigma0(cells, scene.ground, heights, [level])[0]
    surface = heights if scene.spec.level == "2.1" else None
    places = MapPlaces(scene, grid, cells, surface).strip(0, grid.shape.lines)
    brightness = bilinear(image, *places)
    away = across_m(scene, *grid.lonlat(*np.mgrid[0:200, 0:200]))
    middle = slice(80, 120)
    half = 0.5 * (brightness[middle].min() + brightness[middle].max())
    edge = (brightness[middle, :-1] > half) & (brightness[middle, 1:] <= half)
    assert edge.sum() == 40  # one in each line
    return float(np.mean(0.5 * (away[middle, :-1] + away[middle, 1:])[edge]))


def test_patches_of_slopes_have_their_gamma0(ortho: Made) -> None:
    scene = plan(ortho.spec)
    assert scene.ground.heights is not None
    truth = ortho.truth
    assert truth["backscatter"] == "gamma0_T"
    unit = radar_sigma0(scene.swaths[0], scene.ground, scene.ground.heights, [level])[0]
    sigma0 = ortho.sigma0()
    checked = 0
    for patch in truth["patches"]:
        assert "sigma0_db" not in patch
        corners = np.array(patch["inner"][0]["polygon"])
        middle = corners.mean(axis=0)  # the radar sees 13 m of the slope that faces it at once
        polygon = (middle + 0.7 * (corners - middle)).tolist()
        mask = inside(polygon, sigma0.shape) & (sigma0 > 0.0)
        if mask.sum() < 60:
            continue
        rows, columns = np.nonzero(mask)
        lon, lat = scene.grid.lonlat(rows, columns)  # type: ignore[union-attr]
        height = scene.ground.heights(*scene.ground.plane.xy(lon, lat))
        line, pixel = scene.swaths[0].line_pixel(lon, lat, height)
        slope = unit[np.rint(line).astype(int), np.rint(pixel).astype(int)]
        found = 10.0 * math.log10((sigma0[mask] / slope).mean())
        # Four standard deviations of two looks.
        assert found == pytest.approx(patch["gamma0_db"]["HH"], abs=0.2 + 12.3 / mask.sum() ** 0.5)
        checked += 1
    assert checked >= 4


def test_the_dem_is_the_surface(ortho: Made) -> None:
    path = ortho.result.dem_path
    assert path is not None
    assert path.name == f"{ortho.folder.name}-dem.tif"
    assert path.parent == ortho.folder.parent
    scene = plan(ortho.spec)
    with rasterio.open(path) as dataset:
        assert dataset.crs.to_epsg() == 32654
        assert dataset.dtypes == ("float32",)
        assert dataset.units == ("m",)
        assert np.array(dataset.transform)[[2, 5]] % dataset.res[0] == pytest.approx(
            [0.0, 0.0], abs=1e-6
        )
        heights = dataset.read(1)
        assert np.isfinite(heights).all()
        assert heights.max() == pytest.approx(250.0, abs=1.5)
        assert heights.min() == pytest.approx(0.0, abs=1e-3)
        # The crest, in the map's own coordinates.
        to_map = Transformer.from_crs("EPSG:4326", 32654, always_xy=True).transform
        row, column = dataset.index(*to_map(*CENTER))
        assert heights[row, column] > 248.0
    lon, lat = np.array(list(scene.data_corners.values())).T
    x, y = scene.ground.plane.xy(lon, lat)
    assert scene.ground.heights is not None
    with rasterio.open(path) as dataset:
        places = np.stack(to_map(lon, lat), axis=-1)
        found = np.array(list(dataset.sample(places)))[:, 0]
    assert found == pytest.approx(scene.ground.heights(x, y), abs=1.5)


def test_a_dem_may_be_the_terrain(ortho: Made, make: Maker) -> None:
    path = ortho.result.dem_path
    assert path is not None
    plane = TangentPlane(*CENTER)
    from_file = heights_of(Terrain("file", path=path), plane, 0.0)
    x, y = np.meshgrid(np.linspace(-700.0, 700.0, 41), np.linspace(-600.0, 600.0, 31))
    expected = heights_of(ROOF, plane, 0.0)(x, y)
    found = from_file(x, y)
    assert np.abs(found - expected).max() < 1.0  # at the crest, which the DEM rounds
    assert np.median(np.abs(found - expected)) < 1e-3
    made = make(
        level="2.1", pixels=150, lines=150, targets=False, terrain=Terrain("file", path=path)
    )
    same = make(level="2.1", pixels=150, lines=150, targets=False, terrain=ROOF)
    ratio = made.sigma0()[60:90, 60:90] / same.sigma0()[60:90, 60:90]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.02)
    with pytest.raises(UsageError, match="has no height at"):
        from_file(np.array([9e4]), np.array([0.0]))


def test_hills_stay_within_their_height() -> None:
    hills = heights_of(Terrain("hills", 300.0, 900.0), TangentPlane(*CENTER), 50.0)
    x, y = np.meshgrid(np.linspace(-9e3, 9e3, 200), np.linspace(-9e3, 9e3, 200))
    heights = hills(x, y)
    assert heights.min() >= hills.lowest_m == 50.0
    assert heights.max() <= hills.highest_m == 350.0
    assert heights.std() > 20.0


def test_a_target_stands_on_the_slope(make: Maker) -> None:
    made = make(level="1.1", pixels=200, lines=200, terrain=Terrain("roof", 200.0, 4000.0))
    scene = plan(made.spec)
    flat = {t.name: t for t in plan(SimulationSpec(seed=5)).ground.targets}
    heights = scene.ground.heights
    assert heights is not None
    near = scene.ground.targets_within(300.0)
    assert near
    for target in near:
        ground = heights(np.array([target.east_m]), np.array([target.north_m]))[0]
        assert target.height_m - ground == pytest.approx(flat[target.name].height_m, abs=2e-3)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kind": "volcano"}, "terrain 'volcano' is not one of"),
        ({"kind": "file"}, "needs a path"),
        ({"path": Path("dem.tif")}, "the others have none"),
        ({"height_m": math.nan}, "not all are numbers"),
        ({"height_m": 1e5}, "at most 9000"),
        ({"width_m": 0.0}, "has to be positive"),
        ({"height_m": 5000.0, "width_m": 100.0}, "slopes of 90 degrees"),
    ],
)
def test_terrain_that_cannot_be(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Terrain(**given)


def test_a_dem_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "dem.tif"
    path.write_bytes(b"no raster")
    with pytest.raises(UsageError, match=r"the DEM .*dem\.tif cannot be read"):
        plan(SimulationSpec(terrain=Terrain("file", path=path)))
    with pytest.raises(UsageError, match="a ridge, a roof or hills"):
        SimulationSpec(dem=True)

"""Whole scenes from simulated products, against what is true of them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from alos2.ard.extent import boxes_of
from alos2.ard.grid import snapped_grid
from alos2.ard.options import ArdOptions, workers
from alos2.ard.part import part_around
from alos2.ard.scene import make_ard
from alos2.ard.stored import ArdScene, load_ard
from alos2.ard.terrain.dem import Dem
from alos2.errors import BadProduct, Interrupted, NoResource, NothingFound, NotSupported, UsageError
from alos2.product.recognise import recognise
from alos2.simulate import Terrain
from alos2.speckle import Speckle, SpeckleFilter
from alos2.types import Window
from ard.conftest import on_grid, parcel_masks, read

LEVELS = ("1.1", "1.5", "2.1")


def _db(power: Any) -> Any:
    return 10 * np.log10(power)


def _parcels(power: Any, grid: Any, truth: dict[str, Any], key: str, off_px: float) -> Any:
    """Mean, its standard error and the true value of each parcel of 30 cells and more."""
    found = []
    for mask, patch in zip(parcel_masks(grid, truth, off_px), truth["patches"], strict=True):
        cells = power[mask & np.isfinite(power)].astype(float)
        if cells.size >= 30 and not patch["has_target"]:
            # Neighbouring cells share pixels: fewer of them are independent.
            error = 1.6 * cells.std() / np.sqrt(cells.size)
            found.append((cells.mean(), error, 10 ** (patch[key]["HH"] / 10)))
    return np.array(found).T


@pytest.mark.parametrize(
    ("level", "more"), [("1.1", {"lines": 480}), ("1.5", {}), ("1.5", {"option": "R"}), ("2.1", {})]
)
def test_sigma_nought_of_a_flat_scene_is_true(
    level: str, more: dict[str, Any], simulated: Any, around: Any, tmp_path: Path
) -> None:
    scene = simulated(level=level, targets=False, **more)
    grid = around(620.0, 12.5)
    made = make_ard(
        [scene.product], grid, ArdOptions(product_type="GTC-sigma0"), tmp_path / "a", name="a",
        dem=None,
    )  # fmt: skip
    power = read(made.layers["HH"])
    mean, error, truth = _parcels(power, grid, scene.truth, "sigma0_db", 1.5)
    assert len(mean) >= 8
    assert (np.abs(mean - truth) < 4 * error + 2e-3 * truth).all()
    assert abs(_db((mean / truth).mean())) < 0.1
    assert np.nanmin(power) > 0


def test_gamma_nought_by_the_ellipsoid(simulated: Any, around: Any, tmp_path: Path) -> None:
    product, grid = simulated(targets=False).product, around(500.0, 25.0)
    sigma, gamma = (
        make_ard(
            [product], grid, ArdOptions(product_type=kind), tmp_path / kind, name="a", dem=None
        )
        for kind in ("GTC-sigma0", "GTC-gamma0")
    )
    angle = np.radians(read(gamma.layers["ei"]).astype(float))
    expected = read(sigma.layers["HH"]) / np.cos(angle)
    np.testing.assert_allclose(read(gamma.layers["HH"]), expected, rtol=3e-4)
    # Off nadir 32.5 degrees at 628 km is 36 on the ground or so; here 36.6 -> 41.
    assert np.degrees(angle).mean() == pytest.approx(41.0, abs=0.5)


@pytest.mark.parametrize("level", LEVELS)
def test_the_area_model_flattens_a_roof(level: str, roof: Any, around: Any, tmp_path: Path) -> None:
    scene, grid = roof(level), around(600.0, 20.0)
    with Dem.open(scene.dem_path, heights="ellipsoid") as dem:
        made = make_ard([scene.product], grid, ArdOptions(), tmp_path / "a", name="a", dem=dem)
        raw = make_ard(
            [scene.product], grid, ArdOptions(product_type="GTC-gamma0"), tmp_path / "b", name="b",
            dem=dem,
        )  # fmt: skip
    assert made.notes == ()
    assert set(made.layers) == {"HH", "mask", "lia", "ei", "area", "gs"}
    assert _both_sides(made, raw, scene, grid) == pytest.approx((0.0, 0.0), abs=0.2)
    assert min(abs(side) for side in _both_sides(raw, raw, scene, grid)) > 0.8


def _both_sides(made: ArdScene, raw: ArdScene, scene: Any, grid: Any) -> tuple[float, float]:
    """How far, dB, backscatter is from the truth on the side to the radar and on the other."""
    power, angle = read(made.layers["HH"]), read(raw.layers["lia"])
    facing, away = [], []
    masks = parcel_masks(grid, scene.truth, 2.0)
    for mask, patch in zip(masks, scene.truth["patches"], strict=True):
        if patch["has_target"]:
            continue
        true = 10 ** (patch["gamma0_db"]["HH"] / 10)
        facing.append(power[mask & (angle < 35)] / true)
        away.append(power[mask & (angle > 46)] / true)
    sides = [np.concatenate(side) for side in (facing, away)]
    assert min(side[np.isfinite(side)].size for side in sides) > 150
    return float(_db(np.nanmean(sides[0]))), float(_db(np.nanmean(sides[1])))


def test_the_angular_model_flattens_a_geotiff_without_an_orbit(
    roof: Any, around: Any, tmp_path: Path
) -> None:
    scene, grid = roof("2.1", format="geotiff"), around(600.0, 20.0)
    options = ArdOptions()  # the model of a volume, which is what area makes of a single slope
    with Dem.open(scene.dem_path, heights="ellipsoid") as dem:
        made = make_ard([scene.product], grid, options, tmp_path / "a", name="a", dem=dem)
        with pytest.raises(UsageError, match="area model needs an orbit"):
            make_ard(
                [scene.product], grid, replace(options, flattening="area"), tmp_path / "b",
                name="b", dem=dem,
            )  # fmt: skip
    said = " ".join(made.notes)
    assert "angular model" in said
    assert "0.6 degrees" in said
    assert "area" not in made.layers
    assert made.item["properties"]["alos2:incidence_error_deg"] == pytest.approx(0.6)
    assert made.item["properties"]["alos2:correction"] == "angular"
    assert _both_sides(made, made, scene, grid) == pytest.approx((0.0, 0.0), abs=0.35)


def _target_cells(
    made: ArdScene, truth: dict[str, Any], grid: Any
) -> dict[str, tuple[float, float, float]]:
    """Centre of the power above the ground of each target, and how far that is from the truth."""
    power = read(made.layers["HH"]).astype(float)
    found = {}
    for target in truth["point_targets"]:
        pixel, line = on_grid(grid, target["lon_deg"], target["lat_deg"])
        i, j = int(line), int(pixel)
        part = power[i - 3 : i + 4, j - 3 : j + 4]  # within the dark parcel that it stands in
        if part.shape != (7, 7) or not np.isfinite(part).all():
            continue
        bright = part - np.median(part)
        bright[bright < 0.08 * bright.max()] = 0.0
        rows, columns = np.indices(part.shape) + 0.5
        x = (bright * columns).sum() / bright.sum() + j - 3
        y = (bright * rows).sum() / bright.sum() + i - 3
        found[target["name"]] = (x, y, float(np.hypot(x - pixel, y - line)))
    return found


def test_all_levels_put_targets_into_the_same_cells(roof: Any, around: Any, tmp_path: Path) -> None:
    """They stand at 100 to 300 m, where level 1.5 draws them 200 to 300 m away."""
    grid = around(600.0, 10.0)
    places = {}
    for level in LEVELS:
        scene = roof(level)
        with Dem.open(scene.dem_path, heights="ellipsoid") as dem:
            made = make_ard(
                [scene.product], grid, ArdOptions(product_type="GTC-sigma0", layers=()),
                tmp_path / level, name="a", dem=dem,
            )  # fmt: skip
        ground = {**scene.truth}
        with Dem.open(scene.dem_path, heights="ellipsoid") as dem:
            ground["point_targets"] = _on_the_ground(dem, grid, scene.truth)
        places[level] = _target_cells(made, ground, grid)
    shared = set.intersection(*(set(found) for found in places.values()))
    assert len(shared) >= 3
    for name in shared:
        assert places["1.5"][name][2] < 0.1, name
        assert places["2.1"][name][2] < 0.1, name
        # Level 1.1 says its near range in whole metres: up to 0.08 of a cell on the ground.
        assert places["1.1"][name][2] < 0.18, name


def _on_the_ground(dem: Dem, grid: Any, truth: dict[str, Any]) -> list[dict[str, Any]]:
    """Targets that stand on the DEM; those above it lie elsewhere in an image."""
    heights = dem.heights(grid, Window(0, 0, *grid.shape))
    kept = []
    for target in truth["point_targets"]:
        pixel, line = on_grid(grid, target["lon_deg"], target["lat_deg"])
        i, j = int(line), int(pixel)
        inside = 4 <= i < grid.shape.lines - 5 and 4 <= j < grid.shape.pixels - 5
        if inside and abs(heights[i, j] - target["height_m"]) < 3.0:
            kept.append(target)
    return kept


def test_level_1_5_needs_an_orbit_to_be_orthorectified(
    roof: Any, around: Any, tmp_path: Path
) -> None:
    """A GeoTIFF is used as it lies and says so; a leader of the scene makes it right."""
    ceos, tiff = roof("1.5"), roof("1.5", format="geotiff")
    grid = around(500.0, 25.0)
    options = ArdOptions(product_type="GTC-gamma0", layers=())
    leader = next(ceos.folder.glob("LED-*"))
    with Dem.open(ceos.dem_path, heights="ellipsoid") as dem:
        made = {
            name: make_ard([product], grid, options, tmp_path / name, name="a", dem=dem)
            for name, product in {
                "ceos": ceos.product,
                "tiff": tiff.product,
                "led": tiff.again(leader=leader),
            }.items()
        }
        with pytest.raises(UsageError, match="cannot be orthorectified"):
            make_ard([tiff.product], grid, ArdOptions(), tmp_path / "rtc", name="a", dem=dem)
    assert any("not orthorectified" in note for note in made["tiff"].notes)
    assert not made["tiff"].item["properties"]["alos2:orthorectified"]
    assert not any("not orthorectified" in note for note in made["led"].notes)
    assert made["led"].item["properties"]["alos2:sources"][0]["leader_from"] == leader.name
    power = {name: read(scene.layers["HH"]) for name, scene in made.items()}
    both = np.isfinite(power["ceos"]) & np.isfinite(power["led"])
    np.testing.assert_allclose(power["led"][both], power["ceos"][both], rtol=2e-3)
    both &= np.isfinite(power["tiff"])
    assert np.corrcoef(power["tiff"][both], power["ceos"][both])[0, 1] < 0.9


def test_bytes_depend_on_neither_threads_nor_memory(
    roof: Any, around: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, grid = roof("1.5"), around(600.0, 10.0)
    monkeypatch.setattr("alos2.ard.scene.BLOCK", 64)
    options = ArdOptions(
        border_px=3,
        remove_speckle=True,
        speckle_filter=SpeckleFilter("Lee", window_size=5),
    )
    with Dem.open(scene.dem_path, heights="ellipsoid") as dem:
        for name, more in {"one": (1, 128), "many": (4, 4096)}.items():
            chosen = replace(options, threads=more[0], memory_mb=more[1])
            make_ard([scene.product], grid, chosen, tmp_path / name, name="a", dem=dem)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "many").iterdir())
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


def test_a_filtered_scene_does_not_show_where_it_was_cut(
    simulated: Any, around: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    product, grid = simulated(targets=False).product, around(600.0, 10.0)
    options = ArdOptions(
        product_type="GTC-sigma0",
        remove_speckle=True,
        speckle_filter=SpeckleFilter("Boxcar", window_size=5),
        layers=(),
    )
    planes = []
    for block in (512, 48):
        monkeypatch.setattr("alos2.ard.scene.BLOCK", block)
        made = make_ard([product], grid, options, tmp_path / str(block), name="a", dem=None)
        planes.append(read(made.layers["HH"]))
    np.testing.assert_array_equal(*planes)
    plain = make_ard(
        [product], grid, replace(options, remove_speckle=False), tmp_path / "p", name="a", dem=None
    )
    inner = np.s_[40:100, 40:100]
    rough, smooth = read(plain.layers["HH"])[inner], planes[0][inner]
    assert smooth.mean() == pytest.approx(rough.mean(), rel=0.03)
    assert made.item["properties"]["alos2:speckle_filter"]["applied"] is True


def test_the_border_goes(simulated: Any, around: Any, tmp_path: Path) -> None:
    product, grid = simulated(targets=False).product, around(900.0, 12.5)
    masks = []
    for border in (0, 5):
        options = ArdOptions(product_type="GTC-sigma0", border_px=border, layers=())
        made = make_ard([product], grid, options, tmp_path / str(border), name="a", dem=None)
        masks.append(read(made.layers["mask"]) == 1)
    whole, inner = masks
    assert not (inner & ~whole).any()
    lost = np.argwhere(whole & ~inner)
    outside = np.argwhere(~whole)
    away = [np.hypot(*(outside - cell).T).min() for cell in lost[::7]]
    assert max(away) < 6.5
    kept = np.argwhere(inner)
    assert min(np.hypot(*(outside - cell).T).min() for cell in kept[::31]) > 4.5


def _is_cog(path: Path) -> bool:
    with rasterio.open(path) as dataset:
        layout = dataset.tags(ns="IMAGE_STRUCTURE").get("LAYOUT")
        small = max(dataset.shape) <= 512
        return (
            layout == "COG" and dataset.profile["tiled"] and (small or dataset.overviews(1) != [])
        )


def test_layers_are_cogs_of_the_grid(simulated: Any, around: Any, tmp_path: Path) -> None:
    product, grid = simulated(targets=False).product, around(1700.0, 5.0)
    assert max(grid.shape) > 512
    made = make_ard(
        [product], grid, ArdOptions(product_type="GTC-sigma0"), tmp_path / "a", name="20200615",
        dem=None,
    )  # fmt: skip
    for layer, path in made.layers.items():
        assert _is_cog(path), layer
        with rasterio.open(path) as dataset:
            assert dataset.shape == tuple(grid.shape)
            assert tuple(dataset.transform)[:6] == pytest.approx(grid.transform)
            assert dataset.crs.to_epsg() == grid.epsg
            assert dataset.dtypes[0] == ("uint8" if layer == "mask" else "float32")
    assert {path.name for path in made.layers.values()} == {
        "20200615-HH.tif", "20200615-dm.tif", "20200615-ei.tif",
    }  # fmt: skip
    assert load_ard(made.folder) == made


def test_a_grid_in_degrees(simulated: Any, around: Any, tmp_path: Path) -> None:
    scene = simulated(targets=False)
    grid = around(800.0, 0.00015, "EPSG:4326")
    made = make_ard(
        [scene.product], grid, ArdOptions(product_type="GTC-sigma0"), tmp_path / "a", name="a",
        dem=None,
    )  # fmt: skip
    mean, error, truth = _parcels(read(made.layers["HH"]), grid, scene.truth, "sigma0_db", 1.5)
    assert (np.abs(mean - truth) < 4 * error + 2e-3 * truth).all()
    assert made.item["properties"]["proj:code"] == "EPSG:4326"


def test_scansar_beams_are_one_scene(simulated: Any, around: Any, tmp_path: Path) -> None:
    scene = simulated(level="1.1", mode="WBS", pixels=96, lines=300, targets=False)
    grid = around(2500.0, 100.0)
    made = make_ard(
        [scene.product], grid, ArdOptions(product_type="GTC-sigma0", layers=()), tmp_path / "a",
        name="a", dem=None,
    )  # fmt: skip
    assert np.isfinite(read(made.layers["HH"])).sum() > 100


def test_layover_and_shadow_are_marked_and_masked_if_wanted(
    simulated: Any, around: Any, tmp_path: Path
) -> None:
    terrain = Terrain("roof", height_m=500.0, width_m=900.0, azimuth_deg=-12.0)  # 48 degrees
    scene = simulated(
        terrain=terrain, dem=True, dem_spacing_m=8.0, pixels=180, lines=180, targets=False
    )
    grid = around(600.0, 20.0)
    with Dem.open(scene.dem_path, heights="ellipsoid") as dem:
        made = [
            make_ard(
                [scene.product], grid, ArdOptions(apply_ls_mask=masked), tmp_path / str(masked),
                name="a", dem=dem,
            )
            for masked in (False, True)
        ]  # fmt: skip
    mask = read(made[0].layers["mask"])
    np.testing.assert_array_equal(read(made[1].layers["mask"]), mask)
    assert (mask == 2).sum() > 50
    kept, masked = (read(scene.layers["HH"]) for scene in made)
    assert np.isnan(masked[mask >= 2]).all()
    clear = mask == 1
    np.testing.assert_array_equal(masked[clear], kept[clear])
    assert np.isfinite(kept[mask == 2]).mean() > 0.9


# -- what cannot be


def _plain(product: Any, grid: Any, out: Path, dem: Dem | None = None, **options: Any) -> ArdScene:
    chosen = {"product_type": "GTC-sigma0", "layers": ()} | options
    return make_ard([product], grid, ArdOptions(**chosen), out, name="a", dem=dem)


def test_rtc_without_a_dem_is_refused(simulated: Any, around: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a digital elevation model"):
        _plain(simulated().product, around(300, 25), tmp_path / "a", product_type="RTC-gamma0")
    with pytest.raises(UsageError, match="layover and shadow cannot be masked without a DEM"):
        _plain(simulated().product, around(300, 25), tmp_path / "a", apply_ls_mask=True)
    assert list(tmp_path.iterdir()) == []


def test_a_dem_with_holes_is_refused(roof: Any, around: Any, tmp_path: Path) -> None:
    scene, out = roof("2.1"), tmp_path / "out"
    holed = tmp_path / "holed.tif"
    with rasterio.open(scene.dem_path) as dataset:
        heights, profile = dataset.read(1), dataset.profile
    middle = np.s_[heights.shape[0] // 2 - 60 : heights.shape[0] // 2, heights.shape[1] // 2 :]
    heights[middle] = np.nan
    with rasterio.open(holed, "w", **(profile | {"nodata": float("nan")})) as dataset:
        dataset.write(heights, 1)
    with (
        Dem.open(holed, heights="ellipsoid") as dem,
        pytest.raises(BadProduct, match=r"has holes.*cells .* have no height"),
    ):
        _plain(scene.product, around(400, 20), out, dem, product_type="RTC-gamma0")
    assert not out.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["holed.tif"]


def _changed_dem(scene: Any, path: Path, change: Any) -> Path:
    """Write a scene's DEM with some of its heights changed."""
    with rasterio.open(scene.dem_path) as dataset:
        heights, profile = dataset.read(1), dataset.profile
    change(heights, profile["transform"])
    with rasterio.open(path, "w", **(profile | {"nodata": float("nan")})) as dataset:
        dataset.write(heights, 1)
    return path


@pytest.mark.parametrize("level", ["1.5", "2.1"])
def test_filled_heights_are_marked_and_keep_their_power(
    level: str, roof: Any, around: Any, tmp_path: Path
) -> None:
    scene, grid = roof(level), around(400, 20)

    def dig(heights: Any, transform: Any) -> None:
        x, y = grid.transform[2] + 10.5 * 20, grid.transform[5] - 8.5 * 20
        column, row = (int(v) for v in ~transform @ (x, y))
        heights[row : row + 40, column : column + 60] = np.nan

    holed = _changed_dem(scene, tmp_path / "holed.tif", dig)
    with Dem.open(holed, heights="ellipsoid", fill_m=150.0) as dem:
        made = _plain(
            scene.product, grid, tmp_path / "out", dem, product_type="RTC-gamma0",
            create_ls_mask=False,  # the edges of what was filled are steep
        )  # fmt: skip
        raw = np.isnan(dem._raster.sample(dem.ground(grid), Window(0, 0, *grid.shape)))
    mask, power = read(made.layers["mask"]), read(made.layers["HH"])
    assert 300 < raw.sum() < 500
    np.testing.assert_array_equal(mask == 5, raw & np.isfinite(power))
    assert (mask == 5).sum() > 0.8 * raw.sum()  # but for what its cliffs hide
    assert not any("has no height" in note for note in made.notes)


def test_high_ground_beyond_the_dem_is_said(
    roof: Any, around: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, grid = roof("1.5"), around(1500, 20)
    seen: list[Any] = []

    def noted(task: Any) -> Any:
        seen[:] = boxes_of(task)
        return boxes_of(task)

    monkeypatch.setattr("alos2.ard.scene.boxes_of", noted)
    with Dem.open(scene.dem_path, heights="ellipsoid") as dem:
        whole = _plain(scene.product, grid, tmp_path / "whole", dem, product_type="RTC-gamma0")
    assert not any("has no height" in note for note in whole.notes)
    core, all_ = seen[0].core, seen[0].all
    assert core.pixels < all_.pixels

    def cut(heights: Any, transform: Any) -> None:
        a, _, c, _, e, f = grid.transform
        left, top = ~transform @ (c + (core.pixel - 2) * a, f + (core.line - 2) * e)
        right, bottom = ~transform @ (
            c + (core.pixel + core.pixels + 2) * a, f + (core.line + core.lines + 2) * e
        )  # fmt: skip
        kept = heights[int(top) : int(bottom) + 2, int(left) : int(right) + 2].copy()
        heights[:] = np.nan
        heights[int(top) : int(bottom) + 2, int(left) : int(right) + 2] = kept

    short = _changed_dem(scene, tmp_path / "short.tif", cut)
    with Dem.open(short, heights="ellipsoid") as dem:
        made = _plain(scene.product, grid, tmp_path / "short", dem, product_type="RTC-gamma0")
        survey = dem.survey(part_around([all_], grid).grid)
    (note,) = [note for note in made.notes if "has no height" in note]
    share = 100.0 * survey.holes / survey.cells
    assert f"in {share:.2g} % of the box" in note
    assert 5 < share < 80
    lost = np.isnan(read(made.layers["HH"])) & np.isfinite(read(whole.layers["HH"]))
    assert lost.any()


def test_looks_are_measured_but_not_below_the_product_s(
    simulated: Any, around: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    product, grid = simulated(mode="FBD", targets=False).product, around(400, 6.25)
    assert (product.sensor.looks_azimuth, product.sensor.looks_range) == (2.0, 1.0)

    def looks(name: str, **more: Any) -> Any:
        made = _plain(
            product, grid, tmp_path / name, remove_speckle=True, polarizations=("HH",),
            speckle_filter=SpeckleFilter("Lee", **more),
        )  # fmt: skip
        return made.item["properties"]["alos2:speckle_filter"]["looks"]

    assert looks("measured")["HH"] > 3  # between pixels of two looks
    monkeypatch.setattr("alos2.ard.blocks.measure", lambda read, shape: Speckle(0.3, np.inf))
    assert looks("texture") == {"HH": 2.0}
    assert looks("given", looks=7.0) == {}  # nothing is measured


def test_memory_bounds_the_threads() -> None:
    assert workers(ArdOptions(threads=8, memory_mb=1024)) == 5
    assert workers(ArdOptions(threads=8, memory_mb=128)) == 1
    assert workers(ArdOptions(threads=2, memory_mb=8192)) == 2
    assert workers(ArdOptions(threads=8, memory_mb=1024), 300) == 2


@pytest.mark.parametrize("box", [(139.5, 35.0, 139.6, 35.1), (-41.4, -35.3, -41.3, -35.2)])
@pytest.mark.parametrize("level", ["1.1", "2.1"])
def test_an_area_beside_the_scene(
    box: tuple[float, ...], level: str, simulated: Any, tmp_path: Path
) -> None:
    lines = 480 if level == "1.1" else 220
    product = simulated(level=level, lines=lines, targets=False).product
    with pytest.raises(NothingFound, match="nothing of it lies in the area"):
        _plain(product, snapped_grid(box, 25.0), tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_an_area_in_the_black_corner(simulated: Any, tmp_path: Path) -> None:
    product = simulated(targets=False).product
    _, _, c, _, _, f = product.grid.transform
    with rasterio.Env():
        lon, lat = rasterio.warp.transform(
            product.grid.crs_wkt, 4326, [c + 5, c + 45], [f - 5, f - 45]
        )
    grid = snapped_grid((min(lon), min(lat), max(lon), max(lat)), 10.0)
    with pytest.raises(NothingFound, match="no valid pixel"):
        _plain(product, grid, tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_kept(simulated: Any, around: Any, tmp_path: Path) -> None:
    product, grid, out = simulated(targets=False).product, around(200, 25), tmp_path / "a"
    out.mkdir()
    assert _plain(product, grid, out).folder == out  # an empty folder is as good as none
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(UsageError, match="is there already"):
        _plain(product, grid, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert sorted(path.name for path in out.iterdir()) == ["a-HH.tif", "a-dm.tif", "a.json"]
    with pytest.raises(UsageError, match="name of files"):
        make_ard([product], grid, ArdOptions(), tmp_path / "b", name="../b", dem=None)


def test_what_a_killed_run_left_is_removed(simulated: Any, around: Any, tmp_path: Path) -> None:
    left = tmp_path / ".a.new-deadbeef"
    left.mkdir()
    (left / "a-HH.tif").write_bytes(b"half")
    (tmp_path / ".a.lock").touch()
    _plain(simulated(targets=False).product, around(200, 25), tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_stopped_work_leaves_nothing(simulated: Any, around: Any, tmp_path: Path) -> None:
    asked = iter([False] * 3 + [True] * 100)
    with pytest.raises(Interrupted):
        make_ard(
            [simulated(level="1.1", lines=480, targets=False).product], around(300, 10),
            ArdOptions(product_type="GTC-sigma0"), tmp_path / "a", name="a", dem=None,
            cancelled=lambda: next(asked),
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_image(simulated: Any, around: Any, tmp_path: Path) -> None:
    scene = simulated(targets=False)
    copy = tmp_path / "copy"
    shutil.copytree(scene.folder, copy)
    image = next(copy.glob("IMG-HH*"))
    image.write_bytes(image.read_bytes()[: image.stat().st_size // 2])
    with recognise(copy) as tree, pytest.raises(BadProduct):
        _plain(tree.products[0], around(300, 25), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made(simulated: Any, around: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoResource):
        _plain(simulated(targets=False).product, around(200, 25), tmp_path / "file" / "a")


def test_level_3_1_is_no_backscatter(simulated: Any, around: Any, tmp_path: Path) -> None:
    product = replace(simulated(targets=False).product, level="3.1")
    with pytest.raises(NotSupported, match="no calibrated backscatter"):
        _plain(product, around(200, 25), tmp_path / "a")


@pytest.mark.parametrize(
    "wrong",
    [
        {"product_type": "RTC"},
        {"flattening": "volume"},
        {"layers": ("dem",)},
        {"polarizations": ("HX",)},
        {"polarizations": ()},
        {"resolution_m": 0.0},
        {"border_px": -1},
        {"height_m": 1e5},
        {"threads": 0},
        {"memory_mb": 1},
        {"apply_ls_mask": True, "create_ls_mask": False},
    ],
)
def test_options_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ArdOptions(**wrong)

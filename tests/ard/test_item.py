"""The STAC item: valid, true, and honest about CEOS-ARD; level 2.2 as it is."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alos2.ard.document.ceosard import URL
from alos2.ard.options import ArdOptions
from alos2.ard.scene import make_ard
from alos2.ard.stored import ArdScene, load_ard
from alos2.ard.terrain.dem import Dem
from alos2.dataset.validate import validate_item
from alos2.errors import BadProduct, UsageError
from ard.conftest import read


@pytest.fixture(scope="module")
def rtc(roof: Any, around: Any, tmp_path_factory: pytest.TempPathFactory) -> ArdScene:
    """One scene with everything that can be made of it."""
    scene = roof("1.5")
    out = tmp_path_factory.mktemp("item") / "20200615"
    with Dem.open(scene.dem_path, heights="ellipsoid") as dem:
        return make_ard(
            [scene.product], around(400.0, 25.0), ArdOptions(), out, name="20200615", dem=dem
        )


def _requirements(scene: ArdScene) -> dict[str, Any]:
    listed = scene.item["properties"]["alos2:ceos_ard"]["requirements"]
    by_id = {entry["id"]: entry for entry in listed}
    assert len(by_id) == len(listed)
    return by_id


def test_the_item_is_valid_stac(rtc: ArdScene) -> None:
    item = json.loads((rtc.folder / "20200615.json").read_text("utf-8"))
    validate_item(item)
    assert item == rtc.item
    properties = item["properties"]
    assert properties["platform"] == "alos-2"
    assert properties["datetime"].startswith("2020-06-15T")
    assert properties["start_datetime"] < properties["datetime"] < properties["end_datetime"]
    assert properties["proj:code"] == "EPSG:32654"
    assert properties["proj:shape"] == list(rtc.grid.shape)
    assert properties["product:type"] == "RTC-gamma0"
    assert properties["gsd"] == pytest.approx(25.0, abs=0.05)
    assert "created" not in properties


def test_assets_are_the_files(rtc: ArdScene) -> None:
    assets = rtc.item["assets"]
    assert set(assets) == {"HH", "mask", "lia", "ei", "area", "gs"}
    for layer, asset in assets.items():
        path = rtc.folder / asset["href"]
        assert path == rtc.layers[layer]
        data = path.read_bytes()
        assert asset["file:size"] == len(data)
        assert asset["file:checksum"] == "1220" + hashlib.sha256(data).hexdigest()
    assert assets["HH"]["roles"] == ["data"]
    assert assets["HH"]["bands"][0]["sar:polarizations"] == ["HH"]
    assert sorted(p.name for p in rtc.folder.iterdir()) == sorted(
        ["20200615.json", *(path.name for path in rtc.layers.values())]
    )


def test_geometry_holds_the_valid_cells(rtc: ArdScene) -> None:
    west, south, east, north = rtc.item["bbox"]
    assert 138.59 < west < 138.6 < east < 138.61
    assert 35.19 < south < 35.2 < north < 35.21


def test_sources_say_what_they_are(rtc: ArdScene, roof: Any) -> None:
    (source,) = rtc.item["properties"]["alos2:sources"]
    product = roof("1.5").product
    assert source["acquisition_id"] == 1
    assert source["scene"] == str(product.scene)
    assert source["level"] == "1.5"
    assert source["geometry"] == "ground range"
    assert source["sar:center_frequency"] == pytest.approx(1.2365, abs=0.03)
    assert source["near_incidence_deg"] < 41.0 < source["far_incidence_deg"]
    assert {file["kind"] for file in source["files"]} >= {"IMG", "LED"}
    assert rtc.item["properties"]["alos2:calibration"]["HH"]["factor_db"] == -83.0
    assert rtc.item["properties"]["alos2:dem"]["name"].endswith("-dem.tif")


def test_ceos_ard_is_not_claimed(rtc: ArdScene) -> None:
    said = rtc.item["properties"]["alos2:ceos_ard"]
    assert said["conforms"] is False
    assert said["version"] == "5.5"
    assert said["url"] == URL
    requirements = _requirements(rtc)
    # All that the specification lists, by category.
    counts = {
        prefix: sum(name.startswith(prefix + ".") for name in requirements)
        for prefix in ("meta", "src", "prd", "pxl", "rcm", "gcor")
    }
    assert counts == {"meta": 5, "src": 13, "prd": 12, "pxl": 9, "rcm": 6, "gcor": 5}
    for entry in requirements.values():
        assert entry["threshold"] in ("met", "not met", "not required")
        assert entry["goal"] in ("met", "not met")
        answered = entry["threshold"] != "not met" and entry["goal"] == "met"
        assert answered or entry["reason"], entry
        # What is met can be found.
        if "met" in (entry["threshold"], entry["goal"]):
            assert entry["found_in"], entry
    unmet = {name for name, entry in requirements.items() if entry["threshold"] == "not met"}
    for name in unmet:
        assert name in said["why_not"]
    assert unmet >= {
        "src.metadata-performance-indicators",
        "prd.metadata-data-access-product",
        "gcor.corrections-geometric-accuracy-radar",
    }
    assert requirements["rcm.measurements-backscatter-nrb"]["threshold"] == "met"
    assert requirements["pxl.per-pixel-scattering-area"]["goal"] == "met"


def test_what_answers_a_requirement_is_there(rtc: ArdScene) -> None:
    item = rtc.item
    for entry in _requirements(rtc).values():
        for place in entry["found_in"]:
            if place.startswith("alos2:sources[]."):
                key = place.removeprefix("alos2:sources[].")
                assert item["properties"]["alos2:sources"][0][key] is not None, place
            elif place.startswith("assets."):
                assert place.removeprefix("assets.") in item["assets"]
            elif place.startswith(("alos2:", "proj:", "product:", "processing:")):
                head = place.split(".")[0]
                assert item["properties"][head] is not None, place


def test_a_plain_scene_meets_less(simulated: Any, around: Any, tmp_path: Path) -> None:
    made = make_ard(
        [simulated(targets=False, format="geotiff").product], around(300.0, 25.0),
        ArdOptions(product_type="GTC-sigma0"), tmp_path / "a", name="a", dem=None,
    )  # fmt: skip
    requirements = _requirements(made)
    for name in (
        "rcm.measurements-backscatter-nrb",
        "rcm.corrections-radiometric-terrain-correction",
        "pxl.per-pixel-local-incident-angle",
        "pxl.per-pixel-data-mask",
        "gcor.corrections-dem",
    ):
        assert requirements[name]["threshold"] == "not met", name
    orbit = requirements["src.metadata-orbit"]
    assert "sat:orbit_state_vectors" in orbit["reason"]


# -- level 2.2


@pytest.fixture(scope="module")
def level22(simulated: Any) -> Any:
    return simulated(
        level="2.2", mode="WBD", format="geotiff", targets=False, pixels=120, lines=120
    )


def test_level_2_2_is_kept_as_it_is(level22: Any, around: Any, tmp_path: Path) -> None:
    product = level22.product
    grid = product.grid
    made = make_ard([product], grid, ArdOptions(), tmp_path / "a", name="a", dem=None)
    assert made.item["properties"]["alos2:correction"] == "delivered"
    assert any("was not flattened again" in note for note in made.notes)
    dn = read(next(level22.folder.glob("*_HH_SLP.tif"))).astype(float)
    codes = read(next(level22.folder.glob("*_MSK.tif")))
    expected = np.where((dn > 0) & (codes != 0) & (codes != 5), dn**2 * 10**-8.3, np.nan)
    np.testing.assert_allclose(read(made.layers["HH"]), expected, rtol=3e-4)
    lin = read(next(level22.folder.glob("*_LIN.tif")))
    angle, mask = read(made.layers["lia"]), read(made.layers["mask"])
    np.testing.assert_allclose(angle[mask > 0], lin[mask > 0] * 0.01, rtol=3e-4)
    np.testing.assert_array_equal(mask == 2, (codes == 2) & (mask > 0))
    np.testing.assert_array_equal(mask == 3, (codes == 3) & (mask > 0))


@pytest.mark.parametrize("kind", ["GTC-sigma0", "GTC-gamma0"])
def test_level_2_2_is_never_turned_back(
    kind: Any, level22: Any, around: Any, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="cannot be turned back"):
        make_ard(
            [level22.product], level22.product.grid, ArdOptions(product_type=kind),
            tmp_path / "a", name="a", dem=None,
        )  # fmt: skip


# -- reading it back


def _spoil_missing(folder: Path) -> None:
    next(folder.glob("*-dm.tif")).unlink()


def _spoil_json(folder: Path) -> None:
    next(folder.glob("*.json")).write_text("{", "utf-8")


def _spoil_list(folder: Path) -> None:
    next(folder.glob("*.json")).write_text("[]", "utf-8")


def _spoil_item(folder: Path) -> None:
    next(folder.glob("*.json")).unlink()


@pytest.mark.parametrize("spoil", [_spoil_missing, _spoil_json, _spoil_list, _spoil_item])
def test_what_is_no_scene(spoil: Callable[[Path], None], rtc: ArdScene, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(rtc.folder, folder)
    assert load_ard(folder).item == rtc.item
    spoil(folder)
    with pytest.raises(BadProduct):
        load_ard(folder)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from alos2.naming import FileName
from alos2.product.kml import read_kml
from alos2.product.summary import Summary, read_summary
from simulate.products import Made, Maker


def summary_of(made: Made) -> Summary:
    return read_summary((made.folder / "summary.txt").read_bytes(), "summary.txt")


PRODUCTS: list[dict[str, Any]] = [
    {"level": "1.1", "pixels": 100, "lines": 100},
    {"level": "1.1", "mode": "WBD", "pixels": 100, "lines": 100},
    {"level": "1.5", "pixels": 100, "lines": 100, "lon_deg": -179.999},
    {"level": "2.1", "pixels": 100, "lines": 100, "format": "geotiff", "look": "L"},
    {"level": "1.5", "pixels": 100, "lines": 100, "projection": "P", "lat_deg": 71.0},
    {"level": "3.1", "pixels": 100, "lines": 100, "projection": "L", "pass_direction": "D"},
]


@pytest.fixture(params=PRODUCTS, ids=str)
def made(request: pytest.FixtureRequest, make: Maker) -> Made:
    return make(**request.param)


def test_summary_has_the_keys_of_its_level(made: Made) -> None:
    summary = summary_of(made)
    assert summary.problems == ()
    keys = set(summary.values)
    slant = made.spec.level == "1.1"
    assert ("Img_ImageSceneCenterLatitude" in keys) == (not slant)
    assert ("Img_FrameSceneRightBottomLongitude" in keys) == (not slant)
    assert ("Pds_PixelSpacing" in keys) == ("Pdi_BitPixel" in keys) == (not slant)
    assert ("Pds_DigitalElevationModel" in keys) == (made.spec.level == "2.1")
    assert ("Pds_UTM_ZoneNo" in keys) == (not slant and made.spec.projection == "U")
    assert ("Pds_PS_ReferenceLatitude" in keys) == (made.spec.projection == "P")
    assert ("Pds_LCC_OriginLongitude" in keys) == (made.spec.projection == "L")
    assert ("Pds_MapDirection" in keys) == (not slant)
    assert summary.text("Scs_SceneID") == made.truth["scene"]
    assert summary.text("Lbi_Sensor") == "SAR"
    assert (made.folder / "summary.txt").read_bytes().count(b"\r") == 0


def test_summary_lists_the_files_in_jaxas_order_with_their_size(made: Made) -> None:
    summary = summary_of(made)
    number = made.spec.level.replace(".", "")
    count = summary.integer(f"Pdi_CntOfL{number}ProductFileName")
    assert count is not None
    names = [summary.text(f"Pdi_L{number}ProductFileName{k:02d}") for k in range(1, count + 1)]
    kinds = [str(name)[:3] for name in names]
    if made.spec.format == "ceos":
        assert kinds == ["VOL", "LED", *["IMG"] * (count - 3), "TRL"]
    else:
        assert kinds == ["IMG", "LUT"] * 2
    sizes = [(made.folder / str(name)).stat().st_size for name in names]
    assert summary.number("Pdi_ProductDataSize") == pytest.approx(sum(sizes) / 2**20, abs=0.051)
    for k, image in enumerate(made.truth["images"], 1 if made.spec.is_scansar else 0):
        assert summary.integer(f"Pdi_NoOfPixels_{k}") == image["pixels"]
        assert summary.integer(f"Pdi_NoOfLines_{k}") == image["lines"]


def test_summary_times_and_corners_are_those_of_the_truth(made: Made) -> None:
    summary, truth = summary_of(made), made.truth
    for word, when in (("Start", truth["data"]["start"]), ("End", truth["data"]["end"])):
        said = summary.time(f"Img_Scene{word}DateTime")
        assert said is not None
        assert f"{said:%Y-%m-%dT%H:%M:%S}" == when[:19] or abs(float(when[19:-1]) - 1.0) < 1e-3
        assert said.microsecond % 1000 == 0
    if made.spec.level == "1.1":
        return
    for prefix, corners in (
        ("Image", truth["data"]["map_corners"]), ("Frame", truth["raster_corners"]),
    ):  # fmt: skip
        for name, corner in corners.items():
            word = "".join(part.capitalize() for part in name.split("_"))
            lat = summary.number(f"Img_{prefix}Scene{word}Latitude")
            lon = summary.number(f"Img_{prefix}Scene{word}Longitude")
            assert lat == pytest.approx(corner["lat_deg"], abs=5.01e-4)
            assert lon is not None
            assert (lon - corner["lon_deg"] + 180.0) % 360.0 - 180.0 == pytest.approx(
                0.0, abs=5.01e-4
            )


@pytest.mark.parametrize("look", ["L", "R"])
@pytest.mark.parametrize("way", ["A", "D"])
def test_corners_are_named_as_they_lie_on_the_map(make: Maker, look: str, way: str) -> None:
    made = make(level="1.5", pixels=100, lines=100, look=look, pass_direction=way)
    places = {
        name: (corner["lon_deg"], corner["lat_deg"])
        for name, corner in made.truth["data"]["map_corners"].items()
    }
    lon, lat = places["center"]
    for name, (x, y) in places.items():
        if name != "center":
            assert (x < lon) == name.startswith("left")
            assert (y > lat) == name.endswith("top")


def test_kml_says_the_same(made: Made) -> None:
    (path,) = made.folder.glob("*.kml")
    assert path.name == f"{made.truth['scene']}_{made.spec.product_id}.kml"
    kml = read_kml(path.read_bytes(), path.name)
    assert kml.scene_id == made.truth["scene"]
    assert kml.product_id == str(made.spec.product_id)
    orbit = int(made.truth["scene"][5:10])
    assert kml.path == ((14 * orbit + 24) % 207 or 207)
    assert kml.frame == made.truth["scene"][10:14]
    assert kml.placemarks == (kml.scene_id,) * 2
    assert kml.corners is not None
    wanted = made.truth["data"]["map_corners"]
    for name in ("left_top", "right_top", "right_bottom", "left_bottom"):
        assert getattr(kml.corners, name).lat_deg == pytest.approx(
            wanted[name]["lat_deg"], abs=5.01e-4
        )


def test_browse_is_a_sixteenth_in_grey(made: Made) -> None:
    image = made.truth["images"][0]
    for polarization in made.spec.all_polarizations:
        (path,) = made.folder.glob(f"BRS-{polarization}-*.jpg")
        with Image.open(path) as picture:
            assert picture.mode == "L"
            assert picture.size == (image["pixels"] // 16, image["lines"] // 16)
            assert np.asarray(picture).max() > 100


def test_all_names_are_of_the_grammar(made: Made) -> None:
    for path in Path(made.folder).iterdir():
        assert str(FileName.parse(path.name)) == path.name

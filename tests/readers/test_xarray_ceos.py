"""xarray-ceos-alos2 reads levels 1.1 (ScanSAR too) and 1.5 (UTM)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest

from simulate.products import Made, Maker

pytestmark = [pytest.mark.readers, pytest.mark.filterwarnings("ignore")]

reader = pytest.importorskip("ceos_alos2.xarray", reason="xarray-ceos-alos2 is not installed")

# It takes signed fields as unsigned, so places are in the north-east.
PRODUCTS: list[dict[str, Any]] = [
    {"level": "1.1", "pixels": 120, "lines": 110},
    {"level": "1.1", "mode": "WBD", "pixels": 64, "lines": 64},
    {"level": "1.1", "mode": "VBS", "pixels": 64, "lines": 48, "look": "L"},
    {"level": "1.5", "pixels": 120, "lines": 100, "pass_direction": "D"},
    {"level": "1.5", "pixels": 120, "lines": 100, "option": "R", "mode": "UBD"},
    {"level": "3.1", "pixels": 120, "lines": 100, "mode": "HBQ"},
]


@pytest.fixture(scope="module", params=PRODUCTS, ids=str)
def made(request: pytest.FixtureRequest, make: Maker) -> Made:
    return make(**request.param)


@pytest.fixture(scope="module")
def tree(made: Made) -> Any:
    return reader.open_alos2(str(made.folder), chunks={})


def test_images(made: Made, tree: Any) -> None:
    images = tree["imagery"].children
    beams = [image["beam"] for image in made.truth["images"]]
    names = {
        f"{polarization}_scan{beam[1]}" if beam else polarization: (polarization, beam)
        for polarization in made.spec.all_polarizations
        for beam in beams
    }
    assert set(images) == set(names)
    for name, (polarization, beam) in names.items():
        group = images[name]
        read = group["data"].values
        assert read.dtype == (np.complex64 if made.spec.level == "1.1" else np.uint16)
        assert (read == made.numbers(polarization, beam).astype(read.dtype)).all()
        word = {"H": "horizontal", "V": "vertical"}
        assert group.attrs["transmitted_pulse_polarization"] == word[polarization[0]]
        assert group.attrs["received_pulse_polarization"] == word[polarization[1]]
        assert group.attrs["scan_id"] == (int(beam[1]) if beam else 0)


def test_lines(made: Made, tree: Any) -> None:
    for image in made.truth["images"]:
        name = f"HH_scan{image['beam'][1]}" if image["beam"] else "HH"
        group = tree["imagery"][name]
        corners = image["corners"]
        # Early near and far, late far and near; or top left and right, bottom right and left.
        for row, where, corner in (
            (0, "first", corners[0]), (0, "last", corners[1]),
            (-1, "last", corners[2]), (-1, "first", corners[3]),
        ):  # fmt: skip
            for axis, key in (("latitude", "lat_deg"), ("longitude", "lon_deg")):
                found = float(group[f"{axis}_of_{where}_pixel"].values[row])
                assert found == pytest.approx(corner[key], abs=6e-7)
        if made.spec.level != "1.1":
            continue
        times = group["sensor_acquisition_date_microseconds"].values
        first = datetime.fromisoformat(image["first_line_time"].replace("Z", ""))
        assert times[0] == np.datetime64(first)
        elapsed = (times - times[0]) / np.timedelta64(1, "us")
        wanted = np.arange(image["lines"]) * image["line_interval_s"] * 1e6
        assert np.abs(elapsed - wanted).max() <= 1.01
        assert set(group["slant_range_to_first_data_sample"].values) == {
            round(image["near_range_m"])
        }
        assert set(group["prf"].values) == {round(image["prf_hz"] * 1000.0)}


def test_leader(made: Made, tree: Any) -> None:
    summary, position = tree["metadata/dataset_summary"], tree["metadata/platform_position"]
    truth = made.truth
    assert summary.attrs["scene_id"] == truth["scene"]
    assert float(summary["geodetic_latitude"]) == pytest.approx(
        truth["center"]["lat_deg"], abs=6e-8
    )
    assert float(summary["geodetic_longitude"]) == pytest.approx(
        truth["center"]["lon_deg"], abs=6e-8
    )
    factor = float(tree["metadata/radiometric_data"]["calibration_factor"])
    slc = -32.0 if made.spec.level == "1.1" else 0.0
    assert factor + slc == truth["calibration"]["factor_db"]
    first = position.attrs["datetime_of_first_point"]
    assert first == truth["orbit"]["epoch"].split(".")[0]
    vectors = tree["metadata/platform_position/positions"]
    found = np.stack([vectors["position"][axis].values for axis in "xyz"], axis=1)
    assert np.abs(found - truth["orbit"]["positions_m"]).max() <= 5e-9
    found = np.stack([vectors["velocity"][axis].values for axis in "xyz"], axis=1)
    assert np.abs(found - truth["orbit"]["velocities_m_s"]).max() <= 5e-12
    if made.spec.level == "1.1":
        return
    corners = tree["metadata/map_projection/corner_points/geographic"]
    for k, corner in enumerate(truth["images"][0]["corners"]):
        assert float(corners["latitude"][k]) == pytest.approx(corner["lat_deg"], abs=6e-8)
        assert float(corners["longitude"][k]) == pytest.approx(corner["lon_deg"], abs=6e-8)
    assert tree["metadata/map_projection/projection"].attrs["zone_number"] == "54"


def test_summary(made: Made, tree: Any) -> None:
    files = tree["summary/product_information/data_files"].attrs
    assert files["sar_leader"] == next(made.folder.glob("LED-*")).name
    assert sorted(files["sar_imagery"]) == sorted(p.name for p in made.folder.glob("IMG-*"))
    shapes = tree["summary/product_information/shapes"].attrs
    wanted = [(image["pixels"], image["lines"]) for image in made.truth["images"]]
    assert list(shapes.values()) == wanted
    scene = tree["summary/scene_specification"].attrs
    assert scene["orbit_accumulation"] == int(made.truth["scene"][5:10])
    assert scene["scene_frame"] == int(made.truth["scene"][10:14])
    assert scene["date"] == "2020-06-15"


def test_polynomials(made: Made, tree: Any) -> None:
    """Its coefficients in its own formula give our corners."""
    group = tree["metadata/transformations/image_to_geographic"]
    corner = made.truth["images"][0]["corners"][2]
    line = corner["line"] - float(group["origin_line"])
    pixel = corner["pixel"] - float(group["origin_pixel"])
    for name, key in (("a", "lat_deg"), ("b", "lon_deg")):
        terms = [line ** (4 - k % 5) * pixel ** (4 - k // 5) for k in range(25)]
        found = float(np.dot(group[name].values, terms))
        assert found == pytest.approx(corner[key], abs=2e-7)

"""Level 2.2: flattened gamma nought, mask, angles; read back by the package and by GDAL."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import rasterio
from lxml import etree

from alos2.errors import UsageError
from alos2.geometry.rangedoppler import geo2rdr, incidence_deg
from alos2.product.recognise import recognise
from alos2.simulate import SimulationSpec, Terrain
from alos2.simulate.scene import plan
from simulate.measure import inside
from simulate.products import Made, Maker

STEEP = Terrain("ridge", 900.0, 1500.0, azimuth_deg=-9.85)


@pytest.fixture(scope="module")
def scene(make: Maker) -> Made:
    return make(
        level="2.2", mode="WBD", format="geotiff", pixels=160, lines=160, targets=False,
        terrain=STEEP,
    )  # fmt: skip


def layer(made: Made, ending: str) -> Any:
    (path,) = made.folder.glob(f"*_{ending}.tif")
    with rasterio.open(path) as dataset:
        assert dataset.crs.to_epsg() == 32654
        assert dataset.res == (25.0, 25.0)
        assert np.array(dataset.transform)[[2, 5]] % 25.0 == pytest.approx([12.5, 12.5])
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        return dataset.read(1)


def test_parcels_have_their_gamma0_on_slopes_too(scene: Made) -> None:
    mask, checked = layer(scene, "MSK"), 0
    for polarization in ("HH", "HV"):
        power = layer(scene, f"{polarization}_SLP").astype(float) ** 2
        for patch in scene.truth["patches"]:
            corners = np.array(patch["inner"][0]["polygon"])
            middle = corners.mean(axis=0)
            polygon = (middle + 0.8 * (corners - middle)).tolist()
            chosen = inside(polygon, mask.shape) & (mask == 1)
            if chosen.sum() < 100:
                continue
            found = 10.0 * np.log10(power[chosen].mean()) - 83.0
            expected = patch["gamma0_db"][polarization]
            assert found == pytest.approx(expected, abs=0.3 + 9.0 / chosen.sum() ** 0.5)
            checked += 1
    assert checked >= 10


def test_mask_and_angles(scene: Made) -> None:
    mask, angles = layer(scene, "MSK"), layer(scene, "LIN")
    power = layer(scene, "HH_SLP")
    assert mask.dtype == np.uint8
    assert angles.dtype == power.dtype == np.uint16
    assert set(np.unique(mask)) == {0, 1, 2, 3}
    assert (power[mask == 1] > 0).all()
    assert (power[(mask == 0) | (mask == 3)] == 0).all()
    assert (angles[mask == 0] == 0).all()
    planned = plan(scene.spec)
    rows, columns = np.mgrid[0:160, 0:160]
    lon, lat = planned.grid.lonlat(rows, columns)  # type: ignore[union-attr]
    x, y = planned.ground.plane.xy(lon, lat)
    away = x * np.cos(np.radians(-9.85)) - y * np.sin(np.radians(-9.85))
    level = (np.abs(away) > 900.0) & (mask > 0)
    t, r = geo2rdr(planned.orbit, lon, lat)
    assert 0.01 * angles[level] == pytest.approx(
        incidence_deg(planned.orbit, t, r, "R")[level], abs=0.01
    )
    slope = np.degrees(np.arctan(0.5 * np.pi * 900.0 / 750.0))  # half way up
    steep = (np.abs(np.abs(away) - 375.0) < 12.0) & (mask > 0)
    facing = np.abs(incidence_deg(planned.orbit, t, r, "R") + np.sign(away) * slope)
    assert 0.01 * angles[steep] == pytest.approx(facing[steep], abs=1.5)
    # What faces the radar so steeply is laid over, what is turned from it so is in shadow.
    assert (mask[steep & (away < 0)] == 2).mean() > 0.9
    assert (mask[steep & (away > 0)] == 3).mean() > 0.9


def test_it_is_recognised(scene: Made) -> None:
    with recognise(scene.folder) as tree:
        (product,) = tree.products
        assert tree.refused == ()
        assert tree.stray == ()
    planned = plan(scene.spec)
    assert product.problems == ()
    assert (product.level, product.format, product.mode) == ("2.2", "geotiff", "WBD")
    assert product.polarizations == ("HH", "HV")
    assert product.calibration is not None
    assert (product.calibration.factor_db, product.calibration.source) == (-83.0, "summary")
    assert product.grid is not None
    assert product.grid.epsg == 32654
    assert product.grid.transform == planned.grid.transform  # type: ignore[union-attr]
    assert {f.kind for f in product.files} == {"IMG", "LIN", "MSK", "CARD4L", "KML"}
    assert product.center_time is not None
    # Of the middle of the data: the raster is laid on whole pixels.
    away = product.center_time - planned.flight.center_time
    assert abs(away.total_seconds()) < 0.1
    assert product.image_corners is not None
    assert product.image_corners.left_top.lat_deg > product.image_corners.left_bottom.lat_deg
    assert product.image_corners.left_top.lon_deg < product.image_corners.right_top.lon_deg
    assert product.sensor.center_frequency_hz == pytest.approx(1.2365e9, rel=1e-5)


def test_the_summary_is_plain_xml_of_the_real_ones_elements(scene: Made) -> None:
    (path,) = scene.folder.glob("*_summary.xml")
    root = etree.parse(path).getroot()
    bits = root.find(".//DataMask/BitValues")
    assert [(e.tag, e.text) for e in bits] == [
        ("NoData", "0"), ("ValidData", "1"), ("Layover", "2"), ("Shadow", "3"),
        ("OceanWater", "4"), ("InvalidData", "5"),
    ]  # fmt: skip
    assert [e.text for e in root.iterfind(".//BackscatterConversionEq")] == [
        "10*log10(DN^2)-83.0"
    ] * 2
    named = {e.text for e in root.iter("FileName")}
    assert named == {p.name for p in scene.folder.glob("*.tif")}
    assert scene.truth["calibration"] == {"factor_db": -83.0, "quantity": "gamma0_T"}


def test_level_ground_has_a_gamma0_too(make: Maker) -> None:
    made = make(level="2.2", mode="WBS", format="geotiff", pixels=64, lines=64, targets=False)
    assert "gamma0_db" in made.truth["patches"][0]
    assert set(np.unique(layer(made, "MSK"))) == {0, 1}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mode": "FBD"}, "made of ScanSAR modes"),
        ({"format": "ceos"}, "made of ScanSAR modes"),
        ({"projection": "P"}, "made of ScanSAR modes"),
        ({"targets": True}, "without point targets"),
        ({"zip": "auig2"}, "without a zip"),
        ({"option": "R"}, "always geocoded"),
    ],
)
def test_what_jaxa_does_not_make(given: dict[str, Any], words: str) -> None:
    usual = {"level": "2.2", "mode": "WBD", "format": "geotiff", "targets": False}
    with pytest.raises(UsageError, match=words):
        SimulationSpec(**{**usual, **given})

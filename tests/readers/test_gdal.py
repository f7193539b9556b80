"""GDAL, through rasterio: SAR_CEOS for levels 1.5 to 3.1 CEOS, GTiff for GeoTIFF deliveries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_gcps
from rasterio.warp import transform

from simulate.products import Made, Maker

pytestmark = [pytest.mark.readers, pytest.mark.filterwarnings("ignore")]

CEOS: list[dict[str, Any]] = [
    {"level": "1.5", "lat_deg": -11.0, "lon_deg": -62.5},
    {"level": "1.5", "option": "R", "mode": "UBS", "look": "L"},
    {"level": "2.1", "pass_direction": "D", "height_m": 500.0},
    {"level": "1.5", "projection": "P", "lat_deg": 75.0, "lon_deg": -60.0},
    {"level": "3.1", "projection": "M", "mode": "WBD"},
]
GEOTIFF: list[dict[str, Any]] = [
    {"level": "1.1"},
    {"level": "1.5", "mode": "UBS", "look": "L", "pass_direction": "D"},
    {"level": "2.1", "lat_deg": -27.157, "lon_deg": -70.209, "mode": "SBS"},
    {"level": "1.5", "option": "R", "mode": "HBQ"},
]


@pytest.fixture(scope="module", params=CEOS, ids=str)
def ceos(request: pytest.FixtureRequest, make: Maker) -> Made:
    return make(**{"pixels": 130, "lines": 120, **request.param})


@pytest.fixture(scope="module", params=GEOTIFF, ids=str)
def geotiff(request: pytest.FixtureRequest, make: Maker) -> Made:
    return make(**{"format": "geotiff", "pixels": 130, "lines": 120, **request.param})


def test_sar_ceos_pixels(ceos: Made) -> None:
    for polarization in ceos.spec.all_polarizations:
        with rasterio.open(ceos.image_path(polarization)) as dataset:
            assert dataset.driver == "SAR_CEOS"
            assert dataset.shape == (120, 130)
            assert dataset.dtypes == ("uint16",)
            assert (dataset.read(1) == ceos.numbers(polarization)).all()


def test_sar_ceos_ground_control_points(ceos: Made) -> None:
    with rasterio.open(ceos.image_path()) as dataset:
        points, crs = dataset.gcps
    assert crs is not None
    assert len(points) == 15
    found = {(point.row, point.col): (point.x, point.y) for point in points}
    image = ceos.truth["images"][0]
    top_left, top_right, bottom_right, bottom_left = image["corners"]
    for corner in (top_left, top_right):
        place = found[corner["line"] + 0.5, corner["pixel"] + 0.5]
        assert place == pytest.approx((corner["lon_deg"], corner["lat_deg"]), abs=6e-7)
    # Its last line of points is not the image's last: between the corners they are linear.
    part = (max(row for row, _ in found) - 0.5) / (image["lines"] - 1)
    for top, bottom in ((top_left, bottom_left), (top_right, bottom_right)):
        place = found[max(row for row, _ in found), top["pixel"] + 0.5]
        for value, key in zip(place, ("lon_deg", "lat_deg"), strict=True):
            assert value == pytest.approx(top[key] + part * (bottom[key] - top[key]), abs=2e-5)


def test_sar_ceos_places_pixels_within_one(ceos: Made) -> None:
    with rasterio.open(ceos.image_path()) as dataset:
        affine = from_gcps(dataset.gcps[0])
    for corner in ceos.truth["images"][0]["corners"]:
        pixel, line = ~affine * (corner["lon_deg"], corner["lat_deg"])
        assert (line - 0.5, pixel - 0.5) == (
            pytest.approx(corner["line"], abs=1.0),
            pytest.approx(corner["pixel"], abs=1.0),
        )


def test_level_11_is_not_opened_by_this_gdal(make: Maker) -> None:
    """Known of GDAL up to 3.10: only records of type 11. Newer ones read it; then compare."""
    made = make(pixels=100, lines=100)
    if rasterio.__gdal_version__ < "3.11":
        with pytest.raises(rasterio.errors.RasterioIOError, match="not recognized"):
            rasterio.open(made.image_path())
        return
    with rasterio.open(made.image_path()) as dataset:
        assert (dataset.read(1) == made.numbers()).all()


def test_geotiff_pixels(geotiff: Made) -> None:
    slant = geotiff.spec.level == "1.1"
    for polarization in geotiff.spec.all_polarizations:
        with rasterio.open(geotiff.image_path(polarization)) as dataset:
            assert dataset.driver == "GTiff"
            assert dataset.dtypes == (("int16",) * 2 if slant else ("uint16",))
            assert dataset.tags()["TIFFTAG_IMAGEDESCRIPTION"] == polarization
            numbers = dataset.read()
        (lut,) = geotiff.folder.glob(f"LUT-{polarization}-*.txt")
        assert len(lut.read_text(encoding="ascii").splitlines()) == 131
        assert numbers.any()
        assert np.percentile(np.abs(numbers.astype(float)), 99.9) < (32767 if slant else 65535)


def test_geotiff_places(geotiff: Made) -> None:
    image = geotiff.truth["images"][0]
    with rasterio.open(geotiff.image_path()) as dataset:
        if geotiff.spec.level == "1.1":
            found = {(p.row - 0.5, p.col - 0.5): (p.x, p.y) for p in dataset.gcps[0]}
            for corner in image["corners"]:
                place = found[corner["line"], corner["pixel"]]
                assert place == pytest.approx((corner["lon_deg"], corner["lat_deg"]), abs=1e-9)
            return
        assert dataset.crs.to_epsg() is None  # as of JAXA's own files
        zone = int((geotiff.spec.lon_deg + 180.0) // 6.0) + 1
        utm = f"EPSG:{(32700 if geotiff.spec.lat_deg < 0 else 32600) + zone}"
        for corner in image["corners"]:
            x, y = dataset.xy(corner["line"], corner["pixel"])
            for crs in (dataset.crs, utm):
                (lon,), (lat,) = transform(crs, "EPSG:4326", [x], [y])
                assert (lon, lat) == pytest.approx((corner["lon_deg"], corner["lat_deg"]), abs=2e-9)

"""The real deliveries: every field of the metadata, and exactly what is missing."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from pyproj import CRS, Transformer

from alos2.errors import BadProduct
from alos2.product.model import Product
from alos2.product.recognise import hash_files, recognise, require_complete
from alos2.types import LonLat

TAIL = "ALOS2015976960-140909-FBDR1.5GUA"


@pytest.fixture(scope="module")
def archive(real_data) -> Path:
    (found,) = (real_data / "palsar2-real").glob("*.zip")
    return found


@pytest.fixture(scope="module")
def ceos_product(archive) -> Product:
    with recognise(archive) as tree:
        assert tree.stray == ()
        (product,) = tree.products
        return product


@pytest.fixture(scope="module")
def tiff_product(real_data) -> Product:
    with recognise(real_data / "palsar2-real" / "ALOS2146686640-170209") as tree:
        (product,) = tree.products
        return product


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=timezone.utc)  # type: ignore[misc,arg-type]


def test_what_is_wrong_is_that_the_images_are_cut(ceos_product) -> None:
    assert [(p.code, p.file) for p in ceos_product.problems] == [
        ("short_image", f"IMG-HH-{TAIL}"), ("short_image", f"IMG-HV-{TAIL}"),
    ]  # fmt: skip
    assert "has 0 of the 13161 lines" in ceos_product.problems[0].message
    with pytest.raises(BadProduct, match="2 problems"):
        require_complete(ceos_product)


def test_real_ceos_fields(ceos_product) -> None:
    p = ceos_product
    assert (p.level, p.format, p.mode, p.look, p.pass_direction) == ("1.5", "ceos", "FBD", "R", "A")
    assert (p.scene.orbit, p.scene.frame, p.scene.path) == ("01597", "6960", 26)
    assert p.polarizations == ("HH", "HV")
    assert len(p.files) == 9
    assert p.start_time == utc(2014, 9, 9, 4, 33, 42, 52000)
    assert p.center_time == utc(2014, 9, 9, 4, 33, 47, 52000)
    assert p.end_time == utc(2014, 9, 9, 4, 33, 52, 52000)
    assert p.processed_time == utc(2015, 3, 20, 8, 9, 52)
    assert (p.facility, p.software_version, p.resampling) == ("EICS", "002.012", "NN")
    assert (p.orbit_precision, p.scene_shift) == ("Precision", 0)
    s = p.sensor
    assert (s.off_nadir_deg, s.incidence_deg, s.wavelength_m) == (36.6481913, 40.573, 0.2424525)
    assert s.center_frequency_hz == pytest.approx(1236.4998e6, abs=100)
    assert s.prf_hz == pytest.approx(2122.318448518)
    assert s.sampling_rate_hz == pytest.approx(34930531.9)
    assert s.range_bandwidth_hz == pytest.approx(24.9e6)
    assert s.azimuth_bandwidth_hz == pytest.approx(1355.932914)
    assert s.pulse_length_s == pytest.approx(30.842168e-6)
    assert (s.looks_azimuth, s.looks_range, s.beam_number) == (2.0, 1.0, 7)
    assert (s.doppler_hz, s.doppler_hz_per_km) == (-18.5767897, -0.0243354)
    assert s.heading_deg == -12.513874
    assert s.incidence_polynomial is None
    assert p.calibration is not None
    assert (p.calibration.factor_db, p.calibration.source) == (-83.0, "leader")
    assert (p.pixel_spacing_m, p.line_spacing_m) == (6.25, 6.25)
    assert p.image_corners is not None
    assert p.image_corners == p.kml_corners
    assert p.image_corners.right_top == LonLat(-62.301, -10.679)
    assert p.orbit is not None
    assert p.orbit.epoch == utc(2014, 9, 9, 4, 20)
    assert p.orbit.times_s.size == 28
    assert p.images[0].shape == (13161, 12870)
    assert (p.images[0].record_bytes, p.images[0].prefix_bytes) == (25932, 192)


def test_the_real_grid_meets_the_polynomials_within_a_centimetre(ceos_product) -> None:
    """Pixel centres of the corners: map grid to longitude and latitude, against facility 5."""
    grid, polynomials = ceos_product.grid, ceos_product.polynomials
    assert grid is not None
    assert grid.epsg == 32720
    a, b, c, d, e, f = grid.transform
    assert (a, b, d, e) == (6.25, 0.0, 0.0, -6.25)
    line = np.array([0, 0, 13160, 13160])
    pixel = np.array([0, 12869, 12869, 0])
    x, y = a * (pixel + 0.5) + c, e * (line + 0.5) + f
    crs = CRS.from_wkt(grid.crs_wkt)
    to_ground = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    lon, lat = to_ground.transform(x, y)
    lon_5, lat_5 = polynomials.lonlat(line, pixel)
    assert np.abs(lat - lat_5).max() * 111e3 < 0.01
    assert np.abs(lon - lon_5).max() * 109e3 < 0.01


def test_real_geotiff_fields(tiff_product) -> None:
    p = tiff_product
    assert (p.level, p.format, p.scene.path) == ("1.5", "geotiff", 32)
    tail = "ALOS2146686640-170209-FBDR1.5GUA"
    assert [(x.code, x.file, x.blocks_ingest) for x in p.problems] == [
        ("missing_polarization", f"IMG-HH-{tail}.tif", True),
        ("missing_polarization", f"IMG-HV-{tail}.tif", True),
        ("missing_lut", f"LUT-HV-{tail}.txt", False),
    ]
    assert (p.images, p.orbit, p.grid) == ((), None, None)
    assert p.calibration is not None
    assert p.calibration.luts["HH"].size_bytes == 323403
    assert (p.sensor.off_nadir_deg, p.pixel_spacing_m, p.resampling) == (28.6, 6.25, "CC")
    assert p.center_time == utc(2017, 2, 9, 5, 11, 3, 457000)
    assert p.frame_corners is not None
    assert p.frame_corners.left_top == LonLat(-70.660, -26.770)


def test_hashes_of_members(ceos_product) -> None:
    hashed = hash_files(ceos_product)
    assert all(file.sha256 and len(file.sha256) == 64 for file in hashed.files)
    assert hashed.images[0].file.sha256 is not None


def test_it_is_quick(archive) -> None:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        recognise(archive).close()
        times.append(time.perf_counter() - start)
    assert min(times) < 0.05

"""CEOS deliveries: leader, images and grids become a product's numbers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from pyproj import CRS, Transformer

from alos2.constants import SPEED_OF_LIGHT_M_S
from alos2.errors import BadProduct
from alos2.product.ceos_grid import grid_from_map_projection, misplaced_corners_m
from alos2.product.model import Product
from alos2.product.recognise import recognise
from alos2.product.summary import read_summary
from alos2.types import RasterShape


def one(path: Path) -> Product:
    with recognise(path) as tree:
        (product,) = tree.products
        return product


def codes(product: Product) -> list[str]:
    return [problem.code for problem in product.problems]


FIRST_LINE = datetime(2014, 9, 9, 4, 33, 42, 52123, tzinfo=timezone.utc)


def test_level_11_timing_and_calibration(ceos, tmp_path) -> None:
    product = one(ceos().write(tmp_path))
    assert product.problems == ()
    assert [image.polarization for image in product.images] == ["HH", "HV"]
    image = product.images[0]
    assert (image.shape, image.dtype) == ((5, 7), "complex64")
    assert (image.header_bytes, image.prefix_bytes, image.record_bytes) == (720, 544, 600)
    timing = image.timing
    assert timing is not None
    assert timing.first_line_time == FIRST_LINE
    assert timing.line_interval_s == pytest.approx(1.0 / 2122.318448518, rel=1e-12)
    assert timing.near_range_m == 790358.0
    spacing = SPEED_OF_LIGHT_M_S / (2 * 34.9305319e6)
    assert timing.range_spacing_m == pytest.approx(spacing, rel=1e-12)
    assert product.calibration is not None
    assert (product.calibration.factor_db, product.calibration.source) == (-115.0, "leader")
    assert product.sensor.range_bandwidth_hz == pytest.approx(24.9e6)
    assert product.sensor.pulse_length_s == pytest.approx(30.84e-6)
    assert product.orbit is not None
    assert product.orbit.epoch == datetime(2014, 9, 9, 4, 30, tzinfo=timezone.utc)
    assert product.orbit.times_s.tolist() == [0.0, 60.0, 120.0, 180.0, 240.0, 300.0]
    assert np.linalg.norm(product.orbit.positions_m, axis=1) == pytest.approx(7_007_000.0)
    assert product.polynomials is not None
    assert product.polynomials.lonlat(2.0, 3.0) == (-62.0, -11.0)
    assert product.grid is None


def test_milliseconds_where_microseconds_are_zero(ceos, tmp_path) -> None:
    product = one(ceos(prefix={"us_of_day": 0}, lines=1).write(tmp_path))
    timing = product.images[0].timing
    assert timing is not None
    assert timing.first_line_time == datetime(2014, 9, 9, 4, 33, 42, 52000, tzinfo=timezone.utc)


def test_leap_years_and_midnight(ceos, tmp_path) -> None:
    prefix = {"year": 2016, "day_of_year": 366, "us_of_day": 86_400_000_001}
    product = one(ceos(prefix=prefix, lines=1).write(tmp_path))
    timing = product.images[0].timing
    assert timing is not None
    # A line within the leap second of 2016-12-31 rolls over, as datetime cannot say second 60.
    assert timing.first_line_time == datetime(2017, 1, 1, 0, 0, 0, 1, tzinfo=timezone.utc)
    assert "contradiction" in codes(product)  # the summary's centre is of 2014


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ({"year": 0}, "which cannot be"),
        ({"day_of_year": 400}, "which cannot be"),
        ({"us_of_day": 1 << 60}, "which cannot be"),
        ({"slant_range_first_m": 12}, "slant range of the first pixel is 12 m"),
    ],
)
def test_prefixes_that_cannot_be(ceos, tmp_path, prefix, words) -> None:
    product = one(ceos(prefix=prefix, lines=1).write(tmp_path))
    assert codes(product) == ["bad_image", "bad_image"]
    assert words in product.problems[0].message
    assert product.images[0].timing is None


def test_scansar_takes_its_prf_from_each_beam(ceos, tmp_path) -> None:
    spec = ceos(
        product="WBDR1.1__A", beams=("F1", "F2"), prefix={"prf_mhz": 2661847},
        data_set={"prf_mhz": 1.0e6},
    )  # fmt: skip
    product = one(spec.write(tmp_path))
    assert product.problems_for_ingest == ()
    assert [str(beam) for beam in product.beams] == ["F1", "F2"]
    assert [f"{i.polarization}{i.beam}" for i in product.images] == ["HHF1", "HHF2", "HVF1", "HVF2"]
    assert product.images[1].prf_hz == 2661.847


def test_burst_lines_take_their_interval_from_their_times(ceos, tmp_path) -> None:
    spec = ceos(product="WBDR1.1__A", beams=("B1",), lines=2)
    folder = spec.write(tmp_path)
    for path in folder.glob("IMG*"):
        data = bytearray(path.read_bytes())
        start = 720 + 600 + 84
        us = int.from_bytes(data[720 + 84 : 720 + 92], "big") + 4000
        data[start : start + 8] = us.to_bytes(8, "big")
        path.write_bytes(data)
    timing = one(folder).images[0].timing
    assert timing is not None
    assert timing.line_interval_s == pytest.approx(0.004)


def test_a_line_clock_that_contradicts_the_prf_is_a_remark(ceos, tmp_path) -> None:
    folder = ceos(lines=2).write(tmp_path)
    for path in folder.glob("IMG-HH*"):
        data = bytearray(path.read_bytes())
        us = int.from_bytes(data[720 + 84 : 720 + 92], "big") + 900_000
        data[720 + 600 + 84 : 720 + 600 + 92] = us.to_bytes(8, "big")
        path.write_bytes(data)
    (problem,) = one(folder).problems
    assert problem.code == "contradiction"
    assert "0.900 s by their own times and 0.000 s by the PRF" in problem.message
    assert not problem.blocks_ingest


def test_a_geocoded_grid(ceos, tmp_path) -> None:
    product = one(ceos(product="FBDR1.5GUA").write(tmp_path))
    assert product.problems == ()
    assert product.grid is not None
    assert product.grid.epsg == 32720
    assert product.grid.transform == (10.0, 0.0, 499_998.0, 0.0, -10.0, 8_800_010.0)
    assert product.images[1].grid == product.grid
    assert product.images[0].dtype == "uint16"
    assert product.calibration is not None
    assert product.calibration.factor_db == -83.0


def record(lines: int, pixels: int, angle_deg: float = 0.0, **changes: object) -> dict:
    step = 10.0 * np.exp(1j * np.radians(angle_deg))
    values: dict[str, object] = {
        "projection": "UTM-PROJECTION", "utm_zone": 54, "utm_false_northing_m": 0.0,
        "pixel_spacing_m": 10.0, "line_spacing_m": 10.0,
    }  # fmt: skip
    corners = {
        "top_left": 0, "top_right": pixels - 1, "bottom_left": -1j * (lines - 1),
        "bottom_right": pixels - 1 - 1j * (lines - 1),
    }  # fmt: skip
    for name, at in corners.items():
        place = complex(400_000.0, 4_000_000.0) + step * at
        values[f"{name}_easting_km"] = round(place.real / 1000.0, 7)
        values[f"{name}_northing_km"] = round(place.imag / 1000.0, 7)
    return {**values, **changes}


def grid(values: dict, lines: int, pixels: int, text: str | None = None):
    summary = read_summary(text.encode()) if text else None
    return grid_from_map_projection(values, RasterShape(lines, pixels), summary, name="LED-x")


def test_a_georeferenced_grid_is_rotated() -> None:
    made = grid(record(301, 201, 12.0), 301, 201)
    a, b, c, d, e, f = made.transform
    assert (a, d) == pytest.approx((9.78147601, 2.07911691), abs=1e-6)
    # The centre of the first pixel is the record's top left corner.
    assert (a * 0.5 + b * 0.5 + c, d * 0.5 + e * 0.5 + f) == pytest.approx((4e5, 4e6), abs=1e-4)
    last = (a * 200.5 + b * 300.5 + c, d * 200.5 + e * 300.5 + f)
    place = complex(4e5, 4e6) + 10 * np.exp(1j * np.radians(12)) * (200 - 300j)
    assert last == pytest.approx((place.real, place.imag), abs=1e-3)
    assert made.epsg == 32654


def test_rounded_corners_give_the_nominal_spacing() -> None:
    values = record(13161, 12870)
    values["top_right_easting_km"] += 1e-7
    assert grid(values, 13161, 12870).transform[:2] == (10.0, 0.0)


UPS = {"projection": "UPS-PROJECTION", "ups_center_lat_deg": 90.0, "ups_center_lon_deg": -45.0}


@pytest.mark.parametrize(
    ("changes", "text", "words"),
    [
        ({**UPS, "ups_scale": 0.994}, None, '"Latitude of natural origin",90,'),
        (UPS, 'Pds_PS_ReferenceLatitude="75.0"\n', '"Latitude of standard parallel",75,'),
        (
            {"projection": "MER-PROJECTION", "national_center_lon_deg": 140.0,
             "standard_parallel_deg": [None] * 4, "central_meridian_deg": [None] * 3},
            None, '"Longitude of natural origin",140,',
        ),
        (
            {"projection": "LCC-PROJECTION", "national_center_lon_deg": 1.0,
             "national_center_lat_deg": 36.0, "standard_parallel_deg": [35.0, 37.0, None, None]},
            None, '"Latitude of 2nd standard parallel",37,',
        ),
        (
            {"projection": "LCC-PROJECTION"},
            (
                'Pds_LCC_ReferenceLatitudinalLine1="35"\nPds_LCC_ReferenceLatitudinalLine2="38"\n'
                'Pds_LCC_OriginLatitude="36"\nPds_LCC_OriginLongitude="7"\n'
            ),
            '"Latitude of 2nd standard parallel",38,',
        ),
    ],
)  # fmt: skip
def test_other_projections(changes, text, words) -> None:
    made = grid(record(3, 4, **changes), 3, 4, text)
    assert words in made.crs_wkt
    assert made.epsg is None


def test_map_corners_are_checked_against_the_geographic_ones() -> None:
    values = record(3, 4, **UPS, ups_scale=0.994)
    made = grid(values, 3, 4)
    assert misplaced_corners_m(made, values) is None  # no geographic corners
    crs = CRS.from_wkt(made.crs_wkt)
    to_ground = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    for corner in ("top_left", "top_right", "bottom_right", "bottom_left"):
        place = (values[f"{corner}_easting_km"] * 1e3, values[f"{corner}_northing_km"] * 1e3)
        values[f"{corner}_lon_deg"], values[f"{corner}_lat_deg"] = to_ground.transform(*place)
    assert misplaced_corners_m(made, values) == pytest.approx(0.0, abs=1e-5)
    other = grid({**values, "ups_scale": 1.0}, 3, 4)
    off = misplaced_corners_m(other, values)
    assert off is not None
    assert off > 1000.0
    assert misplaced_corners_m(grid(record(3, 4), 3, 4), values) is None  # UTM


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"projection": "XYZ"}, "unknown map projection 'XYZ'"),
        ({"projection": None}, "unknown map projection ''"),
        ({"utm_zone": 61}, "UTM zone 61"),
        ({"utm_zone": None}, "leaves utm_zone blank"),
        ({"bottom_right_easting_km": None}, "has no bottom right"),
        ({"bottom_right_easting_km": 500.0}, "miss a parallelogram"),
        ({"pixel_spacing_m": 6.25}, "pixel spacing of 10.0000 m"),
        ({"projection": "LCC-PROJECTION"}, "standard parallels blank"),
    ],
)
def test_records_that_make_no_grid(changes, words) -> None:
    with pytest.raises(BadProduct, match=words) as caught:
        grid(record(30, 40, **changes), 30, 40)
    assert "LED-x" in str(caught.value) or "UTM zone" in words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data_set": {"scene_id": "ALOS2015976970-140909"}}, "scene id: LED-"),
        ({"data_set": {"level": "1.5"}}, "says 1.5, the file names says 1.1"),
        ({"data_set": {"clock_angle_deg": -90.0}}, "look side (clock angle)"),
        ({"data_set": {"line_time_direction": "DESCEND"}}, "pass (line direction)"),
        ({"data_set": {"orbit": 1598}}, "says 01598, the file names says 01597"),
        ({"data_set": {"center_time": "20140909043447052"}}, "centre time"),
        ({"summary": {"Scs_SceneID": "ALOS2015976970-140909"}}, "Scs_SceneID"),
        ({"summary": {"Pds_ProductID": "FBDR1.5GUA"}}, "Pds_ProductID"),
        ({"summary": {"Lbi_ProcessLevel": "2.1"}}, "Lbi_ProcessLevel"),
        ({"summary": {"Pdi_ProductFormat": "GeoTIFF"}}, "Pdi_ProductFormat"),
        ({"summary": {"Img_SceneCenterDateTime": "20140910 04:33:47.052"}}, "day of the scene"),
        ({"summary": {"Img_SceneEndDateTime": "20140909 04:33:41.052"}}, "its end at"),
        ({"summary": {"Img_SceneStartDateTime": "20140909 04:13:41.052"}}, "start is at"),
    ],
)
def test_contradictions_name_both_values(ceos, tmp_path, changes, words) -> None:
    product = one(ceos(**changes).write(tmp_path))
    found = [p for p in product.problems if p.code == "contradiction" and p.blocks_ingest]
    assert any(words in problem.message for problem in found), product.problems


def test_a_size_that_the_summary_says_otherwise(ceos, tmp_path) -> None:
    sizes = {"Pdi_NoOfLines_0": "50", "Pdi_NoOfPixels_0": "7"}
    product = one(ceos(product="FBDR1.5GUA", summary=sizes).write(tmp_path))
    (problem,) = product.problems
    assert "5 lines x 7 pixels, summary.txt says 50 x 7" in problem.message
    assert problem.blocks_ingest


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"position": {"points": []}}, "state vectors"),
        ({"position": {"first_month": 13}}, "first state vector's time"),
        ({"position": {"first_year": 1}}, "first state vector's time"),
        ({"position": {"first_year": 2015}}, "its state vectors are of 2015"),
        ({"position": {"interval_s": None}}, "apart"),
        ({"data_set": {"center_time": "2014-09-09"}}, "centre time is"),
        ({"facility_5": {"origin_line": None}}, "origin_line"),
        ({"data_set": {"off_nadir_deg": 5000.0}}, "off_nadir_deg is 5000, expected 0 to 89"),
        ({"data_set": {"pixel_spacing_m": 1e6}}, "pixel_spacing_m is 1e+06"),
        ({"radiometric": {"calibration_factor_db": 4000.0}}, "calibration factor is 4000 dB"),
    ],
)
def test_a_leader_with_one_bad_record_tells_the_rest(ceos, tmp_path, changes, words) -> None:
    product = one(ceos(**changes).write(tmp_path))
    assert codes(product) == ["bad_leader"]
    assert words in product.problems[0].message
    assert product.sensor.wavelength_m == 0.2424525


def test_blank_polynomials_and_factor_are_not_said(ceos, tmp_path) -> None:
    blank = {"pixel_line_to_lat": [0.0] * 25, "pixel_line_to_lon": [0.0] * 25,
             "origin_lat_deg": 0.0, "origin_lon_deg": 0.0}  # fmt: skip
    radiometric = {"calibration_factor_db": None}
    product = one(ceos(facility_5=blank, radiometric=radiometric).write(tmp_path))
    assert product.problems == ()
    assert product.polynomials is None
    assert product.calibration is not None
    assert (product.calibration.factor_db, product.calibration.source) == (-115.0, "default")


def test_a_missing_map_projection_record(ceos, tmp_path) -> None:
    spec = ceos(product="FBDR1.5GUA")
    folder = spec.write(tmp_path)
    spec.product = "FBDR1.1__A"
    spec.data_set = {"level": "1.5"}
    next(folder.glob("LED*")).write_bytes(spec.leader())
    product = one(folder)
    assert codes(product) == ["bad_leader"]
    assert "no map projection record" in product.problems[0].message


def test_times_without_a_summary_come_from_lines_and_leader(ceos, tmp_path) -> None:
    folder = ceos().write(tmp_path)
    (folder / "summary.txt").unlink()
    product = one(folder)
    assert codes(product) == ["missing_summary"]
    assert product.start_time == FIRST_LINE
    assert product.end_time == FIRST_LINE + timedelta(seconds=4 / 2122.318448518)
    assert product.center_time == datetime(2014, 9, 9, 4, 33, 47, 52000, tzinfo=timezone.utc)
    assert product.processed_time == datetime(2015, 3, 20, 8, 9, 52, tzinfo=timezone.utc)
    assert product.orbit_precision == "Precision"

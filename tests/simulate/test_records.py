"""Every record that is written: decoded, encoded again, and compared with what is true."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from alos2.ceos import CeosImage, read_image_descriptor, read_trailer, read_volume
from alos2.ceos.image_layout import IMAGE_DESCRIPTOR, PROCESSED_PREFIX, SIGNAL_PREFIX
from alos2.ceos.leader import LEADER_DESCRIPTOR, LEADER_RECORDS
from alos2.ceos.trailer import TRAILER_DESCRIPTOR
from alos2.ceos.volume import FILE_POINTER, TEXT, VOLUME_DESCRIPTOR
from alos2.geometry.orbit import Orbit
from alos2.geometry.polynomials import GeolocationPolynomials
from alos2.geometry.rangedoppler import geo2rdr, rdr2geo
from simulate.products import Made, Maker

PRODUCTS: list[dict[str, Any]] = [
    {"level": "1.1"},
    {"level": "1.1", "look": "L", "pass_direction": "D", "lat_deg": -50.0, "lon_deg": 179.995},
    {"level": "1.1", "mode": "WBD", "pixels": 200, "lines": 200},
    {"level": "1.1", "mode": "HBQ", "pixels": 100, "lines": 200, "compat": frozenset({"sarpy"})},
    {"level": "1.5", "pixels": 300, "lines": 250},
    {"level": "1.5", "option": "R", "mode": "UBS", "pixels": 250, "lines": 300},
    {"level": "1.5", "projection": "P", "lat_deg": -75.0, "pixels": 200, "lines": 200},
    {"level": "2.1", "projection": "M", "mode": "SBS", "pixels": 200, "lines": 200},
    {"level": "3.1", "projection": "L", "look": "L", "pixels": 200, "lines": 200},
    {"level": "1.5", "mode": "VBS", "pixels": 200, "lines": 200, "lon_deg": -180.0},
]


def ids(given: dict[str, Any]) -> str:
    return "-".join(str(value) for value in given.values())


@pytest.fixture(params=PRODUCTS, ids=ids)
def made(request: pytest.FixtureRequest, make: Maker) -> Made:
    return make(**request.param)


@pytest.fixture(params=PRODUCTS[:4], ids=ids)
def slant(request: pytest.FixtureRequest, make: Maker) -> Made:
    return make(**request.param)


@pytest.fixture(params=PRODUCTS[4:], ids=ids)
def mapped(request: pytest.FixtureRequest, make: Maker) -> Made:
    return make(**request.param)


def records(content: bytes) -> list[bytes]:
    """The records of a file, by their own lengths."""
    found, offset = [], 0
    while offset < len(content):
        number, length = struct.unpack(">I4xI", content[offset : offset + 12])
        assert number == len(found) + 1
        found.append(content[offset : offset + length])
        offset += length
    return found


def same_again(layout: Any, record: bytes) -> None:
    values = layout.decode(record, where="test", keep_nan=True)
    number, length = values.pop("record_number"), values.pop("record_length")
    assert layout.encode(values, sequence=number, length=length) == record


def orbit_of(made: Made) -> Orbit:
    """From the leader alone."""
    record = made.leader.platform_position
    assert record is not None
    day = datetime.fromisoformat(
        f"{record['first_year']:04d}-{record['first_month']:02d}-{record['first_day']:02d}"
        "T00:00:00+00:00"
    )
    rows = [[p[k] for k in ("x_m", "y_m", "z_m")] for p in record["points"]]
    rates = [[p[k] for k in ("vx_m_s", "vy_m_s", "vz_m_s")] for p in record["points"]]
    times = record["interval_s"] * np.arange(record["point_count"])
    epoch = day + timedelta(seconds=record["first_second_of_day"])
    return Orbit(epoch, times, np.array(rows), np.array(rates))


def test_leader_is_written_as_its_tables_say(made: Made) -> None:
    (path,) = made.folder.glob("LED-*")
    found = records(path.read_bytes())
    assert path.stat().st_size == (1_609_432 if made.spec.level == "1.1" else 1_611_052)
    same_again(LEADER_DESCRIPTOR, found[0])
    kinds = [k for k in LEADER_RECORDS if k != "map_projection" or made.spec.level != "1.1"]
    assert len(found) == 1 + len(kinds) + 4
    for kind, record in zip(kinds, [*found[1 : len(kinds)], found[-1]], strict=True):
        assert made.leader.descriptor[f"{kind}_length"] == len(record)
        same_again(LEADER_RECORDS[kind], record)
    assert [len(r) for r in found[-5:]] == [325_000, 511_000, 3072, 728_000, 5000]
    assert [int(r[12:16]) for r in found[-5:]] == [1, 2, 3, 4, 5]


def test_volume_names_and_measures_every_file(made: Made) -> None:
    (path,) = made.folder.glob("VOL-*")
    found = records(path.read_bytes())
    for record, layout in zip(
        found, [VOLUME_DESCRIPTOR, *[FILE_POINTER] * (len(found) - 2), TEXT], strict=True
    ):
        same_again(layout, record)
    volume = read_volume(path.read_bytes(), name=path.name)
    images = sorted(made.folder.glob("IMG-*"))
    files = [*made.folder.glob("LED-*"), *images, *made.folder.glob("TRL-*")]
    assert volume.descriptor["pointer_count"] == len(volume.pointers) == len(files)
    for pointer, file in zip(volume.pointers, files, strict=True):
        content = file.read_bytes()
        assert pointer["file_id"] == content[48:64].decode().strip()
        if file.name.startswith("TRL"):
            assert pointer["record_count"] == 2
            assert pointer["maximum_record_length"] == max(len(content) - 720, 720)
            continue
        lengths = [len(record) for record in records(content)]
        assert pointer["record_count"] == len(lengths)
        assert pointer["maximum_record_length"] == max(lengths)
    assert volume.text is not None
    assert volume.text["product"] == f"PRODUCT:{made.spec.product_id}"


def test_file_ids_tell_the_level(made: Made) -> None:
    letter = {"1.1": "B", "1.5": "C", "2.1": "C", "3.1": "D"}[made.spec.level]
    for kind, code in (("LED", "SARL"), ("IMG", "IMOP"), ("TRL", "SART")):
        for path in made.folder.glob(f"{kind}-*"):
            assert path.read_bytes()[48:60] == f"AL2 SAR{letter}{code}".encode()


def test_trailer_holds_averages_of_the_first_image(made: Made) -> None:
    (path,) = made.folder.glob("TRL-*")
    content = path.read_bytes()
    same_again(TRAILER_DESCRIPTOR, content[:720])
    small = read_trailer(content, name=path.name).low_resolution()
    assert small is not None
    first = sorted(made.folder.glob("IMG-HH*"))[0]
    with CeosImage.open(first) as image:
        numbers = image.read()
    lines, pixels = (n // 16 for n in numbers.shape)
    assert small.shape == (lines, pixels)
    scale = 10.0**-3.2 if made.spec.level == "1.1" else 1.0
    power = np.abs(numbers[: lines * 16, : pixels * 16].astype(complex)) ** 2 * scale
    cells = power.reshape(lines, 16, pixels, 16).mean(axis=(1, 3))
    assert np.abs(np.minimum(np.sqrt(cells), 65535.0) - small).max() <= 0.51


def test_image_records_are_written_as_their_tables_say(made: Made) -> None:
    slant = made.spec.level == "1.1"
    layout, pixel = (SIGNAL_PREFIX, 8) if slant else (PROCESSED_PREFIX, 2)
    for path in made.folder.glob("IMG-*"):
        found = records(path.read_bytes())
        same_again(IMAGE_DESCRIPTOR, found[0])
        descriptor = read_image_descriptor(found[0], name=path.name)
        assert descriptor["lines"] == descriptor["record_count"] == len(found) - 1
        assert descriptor["prefix_bytes"] == layout.length
        assert descriptor["data_bytes"] == pixel * descriptor["pixels"]
        assert descriptor["burst_count"] is None  # sarpy takes anything else for bursts
        for record in (found[1], found[len(found) // 2], found[-1]):
            assert len(record) == descriptor["data_record_length"]
            same_again(layout, record[: layout.length])


def test_data_set_summary_tells_the_truth(made: Made) -> None:
    values, truth = made.leader.data_set_summary, made.truth
    assert values["scene_id"] == truth["scene"]
    when = datetime.fromisoformat(truth["center"]["time"].replace("Z", "+00:00"))
    assert values["center_time"] == f"{when:%Y%m%d%H%M%S}{when.microsecond // 1000:03d}"
    assert values["center_lon_deg"] == pytest.approx(truth["center"]["lon_deg"], abs=6e-8)
    assert values["center_lat_deg"] == pytest.approx(truth["center"]["lat_deg"], abs=6e-8)
    assert values["incidence_deg"] == pytest.approx(truth["center"]["incidence_deg"], abs=6e-4)
    assert values["clock_angle_deg"] == (90.0 if made.spec.look == "R" else -90.0)
    ascending = made.spec.pass_direction == "A"
    assert values["line_time_direction"] == ("ASCEND" if ascending else "DESCEND")
    assert values["level"] == made.spec.level
    raw = made.leader.data_set_summary["scene_id"].ljust(32)
    assert raw[21:] == " " * 11  # pyroSAR's expression wants exactly these blanks
    images = truth["images"][0]
    assert (values["center_line"], values["center_pixel"]) == (
        images["lines"] // 2,
        images["pixels"] // 2,
    )


def test_attitudes_surround_the_scene(made: Made) -> None:
    record = made.leader.attitude
    assert record is not None
    angles = [point["roll_deg"] for point in record["points"]]
    assert record["point_count"] == len(angles) >= 22
    assert set(angles) == {-30.2 if made.spec.look == "R" else 30.2}
    assert all(abs(point["yaw_deg"]) < 4.2 for point in record["points"])


def test_state_vectors_are_those_of_the_truth_to_the_last_digit(made: Made) -> None:
    orbit, truth = orbit_of(made), made.truth["orbit"]
    assert f"{orbit.epoch:%Y-%m-%dT%H:%M:%S.%f}Z" == truth["epoch"]
    assert np.abs(orbit.positions_m - truth["positions_m"]).max() <= 5e-9
    assert np.abs(orbit.velocities_m_s - truth["velocities_m_s"]).max() <= 5e-12
    assert len(orbit.times_s) == 28


def test_line_times_and_ranges_of_level_11(slant: Made) -> None:
    for image in slant.truth["images"]:
        path = slant.image_path("HH", image["beam"])
        first = datetime.fromisoformat(image["first_line_time"].replace("Z", "+00:00"))
        with CeosImage.open(path) as opened:
            prefix = opened.prefixes(
                ["year", "day_of_year", "us_of_day", "ms_of_day", "slant_range_first_m",
                 "line_number", "scan_id", "prf_mhz"]
            )  # fmt: skip
        lines = np.arange(image["lines"])
        assert (prefix["line_number"] == lines + 1).all()
        midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
        start = round((first - midnight).total_seconds() * 1e6)
        wanted = start + lines * image["line_interval_s"] * 1e6
        days = np.array(prefix["day_of_year"], dtype=int) - first.timetuple().tm_yday
        assert np.abs(prefix["us_of_day"] + days * 86_400_000_000 - wanted).max() <= 0.51
        assert (prefix["ms_of_day"] == prefix["us_of_day"] // 1000).all()
        assert (prefix["slant_range_first_m"] == round(image["near_range_m"])).all()
        assert 0.05 < abs(image["near_range_m"] - round(image["near_range_m"])) <= 0.5
        assert set(prefix["scan_id"]) == {int(image["beam"][1]) if image["beam"] else 0}
        assert set(prefix["prf_mhz"]) == {round(image["prf_hz"] * 1000.0)}


def test_positions_in_the_prefixes_of_level_11_follow_from_the_orbit(slant: Made) -> None:
    orbit = orbit_of(slant)
    for image in slant.truth["images"]:
        first = datetime.fromisoformat(image["first_line_time"].replace("Z", "+00:00"))
        lines = np.arange(0, image["lines"], 17)
        t = orbit.seconds(first) + lines * image["line_interval_s"]
        with CeosImage.open(slant.image_path("HH", image["beam"])) as opened:
            found = [opened.prefix(int(line)) for line in lines]
        for where, pixel in (
            ("first", 0), ("center", image["pixels"] // 2), ("last", image["pixels"] - 1),
        ):  # fmt: skip
            r = image["near_range_m"] + pixel * image["range_spacing_m"]
            lon, lat = rdr2geo(orbit, t, r, look=slant.spec.look)
            for name, wanted in (("lon", lon), ("lat", lat)):
                got = np.array([prefix[f"{name}_{where}_udeg"] for prefix in found]) * 1e-6
                assert np.abs(got - wanted).max() < 6e-7
        position, _ = orbit.interpolate(t)
        altitude = np.array([prefix["platform_altitude_m"] for prefix in found])
        assert np.abs(np.linalg.norm(position, axis=1) - altitude - 6_367_000.0).max() < 12_000.0


def test_positions_in_the_prefixes_of_maps_follow_from_the_grid(mapped: Made) -> None:
    orbit, values = orbit_of(mapped), mapped.leader.map_projection
    assert values is not None
    image = mapped.truth["images"][0]
    a, b, c, d, e, f = image["transform"]
    with CeosImage.open(mapped.image_path("HH")) as opened:
        found = [opened.prefix(line) for line in range(0, image["lines"], 7)]
    rows = np.arange(0, image["lines"], 7)
    for where, column in (("first", 0), ("last", image["pixels"] - 1)):
        easting = a * (column + 0.5) + b * (rows + 0.5) + c
        northing = d * (column + 0.5) + e * (rows + 0.5) + f
        got = np.array([(p[f"easting_{where}_m"], p[f"northing_{where}_m"]) for p in found])
        assert np.abs(got - np.stack([easting, northing], axis=1)).max() <= 0.51
    corners = image["corners"]
    assert found[0]["lat_first_udeg"] == pytest.approx(corners[0]["lat_deg"] * 1e6, abs=0.51)
    assert found[0]["lon_last_udeg"] == pytest.approx(corners[1]["lon_deg"] * 1e6, abs=0.51)
    lon, lat = found[0]["lon_center_udeg"] * 1e-6, found[0]["lat_center_udeg"] * 1e-6
    t, _ = geo2rdr(orbit, lon, lat)
    midnight = orbit.epoch.replace(hour=0, minute=0, second=0)
    ms = ((orbit.epoch - midnight).total_seconds() + float(t)) * 1000.0 % 86_400_000.0
    assert found[0]["ms_of_day"] == pytest.approx(ms, abs=1.1)
    data = mapped.truth["data"]
    assert found[0]["slant_range_first_m"] == round(data["near_range_m"])
    assert found[0]["slant_range_last_m"] == round(data["far_range_m"])
    assert found[0]["doppler_first_mhz"] < 0  # signed


def test_map_projection_corners(mapped: Made) -> None:
    values = mapped.leader.map_projection
    assert values is not None
    image = mapped.truth["images"][0]
    names = ("top_left", "top_right", "bottom_right", "bottom_left")
    for name, corner in zip(names, image["corners"], strict=True):
        assert values[f"{name}_lon_deg"] == pytest.approx(corner["lon_deg"], abs=6e-8)
        assert values[f"{name}_lat_deg"] == pytest.approx(corner["lat_deg"], abs=6e-8)
        # The bilinear forms count rows and columns from 1.
        r, c = corner["line"] + 1.0, corner["pixel"] + 1.0
        terms = np.array([1.0, r, c, r * c])
        lon, lat = np.array(values["row_column_to_map"]).reshape(2, 4) @ terms
        assert (lon - corner["lon_deg"] + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=2e-7)
        assert lat == pytest.approx(corner["lat_deg"], abs=2e-7)


def test_facility_5_agrees_with_the_exact_geometry(made: Made) -> None:
    record = made.leader.facility_5
    assert record is not None
    names = GeolocationPolynomials.__dataclass_fields__
    fitted = GeolocationPolynomials(**{name: record[name] for name in names})
    image = made.truth["images"][0]
    corners = image["corners"]
    for corner in corners:
        line, pixel = fitted.line_pixel(corner["lon_deg"], corner["lat_deg"])
        assert float(line) == pytest.approx(corner["line"], abs=0.02)
        assert float(pixel) == pytest.approx(corner["pixel"], abs=0.02)
        line, pixel = fitted.map_line_pixel(corner["lon_deg"], corner["lat_deg"])
        assert float(line) == pytest.approx(corner["line"], abs=0.05)
        assert float(pixel) == pytest.approx(corner["pixel"], abs=0.05)
        lon, lat = fitted.lonlat(corner["line"], corner["pixel"])
        back_line, back_pixel = fitted.line_pixel(lon, lat)
        assert float(back_line) == pytest.approx(corner["line"], abs=0.02)
        assert float(back_pixel) == pytest.approx(corner["pixel"], abs=0.02)
        assert float(lat) == pytest.approx(corner["lat_deg"], abs=1e-7)
        off = (float(lon) - corner["lon_deg"] + 180.0) % 360.0 - 180.0
        assert off == pytest.approx(0.0, abs=2e-7)
    middle = image["lines"] // 2, image["pixels"] // 2
    assert (fitted.origin_line, fitted.origin_pixel) == middle


def test_doppler_rate_is_zero_unless_sarpy_shall_read_it(make: Maker) -> None:
    plain, pleased = (make(**given).leader.data_set_summary for given in (PRODUCTS[0], PRODUCTS[3]))
    assert plain["doppler_rate_cross_track"] == [0.0, 0.0, 0.0]
    assert -1000.0 < pleased["doppler_rate_cross_track"][0] < -300.0
    assert plain["doppler_cross_track"][0] != 0.0


def test_incidence_polynomial_gives_radians_by_kilometres(make: Maker) -> None:
    made = make(**PRODUCTS[0])
    a = made.leader.data_set_summary["incidence_polynomial"]
    r = made.truth["center"]["slant_range_m"] / 1000.0
    angle = np.degrees(sum(value * r**k for k, value in enumerate(a)))
    assert angle == pytest.approx(made.truth["center"]["incidence_deg"], abs=1e-4)

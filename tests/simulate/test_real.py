"""The real L1.5 scene, simulated: the same fields are filled, and with nearly the same numbers."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from alos2.ceos import read_image_descriptor, read_leader, read_trailer, read_volume
from alos2.product.summary import read_summary
from simulate.products import Made, Maker

UNKNOWN = {"nadir_heading_deg", "platform_heading_deg"}
"""What these hold in the real leader (-109.5 and -90.0 degrees) is not understood."""


@pytest.fixture(scope="module")
def real(real_data: Path) -> dict[str, bytes]:
    (archive,) = (real_data / "palsar2-real").glob("*.zip")
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


@pytest.fixture(scope="module")
def made(make: Maker) -> Made:
    """A tenth of the pixels, ten times as large."""
    return make(
        level="1.5",
        lat_deg=-11.0510316,
        lon_deg=-62.5322403,
        date=date(2014, 9, 9),
        off_nadir_deg=36.26,
        pixels=1287,
        lines=1316,
        spacing_m=62.5,
    )


def contents(real: dict[str, bytes], made: Made, kind: str) -> tuple[bytes, bytes]:
    """Content of the real and of the simulated file of a kind."""
    (name,) = [n for n in real if n.startswith(kind)]
    return real[name], (made.folder / name).read_bytes()


def test_files_have_the_same_names(real: dict[str, bytes], made: Made) -> None:
    assert sorted(path.name for path in made.folder.iterdir()) == sorted(real)


def blanks(values: Any, path: str = "") -> set[str]:
    """Names of the fields that are blank."""
    if isinstance(values, dict):
        return set().union(*(blanks(v, f"{path}.{k}") for k, v in values.items()))
    if isinstance(values, list):
        return set().union(set(), *(blanks(v, path) for v in values))
    return {path} if values is None else set()


@pytest.mark.parametrize("kind", ["LED", "VOL", "TRL", "IMG-HV"])
def test_the_same_fields_are_filled(real: dict[str, bytes], made: Made, kind: str) -> None:
    read: Any = {"LED": read_leader, "VOL": read_volume, "TRL": read_trailer}.get(
        kind, read_image_descriptor
    )
    theirs, ours = (read(content, name=kind) for content in contents(real, made, kind))
    if kind == "IMG-HV":
        assert blanks(ours) == blanks(theirs)
        return
    for part in (
        "descriptor",
        "data_set_summary",
        "map_projection",
        "platform_position",
        "attitude",
        "radiometric",
        "data_quality",
        "facility_5",
        "pointers",
        "text",
    ):
        if hasattr(theirs, part):
            assert blanks(getattr(ours, part)) == blanks(getattr(theirs, part)), part


def test_text_fields_are_the_same(real: dict[str, bytes], made: Made) -> None:
    theirs, ours = (read_leader(c, name="LED") for c in contents(real, made, "LED"))
    for part in ("descriptor", "data_set_summary", "map_projection"):
        for key, value in getattr(theirs, part).items():
            if isinstance(value, str) and key != "center_time":
                assert getattr(ours, part)[key] == value, key


def test_numbers_are_nearly_the_same(real: dict[str, bytes], made: Made) -> None:
    theirs, ours = (read_leader(c, name="LED") for c in contents(real, made, "LED"))
    assert theirs.map_projection is not None
    assert ours.map_projection is not None
    summary, projection = ours.data_set_summary, ours.map_projection
    for key, tolerance in {
        "center_lat_deg": 1e-7, "center_lon_deg": 1e-7, "scene_heading_deg": 0.01,
        "nadir_lat_deg": 0.01, "nadir_lon_deg": 0.01, "incidence_deg": 0.05, "orbit": 0,
        "wavelength_m": 1e-7, "prf_mhz": 1e-3, "sampling_rate_mhz": 1e-6, "pulse_width_us": 1e-6,
        "semi_major_km": 0, "semi_minor_km": 0, "bandwidth_range_khz": 0, "clock_angle_deg": 0,
        "bandwidth_azimuth_hz": 0, "looks_azimuth": 0, "looks_range": 0, "beam_number": 0,
        "resolution_range_m": 0.01, "resolution_azimuth_m": 0.5, "off_nadir_deg": 0.4,
        "doppler_const_hz": 0, "doppler_linear_hz_per_km": 0, "channel_count": 0,
    }.items():  # fmt: skip
        assert summary[key] == pytest.approx(theirs.data_set_summary[key], abs=tolerance), key
    for key, tolerance in {
        "platform_altitude_m": 50.0, "ground_speed_m_s": 10.0, "geocentre_distance_m": 1.0,
        "utm_false_northing_m": 0, "utm_zone": 0, "utm_scale": 0, "top_left_northing_km": 0.07,
        "bottom_right_easting_km": 0.07, "top_left_lat_deg": 6e-4, "bottom_right_lon_deg": 6e-4,
    }.items():  # fmt: skip
        assert projection[key] == pytest.approx(theirs.map_projection[key], abs=tolerance), key
    assert theirs.attitude is not None
    assert ours.attitude is not None
    for key in ("pitch_deg", "roll_deg", "yaw_deg", "yaw_rate_deg_s"):
        assert ours.attitude["points"][0][key] == pytest.approx(
            theirs.attitude["points"][0][key], abs=0.02
        )


def test_corners_of_the_data_are_those_of_the_real_summary(
    real: dict[str, bytes], made: Made
) -> None:
    theirs, ours = (read_summary(c, "summary.txt") for c in contents(real, made, "summary"))
    assert list(ours.values) == list(theirs.values)
    for place in ("Center", "LeftTop", "RightTop", "LeftBottom", "RightBottom"):
        for axis in ("Latitude", "Longitude"):
            for prefix in ("Image", "Frame"):
                key = f"Img_{prefix}Scene{place}{axis}"
                # The raster is 39 m smaller, and both are printed to 0.001 degrees.
                assert ours.number(key) == pytest.approx(theirs.number(key), abs=2.1e-3)
    start, end = (ours.time(f"Img_Scene{word}DateTime") for word in ("Start", "End"))
    assert start is not None
    assert end is not None
    assert (end - start).total_seconds() == pytest.approx(10.0, abs=0.02)

"""Small products, made from the record tables and from TIFF tags by hand."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alos2.ceos.image_layout import IMAGE_DESCRIPTOR, PROCESSED_PREFIX, SIGNAL_PREFIX
from alos2.ceos.leader import LEADER_DESCRIPTOR, LEADER_RECORDS
from alos2.ceos.trailer import TRAILER_DESCRIPTOR
from alos2.ceos.volume import FILE_POINTER, TEXT, VOLUME_DESCRIPTOR

SCENE = "ALOS2015976960-140909"


def orbit_points(count: int = 6) -> list[dict[str, float]]:
    """A circular orbit of 98 degrees, in an Earth-fixed frame near enough for six minutes."""
    radius, rate, tilt = 7_007_000.0, 2.0 * math.pi / 5840.0, math.radians(98.0)
    points = []
    for number in range(count):
        angle = rate * 60.0 * number
        x, y = math.cos(angle), math.sin(angle)
        vx, vy = -math.sin(angle) * rate, math.cos(angle) * rate
        points.append(
            {
                "x_m": radius * x,
                "y_m": radius * y * math.cos(tilt),
                "z_m": radius * y * math.sin(tilt),
                "vx_m_s": radius * vx,
                "vy_m_s": radius * vy * math.cos(tilt),
                "vz_m_s": radius * vy * math.sin(tilt),
            }
        )
    return points


def map_record(lines: int, pixels: int, spacing_m: float = 10.0, angle_deg: float = 0.0) -> dict:
    """A UTM 20S map projection record; corners are pixel centres."""
    a, b = (
        spacing_m * math.cos(math.radians(angle_deg)),
        spacing_m * math.sin(math.radians(angle_deg)),
    )
    record: dict[str, Any] = {
        "kind": "GEOCODED", "pixel_count": pixels, "line_count": lines,
        "pixel_spacing_m": spacing_m, "line_spacing_m": spacing_m,
        "projection": "UTM-PROJECTION", "utm_zone": 20, "utm_false_easting_m": 500000.0,
        "utm_false_northing_m": 10000000.0, "utm_scale": 0.9996,
    }  # fmt: skip
    for corner, (p, n) in {
        "top_left": (0, 0), "top_right": (pixels - 1, 0),
        "bottom_right": (pixels - 1, lines - 1), "bottom_left": (0, lines - 1),
    }.items():  # fmt: skip
        record[f"{corner}_easting_km"] = (500_003.0 + a * p + b * n) / 1000.0
        record[f"{corner}_northing_km"] = (8_800_005.0 + b * p - a * n) / 1000.0
    return record


@dataclass
class CeosSpec:
    """What a small CEOS product is made of; tests change it."""

    scene: str = SCENE
    product: str = "FBDR1.1__A"
    polarizations: tuple[str, ...] = ("HH", "HV")
    beams: tuple[str, ...] = ("",)
    lines: int = 5
    pixels: int = 7
    data_set: dict[str, Any] = field(default_factory=dict)
    map_projection: dict[str, Any] = field(default_factory=dict)
    position: dict[str, Any] = field(default_factory=dict)
    facility_5: dict[str, Any] = field(default_factory=dict)
    prefix: dict[str, Any] = field(default_factory=dict)
    radiometric: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, str | None] = field(default_factory=dict)

    @property
    def level(self) -> str:
        return self.product[4:7]

    @property
    def names(self) -> list[str]:
        """Data files in the summary's order."""
        tail = f"{self.scene}-{self.product}"
        images = [
            f"IMG-{p}-{tail}{'-' + b if b else ''}" for p in self.polarizations for b in self.beams
        ]
        return [f"VOL-{tail}", f"LED-{tail}", *images, f"TRL-{tail}"]

    def leader(self) -> bytes:
        values: dict[str, dict[str, Any]] = {
            "data_set_summary": {
                "scene_id": self.scene, "center_time": "20140909043347052", "orbit": 1597,
                "clock_angle_deg": 90.0, "line_time_direction": "ASCEND", "level": self.level,
                "wavelength_m": 0.2424525, "prf_mhz": 2122318.448518, "off_nadir_deg": 36.6,
                "sampling_rate_mhz": 34.9305319, "incidence_deg": 40.573, "version": "002.012",
                "bandwidth_range_khz": 24900.0, "bandwidth_azimuth_hz": 1355.9,
                "pulse_width_us": 30.84, "pixel_spacing_m": 4.29, "line_spacing_m": 3.25,
                **self.data_set,
            },
            "platform_position": {
                "orbit_quality": "2", "first_year": 2014, "first_month": 9, "first_day": 9,
                "first_second_of_day": 16200.0, "interval_s": 60.0, "points": orbit_points(),
                **self.position,
            },
            "radiometric": {"calibration_factor_db": -83.0, **self.radiometric},
            "facility_5": {
                "pixel_line_to_lat": [0.0] * 24 + [-11.0], "origin_pixel": 3.0,
                "pixel_line_to_lon": [0.0] * 24 + [-62.0], "origin_line": 2.0,
                "map_to_pixel": [0.0] * 10, "map_to_line": [0.0] * 10,
                "lat_lon_to_pixel": [0.0] * 25, "lat_lon_to_line": [0.0] * 25,
                "origin_lat_deg": -11.0, "origin_lon_deg": -62.0, **self.facility_5,
            },
        }  # fmt: skip
        if self.level != "1.1":
            values["map_projection"] = {
                **map_record(self.lines, self.pixels), **self.map_projection
            }  # fmt: skip
        body, counts = b"", {}
        order = [key for key in LEADER_RECORDS if key in values]
        for sequence, key in enumerate(order, start=2):
            body += LEADER_RECORDS[key].encode(values[key], sequence=sequence)
            counts[f"{key}_count"] = 1
        return LEADER_DESCRIPTOR.encode(counts, sequence=1) + body

    def image(self, polarization: str) -> bytes:
        slc = self.level == "1.1"
        layout, width = (SIGNAL_PREFIX, 8) if slc else (PROCESSED_PREFIX, 2)
        prefix_bytes, record = layout.length, layout.length + width * self.pixels
        data = IMAGE_DESCRIPTOR.encode(
            {
                "record_count": self.lines, "data_record_length": record, "lines": self.lines,
                "pixels": self.pixels, "prefix_bytes": prefix_bytes, "bytes_per_group": width,
                "data_bytes": width * self.pixels, "bits_per_sample": 32 if slc else 16,
            },
            sequence=1,
        )  # fmt: skip
        for line in range(self.lines):
            values = {
                "line_number": line + 1, "year": 2014, "day_of_year": 252,
                "ms_of_day": 16422052, "prf_mhz": 2122318, "slant_range_first_m": 790358,
            }  # fmt: skip
            if slc:
                values["us_of_day"] = 16422052123 + round(line * 1e6 / 2122.318448518)
            else:
                del values["slant_range_first_m"]
            head = layout.encode({**values, **self.prefix}, sequence=line + 2, length=record)
            data += head.ljust(prefix_bytes, b"\0")[:prefix_bytes]
            data += np.full(self.pixels * width // 2, line + 1, ">u2").tobytes()
        return data

    def volume(self) -> bytes:
        codes = ["SARL", *["IMOP"] * len(self.polarizations) * len(self.beams), "SART"]
        data = VOLUME_DESCRIPTOR.encode(
            {"pointer_count": len(codes), "text_count": 1, "logical_volume_id": "AL2SAR20150320"},
            sequence=1,
        )
        for number, code in enumerate(codes, start=2):
            data += FILE_POINTER.encode({"file_class_code": code}, sequence=number)
        text = {
            "product": f"PRODUCT:{self.product}", "orbit": f"ORBIT :{self.scene}",
            "process": "PROCESS:JAPAN-JAXA-ALOS2-EICS  20150320 080952",
        }  # fmt: skip
        return data + TEXT.encode(text, sequence=len(codes) + 2)

    def trailer(self) -> bytes:
        size = {"record_bytes": 24, "pixels": 4, "lines": 3, "bytes_per_sample": 2}
        head = TRAILER_DESCRIPTOR.encode(
            {"low_resolution_count": 1, "low_resolution": [size]}, sequence=1
        )
        return head + bytes(24)

    def summary_text(self) -> str:
        return summary_text(self.names, self.scene, self.product, "CEOS", self.summary)

    def files(self) -> dict[str, bytes]:
        """Every file of the delivery by name."""
        content: dict[str, bytes] = {}
        for name in self.names:
            if name.startswith("IMG"):
                content[name] = self.image(name[4:6])
            else:
                make = {"VOL": self.volume, "LED": self.leader, "TRL": self.trailer}[name[:3]]
                content[name] = make()
        content["summary.txt"] = self.summary_text().encode()
        return content

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in self.files().items():
            (folder / name).write_bytes(data)
        return folder


def summary_text(
    names: list[str],
    scene: str,
    product: str,
    image_format: str,
    changes: Mapping[str, str | None],
) -> str:
    level = product[4:7]
    digits = level.replace(".", "")
    values: dict[str, str | None] = {
        "Odi_SiteDateTime": "PROCESS:JAPAN-JAXA-ALOS2-EICS  20150320 080952",
        "Scs_SceneID": scene,
        "Scs_SceneShift": "-2",
        "Pds_ProductID": product,
        "Pds_OrbitDataPrecision": "Precision",
        "Img_SceneCenterDateTime": "20140909 04:33:47.052",
        "Img_SceneStartDateTime": "20140909 04:33:42.052",
        "Img_SceneEndDateTime": "20140909 04:33:52.052",
        "Img_OffNadirAngle": "36.6",
        f"Pdi_CntOfL{digits}ProductFileName": str(len(names)),
        **{f"Pdi_L{digits}ProductFileName{n:02}": name for n, name in enumerate(names, 1)},
        "Pdi_ProductFormat": image_format,
        "Lbi_Satellite": "ALOS2",
        "Lbi_ProcessLevel": level,
        "Lbi_ProcessFacility": "EICS",
    }
    values.update(changes)
    return "".join(f'{key}="{value}"\n' for key, value in values.items() if value is not None)


TIFF_TYPES = {"H": 3, "I": 4, "d": 12, "s": 2, "Q": 16}


def tiff_bytes(
    tags: Mapping[int, tuple[str, Any]],
    pixels: bytes,
    *,
    order: str = "<",
    big: bool = False,
    directory_first: bool = False,
) -> bytes:
    """A TIFF of one strip: `tags` by number as (struct letter, values)."""
    offset_code, inline = ("Q", 8) if big else ("I", 4)
    head = 16 if big else 8
    entries = {
        **tags,
        273: (offset_code, (0,)),
        279: (offset_code, (len(pixels),)),
    }
    size = (8 if big else 2) + len(entries) * (12 + 8 * big) + inline
    packed = {
        tag: values.encode() + b"\0" if code == "s" else struct.pack(
            f"{order}{len(values)}{code}", *values
        )
        for tag, (code, values) in entries.items()
    }  # fmt: skip
    extra = sum(len(data) for data in packed.values() if len(data) > inline)
    start = head if directory_first else head + len(pixels)
    data_at = head + size + extra if directory_first else head
    packed[273] = struct.pack(order + offset_code, data_at)
    place, directory, values_after = start + size, b"", b""
    for tag in sorted(entries):
        code, values = entries[tag]
        count = len(packed[tag]) if code == "s" else len(values)
        field_bytes = packed[tag]
        if len(field_bytes) > inline:
            values_after += field_bytes
            field_bytes = struct.pack(order + offset_code, place)
            place += len(packed[tag])
        directory += struct.pack(order + "HH" + offset_code, tag, TIFF_TYPES[code], count)
        directory += field_bytes.ljust(inline, b"\0")
    directory = (
        struct.pack(order + ("Q" if big else "H"), len(entries))
        + directory
        + bytes(inline)
        + values_after
    )
    mark = {"<": b"II", ">": b"MM"}[order]
    header = mark + struct.pack(order + "H", 43 if big else 42)
    header += struct.pack(order + "HHQ", 8, 0, start) if big else struct.pack(order + "I", start)
    return header + (directory + pixels if directory_first else pixels + directory)


def geo_keys(keys: Mapping[int, int | float | str]) -> dict[int, tuple[str, Any]]:
    """GeoTIFF key tags."""
    directory, doubles, text = [1, 1, 0, len(keys)], [], ""
    for key in sorted(keys):
        value = keys[key]
        if isinstance(value, str):
            directory += [key, 34737, len(value) + 1, len(text)]
            text += value + "|"
        elif isinstance(value, float):
            directory += [key, 34736, 1, len(doubles)]
            doubles.append(value)
        else:
            directory += [key, 0, 1, value]
    tags: dict[int, tuple[str, Any]] = {34735: ("H", directory)}
    if doubles:
        tags[34736] = ("d", doubles)
    if text:
        tags[34737] = ("s", text)
    return tags


JAXA_KEYS: dict[int, int | float | str] = {
    1024: 1, 1025: 1, 1026: "Geo-coded", 2048: 4338, 2049: "Datum=ITRF97 Ellipsoid=GRS80",
    2050: 6655, 2051: 8901, 2054: 9102, 2056: 7019, 3072: 32767, 3076: 9001,
}  # fmt: skip


def utm_keys(zone: int = 20, *, south: bool = True) -> dict[int, int | float | str]:
    return {
        **JAXA_KEYS, 3074: (16100 if south else 16000) + zone, 3075: 1,
        3080: zone * 6.0 - 183.0, 3081: 0.0, 3082: 500000.0,
        3083: 1e7 if south else 0.0, 3092: 0.9996,
    }  # fmt: skip


def image_tags(lines: int, pixels: int, *, slc: bool = False, pol: str = "HH") -> dict:
    samples = 2 if slc else 1
    return {
        256: ("I", (pixels,)), 257: ("I", (lines,)), 258: ("H", (16,) * samples),
        259: ("H", (1,)), 262: ("H", (1,)), 270: ("s", pol), 277: ("H", (samples,)),
        278: ("I", (lines,)), 284: ("H", (1,)), 339: ("H", (2 if slc else 1,) * samples),
    }  # fmt: skip


SCALE_TIE = {
    33550: ("d", (10.0, 10.0, 0.0)),
    33922: ("d", (0.5, 0.5, 0.0, 500_003.0, 8_800_005.0, 0.0)),
}
"""The centre of the first pixel is at (500003, 8800005)."""


@dataclass
class GeotiffSpec:
    """What a small GeoTIFF delivery is made of."""

    scene: str = SCENE
    product: str = "FBDR2.1GUA"
    polarizations: tuple[str, ...] = ("HH", "HV")
    lines: int = 6
    pixels: int = 8
    keys: dict[int, int | float | str] = field(default_factory=utm_keys)
    place: dict[int, tuple[str, Any]] = field(default_factory=lambda: dict(SCALE_TIE))
    summary: dict[str, str | None] = field(default_factory=dict)
    directory_first: bool = False

    def image(self, polarization: str) -> bytes:
        slc = self.product[4:7] == "1.1"
        pixels = bytes(self.lines * self.pixels * (4 if slc else 2))
        tags = {
            **image_tags(self.lines, self.pixels, slc=slc, pol=polarization),
            **geo_keys(self.keys),
            **self.place,
        }
        return tiff_bytes(tags, pixels, directory_first=self.directory_first)

    def files(self) -> dict[str, bytes]:
        tail, names = f"{self.scene}-{self.product}", []
        content: dict[str, bytes] = {}
        for polarization in self.polarizations:
            names += [f"IMG-{polarization}-{tail}.tif", f"LUT-{polarization}-{tail}.txt"]
            content[names[-2]] = self.image(polarization)
            lut = [0.0] + [10.0**8.3] * self.pixels
            content[names[-1]] = b"".join(b" %.15E\n" % value for value in lut)
        text = summary_text(names, self.scene, self.product, "GeoTIFF", self.summary)
        content["summary.txt"] = text.encode()
        return content

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in self.files().items():
            (folder / name).write_bytes(data)
        return folder


@pytest.fixture
def ceos() -> Callable[..., CeosSpec]:
    return CeosSpec


@pytest.fixture
def geotiff() -> Callable[..., GeotiffSpec]:
    return GeotiffSpec


@pytest.fixture
def tiff() -> Callable[..., bytes]:
    return tiff_bytes


@pytest.fixture
def tags() -> Callable[..., dict[int, tuple[str, Any]]]:
    """Tags of a detected image of UTM 20S: `tags(lines, pixels, keys=..., place=...)`."""

    def make(
        lines: int = 6,
        pixels: int = 8,
        keys: Mapping[int, int | float | str] | None = None,
        place: Mapping[int, tuple[str, Any]] | None = None,
        *,
        slc: bool = False,
    ) -> dict[int, tuple[str, Any]]:
        return {
            **image_tags(lines, pixels, slc=slc),
            **geo_keys(utm_keys() if keys is None else keys),
            **(SCALE_TIE if place is None else place),
        }

    return make


@pytest.fixture
def jaxa_keys() -> dict[int, int | float | str]:
    return dict(JAXA_KEYS)

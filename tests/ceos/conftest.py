"""Small files that are true to the tables, and the real ones."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alos2.ceos.image_layout import IMAGE_DESCRIPTOR, PROCESSED_PREFIX, SIGNAL_PREFIX
from alos2.ceos.leader import LEADER_DESCRIPTOR, LEADER_RECORDS
from alos2.ceos.trailer import TRAILER_DESCRIPTOR
from alos2.ceos.volume import FILE_POINTER, TEXT, VOLUME_DESCRIPTOR

FACILITY_LENGTHS = {1: 100, 2: 70, 3: 66, 4: 90}


@pytest.fixture(scope="session")
def real_member(real_data: Path) -> Callable[[str], bytes]:
    """Content of a member of the real L1.5 delivery, by the beginning of its name."""
    (archive,) = (real_data / "palsar2-real").glob("*.zip")

    def read(kind: str) -> bytes:
        with zipfile.ZipFile(archive) as opened:
            (name,) = [n for n in opened.namelist() if n.rsplit("/", 1)[-1].startswith(kind)]
            return opened.read(name)

    return read


@pytest.fixture(scope="session")
def build_leader() -> Callable[..., bytes]:
    """Write a leader: values by record, None leaves the record out."""

    def build(points: int = 6, **records: dict[str, Any] | None) -> bytes:
        vectors = [
            {"x_m": 7e6 + n, "y_m": -1.0 * n, "z_m": 0.5, "vx_m_s": 7.5} for n in range(points)
        ]
        chosen: dict[str, dict[str, Any] | None] = {
            "data_set_summary": {"scene_id": "ALOS2015976960-140909", "prf_mhz": 2122318.448},
            "map_projection": {"pixel_count": 7},
            "platform_position": {"points": vectors, "first_year": 2014, "interval_s": 60.0},
            "attitude": {"points": [{"day_of_year": 252, "ms_of_day": 16415743}] * 3},
            "radiometric": {"calibration_factor_db": -83.0},
            "data_quality": {"channel_count": None},
            "facility_5": {"origin_pixel": 3.0, "pixel_line_to_lat": list(range(25))},
        }
        chosen.update(records)
        counts: dict[str, int] = {}
        body = b""
        sequence = 2
        for key, values in chosen.items():
            if key == "facility_5":
                for number, length in FACILITY_LENGTHS.items():
                    head = sequence.to_bytes(4, "big") + bytes((18, 200, 18, 70))
                    body += head + length.to_bytes(4, "big") + b"%4d" % number
                    body += b"x" * (length - 16)
                    counts[f"facility_{number}_count"] = 1
                    sequence += 1
            if values is None:
                continue
            record = LEADER_RECORDS[key].encode(values, sequence=sequence)
            counts[f"{key}_count"], counts[f"{key}_length"] = 1, len(record)
            body += record
            sequence += 1
        return LEADER_DESCRIPTOR.encode(counts, sequence=1) + body

    return build


@pytest.fixture(scope="session")
def small_volume() -> bytes:
    """A volume directory with three pointers and a text."""
    pointers = b"".join(
        FILE_POINTER.encode({"file_number": n, "record_count": 6}, sequence=n + 1)
        for n in (1, 2, 3)
    )
    descriptor = VOLUME_DESCRIPTOR.encode({"pointer_count": 3}, sequence=1)
    return descriptor + pointers + TEXT.encode({"product": "PRODUCT:FBDR1.5GUA"}, sequence=5)


@pytest.fixture(scope="session")
def small_trailer() -> bytes:
    """A trailer with one low-resolution image of 3 lines x 4 pixels, 0 to 11."""
    sizes = [{"record_bytes": 24, "pixels": 4, "lines": 3, "bytes_per_sample": 2}]
    descriptor = TRAILER_DESCRIPTOR.encode({"low_resolution": sizes}, sequence=1)
    return descriptor + np.arange(12, dtype=">u2").tobytes()


def _image_descriptor(family: str, lines: int, pixels: int, **more: Any) -> bytes:
    """Descriptor of an image file."""
    width, prefix = (8, 544) if family == "signal" else (2, 192)
    values = {
        "record_count": lines,
        "data_record_length": prefix + width * pixels,
        "bytes_per_group": width,
        "lines": lines,
        "pixels": pixels,
        "prefix_bytes": prefix,
        "data_bytes": width * pixels,
        **more,
    }
    return IMAGE_DESCRIPTOR.encode(values, sequence=1)


def _image_line(family: str, line: int, pixels: np.ndarray[Any, Any], **more: Any) -> bytes:
    """One record of an image file; `line` counts from 0."""
    layout, code = (SIGNAL_PREFIX, ">c8") if family == "signal" else (PROCESSED_PREFIX, ">u2")
    data = pixels.astype(code).tobytes()
    values = {"line_number": line + 1, "ms_of_day": 1000 + line, "lat_first_udeg": -line, **more}
    assert layout.length is not None
    return layout.encode(values, sequence=line + 2, length=layout.length + len(data)) + data


@pytest.fixture(scope="session")
def image_descriptor() -> Callable[..., bytes]:
    """Write the descriptor of an image file: family, lines, pixels, other fields."""
    return _image_descriptor


@pytest.fixture(scope="session")
def image_line() -> Callable[..., bytes]:
    """Write one line of an image file: family, number from 0, pixels, other fields."""
    return _image_line


@pytest.fixture(scope="session")
def build_image() -> Callable[..., tuple[bytes, np.ndarray[Any, Any]]]:
    """Write an image file; gives it and its pixels."""

    def build(
        family: str, lines: int = 5, pixels: int = 7, **more: Any
    ) -> tuple[bytes, np.ndarray[Any, Any]]:
        rng = np.random.default_rng(7)
        if family == "signal":
            parts = rng.normal(size=(2, lines, pixels)).astype(np.float32)
            values = (parts[0] + 1j * parts[1]).astype(np.complex64)
        else:
            values = rng.integers(0, 65536, size=(lines, pixels)).astype(np.uint16)
        body = b"".join(_image_line(family, n, row, **more) for n, row in enumerate(values))
        return _image_descriptor(family, lines, pixels) + body, values

    return build

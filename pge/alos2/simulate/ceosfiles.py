"""CEOS files but the leader: image, volume directory, trailer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from alos2.ceos.facility import FACILITY_5
from alos2.ceos.image_layout import IMAGE_DESCRIPTOR
from alos2.ceos.trailer import TRAILER_DESCRIPTOR
from alos2.ceos.volume import FILE_POINTER, TEXT, VOLUME_DESCRIPTOR
from alos2.simulate.leader import FACILITY_BYTES, file_id
from alos2.simulate.prefixes import PrefixMaker
from alos2.simulate.scene import Scene
from alos2.types import RasterShape

FACILITY: Final = "EICS"
SITE: Final = f"JAPAN-JAXA-ALOS2-{FACILITY}"

_LEADER_RECORDS: Final = 11
"""Descriptor, five records, five facility records; one more with a map projection."""


_FIRST_RECORD_BYTES: Final = 720
"""Length of every file's first record."""


@dataclass(frozen=True)
class SampleFormat:
    """How pixels stand in an image file."""

    bits: int
    samples: int
    words: str
    code: str
    largest: int | None
    dtype: np.dtype[Any]


SIGNAL: Final = SampleFormat(32, 2, "COMPLEX*8", "C*8", None, np.dtype(">c8"))
PROCESSED: Final = SampleFormat(16, 1, "UNSIGNED INTEGER*2", "IU2", 65535, np.dtype(">u2"))


class CeosImageWriter:
    """Writes an IMG file strip by strip.

    Parameters
    ----------
    out : BinaryIO
        Where to; at its beginning.
    scene : Scene
        For the file's id.
    shape : RasterShape
        Of the image.
    prefixes : PrefixMaker
        Makes the line prefixes.
    """

    def __init__(
        self, out: BinaryIO, scene: Scene, shape: RasterShape, prefixes: PrefixMaker
    ) -> None:
        self._out = out
        self._prefixes = prefixes
        self._format = SIGNAL if scene.spec.level == "1.1" else PROCESSED
        self._prefix_bytes = prefixes.layout.length or 0
        data_bytes = shape.pixels * self._format.dtype.itemsize
        self.record_bytes = self._prefix_bytes + data_bytes
        values = {
            "file_number": 1,
            "file_id": file_id(scene, "IMOP"),
            "record_count": shape.lines,
            "data_record_length": self.record_bytes,
            "bits_per_sample": self._format.bits,
            "samples_per_group": self._format.samples,
            "bytes_per_group": self._format.dtype.itemsize,
            "lines": shape.lines,
            "pixels": shape.pixels,
            "prefix_bytes": self._prefix_bytes,
            "data_bytes": data_bytes,
            "sample_type": self._format.words,
            "sample_code": self._format.code,
            "maximum": self._format.largest,
        }
        out.write(IMAGE_DESCRIPTOR.encode(values, sequence=1))

    def write(self, first_line: int, block: NDArray[Any]) -> None:
        """Append a strip of whole lines."""
        lines = block.shape[0]
        buffer = np.empty((lines, self.record_bytes), dtype=np.uint8)
        prefixes = self._prefixes.make(first_line, lines, self.record_bytes)
        buffer[:, : self._prefix_bytes] = prefixes.view(np.uint8).reshape(lines, -1)
        pixels = np.ascontiguousarray(block, dtype=self._format.dtype)
        buffer[:, self._prefix_bytes :] = pixels.view(np.uint8).reshape(lines, -1)
        self._out.write(buffer.data)

    def close(self) -> None:
        """Nothing is left to write."""


def trailer_bytes(scene: Scene, numbers: NDArray[np.uint16]) -> bytes:
    """Make the trailer file with its low-resolution image."""
    lines, pixels = numbers.shape
    image = {
        "record_bytes": numbers.nbytes,
        "pixels": pixels,
        "lines": lines,
        "bytes_per_sample": numbers.itemsize,
    }
    values = {
        "file_id": file_id(scene, "SART"),
        "low_resolution_count": 1,
        "low_resolution": [image],
    }
    return TRAILER_DESCRIPTOR.encode(values, sequence=1) + numbers.astype(">u2").tobytes()


def volume_bytes(
    scene: Scene, images: list[RasterShape], low_resolution_bytes: int, made: datetime
) -> bytes:
    """Make the volume directory: a pointer a file, in the order LED, every IMG, TRL."""
    pixel = 8 if scene.spec.level == "1.1" else 2
    prefix = 544 if scene.spec.level == "1.1" else 192
    leader_records = _LEADER_RECORDS + (scene.grid is not None)
    longest = max(*FACILITY_BYTES, FACILITY_5.length or 0)
    pointers = [(1, "SARL", "SARLEADER FILE", leader_records, longest)]
    for shape in images:
        record = prefix + pixel * shape.pixels
        pointers.append((2, "IMOP", "IMAGERY OPTIONS FILE", shape.lines + 1, record))
    pointers.append((3, "SART", "SARTRAILER FILE", 2, low_resolution_bytes))
    descriptor = {
        "physical_volume_id": FACILITY,
        "logical_volume_id": f"AL2SAR{made:%Y%m%d}",
        "file_number": len(pointers),
        "created_date": f"{made:%Y%m%d}",
        "created_time": f"{made:%H%M%S}{made.microsecond // 10000:02d}",
        "facility": FACILITY,
        "pointer_count": len(pointers),
        "text_count": 1,
    }
    records = [VOLUME_DESCRIPTOR.encode(descriptor, sequence=1)]
    for number, code, words, count, length in pointers:
        pointer = {
            "file_number": number,
            "file_id": file_id(scene, code),
            "file_class": words,
            "file_class_code": code,
            "record_count": count,
            "maximum_record_length": max(length, _FIRST_RECORD_BYTES),
            "last_record": count,
        }
        records.append(FILE_POINTER.encode(pointer, sequence=len(records) + 1))
    records.append(TEXT.encode(_text(scene, made), sequence=len(records) + 1))
    return b"".join(records)


def _text(scene: Scene, made: datetime) -> dict[str, str]:
    lon, lat = scene.center_lonlat
    return {
        "product": f"PRODUCT:{scene.spec.product_id}",
        "process": f"PROCESS:{SITE}  {made:%Y%m%d %H%M%S}",
        "orbit": f"ORBIT :{scene.flight.scene}",
        "frame_centre": f"FRAME CENTRE: N{lat:+07.2f}  E{lon:+07.2f}".replace("+", " "),
    }

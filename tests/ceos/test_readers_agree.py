"""Our tables against those of an independent reader, xarray-ceos-alos2: field by field."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest

from alos2.ceos.fields import Group
from alos2.ceos.image_layout import IMAGE_DESCRIPTOR, PROCESSED_PREFIX, SIGNAL_PREFIX
from alos2.ceos.layout import RecordLayout
from alos2.ceos.leader import LEADER_DESCRIPTOR, LEADER_RECORDS
from alos2.ceos.trailer import TRAILER_DESCRIPTOR
from alos2.ceos.volume import FILE_POINTER, TEXT, VOLUME_DESCRIPTOR

pytestmark = pytest.mark.readers
pytest.importorskip("ceos_alos2", reason="xarray-ceos-alos2 is not installed")

SPARE = ("blanks", "spare", "reserved", "system_reserve", "local_use_segment", "preamble")

PAIRS: dict[str, tuple[RecordLayout, str, str]] = {
    "VOL descriptor": (VOLUME_DESCRIPTOR, "volume_directory.structure", "volume_descriptor"),
    "VOL pointer": (FILE_POINTER, "volume_directory.structure", "file_descriptor"),
    "VOL text": (TEXT, "volume_directory.structure", "text_record"),
    "LED descriptor": (LEADER_DESCRIPTOR, "sar_leader.file_descriptor", "file_descriptor_record"),
    "IMG descriptor": (IMAGE_DESCRIPTOR, "sar_image.file_descriptor", "file_descriptor_record"),
    "TRL descriptor": (TRAILER_DESCRIPTOR, "sar_trailer.file_descriptor", "file_descriptor_record"),
    "signal": (SIGNAL_PREFIX, "sar_image.signal_data", "signal_data_record"),
    "processed": (PROCESSED_PREFIX, "sar_image.processed_data", "processed_data_record"),
    "data_set_summary": (
        LEADER_RECORDS["data_set_summary"],
        "sar_leader.dataset_summary",
        "dataset_summary_record",
    ),
    "map_projection": (
        LEADER_RECORDS["map_projection"],
        "sar_leader.map_projection",
        "map_projection_record",
    ),
    "platform_position": (
        LEADER_RECORDS["platform_position"],
        "sar_leader.platform_position",
        "platform_position_record",
    ),
    "attitude": (LEADER_RECORDS["attitude"], "sar_leader.attitude", "attitude_record"),
    "radiometric": (
        LEADER_RECORDS["radiometric"],
        "sar_leader.radiometric_data",
        "radiometric_data_record",
    ),
    "data_quality": (
        LEADER_RECORDS["data_quality"],
        "sar_leader.data_quality_summary",
        "data_quality_summary_record",
    ),
    "facility_5": (
        LEADER_RECORDS["facility_5"],
        "sar_leader.facility_related_data",
        "facility_related_data_5_record",
    ),
}
COUNT = 2
"""Items of whatever the data would count."""
OUR_COUNTS = {"annotations": 64, "points": 28, "relative_errors": COUNT, "misregistrations": COUNT}
BLANK_SIZES = {
    # Sizes of theirs that depend on a count: bytes between the last item and the next field.
    ("relative_radiometric_quality", "blanks"): 512 - COUNT * 32,
}


def unwrap(element: Any) -> Any:
    """Their element without name, unit and enumeration."""
    inner = element
    while not hasattr(inner, "subcons") and hasattr(inner, "subcon"):
        if type(inner).__name__ == "Array":
            return inner
        inner = inner.subcon
    return inner if hasattr(inner, "subcons") or type(inner).__name__ == "Array" else element


def leaves(element: Any, offset: int, path: tuple[str, ...]) -> Iterator[tuple[int, int, str]]:
    """Offset, end and path of each of their fields, spares too."""
    inner = unwrap(element)
    kind = type(inner).__name__
    if kind == "Array":
        count = inner.count if isinstance(inner.count, int) else COUNT
        for _ in range(count):
            for start, end, name in leaves(inner.subcon, offset, path):
                yield start, end, name
                offset = end
    elif hasattr(inner, "subcons"):
        for child in inner.subcons:
            if child.name in ("record_start", "data"):
                continue
            for start, end, name in leaves(child, offset, (*path, child.name or "")):
                yield start, end, name
                offset = end
    else:
        known = BLANK_SIZES.get(path[-2:])  # type: ignore[call-overload]
        try:
            size = element.sizeof() if known is None else known
        except Exception:  # noqa: BLE001 - the tail, whose size depends on the data
            size = 0
        yield offset, offset + size, "/".join(path)


def our_places(layout: RecordLayout) -> list[tuple[int, int]]:
    counts = {
        item.name: [{}] * OUR_COUNTS.get(item.name, COUNT)
        for item in layout.items
        if isinstance(item, Group)
    }
    if layout.name == "attitude":
        counts = {"points": [{}] * COUNT}
    return sorted((p.start, p.stop) for _, p in layout.spans(counts) if p.start >= 12)


@pytest.mark.parametrize("name", PAIRS)
def test_same_fields_at_the_same_places(name: str) -> None:
    layout, module, struct = PAIRS[name]
    other = getattr(importlib.import_module(f"ceos_alos2.{module}"), struct)
    theirs = [
        (start, end, path)
        for start, end, path in leaves(other, 0, ())
        if start >= 12 and not any(part.startswith(SPARE) for part in path.split("/"))
    ]
    ours = our_places(layout)
    starts, ends = {start for start, _ in ours}, {end for _, end in ours}
    for start, end, path in theirs:
        # One of theirs may be several of ours (a date), never the other way round.
        assert start in starts, f"{path} begins at {start}"
        assert end in ends, f"{path} ends at {end}"
    covered_by_us = {byte for start, end in ours for byte in range(start, end)}
    covered_by_them = {byte for start, end, _ in theirs for byte in range(start, end)}
    assert covered_by_us == covered_by_them

"""LED, the leader file: its descriptor, and which record has which table."""

from __future__ import annotations

from typing import Final

from alos2.ceos.data_set_summary import DATA_SET_SUMMARY
from alos2.ceos.descriptors import FILE_DESCRIPTOR, RECORD_COUNTS
from alos2.ceos.facility import FACILITY_5
from alos2.ceos.layout import RecordLayout
from alos2.ceos.map_projection import MAP_PROJECTION
from alos2.ceos.platform import ATTITUDE, PLATFORM_POSITION
from alos2.ceos.quality import DATA_QUALITY, RADIOMETRIC

__all__ = [
    "ATTITUDE",
    "DATA_QUALITY",
    "DATA_SET_SUMMARY",
    "FACILITY_5",
    "FACILITY_CODES",
    "LEADER_DESCRIPTOR",
    "LEADER_RECORDS",
    "MAP_PROJECTION",
    "PLATFORM_POSITION",
    "RADIOMETRIC",
]

LEADER_DESCRIPTOR: Final = RecordLayout(
    "leader file descriptor",
    (11, 192, 18, 18),
    720,
    (*FILE_DESCRIPTOR, *RECORD_COUNTS),
)

LEADER_RECORDS: Final[dict[str, RecordLayout]] = {
    "data_set_summary": DATA_SET_SUMMARY,
    "map_projection": MAP_PROJECTION,
    "platform_position": PLATFORM_POSITION,
    "attitude": ATTITUDE,
    "radiometric": RADIOMETRIC,
    "data_quality": DATA_QUALITY,
    "facility_5": FACILITY_5,
}
"""Decoded records behind the descriptor, in the order of the file."""

FACILITY_CODES: Final = (18, 200, 18, 70)
"""Type of all five facility related records; the number in bytes 12 to 15 tells them apart."""

"""TRL, the trailer file: its descriptor, which says how large the low-resolution images are.

Source: the real L1.5 trailer. The images follow the descriptor with no record header of their own,
as unsigned big-endian integers, line by line (checked with the browse picture: rows are lines).
"""

from __future__ import annotations

from typing import Final

from alos2.ceos.descriptors import FILE_DESCRIPTOR, RECORD_COUNTS
from alos2.ceos.layout import Field, Group, RecordLayout

TRAILER_DESCRIPTOR: Final = RecordLayout(
    "trailer file descriptor",
    (63, 192, 18, 18),
    720,
    (
        *FILE_DESCRIPTOR,
        *RECORD_COUNTS,
        Field("low_resolution_count", 490, "I6", "", "low-resolution images"),
        Group(
            "low_resolution",
            496,
            26,
            "low_resolution_count",
            (
                Field("record_bytes", 0, "I8", "bytes", "size of the image"),
                Field("pixels", 8, "I6", "", "pixels a line"),
                Field("lines", 14, "I6", "", "lines"),
                Field("bytes_per_sample", 20, "I6", "bytes", "2"),
            ),
            "one an image",
        ),
    ),
)

"""What the file descriptors of LED, IMG and TRL have in common.

Source: the real L1.5 files; names as public readers of the CEOS format description have them.
"""

from __future__ import annotations

from typing import Final

from alos2.ceos.layout import Field

IDENTIFICATION: Final = (
    Field("character_code", 12, "A2", "", "A: ASCII", default="A"),
    Field("document_id", 16, "A12", "", "format control document", default="CEOS-SAR"),
    Field("document_revision", 28, "AR2", "", "its revision", default="A"),
    Field("record_format_revision", 30, "AR2", "", "record format revision", default="A"),
    Field("software_version", 32, "A12", "", "release of JAXA's processor", default="002.012"),
)
"""Bytes 12 to 43: VOL's descriptor has them too."""

FILE_DESCRIPTOR: Final = (
    *IDENTIFICATION,
    Field("file_number", 44, "I4", "", "number of the file", default=1),
    Field(
        "file_id",
        48,
        "A16",
        "",
        "'AL2 SAR' + product letter (B level 1.1, C 1.5 and 2.1, D 3.1) + SARL, IMOP or SART",
    ),
    Field("sequence_flag", 64, "A4", "", "record number: how it is located", default="FSEQ"),
    Field("sequence_location", 68, "I8", "", "its first byte, from 1", default=1),
    Field("sequence_length", 76, "I4", "bytes", "its length", default=4),
    Field("code_flag", 80, "A4", "", "record type: how it is located", default="FTYP"),
    Field("code_location", 84, "I8", "", "its first byte, from 1", default=5),
    Field("code_length", 92, "I4", "bytes", "its length", default=4),
    Field("length_flag", 96, "A4", "", "record length: how it is located", default="FLGT"),
    Field("length_location", 100, "I8", "", "its first byte, from 1", default=9),
    Field("length_length", 108, "I4", "bytes", "its length", default=4),
)
"""Bytes 12 to 111."""

COUNTED_RECORDS: Final = (
    "data_set_summary",
    "map_projection",
    "platform_position",
    "attitude",
    "radiometric",
    "radiometric_compensation",
    "data_quality",
    "data_histogram",
    "range_spectra",
    "dem_descriptor",
    "radar_parameter_update",
    "annotation",
    "detailed_processing",
    "calibration",
    "ground_control_points",
)
"""Kinds of record in the order of the count and length pairs from byte 180."""

FACILITIES: Final = 5
"""Facility related records, whose pairs follow from byte 420."""


def _record_counts() -> tuple[Field, ...]:
    fields: list[Field] = []
    pairs = [(kind, 180 + 12 * number, "I6") for number, kind in enumerate(COUNTED_RECORDS)]
    pairs += [(f"facility_{n}", 420 + 14 * (n - 1), "I8") for n in range(1, FACILITIES + 1)]
    for kind, offset, length_format in pairs:
        words = kind.replace("_", " ")
        fields.append(
            Field(f"{kind}_count", offset, "I6", "", f"number of {words} records", default=0)
        )
        fields.append(
            Field(
                f"{kind}_length",
                offset + 6,
                length_format,
                "bytes",
                f"length of a {words} record",
                default=0,
            )
        )
    return tuple(fields)


RECORD_COUNTS: Final = _record_counts()
"""Count and length pairs, bytes 180 to 489: in LED and TRL (there all zero)."""

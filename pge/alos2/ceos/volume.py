"""VOL, the volume directory: descriptor, one pointer a file, text.

Source: the real VOL of a dual-polarisation L1.5 product (2160 bytes).
"""

from __future__ import annotations

from typing import Final

from alos2.ceos.descriptors import IDENTIFICATION
from alos2.ceos.layout import Field, RecordLayout

VOLUME_DESCRIPTOR: Final = RecordLayout(
    "volume descriptor",
    (192, 192, 18, 18),
    360,
    (
        *IDENTIFICATION,
        Field("physical_volume_id", 44, "A16", "", "facility, e.g. EICS"),
        Field("logical_volume_id", 60, "A16", "", "'AL2SAR' + date of creation, YYYYMMDD"),
        Field("volume_set_id", 76, "A16", "", "satellite and sensor", default="ALOS2  SAR"),
        Field("volume_count", 92, "I2", "", "physical volumes in the set", default=1),
        Field("first_volume", 94, "I2", "", "number of the first volume", default=1),
        Field("last_volume", 96, "I2", "", "number of the last volume", default=1),
        Field("this_volume", 98, "I2", "", "number of this volume", default=1),
        Field("file_number", 100, "I4", "", "files in the logical volume"),
        Field("logical_volume_in_set", 104, "I4", "", "logical volume in the set", default=1),
        Field("logical_volume_number", 108, "I4", "", "its number on this volume", default=1),
        Field("created_date", 112, "A8", "", "YYYYMMDD"),
        Field("created_time", 120, "A8", "", "hhmmss and hundredths of a second"),
        Field("country", 128, "A12", "", "of the producer", default="JAPAN"),
        Field("agency", 140, "A8", "", "producer", default="JAXA"),
        Field("facility", 148, "A12", "", "producing facility: EICS or SCMO"),
        Field("pointer_count", 160, "I4", "", "file pointer records that follow"),
        Field("text_count", 164, "I4", "", "text records behind them", default=1),
    ),
)

FILE_POINTER: Final = RecordLayout(
    "file pointer",
    (219, 192, 18, 18),
    360,
    (
        Field("character_code", 12, "A2", "", "A: ASCII", default="A"),
        Field("file_number", 16, "I4", "", "number of the file: LED 1, all IMG 2, TRL 3"),
        Field("file_id", 20, "A16", "", "as in the file's descriptor, e.g. 'AL2 SARCSARL'"),
        Field("file_class", 36, "A28", "", "e.g. SARLEADER FILE"),
        Field("file_class_code", 64, "A4", "", "SARL, IMOP or SART"),
        Field("data_type", 68, "A28", "", "kind of content", default="MIXED BINARY AND ASCII"),
        Field("data_type_code", 96, "A4", "", "its code", default="MBAA"),
        Field("record_count", 100, "I8", "", "records in the file"),
        Field("first_record_length", 108, "I8", "bytes", "first record", default=720),
        Field("maximum_record_length", 116, "I8", "bytes", "longest record"),
        Field("length_type", 124, "A12", "", "kind of records", default="VARIABLE LEN"),
        Field("length_type_code", 136, "A4", "", "its code", default="VARE"),
        Field("first_volume", 140, "I2", "", "volume of the first record", default=1),
        Field("last_volume", 142, "I2", "", "volume of the last record", default=1),
        Field("first_record", 144, "I8", "", "first record on this volume", default=1),
        Field("last_record", 152, "I8", "", "last record on this volume"),
    ),
)

TEXT: Final = RecordLayout(
    "text",
    (18, 192, 18, 18),
    360,
    (
        Field("character_code", 12, "A2", "", "A: ASCII", default="A"),
        Field("product", 16, "A40", "", "'PRODUCT:' + product id"),
        Field("process", 56, "A60", "", "'PROCESS:' + where, two blanks, YYYYMMDD hhmmss"),
        Field("tape", 116, "A40", "", "no tape any more", default="TAPE ID:"),
        Field("orbit", 156, "A40", "", "'ORBIT :' + scene id"),
        Field("frame_centre", 196, "A40", "deg", "'FRAME CENTRE: N-011.05  E-062.53'"),
    ),
)

"""LED's radiometric record and data quality summary.

Source: the real L1.5 leader for offsets; meanings as public readers agree on them. Calibration:
sigma-0 in dB = 10 log10(mean DN squared) + factor (JAXA's calibration page); level 1.1 adds -32.
"""

from __future__ import annotations

from typing import Final

from alos2.ceos.layout import Field, Group, RecordLayout

_IDENTITY: Final = "complex 2 x 2, real and imaginary: 11, 12, 21, 22; identity in level 1.5"

RADIOMETRIC: Final = RecordLayout(
    "radiometric",
    (18, 50, 18, 20),
    9860,
    (
        Field("radiometric_number", 12, "I4", "", "number of the record", default=1),
        Field("set_count", 16, "I4", "", "sets of radiometric data", default=1),
        Field("calibration_factor_db", 20, "F16.7", "dB", "calibration factor CF"),
        Field(
            "transmit_distortion", 36, "F16.7", "", f"distortion on transmit, {_IDENTITY}", count=8
        ),
        Field(
            "receive_distortion", 164, "F16.7", "", f"distortion on receive, {_IDENTITY}", count=8
        ),
    ),
)

DATA_QUALITY: Final = RecordLayout(
    "data quality",
    (18, 60, 18, 20),
    1620,
    (
        Field("quality_number", 12, "I4", "", "number of the record", default=1),
        Field("channel_id", 16, "A4", "", "SAR channel", "readers"),
        Field("calibration_date", 20, "A6", "", "YYMMDD of the last calibration", "readers"),
        Field("channel_count", 26, "I4", "", "channels"),
        Field("islr_db", 30, "F16.7", "dB", "integrated side lobe ratio"),
        Field("pslr_db", 46, "F16.7", "dB", "peak side lobe ratio"),
        Field("azimuth_ambiguity_db", 62, "F16.7", "dB", "azimuth ambiguity"),
        Field("range_ambiguity_db", 78, "F16.7", "dB", "range ambiguity"),
        Field("snr_db", 94, "F16.7", "dB", "estimate of the SNR (-32.1 in the real file)"),
        Field("bit_error_rate", 110, "F16.7", "", "bit error rate", "readers"),
        Field("resolution_range_m", 126, "F16.7", "m", "slant range resolution"),
        Field("resolution_azimuth_m", 142, "F16.7", "m", "azimuth resolution"),
        Field("radiometric_resolution_db", 158, "F16.7", "dB", "radiometric", "readers"),
        Field("dynamic_range_db", 174, "F16.7", "dB", "instantaneous", "readers"),
        Field("absolute_error_db", 190, "F16.7", "dB", "absolute calibration", "readers"),
        Field("absolute_error_deg", 206, "F16.7", "deg", "absolute calibration", "readers"),
        Group(
            "relative_errors",
            222,
            32,
            "channel_count",
            (
                Field("error_db", 0, "F16.7", "dB", "relative calibration", "readers"),
                Field("error_deg", 16, "F16.7", "deg", "relative calibration", "readers"),
            ),
            "one a channel",
        ),
        Field("location_along_m", 734, "F16.7", "m", "location error along track", "readers"),
        Field("location_across_m", 750, "F16.7", "m", "location error across track", "readers"),
        Field("distortion_line", 766, "F16.7", "", "scale distortion by line", "readers"),
        Field("distortion_pixel", 782, "F16.7", "", "scale distortion by pixel", "readers"),
        Field("distortion_skew", 798, "F16.7", "", "skew distortion", "readers"),
        Field("orientation_error", 814, "F16.7", "", "scene orientation error", "readers"),
        Group(
            "misregistrations",
            830,
            32,
            "channel_count",
            (
                Field("along_m", 0, "F16.7", "m", "relative misregistration", "readers"),
                Field("across_m", 16, "F16.7", "m", "relative misregistration", "readers"),
            ),
            "one a channel",
        ),
    ),
)

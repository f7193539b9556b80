"""IMG, the image files: descriptor and line prefixes.

Source: the real L1.5 image descriptor. The prefixes are known from public readers only (ISCE2,
xarray-ceos-alos2, GDAL, sarpy, SNAP, GMTSAR); what JAXA says is signed is signed here, where some
readers take it as unsigned.
"""

from __future__ import annotations

from typing import Final

from alos2.ceos.descriptors import FILE_DESCRIPTOR
from alos2.ceos.layout import Field, RecordLayout

_LOCATOR: Final = "where prefixes hold it: first byte, length, P(refix), B(inary)"

IMAGE_DESCRIPTOR: Final = RecordLayout(
    "image file descriptor",
    (50, 192, 18, 18),
    720,
    (
        *FILE_DESCRIPTOR,
        Field("record_count", 180, "I6", "", "data records, one a line"),
        Field("data_record_length", 186, "I6", "bytes", "of one data record (six digits)"),
        Field("bits_per_sample", 216, "I4", "bits", "16; level 1.1: 32"),
        Field("samples_per_group", 220, "I4", "", "1; level 1.1: 2 (I and Q)"),
        Field("bytes_per_group", 224, "I4", "bytes", "of a pixel: 2; level 1.1: 8"),
        Field("justification", 228, "A4", "", "of samples within a group", "readers"),
        Field("channel_count", 232, "I4", "", "channels in the file", default=1),
        Field("lines", 236, "I8", "", "lines"),
        Field("left_border", 244, "I4", "px", "left of the image", default=0),
        Field("pixels", 248, "I8", "", "pixels a line"),
        Field("right_border", 256, "I4", "px", "right of the image", default=0),
        Field("top_border", 260, "I4", "lines", "above the image", default=0),
        Field("bottom_border", 264, "I4", "lines", "below the image", default=0),
        Field("interleave", 268, "A4", "", "band sequential", default="BSQ"),
        Field("records_per_line", 272, "I2", "", "physical records a line", default=1),
        Field("records_per_multiline", 274, "I2", "", "and a multi-channel line", default=1),
        Field("prefix_bytes", 276, "I4", "bytes", "before the pixels: 192; level 1.1: 544"),
        Field("data_bytes", 280, "I8", "bytes", "of the pixels of a line"),
        Field("suffix_bytes", 288, "I4", "bytes", "behind the pixels", default=0),
        Field("prefix_repeat", 292, "A4", "", "prefix and suffix repeat flag", "readers"),
        Field("line_locator", 296, "AR8", "", f"line number, {_LOCATOR}", default="13 4PB"),
        Field("channel_locator", 304, "AR8", "", "channel, as above", default="49 2PB"),
        Field("time_locator", 312, "AR8", "", "time of the line, as above", default="45 4PB"),
        Field("left_fill_locator", 320, "AR8", "", "left fill, as above", default="21 4PB"),
        Field("right_fill_locator", 328, "AR8", "", "right fill, as above", default="29 4PB"),
        Field("pad_pixels", 336, "A4", "", "pad pixels present", "readers"),
        Field("quality_locator", 368, "AR8", "", "invalid line flag, as above", default="97 4PB"),
        Field("calibration_locator", 376, "AR8", "", "calibration, as above", "readers"),
        Field("gain_locator", 384, "AR8", "", "gain, as above", "readers"),
        Field("bias_locator", 392, "AR8", "", "bias, as above", "readers"),
        Field("sample_type", 400, "A28", "", "UNSIGNED INTEGER*2; level 1.1: COMPLEX*8"),
        Field("sample_code", 428, "A4", "", "IU2; level 1.1: C*8"),
        Field("left_fill_bits", 432, "I4", "bits", "within a pixel", default=0),
        Field("right_fill_bits", 436, "I4", "bits", "within a pixel", default=0),
        Field("maximum", 440, "I8", "", "largest pixel value: 65535"),
        Field("burst_count", 448, "I4", "", "ScanSAR bursts", "readers"),
        Field("lines_per_burst", 452, "I4", "lines", "ScanSAR: lines of a burst", "readers"),
        Field("burst_overlap", 456, "I4", "lines", "ScanSAR: shared by bursts", "readers"),
    ),
)


def _read(name: str, offset: int, fmt: str, unit: str = "", meaning: str = "") -> Field:
    """Declare a field that is known from readers, as all of the prefixes are."""
    return Field(name, offset, fmt, unit, meaning, "readers")


_LINE: Final = (
    _read("line_number", 12, "B4", "", "number of the line, from 1"),
    _read("record_index", 16, "B4", "", "which record of the line, 1"),
    _read("left_fill_pixels", 20, "B4", "px", "filled on the left"),
    _read("data_pixels", 24, "B4", "px", "pixels"),
    _read("right_fill_pixels", 28, "B4", "px", "filled on the right"),
    _read("sensor_update_flag", 32, "B4", "", "sensor parameters are new: 1"),
    _read("year", 36, "B4", "", "UTC of the line"),
    _read("day_of_year", 40, "B4", "", "UTC of the line, from 1"),
    _read("ms_of_day", 44, "B4", "ms", "UTC of the line; level 1.1 says it in us too"),
    _read("channel_id", 48, "B2", "", "1 single, 2 dual, 4 quad polarisation"),
    _read("channel_code", 50, "B2", "", "band: 0 is L"),
    _read("transmit_polarization", 52, "B2", "", "0 is H, 1 is V"),
    _read("receive_polarization", 54, "B2", "", "0 is H, 1 is V"),
    _read("prf_mhz", 56, "B4", "mHz", "pulse repetition frequency (millihertz)"),
    _read("scan_id", 60, "B4", "", "ScanSAR beam, from 1; else 0"),
)
"""Bytes 12 to 63, alike in both prefixes."""

SIGNAL_PREFIX: Final = RecordLayout(
    "signal data",
    (50, 10, 18, 20),
    544,
    (
        *_LINE,
        _read("range_compressed_flag", 64, "B2", "", "compressed on board"),
        _read("chirp_type", 66, "B2", "", "0 is linear FM"),
        _read("chirp_length_ns", 68, "B4", "ns", "length of the pulse"),
        _read("chirp_const_hz", 72, "S4", "Hz", "chirp, constant term"),
        _read("chirp_linear_hz_per_us", 76, "S4", "Hz/us", "chirp, linear term"),
        _read("chirp_quadratic_hz_per_us2", 80, "S4", "Hz/us2", "chirp, quadratic term"),
        _read("us_of_day", 84, "B8", "us", "UTC of the line"),
        _read("receiver_gain_db", 92, "B4", "dB", "receiver gain"),
        _read("invalid_line_flag", 96, "B4", "", "1: the line is invalid"),
        _read("elevation_electronic", 100, "B4", "", "antenna elevation angle at nadir"),
        _read("elevation_mechanical", 104, "B4", "", "antenna elevation angle at nadir"),
        _read("squint_electronic", 108, "B4", "", "antenna squint angle"),
        _read("squint_mechanical", 112, "B4", "", "antenna squint angle"),
        _read("slant_range_first_m", 116, "B4", "m", "to the first pixel, whole metres"),
        _read("window_position_ns", 120, "B4", "ns", "position of the sampling window"),
        _read("platform_update_flag", 128, "B4", "", "platform parameters are new: 1"),
        _read("platform_lat_udeg", 132, "S4", "1e-6 deg", "nadir of the platform"),
        _read("platform_lon_udeg", 136, "S4", "1e-6 deg", "nadir of the platform"),
        _read("platform_altitude_m", 140, "S4", "m", "of the platform"),
        _read("ground_speed_cm_s", 144, "S4", "cm/s", "of the nadir"),
        _read("velocity_x_cm_s", 148, "S4", "cm/s", "of the platform, Earth-fixed"),
        _read("velocity_y_cm_s", 152, "S4", "cm/s", "of the platform, Earth-fixed"),
        _read("velocity_z_cm_s", 156, "S4", "cm/s", "of the platform, Earth-fixed"),
        _read("acceleration_x_cm_s2", 160, "S4", "cm/s2", "of the platform"),
        _read("acceleration_y_cm_s2", 164, "S4", "cm/s2", "of the platform"),
        _read("acceleration_z_cm_s2", 168, "S4", "cm/s2", "of the platform"),
        _read("track_udeg", 172, "S4", "1e-6 deg", "track angle"),
        _read("true_track_udeg", 176, "S4", "1e-6 deg", "true track angle"),
        _read("pitch_udeg", 180, "S4", "1e-6 deg", "attitude"),
        _read("roll_udeg", 184, "S4", "1e-6 deg", "attitude"),
        _read("yaw_udeg", 188, "S4", "1e-6 deg", "attitude"),
        _read("lat_first_udeg", 192, "S4", "1e-6 deg", "ground at the first pixel"),
        _read("lat_center_udeg", 196, "S4", "1e-6 deg", "ground at the middle pixel"),
        _read("lat_last_udeg", 200, "S4", "1e-6 deg", "ground at the last pixel"),
        _read("lon_first_udeg", 204, "S4", "1e-6 deg", "ground at the first pixel"),
        _read("lon_center_udeg", 208, "S4", "1e-6 deg", "ground at the middle pixel"),
        _read("lon_last_udeg", 212, "S4", "1e-6 deg", "ground at the last pixel"),
        _read("burst_number", 216, "B4", "", "ScanSAR burst"),
        _read("burst_line", 220, "B4", "", "line within the burst"),
        _read("frame_number", 284, "B4", "", "ALOS-2 frame"),
        _read("auxiliary", 288, "X256", "", "PALSAR auxiliary data, not decoded"),
    ),
    prefix=True,
)
"""Level 1.1: pixels of 8 bytes (I, Q as big-endian float32) follow."""

PROCESSED_PREFIX: Final = RecordLayout(
    "processed data",
    (50, 11, 18, 20),
    192,
    (
        *_LINE,
        _read("slant_range_first_m", 64, "B4", "m", "to the first pixel, whole metres"),
        _read("slant_range_center_m", 68, "B4", "m", "to the middle pixel"),
        _read("slant_range_last_m", 72, "B4", "m", "to the last pixel"),
        _read("doppler_first_mhz", 76, "S4", "mHz", "Doppler centroid at the first pixel"),
        _read("doppler_center_mhz", 80, "S4", "mHz", "Doppler centroid at the middle pixel"),
        _read("doppler_last_mhz", 84, "S4", "mHz", "Doppler centroid at the last pixel"),
        _read("fm_rate_first_hz_per_ms", 88, "S4", "Hz/ms", "azimuth FM rate"),
        _read("fm_rate_center_hz_per_ms", 92, "S4", "Hz/ms", "azimuth FM rate"),
        _read("fm_rate_last_hz_per_ms", 96, "S4", "Hz/ms", "azimuth FM rate"),
        _read("look_angle_udeg", 100, "S4", "1e-6 deg", "look angle from nadir"),
        _read("squint_udeg", 104, "S4", "1e-6 deg", "azimuth squint angle"),
        _read("geographic_update_flag", 128, "B4", "", "geographic parameters are new: 1"),
        _read("lat_first_udeg", 132, "S4", "1e-6 deg", "ground at the first pixel"),
        _read("lat_center_udeg", 136, "S4", "1e-6 deg", "ground at the middle pixel"),
        _read("lat_last_udeg", 140, "S4", "1e-6 deg", "ground at the last pixel"),
        _read("lon_first_udeg", 144, "S4", "1e-6 deg", "ground at the first pixel"),
        _read("lon_center_udeg", 148, "S4", "1e-6 deg", "ground at the middle pixel"),
        _read("lon_last_udeg", 152, "S4", "1e-6 deg", "ground at the last pixel"),
        _read("northing_first_m", 156, "S4", "m", "map coordinate of the first pixel"),
        _read("northing_last_m", 164, "S4", "m", "map coordinate of the last pixel"),
        _read("easting_first_m", 168, "S4", "m", "map coordinate of the first pixel"),
        _read("easting_last_m", 176, "S4", "m", "map coordinate of the last pixel"),
        _read("line_heading_udeg", 180, "S4", "1e-6 deg", "heading of the line"),
    ),
    prefix=True,
)
"""Levels 1.5, 2.1 and 3.1: pixels of 2 bytes (unsigned, big-endian) follow."""

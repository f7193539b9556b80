"""Line prefixes of CEOS images: true per line, for a strip of lines at a time.

The first slant range is rounded to whole metres, as JAXA has it; the truth has the exact one. In
detected images the ranges, Dopplers and FM rates are those of the whole scene and alike on all
lines (so in practice, public readers say), positions and map coordinates are those of the line.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from alos2.ceos.image_layout import PROCESSED_PREFIX, SIGNAL_PREFIX
from alos2.ceos.layout import RecordLayout
from alos2.constants import SPEED_OF_LIGHT_M_S
from alos2.geometry.orbit import Floats
from alos2.geometry.rangedoppler import geo2rdr
from alos2.simulate.platform import attitude, calendar, fm_rate_hz_s, platform
from alos2.simulate.scene import Scene, Swath, doppler_hz
from alos2.types import Polarization

MICRO: Final = 1e6
_RECEIVER_GAIN_DB: Final = 86


class PrefixMaker(Protocol):
    """Makes the prefixes of one image."""

    layout: RecordLayout

    def make(self, first_line: int, lines: int, record_bytes: int) -> NDArray[Any]:
        """Structured array of the layout's dtype, one item a line."""


def _common(
    layout: RecordLayout,
    scene: Scene,
    polarization: Polarization,
    *,
    first_line: int,
    lines: int,
    record_bytes: int,
) -> NDArray[Any]:
    """Fill what both prefixes begin with, times aside."""
    out = np.zeros(lines, dtype=layout.dtype())
    numbers = np.arange(first_line, first_line + lines)
    out["record_number"] = numbers + 2  # the descriptor is record 1
    out["record_codes"] = layout.codes
    out["record_length"] = record_bytes
    out["line_number"] = numbers + 1
    out["record_index"] = 1
    out["sensor_update_flag"] = numbers == 0
    out["channel_id"] = {"S": 1, "D": 2, "Q": 4}[scene.spec.mode[2]]
    out["transmit_polarization"] = polarization[0] == "V"
    out["receive_polarization"] = polarization[1] == "V"
    return out


def _fill_times(out: NDArray[Any], scene: Scene, t_s: Floats) -> NDArray[np.int64]:
    """Year, day and (cut to) millisecond; gives the microseconds of the day."""
    when = calendar(scene.orbit, t_s)
    out["year"] = when.year
    out["day_of_year"] = when.day_of_year
    out["ms_of_day"] = when.us_of_day // 1000
    return when.us_of_day


def _micro(values: Floats) -> NDArray[np.int64]:
    return np.rint(values * MICRO).astype(np.int64)


class SignalPrefixes:
    """Prefixes of one level 1.1 image."""

    layout = SIGNAL_PREFIX

    def __init__(self, scene: Scene, swath: Swath, polarization: Polarization) -> None:
        self._scene = scene
        self._swath = swath
        self._polarization = polarization

    def make(self, first_line: int, lines: int, record_bytes: int) -> NDArray[Any]:
        """Prefixes of some whole lines."""
        scene, swath = self._scene, self._swath
        out = _common(
            self.layout,
            scene,
            self._polarization,
            first_line=first_line,
            lines=lines,
            record_bytes=record_bytes,
        )
        rows = np.arange(first_line, first_line + lines)
        t = swath.time_s(rows)
        out["us_of_day"] = _fill_times(out, scene, t)
        out["data_pixels"] = swath.shape.pixels
        out["prf_mhz"] = round(swath.prf_hz * 1000.0)
        out["scan_id"] = swath.beam.number if swath.beam else 0
        self._radar(out)
        self._flight(out, t)
        pixels = np.array([0.0, swath.shape.pixels // 2, swath.shape.pixels - 1.0])
        lon, lat = swath.lonlat(rows[:, np.newaxis], pixels)
        for column, where in enumerate(("first", "center", "last")):
            out[f"lat_{where}_udeg"] = _micro(lat[:, column])
            out[f"lon_{where}_udeg"] = _micro(lon[:, column])
        out["frame_number"] = int(scene.flight.scene.frame)
        return out

    def _radar(self, out: NDArray[Any]) -> None:
        """Fill what is alike on all lines."""
        mode, swath = self._scene.spec.parameters, self._swath
        out["range_compressed_flag"] = 0
        out["chirp_length_ns"] = round(mode.pulse_length_s * 1e9)
        out["chirp_const_hz"] = round(-0.5 * mode.range_bandwidth_hz)
        out["chirp_linear_hz_per_us"] = round(mode.chirp_rate_hz_s * 1e-6)
        out["receiver_gain_db"] = _RECEIVER_GAIN_DB
        out["slant_range_first_m"] = round(swath.near_range_m)
        out["window_position_ns"] = round(range_gate_s(swath) * 1e9)

    def _flight(self, out: NDArray[Any], t: Floats) -> None:
        """Fill where the satellite is."""
        scene = self._scene
        now = platform(scene.orbit, t)
        out["platform_update_flag"] = 1
        out["platform_lat_udeg"] = _micro(now.lat_deg)
        out["platform_lon_udeg"] = _micro(now.lon_deg)
        out["platform_altitude_m"] = np.rint(now.altitude_m)
        out["ground_speed_cm_s"] = np.rint(now.ground_speed_m_s * 100.0)
        for axis, name in enumerate("xyz"):
            out[f"velocity_{name}_cm_s"] = np.rint(now.velocity_m_s[:, axis] * 100.0)
            out[f"acceleration_{name}_cm_s2"] = np.rint(now.acceleration_m_s2[:, axis] * 100.0)
        out["track_udeg"] = _micro(now.heading_deg)
        out["true_track_udeg"] = _micro(now.heading_deg)
        turned = attitude(
            scene.flight.argument_of_latitude_deg, t - scene.flight.center_s, scene.spec.look
        )
        out["pitch_udeg"] = _micro(turned.pitch_deg)
        out["roll_udeg"] = _micro(turned.roll_deg)
        out["yaw_udeg"] = _micro(turned.yaw_deg)


class ProcessedPrefixes:
    """Prefixes of one image of level 1.5, 2.1 or 3.1."""

    layout = PROCESSED_PREFIX

    def __init__(self, scene: Scene, polarization: Polarization) -> None:
        if scene.grid is None:
            raise ValueError("a detected image needs a map grid")
        self._scene = scene
        self._grid = scene.grid
        self._polarization = polarization
        near, far = scene.near_range_m, scene.far_range_m
        ranges = np.array([near, 0.5 * (near + far), far])
        doppler = np.rint(doppler_hz(ranges) * 1000.0)
        rates = fm_rate_hz_s(
            scene.orbit, scene.flight.center_s, ranges, scene.spec.look,
            scene.spec.parameters.wavelength_m,
        )  # fmt: skip
        self._alike: dict[str, float] = {}
        for k, where in enumerate(("first", "center", "last")):
            self._alike[f"slant_range_{where}_m"] = round(float(ranges[k]))
            self._alike[f"doppler_{where}_mhz"] = float(doppler[k])
            self._alike[f"fm_rate_{where}_hz_per_ms"] = round(float(rates[k]) * 1e-3)

    def make(self, first_line: int, lines: int, record_bytes: int) -> NDArray[Any]:
        """Prefixes of some whole lines."""
        scene, grid = self._scene, self._grid
        out = _common(
            self.layout,
            scene,
            self._polarization,
            first_line=first_line,
            lines=lines,
            record_bytes=record_bytes,
        )
        rows = np.arange(first_line, first_line + lines)
        last = grid.shape.pixels - 1.0
        pixels = np.array([0.0, grid.shape.pixels // 2, last])
        lon, lat = grid.lonlat(rows[:, np.newaxis], pixels)
        t, _ = geo2rdr(scene.orbit, lon[:, 1], lat[:, 1])
        _fill_times(out, scene, t)
        out["data_pixels"] = grid.shape.pixels
        out["prf_mhz"] = round(scene.spec.parameters.prf_hz[0] * 1000.0)
        for name, value in self._alike.items():
            out[name] = value
        out["look_angle_udeg"] = round(scene.spec.off_nadir * MICRO)
        out["geographic_update_flag"] = 1
        for column, where in enumerate(("first", "center", "last")):
            out[f"lat_{where}_udeg"] = _micro(lat[:, column])
            out[f"lon_{where}_udeg"] = _micro(lon[:, column])
        easting, northing = grid.map_xy(rows[:, np.newaxis], pixels)
        for column, where in ((0, "first"), (2, "last")):
            out[f"northing_{where}_m"] = np.rint(northing[:, column])
            out[f"easting_{where}_m"] = np.rint(easting[:, column])
        # Heading of the column of lines: away from north by the turn of the grid.
        up = (-grid.down_m[0], -grid.down_m[1])
        out["line_heading_udeg"] = round(float(np.degrees(np.arctan2(*up))) * MICRO)
        return out


def range_gate_s(swath: Swath) -> float:
    """Start of the sampling window after the last pulse sent: the way there and back, modulo."""
    return (2.0 * swath.near_range_m / SPEED_OF_LIGHT_M_S) % (1.0 / swath.prf_hz)

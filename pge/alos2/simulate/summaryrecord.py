"""The leader's data set summary from the scene."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from alos2.constants import GRS80_FLATTENING, WGS84_SEMI_MAJOR_M
from alos2.geometry.rangedoppler import incidence_deg
from alos2.simulate.platform import fm_rate_hz_s, platform, scene_heading_deg
from alos2.simulate.prefixes import range_gate_s
from alos2.simulate.scene import (
    DOPPLER_CONST_HZ,
    DOPPLER_LINEAR_HZ_PER_KM,
    Scene,
    doppler_hz,
    line_spacing_m,
)
from alos2.types import PassDirection

SEMI_MINOR_M: Final = WGS84_SEMI_MAJOR_M * (1.0 - GRS80_FLATTENING)
"""Semi-minor axis of GRS 80, m."""

LINE_DIRECTIONS: Final[dict[PassDirection, str]] = {"A": "ASCEND", "D": "DESCEND"}
_PRODUCT_TYPES: Final = {
    "1.1": "BASIC IMAGE",
    "1.5G": "STANDARD GEOCODED IMAGE",
    "1.5R": "STANDARD GEOREFERENCED IMAGE",
    "2.1G": "ORTHORECTIFIED IMAGE",
    "3.1G": "QUALITY IMPROVED GEOCODED IMAGE",
    "3.1R": "QUALITY IMPROVED GEOREFERENCED",
}
"""That of geocoded level 1.5 is seen, the others are guesses."""

_INCIDENCE_SPAN_M: Final = 30_000.0


def channel_count(scene: Scene) -> int:
    """Count the SAR channels in the records: 4 in the real dual-polarisation product."""
    return 1 if scene.spec.mode[2] == "S" else 4


def data_set_summary_values(scene: Scene) -> dict[str, Any]:
    """All fields that the real leader fills, and for level 1.1 those that sarpy wants filled."""
    values = {**_scene(scene), **_sensor(scene), **_processing(scene), **_doppler(scene)}
    if scene.grid is None:
        zeros = {
            "terrain_height": scene.spec.height_m,
            "scene_length_km": _length_km(scene),
            "scene_width_km": _width_km(scene),
            "pulse_phase": [0.0] * 5,
            "radiometric_bias": 0.0,
            "radiometric_gain": 0.0,
            "parameter_table": 0,
            "incidence_polynomial": _incidence_polynomial(scene),
        }
        values.update(zeros)
    return values


def _scene(scene: Scene) -> dict[str, Any]:
    lon, lat = scene.center_lonlat
    moment = scene.flight.center_time
    heading = scene_heading_deg(
        scene.orbit, scene.flight.center_s, scene.center_range_m, scene.spec.look
    )
    return {
        "scene_id": str(scene.flight.scene),
        "center_time": f"{moment:%Y%m%d%H%M%S}{moment.microsecond // 1000:03d}",
        "center_lat_deg": lat,
        "center_lon_deg": lon,
        "scene_heading_deg": heading,
        "semi_major_km": WGS84_SEMI_MAJOR_M / 1000.0,
        "semi_minor_km": SEMI_MINOR_M / 1000.0,
        "earth_mass_1e24_kg": 5.974,
        "earth_gm_1e14": 3.986005,
        "j2": 0.1082629,
        "j3": -0.0000254,
        "j4": -0.0000162,
        "center_line": scene.shape.lines // 2,
        "center_pixel": scene.shape.pixels // 2,
        "channel_count": channel_count(scene),
    }


def _sensor(scene: Scene) -> dict[str, Any]:
    spec, mode = scene.spec, scene.spec.parameters
    now = platform(scene.orbit, scene.flight.center_s)
    return {
        "sensor": f"ALOS2 -L -{mode.code}15-",
        "orbit": int(scene.flight.scene.orbit),
        "nadir_lat_deg": float(now.lat_deg),
        "nadir_lon_deg": float(now.lon_deg),
        "nadir_heading_deg": float(now.heading_deg),
        "clock_angle_deg": 90.0 if spec.look == "R" else -90.0,
        "incidence_deg": scene.incidence_deg,
        "wavelength_m": mode.wavelength_m,
        "motion_compensation": 0,
        "pulse_amplitude": [0.0, mode.chirp_rate_hz_s, 0.0, 0.0, 0.0],
        "chirp_index": 2,
        "sampling_rate_mhz": mode.sampling_rate_hz * 1e-6,
        "range_gate_us": range_gate_s(scene.swaths[0]) * 1e6,
        "pulse_width_us": mode.pulse_length_s * 1e6,
        "gain_like_db": 86.42,
        "gain_cross_db": 86.31,
        "quantization_bits": 8,
        "dc_bias_i": 0.0889612,
        "dc_bias_q": 0.0045645,
        "iq_gain_imbalance": 0.0116231,
        "boresight_electronic_deg": 0.12,
        "boresight_mechanical_deg": 0.12,
        "prf_mhz": scene.swaths[0].prf_hz * 1000.0,
        "beam_width_elevation_deg": 4.95909,
        "beam_width_azimuth_deg": 1.27,
        "satellite_clock": "20121231 23:59:59.000",
        "satellite_clock_step_ns": 1_000_000_000,
        "off_nadir_deg": spec.off_nadir,
        "beam_number": mode.beam_number,
        "beam_direction_deg": 0.0,
        "incidence_polynomial": [0.0] * 6,
        "prf_switch_line": 1,
    }


def _processing(scene: Scene) -> dict[str, Any]:
    spec, mode = scene.spec, scene.spec.parameters
    slant = scene.grid is None
    looks = (1.0, 1.0) if slant else mode.looks
    sine = float(np.sin(np.radians(scene.incidence_deg)))
    return {
        "level": spec.level,
        "product_type": _PRODUCT_TYPES[spec.level if slant else spec.level + spec.option],
        "looks_azimuth": looks[0],
        "looks_range": looks[1],
        "look_bandwidth_azimuth_hz": mode.azimuth_bandwidth_hz,
        "look_bandwidth_range_hz": mode.range_bandwidth_hz,
        "bandwidth_azimuth_hz": mode.azimuth_bandwidth_hz,
        "bandwidth_range_khz": mode.range_bandwidth_hz / 1000.0,
        "resolution_range_m": mode.slant_resolution_m / sine,
        "resolution_azimuth_m": azimuth_resolution_m(scene),
        "line_spacing_m": line_spacing_m(scene.swaths[0]) if slant else spec.spacing,
        "pixel_spacing_m": mode.range_spacing_m if slant else spec.spacing,
        "line_time_direction": LINE_DIRECTIONS[spec.pass_direction],
    }


def azimuth_resolution_m(scene: Scene) -> float:
    """Half-power width of the response along the track, m; looks widen it."""
    mode = scene.spec.parameters
    speed = line_spacing_m(scene.swaths[0]) / scene.swaths[0].line_interval_s
    looks = 1.0 if scene.grid is None else mode.looks[0]
    return 0.886 * speed * looks / mode.azimuth_bandwidth_hz


def _doppler(scene: Scene) -> dict[str, Any]:
    """Doppler by slant range; for level 1.1 by pixel too; the rate only where sarpy shall read."""
    zeros = [0.0, 0.0, 0.0]
    cross, rate = zeros, zeros
    if scene.grid is None:
        swath = scene.swaths[0]
        slope = DOPPLER_LINEAR_HZ_PER_KM * swath.range_spacing_m / 1000.0
        cross = [float(doppler_hz(swath.near_range_m)), slope, 0.0]
        if "sarpy" in scene.spec.compat:
            rate = _rate_polynomial(scene)
    return {
        "doppler_along_track": zeros,
        "doppler_cross_track": cross,
        "doppler_rate_along_track": zeros,
        "doppler_rate_cross_track": rate,
        "doppler_const_hz": DOPPLER_CONST_HZ,
        "doppler_linear_hz_per_km": DOPPLER_LINEAR_HZ_PER_KM,
    }


def _rate_polynomial(scene: Scene) -> list[float]:
    """Azimuth FM rate (negative) as a quadratic in the pixel's number."""
    swath = scene.swaths[0]
    pixel = np.linspace(0.0, swath.shape.pixels - 1.0, 9)
    rate = fm_rate_hz_s(
        scene.orbit,
        scene.flight.center_s,
        swath.range_m(pixel),
        scene.spec.look,
        scene.spec.parameters.wavelength_m,
    )
    fitted = np.polynomial.Polynomial.fit(pixel, rate, 2).convert().coef
    return [float(v) for v in fitted]


def _incidence_polynomial(scene: Scene) -> list[float]:
    """Incidence in radians by slant range in km, degree 5, over somewhat more than the swath."""
    low = scene.near_range_m - _INCIDENCE_SPAN_M
    high = scene.far_range_m + _INCIDENCE_SPAN_M
    altitude = float(platform(scene.orbit, scene.flight.center_s).altitude_m)
    ranges = np.linspace(max(low, altitude * 1.01), high, 41)
    angles = incidence_deg(scene.orbit, scene.flight.center_s, ranges, scene.spec.look)
    fitted = np.polynomial.Polynomial.fit(ranges / 1000.0, np.radians(angles), 5)
    return [float(v) for v in fitted.convert().coef]


def _length_km(scene: Scene) -> float:
    speed = float(platform(scene.orbit, scene.flight.center_s).ground_speed_m_s)
    return (scene.end_s - scene.start_s) * speed / 1000.0


def _width_km(scene: Scene) -> float:
    sine = float(np.sin(np.radians(scene.incidence_deg)))
    return (scene.far_range_m - scene.near_range_m) / sine / 1000.0

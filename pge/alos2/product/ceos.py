"""The leader of a CEOS delivery: orbit, polynomials, sensor, calibration of a product.

Each part is taken apart alone, so that a leader with one damaged record still tells the rest;
what cannot be read is named. Units are turned into SI here: the leader has PRF in millihertz, the
sampling rate in megahertz, bandwidths in Hz (azimuth) and kHz (range).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any, Final, TypeVar

import numpy as np

from alos2.ceos.reader import Leader, read_leader
from alos2.constants import (
    CALIBRATION_FACTOR_DB,
    SLC_CALIBRATION_OFFSET_DB,
    SPEED_OF_LIGHT_M_S,
)
from alos2.errors import BadProduct
from alos2.geometry.orbit import Orbit
from alos2.geometry.polynomials import GeolocationPolynomials
from alos2.product.model import Calibration, Problem, ProductFile, Sensor
from alos2.product.summary_values import MISSION_YEARS
from alos2.types import Level

_ORBIT_QUALITY: Final = {"2": "Precision"}
"""The leader's code in the summary's words; only this pair was seen in a real product."""

_MAX_INTERVAL_S: Final = 600.0
"""JAXA's vectors are 60 s apart; at ten minutes nothing can be interpolated."""

_POSSIBLE: Final[dict[str, tuple[float, float]]] = {
    "off_nadir_deg": (0.0, 89.0),
    "incidence_deg": (0.0, 89.9),
    "wavelength_m": (0.1, 1.0),
    "prf_hz": (100.0, 20_000.0),
    "sampling_rate_hz": (1e6, 1e9),
    "range_bandwidth_hz": (1e5, 1e9),
    "azimuth_bandwidth_hz": (1.0, 1e5),
    "pulse_length_s": (1e-7, 1e-2),
    "looks_azimuth": (0.01, 1e4),
    "looks_range": (0.01, 1e4),
    "beam_number": (-1.0, 1e4),
    "doppler_hz": (-1e5, 1e5),
    "doppler_hz_per_km": (-1e5, 1e5),
    "heading_deg": (-360.0, 360.0),
}
"""What a radar like PALSAR-2 can have, with a wide margin: beyond is a damaged number."""

_COARSEST_M: Final = 10_000.0
_FACTORS_DB: Final = (-150.0, 0.0)
"""JAXA's is -83."""

_Part = TypeVar("_Part")


@dataclass(frozen=True)
class LeaderParts:
    """What a leader gives a product; None where it does not."""

    leader: Leader
    sensor: Sensor
    calibration: Calibration | None = None
    orbit: Orbit | None = None
    orbit_precision: str | None = None
    polynomials: GeolocationPolynomials | None = None
    center_time: datetime | None = None
    pixel_spacing_m: float | None = None
    line_spacing_m: float | None = None
    problems: tuple[Problem, ...] = field(default=())


def read_leader_parts(file: ProductFile, level: Level) -> LeaderParts:
    """Read a leader file.

    Raises
    ------
    BadProduct
        Nothing of it can be used (no records, or no data set summary).
    """
    with file.member.open() as opened:
        leader = read_leader(opened, name=file.name)
    problems: list[Problem] = []

    def part(make: Callable[[Leader], _Part]) -> _Part | None:
        try:
            return make(leader)
        except BadProduct as error:
            problems.append(Problem("bad_leader", error.message, file.name))
            return None

    orbit, polynomials = part(orbit_of), part(polynomials_of)
    center = part(center_time_of)
    calibration = part(partial(calibration_of, level=level))
    if orbit is not None and center is not None and not orbit.start <= center <= orbit.end:
        message = (
            f"{file.name}: the scene's centre is at {center:%Y-%m-%d %H:%M:%S}, its state vectors "
            f"are of {orbit.start:%Y-%m-%d %H:%M:%S} to {orbit.end:%Y-%m-%d %H:%M:%S}"
        )
        problems.append(Problem("bad_leader", message, file.name))
        orbit = None
    summary, position = leader.data_set_summary, leader.platform_position or {}
    sensor, absurd = _possible(sensor_of(leader))
    for name in ("pixel_spacing_m", "line_spacing_m"):
        if (summary[name] or 0.0) > _COARSEST_M:
            absurd.append(f"its {name} is {summary[name]:g}, expected at most {_COARSEST_M:g}")
    problems += [Problem("bad_leader", f"{file.name}: {text}", file.name) for text in absurd]
    return LeaderParts(
        leader=leader,
        sensor=sensor,
        calibration=calibration,
        orbit=orbit,
        orbit_precision=_ORBIT_QUALITY.get(str(position.get("orbit_quality") or "").strip()),
        polynomials=polynomials,
        center_time=center,
        pixel_spacing_m=_positive(summary["pixel_spacing_m"]),
        line_spacing_m=_positive(summary["line_spacing_m"]),
        problems=tuple(problems),
    )


def _positive(value: float | None) -> float | None:
    """Take a blank or zero field of a quantity that cannot be zero for not said."""
    return float(value) if value is not None and value > 0.0 else None


def _scaled(value: float | None, factor: float) -> float | None:
    positive = _positive(value)
    return None if positive is None else positive * factor


def center_time_of(leader: Leader) -> datetime | None:
    """UTC of the scene's centre, to the millisecond; None where blank.

    Raises
    ------
    BadProduct
        It is no time.
    """
    text = str(leader.data_set_summary["center_time"] or "").strip()
    if not text:
        return None
    digits = text.ljust(17, "0")
    if len(digits) == 17 and digits.isascii() and digits.isdigit() and int(digits[12:14]) <= 60:
        # Second 60 (a leap second) rolls over, as in summary.txt.
        seconds = timedelta(seconds=int(digits[12:14]), milliseconds=int(digits[14:]))
        try:
            start = datetime.strptime(digits[:12] + "+0000", "%Y%m%d%H%M%z")
            return start.astimezone(timezone.utc) + seconds
        except (ValueError, OverflowError):
            pass  # named below, as every other text that is no time
    raise BadProduct(f"{leader.name}: the scene's centre time is {text!r}")


def orbit_of(leader: Leader) -> Orbit:
    """State vectors.

    Raises
    ------
    BadProduct
        There are none, too few, or they make no orbit.
    """
    record = leader.platform_position
    if record is None:
        raise BadProduct(f"{leader.name} has no platform position record")
    points, step = record["points"], record["interval_s"]
    second = record["first_second_of_day"]
    try:
        day = datetime(
            record["first_year"], record["first_month"], record["first_day"], tzinfo=timezone.utc
        )
        epoch = day + timedelta(seconds=second)
        known = epoch.year in MISSION_YEARS
    except (TypeError, ValueError, OverflowError):
        known = False
    if not known:
        raise BadProduct(
            f"{leader.name}: the first state vector's time is {record['first_year']}-"
            f"{record['first_month']}-{record['first_day']} + {second} s"
        )
    if not step or not 0.0 < step <= _MAX_INTERVAL_S:
        raise BadProduct(f"{leader.name}: state vectors are {step} s apart")
    axes = ("x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s")
    # Blank fields are None and become NaN, which Orbit refuses by the vector's number.
    states = np.array([[point[axis] for axis in axes] for point in points], dtype=np.float64)
    states = states.reshape(len(points), len(axes))
    times = np.arange(len(points), dtype=np.float64) * float(step)
    return Orbit(epoch, times, states[:, :3], states[:, 3:], name=leader.name)


def polynomials_of(leader: Leader) -> GeolocationPolynomials | None:
    """Facility 5; None where the leader has none or it is all zero or blank.

    Raises
    ------
    BadProduct
        Part of it is missing.
    """
    record = leader.facility_5
    names = (
        "map_to_pixel", "map_to_line", "pixel_line_to_lat", "pixel_line_to_lon",
        "lat_lon_to_pixel", "lat_lon_to_line",
    )  # fmt: skip
    if record is None or not any(value for name in names for value in record[name]):
        return None
    origins = ("origin_pixel", "origin_line", "origin_lat_deg", "origin_lon_deg")
    try:
        return GeolocationPolynomials(**{name: record[name] for name in (*names, *origins)})
    except BadProduct as error:
        raise BadProduct(f"{leader.name}: {error.message}") from None


def sensor_of(leader: Leader) -> Sensor:
    """Radar and viewing parameters, in SI units."""
    record: Mapping[str, Any] = leader.data_set_summary
    wavelength = _positive(record["wavelength_m"])
    terms = record["incidence_polynomial"]
    known = all(term is not None for term in terms) and any(terms)
    return Sensor(
        off_nadir_deg=_positive(record["off_nadir_deg"]),
        incidence_deg=_positive(record["incidence_deg"]),
        wavelength_m=wavelength,
        center_frequency_hz=SPEED_OF_LIGHT_M_S / wavelength if wavelength else None,
        prf_hz=_scaled(record["prf_mhz"], 1e-3),
        sampling_rate_hz=_scaled(record["sampling_rate_mhz"], 1e6),
        range_bandwidth_hz=_scaled(record["bandwidth_range_khz"], 1e3),
        azimuth_bandwidth_hz=_positive(record["bandwidth_azimuth_hz"]),
        pulse_length_s=_scaled(record["pulse_width_us"], 1e-6),
        looks_azimuth=_positive(record["looks_azimuth"]),
        looks_range=_positive(record["looks_range"]),
        beam_number=record["beam_number"],
        doppler_hz=record["doppler_const_hz"],
        doppler_hz_per_km=record["doppler_linear_hz_per_km"],
        heading_deg=record["scene_heading_deg"],
        incidence_polynomial=tuple(float(term) for term in terms) if known else None,
    )


def _possible(sensor: Sensor) -> tuple[Sensor, list[str]]:
    """Take out the numbers that cannot be; a sentence for each."""
    absurd = []
    for name, (low, high) in _POSSIBLE.items():
        value = getattr(sensor, name)
        if value is not None and not low <= value <= high:
            absurd.append(f"its {name} is {value:g}, expected {low:g} to {high:g}")
            sensor = replace(sensor, **{name: None})
    if sensor.wavelength_m is None:
        sensor = replace(sensor, center_frequency_hz=None)
    return sensor, absurd


def calibration_of(leader: Leader, level: Level) -> Calibration:
    """Calibration factor of the radiometric record; level 1.1 with JAXA's -32 dB.

    Raises
    ------
    BadProduct
        The factor is none that can be.
    """
    factor = leader.radiometric["calibration_factor_db"] if leader.radiometric else None
    offset = SLC_CALIBRATION_OFFSET_DB if level == "1.1" else 0.0
    # A factor of zero is a blank that somebody printed as a number: JAXA's is -83.
    if factor is None or factor == 0.0:
        return Calibration(CALIBRATION_FACTOR_DB + offset, "default")
    if not _FACTORS_DB[0] <= factor <= _FACTORS_DB[1]:
        raise BadProduct(
            f"{leader.name}: its calibration factor is {factor:g} dB, "
            f"expected {_FACTORS_DB[0]:g} to {_FACTORS_DB[1]:g}"
        )
    return Calibration(float(factor) + offset, "leader")

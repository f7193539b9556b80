"""The satellite at some times: nadir, speed, heading, attitude; and what the radar sees of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alos2.geometry.ellipsoid import ecef_to_geodetic, geodetic_to_ecef, up_vector
from alos2.geometry.nominal import INCLINATION_DEG
from alos2.geometry.orbit import Floats, Orbit
from alos2.geometry.rangedoppler import rdr2geo
from alos2.types import LookSide

_MOUNT_DEG: Final = 30.2
"""The satellite is rolled by this to the side it looks to (real leader: -30.19 to the right)."""
_STEP_S: Final = 0.5


class CalendarTimes(NamedTuple):
    """Times as records have them."""

    year: NDArray[np.int64]
    day_of_year: NDArray[np.int64]
    """From 1."""
    us_of_day: NDArray[np.int64]
    """Microseconds of the day, rounded."""


def calendar(orbit: Orbit, t_s: ArrayLike) -> CalendarTimes:
    """UTC year, day and microsecond of times of an orbit (no leap second may lie between)."""
    midnight = orbit.epoch.replace(hour=0, minute=0, second=0, microsecond=0)
    base_us = round((orbit.epoch - midnight).total_seconds()) * 1_000_000
    us = base_us + np.rint(np.asarray(t_s, dtype=np.float64) * 1e6).astype(np.int64)
    day, us_of_day = np.divmod(us, 86_400_000_000)
    first = np.datetime64(midnight.replace(tzinfo=None), "D")
    days = first + day
    years = days.astype("datetime64[Y]")
    of_year = (days - years.astype("datetime64[D]")).astype(np.int64) + 1
    return CalendarTimes(years.astype(np.int64) + 1970, of_year, us_of_day)


def utc(orbit: Orbit, t_s: float) -> datetime:
    """UTC time, to the microsecond."""
    return orbit.time(t_s).astimezone(timezone.utc)


@dataclass(frozen=True)
class Platform:
    """The satellite at one or many times; arrays of one shape."""

    position_m: Floats
    velocity_m_s: Floats
    acceleration_m_s2: Floats
    lon_deg: Floats
    lat_deg: Floats
    altitude_m: Floats
    ground_speed_m_s: Floats
    """Of the nadir over the ellipsoid."""
    heading_deg: Floats
    """Of the nadir's track, clockwise from north, -180 to 180."""


def platform(orbit: Orbit, t_s: ArrayLike) -> Platform:
    """Where the satellite is and how it moves, at times within the arc."""
    position, velocity, acceleration = orbit.states(t_s)
    lon, lat, altitude = ecef_to_geodetic(position)
    before, _ = orbit.interpolate(np.asarray(t_s, dtype=np.float64) - _STEP_S)
    after, _ = orbit.interpolate(np.asarray(t_s, dtype=np.float64) + _STEP_S)
    nadirs = []
    for place in (before, after):
        nadir_lon, nadir_lat, _ = ecef_to_geodetic(place)
        nadirs.append(geodetic_to_ecef(nadir_lon, nadir_lat))
    moved = nadirs[1] - nadirs[0]
    speed = np.linalg.norm(moved, axis=-1) / (2.0 * _STEP_S)
    return Platform(
        position, velocity, acceleration, lon, lat, altitude, speed, _azimuth(moved, lon, lat)
    )


def _azimuth(way: Floats, lon_deg: Floats, lat_deg: Floats) -> Floats:
    """Direction of Earth-fixed vectors at places, degrees clockwise from north."""
    lon = np.radians(lon_deg)
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)], axis=-1)
    north = np.cross(up_vector(lon_deg, lat_deg), east)
    angle: Floats = np.arctan2(np.sum(way * east, axis=-1), np.sum(way * north, axis=-1))
    return np.degrees(angle)


def scene_heading_deg(orbit: Orbit, t_s: float, slant_range_m: float, look: LookSide) -> float:
    """Direction in which a place at constant range moves over the ground, degrees."""
    lon, lat = rdr2geo(orbit, t_s + np.array([-_STEP_S, _STEP_S]), slant_range_m, look=look)
    ends = geodetic_to_ecef(lon, lat)
    center = ecef_to_geodetic(ends.mean(axis=0))
    return float(_azimuth(ends[1] - ends[0], np.asarray(center[0]), np.asarray(center[1])))


def fm_rate_hz_s(orbit: Orbit, t_s: ArrayLike, slant_range_m: ArrayLike, look: LookSide,
                 wavelength_m: float) -> Floats:  # fmt: skip
    """Azimuth FM rate: -2 / wavelength times the second derivative of the slant range.

    At closest approach the range's second derivative is (v . v + a . (p - x)) / R, with position
    p, velocity v and acceleration a of the satellite and the place x on the ground.
    """
    lon, lat = rdr2geo(orbit, t_s, slant_range_m, look=look)
    position, velocity, acceleration = orbit.states(t_s)
    away = position - geodetic_to_ecef(lon, lat)
    square = np.sum(velocity**2, axis=-1) + np.sum(acceleration * away, axis=-1)
    rate: Floats = -2.0 * square / (wavelength_m * np.asarray(slant_range_m, dtype=np.float64))
    return rate


class Attitude(NamedTuple):
    """Attitude angles, degrees."""

    pitch_deg: Floats
    roll_deg: Floats
    yaw_deg: Floats


def attitude(argument_of_latitude_deg: float, seconds: ArrayLike, look: LookSide) -> Attitude:
    """Give angles rolled to the look side and steered in yaw to zero Doppler.

    Steering turns the antenna by the angle between the velocities in space and over the turning
    Earth, about 4 degrees at the equator (Raney, "Doppler properties of radars in circular
    orbits", 1986).
    """
    elapsed = np.asarray(seconds, dtype=np.float64)
    u = np.radians(argument_of_latitude_deg + 360.0 * elapsed / 5843.5)
    tangent = math.sin(math.radians(INCLINATION_DEG)) * np.cos(u)
    orbits_a_day = 207.0 / 14.0
    yaw = -np.degrees(np.arctan(tangent / (orbits_a_day - math.cos(math.radians(INCLINATION_DEG)))))
    roll = np.full_like(yaw, -_MOUNT_DEG if look == "R" else _MOUNT_DEG)
    return Attitude(-0.065 - 8e-5 * elapsed, roll, yaw)

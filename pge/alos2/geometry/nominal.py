"""ALOS-2's nominal orbit, laid so that a given place is seen as asked for.

The model is kinematic: radius and argument of latitude are short trigonometric series in the mean
argument of latitude, and the node goes round once a day with the mean sun. Its numbers were fitted
to the 28 state vectors of a real leader, which they follow within 5 m in radius and 0.2 m along
the track over the arc of 27 minutes; period and node are those of the repeat cycle (207 orbits in
14 days). Velocities are the exact derivatives of the positions, both in the Earth-fixed frame.

The true satellite keeps to 207 fixed tracks. Here the track is moved sideways to wherever the asked
place is seen at the asked off-nadir angle; the time of day follows (node at midnight, mean local
time).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Final

import numpy as np

from alos2.constants import GRS80_FLATTENING, ORBITS_PER_CYCLE, WGS84_SEMI_MAJOR_M
from alos2.errors import UsageError
from alos2.geometry.orbit import Floats, Orbit
from alos2.types import LookSide, PassDirection

DAY_S: Final = 86_400.0
PERIOD_S: Final = 14.0 * DAY_S / ORBITS_PER_CYCLE
"""Nodal period, s."""
INCLINATION_DEG: Final = 97.920

MEAN_MOTION: Final = 2.0 * math.pi / PERIOD_S
"""Of the argument of latitude, rad/s."""
_NODE_RATE: Final = -2.0 * math.pi / DAY_S
"""Of the node's longitude, rad/s: sun-synchronous."""

_RADIUS_M: Final = 7_010_522.0
_RADIUS_SIN_M: Final = -8_432.9
_RADIUS_COS_M: Final = 360.6
_RADIUS_COS2_M: Final = 1_533.7
_ARGUMENT_COS: Final = -2.39852e-3
_ARGUMENT_SIN: Final = -1.28185e-4
_ARGUMENT_SIN2: Final = 1.04641e-4

MEAN_LOCAL_TIME_OF_NODE_S: Final = -25.0
"""Mean local solar time of the ascending node, s after midnight (two real scenes: -17 and -34)."""

VECTORS: Final = 28
VECTOR_INTERVAL_S: Final = 60.0
_BEFORE_CENTER_S: Final = 810.0
"""The scene lies in the middle of the arc, whose first vector is on a whole minute."""


@dataclass(frozen=True)
class NominalPass:
    """An arc of state vectors and where in it the place is seen."""

    orbit: Orbit
    center_time: datetime
    """UTC, on a whole millisecond."""
    center_s: float
    """The same in the orbit's seconds."""
    phase_rad: float
    """Mean argument of latitude at that moment; zero is the ascending node."""


def states(phase: Floats, node_lon_rad: float) -> tuple[Floats, Floats]:
    """Position and velocity by the mean argument of latitude.

    Parameters
    ----------
    phase : ndarray, shape (n,), float64
        Mean argument of latitude, rad; zero is the ascending node.
    node_lon_rad : float
        Longitude of the ascending node when the phase is zero.

    Returns
    -------
    positions_m, velocities_m_s : ndarray, shape (n, 3), float64
        Earth-fixed.
    """
    sin1, cos1, sin2, cos2 = np.sin(phase), np.cos(phase), np.sin(2 * phase), np.cos(2 * phase)
    u = phase + _ARGUMENT_COS * cos1 + _ARGUMENT_SIN * sin1 + _ARGUMENT_SIN2 * sin2
    u_rate = MEAN_MOTION * (
        1.0 - _ARGUMENT_COS * sin1 + _ARGUMENT_SIN * cos1 + 2.0 * _ARGUMENT_SIN2 * cos2
    )
    r = _RADIUS_M + _RADIUS_SIN_M * sin1 + _RADIUS_COS_M * cos1 + _RADIUS_COS2_M * cos2
    r_rate = MEAN_MOTION * (
        _RADIUS_SIN_M * cos1 - _RADIUS_COS_M * sin1 - 2.0 * _RADIUS_COS2_M * sin2
    )
    node = node_lon_rad + _NODE_RATE * phase / MEAN_MOTION
    inclination = math.radians(INCLINATION_DEG)
    ascending = np.stack([np.cos(node), np.sin(node), np.zeros_like(node)], axis=-1)
    across = np.stack(
        [
            -np.sin(node) * math.cos(inclination),
            np.cos(node) * math.cos(inclination),
            np.full_like(node, math.sin(inclination)),
        ],
        axis=-1,
    )
    outward = np.cos(u)[:, None] * ascending + np.sin(u)[:, None] * across
    onward = -np.sin(u)[:, None] * ascending + np.cos(u)[:, None] * across
    position = r[:, None] * outward
    velocity = r_rate[:, None] * outward + (r * u_rate)[:, None] * onward
    # The frame of the node turns about the pole.
    velocity[:, 0] -= _NODE_RATE * position[:, 1]
    velocity[:, 1] += _NODE_RATE * position[:, 0]
    return position, velocity


def _ground(
    phase: Floats, off_nadir_deg: float, look: LookSide, height_m: float
) -> tuple[Floats, Floats]:
    """Longitude from the node and latitude (degrees) of what is seen at an off-nadir angle.

    The ray lies in the plane of zero Doppler; NaN where it misses the Earth.
    """
    position, velocity = states(phase, 0.0)
    onward = velocity / np.linalg.norm(velocity, axis=1)[:, None]
    down = -position
    down -= np.sum(down * onward, axis=1)[:, None] * onward
    down /= np.linalg.norm(down, axis=1)[:, None]
    right = np.cross(down, onward)
    side = right if look == "R" else -right
    angle = math.radians(off_nadir_deg)
    ray = math.cos(angle) * down + math.sin(angle) * side
    a = WGS84_SEMI_MAJOR_M + height_m
    flatten = np.array([1.0, 1.0, a / (WGS84_SEMI_MAJOR_M * (1.0 - GRS80_FLATTENING) + height_m)])
    start, way = position * flatten / a, ray * flatten / a
    ww, sw = np.sum(way * way, axis=1), np.sum(start * way, axis=1)
    with np.errstate(invalid="ignore"):
        root = np.sqrt(sw * sw - ww * (np.sum(start * start, axis=1) - 1.0))
    hit = position + ((-sw - root) / ww)[:, None] * ray
    lon = np.degrees(np.arctan2(hit[:, 1], hit[:, 0]))
    tangent = hit[:, 2] / np.hypot(hit[:, 0], hit[:, 1]) / (1.0 - GRS80_FLATTENING) ** 2
    return lon, np.degrees(np.arctan(tangent))


def _find_phase(
    lat_deg: float,
    off_nadir_deg: float,
    look: LookSide,
    pass_direction: PassDirection,
    height_m: float,
) -> float:
    """Mean argument of latitude, rad, from which the latitude is seen on the asked pass."""
    first = -90.0 if pass_direction == "A" else 90.0  # noqa: S105
    phases = np.radians(np.arange(first + 0.05, first + 180.0, 0.1))
    lats = _ground(phases, off_nadir_deg, look, height_m)[1]
    above = lats > lat_deg
    crossings = np.flatnonzero(above[1:] != above[:-1])
    if not crossings.size or np.isnan(lats).any():
        words = "an ascending" if pass_direction == "A" else "a descending"  # noqa: S105
        side = "right" if look == "R" else "left"
        raise UsageError(
            f"latitude {lat_deg:g} is not seen to the {side} on {words} pass at {off_nadir_deg:g} "
            f"degrees off nadir: {np.nanmin(lats):.2f} to {np.nanmax(lats):.2f} is",
            hint="take another place, look side, pass or off-nadir angle",
        )
    low, high = phases[crossings[0]], phases[crossings[0] + 1]
    rising = lats[crossings[0] + 1] > lats[crossings[0]]
    for _ in range(60):
        middle = 0.5 * (low + high)
        lat = _ground(np.array([middle]), off_nadir_deg, look, height_m)[1][0]
        low, high = (middle, high) if (lat < lat_deg) == rising else (low, middle)
    return float(0.5 * (low + high))


def nominal_pass(
    lon_deg: float,
    lat_deg: float,
    day: date,
    *,
    look: LookSide,
    pass_direction: PassDirection,
    off_nadir_deg: float,
    height_m: float = 0.0,
    name: str = "nominal orbit",
) -> NominalPass:
    """Find an arc of 28 state vectors from whose middle a place is seen.

    Parameters
    ----------
    lon_deg, lat_deg : float
        The place, degrees.
    day : date
        UTC day of the moment at which it is seen.
    look, pass_direction
        Side and pass.
    off_nadir_deg : float
        At the satellite, between the place and the centre of the Earth.
    height_m : float
        Of the place above the ellipsoid.
    name : str
        Of the orbit, for messages.

    Raises
    ------
    UsageError
        If the orbit does not see this latitude so.
    """
    phase = _find_phase(lat_deg, off_nadir_deg, look, pass_direction, height_m)
    lon_from_node = float(_ground(np.array([phase]), off_nadir_deg, look, height_m)[0][0])
    node_lon_deg = (lon_deg - lon_from_node + 180.0) % 360.0 - 180.0
    center_time = _center_time(node_lon_deg, phase, day)
    start = center_time - timedelta(seconds=_BEFORE_CENTER_S - 0.5 * VECTOR_INTERVAL_S)
    epoch = start.replace(second=0, microsecond=0)
    center_s = (center_time - epoch).total_seconds()
    times = VECTOR_INTERVAL_S * np.arange(VECTORS, dtype=np.float64)
    # `phase` is zero at the node that belongs to it: its longitude is that of this moment.
    positions, velocities = states(
        phase + MEAN_MOTION * (times - center_s), math.radians(node_lon_deg)
    )
    return NominalPass(
        Orbit(epoch, times, positions, velocities, name=name), center_time, center_s, phase
    )


def _center_time(node_lon_deg: float, phase: float, day: date) -> datetime:
    """Find the moment of `day` at which the phase is reached, the node coming at midnight."""
    node_s = MEAN_LOCAL_TIME_OF_NODE_S - node_lon_deg / 360.0 * DAY_S
    second = (node_s + phase / MEAN_MOTION) % DAY_S
    milliseconds = min(round(second * 1000.0), 86_399_999)
    midnight = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
    return midnight + timedelta(milliseconds=milliseconds)

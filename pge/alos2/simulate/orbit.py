"""The orbit of a simulated scene: the nominal one, with the numbers that follow from it.

The orbit's number follows from the time, the path from the number by JAXA's formula, the frame from
the argument of latitude (a frame is 1/20 degree; numbers are multiples of 10). For real scenes this
gives their own orbit and frame numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from typing import Final

import numpy as np

from alos2.geometry.nominal import MEAN_MOTION, PERIOD_S, nominal_pass
from alos2.geometry.orbit import Floats, Orbit
from alos2.naming import SceneId
from alos2.types import LookSide, PassDirection

NODE_OF_ORBIT_1598: Final = datetime(2014, 9, 9, 4, 37, 3, tzinfo=timezone.utc)
"""Ascending node at which orbit 1598 began (from the leader of a scene in orbit 1597)."""

_FRAMES_PER_DEGREE: Final = 20


@dataclass(frozen=True)
class SimulatedOrbit:
    """The arc of state vectors and where in it the scene's centre lies."""

    orbit: Orbit
    center_time: datetime
    """UTC, on a whole millisecond."""
    center_s: float
    """The same in the orbit's seconds."""
    argument_of_latitude_deg: float
    """Of the satellite at the centre time, 0 to 360."""
    scene: SceneId


def find_orbit(
    lon_deg: float,
    lat_deg: float,
    day: date,
    *,
    look: LookSide,
    pass_direction: PassDirection,
    off_nadir_deg: float,
    height_m: float = 0.0,
) -> SimulatedOrbit:
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

    Raises
    ------
    UsageError
        If the orbit does not see this latitude so.
    """
    found = nominal_pass(
        lon_deg,
        lat_deg,
        day,
        look=look,
        pass_direction=pass_direction,
        off_nadir_deg=off_nadir_deg,
        height_m=height_m,
        name="simulated orbit",
    )
    return SimulatedOrbit(
        found.orbit,
        found.center_time,
        found.center_s,
        math.degrees(found.phase_rad) % 360.0,
        _scene_id(found.center_time, found.phase_rad),
    )


def moved(flight: SimulatedOrbit, right_m: float, up_m: float) -> SimulatedOrbit:
    """Shift an orbit at the scene's centre, for baselines.

    To the right of the flight: the arc turns about the direction of flight (through the Earth's
    centre). Upwards: it grows. Positions and velocities stay those of one curve.
    """
    if right_m == 0.0 and up_m == 0.0:
        return flight
    orbit = flight.orbit
    position, velocity = orbit.interpolate(flight.center_s)
    radius = float(np.linalg.norm(position))
    onward = velocity / np.linalg.norm(velocity)
    turn, growth = right_m / radius, 1.0 + up_m / radius

    def place(vectors: Floats) -> Floats:
        """Rodrigues' rotation."""
        along = (vectors @ onward)[:, np.newaxis] * onward
        turned = (
            vectors * math.cos(turn)
            + np.cross(onward, vectors) * math.sin(turn)
            + along * (1.0 - math.cos(turn))
        )
        return np.asarray(turned * growth)

    changed = Orbit(
        orbit.epoch,
        orbit.times_s,
        place(orbit.positions_m),
        place(orbit.velocities_m_s),
        name=orbit.name,
    )
    return replace(flight, orbit=changed)


def advanced(flight: SimulatedOrbit, step: int, seconds: float) -> SimulatedOrbit:
    """Give a later (or earlier) scene of the same pass: the state vectors stay.

    Frames are numbered as if they were of full length, ten apart.
    """
    time = flight.center_time + timedelta(seconds=seconds)
    frames = 360 * _FRAMES_PER_DEGREE
    return replace(
        flight,
        center_time=time,
        center_s=flight.center_s + seconds,
        argument_of_latitude_deg=(
            flight.argument_of_latitude_deg + math.degrees(MEAN_MOTION * seconds)
        )
        % 360.0,
        scene=replace(
            flight.scene,
            frame=f"{(int(flight.scene.frame) + 10 * step) % frames:04d}",
            date=time.date(),
        ),
    )


def _scene_id(center_time: datetime, phase: float) -> SceneId:
    """Orbit by time, frame by argument of latitude."""
    since_node = (phase % (2.0 * math.pi)) / MEAN_MOTION
    node = center_time - timedelta(seconds=since_node)
    number = 1598 + round((node - NODE_OF_ORBIT_1598).total_seconds() / PERIOD_S)
    frame = round(math.degrees(phase) * _FRAMES_PER_DEGREE / 10.0) * 10 % (360 * _FRAMES_PER_DEGREE)
    return SceneId(f"{number:05d}", f"{frame:04d}", center_time.date())

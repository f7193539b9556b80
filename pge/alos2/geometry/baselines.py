"""How far apart two passes looked at one place: the perpendicular baseline.

At the place's zero-Doppler time the reference pass has a position, a velocity and a line of sight
to the place; the secondary pass has a position at its own zero-Doppler time. What lies between the
two positions is split along the flight, along the line of sight (parallel) and at right angles to
both (perpendicular). Source: Rosen et al., "Synthetic aperture radar interferometry", Proc. IEEE
88(3), 2000, section II.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from alos2.geometry.ellipsoid import geodetic_to_ecef
from alos2.geometry.orbit import Orbit
from alos2.geometry.solver import pass_times
from alos2.types import LonLat


class Baseline(NamedTuple):
    """Of a secondary pass, seen from a reference pass, m."""

    perpendicular_m: float
    """Positive where the secondary lay above the line of sight of the reference."""
    parallel_m: float
    """Positive where the secondary lay nearer to the place along that line."""


def baseline(
    reference: Orbit, secondary: Orbit, place: LonLat, *, height_m: float = 0.0
) -> Baseline:
    """Return the baseline of two passes at a place.

    Parameters
    ----------
    reference, secondary : Orbit
        Earth-fixed state vectors whose arcs hold the zero-Doppler times of the place.
    place : LonLat
        Degrees.
    height_m : float, optional
        Height of the place above the ellipsoid, m.

    Raises
    ------
    BadProduct
        One of the two does not pass the place within its arc.
    """
    ground = np.asarray(geodetic_to_ecef(place.lon_deg, place.lat_deg, height_m))
    at_zero_doppler = np.zeros(())
    position, velocity = reference.interpolate(pass_times(reference, ground, at_zero_doppler))
    other, _ = secondary.interpolate(pass_times(secondary, ground, at_zero_doppler))
    ahead = velocity / np.linalg.norm(velocity)
    sight = ground - position
    sight = sight - (sight @ ahead) * ahead
    sight /= np.linalg.norm(sight)
    above = np.cross(sight, ahead)
    if above @ position < 0.0:
        above = -above
    apart = other - position
    return Baseline(float(apart @ above), float(apart @ sight))

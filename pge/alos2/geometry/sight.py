"""What an antenna sees: radar coordinates of any places on Earth, none where it does not see them.

``rangedoppler.geo2rdr`` refuses a place that the satellite does not pass; a map asks for places
all over the world and wants to know which of them are in the picture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from alos2.geometry.ellipsoid import geodetic_to_ecef
from alos2.geometry.orbit import Floats, Orbit
from alos2.geometry.solver import dot, find_passes
from alos2.types import LookSide

_HORIZON_M = 3_000_000.0
"""Farther than the horizon is from the satellite (2.9e6 m at 628 km)."""


def seen_from(
    orbit: Orbit,
    lon_deg: ArrayLike,
    lat_deg: ArrayLike,
    height_m: ArrayLike = 0.0,
    *,
    look: LookSide,
) -> tuple[Floats, Floats]:
    """Zero-Doppler radar coordinates of places, NaN where the antenna never looks at them.

    Parameters
    ----------
    orbit : Orbit
        State vectors.
    lon_deg, lat_deg : array_like
        Degrees, any longitude. Shapes of all arrays broadcast.
    height_m : array_like
        Height above the ellipsoid, m.
    look : {"L", "R"}
        Side of the track.

    Returns
    -------
    t_s, slant_range_m : ndarray, float64
        Seconds since the orbit's epoch, and m. Both NaN beyond the horizon, before or after the
        orbit's arc, and on the other side of the track.
    """
    lon, lat, height = np.broadcast_arrays(
        *(np.asarray(v, dtype=np.float64) for v in (lon_deg, lat_deg, height_m))
    )
    ground = geodetic_to_ecef(lon, lat, height)
    flat = ground.reshape(-1, 3)
    t, reach = np.full(len(flat), np.nan), np.full(len(flat), np.nan)
    # Far places have passes too, through the Earth, where Newton's method need not converge.
    near = np.flatnonzero(_nearest_m(orbit, flat) < _HORIZON_M + _half_step_m(orbit))
    if near.size:
        times, found = find_passes(orbit, flat[near], np.zeros(()))
        position, velocity = orbit.interpolate(times)
        beam = flat[near] - position
        right = dot(np.cross(velocity, position), beam) > 0.0
        distance = np.linalg.norm(beam, axis=-1)
        seen = found & (right == (look == "R")) & (distance < _HORIZON_M)
        t[near[seen]], reach[near[seen]] = times[seen], distance[seen]
    return t.reshape(lon.shape), reach.reshape(lon.shape)


def _nearest_m(orbit: Orbit, places: Floats) -> Floats:
    """Distance to the nearest state vector."""
    squares = np.full(len(places), np.inf)
    for position in orbit.positions_m:
        away = places - position
        np.minimum(squares, dot(away, away), out=squares)
    return np.asarray(np.sqrt(squares), dtype=np.float64)


def _half_step_m(orbit: Orbit) -> float:
    """Half of the way between state vectors, at most."""
    speed = float(np.linalg.norm(orbit.velocities_m_s, axis=1).max())
    # No more than lets Newton converge, should vectors be missing from the arc.
    return min(0.5 * speed * float(np.diff(orbit.times_s).max()), 0.25 * _HORIZON_M)

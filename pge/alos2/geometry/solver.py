"""The two Newton iterations of range-Doppler geometry: see ``rangedoppler``."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from alos2.errors import BadProduct
from alos2.geometry.ellipsoid import ecef_to_geodetic, up_vector
from alos2.geometry.orbit import Floats, Orbit
from alos2.types import LookSide

_TURNS: Final = 30
_ANGLE_STEP_RAD: Final = 1e-10
"""A Newton step this small leaves an error of its square: below rounding."""
_TIME_STEP_S: Final = 1e-8
_CHUNK: Final = 65_536
"""Points whose nearest state vector is looked up at a time (bounds memory)."""


def locate(
    orbit: Orbit,
    look: LookSide,
    *,
    t_s: ArrayLike,
    slant_range_m: ArrayLike,
    height_m: ArrayLike,
    half_rate_m_s: ArrayLike = 0.0,
) -> Floats:
    """Earth-fixed position of radar coordinates.

    Parameters
    ----------
    orbit, look
        As for ``rangedoppler.rdr2geo``.
    t_s, slant_range_m, height_m, half_rate_m_s : array_like, shapes that broadcast
        Azimuth time, slant range, height above the ellipsoid, and the speed along the line of
        sight that the Doppler stands for.

    Returns
    -------
    ndarray, shape (..., 3), float64
        m.

    Raises
    ------
    BadProduct
        If a time lies outside the arc or a range does not reach the ground.
    """
    t, slant_range, height, half_rate = np.broadcast_arrays(
        *(np.asarray(v, dtype=np.float64) for v in (t_s, slant_range_m, height_m, half_rate_m_s))
    )
    position, velocity = orbit.interpolate(t)
    speed = np.linalg.norm(velocity, axis=-1)
    ahead = velocity / speed[..., np.newaxis]
    down = -position + dot(position, ahead)[..., np.newaxis] * ahead
    down /= np.linalg.norm(down, axis=-1)[..., np.newaxis]
    aside = np.cross(down, ahead) if look == "R" else np.cross(ahead, down)

    along = np.where(np.isfinite(slant_range), slant_range, 0.0) * half_rate / speed
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        reach = np.sqrt(slant_range**2 - along**2)
        angle = _first_angle(position, reach, height)
    centre = position + along[..., np.newaxis] * ahead
    reach = reach[..., np.newaxis]
    for turn in range(_TURNS):
        cosine, sine = np.cos(angle)[..., np.newaxis], np.sin(angle)[..., np.newaxis]
        ground = centre + reach * (cosine * down + sine * aside)
        with np.errstate(invalid="ignore", divide="ignore"):
            lon, lat, here = ecef_to_geodetic(ground)
            up = up_vector(lon, lat)
            rise = dot(up, reach * (cosine * aside - sine * down))
            step = (height - here) / rise
            step = np.where(np.abs(step) > 0.1, 0.1 * np.sign(step), step)
        angle = angle + step
        if turn > 0 and not (np.abs(step) > _ANGLE_STEP_RAD).any():
            break
    # Shorter than to the ground below, or longer than to the horizon: no such place in sight.
    in_sight = dot(position - ground, up) > 0.0
    found = (np.abs(step) <= _ANGLE_STEP_RAD) & (angle > 0.0) & (rise > 0.0) & in_sight
    if not found.all():
        _, _, altitude = ecef_to_geodetic(position[~found][0])
        raise BadProduct(
            f"no ground is in sight at a slant range of {float(slant_range[~found][0]):.1f} m "
            f"from {orbit.name}, {float(altitude) / 1000.0:.1f} km high"
        )
    cosine, sine = np.cos(angle)[..., np.newaxis], np.sin(angle)[..., np.newaxis]
    result: Floats = centre + reach * (cosine * down + sine * aside)
    return result


def _first_angle(position: Floats, reach: Floats, height: Floats) -> Floats:
    """Angle off nadir on a sphere through the ground below the satellite; NaN if impossible."""
    radius = np.linalg.norm(position, axis=-1)
    _, _, altitude = ecef_to_geodetic(position)
    ground_radius = radius - altitude + height
    cosine = (reach**2 + radius**2 - ground_radius**2) / (2.0 * reach * radius)
    # Sphere and ellipsoid differ by less than this; what is further out never reaches the ground.
    cosine = np.where(np.abs(cosine - 1.0) < 2e-3, np.minimum(cosine, 0.9995), cosine)
    first: Floats = np.arccos(cosine)
    return first


def pass_times(orbit: Orbit, ground: Floats, half_rate: Floats) -> Floats:
    """Find the times at which the Doppler of Earth-fixed positions has the wanted value.

    Parameters
    ----------
    orbit : Orbit
        State vectors; the pass that comes nearest to a position is meant.
    ground : ndarray, shape (..., 3), float64
        Earth-fixed positions, m.
    half_rate : ndarray, shape that broadcasts with (...)
        Speed along the line of sight that the Doppler stands for, m/s.

    Returns
    -------
    ndarray, shape (...), float64
        Seconds since the orbit's epoch.

    Raises
    ------
    BadProduct
        If there is no such time within the arc.
    """
    t, fit = find_passes(orbit, ground, half_rate)
    if not fit.all():
        lon, lat, _ = ecef_to_geodetic(ground[~fit][0])
        raise BadProduct(
            f"the satellite does not pass {lonlat_words(float(lon), float(lat))} within the arc of "
            f"{orbit.name}, {orbit.start:%Y-%m-%dT%H:%M:%SZ} to {orbit.end:%Y-%m-%dT%H:%M:%SZ}"
        )
    return t


def find_passes(
    orbit: Orbit, ground: Floats, half_rate: Floats
) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """Do what ``pass_times`` does, and say where there is no such time within the arc.

    Positions must be nearer than the horizon is to the satellite, or their time is not found.

    Returns
    -------
    t_s : ndarray, shape (...), float64
        Seconds since the orbit's epoch; any time of the arc where not found.
    found : ndarray of bool, shape (...)
    """
    first, last = orbit.times_s[0], orbit.times_s[-1]
    t = _nearest_vector_times(orbit, ground)
    for _ in range(_TURNS):
        position, velocity, acceleration = orbit.states(t)
        beam = ground - position
        distance = np.linalg.norm(beam, axis=-1)
        closing = dot(beam, velocity)
        excess = closing - half_rate * distance
        slope = dot(beam, acceleration) - dot(velocity, velocity)
        slope = slope + half_rate * closing / distance
        moved = np.clip(t - excess / slope, first, last)
        step = np.abs(moved - t)
        t = moved
        if not (step > _TIME_STEP_S).any():
            break
    # At an end of the arc the time stands still although the Doppler is wrong.
    return t, np.asarray(np.abs(excess / slope) <= 10.0 * _TIME_STEP_S)


def _nearest_vector_times(orbit: Orbit, ground: Floats) -> Floats:
    """Time of the state vector nearest to each Earth-fixed position."""
    flat = ground.reshape(-1, 3)
    half_squares = 0.5 * (orbit.positions_m**2).sum(axis=1)
    nearest = np.empty(flat.shape[0], dtype=np.intp)
    for start in range(0, flat.shape[0], _CHUNK):
        part = slice(start, start + _CHUNK)
        nearest[part] = np.argmax(flat[part] @ orbit.positions_m.T - half_squares, axis=1)
    times: Floats = orbit.times_s[nearest].reshape(ground.shape[:-1])
    return times


def half_rate_m_s(doppler_hz: ArrayLike, wavelength_m: float | None) -> Floats:
    """Speed along the line of sight that a Doppler stands for, m/s.

    Raises
    ------
    ValueError
        If a Doppler is not zero and the wavelength is missing.
    """
    doppler = np.asarray(doppler_hz, dtype=np.float64)
    if wavelength_m is None:
        if doppler.any():
            raise ValueError("a Doppler that is not zero needs the wavelength")
        return doppler
    return 0.5 * wavelength_m * doppler


def dot(a: Floats, b: Floats) -> Floats:
    """Scalar product over the last axis."""
    return np.asarray(np.einsum("...i,...i->...", a, b), dtype=np.float64)


def lonlat_words(lon_deg: float, lat_deg: float) -> str:
    """Words for a place, for messages."""
    return f"longitude {lon_deg:.4f}, latitude {lat_deg:.4f}"

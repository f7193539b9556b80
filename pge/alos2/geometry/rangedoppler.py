"""From radar coordinates to the ground and back: the range-Doppler equations.

A sample of azimuth time ``t`` and slant range ``R`` lies where three surfaces meet: the sphere of
radius R round the satellite, the Doppler cone round its velocity (for zero Doppler, the plane
through the satellite at right angles to it), and the surface at a given height above the
ellipsoid. Two points fulfil that; the look side chooses.

* ``rdr2geo`` turns the look vector about the velocity, the one freedom that sphere and cone leave,
  until the height is right (Newton's method in one angle).
* ``geo2rdr`` moves along the orbit until the Doppler is right (Newton's method in time).

Both run until they stand still, so that one undoes the other to rounding error.

Source: Curlander and McDonough, "Synthetic Aperture Radar" (1991), section 8.2; Doppler
``f = 2 v . (x - p) / (wavelength R)``, positive ahead. JAXA's level 1.1 and the corners of its
detected products are of zero Doppler at height 0 (checked on a real scene: 10 to 42 m, within the
rounding of the summary's corners).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from alos2.errors import BadProduct
from alos2.geometry.ellipsoid import ecef_to_geodetic, geodetic_to_ecef, up_vector
from alos2.geometry.orbit import Floats, Orbit
from alos2.geometry.solver import dot, half_rate_m_s, locate, lonlat_words, pass_times
from alos2.types import LookSide


def rdr2geo(
    orbit: Orbit,
    t_s: ArrayLike,
    slant_range_m: ArrayLike,
    *,
    look: LookSide,
    height_m: ArrayLike = 0.0,
    doppler_hz: ArrayLike = 0.0,
    wavelength_m: float | None = None,
) -> tuple[Floats, Floats]:
    """Place on the ground of radar coordinates.

    Parameters
    ----------
    orbit : Orbit
        State vectors whose arc holds all the times.
    t_s : array_like
        Azimuth times, seconds since the orbit's epoch.
    slant_range_m : array_like
        Slant ranges, m. Shapes of all arrays broadcast.
    look : {"L", "R"}
        Side of the track.
    height_m : array_like
        Height of the ground above the ellipsoid, m.
    doppler_hz : array_like
        Doppler that the coordinates refer to; 0 for ALOS-2 products.
    wavelength_m : float, optional
        Needed when a Doppler is not zero.

    Returns
    -------
    lon_deg, lat_deg : ndarray, float64
        Degrees; longitude from -180 to 180.

    Raises
    ------
    BadProduct
        If a time lies outside the orbit's arc or a range does not reach the ground.
    ValueError
        If a Doppler is given without the wavelength.
    """
    ground = locate(
        orbit,
        look,
        t_s=t_s,
        slant_range_m=slant_range_m,
        height_m=height_m,
        half_rate_m_s=half_rate_m_s(doppler_hz, wavelength_m),
    )
    lon, lat, _ = ecef_to_geodetic(ground)
    return lon, lat


def geo2rdr(
    orbit: Orbit,
    lon_deg: ArrayLike,
    lat_deg: ArrayLike,
    height_m: ArrayLike = 0.0,
    *,
    look: LookSide | None = None,
    doppler_hz: ArrayLike = 0.0,
    wavelength_m: float | None = None,
) -> tuple[Floats, Floats]:
    """Radar coordinates of places on the ground.

    Parameters
    ----------
    orbit : Orbit
        State vectors; the pass that comes nearest to a place is meant.
    lon_deg, lat_deg : array_like
        Degrees. Shapes of all arrays broadcast.
    height_m : array_like
        Height above the ellipsoid, m.
    look : {"L", "R"}, optional
        If given, places on the other side of the track are an error.
    doppler_hz : array_like
        Doppler that the coordinates refer to; 0 for ALOS-2 products.
    wavelength_m : float, optional
        Needed when a Doppler is not zero.

    Returns
    -------
    t_s, slant_range_m : ndarray, float64
        Seconds since the orbit's epoch, and m.

    Raises
    ------
    BadProduct
        If the satellite passes a place outside the arc, or on the wrong side.
    ValueError
        If a Doppler is given without the wavelength.
    """
    ground = geodetic_to_ecef(lon_deg, lat_deg, height_m)
    half_rate = half_rate_m_s(doppler_hz, wavelength_m)
    t = pass_times(orbit, ground, half_rate)
    position, velocity = orbit.interpolate(t)
    beam = ground - position
    if look is not None:
        wrong = _to_the_right(position, velocity, beam) != (look == "R")
        if wrong.any():
            side = "right" if look == "L" else "left"
            raise BadProduct(
                f"{_place(lon_deg, lat_deg, wrong)} lies {side} of the track of {orbit.name}, "
                f"and the antenna looks {'left' if look == 'L' else 'right'}"
            )
    return t, np.linalg.norm(beam, axis=-1)


def is_right_of_track(
    orbit: Orbit, lon_deg: ArrayLike, lat_deg: ArrayLike, height_m: ArrayLike = 0.0
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Tell on which side of the track places lie, at their zero-Doppler times.

    Parameters
    ----------
    orbit : Orbit
        State vectors.
    lon_deg, lat_deg, height_m : array_like
        Degrees and m above the ellipsoid; shapes broadcast.

    Returns
    -------
    ndarray, bool
        True where a right-looking antenna could see the place.

    Raises
    ------
    BadProduct
        If the satellite passes a place outside the arc.
    """
    ground = geodetic_to_ecef(lon_deg, lat_deg, height_m)
    position, velocity = orbit.interpolate(pass_times(orbit, ground, np.zeros(())))
    return _to_the_right(position, velocity, ground - position)


def incidence_deg(
    orbit: Orbit,
    t_s: ArrayLike,
    slant_range_m: ArrayLike,
    look: LookSide,
    height_m: ArrayLike = 0.0,
) -> Floats:
    """Angle of incidence on the ellipsoid: between its normal and the direction to the satellite.

    Parameters
    ----------
    orbit, t_s, slant_range_m, look, height_m
        As for ``rdr2geo``, at zero Doppler.

    Returns
    -------
    ndarray, float64
        Degrees, 0 to 90.

    Raises
    ------
    BadProduct
        As ``rdr2geo``.
    """
    ground = locate(orbit, look, t_s=t_s, slant_range_m=slant_range_m, height_m=height_m)
    position, _ = orbit.interpolate(t_s)
    lon, lat, _ = ecef_to_geodetic(ground)
    return _angle_deg(position - ground, up_vector(lon, lat))


def off_nadir_deg(
    orbit: Orbit,
    t_s: ArrayLike,
    slant_range_m: ArrayLike,
    look: LookSide,
    height_m: ArrayLike = 0.0,
) -> Floats:
    """Angle at the satellite between the vertical down to the ellipsoid and the look direction.

    Parameters
    ----------
    orbit, t_s, slant_range_m, look, height_m
        As for ``rdr2geo``, at zero Doppler.

    Returns
    -------
    ndarray, float64
        Degrees, 0 to 90.

    Raises
    ------
    BadProduct
        As ``rdr2geo``.
    """
    ground = locate(orbit, look, t_s=t_s, slant_range_m=slant_range_m, height_m=height_m)
    position, _ = orbit.interpolate(t_s)
    lon, lat, _ = ecef_to_geodetic(position)
    return _angle_deg(ground - position, -up_vector(lon, lat))


def _to_the_right(
    position: Floats, velocity: Floats, beam: Floats
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether a beam points to the right of the track."""
    return np.asarray(dot(np.cross(velocity, position), beam) > 0.0)


def _angle_deg(a: Floats, b: Floats) -> Floats:
    """Angle between vectors, degrees, exact for small angles too."""
    angle: Floats = np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), dot(a, b))
    return np.degrees(angle)


def _place(
    lon_deg: ArrayLike,
    lat_deg: ArrayLike,
    chosen: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> str:
    """Words for the first of some chosen places."""
    lon, lat = (
        np.broadcast_to(np.asarray(v, np.float64), chosen.shape) for v in (lon_deg, lat_deg)
    )
    return lonlat_words(float(lon[chosen].flat[0]), float(lat[chosen].flat[0]))

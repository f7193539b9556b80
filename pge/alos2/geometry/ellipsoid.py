"""Geodetic and Earth-centred coordinates on the WGS 84 ellipsoid.

JAXA's products are on GRS 80 (ITRF97), whose surface is at most 0.1 mm from that of WGS 84, so
one ellipsoid serves for both.

Formulae: forward as in any textbook of geodesy (NIMA TR8350.2, section 4.1); backward by Bowring,
"The accuracy of geodetic latitude and height equations", Survey Review 28 (1985), followed by one
more turn of the same fixed point, which brings it to rounding error from 10 km below the surface
to orbits.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from alos2.constants import WGS84_FLATTENING, WGS84_SEMI_MAJOR_M
from alos2.geometry.orbit import Floats

SEMI_MINOR_M: Final = WGS84_SEMI_MAJOR_M * (1.0 - WGS84_FLATTENING)
"""Semi-minor axis of WGS 84, m."""

ECCENTRICITY_SQUARED: Final = WGS84_FLATTENING * (2.0 - WGS84_FLATTENING)
"""First eccentricity of WGS 84, squared, dimensionless."""

_SECOND_ECCENTRICITY_SQUARED: Final = ECCENTRICITY_SQUARED / (1.0 - ECCENTRICITY_SQUARED)


def geodetic_to_ecef(lon_deg: ArrayLike, lat_deg: ArrayLike, height_m: ArrayLike = 0.0) -> Floats:
    """Earth-centred Earth-fixed position of geodetic coordinates.

    Parameters
    ----------
    lon_deg, lat_deg : array_like, shapes that broadcast
        Degrees, any longitude.
    height_m : array_like, optional
        Height above the ellipsoid, m.

    Returns
    -------
    ndarray, shape (..., 3), float64
        x, y, z in m.
    """
    lon = np.radians(np.asarray(lon_deg, dtype=np.float64))
    lat = np.radians(np.asarray(lat_deg, dtype=np.float64))
    height = np.asarray(height_m, dtype=np.float64)
    sin_lat = np.sin(lat)
    normal = WGS84_SEMI_MAJOR_M / np.sqrt(1.0 - ECCENTRICITY_SQUARED * sin_lat**2)
    across = (normal + height) * np.cos(lat)
    return np.stack(
        np.broadcast_arrays(
            across * np.cos(lon),
            across * np.sin(lon),
            (normal * (1.0 - ECCENTRICITY_SQUARED) + height) * sin_lat,
        ),
        axis=-1,
    )


def ecef_to_geodetic(xyz_m: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Geodetic coordinates of Earth-centred Earth-fixed positions.

    Parameters
    ----------
    xyz_m : array_like, shape (..., 3)
        Positions, m, more than some 50 km from the Earth's centre.

    Returns
    -------
    lon_deg, lat_deg, height_m : ndarray, shape (...), float64
        Degrees (longitude from -180 to 180, 0 on the poles' axis) and m above the ellipsoid.
    """
    xyz = np.asarray(xyz_m, dtype=np.float64)
    x, y, z = xyz[..., 0], xyz[..., 1], xyz[..., 2]
    across = np.hypot(x, y)
    radius = np.hypot(across, z)
    # Tangent of the reduced latitude, as (sine, cosine) so that the poles need no exception.
    sine = z * (1.0 - WGS84_FLATTENING)
    sine = sine * (1.0 + _SECOND_ECCENTRICITY_SQUARED * SEMI_MINOR_M / radius)
    cosine = across
    for _ in range(2):
        length = np.hypot(sine, cosine)
        sine, cosine = sine / length, cosine / length
        up = z + _SECOND_ECCENTRICITY_SQUARED * SEMI_MINOR_M * sine**3
        out = across - ECCENTRICITY_SQUARED * WGS84_SEMI_MAJOR_M * cosine**3
        sine, cosine = (1.0 - WGS84_FLATTENING) * up, out
    lat = np.arctan2(up, out)
    sin_lat, cos_lat = np.sin(lat), np.cos(lat)
    height = (
        across * cos_lat
        + z * sin_lat
        - WGS84_SEMI_MAJOR_M * np.sqrt(1.0 - ECCENTRICITY_SQUARED * sin_lat**2)
    )
    return np.degrees(np.arctan2(y, x)), np.degrees(lat), height


def up_vector(lon_deg: ArrayLike, lat_deg: ArrayLike) -> Floats:
    """Outward unit normal of the ellipsoid.

    Parameters
    ----------
    lon_deg, lat_deg : array_like, shapes that broadcast
        Degrees.

    Returns
    -------
    ndarray, shape (..., 3), float64
        Earth-fixed unit vectors.
    """
    lon = np.radians(np.asarray(lon_deg, dtype=np.float64))
    lat = np.radians(np.asarray(lat_deg, dtype=np.float64))
    return np.stack(
        np.broadcast_arrays(np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)),
        axis=-1,
    )

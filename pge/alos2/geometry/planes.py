"""An equal-area map round a place, for areas and centroids of outlines.

Lambert's azimuthal equal-area projection of the authalic sphere: latitudes are first turned into
authalic ones, so that areas are the ellipsoid's. Distances are not true far from the centre; for
these see ``measures.distance_m``.

Source: Snyder, "Map Projections: A Working Manual", USGS Professional Paper 1395 (1987),
equations 3-12, 3-11, 3-18 and 24-2 to 24-4, 20-14, 20-15.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from alos2.constants import WGS84_SEMI_MAJOR_M
from alos2.geometry.ellipsoid import ECCENTRICITY_SQUARED
from alos2.geometry.orbit import Floats
from alos2.types import LonLat

_E2: Final = ECCENTRICITY_SQUARED
_E: Final = float(np.sqrt(_E2))
_Q_POLE: Final = 1.0 - (1.0 - _E2) / (2.0 * _E) * float(np.log((1.0 - _E) / (1.0 + _E)))
AUTHALIC_RADIUS_M: Final = WGS84_SEMI_MAJOR_M * float(np.sqrt(_Q_POLE / 2.0))
"""Radius of the sphere with the ellipsoid's surface, m."""


@dataclass(frozen=True)
class EqualAreaPlane:
    """Lambert azimuthal equal-area plane round ``centre``; x to the east, y to the north, m."""

    centre: LonLat

    def project(self, lon_deg: ArrayLike, lat_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Bring degrees into the plane.

        Parameters
        ----------
        lon_deg, lat_deg : array_like, same shape
            Degrees; anything but the point opposite to the centre.

        Returns
        -------
        x_m, y_m : ndarray, float64
            Metres.
        """
        lon = np.radians(np.asarray(lon_deg, dtype=np.float64) - self.centre.lon_deg)
        sine = _authalic_sine(np.asarray(lat_deg, dtype=np.float64))
        cosine = np.sqrt(np.maximum(1.0 - sine**2, 0.0))
        sine0 = float(_authalic_sine(np.float64(self.centre.lat_deg)))
        cosine0 = np.sqrt(max(1.0 - sine0**2, 0.0))
        scale = AUTHALIC_RADIUS_M * np.sqrt(
            2.0 / np.maximum(1.0 + sine0 * sine + cosine0 * cosine * np.cos(lon), 1e-12)
        )
        x = scale * cosine * np.sin(lon)
        y = scale * (cosine0 * sine - sine0 * cosine * np.cos(lon))
        return x, y

    def unproject(self, x_m: float, y_m: float) -> LonLat:
        """Bring a place of the plane back to degrees.

        Parameters
        ----------
        x_m, y_m : float
            Metres.

        Returns
        -------
        LonLat
            Degrees; longitude from -180 to 180.
        """
        distance = float(np.hypot(x_m, y_m))
        if distance == 0.0:
            return self.centre
        angle = 2.0 * np.arcsin(min(distance / (2.0 * AUTHALIC_RADIUS_M), 1.0))
        sine0 = float(_authalic_sine(np.float64(self.centre.lat_deg)))
        cosine0 = np.sqrt(max(1.0 - sine0**2, 0.0))
        sine = np.cos(angle) * sine0 + y_m * np.sin(angle) * cosine0 / distance
        turn = np.arctan2(
            x_m * np.sin(angle),
            distance * cosine0 * np.cos(angle) - y_m * sine0 * np.sin(angle),
        )
        lon = (self.centre.lon_deg + float(np.degrees(turn)) + 180.0) % 360.0 - 180.0
        return LonLat(lon, _geodetic_latitude(float(np.clip(sine, -1.0, 1.0))))


def _authalic_sine(lat_deg: ArrayLike) -> Floats:
    """Sine of the authalic latitude."""
    sine = np.sin(np.radians(np.asarray(lat_deg, dtype=np.float64)))
    whole = sine / (1.0 - _E2 * sine**2) + np.arctanh(_E * sine) / _E
    return np.asarray((1.0 - _E2) * whole / _Q_POLE, dtype=np.float64)


def _geodetic_latitude(authalic_sine: float) -> float:
    """Latitude, degrees, by Snyder's series (3-18), good to 1e-9 degrees."""
    beta = float(np.arcsin(authalic_sine))
    series = (
        (_E2 / 3.0 + 31.0 * _E2**2 / 180.0 + 517.0 * _E2**3 / 5040.0) * np.sin(2.0 * beta)
        + (23.0 * _E2**2 / 360.0 + 251.0 * _E2**3 / 3780.0) * np.sin(4.0 * beta)
        + (761.0 * _E2**3 / 45360.0) * np.sin(6.0 * beta)
    )
    return float(np.degrees(beta + series))

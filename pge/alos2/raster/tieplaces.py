"""Where a slant-range image lies that has no orbit, only its four corners: level 1.1 GeoTIFF.

Between the corners lines are evenly spaced on the ground, pixels are not: they are even in slant
range, and on the ground the nearer the wider. In a swath of 70 km that is most of a kilometre in
the middle. The missing near range follows from what is known: how many metres of slant range the
pixels are (c / 2 / sampling rate, by mode), how far apart the corners are on the ground, and how
high ALOS-2 flies, which is always nearly the same. On a sphere, with the satellite at distance S
and the ground at distance G from its centre, a slant range R reaches as far from the nadir as

    cos(angle) = (S^2 + G^2 - R^2) / (2 S G)

(the triangle of Curlander and McDonough, "Synthetic Aperture Radar" (1991), section 8.2). What is
not known within some kilometres, the height of the orbit, moves the middle of a swath by some
metres only, since both of its ends are held.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from pyproj import Geod

from alos2.constants import SPEED_OF_LIGHT_M_S, WGS84_SEMI_MAJOR_M
from alos2.errors import BadProduct
from alos2.geometry.ellipsoid import ECCENTRICITY_SQUARED, ecef_to_geodetic, geodetic_to_ecef
from alos2.geometry.ellipsoid import up_vector as up_at
from alos2.product.model import Image, Product
from alos2.raster.lookpass import Looks
from alos2.raster.places import OUTSIDE, Values
from alos2.types import LonLat, RasterShape

ORBIT_RADIUS_M: Final = 7_006_000.0
"""ALOS-2's distance from the Earth's centre: 628 km above the equator, some kilometres more or
less along its nearly circular orbit."""

_FULL_RATE_HZ: Final = 104.7915957140240e6
_RATE_DIVISORS: Final = {"SB": 1, "UB": 1, "HB": 2, "FB": 3, "WW": 3, "WB": 6, "VB": 6}
"""Sampling rates by mode (public readers agree)."""

_EARTH: Final = Geod(ellps="WGS84")
_FARTHEST_M: Final = 1_800_000.0
_TURNS: Final = 12


@dataclass(frozen=True)
class RangeTriangle:
    """How slant range and distance on the ground go together, for one image."""

    satellite_m: float
    ground_m: float
    near_m: float
    """Slant range of the first pixel's centre, for ground at height 0."""
    spacing_m: float
    last_pixel: float
    height_m: float

    @classmethod
    def fitted(
        cls, center: LonLat, width_m: float, spacing_m: float, last_pixel: float, height_m: float
    ) -> RangeTriangle | None:
        """Find the near range at which the pixels are `width_m` wide on the ground; None if none.

        Parameters
        ----------
        center
            Of the image.
        width_m
            Distance of the first and last pixel of a line on the ground.
        spacing_m
            Slant range from pixel to pixel.
        last_pixel
            Number of the last pixel.
        height_m
            Of the ground that is to be drawn, above the ellipsoid (the tie points are on it).
        """
        sine = math.sin(math.radians(center.lat_deg))
        ground = WGS84_SEMI_MAJOR_M / math.sqrt(1.0 - ECCENTRICITY_SQUARED * sine**2)
        place = geodetic_to_ecef(*center)
        altitude = ORBIT_RADIUS_M - float(np.linalg.norm(place))
        satellite = ground + altitude
        low, high = altitude + 100.0, _FARTHEST_M
        span = last_pixel * spacing_m

        def width(near: float) -> float:
            ends = _angle(satellite, ground, np.array([near, near + span]))
            return ground * float(ends[1] - ends[0])

        if not (span > 0.0 and width(high) < width_m < width(low)):
            return None
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if width(middle) > width_m else (low, middle)
        return cls(satellite, ground, low, spacing_m, last_pixel, height_m)

    @property
    def _ends(self) -> Values:
        far = self.near_m + self.last_pixel * self.spacing_m
        return _angle(self.satellite_m, self.ground_m, np.array([self.near_m, far]))

    def share(self, pixel: Values) -> Values:
        """Place of pixels on the way from the first tie point (0) to the last (1)."""
        first, last = self._ends
        slant_range = self.near_m + pixel * self.spacing_m
        angle = _angle(self.satellite_m, self.ground_m + self.height_m, slant_range)
        return np.asarray((angle - first) / (last - first))

    def pixel(self, share: Values) -> Values:
        """Undo `share`."""
        first, last = self._ends
        s, g = self.satellite_m, self.ground_m + self.height_m
        angle = np.clip(first + share * (last - first), 0.0, 1.0)
        slant_range = np.sqrt((s - g) ** 2 + 4.0 * s * g * np.sin(0.5 * angle) ** 2)
        return np.asarray((slant_range - self.near_m) / self.spacing_m)


def _angle(satellite_m: float, ground_m: float, slant_range_m: Values) -> Values:
    """Angle at the Earth's centre between nadir and ground, rad; half angles keep it exact."""
    square = slant_range_m**2 - (satellite_m - ground_m) ** 2
    return np.asarray(
        2.0 * np.arcsin(np.sqrt(np.maximum(square, 0.0) / (4.0 * satellite_m * ground_m)))
    )


class TiePlaces:
    """`Surface` by the tie points at the corners of an image; safe between threads.

    Parameters
    ----------
    product, image
        Level 1.1 with four tie points.
    looks
        Samples that are averaged to a cell.
    height_m
        Of the ground above the ellipsoid.

    Raises
    ------
    BadProduct
        The tie points are not four corners.
    """

    def __init__(self, product: Product, image: Image, looks: Looks, height_m: float = 0.0) -> None:
        self.shape: RasterShape = looks.cells(image.shape)
        self._looks = looks
        lines, pixels, corners = _corners(image)
        self._lines, self._pixels = lines, pixels
        middle = geodetic_to_ecef(
            np.array([c.lon_deg for c in corners]), np.array([c.lat_deg for c in corners])
        ).mean(axis=0)
        lon, lat, _ = ecef_to_geodetic(middle)
        self._plane = _Plane(LonLat(float(lon), float(lat)))
        x, y = self._plane.xy(
            np.array([c.lon_deg for c in corners]), np.array([c.lat_deg for c in corners])
        )
        places = np.stack([x, y], axis=1)
        self._base, self._down = places[0], places[2] - places[0]
        self._across, self._twist = places[1] - places[0], places[3] - places[2] - places[1]
        self._twist = self._twist + places[0]
        turned = self._down[0] * self._across[1] - self._down[1] * self._across[0]
        if abs(turned) < 1e-3 * np.hypot(*self._down) * np.hypot(*self._across) or not turned:
            raise BadProduct(f"{image.file.name}: its tie points enclose no area")
        self._reach_m = 20.0 * float(np.hypot(*(self._down + self._across)))
        width = 0.5 * sum(float(_EARTH.inv(*corners[k], *corners[k + 1])[2]) for k in (0, 2))
        self.triangle = RangeTriangle.fitted(
            self._plane.center,
            width,
            slant_spacing_m(product),
            pixels[1] - pixels[0],
            height_m,
        )
        self.height_m = height_m if self.triangle is not None else 0.0
        steps = np.hypot(*self._down) / (lines[1] - lines[0]), width / (pixels[1] - pixels[0])
        self.line_m, self.pixel_m = float(steps[0]) * looks.lines, float(steps[1]) * looks.pixels

    def lonlat(self, pixel: Values, line: Values) -> tuple[Values, Values]:
        """See `Surface.lonlat`."""
        u = self._looks.lines * np.asarray(line, np.float64) - 0.5
        v = self._looks.pixels * np.asarray(pixel, np.float64) - 0.5
        u = (u - self._lines[0]) / (self._lines[1] - self._lines[0])
        v = self._share(v - self._pixels[0])
        x, y = (
            self._base[k] + self._down[k] * u + self._across[k] * v + self._twist[k] * u * v
            for k in (0, 1)
        )
        return self._plane.lonlat(x, y)

    def pixel_line(self, lon_deg: Values, lat_deg: Values) -> tuple[Values, Values]:
        """See `Surface.pixel_line`."""
        x, y = self._plane.xy(lon_deg, lat_deg)
        near = np.hypot(x, y) < self._reach_m  # NaN, beyond the horizon, is not
        x, y = np.where(near, x, 0.0) - self._base[0], np.where(near, y, 0.0) - self._base[1]
        u = v = np.full(x.shape, 0.5)
        for _ in range(_TURNS):
            (au, av), (bu, bv) = (
                (self._down[k] + self._twist[k] * v, self._across[k] + self._twist[k] * u)
                for k in (0, 1)
            )
            dx, dy = (
                self._down[k] * u + self._across[k] * v + self._twist[k] * u * v for k in (0, 1)
            )
            dx, dy = x - dx, y - dy
            area = au * bv - av * bu
            u, v = u + (dx * bv - av * dy) / area, v + (au * dy - dx * bu) / area
        line = self._lines[0] + u * (self._lines[1] - self._lines[0])
        pixel = self._pixels[0] + self._pixel(v)
        near &= np.isfinite(line) & np.isfinite(pixel)
        return (
            np.where(near, (pixel + 0.5) / self._looks.pixels, OUTSIDE),
            np.where(near, (line + 0.5) / self._looks.lines, OUTSIDE),
        )

    def _share(self, pixel: Values) -> Values:
        if self.triangle is None:
            return np.asarray(pixel / (self._pixels[1] - self._pixels[0]))
        return self.triangle.share(pixel)

    def _pixel(self, share: Values) -> Values:
        if self.triangle is None:
            return np.asarray(share * (self._pixels[1] - self._pixels[0]))
        return self.triangle.pixel(share)


def slant_spacing_m(product: Product) -> float:
    """Slant range from pixel to pixel: by the sampling rate, the leader's or the mode's."""
    rate = product.sensor.sampling_rate_hz or _FULL_RATE_HZ / _RATE_DIVISORS[product.mode[:2]]
    return SPEED_OF_LIGHT_M_S / (2.0 * rate)


def _corners(image: Image) -> tuple[tuple[float, float], tuple[float, float], list[LonLat]]:
    """First and last line, first and last pixel, and the places in the order of reading."""
    ties = {(tie.line, tie.pixel): tie.position for tie in image.tie_points}
    lines = sorted({line for line, _ in ties})
    pixels = sorted({pixel for _, pixel in ties})
    if len(ties) != 4 or len(lines) != 2 or len(pixels) != 2:
        raise BadProduct(
            f"{image.file.name}: its {len(image.tie_points)} tie points are not four corners",
            hint="give a leader of the same scene (--leader)",
        )
    places = [ties[line, pixel] for line in lines for pixel in pixels]
    return (lines[0], lines[1]), (pixels[0], pixels[1]), places


class _Plane:
    """The plane that touches the ellipsoid at a place: x east, y north, m; seen from above."""

    def __init__(self, center: LonLat) -> None:
        self.center = center
        lon = np.radians(center.lon_deg)
        self._origin = geodetic_to_ecef(*center)
        self._east = np.array([-np.sin(lon), np.cos(lon), 0.0])
        self._up = up_at(*center)
        self._north = np.cross(self._up, self._east)

    def xy(self, lon_deg: Values, lat_deg: Values) -> tuple[Values, Values]:
        """Metres east and north; NaN for the other half of the Earth."""
        away = geodetic_to_ecef(lon_deg, lat_deg) - self._origin
        here = away @ self._up > -0.5 * WGS84_SEMI_MAJOR_M
        return np.where(here, away @ self._east, np.nan), np.where(here, away @ self._north, np.nan)

    def lonlat(self, x: Values, y: Values) -> tuple[Values, Values]:
        """Places on the ellipsoid."""
        flat = (
            self._origin
            + np.asarray(x)[..., np.newaxis] * self._east
            + np.asarray(y)[..., np.newaxis] * self._north
        )
        drop = np.zeros(flat.shape[:-1])
        for _ in range(8):  # each turn leaves a small part of the height
            lon, lat, height = ecef_to_geodetic(flat - drop[..., np.newaxis] * self._up)
            drop = drop + height / np.maximum(up_at(lon, lat) @ self._up, 0.5)
        return lon, lat

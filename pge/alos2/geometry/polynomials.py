"""Geolocation polynomials: the leader's facility-related record 5.

Three pairs, each with its own convention (term orders and origins shown on a real leader, whose
map projection record gives the four corners independently):

* image to ground: 25 terms, ``coefficient[k] * L^(4 - k % 5) * P^(4 - k // 5)`` with ``L`` and
  ``P`` the line and pixel minus the record's origin, both counted from 0 at pixel *centres*
  (3 to 7 mm from the map projection record; a count from 1 would be off by 8.8 m);
* ground to image: the same form in ``dLon`` (fast) and ``dLat`` (slow) from its own origin, in
  degrees, giving lines and pixels counted from 0 (on the real leader the exact inverse of the
  former to 1e-5 pixel; its origin is another point than the former's, a pixel away);
* map to image: 10 terms in latitude p and longitude q, degrees, in the order
  ``1, p, q, pq, p^2, q^2, p^2 q, p q^2, p^3, q^3``, giving lines and pixels counted from 1. JAXA
  names them for the map projection; the real ones are in degrees (0.01 pixel from the corners, and
  of all orders of the terms only this one fits).

Source: public readers agree on the 25-term forms; the 10-term order was found from real bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from alos2.errors import BadProduct
from alos2.geometry.orbit import Floats
from alos2.geometry.polyfit import cubic_terms, fit_biquartic, fit_cubic

TERMS: Final = 25
"""Terms of a polynomial of degree 4 in each of two variables."""

MAP_TERMS: Final = 10
"""Terms of a cubic polynomial in two variables."""


@dataclass(frozen=True, eq=False)
class GeolocationPolynomials:
    """Image position to ground and back, as facility 5 of a leader has it.

    Lines and pixels are 0-based, and whole numbers mean pixel centres, here as everywhere.

    Parameters
    ----------
    map_to_pixel, map_to_line : ndarray, shape (10,), float64
        Latitude and longitude, degrees, to pixel and line *counted from 1*, as recorded.
    pixel_line_to_lat, pixel_line_to_lon : ndarray, shape (25,), float64
        Line and pixel minus the origin, to degrees.
    origin_pixel, origin_line : float
        Origin of the image-to-ground polynomials.
    lat_lon_to_pixel, lat_lon_to_line : ndarray, shape (25,), float64
        Latitude and longitude minus the origin, degrees, to pixel and line.
    origin_lat_deg, origin_lon_deg : float
        Origin of the ground-to-image polynomials.

    Raises
    ------
    BadProduct
        If an array has another length or a value is not a number.
    """

    map_to_pixel: Floats
    map_to_line: Floats
    pixel_line_to_lat: Floats
    pixel_line_to_lon: Floats
    origin_pixel: float
    origin_line: float
    lat_lon_to_pixel: Floats
    lat_lon_to_line: Floats
    origin_lat_deg: float
    origin_lon_deg: float

    def __post_init__(self) -> None:
        lengths = {
            "map_to_pixel": MAP_TERMS,
            "map_to_line": MAP_TERMS,
            "pixel_line_to_lat": TERMS,
            "pixel_line_to_lon": TERMS,
            "lat_lon_to_pixel": TERMS,
            "lat_lon_to_line": TERMS,
        }
        for attribute, length in lengths.items():
            # A blank field arrives as None, which becomes NaN here.
            values = np.array(getattr(self, attribute), dtype=np.float64)
            if values.shape != (length,) or not np.isfinite(values).all():
                raise BadProduct(
                    f"facility 5 of the leader: {attribute} needs {length} numbers, "
                    f"{int(np.isfinite(values).sum())} of {values.size} are there"
                )
            values.setflags(write=False)
            object.__setattr__(self, attribute, values)
        for attribute in ("origin_pixel", "origin_line", "origin_lat_deg", "origin_lon_deg"):
            value = getattr(self, attribute)
            if value is None or not np.isfinite(value):
                raise BadProduct(f"facility 5 of the leader: {attribute} is not a number")

    @property
    def is_blank(self) -> bool:
        """Whether the image-to-ground polynomials are all zero, as in a leader without them."""
        return not (self.pixel_line_to_lat.any() or self.pixel_line_to_lon.any())

    def lonlat(self, line: ArrayLike, pixel: ArrayLike) -> tuple[Floats, Floats]:
        """Ground position of image positions.

        Parameters
        ----------
        line, pixel : array_like, shapes that broadcast
            0-based; whole numbers are pixel centres.

        Returns
        -------
        lon_deg, lat_deg : ndarray, float64
            Degrees; longitudes from -180 to 180.
        """
        dl = np.asarray(line, dtype=np.float64) - self.origin_line
        dp = np.asarray(pixel, dtype=np.float64) - self.origin_pixel
        lat = _biquartic(self.pixel_line_to_lat, dl, dp)
        lon = _biquartic(self.pixel_line_to_lon, dl, dp)
        return wrap_lon(lon), lat

    def line_pixel(self, lon_deg: ArrayLike, lat_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Image position of ground positions, by the recorded ground-to-image polynomials.

        Parameters
        ----------
        lon_deg, lat_deg : array_like, shapes that broadcast
            Degrees.

        Returns
        -------
        line, pixel : ndarray, float64
            0-based.
        """
        dlon = wrap_lon(np.asarray(lon_deg, dtype=np.float64) - self.origin_lon_deg)
        dlat = np.asarray(lat_deg, dtype=np.float64) - self.origin_lat_deg
        return (
            _biquartic(self.lat_lon_to_line, dlon, dlat),
            _biquartic(self.lat_lon_to_pixel, dlon, dlat),
        )

    def map_line_pixel(self, lon_deg: ArrayLike, lat_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Image position of ground positions, by the 10-term map polynomials.

        Parameters
        ----------
        lon_deg, lat_deg : array_like, shapes that broadcast
            Degrees (not easting and northing; see the module).

        Returns
        -------
        line, pixel : ndarray, float64
            0-based: the recorded count from 1 is taken off.
        """
        lon = np.asarray(lon_deg, dtype=np.float64)
        # Longitudes as the record counts them: on the origin's side of the antimeridian.
        lon = self.origin_lon_deg + wrap_lon(lon - self.origin_lon_deg)
        terms = cubic_terms(np.asarray(lat_deg, dtype=np.float64), lon)
        return terms @ self.map_to_line - 1.0, terms @ self.map_to_pixel - 1.0

    @classmethod
    def fit(
        cls,
        line: ArrayLike,
        pixel: ArrayLike,
        lon_deg: ArrayLike,
        lat_deg: ArrayLike,
        *,
        origin_line: float | None = None,
        origin_pixel: float | None = None,
        with_map: bool = True,
    ) -> GeolocationPolynomials:
        """Polynomials that fit a grid of known points best, for the simulator.

        Parameters
        ----------
        line, pixel : array_like, same shape
            0-based image positions, spread over the image: at least a 5 x 5 grid.
        lon_deg, lat_deg : array_like, same shape
            Their places on the ground, degrees; may lie across the antimeridian.
        origin_line, origin_pixel : float, optional
            Origin of the image-to-ground form; the middle of the points, rounded, if not given.
        with_map : bool
            Whether to fit the 10-term map polynomials too (else they are zero).

        Returns
        -------
        GeolocationPolynomials
            Least squares fits, with one point as the origin of both 25-term pairs.

        Raises
        ------
        ValueError
            If there are fewer than 25 points, or they do not span an area.
        """
        lines, pixels, lons, lats = (
            np.asarray(v, dtype=np.float64).ravel() for v in (line, pixel, lon_deg, lat_deg)
        )
        if origin_line is None:
            origin_line = float(np.round(0.5 * (lines.min() + lines.max())))
        if origin_pixel is None:
            origin_pixel = float(np.round(0.5 * (pixels.min() + pixels.max())))
        middle = int(np.argmin((lines - origin_line) ** 2 + (pixels - origin_pixel) ** 2))
        lons = lons[middle] + wrap_lon(lons - lons[middle])
        dl, dp = lines - origin_line, pixels - origin_pixel
        to_lat = fit_biquartic(dl, dp, lats)
        to_lon = fit_biquartic(dl, dp, lons)
        lat0, lon0 = float(to_lat[-1]), float(to_lon[-1])
        dlon, dlat = lons - lon0, lats - lat0
        blank = np.zeros(MAP_TERMS)
        return cls(
            map_to_pixel=fit_cubic(lats, lons, pixels + 1.0) if with_map else blank,
            map_to_line=fit_cubic(lats, lons, lines + 1.0) if with_map else blank,
            pixel_line_to_lat=to_lat,
            pixel_line_to_lon=to_lon,
            origin_pixel=origin_pixel,
            origin_line=origin_line,
            lat_lon_to_pixel=fit_biquartic(dlon, dlat, pixels),
            lat_lon_to_line=fit_biquartic(dlon, dlat, lines),
            origin_lat_deg=lat0,
            origin_lon_deg=lon0,
        )


def wrap_lon(lon_deg: ArrayLike) -> Floats:
    """Longitudes, degrees, brought into -180 to 180 (values within stay to the bit)."""
    lon = np.asarray(lon_deg, dtype=np.float64)
    return np.where(np.abs(lon) <= 180.0, lon, (lon + 180.0) % 360.0 - 180.0)


def _biquartic(coefficients: Floats, fast: Floats, slow: Floats) -> Floats:
    """Sum of coefficient[k] fast^(4 - k % 5) slow^(4 - k // 5), by Horner's scheme twice."""
    total = np.zeros(np.broadcast_shapes(fast.shape, slow.shape))
    for row in coefficients.reshape(5, 5):
        inner = np.zeros_like(fast)
        for value in row:
            inner = inner * fast + value
        total = total * slow + inner
    return total

"""Where the cells of a slant-range image lie: range-Doppler geometry on the ellipsoid.

A `RadarFrame` is an image of equal steps of azimuth time and slant range; `SlantRange` is its
`Surface`. Every place is taken to be at one height above the ellipsoid: what stands higher is
drawn nearer to the track, by its height over the tangent of the angle of incidence.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from pyproj import Geod

from alos2.errors import BadProduct
from alos2.geometry.orbit import Orbit
from alos2.geometry.rangedoppler import geo2rdr, rdr2geo
from alos2.geometry.sight import seen_from
from alos2.product.model import Image, SlantRangeTiming
from alos2.raster.lookpass import Looks
from alos2.raster.places import OUTSIDE, Values
from alos2.types import LookSide, RasterShape

_EARTH: Final = Geod(ellps="WGS84")
_STRAY_M: Final = 50.0
"""Tie points must lie as near as this to equal steps of time and range."""


@dataclass(frozen=True)
class RadarFrame:
    """Cells of equal steps of azimuth time and slant range.

    Raises
    ------
    BadProduct
        Steps or ranges that are not positive numbers.
    """

    start_s: float
    """Zero-Doppler time of the upper *edge* of the first line, seconds since the orbit's epoch."""
    step_s: float
    """From line to line."""
    near_m: float
    """Slant range of the near *edge* of the first pixel."""
    step_m: float
    """From pixel to pixel."""
    shape: RasterShape

    def __post_init__(self) -> None:
        numbers = (self.step_s, self.near_m, self.step_m)
        if not (np.isfinite(self.start_s) and all(np.isfinite(v) and v > 0 for v in numbers)):
            raise BadProduct(
                f"line interval {self.step_s} s, near range {self.near_m} m and range spacing "
                f"{self.step_m} m of an image must be positive"
            )

    @classmethod
    def of_samples(cls, orbit: Orbit, timing: SlantRangeTiming, shape: RasterShape) -> RadarFrame:
        """Frame of single samples, whose times and ranges are those of their centres."""
        start = orbit.seconds(timing.first_line_time)
        return cls(
            start - 0.5 * timing.line_interval_s,
            timing.line_interval_s,
            timing.near_range_m - 0.5 * timing.range_spacing_m,
            timing.range_spacing_m,
            shape,
        )

    def averaged(self, looks: Looks) -> RadarFrame:
        """Frame of the cells that averaging makes of this one."""
        return replace(
            self,
            step_s=self.step_s * looks.lines,
            step_m=self.step_m * looks.pixels,
            shape=looks.cells(self.shape),
        )

    @property
    def end_s(self) -> float:
        """Time of the lower edge of the last line."""
        return self.start_s + self.step_s * self.shape.lines

    @property
    def far_m(self) -> float:
        """Slant range of the far edge of the last pixel."""
        return self.near_m + self.step_m * self.shape.pixels


def frame_from_tie_points(orbit: Orbit, image: Image, look: LookSide) -> RadarFrame:
    """Frame of an image without timing (GeoTIFF), by an orbit from elsewhere and its tie points.

    The tie points are on the ellipsoid; the orbit says when and how far away they were seen, and
    equal steps are fitted through that.

    Raises
    ------
    BadProduct
        The orbit does not see the tie points, or they are not equal steps of time and range.
    """
    ties = image.tie_points
    if len(ties) < 3:
        raise BadProduct(f"{image.file.name} has {len(ties)} tie points, at least 3 are needed")
    places = np.array([tie.position for tie in ties])
    t, slant_range = geo2rdr(orbit, places[:, 0], places[:, 1], look=look)
    lines, pixels = (np.array([getattr(tie, key) for tie in ties]) for key in ("line", "pixel"))
    (start, step_s), stray_s = _fitted(lines, t)
    (near, step_m), stray_m = _fitted(pixels, slant_range)
    speed = float(np.linalg.norm(orbit.velocities_m_s[0]))
    if stray_s * speed > _STRAY_M or stray_m > _STRAY_M:
        raise BadProduct(
            f"{image.file.name}: its tie points stray {stray_s * speed:.0f} m along and "
            f"{stray_m:.0f} m across the track from what {orbit.name} says"
        )
    return RadarFrame(start - 0.5 * step_s, step_s, near - 0.5 * step_m, step_m, image.shape)


def _fitted(at: Values, values: Values) -> tuple[tuple[float, float], float]:
    """Intercept and slope of a straight line, and the largest distance from it."""
    if np.ptp(at) == 0:
        raise BadProduct("the tie points lie in one line of the image")
    slope, intercept = np.polynomial.Polynomial.fit(at, values, 1).convert().coef[::-1]
    stray = float(np.abs(values - intercept - slope * at).max())
    return (float(intercept), float(slope)), stray


class SlantRange:
    """`Surface` of a slant-range image; safe between threads.

    Parameters
    ----------
    orbit
        State vectors.
    look
        Side of the track.
    frame
        Times and ranges of the cells.
    height_m
        Of the ground above the ellipsoid.

    Raises
    ------
    BadProduct
        The frame lies outside the orbit's arc, or sees no ground.
    """

    def __init__(
        self, orbit: Orbit, look: LookSide, frame: RadarFrame, height_m: float = 0.0
    ) -> None:
        self.frame = frame
        self.shape = frame.shape
        self.height_m = height_m
        self._orbit, self._look = orbit, look
        self.line_m, self.pixel_m = middle_steps_m(self)

    def lonlat(self, pixel: Values, line: Values) -> tuple[Values, Values]:
        """See `Surface.lonlat`.

        Raises
        ------
        BadProduct
            Far outside of the image, where the orbit or the ground ends.
        """
        frame = self.frame
        return rdr2geo(
            self._orbit,
            frame.start_s + frame.step_s * np.asarray(line, np.float64),
            frame.near_m + frame.step_m * np.asarray(pixel, np.float64),
            look=self._look,
            height_m=self.height_m,
        )

    def pixel_line(self, lon_deg: Values, lat_deg: Values) -> tuple[Values, Values]:
        """See `Surface.pixel_line`; exact wherever the antenna looks, also beside the image."""
        frame = self.frame
        t, slant_range = seen_from(self._orbit, lon_deg, lat_deg, self.height_m, look=self._look)
        line = (t - frame.start_s) / frame.step_s
        pixel = (slant_range - frame.near_m) / frame.step_m
        known = np.isfinite(t)
        return np.where(known, pixel, OUTSIDE), np.where(known, line, OUTSIDE)


def middle_steps_m(surface: SlantRange) -> tuple[float, float]:
    """Ground distance from line to line and from pixel to pixel in the middle of an image, m."""
    lines, pixels = surface.shape
    half = np.array([-0.5, 0.5, 0.0, 0.0])
    lon, lat = surface.lonlat(pixels / 2 + half[[2, 3, 0, 1]], lines / 2 + half)
    along = _EARTH.inv(lon[0], lat[0], lon[1], lat[1])[2]
    across = _EARTH.inv(lon[2], lat[2], lon[3], lat[3])[2]
    return float(along), float(across)

"""Where the samples of an image in slant range lie: regular in azimuth time and slant range."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from alos2.errors import BadProduct
from alos2.geometry.orbit import Floats, Orbit
from alos2.types import RasterShape


class RadarGrid(NamedTuple):
    """Timing and size of one image in slant range; a plain tuple of the five serves as well."""

    first_line_time: datetime
    """Zero-Doppler time of line 0, timezone-aware UTC."""
    line_interval_s: float
    """Time between lines, 1/PRF."""
    near_range_m: float
    """Slant range of the centre of pixel 0."""
    range_spacing_m: float
    """Slant-range spacing of the pixels."""
    shape: RasterShape

    def checked(self) -> RadarGrid:
        """Return the grid itself, if it is one.

        Raises
        ------
        BadProduct
            If an interval, range or size is not positive, or not a number.
        """
        numbers = (self.line_interval_s, self.near_range_m, self.range_spacing_m)
        if not all(np.isfinite(v) and v > 0.0 for v in numbers):
            raise BadProduct(
                f"line interval {self.line_interval_s} s, near range {self.near_range_m} m and "
                f"range spacing {self.range_spacing_m} m of an image must be positive"
            )
        if self.shape[0] < 1 or self.shape[1] < 1:
            raise BadProduct(f"an image of {self.shape[0]} lines x {self.shape[1]} pixels is empty")
        return self

    def time_s(self, orbit: Orbit, line: ArrayLike) -> Floats:
        """Azimuth time of lines.

        Parameters
        ----------
        orbit : Orbit
            Whose epoch to count from.
        line : array_like
            0-based, whole numbers are line centres.

        Returns
        -------
        ndarray, float64
            Seconds since the orbit's epoch.
        """
        lines = np.asarray(line, dtype=np.float64)
        return orbit.seconds(self.first_line_time) + lines * self.line_interval_s

    def slant_range_m(self, pixel: ArrayLike) -> Floats:
        """Slant range of pixels.

        Parameters
        ----------
        pixel : array_like
            0-based, whole numbers are pixel centres.

        Returns
        -------
        ndarray, float64
            Metres.
        """
        return self.near_range_m + np.asarray(pixel, dtype=np.float64) * self.range_spacing_m

    def line_pixel(
        self, orbit: Orbit, t_s: ArrayLike, slant_range_m: ArrayLike
    ) -> tuple[Floats, Floats]:
        """Image position of radar coordinates.

        Parameters
        ----------
        orbit : Orbit
            Whose epoch the times count from.
        t_s, slant_range_m : array_like
            Seconds since the orbit's epoch, and m.

        Returns
        -------
        line, pixel : ndarray, float64
            0-based, fractions between centres; may lie outside the image.
        """
        start = orbit.seconds(self.first_line_time)
        return (
            (np.asarray(t_s, dtype=np.float64) - start) / self.line_interval_s,
            (np.asarray(slant_range_m, dtype=np.float64) - self.near_range_m)
            / self.range_spacing_m,
        )

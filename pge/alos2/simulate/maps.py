"""Map projections and the grids of geocoded and georeferenced products.

Parameters are chosen by the place: its UTM zone; polar stereographic true to scale at 75 degrees
with the place's meridian upwards; Mercator with the place's meridian; Lambert with parallels a
degree either side.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike
from pyproj import CRS, Transformer

from alos2.errors import UsageError
from alos2.geometry.orbit import Floats
from alos2.geometry.transforming import transformed
from alos2.product.crs import lambert, mercator, polar_stereographic, utm
from alos2.types import RasterShape

Letter = Literal["U", "P", "M", "L"]
POLAR_TRUE_LATITUDE_DEG: Final = 75.0


@dataclass(frozen=True)
class MapFrame:
    """A map projection and its parameters, degrees."""

    letter: Letter
    wkt: str
    zone: int | None = None
    """UTM only."""
    south: bool = False
    """UTM: with the false northing of the south."""
    reference_lat_deg: float = 0.0
    """Polar stereographic: true to scale; Lambert: the origin."""
    reference_lon_deg: float = 0.0
    """Meridian of all but UTM."""
    parallels_deg: tuple[float, float] = (0.0, 0.0)
    """Lambert only."""

    @cached_property
    def _transformer(self) -> Transformer:
        crs = CRS.from_wkt(self.wkt)
        return Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)

    def forward(self, lon_deg: ArrayLike, lat_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Easting and northing, m."""
        return transformed(self._transformer, lon_deg, lat_deg)

    def inverse(self, easting_m: ArrayLike, northing_m: ArrayLike) -> tuple[Floats, Floats]:
        """Longitude and latitude, degrees."""
        return transformed(self._transformer, easting_m, northing_m, direction="INVERSE")


def frame_for(letter: Letter, lon_deg: float, lat_deg: float) -> MapFrame:
    """Choose the parameters of a projection for a place.

    Raises
    ------
    UsageError
        If the projection does not go with the latitude.
    """
    low, high = {"U": (0.0, 84.0), "P": (40.0, 90.0), "M": (0.0, 80.0), "L": (0.0, 85.0)}[letter]
    if not low <= abs(lat_deg) <= high:
        raise UsageError(
            f"projection {letter} is for latitudes of {low:g} to {high:g} degrees, "
            f"not for {lat_deg:g}",
            hint="U is UTM, P polar stereographic, M Mercator, L Lambert conformal conic",
        )
    lon, lat = float(round(lon_deg)), float(round(lat_deg))
    if letter == "U":
        zone = min(int((lon_deg + 180.0) // 6.0) + 1, 60)
        return MapFrame("U", utm(zone, south=lat_deg < 0.0).wkt, zone, lat_deg < 0.0)
    if letter == "P":
        true = POLAR_TRUE_LATITUDE_DEG if lat_deg > 0.0 else -POLAR_TRUE_LATITUDE_DEG
        wkt = polar_stereographic(true, lon).wkt
        return MapFrame("P", wkt, reference_lat_deg=true, reference_lon_deg=lon)
    if letter == "M":
        return MapFrame("M", mercator(lon).wkt, reference_lon_deg=lon)
    # Parallels on both sides of the equator, equally far, would make no cone.
    first, second = (lat - 1.0, lat + 1.0) if lat != 0.0 else (1.0, 3.0)
    wkt = lambert(first, second, origin_latitude_deg=lat, origin_longitude_deg=lon).wkt
    return MapFrame(
        "L", wkt, reference_lat_deg=lat, reference_lon_deg=lon, parallels_deg=(first, second)
    )


@dataclass(frozen=True)
class Grid:
    """Pixels on a map; whole lines and pixels, counted from 0, are pixel centres."""

    frame: MapFrame
    shape: RasterShape
    origin_m: tuple[float, float]
    """Easting and northing of the centre of the first pixel."""
    across_m: tuple[float, float]
    """Step from pixel to pixel."""
    down_m: tuple[float, float]
    """Step from line to line."""

    def map_xy(self, line: ArrayLike, pixel: ArrayLike) -> tuple[Floats, Floats]:
        """Easting and northing of image positions, m."""
        row, column = (np.asarray(v, dtype=np.float64) for v in (line, pixel))
        return (
            self.origin_m[0] + self.across_m[0] * column + self.down_m[0] * row,
            self.origin_m[1] + self.across_m[1] * column + self.down_m[1] * row,
        )

    def lonlat(self, line: ArrayLike, pixel: ArrayLike) -> tuple[Floats, Floats]:
        """Place of image positions, degrees."""
        return self.frame.inverse(*self.map_xy(line, pixel))

    def line_pixel(self, lon_deg: ArrayLike, lat_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Image position of places."""
        easting, northing = self.frame.forward(lon_deg, lat_deg)
        de, dn = easting - self.origin_m[0], northing - self.origin_m[1]
        (a, d), (b, e) = self.across_m, self.down_m
        area = a * e - b * d
        return (a * dn - d * de) / area, (e * de - b * dn) / area

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """GDAL's affine: the upper left corner of the first pixel is (c, f)."""
        (a, d), (b, e) = self.across_m, self.down_m
        return (
            a,
            b,
            self.origin_m[0] - 0.5 * (a + b),
            d,
            e,
            self.origin_m[1] - 0.5 * (d + e),
        )

    @property
    def corners(self) -> tuple[tuple[float, float], ...]:
        """Line and pixel of the corner pixels' centres: top left, top right, and on clockwise."""
        last_line, last_pixel = self.shape.lines - 1.0, self.shape.pixels - 1.0
        return ((0.0, 0.0), (0.0, last_pixel), (last_line, last_pixel), (last_line, 0.0))

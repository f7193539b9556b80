"""The one grid that every date of a stack is brought to, snapped so that grids fit one another.

The upper left corner lies at a whole multiple of the spacing from the origin of the map's
coordinates. CEOS-ARD counts from the corner of the 100 km square of the Military Grid Reference
System: these squares lie at multiples of 100 km in UTM's own coordinates, so the two are the same
wherever 100 km is a multiple of the spacing (10, 12.5, 20, 25, 50, 100 m, ...).

Source: CEOS-ARD, Synthetic Aperture Radar, Normalised Radar Backscatter, "Gridding convention".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from alos2.errors import UsageError
from alos2.geometry.measures import exteriors
from alos2.geometry.transforming import transformed
from alos2.product.model import MapGrid
from alos2.raster.geocode import utm_or_ups
from alos2.raster.places import OUTSIDE, Places, Values
from alos2.types import Json, RasterShape

MGRS_SQUARE_M: Final = 100_000.0
_LARGEST_SIDE: Final = 400_000
"""Pixels; the Earth round at 100 m."""
_LARGEST_STEP_DEG: Final = 1.0
_SIDE_POINTS: Final = 33
_NEARLY: Final = 1e-6
"""Of a pixel: what lies so near to a line of the grid lies on it."""


def snapped_grid(area: Json | Sequence[float], spacing_m: float, crs: str | None = None) -> MapGrid:
    """Lay a snapped grid over an area.

    Parameters
    ----------
    area
        A GeoJSON geometry (Polygon, MultiPolygon; also one cut at the antimeridian), a Feature or
        FeatureCollection of them, or a box of west, south, east, north; degrees. A box whose west
        is east of its east crosses the antimeridian.
    spacing_m
        Of the pixels, in the units of the CRS: m, or degrees for geographic ones.
    crs
        Whatever pyproj understands (``EPSG:32654``, WKT, ...); None: WGS 84 UTM of the zone of the
        area's centre, polar stereographic (UPS) beyond 84 degrees north and 80 south.

    Returns
    -------
    MapGrid
        North up, square pixels, that holds all of the area.

    Raises
    ------
    UsageError
        The area encloses nothing, the CRS is none or cannot show the area, or the spacing does not
        go with either.
    """
    rings = _rings(area)
    if not (math.isfinite(spacing_m) and spacing_m > 0):
        raise UsageError(f"a spacing of {spacing_m:g} is not positive")
    chosen = _crs(crs, rings)
    if chosen.is_geographic and spacing_m > _LARGEST_STEP_DEG:
        raise UsageError(
            f"a spacing of {spacing_m:g} degrees is too wide",
            hint=f"the spacing of a grid in {chosen.name} is in degrees: 25 m are about 0.00025",
        )
    x, y = _projected(rings, chosen)
    left, right = _steps(x, spacing_m)
    top, bottom = (-step for step in reversed(_steps(y, spacing_m)))
    shape = RasterShape(bottom - top, right - left)
    if max(shape) > _LARGEST_SIDE:
        raise UsageError(
            f"a grid of {shape.lines} x {shape.pixels} pixels is too large",
            hint="give a smaller area or a wider spacing",
        )
    wkt, epsg = str(chosen.to_wkt()), chosen.to_epsg()
    transform = (spacing_m, 0.0, left * spacing_m, 0.0, -spacing_m, -top * spacing_m)
    return MapGrid(wkt, epsg, transform, shape)


def is_snapped_to_mgrs(grid: MapGrid) -> bool:
    """Whether a grid follows CEOS-ARD's convention: UTM, corner in step with the 100 km squares."""
    a, b, c, d, e, f = grid.transform
    if b or d or a <= 0 or e != -a or not is_utm(grid):
        return False
    return all(_is_whole(value / a) for value in (MGRS_SQUARE_M, c, f))


def is_utm(grid: MapGrid) -> bool:
    """Whether a grid's map is UTM on WGS 84."""
    code = grid.epsg or 0
    return 32601 <= code <= 32660 or 32701 <= code <= 32760


def _is_whole(value: float) -> bool:
    return abs(value - round(value)) < _NEARLY


def _rings(area: Json | Sequence[float]) -> list[Values]:
    """Rings of longitude and latitude, (n, 2), each running on across the antimeridian."""
    if not isinstance(area, dict):
        return [_box(area)]
    if area.get("type") == "FeatureCollection":
        rings = [ring for feature in area.get("features", ()) for ring in _rings(feature)]
    elif area.get("type") == "Feature":
        return _rings(area.get("geometry") or {})
    elif area.get("type") in ("Polygon", "MultiPolygon"):
        try:
            rings = [np.asarray(ring, np.float64)[:, :2] for ring in exteriors(area)]
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise UsageError(f"the area is no GeoJSON polygon: {error}") from error
    else:
        raise UsageError(f"the area is no GeoJSON polygon but {area.get('type')!r}")
    if not rings or not all(np.isfinite(ring).all() for ring in rings):
        raise UsageError("the area has no corners that are numbers")
    lon = np.concatenate([ring[:, 0] for ring in rings])
    if np.ptp(lon) > 180.0:  # parts on both sides of the antimeridian
        rings = [np.column_stack([ring[:, 0] % 360.0, ring[:, 1]]) for ring in rings]
    return rings


def _box(box: Sequence[float]) -> Values:
    values = [float(value) for value in box]
    if len(values) != 4 or not all(math.isfinite(value) for value in values):
        raise UsageError(f"a box is west, south, east, north; this is {list(box)}")
    west, south, east, north = values
    if west > east:
        east += 360.0
    if not (-90.0 <= south < north <= 90.0 and west < east):
        raise UsageError(f"the box {values} encloses nothing")
    return np.array([[west, south], [east, south], [east, north], [west, north], [west, south]])


def _crs(named: str | None, rings: list[Values]) -> CRS:
    if named is not None:
        try:
            chosen = CRS.from_user_input(named)
        except CRSError as error:
            raise UsageError(
                f"{named!r} is no coordinate reference system: {error}",
                hint="`crs` is a code such as EPSG:32654, or WKT; without it the map is UTM",
            ) from error
        if not (chosen.is_projected or chosen.is_geographic):
            raise UsageError(f"{chosen.name!r} is neither a map projection nor in degrees")
        return chosen
    every = np.concatenate(rings)
    lon = (every[:, 0].min() + every[:, 0].max()) / 2
    lat = (every[:, 1].min() + every[:, 1].max()) / 2
    return CRS.from_epsg(utm_or_ups(float((lon + 180.0) % 360.0 - 180.0), float(lat)))


def _projected(rings: list[Values], crs: CRS) -> tuple[Values, Values]:
    """Map coordinates along the outlines of an area."""
    outlines = [_dense(ring) for ring in rings]
    lon, lat = np.concatenate(outlines).T
    if crs.is_geographic:
        return lon, lat
    try:
        x, y = transformed(Transformer.from_crs(4326, crs, always_xy=True), lon, lat)
    except ProjError as error:
        raise UsageError(f"{crs.name!r} cannot show the area: {error}") from error
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise UsageError(
            f"{crs.name!r} cannot show all of the area",
            hint="give a coordinate system that fits it, or none: then it is UTM",
        )
    return x, y


def _dense(ring: Values) -> Values:
    """Put positions between the corners, as straight lines are bent on a map."""
    part = np.linspace(0.0, 1.0, _SIDE_POINTS)[:-1, np.newaxis]
    sides = [a + part * (b - a) for a, b in pairwise(ring)]
    return np.concatenate([*sides, ring[-1:]])


def _steps(values: Values, spacing: float) -> tuple[int, int]:
    """First and last line of the grid around values, in spacings; one pixel apart at least."""
    first = math.floor(float(values.min()) / spacing + _NEARLY)
    return first, max(first + 1, math.ceil(float(values.max()) / spacing - _NEARLY))


class GridPlaces:
    """Longitude and latitude of a grid's pixels, and back; projected or in degrees.

    What `alos2.raster.places.Places` is for images, which always lie on a map projection. Safe
    between threads.

    Raises
    ------
    BadProduct, UsageError
        The grid is turned, or its projection cannot be used.
    """

    def __init__(self, grid: MapGrid) -> None:
        a, b, c, d, e, f = grid.transform
        if b or d or not (a > 0 > e):
            raise UsageError("the grid is not north up", hint="make it with snapped_grid")
        self.grid = grid
        crs = CRS.from_user_input(grid.epsg if grid.epsg is not None else grid.crs_wkt)
        self.is_geographic = bool(crs.is_geographic)
        self._places: Places | None = None if self.is_geographic else Places(grid)
        self._axes = (a, c, e, f)
        self.name = str(crs.name)

    def lonlat(self, pixel: Values, line: Values) -> tuple[Values, Values]:
        """Return longitude and latitude, degrees, of grid coordinates (0, 0 = upper left corner).

        Raises
        ------
        BadProduct
            The projection has no such place.
        """
        if self._places is not None:
            return self._places.lonlat(pixel, line)
        a, c, e, f = self._axes
        return (c + a * pixel + 180.0) % 360.0 - 180.0, f + e * line

    def pixel_line(self, lon_deg: Values, lat_deg: Values) -> tuple[Values, Values]:
        """Return grid coordinates of places; `OUTSIDE` where the projection has no answer."""
        if self._places is not None:
            return self._places.pixel_line(lon_deg, lat_deg)
        a, c, e, f = self._axes
        middle = c + a * self.grid.shape.pixels / 2
        lon = middle + (np.asarray(lon_deg) - middle + 180.0) % 360.0 - 180.0
        known = np.isfinite(lon) & np.isfinite(lat_deg)
        return (
            np.where(known, (lon - c) / a, OUTSIDE),
            np.where(known, (np.asarray(lat_deg) - f) / e, OUTSIDE),
        )

    def spacing_m(self) -> tuple[float, float]:
        """Width and height of a pixel in the middle of the grid on the ground, m."""
        lines, pixels = self.grid.shape
        across = np.array([-0.5, 0.5, 0.0, 0.0]) + pixels / 2
        down = np.array([0.0, 0.0, -0.5, 0.5]) + lines / 2
        lon, lat = self.lonlat(across, down)
        earth: Any = CRS.from_epsg(4326).get_geod()
        _, _, wide = earth.inv(lon[0], lat[0], lon[1], lat[1])
        _, _, high = earth.inv(lon[2], lat[2], lon[3], lat[3])
        return float(wide), float(high)

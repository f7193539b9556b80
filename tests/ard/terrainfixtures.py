"""Ground, views and slow references for the tests of terrain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from alos2.ard.terrain.view import View
from alos2.geometry.ellipsoid import geodetic_to_ecef
from alos2.geometry.orbit import Orbit
from alos2.geometry.rangedoppler import geo2rdr
from alos2.product.model import MapGrid
from alos2.simulate.orbit import find_orbit
from alos2.types import LookSide, PassDirection, RasterShape, Window

Floats = NDArray[np.float64]
Height = Callable[[Any, Any], Any]
"""Height, m, at metres east and north of the centre."""

LON, LAT, EPSG = 138.6, 35.2, 32654
EAST, NORTH = (
    round(v, -3) for v in Transformer.from_crs(4326, EPSG, always_xy=True).transform(LON, LAT)
)
"""The centre of all tests, UTM."""


def ridge(height_m: float, half_m: float = 1200.0, turn_deg: float = 12.0) -> Height:
    """A ridge (a cosine bell across, gently waved along) whose crest is `turn_deg` off north."""
    a = np.radians(turn_deg)

    def height(x: Any, y: Any) -> Any:
        across, along = x * np.cos(a) - y * np.sin(a), x * np.sin(a) + y * np.cos(a)
        bell = np.where(np.abs(across) < half_m, 0.5 + 0.5 * np.cos(np.pi * across / half_m), 0.0)
        return height_m * bell * (0.9 + 0.1 * np.cos(2.0 * np.pi * along / 2000.0))

    return height


def view_of_centre(
    look: LookSide = "R", direction: PassDirection = "A", off_nadir_deg: float = 36.6
) -> View:
    """ALOS-2 over the centre."""
    orbit = find_orbit(
        LON, LAT, date(2020, 6, 15), look=look, pass_direction=direction,
        off_nadir_deg=off_nadir_deg,
    ).orbit  # fmt: skip
    return View(orbit, look)


def utm_grid(cells: int, spacing_m: float = 25.0, *, lines: int | None = None) -> MapGrid:
    """A map round the centre."""
    lines = cells if lines is None else lines
    transform = (
        spacing_m, 0.0, EAST - cells * spacing_m / 2, 0.0, -spacing_m,
        NORTH + lines * spacing_m / 2,
    )  # fmt: skip
    return MapGrid(CRS.from_epsg(EPSG).to_wkt(), EPSG, transform, RasterShape(lines, cells))


def whole(grid: MapGrid) -> Window:
    return Window(0, 0, *grid.shape)


def write_raster(
    path: Path,
    values: NDArray[Any],
    transform: tuple[float, ...],
    crs: str | None = f"EPSG:{EPSG}",
    **options: Any,
) -> Path:
    """Write a GeoTIFF of one band."""
    lines, pixels = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=pixels, height=lines, count=1, dtype=values.dtype,
        crs=crs, transform=rasterio.Affine(*transform), **options,
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


def write_dem(path: Path, height: Height, size_m: float, spacing_m: float = 20.0) -> Path:
    """Write a DEM of the ground round the centre; heights above the ellipsoid."""
    cells = round(size_m / spacing_m)
    x = (np.arange(cells) - cells / 2 + 0.5) * spacing_m
    values = np.asarray(height(*np.meshgrid(x, -x)), np.float32)
    half = cells * spacing_m / 2
    return write_raster(path, values, (spacing_m, 0.0, EAST - half, 0.0, -spacing_m, NORTH + half))


@dataclass(frozen=True)
class HeightsOf:
    """A function as heights of a map: what a `Dem` would give, without a file."""

    height: Height

    def heights(self, grid: MapGrid, window: Window) -> NDArray[np.float32]:
        a, b, c, d, e, f = grid.transform
        j = np.arange(window.line, window.line + window.lines)[:, None] + 0.5
        i = np.arange(window.pixel, window.pixel + window.pixels)[None] + 0.5
        values = self.height(a * i + b * j + c - EAST, d * i + e * j + f - NORTH)
        return np.broadcast_to(values, (window.lines, window.pixels)).astype(np.float32)


def lonlat(x_m: Any, y_m: Any) -> tuple[Floats, Floats]:
    """Places of metres east and north of the centre."""
    to_ground = Transformer.from_crs(EPSG, 4326, always_xy=True)
    return to_ground.transform(EAST + np.asarray(x_m), NORTH + np.asarray(y_m))


def centres(grid: MapGrid) -> tuple[Floats, Floats]:
    """Metres east and north of the centre of a map's cells."""
    a, _, c, _, e, f = grid.transform
    lines, pixels = grid.shape
    return np.meshgrid(
        a * (np.arange(pixels) + 0.5) + c - EAST, e * (np.arange(lines) + 0.5) + f - NORTH
    )


class RadarImage:
    """Beta nought of ground whose gamma nought is 1 everywhere, by brute force.

    The ground is cut into facets whose corners are solved with `geo2rdr`, each into 4 x 4 parts of
    the same area, which are spread bilinearly over an image in slant range. No shadows are cast.
    """

    RANGE_M, AZIMUTH_M, PARTS = 15.0, 19.0, 4

    def __init__(self, orbit: Orbit, height: Height, size_m: float, facet_m: float) -> None:
        self.orbit = orbit
        count = round(size_m / facet_m)
        x = (np.arange(count + 1) - count / 2) * facet_m
        xx, yy = np.meshgrid(x, -x)
        lon, lat = lonlat(xx, yy)
        corner = geodetic_to_ecef(lon, lat, height(xx, yy))
        t, slant = geo2rdr(orbit, lon, lat, height(xx, yy))
        normal = 0.5 * np.cross(
            corner[1:, 1:] - corner[:-1, :-1], corner[:-1, 1:] - corner[1:, :-1]
        )
        normal *= np.sign((normal * corner[1:, 1:]).sum(axis=-1))[..., None]
        beam = corner - orbit.interpolate(t)[0]
        beam = self._inner(beam, 0.5, 0.5)
        area = np.maximum(0.0, -(normal * beam).sum(axis=-1) / np.linalg.norm(beam, axis=-1))
        self.start_s, self.near_m = float(t.min()), float(slant.min()) - 300.0
        self.pace = self._pace(float(t.mean()), corner[count // 2, count // 2])
        row, cell = self._at(t, slant)
        self.beta = np.zeros((int(row.max()) + 3, int(cell.max()) + 3))
        for part in range(self.PARTS**2):
            down, across = ((n + 0.5) / self.PARTS for n in divmod(part, self.PARTS))
            places = self._inner(row, down, across), self._inner(cell, down, across)
            self._add(*places, area / self.PARTS**2 / (self.RANGE_M * self.AZIMUTH_M))

    @staticmethod
    def _inner(values: Floats, q: float, p: float) -> Floats:
        """Bilinear values within each facet."""
        upper = (1.0 - p) * values[:-1, :-1] + p * values[:-1, 1:]
        return (1.0 - q) * upper + q * ((1.0 - p) * values[1:, :-1] + p * values[1:, 1:])

    def _add(self, row: Floats, cell: Floats, area: Floats) -> None:
        r, c = np.floor(row).astype(int), np.floor(cell).astype(int)
        q, p = row - r, cell - c
        for d, w in ((0, 1.0 - q), (1, q)):
            for e, v in ((0, 1.0 - p), (1, p)):
                flat = (r + d) * self.beta.shape[1] + c + e
                self.beta += np.bincount(
                    flat.ravel(), (area * w * v).ravel(), self.beta.size
                ).reshape(self.beta.shape)

    def _pace(self, t: float, place: Floats) -> float:
        """Metres on the ground for each second of zero-Doppler time."""
        position, velocity, acceleration = self.orbit.states(t)
        speed = float(np.linalg.norm(velocity))
        return (speed**2 - float((place - position) @ acceleration)) / speed

    def _at(self, t: Floats, slant: Floats) -> tuple[Floats, Floats]:
        row = (t - self.start_s) * self.pace / self.AZIMUTH_M + 1.0
        return row, (slant - self.near_m) / self.RANGE_M

    def read(self, t: Floats, slant: Floats) -> Floats:
        """Beta nought at radar coordinates, bilinear."""
        row, cell = self._at(t, slant)
        r, c = np.floor(row).astype(int), np.floor(cell).astype(int)
        q, p = row - r, cell - c
        b = self.beta
        upper = (1.0 - p) * b[r, c] + p * b[r, c + 1]
        return (1.0 - q) * upper + q * ((1.0 - p) * b[r + 1, c] + p * b[r + 1, c + 1])


def grown(mask: NDArray[np.bool_], cells: int) -> NDArray[np.bool_]:
    """A mask and what is within some cells of it."""
    out = mask.copy()
    for _ in range(cells):
        wider = np.pad(out, 1)
        out = (
            wider[1:-1, 1:-1] | wider[:-2, 1:-1] | wider[2:, 1:-1]
            | wider[1:-1, :-2] | wider[1:-1, 2:]
        )  # fmt: skip
    return out

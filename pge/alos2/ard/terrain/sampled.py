"""A raster of heights (a DEM, a geoid) sampled at the cells of any grid, window by window.

Bilinear between pixel centres. Where the raster is at least twice as fine as the grid, its pixels
are averaged first in groups at fixed places, so that a cell stands for its surroundings and not
for one point. A raster that goes round the Earth is read across its edge; others may count their
longitudes from anywhere.
"""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from alos2.ard.terrain.lattice import Ground, Lattice, Values
from alos2.errors import BadProduct
from alos2.geometry.ellipsoid import geodetic_to_ecef
from alos2.geometry.transforming import transformed
from alos2.raster.lean import RasterioError, RasterioWindow, rasterio
from alos2.types import Window

Heights32 = npt.NDArray[np.float32]

_LOWEST_M: Final = -12_000.0
_HIGHEST_M: Final = 9_500.0
"""Nothing on Earth is beyond these: what is, stands for no data, whatever the file says."""
_UNITS_M: Final = {
    "": 1.0, "m": 1.0, "metre": 1.0, "metres": 1.0, "meter": 1.0, "meters": 1.0, "cm": 0.01,
    "ft": 0.3048, "foot": 0.3048, "feet": 0.3048, "us survey foot": 1200.0 / 3937.0,
}  # fmt: skip
_TOLERANCE_PX: Final = 2e-3
"""Allowed error of a place in the raster."""
_RAISED_M: Final = 1000.0
_EDGE_STEP: Final = 16
_MARGIN_PX: Final = 3


class _On(NamedTuple):
    """A raster as a grid sees it."""

    lattice: Lattice
    """Column and row of a cell, in groups; where heights move it: also their change per metre."""
    group: int
    """Pixels of the raster, each way, that are averaged."""


class HeightRaster:
    """One band of a raster of heights; threads may read at the same time.

    Parameters
    ----------
    path
        Anything that GDAL opens and that is georeferenced: GeoTIFF, VRT, COG, GTX.
    what
        Words for it, for messages.

    Raises
    ------
    BadProduct
        It cannot be opened, or has no coordinate reference system.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.path, self.what = path, what
        self._lock = threading.Lock()
        self._free: list[Any] = []
        self._all: list[Any] = []
        self._on: dict[tuple[int, bool], tuple[Ground, _On]] = {}
        self._laying = threading.Lock()
        dataset = self._take()
        try:
            self._describe(dataset)
        except BaseException:
            self.close()
            raise
        self._give(dataset)

    def _describe(self, dataset: Any) -> None:
        if dataset.crs is None:
            raise BadProduct(
                f"{self.what} {self.path} does not say where it lies: it has no coordinate "
                "reference system",
                hint="give it one, e.g. with gdal_edit.py -a_srs",
            )
        try:
            self.crs = CRS.from_wkt(dataset.crs.to_wkt())
            parts = self.crs.sub_crs_list
            flat = (parts[0] if parts else self.crs).to_2d()
            self._way = Transformer.from_crs(CRS.from_epsg(4326), flat, always_xy=True)
        except (CRSError, ProjError) as error:
            raise BadProduct(f"the reference system of {self.what} {self.path}: {error}") from error
        self.rows, self.columns = int(dataset.height), int(dataset.width)
        transform = dataset.transform
        if transform.determinant == 0.0:
            raise BadProduct(f"{self.what} {self.path} has no georeferencing")
        self._to_pixels = ~transform
        self._transform = transform
        self.is_geographic = bool(flat.is_geographic)
        width_deg = abs(transform.a) * self.columns
        self._round = self.is_geographic and abs(width_deg - 360.0) < 0.5 * abs(transform.a)
        unit = (dataset.units[0] or "").strip().lower()
        if unit not in _UNITS_M:
            raise BadProduct(
                f"{self.what} {self.path} is in {unit!r}, and heights in metres are needed",
                hint="convert it first, or name its unit: m, cm or ft",
            )
        self._scale = float(dataset.scales[0]) * _UNITS_M[unit]
        self._offset = float(dataset.offsets[0]) * _UNITS_M[unit]
        self._nodata = None if dataset.nodata is None else float(dataset.nodata)

    def close(self) -> None:
        """Close all handles."""
        with self._lock:
            handles, self._all, self._free = self._all, [], []
        for dataset in handles:
            dataset.close()

    def _take(self) -> Any:
        with self._lock:
            if self._free:
                return self._free.pop()
        try:
            with warnings.catch_warnings():
                # What lies nowhere is refused with words of our own.
                warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
                dataset = rasterio.open(self.path)
        except RasterioError as error:
            raise BadProduct(
                f"{self.what} {self.path} cannot be opened: {error}",
                hint="give a GeoTIFF, VRT or COG of heights",
            ) from error
        with self._lock:
            self._all.append(dataset)
        return dataset

    def _give(self, dataset: Any) -> None:
        with self._lock:
            self._free.append(dataset)

    def sample(self, ground: Ground, window: Window) -> Heights32:
        """Heights at the cells of a window of a grid; NaN in holes and outside.

        Parameters
        ----------
        ground
            The grid; the same object each time.
        window
            May reach beyond the grid by the lattice's border.

        Returns
        -------
        ndarray, float32, shape (window.lines, window.pixels)
            m, in the raster's own vertical datum.

        Raises
        ------
        BadProduct
            The raster cannot be read.
        UsageError
            It cannot be brought to the grid (on a pole).
        """
        on = self._laid(ground, moved=False)
        return self._at(on, on.lattice.window(window))

    def sample_moved(self, ground: Ground, window: Window, height_m: Heights32) -> Heights32:
        """Heights as `sample` gives them, at cells that a height moves aside.

        Parameters
        ----------
        ground, window
            As for `sample`.
        height_m : ndarray, float32
            Of each cell; NaN moves nothing.
        """
        on = self._laid(ground, moved=True)
        values = on.lattice.window(window)
        values[:2] += values[2:] * np.nan_to_num(height_m)
        return self._at(on, values[:2])

    def _laid(self, ground: Ground, *, moved: bool) -> _On:
        key = (id(ground), moved)
        with self._laying:
            if key not in self._on:
                self._on[key] = ground, self._lay(ground, moved=moved)  # keeps `ground` alive
            return self._on[key][1]

    def _lay(self, ground: Ground, *, moved: bool) -> _On:
        shape = ground.shape
        middle = np.array([shape.pixels / 2]), np.array([shape.lines / 2])
        lon, lat = (float(v[0]) for v in ground.lonlat(*middle, 0.0))
        turn = self._turn(lon)
        group = max(1, math.floor(ground.spacing_m / self._pixel_m(lon, lat) + 1e-3))

        def places(pixel: Values, line: Values) -> Sequence[Values]:
            low = self._pixels(*ground.lonlat(pixel, line, 0.0), turn, group)
            if not moved:
                return low
            high = self._pixels(*ground.lonlat(pixel, line, _RAISED_M), turn, group)
            return (*low, *((b - a) / _RAISED_M for a, b in zip(low, high, strict=True)))

        tolerances = [_TOLERANCE_PX] * 2 + [_TOLERANCE_PX / 10_000.0] * (2 if moved else 0)
        return _On(Lattice(places, shape, ground.spacing_m, tolerances, ground.border), group)

    def _turn(self, lon_deg: float) -> float:
        """Degrees to add to longitudes near one, so that they are the raster's."""
        if not self.is_geographic:
            return 0.0
        middle = float(self._transform.c + 0.5 * self._transform.a * self.columns)
        return 360.0 * round((middle - lon_deg) / 360.0)

    def _pixels(self, lon: Values, lat: Values, turn: float, group: int) -> tuple[Values, Values]:
        if self.is_geographic:
            # A transformer may bring longitudes back within half a turn.
            x, y = transformed(self._way, lon, lat)
            x = x + 360.0 * np.round((lon + turn - x) / 360.0)
        else:
            x, y = transformed(self._way, lon, lat)
        back = self._to_pixels
        column = back.a * x + back.b * y + back.c
        row = back.d * x + back.e * y + back.f
        bad = ~(np.isfinite(column) & np.isfinite(row))
        # Places that the raster's projection cannot show lie outside of it.
        return np.where(bad, -1e6, column) / group, np.where(bad, -1e6, row) / group

    def _pixel_m(self, lon_deg: float, lat_deg: float) -> float:
        """Size of the raster's pixels at a place, m."""
        if self.is_geographic:
            a, e = abs(self._transform.a), abs(self._transform.e)
            place = geodetic_to_ecef([lon_deg, lon_deg + a, lon_deg], [lat_deg] * 2 + [lat_deg - e])
            sides = np.linalg.norm(place[1:] - place[0], axis=-1)
            return math.sqrt(float(sides[0] * sides[1]))
        factor = self.crs.axis_info[0].unit_conversion_factor if self.crs.axis_info else 1.0
        side: float = math.sqrt(abs(float(self._transform.determinant)))
        metres: float = side * float(factor)
        return metres

    def _at(self, on: _On, at: Values) -> Heights32:
        """Sample at columns and rows, (2, lines, pixels), in groups."""
        from alos2.ard.terrain.terrainkernels import sample_heights  # noqa: PLC0415  numba comes late

        out = np.empty(at.shape[1:], np.float32)
        rows, columns = -(-self.rows // on.group), -(-self.columns // on.group)
        sparse = np.concatenate(
            [
                at[:, :: at.shape[1] - 1 or 1, :].reshape(2, -1),
                at[:, :, :: at.shape[2] - 1 or 1].reshape(2, -1),
                at[:, ::_EDGE_STEP, ::_EDGE_STEP].reshape(2, -1),
            ],
            axis=1,
        )
        left, top = (math.floor(v) - _MARGIN_PX for v in sparse.min(axis=1))
        right, bottom = (math.ceil(v) + _MARGIN_PX for v in sparse.max(axis=1))
        top, bottom = max(top, 0), min(bottom, rows)
        if not self._round:
            left, right = max(left, 0), min(right, columns)
        if top >= bottom or left >= right:
            out[:] = np.nan
            return out
        patch = self._read(left, top, right, bottom, on.group)
        sample_heights(patch, top, left, 0 if self._round else columns, rows, at, out)
        return out

    def _read(self, left: int, top: int, right: int, bottom: int, group: int) -> Heights32:
        """Read a part of the raster, in groups of pixels; NaN in holes."""
        first_row, rows = top * group, min(bottom * group, self.rows) - top * group
        pieces = []
        start, stop = left * group, right * group
        if not self._round:
            stop = min(stop, self.columns)
        while start < stop:
            turns, column = divmod(start, self.columns)
            width = min(stop, (turns + 1) * self.columns) - start
            pieces.append(self._pixels_of(RasterioWindow(column, first_row, width, rows)))
            start += width
        values = pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)
        return values if group == 1 else _grouped(values, group)

    def _pixels_of(self, window: Any) -> Heights32:
        dataset = self._take()
        try:
            raw = dataset.read(1, window=window)
        except RasterioError as error:
            raise BadProduct(
                f"{self.what} {self.path} cannot be read: {error}",
                hint="it seems damaged or incomplete: fetch it again",
            ) from error
        finally:
            self._give(dataset)
        values: Heights32 = raw.astype(np.float32)
        hole = np.isnan(values) if self._nodata is None else raw == raw.dtype.type(self._nodata)
        if self._scale != 1.0 or self._offset != 0.0:
            values = (values * self._scale + self._offset).astype(np.float32)
        with np.errstate(invalid="ignore"):
            hole |= ~((values > _LOWEST_M) & (values < _HIGHEST_M))
        values[hole] = np.nan
        return values


def _grouped(values: Heights32, group: int) -> Heights32:
    """Mean of groups of pixels, holes left out."""
    lines, pixels = values.shape
    more = -lines % group, -pixels % group
    padded = np.pad(values, ((0, more[0]), (0, more[1])), constant_values=np.nan)
    cells = padded.reshape(-(-lines // group), group, -(-pixels // group), group)
    known = np.isfinite(cells)
    count = known.sum(axis=(1, 3))
    total = np.where(known, cells, np.float32(0.0)).sum(axis=(1, 3), dtype=np.float64)
    with np.errstate(invalid="ignore"):
        mean: Heights32 = np.where(count > 0, total / count, np.nan).astype(np.float32)
    return mean

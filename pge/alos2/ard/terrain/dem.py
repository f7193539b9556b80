"""Heights of the ground above the ellipsoid, from any georeferenced raster, on any grid."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from alos2.ard.terrain.geoid import Datum, datum_of
from alos2.ard.terrain.lattice import Ground, MapGround, wrapped
from alos2.ard.terrain.sampled import HeightRaster, Heights32
from alos2.errors import BadProduct
from alos2.product.model import MapGrid
from alos2.raster.control import check
from alos2.raster.pictures import Cancelled, never
from alos2.types import Window

_BLOCK_LINES: Final = 256
_BLOCK_PIXELS: Final = 2048


class Heights(Protocol):
    """Heights of the ground on a map grid."""

    def heights(self, grid: MapGrid, window: Window) -> Heights32:
        """Heights above the ellipsoid, m, shape (lines, pixels); NaN where not known."""


class Survey(NamedTuple):
    """Heights of a whole grid, looked through."""

    lowest_m: float
    """NaN where there is none at all."""
    highest_m: float
    cells: int
    """All cells of the grid."""
    holes: int
    """Cells without a height."""
    box: tuple[float, float, float, float] | None
    """West, south, east, north of the holes, degrees; west > east across the antimeridian."""


class Dem:
    """A digital elevation model; a context manager, and safe between threads.

    Parameters
    ----------
    raster
        Of its heights.
    datum
        What is added to them.
    undulation
        The raster that the datum names, if it does.
    fill_m
        Height in the DEM's own datum where it has none (0 for one that leaves out the sea).
    """

    def __init__(
        self,
        raster: HeightRaster,
        datum: Datum,
        undulation: HeightRaster | None,
        fill_m: float | None,
    ) -> None:
        self.path = raster.path
        self.name = raster.path.name
        self.heights_from = datum.words
        """Words: how its heights became heights above the ellipsoid."""
        self.fill_m = fill_m
        self._raster, self._datum, self._undulation = raster, datum, undulation
        self._grounds: dict[MapGrid, MapGround] = {}
        self._surveys: dict[MapGrid, Survey] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, *, heights: str = "auto", fill_m: float | None = None) -> Dem:
        """Open a DEM.

        Parameters
        ----------
        path
            GeoTIFF, VRT or COG of any reference system.
        heights
            What its heights are above: see ``alos2.ard.terrain.geoid.datum_of``.
        fill_m
            Height in the DEM's own datum to be put into holes and beyond its edges; None: they
            stay holes.

        Raises
        ------
        BadProduct
            It cannot be opened or lies nowhere.
        UsageError
            What its heights are above is not known, or the geoid is not there.
        """
        raster = HeightRaster(Path(path), "the DEM")
        undulation = None
        try:
            datum = datum_of(heights, raster.crs, raster.path)
            if datum.grid is not None:
                undulation = HeightRaster(datum.grid, "the geoid grid")
        except BaseException:
            raster.close()
            raise
        return cls(raster, datum, undulation, fill_m)

    def __enter__(self) -> Dem:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files."""
        self._raster.close()
        if self._undulation is not None:
            self._undulation.close()

    def heights(self, grid: MapGrid, window: Window) -> Heights32:
        """Heights above the ellipsoid at the cells of a window of a map.

        Parameters
        ----------
        grid
            The map.
        window
            May reach beyond it by up to 64 lines and pixels.

        Returns
        -------
        ndarray, float32, shape (window.lines, window.pixels)
            m; NaN where the DEM has a hole or ends. Bilinear; a DEM of half the grid's spacing
            or finer is averaged first. The same values wherever windows are cut.

        Raises
        ------
        BadProduct
            The DEM or the geoid grid cannot be read, or the grid is none of the Earth.
        """
        ground = self.ground(grid)
        out = np.empty((window.lines, window.pixels), np.float32)
        for line in range(0, window.lines, _BLOCK_LINES):
            for pixel in range(0, window.pixels, _BLOCK_PIXELS):
                part = out[line : line + _BLOCK_LINES, pixel : pixel + _BLOCK_PIXELS]
                part[:] = self.sample(
                    ground, Window(window.line + line, window.pixel + pixel, *part.shape)
                )
        return out

    def filled(self, grid: MapGrid, window: Window) -> npt.NDArray[np.bool_]:
        """Whether each cell of a window of a map has the height `fill_m` and not the DEM's own.

        Raises
        ------
        BadProduct
            As `heights`.
        """
        found = np.zeros((window.lines, window.pixels), np.bool_)
        if self.fill_m is None:
            return found
        ground = self.ground(grid)
        for line in range(0, window.lines, _BLOCK_LINES):
            for pixel in range(0, window.pixels, _BLOCK_PIXELS):
                part = found[line : line + _BLOCK_LINES, pixel : pixel + _BLOCK_PIXELS]
                place = Window(window.line + line, window.pixel + pixel, *part.shape)
                part[:] = np.isnan(self._raster.sample(ground, place))
        return found

    def ground(self, grid: MapGrid) -> MapGround:
        """Return the one description of a map's cells; lattices are kept with it."""
        with self._lock:
            if grid not in self._grounds:
                self._grounds[grid] = MapGround(grid)
            return self._grounds[grid]

    def sample(self, ground: Ground, window: Window, *, moved: bool = False) -> Heights32:
        """Heights above the ellipsoid at the cells of a window of any grid.

        Parameters
        ----------
        ground
            The grid.
        window
            Not too large: it is held in memory some ten times.
        moved
            Whether the height of a cell moves it, so that it is looked up twice.
        """
        values = self._raster.sample(ground, window)
        if moved:
            values = self._raster.sample_moved(ground, window, self._raised(values, ground, window))
        return self._raised(values, ground, window)

    def _raised(self, values: Heights32, ground: Ground, window: Window) -> Heights32:
        """Fill holes, and add the undulation."""
        if self.fill_m is not None:
            values = np.where(np.isnan(values), np.float32(self.fill_m), values)
        if self._undulation is not None:
            values = values + self._undulation.sample(ground, window)
        if self._datum.constant_m:
            values = values + np.float32(self._datum.constant_m)
        return values

    def survey(self, grid: MapGrid, cancelled: Cancelled = never) -> Survey:
        """Look through the heights of a whole map; kept for the next time.

        Raises
        ------
        BadProduct
            As `heights`.
        Interrupted
            `cancelled` said so.
        """
        with self._lock:
            known = self._surveys.get(grid)
        if known is not None:
            return known
        lowest, highest, holes = np.inf, -np.inf, 0
        boxes: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]] = []
        ground, (lines, pixels) = self.ground(grid), grid.shape
        for line in range(0, lines, _BLOCK_LINES):
            check(cancelled)
            window = Window(line, 0, min(_BLOCK_LINES, lines - line), pixels)
            values = self.heights(grid, window)
            hole = np.isnan(values)
            if not hole.all():
                lowest = min(lowest, float(np.nanmin(values)))
                highest = max(highest, float(np.nanmax(values)))
            if hole.any():
                holes += int(hole.sum())
                rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
                across = np.array([columns[0], columns[-1] + 1.0])
                down = np.array([rows[0], rows[-1] + 1.0]) + line
                corners = np.meshgrid(across, down)
                boxes.append(ground.lonlat(corners[0].ravel(), corners[1].ravel()))
        box = None
        if boxes:
            lon, lat = (np.concatenate(v) for v in zip(*boxes, strict=True))
            west, east = (float(v) for v in wrapped(np.array([lon.min(), lon.max()]), 0.0))
            box = (west, float(lat.min()), east, float(lat.max()))
        if holes == lines * pixels:
            lowest = highest = np.nan
        made = Survey(lowest, highest, lines * pixels, holes, box)
        with self._lock:
            self._surveys[grid] = made
        return made

    def require_covered(self, grid: MapGrid) -> None:
        """Raise unless every cell of a map has a height.

        Raises
        ------
        BadProduct
            It has holes or does not cover the map: says where, and how many cells.
        """
        survey = self.survey(grid)
        if not survey.holes or survey.box is None:
            return
        west, south, east, north = survey.box
        share = 100.0 * survey.holes / survey.cells
        said = "does not cover the area" if survey.holes == survey.cells else "has holes"
        raise BadProduct(
            f"the DEM {self.name} {said}: {survey.holes} of {survey.cells} cells ({share:.3g} %) "
            f"have no height, within longitude {west:.4f} to {east:.4f}, latitude {south:.4f} to "
            f"{north:.4f}",
            hint="give a DEM that covers it (several files: one VRT over them); fill holes with "
            "gdal_fillnodata.py, and a sea that is left out by the setting fill_m, e.g. 0",
        )

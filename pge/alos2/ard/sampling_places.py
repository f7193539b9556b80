"""Where the cells of a grid lie in an image, whatever the image's geometry is.

* `SurfacePlaces`: an image whose place on the map does not depend on heights: orthorectified
  (levels 2.1, 2.2), or taken as it is delivered because nothing better is known.
* `SlantPlaces`: level 1.1; azimuth time and slant range of the ground say line and pixel.
* `EllipsoidPlaces`: levels 1.5, drawn by JAXA as if all of the ground lay on the ellipsoid:
  azimuth time and slant range of the true ground, then the place on the ellipsoid that has the
  same, then the pixel there. The second half is a smooth function of time and range, so it is
  calculated at nodes and bilinear between them, to a hundredth of a pixel.

Geometry: Curlander and McDonough, "Synthetic Aperture Radar" (1991), section 8.2.
"""

from __future__ import annotations

import math
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from alos2.ard.grid import GridPlaces
from alos2.errors import BadProduct
from alos2.geometry.orbit import Orbit
from alos2.geometry.rangedoppler import geo2rdr, rdr2geo
from alos2.product.model import MapGrid, Product
from alos2.raster.layers import Surface
from alos2.raster.places import OUTSIDE, Places, Values
from alos2.raster.slantplaces import RadarFrame
from alos2.types import LookSide, RasterShape, Window

_NODE_PX: Final = 32
_NODE_M: Final = 2000.0
_SIDE_POINTS: Final = 64
_NODE_ERROR_PX: Final = 0.01
_BEND_IN_RANGE: Final = 4e-6
"""Second derivative of ground range by slant range, 1/m: its size at steep incidence."""
_BEND_IN_TIME: Final = 12.0
"""Second derivative of the place on a map by azimuth time, m/s^2."""
_SPARE_NODES: Final = 3


class SeenWindow(Protocol):
    """What is needed of the radar geometry of a window (a `TerrainWindow`)."""

    @property
    def time_s(self) -> npt.NDArray[Any] | None:
        """Zero-Doppler time of each cell, seconds since the orbit's epoch; NaN: not seen."""

    @property
    def slant_range_m(self) -> npt.NDArray[Any] | None:
        """Slant range of each cell, m; NaN: not seen."""


class ImagePlaces(Protocol):
    """Where cells lie in an image; safe between threads."""

    @property
    def shape(self) -> RasterShape:
        """Lines and pixels of the image."""

    @property
    def pixel_m(self) -> float:
        """Distance of two pixels of the image on the ground, m."""

    @property
    def line_m(self) -> float:
        """Distance of two lines on the ground, m."""

    @property
    def needs_terrain(self) -> bool:
        """Whether `positions` needs the radar geometry of the window."""

    def positions(self, window: Window, seen: SeenWindow | None) -> tuple[Values, Values]:
        """Return image coordinates of the centres of a window's cells.

        Parameters
        ----------
        window
            Of the grid; may reach beyond it.
        seen
            The radar geometry of the window, of this image's own orbit.

        Returns
        -------
        pixel, line : ndarray, shape (lines, pixels), float64
            0.5 = centre of the first pixel or line; NaN where a cell is not in sight.
        """

    def outline(self) -> tuple[Values, Values]:
        """Return longitude and latitude, degrees, along the image's edge at height 0."""


def image_edge(shape: RasterShape) -> tuple[Values, Values]:
    """Return image coordinates (pixel, line) along the edge of an image."""
    t = np.linspace(0.0, 1.0, _SIDE_POINTS, endpoint=False)
    pixel = np.concatenate([t, np.ones_like(t), 1.0 - t, np.zeros_like(t)]) * shape.pixels
    line = np.concatenate([np.zeros_like(t), t, np.ones_like(t), 1.0 - t]) * shape.lines
    return pixel, line


class SurfacePlaces:
    """Of an image on a `Surface` that knows nothing of heights."""

    needs_terrain = False

    def __init__(self, surface: Surface, grid: GridPlaces) -> None:
        self.shape = surface.shape
        self.pixel_m, self.line_m = surface.pixel_m, surface.line_m
        self._surface, self._grid = surface, grid
        cell_m = min(grid.spacing_m())
        self._step = min(_NODE_PX, 2 ** int(math.log2(max(1.0, _NODE_M / cell_m))))

    def positions(self, window: Window, seen: SeenWindow | None) -> tuple[Values, Values]:
        """See `ImagePlaces.positions`; nodes lie at fixed places of the grid."""
        del seen
        step = self._step
        top, left = window.line // step, window.pixel // step
        bottom = -(-(window.line + window.lines) // step)
        right = -(-(window.pixel + window.pixels) // step)
        down, across = np.meshgrid(
            np.arange(top, bottom + 1) * float(step),
            np.arange(left, right + 1) * float(step),
            indexing="ij",
        )
        pixel, line = self._surface.pixel_line(*self._grid.lonlat(across, down))
        unknown = (pixel <= OUTSIDE) | (line <= OUTSIDE)
        pixel, line = np.where(unknown, np.nan, pixel), np.where(unknown, np.nan, line)
        rows = (np.arange(window.lines) + window.line + 0.5) / step - top
        columns = (np.arange(window.pixels) + window.pixel + 0.5) / step - left
        return bilinear(pixel, rows, columns), bilinear(line, rows, columns)

    def outline(self) -> tuple[Values, Values]:
        """See `ImagePlaces.outline`."""
        return self._surface.lonlat(*image_edge(self.shape))


class SlantPlaces:
    """Of an image in slant range, or of cells of it."""

    needs_terrain = True

    def __init__(self, frame: RadarFrame, surface: Surface) -> None:
        self.shape = frame.shape
        self.pixel_m, self.line_m = surface.pixel_m, surface.line_m
        self._frame, self._surface = frame, surface

    def positions(self, window: Window, seen: SeenWindow | None) -> tuple[Values, Values]:
        """See `ImagePlaces.positions`."""
        del window
        time, slant_range = _radar(seen)
        frame = self._frame
        return (slant_range - frame.near_m) / frame.step_m, (time - frame.start_s) / frame.step_s

    def outline(self) -> tuple[Values, Values]:
        """See `ImagePlaces.outline`."""
        return self._surface.lonlat(*image_edge(self.shape))


class EllipsoidPlaces:
    """Of an image that was projected as if the ground lay on the ellipsoid.

    Parameters
    ----------
    product
        With an orbit and a grid.

    Raises
    ------
    BadProduct
        The orbit does not see the image.
    """

    needs_terrain = True

    def __init__(self, product: Product) -> None:
        if product.orbit is None or product.grid is None:
            raise BadProduct(f"{product.scene}-{product.product} has no orbit or lies on no map")
        self._places = Places(product.grid)
        self.shape = product.grid.shape
        self.pixel_m, self.line_m = self._places.pixel_m, self._places.line_m
        finest = min(self.pixel_m, self.line_m)
        edge = self._places.lonlat(*image_edge(self.shape))
        times, ranges = geo2rdr(product.orbit, *edge, look=product.look)
        self._times = _nodes(times, math.sqrt(8 * _NODE_ERROR_PX * finest / _BEND_IN_TIME))
        self._ranges = _nodes(ranges, math.sqrt(8 * _NODE_ERROR_PX * finest / _BEND_IN_RANGE))
        self._pixel, self._line = self._at_nodes(product.orbit, product.look)

    def _at_nodes(self, orbit: Orbit, look: LookSide) -> tuple[Values, Values]:
        shape = (self._times.size, self._ranges.size)
        pixel, line = np.empty(shape), np.empty(shape)
        for row, time in enumerate(self._times):
            lon, lat = rdr2geo(orbit, time, self._ranges, look=look)
            pixel[row], line[row] = self._places.pixel_line(lon, lat)
        return pixel, line

    def positions(self, window: Window, seen: SeenWindow | None) -> tuple[Values, Values]:
        """See `ImagePlaces.positions`."""
        del window
        time, slant_range = _radar(seen)
        row = (time - self._times[0]) / (self._times[1] - self._times[0])
        column = (slant_range - self._ranges[0]) / (self._ranges[1] - self._ranges[0])
        with np.errstate(invalid="ignore"):
            known = (row >= 0) & (row < self._times.size - 1)
            known &= (column >= 0) & (column < self._ranges.size - 1)
        row, column = np.where(known, row, 0.0), np.where(known, column, 0.0)
        i, j = row.astype(np.intp), column.astype(np.intp)
        di, dj = row - i, column - j
        found = []
        for values in (self._pixel, self._line):
            above = values[i, j] + dj * (values[i, j + 1] - values[i, j])
            below = values[i + 1, j] + dj * (values[i + 1, j + 1] - values[i + 1, j])
            found.append(np.where(known, above + di * (below - above), np.nan))
        return found[0], found[1]

    def outline(self) -> tuple[Values, Values]:
        """See `ImagePlaces.outline`."""
        return self._places.lonlat(*image_edge(self.shape))


def _radar(seen: SeenWindow | None) -> tuple[Values, Values]:
    if seen is None or seen.time_s is None or seen.slant_range_m is None:
        raise ValueError("these places need the radar geometry of their cells")
    return seen.time_s.astype(np.float64), seen.slant_range_m.astype(np.float64)


def _nodes(values: Values, step: float) -> Values:
    """Make equal steps around some values, with some to spare on both sides."""
    first = float(values.min()) - _SPARE_NODES * step
    count = math.ceil((float(values.max()) - first) / step) + _SPARE_NODES
    return np.asarray(first + step * np.arange(count + 1), np.float64)


def bilinear(values: Values, rows: Values, columns: Values) -> Values:
    """Interpolate on a table, at every pair of a row and a column.

    Parameters
    ----------
    values : ndarray, shape (n, m), float64
        At whole rows and columns.
    rows, columns : ndarray, float64
        From 0 to below n - 1 and m - 1.

    Returns
    -------
    ndarray, shape (len(rows), len(columns)), float64
    """
    i = np.minimum(rows.astype(np.intp), values.shape[0] - 2)
    j = np.minimum(columns.astype(np.intp), values.shape[1] - 2)
    di, dj = (rows - i)[:, np.newaxis], (columns - j)[np.newaxis, :]
    across = values[:, j] + dj * (values[:, j + 1] - values[:, j])
    found: Values = np.asarray(across[i] + di * (across[i + 1] - across[i]), np.float64)
    return found


def places_on(grid: MapGrid) -> Surface:
    """Return a detected image's own map as a `Surface`."""
    return Places(grid)

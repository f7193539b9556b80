"""Any image on any surface, brought to a map: north up, square pixels, block by block.

* ``map_grid(surface, spacing_m=None) -> MapGrid``: the grid that holds all of an image: UTM of the
  zone of its centre, polar stereographic (UPS) beyond 84 degrees north and 80 south.
* ``map_part(grid, surface) -> MapGrid``: the part of a grid that holds all of another image.
* ``map_source(source, surface, grid) -> PixelSource``: the image on that grid, read by windows
  like any other; `.grid` is the grid.

One `map_source` for each band, all with the same grid. What is in memory are the coordinates at
the nodes of the grid (some megabytes, shared by the bands) and a block of cells.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from pyproj import CRS

from alos2.errors import BadProduct
from alos2.product.model import MapGrid
from alos2.raster.blocks import multilook
from alos2.raster.layers import Surface
from alos2.raster.pictures import CalibrationUsed
from alos2.raster.places import Places, Values
from alos2.raster.source import PixelSource
from alos2.types import RasterShape, Window

Plane = npt.NDArray[np.float32]

_NORTHERN_UTM_DEG: Final = 84.0
_SOUTHERN_UTM_DEG: Final = -80.0
_UPS_NORTH: Final = 5041
_UPS_SOUTH: Final = 5042

_SIDE_POINTS: Final = 64
_NODE_M: Final = 2000.0
"""Nodes are at most this far apart, and at most `_NODE_PX`."""
_NODE_PX: Final = 32
_BLOCK_PX: Final = 512
_COARSER: Final = 1.5
"""Where map pixels are larger than that many cells, cells are averaged first."""
_NODES_AT_ONCE: Final = 50_000


def utm_or_ups(lon_deg: float, lat_deg: float) -> int:
    """EPSG code of the WGS 84 map that a place is drawn on: UTM, or UPS near the poles."""
    if lat_deg > _NORTHERN_UTM_DEG:
        return _UPS_NORTH
    if lat_deg < _SOUTHERN_UTM_DEG:
        return _UPS_SOUTH
    zone = int((lon_deg + 180.0) // 6.0) % 60 + 1
    return (32600 if lat_deg >= 0 else 32700) + zone


def map_grid(surface: Surface, spacing_m: float | None = None) -> MapGrid:
    """Lay a map grid over all of an image.

    Parameters
    ----------
    surface
        Where its pixels lie.
    spacing_m
        Of the map's pixels; None: about the image's own, in steps of half a metre (a tenth below
        five metres).

    Raises
    ------
    BadProduct
        The image does not fit a map: it reaches over half of the Earth.
    """
    lines, pixels = surface.shape
    lon, lat = surface.lonlat(np.array([pixels / 2]), np.array([lines / 2]))
    epsg = utm_or_ups(float(lon[0]), float(lat[0]))
    wkt = str(CRS.from_epsg(epsg).to_wkt())
    step = spacing_m or _round_spacing(math.sqrt(surface.line_m * surface.pixel_m))
    # A grid of one pixel at the origin: its coordinates are the map's, in steps.
    unit = Places(MapGrid(wkt, epsg, (step, 0.0, 0.0, 0.0, -step, 0.0), RasterShape(1, 1)))
    across, down = unit.pixel_line(*surface.lonlat(*_boundary(surface.shape)))
    left, top = math.floor(across.min()), math.floor(down.min())
    shape = RasterShape(math.ceil(down.max()) - top, math.ceil(across.max()) - left)
    if not (np.abs(across).max() * step < 2e7 and np.abs(down).max() * step < 2e7):
        raise BadProduct("the image reaches too far around the Earth for a map")
    return MapGrid(wkt, epsg, (step, 0.0, left * step, 0.0, -step, -top * step), shape)


def map_part(grid: MapGrid, surface: Surface) -> MapGrid:
    """Return the part of a map grid, in whole pixels of it, that holds all of an image.

    Parameters
    ----------
    grid
        As of `map_grid`, not rotated.
    surface
        Where the image lies: within the grid, as a beam within the union of beams.
    """
    across, down = Places(grid).pixel_line(*surface.lonlat(*_boundary(surface.shape)))
    left, right = _within(across, grid.shape.pixels)
    top, bottom = _within(down, grid.shape.lines)
    a, b, c, d, e, f = grid.transform
    moved = (a, b, c + left * a, d, e, f + top * e)
    return MapGrid(grid.crs_wkt, grid.epsg, moved, RasterShape(bottom - top, right - left))


def _within(at: Values, size: int) -> tuple[int, int]:
    """First and behind the last whole pixel around some places; one at least."""
    first = min(max(0, math.floor(float(at.min()))), size - 1)
    return first, min(max(first + 1, math.ceil(float(at.max()))), size)


def _round_spacing(spacing_m: float) -> float:
    unit = 0.5 if spacing_m > 5.0 else 0.1
    return round(max(1, round(spacing_m / unit)) * unit, 3)


def _boundary(shape: RasterShape) -> tuple[Values, Values]:
    t = np.linspace(0.0, 1.0, _SIDE_POINTS, endpoint=False)
    pixel = np.concatenate([t, np.ones_like(t), 1.0 - t, np.zeros_like(t)]) * shape.pixels
    line = np.concatenate([np.zeros_like(t), t, np.ones_like(t), 1.0 - t]) * shape.lines
    return pixel, line


class _Nodes(NamedTuple):
    """Image coordinates at the nodes of a map grid, and beyond its right and lower edge."""

    pixel: Values
    line: Values
    step: int


@lru_cache(maxsize=1)
def _nodes(surface: Any, grid: MapGrid) -> _Nodes:  # a Surface; any object can be a key
    """Compute the nodes of a grid; kept for the next band."""
    places = Places(grid)
    step = min(_NODE_PX, 2 ** int(math.log2(max(1.0, _NODE_M / places.pixel_m))))
    rows = np.arange(-(-grid.shape.lines // step) + 1) * float(step)
    columns = np.arange(-(-grid.shape.pixels // step) + 1) * float(step)
    pixel, line = (np.empty((len(rows), len(columns))) for _ in range(2))
    at_once = max(1, _NODES_AT_ONCE // len(columns))
    for top in range(0, len(rows), at_once):
        part = slice(top, top + at_once)
        across, down = np.meshgrid(columns, rows[part])
        pixel[part], line[part] = surface.pixel_line(*places.lonlat(across, down))
    return _Nodes(pixel, line, step)


class _MapSource:
    """`PixelSource` of another one as it lies on a map."""

    def __init__(self, source: PixelSource, surface: Surface, grid: MapGrid) -> None:
        self.name = source.name
        self.shape = grid.shape
        self.grid: MapGrid = grid
        self.calibration: CalibrationUsed = source.calibration
        self._source = source
        key: Any = surface
        self._nodes = _nodes(key, grid)
        spacing = math.hypot(grid.transform[0], grid.transform[3])

        def cell(step_m: float) -> int:
            return round(spacing / step_m) if spacing > _COARSER * step_m else 1

        self._cell_lines, self._cell_pixels = cell(surface.line_m), cell(surface.pixel_m)

    def power(self, window: Window) -> Plane:
        """See `PixelSource.power`."""
        lines, pixels = self.shape
        if not (
            0 <= window.line <= window.line + window.lines <= lines
            and 0 <= window.pixel <= window.pixel + window.pixels <= pixels
        ):
            raise ValueError(f"{window} is not within the {lines} x {pixels} map of {self.name}")
        out = np.empty((window.lines, window.pixels), np.float32)
        bottom, right = window.line + window.lines, window.pixel + window.pixels
        for line in _cuts(window.line, bottom):
            for pixel in _cuts(window.pixel, right):
                stop = min(_next_cut(line), bottom), min(_next_cut(pixel), right)
                part = out[
                    line - window.line : stop[0] - window.line,
                    pixel - window.pixel : stop[1] - window.pixel,
                ]
                self._block(line, pixel, part)
        return out

    def valid(self, window: Window) -> npt.NDArray[np.bool_]:
        """See `PixelSource.valid`."""
        return np.asarray(np.isfinite(self.power(window)))

    def _block(self, line: int, pixel: int, out: Plane) -> None:
        """Fill a part of one block of the map."""
        from alos2.raster.mapkernels import sample_window  # noqa: PLC0415  numba only to draw

        nodes, (lines, pixels) = self._nodes, out.shape
        top, left = line // nodes.step, pixel // nodes.step
        at = (
            slice(top, (line + lines - 1) // nodes.step + 2),
            slice(left, (pixel + pixels - 1) // nodes.step + 2),
        )
        u = nodes.pixel[at] / self._cell_pixels - 0.5
        v = nodes.line[at] / self._cell_lines - 0.5
        patch = self._patch(u, v)
        if patch is None:
            out[:] = np.nan
            return
        cells, first_line, first_pixel = patch
        sample_window(
            cells, u - first_pixel, v - first_line, nodes.step,
            line - top * nodes.step, pixel - left * nodes.step, out,
        )  # fmt: skip

    def _patch(self, u: Values, v: Values) -> tuple[Plane, int, int] | None:
        """Cells that a block needs, and the first one's line and pixel; None if there are none."""
        shape = self._source.shape
        lines = _span(v, -(-shape.lines // self._cell_lines))
        pixels = _span(u, -(-shape.pixels // self._cell_pixels))
        if lines is None or pixels is None:
            return None
        a, b = self._cell_lines, self._cell_pixels
        window = Window(
            lines[0] * a,
            pixels[0] * b,
            min(lines[1] * a, shape.lines) - lines[0] * a,
            min(pixels[1] * b, shape.pixels) - pixels[0] * b,
        )
        if a == b == 1:
            cells = self._source.power(window)
        else:
            cells = multilook(self._source, a, b, window=window).power
        least = (max(0, 2 - cells.shape[0]), max(0, 2 - cells.shape[1]))
        if any(least):  # an image of one line: the kernel wants two
            cells = np.pad(cells, ((0, least[0]), (0, least[1])), constant_values=np.nan)
        return cells, lines[0], pixels[0]


def map_source(source: PixelSource, surface: Surface, grid: MapGrid) -> PixelSource:
    """Bring an image to a map, lazily.

    Parameters
    ----------
    source
        Of `surface`'s shape; must stay open.
    surface
        Where its pixels lie.
    grid
        As of `map_grid`, not rotated. Where its pixels are more than 1.5 times as large as the
        image's, those are averaged first.

    Returns
    -------
    PixelSource
        Bilinear in power; valid where the image's pixel is in which the map pixel's centre falls.
    """
    if source.shape != surface.shape:
        raise ValueError(f"{source.name} of {source.shape} lies on a surface of {surface.shape}")
    return _MapSource(source, surface, grid)


def _next_cut(at: int) -> int:
    return (at // _BLOCK_PX + 1) * _BLOCK_PX


def _cuts(start: int, stop: int) -> list[int]:
    """First lines (or pixels) of the parts that blocks cut a window into."""
    return [start, *range(_next_cut(start), stop, _BLOCK_PX)]


def _span(at: Values, count: int) -> tuple[int, int] | None:
    """First and behind the last cell around some places; None if there are none."""
    known = at[at > -1e8]
    if not known.size:
        return None
    first = max(0, math.floor(float(known.min())) - 1)
    last = min(count, math.ceil(float(known.max())) + 2)
    return (first, last) if first < last else None

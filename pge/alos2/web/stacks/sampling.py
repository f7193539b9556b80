"""A file of a stack on a tile of Web Mercator: only the window below it, out of an overview.

Tiles: OGC Two Dimensional Tile Matrix Set, WebMercatorQuad; EPSG:3857. Places in the file are
computed at nodes, and between them linearly: the projections differ by less than a hundredth of a
tile's pixel from straight lines over 16 of them, but for the first zooms.
"""

from __future__ import annotations

import math
import threading
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from alos2.geometry.transforming import transformed
from alos2.web.layers import Place
from alos2.web.stacks.numbers import Plane
from alos2.web.stacks.rasters import Held

TILE_PX: Final = 256
_HALF_M: Final = math.pi * 6378137.0
_NODES_PX: Final = 16
_NODES_FAR_PX: Final = 4
_FAR_SIDE: Final = 1.0 / 128
_MOST_PX: Final = 4096
"""Of a window's side as it is read: what has no overviews is not read in whole."""
_REMEMBERED: Final = 32
_own = threading.local()
_Places = npt.NDArray[np.float64]


class Box(NamedTuple):
    """A rectangle of an image: the first line and pixel, and how many there are."""

    line: int
    pixel: int
    lines: int
    pixels: int


class Square(NamedTuple):
    """A square of Web Mercator, whose world is 1 by 1 from its north-western corner."""

    x: float
    y: float
    side: float

    @classmethod
    def of(cls, tile: Place) -> Square:
        """Return that of a tile, rows from the north."""
        side = 1.0 / (1 << tile.zoom)
        return cls(tile.column * side, tile.row * side, side)

    @classmethod
    def around(cls, box: tuple[float, float, float, float]) -> Square:
        """Return the one that holds a box: west, south, east, north (west > east is possible)."""
        west, south, east, north = box
        wide = ((east - west) % 360.0 or 360.0) / 360.0
        top, bottom = (_down(lat) for lat in (north, south))
        side = min(1.0, 1.04 * max(wide, bottom - top, 1e-6))
        left = (west + 180.0) / 360.0 + (wide - side) / 2
        return cls(left, min(max(0.0, (top + bottom - side) / 2), 1.0 - side), side)


def _down(lat_deg: float) -> float:
    lat = math.radians(max(-85.05, min(85.05, lat_deg)))
    return 0.5 - math.asinh(math.tan(lat)) / (2 * math.pi)


def square_values(held: Held, square: Square, *, smooth: bool) -> Plane | None:
    """Return what a file shows on a square of the map.

    Parameters
    ----------
    held : Held
    square : Square
    smooth : bool
        Bilinear, else the nearest pixel.

    Returns
    -------
    float32, shape (256, 256), NaN = no data; None: it lies outside
    """
    columns, rows = _image_places(held, square)
    return sampled(held, columns, rows, smooth=smooth)


def sampled(held: Held, columns: _Places, rows: _Places, *, smooth: bool) -> Plane | None:
    """Return values at places of an image; None where all lie outside.

    Parameters
    ----------
    held : Held
    columns, rows
        Shape (h, w); the upper left corner of the image is 0, 0; NaN: nowhere.
    smooth : bool
    """
    dataset = held.dataset
    with np.errstate(invalid="ignore"):
        inside = (columns >= 0) & (columns < dataset.width) & (rows >= 0) & (rows < dataset.height)
    if not inside.any():
        return None
    factor = _factor(dataset, columns, rows)
    box = _box(dataset, columns[inside], rows[inside], factor)
    if max(box.lines, box.pixels) > _MOST_PX * factor:
        return None
    values = _read(held, box, factor)
    across = (columns - box.pixel) * (values.shape[1] / box.pixels)
    down = (rows - box.line) * (values.shape[0] / box.lines)
    across, down = np.where(inside, across, 0.5), np.where(inside, down, 0.5)
    found = (_bilinear if smooth else _nearest)(values, across, down)
    found[~inside] = np.nan
    return found


def _image_places(held: Held, square: Square) -> tuple[_Places, _Places]:
    """Return columns and rows of a square's pixel centres in an image, each (256, 256)."""
    step = _NODES_FAR_PX if square.side > _FAR_SIDE else _NODES_PX
    at = np.arange(0, TILE_PX + step, step, dtype=np.float64) / TILE_PX
    xs = _HALF_M * (2 * (square.x + at * square.side) - 1)
    ys = _HALF_M * (1 - 2 * (square.y + at * square.side))
    grid_x, grid_y = np.meshgrid(xs, ys)
    there = transformed(transformer("EPSG:3857", held.wkt), grid_x, grid_y)
    x, y = (np.where(np.isfinite(one), one, np.nan) for one in there)
    a, b, c, d, e, f = (~held.dataset.transform)[:6]
    return _between(a * x + b * y + c, step), _between(d * x + e * y + f, step)


def transformer(source: str, target: str) -> Any:
    """Return what brings places from one reference system to another; each thread has its own."""
    own: dict[tuple[str, str], Any] | None = getattr(_own, "known", None)
    if own is None:
        own = _own.known = {}
    if (source, target) not in own:
        from pyproj import Transformer  # noqa: PLC0415 - slow to import

        if len(own) >= _REMEMBERED:
            own.clear()
        own[source, target] = Transformer.from_crs(source, target, always_xy=True)
    return own[source, target]


def _between(nodes: _Places, step: int) -> _Places:
    """Return pixel centres between nodes, linearly."""
    share = (np.arange(TILE_PX) + 0.5) / step
    first = share.astype(np.int64)
    rest = share - first
    lines = nodes[first] * (1 - rest)[:, None] + nodes[first + 1] * rest[:, None]
    return np.asarray(lines[:, first] * (1 - rest) + lines[:, first + 1] * rest)


def _factor(dataset: Any, columns: _Places, rows: _Places) -> int:
    """Return the factor of the overview whose pixels are nearest to a tile's, 1 for none."""
    wide = np.hypot(columns[:, -1] - columns[:, 0], rows[:, -1] - rows[:, 0]) / columns.shape[1]
    known = wide[np.isfinite(wide)]
    scale = float(known.mean()) if known.size else 1.0
    # A little finer than the tile rather than coarser: half-way in octaves goes to the finer one.
    return max((one for one in (1, *dataset.overviews(1)) if one <= scale * 1.25), default=1)


def _box(dataset: Any, columns: _Places, rows: _Places, factor: int) -> Box:
    """Return the window of an image that is read, whole pixels of the overview, with a margin."""

    def span(values: _Places, size: int) -> tuple[int, int]:
        first = max(0, (math.floor(values.min()) // factor - 1) * factor)
        last = min(size, (math.floor(values.max()) // factor + 2) * factor)
        return first, last - first

    pixel, pixels = span(columns, dataset.width)
    line, lines = span(rows, dataset.height)
    return Box(line, pixel, lines, pixels)


def _read(held: Held, box: Box, factor: int) -> Plane:
    from alos2.raster.lean import RasterioWindow  # noqa: PLC0415

    window = RasterioWindow(box.pixel, box.line, box.pixels, box.lines)
    shape = (-(-box.lines // factor), -(-box.pixels // factor))
    return held.meaning.values(held.dataset.read(1, window=window, out_shape=shape))


def _nearest(values: Plane, across: _Places, down: _Places) -> Plane:
    lines, pixels = values.shape
    column = np.clip(across.astype(np.int64), 0, pixels - 1)
    row = np.clip(down.astype(np.int64), 0, lines - 1)
    return np.asarray(values[row, column])


def _bilinear(values: Plane, across: _Places, down: _Places) -> Plane:
    """Return values between pixels; where one of the four is no data, the nearest one's."""
    lines, pixels = values.shape
    column, row = (np.clip(one - 0.5, 0, None) for one in (across, down))
    left, upper = column.astype(np.int64), row.astype(np.int64)
    np.clip(left, 0, pixels - 1, out=left)
    np.clip(upper, 0, lines - 1, out=upper)
    right, lower = np.minimum(left + 1, pixels - 1), np.minimum(upper + 1, lines - 1)
    x, y = (column - left).astype(np.float32), (row - upper).astype(np.float32)
    np.clip(x, 0, 1, out=x)
    np.clip(y, 0, 1, out=y)
    above = values[upper, left] * (1 - x) + values[upper, right] * x
    below = values[lower, left] * (1 - x) + values[lower, right] * x
    found = above * (1 - y) + below * y
    unknown = np.isnan(found)
    if unknown.any():
        found[unknown] = _nearest(values, across, down)[unknown]
    return np.asarray(found, np.float32)

"""Tiles of the deepest zoom: power of the image at the centres of Web Mercator pixels.

Coordinates are exact (PROJ) at nodes and bilinear between them; the nodes are so close that what
lies between is right to a hundredth of a pixel. Power is bilinear between the four neighbours
that are valid. A tile's pixel is valid where the image's pixel in which its centre falls is: a
mask that neither grows nor shrinks, in which a dark pixel is no hole. Where tile pixels are more
than 1.5 times as large as the image's, the image is averaged over cells first, as many as come
nearest to the tile's pixel.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import mercantile
import numpy as np
import numpy.typing as npt

from alos2.raster.blocks import multilook, strips
from alos2.raster.mercator import center_lat, pixel_m, to_lonlat
from alos2.raster.pictures import TILE_PX, Cancelled
from alos2.raster.places import Places, Values
from alos2.raster.source import PixelSource
from alos2.types import Window

Tile = npt.NDArray[np.float32]
"""Power of a tile, (256, 256), NaN = no data."""

_COARSER: Final = 1.5
_NODE_M: Final = 2000.0
"""Nodes are at most this far apart, and at most `_NODE_PX`."""
_NODE_PX: Final = 32
_SUBTREE_PX: Final = 2048
"""Width of the area whose image window is read at once, in tile pixels or cells."""
_MARGIN: Final = 2


class Scale(NamedTuple):
    """How an image and the deepest zoom go together."""

    zoom: int
    cell_lines: int
    cell_pixels: int
    """Image pixels that are averaged before they are resampled, in each direction."""
    node_px: int
    """Distance of the coordinate nodes in tile pixels; divides 256."""
    levels: int
    """Zooms between a subtree's root and the deepest zoom."""

    @classmethod
    def of(cls, places: Places, zoom: int) -> Scale:
        """Choose the scale of `places` at `zoom`."""
        step = pixel_m(zoom, center_lat(places))

        def cell(spacing_m: float) -> int:
            ratio = step / spacing_m
            return round(ratio) if ratio > _COARSER else 1

        lines, pixels = cell(places.line_m), cell(places.pixel_m)
        cells = max(step / (places.line_m * lines), step / (places.pixel_m * pixels), 1.0)
        levels = max(0, int(math.log2(_SUBTREE_PX / (TILE_PX * cells))))
        node = min(_NODE_PX, 2 ** max(0, int(math.log2(max(1.0, _NODE_M / step)))))
        return cls(zoom, lines, pixels, node, min(levels, zoom))


class Nodes(NamedTuple):
    """Image coordinates at the nodes of a subtree, shape (n + 1, n + 1)."""

    pixel: Values
    line: Values


def subtree_nodes(places: Places, root: mercantile.Tile, scale: Scale) -> Nodes:
    """Compute the exact image coordinates at the nodes of the area that `root` covers."""
    side = 2 ** (scale.zoom - root.z) * TILE_PX
    offsets = np.arange(0, side + 1, scale.node_px)
    world = 2**scale.zoom * TILE_PX
    x, y = (root.x * side + offsets) / world, (root.y * side + offsets) / world
    lon, lat = to_lonlat(*np.meshgrid(x, y))
    return Nodes(*places.pixel_line(lon, lat))


class Patch(NamedTuple):
    """A window of the image, in cells, with a border of one invalid cell."""

    power: npt.NDArray[np.float32]
    """Linear, 0 where not valid."""
    valid: npt.NDArray[np.bool_]
    first_line: int
    """Of the cell at index 1."""
    first_pixel: int


def read_patch(
    source: PixelSource, nodes: Nodes, scale: Scale, cancelled: Cancelled
) -> Patch | None:
    """Read the window that the nodes span; None when nothing in it is valid."""
    window = _window(source, nodes, scale)
    if window is None:
        return None
    rows = -(-window.lines // scale.cell_lines)
    columns = -(-window.pixels // scale.cell_pixels)
    power = np.zeros((rows + 2, columns + 2), np.float32)
    inner = power[1:-1, 1:-1]
    if scale.cell_lines == scale.cell_pixels == 1:
        for strip in strips(window):
            top = strip.line - window.line
            inner[top : top + strip.lines] = source.power(strip)
    else:
        looks = multilook(
            source, scale.cell_lines, scale.cell_pixels, window=window, cancelled=cancelled
        )
        inner[:] = looks.power
    valid = np.isfinite(power)
    valid[0] = valid[-1] = False
    valid[:, 0] = valid[:, -1] = False
    if not valid.any():
        return None
    power[~valid] = 0.0
    return Patch(power, valid, window.line // scale.cell_lines, window.pixel // scale.cell_pixels)


def _window(source: PixelSource, nodes: Nodes, scale: Scale) -> Window | None:
    """Find the image window around the nodes, on the borders of cells; None when it is empty."""

    def span(values: Values, cell: int, size: int) -> tuple[int, int]:
        low = max(0, math.floor(values.min() / cell) - _MARGIN) * cell
        high = min(size, (math.ceil(values.max() / cell) + _MARGIN) * cell)
        return low, high

    top, bottom = span(nodes.line, scale.cell_lines, source.shape.lines)
    left, right = span(nodes.pixel, scale.cell_pixels, source.shape.pixels)
    if bottom <= top or right <= left:
        return None
    return Window(top, left, bottom - top, right - left)


def between_nodes(nodes: Values, node_px: int) -> Values:
    """Interpolate nodes, shape (n + 1, n + 1), to the (256, 256) pixel centres of a tile."""
    # No matrix product: for such small ones BLAS spends its time on waking threads.
    share = (np.arange(node_px) + 0.5) / node_px

    def along_rows(values: Values) -> Values:
        steps = np.diff(values, axis=1)[:, :, None] * share
        steps += values[:, :-1, None]
        return np.asarray(steps.reshape(len(values), TILE_PX))

    return along_rows(along_rows(nodes.T).T)


def base_tile(
    patch: Patch, nodes: Nodes, root: mercantile.Tile, tile: mercantile.Tile, scale: Scale
) -> Tile | None:
    """Resample one tile of the deepest zoom; None when it is empty."""
    steps = TILE_PX // scale.node_px
    side = 2 ** (tile.z - root.z)
    down, across = (tile.y - root.y * side) * steps, (tile.x - root.x * side) * steps
    part = (slice(down, down + steps + 1), slice(across, across + steps + 1))
    rows, columns = patch.valid.shape
    # Index in the patch: cell centres are whole numbers, and its border adds one.
    line = nodes.line[part] / scale.cell_lines - patch.first_line + 0.5
    pixel = nodes.pixel[part] / scale.cell_pixels - patch.first_pixel + 0.5
    if line.max() < 0 or pixel.max() < 0 or line.min() > rows or pixel.min() > columns:
        return None
    v = np.clip(between_nodes(line, scale.node_px), 0, rows - 1).astype(np.float32)
    u = np.clip(between_nodes(pixel, scale.node_px), 0, columns - 1).astype(np.float32)
    return _bilinear(patch, v, u)


def _bilinear(patch: Patch, v: Tile, u: Tile) -> Tile | None:
    """Sample `patch` at rows `v` and columns `u`, both within it."""
    rows, columns = patch.valid.shape
    hit = (v + np.float32(0.5)).astype(np.intp) * columns + (u + np.float32(0.5)).astype(np.intp)
    hits = patch.valid.ravel().take(hit)
    if not hits.any():
        return None
    row, column = (np.minimum(w.astype(np.intp), n - 2) for w, n in ((v, rows), (u, columns)))
    down, across = v - row.astype(np.float32), u - column.astype(np.float32)
    corner = row * columns + column
    corners = (corner, corner + 1, corner + columns, corner + columns + 1)
    up, left = 1 - down, 1 - across
    weights = (up * left, up * across, down * left, down * across)
    power, valid = patch.power.ravel(), patch.valid.ravel()
    total: Tile = np.zeros_like(v)
    for index, weight in zip(corners, weights, strict=True):
        total += power.take(index) * weight
    inside = patch.valid[row.min() : row.max() + 2, column.min() : column.max() + 2]
    if inside.all():
        return total
    share = np.zeros_like(v)
    for index, weight in zip(corners, weights, strict=True):
        share += valid.take(index) * weight
    # Where the centre's own pixel is valid its share is at least a quarter.
    result: Tile = np.full_like(v, np.nan)
    np.divide(total, share, out=result, where=hits)
    return result

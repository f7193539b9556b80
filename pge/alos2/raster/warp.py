"""Tiles of the deepest zoom: power of the image at the centres of Web Mercator pixels.

Coordinates are exact (the surface's) at nodes and bilinear between them; the nodes are so close
that what lies between is right to a hundredth of a pixel. Power is bilinear between the four
neighbours that are valid. A tile's pixel is valid where the image's pixel in which its centre
falls is: a mask that neither grows nor shrinks, in which a dark pixel is no hole. Where tile
pixels are more than 1.5 times as large as the image's, the image is averaged over cells first, as
many as come nearest to the tile's pixel.

A band whose numbers lie in a mapped file is calibrated tile by tile by the kernel that resamples
it, in a patch that stays in the processor's cache; of another a window is read for each subtree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

import mercantile
import numpy as np
import numpy.typing as npt

from alos2.constants import WGS84_SEMI_MAJOR_M
from alos2.raster.blocks import multilook, strips
from alos2.raster.control import check
from alos2.raster.greykernels import clean
from alos2.raster.layers import Surface
from alos2.raster.mercator import center_lat, pixel_m, to_lonlat
from alos2.raster.pictures import TILE_PX, Cancelled
from alos2.raster.places import Values
from alos2.raster.source import PixelSource, RawPixels, RawSource
from alos2.raster.warpkernels import DRAWN, base_tile, node_window, sample_masked
from alos2.types import RasterShape, Window

Power = npt.NDArray[np.float32]
"""Linear sigma nought; 0 where there is no data."""

_COARSER: Final = 1.5
_NODE_PX: Final = 64
"""Nodes are at most as many tile pixels apart."""
_STRAY_PX: Final = 0.0025
"""What a bilinear coordinate may be wrong, in tile pixels."""
_SUBTREE_PX: Final = 2048
"""Width of a subtree, in cells at most: what a thread draws at a time."""
_FIRST_PATCH: Final = 600 * 600


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
    def of(cls, surface: Surface, zoom: int) -> Scale:
        """Choose the scale of `surface` at `zoom`."""
        latitude = center_lat(surface)
        step = pixel_m(zoom, latitude)

        def cell(spacing_m: float) -> int:
            ratio = step / spacing_m
            return round(ratio) if ratio > _COARSER else 1

        lines, pixels = cell(surface.line_m), cell(surface.pixel_m)
        cells = max(step / (surface.line_m * lines), step / (surface.pixel_m * pixels), 1.0)
        levels = max(0, int(math.log2(_SUBTREE_PX / (TILE_PX * cells))))
        return cls(zoom, lines, pixels, _node_px(step, latitude), min(levels, zoom))


def _node_px(step_m: float, latitude: float) -> int:
    """Choose the distance n of nodes: n^2 step tan(latitude) / 8 R is what linear parts stray.

    The curvature of one map's coordinates on another is of the order of tan(latitude) / R, that
    of the meridians' convergence, and 1 / R near the equator.
    """
    bend = max(1.0, abs(math.tan(math.radians(latitude)))) * step_m / (8 * WGS84_SEMI_MAJOR_M)
    return min(_NODE_PX, 1 << max(0, int(math.log2(_STRAY_PX / bend) / 2)))


class Nodes(NamedTuple):
    """Image coordinates at the nodes of a subtree, shape (n + 1, n + 1)."""

    pixel: Values
    line: Values

    def window(self, scale: Scale, shape: RasterShape) -> Window | None:
        """Return the window of the image that they span, in whole cells; None when it is empty."""
        n = len(self.pixel) - 1
        top, left, rows, columns, _ = node_window(
            self.pixel, self.line, 0, 0, n, scale.cell_lines, scale.cell_pixels, *shape,
            np.empty((n + 1, n + 1)), np.empty((n + 1, n + 1)),
        )  # fmt: skip
        line, pixel = max(0, top) * scale.cell_lines, max(0, left) * scale.cell_pixels
        lines = min((top + rows) * scale.cell_lines, shape.lines) - line
        pixels = min((left + columns) * scale.cell_pixels, shape.pixels) - pixel
        return Window(line, pixel, lines, pixels) if lines > 0 and pixels > 0 else None


def subtree_nodes(surface: Surface, root: mercantile.Tile, scale: Scale) -> Nodes:
    """Compute the exact image coordinates at the nodes of the area that `root` covers."""
    side = 2 ** (scale.zoom - root.z) * TILE_PX
    offsets = np.arange(0, side + 1, scale.node_px)
    world = 2**scale.zoom * TILE_PX
    x, y = (root.x * side + offsets) / world, (root.y * side + offsets) / world
    lon, lat = to_lonlat(*np.meshgrid(x, y))
    pixel, line = surface.pixel_line(lon, lat)
    return Nodes(np.ascontiguousarray(pixel, float), np.ascontiguousarray(line, float))


class Piece(Protocol):
    """One band over one subtree, ready to be resampled."""

    def draw(self, down: int, across: int, tile: Power) -> bool:
        """Resample the tile whose first node is (`down`, `across`); whether anything is valid."""


class Patch:
    """Memory for the cells of a tile; of one thread, kept from tile to tile."""

    def __init__(self) -> None:
        self.cells: Power = np.empty(_FIRST_PATCH, np.float32)


Opener = Callable[[Nodes, Patch, Cancelled], "Piece | None"]
"""Makes a band ready over a subtree; None where it has nothing there."""


class RawPiece:
    """A band in a mapped file."""

    def __init__(self, raw: RawPixels, scale: Scale, nodes: Nodes, patch: Patch) -> None:
        mapped = raw.mapped
        self._numbers = (mapped.words, mapped.starts, mapped.swapped, raw.gains, raw.offset)
        self._nodes = nodes
        self._scale = scale
        self._patch = patch

    def draw(self, down: int, across: int, tile: Power) -> bool:
        """See `Piece.draw`."""
        scale, patch = self._scale, self._patch
        while True:
            said = base_tile(
                *self._numbers, scale.cell_lines, scale.cell_pixels, *self._nodes,
                down, across, scale.node_px, patch.cells, tile,
            )  # fmt: skip
            if said >= 0:
                return bool(said == DRAWN)
            patch.cells = np.empty(-said, np.float32)


class WindowPiece:
    """A band whose calibrated window has been read."""

    def __init__(self, power: Power, top: int, left: int, scale: Scale, nodes: Nodes) -> None:
        self._flat = power.reshape(-1)
        self._window = (*power.shape, top, left)
        steps = TILE_PX // scale.node_px
        self._steps, self._node_px = steps, scale.node_px
        self._u = nodes.pixel / scale.cell_pixels - 0.5
        self._v = nodes.line / scale.cell_lines - 0.5

    def draw(self, down: int, across: int, tile: Power) -> bool:
        """See `Piece.draw`."""
        part = np.s_[down : down + self._steps + 1, across : across + self._steps + 1]
        u, v = np.ascontiguousarray(self._u[part]), np.ascontiguousarray(self._v[part])
        rows, columns, top, left = self._window
        if u.max() < left or v.max() < top or u.min() > left + columns or v.min() > top + rows:
            return False
        return bool(sample_masked(self._flat, rows, columns, u, v, top, left, self._node_px, tile))


def opener_of(source: PixelSource, scale: Scale) -> Opener:
    """Return the way in which `source` is made ready over a subtree, the fastest it has."""
    raw = source.raw if isinstance(source, RawSource) else None
    if raw is None:
        return lambda nodes, _, cancelled: _read_piece(source, scale, nodes, cancelled)
    kept = raw

    def ready(nodes: Nodes, patch: Patch, _: Cancelled) -> Piece | None:
        window = nodes.window(scale, source.shape)
        if window is None:
            return None
        kept.mapped.prefetch(window.line, window.lines)
        kept.mapped.used(2 * window.lines * window.pixels)
        return RawPiece(kept, scale, nodes, patch)

    return ready


def _read_piece(
    source: PixelSource, scale: Scale, nodes: Nodes, cancelled: Cancelled
) -> Piece | None:
    """Read the window that the nodes span; None when nothing in it is valid."""
    window = nodes.window(scale, source.shape)
    if window is None:
        return None
    rows, columns = -(-window.lines // scale.cell_lines), -(-window.pixels // scale.cell_pixels)
    # What lies beyond the image is not valid: a border of one cell says so.
    power = np.zeros((rows + 2, columns + 2), np.float32)
    inner = power[1:-1, 1:-1]
    if scale.cell_lines == scale.cell_pixels == 1:
        for strip in strips(window):
            check(cancelled)
            first = strip.line - window.line
            inner[first : first + strip.lines] = source.power(strip)
    else:
        cells = (scale.cell_lines, scale.cell_pixels)
        inner[:] = multilook(source, *cells, window=window, cancelled=cancelled).power
    if not clean(power):
        return None
    top, left = window.line // scale.cell_lines, window.pixel // scale.cell_pixels
    return WindowPiece(power, top - 1, left - 1, scale, nodes)

"""Tiles of the deepest zoom: power of the image at the centres of Web Mercator pixels.

Coordinates are exact (the surface's) at nodes and bilinear between them; the nodes are so close
that what lies between is right to a hundredth of a pixel. Power is bilinear between the four
neighbours that are valid. A tile's pixel is valid where the image's pixel in which its centre
falls is: a mask that neither grows nor shrinks, in which a dark pixel is no hole. Where tile
pixels are more than 1.5 times as large as the image's, the image is averaged over cells first, as
many as come nearest to the tile's pixel.

Here is where tiles and images meet; `alos2.raster.pieces` resamples.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import mercantile
import numpy as np

from alos2.constants import WGS84_SEMI_MAJOR_M
from alos2.raster.layers import Surface
from alos2.raster.mercator import center_lat, pixel_m, to_lonlat
from alos2.raster.pictures import TILE_PX
from alos2.raster.places import Values
from alos2.raster.warpkernels import node_window
from alos2.types import RasterShape, Window

_COARSER: Final = 1.5
_COARSER_WINDOWED: Final = 1.4
"""Of bands read in windows: bilinear alone would move a point of level 1.1, whose cells are boxes,
by up to 0.51 tile pixels at 1.49 (0.49 at 1.4; averaged 0.34 and less)."""
_NODE_PX: Final = 64
"""Nodes are at most as many tile pixels apart."""
_STRAY_PX: Final = 0.0025
"""What a bilinear coordinate may be wrong, in tile pixels."""
_SUBTREE_PX: Final = 2048
"""Width of a subtree, in cells at most: what a thread draws at a time."""
_FEW_BANDS: Final = 4
"""Windows of more bands (beams: half a dozen overlap here or there) are half as wide."""


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
    def of(cls, surface: Surface, zoom: int, *, windowed: int = 0) -> Scale:
        """Choose the scale of `surface` at `zoom`.

        Parameters
        ----------
        surface
            Where the image lies.
        zoom
            The deepest.
        windowed
            How many bands are read in windows (and not out of a mapped file).
        """
        latitude = center_lat(surface)
        step = pixel_m(zoom, latitude)

        coarser = _COARSER_WINDOWED if windowed else _COARSER

        def cell(spacing_m: float) -> int:
            ratio = step / spacing_m
            return max(2, round(ratio)) if ratio > coarser else 1

        lines, pixels = cell(surface.line_m), cell(surface.pixel_m)
        each = (1, 1) if windowed and slides(lines, pixels) else (lines, pixels)
        cells = max(step / (surface.line_m * each[0]), step / (surface.pixel_m * each[1]))
        many = 2.0 if windowed > _FEW_BANDS else 1.0
        levels = max(0, int(math.log2(_SUBTREE_PX / (TILE_PX * max(cells * many, 1.0)))))
        return cls(zoom, lines, pixels, _node_px(step, latitude), min(levels, zoom))


def slides(cell_lines: int, cell_pixels: int) -> bool:
    """Whether a window is averaged around every pixel's corner: cells of two, at most."""
    return max(cell_lines, cell_pixels) == 2


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

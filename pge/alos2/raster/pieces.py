"""One band over one subtree of tiles: read, averaged where it must be, and resampled.

A band whose numbers lie in a mapped file is calibrated tile by tile by the kernel that resamples
it, in a patch that stays in the processor's cache; of another a window is read for each subtree.

Such a window, where two by two of its pixels come to one of a tile (as at the native zoom, where
tile pixels are one to two times as large), is averaged around every corner of its pixels and not
thinned out. The pixels of level 1.1 are boxes of samples; thinned out to boxes of boxes they would
move what is small by up to 0.6 tile pixels. Around corners it is less than 0.45, and the four means
that a place lies between share the very pixel that it lies in, whose mask it has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from alos2.raster.blocks import multilook, strips
from alos2.raster.control import check
from alos2.raster.greykernels import clean, sliding_means
from alos2.raster.pictures import TILE_PX, Cancelled
from alos2.raster.source import PixelSource, RawPixels, RawSource
from alos2.raster.warp import Nodes, Scale, slides
from alos2.raster.warpkernels import DRAWN, base_tile, keep_valid, sample_masked
from alos2.types import Window

Power = npt.NDArray[np.float32]
"""Linear sigma nought; 0 where there is no data."""

_FIRST_PATCH: Final = 600 * 600
_MUCH_THE_SAME: Final = 0.8


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
    """A band whose calibrated window has been read.

    Parameters
    ----------
    power
        The window's cells; those of its border are not valid.
    corner
        Row and column of the first.
    cells
        Column and row of the cell at the nodes; cell centres are whole numbers.
    node_px
        Tile pixels between two nodes.
    """

    def __init__(self, power: Power, corner: tuple[int, int], cells: Nodes, node_px: int) -> None:
        self._flat = power.reshape(-1)
        self._window = (*power.shape, *corner)
        self._steps, self._node_px = TILE_PX // node_px, node_px
        self._cells = cells

    def draw(self, down: int, across: int, tile: Power) -> bool:
        """See `Piece.draw`."""
        at = self._at(down, across)
        return at is not None and self._sample(at, tile)

    def _at(self, down: int, across: int) -> Nodes | None:
        """Cells at the nodes of a tile; None where it lies beside the window."""
        part = np.s_[down : down + self._steps + 1, across : across + self._steps + 1]
        u, v = (np.ascontiguousarray(values[part]) for values in self._cells)
        rows, columns, top, left = self._window
        if u.max() < left or v.max() < top or u.min() > left + columns or v.min() > top + rows:
            return None
        return Nodes(u, v)

    def _sample(self, at: Nodes, tile: Power) -> bool:
        rows, columns, top, left = self._window
        return bool(sample_masked(self._flat, rows, columns, *at, top, left, self._node_px, tile))


class SlidingPiece(WindowPiece):
    """A window averaged over cells that overlap, of `lines` and `pixels` (1 or 2) each.

    Parameters
    ----------
    power, corner
        As of a `WindowPiece`, and not averaged yet: it is, in place.
    nodes
        Image coordinates.
    scale
        Size of a cell, and how far nodes are apart.
    """

    def __init__(self, power: Power, corner: tuple[int, int], nodes: Nodes, scale: Scale) -> None:
        # In image coordinates a mean's centre lies n / 2 behind the edge of its first pixel.
        cells = Nodes(nodes.pixel - scale.cell_pixels / 2, nodes.line - scale.cell_lines / 2)
        super().__init__(power, corner, cells, scale.node_px)
        self._valid = power > 0
        self._half = (scale.cell_lines / 2, scale.cell_pixels / 2)
        sliding_means(power, scale.cell_lines, scale.cell_pixels)

    def _sample(self, at: Nodes, tile: Power) -> bool:
        if not super()._sample(at, tile):
            return False
        _, _, top, left = self._window
        return bool(keep_valid(self._valid, *at, top, left, *self._half, self._node_px, tile))


def is_windowed(source: PixelSource) -> bool:
    """Whether windows of a band are read (and its numbers do not lie in a mapped file)."""
    return not isinstance(source, RawSource) or source.raw is None


def opener_of(source: PixelSource, scale: Scale) -> Opener:
    """Return the way in which `source` is made ready over a subtree, the fastest it has."""
    raw = source.raw if isinstance(source, RawSource) else None
    if raw is None:
        read = _read_sliding if slides(scale.cell_lines, scale.cell_pixels) else _read_piece
        return lambda nodes, _, cancelled: read(source, scale, nodes, cancelled)
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
        _read(source, window, inner, cancelled)
    else:
        size = (scale.cell_lines, scale.cell_pixels)
        inner[:] = multilook(source, *size, window=window, cancelled=cancelled).power
    if not clean(power):
        return None
    top, left = window.line // scale.cell_lines, window.pixel // scale.cell_pixels
    cells = Nodes(nodes.pixel / scale.cell_pixels - 0.5, nodes.line / scale.cell_lines - 0.5)
    power, corner = _trimmed(power, (top - 1, left - 1))
    return WindowPiece(power, corner, cells, scale.node_px)


def _read_sliding(
    source: PixelSource, scale: Scale, nodes: Nodes, cancelled: Cancelled
) -> Piece | None:
    """Read the window that the nodes span, to be averaged over cells that overlap."""
    around = nodes.window(scale._replace(cell_lines=1, cell_pixels=1), source.shape)
    if around is None:
        return None
    line, pixel = max(0, around.line - 1), max(0, around.pixel - 1)
    window = Window(
        line,
        pixel,
        min(around.line + around.lines + 1, source.shape.lines) - line,
        min(around.pixel + around.pixels + 1, source.shape.pixels) - pixel,
    )
    power = np.zeros((window.lines + 2, window.pixels + 2), np.float32)
    _read(source, window, power[1:-1, 1:-1], cancelled)
    if not clean(power):
        return None
    power, corner = _trimmed(power, (window.line - 1, window.pixel - 1))
    return SlidingPiece(power, corner, nodes, scale)


def _trimmed(power: Power, corner: tuple[int, int]) -> tuple[Power, tuple[int, int]]:
    """Leave away what is not valid around a window, but for a border of one cell.

    So the tiles beside a beam need not be looked at. A window that would be much the same is left
    as it is.
    """
    rows, columns = np.flatnonzero(power.any(axis=1)), np.flatnonzero(power.any(axis=0))
    top, left = int(rows[0]) - 1, int(columns[0]) - 1
    kept = power[top : int(rows[-1]) + 2, left : int(columns[-1]) + 2]
    if kept.size > _MUCH_THE_SAME * power.size:
        return power, corner
    return np.ascontiguousarray(kept), (corner[0] + top, corner[1] + left)


def _read(source: PixelSource, window: Window, power: Power, cancelled: Cancelled) -> None:
    """Read a window into `power`, strip by strip."""
    for strip in strips(window):
        check(cancelled)
        first = strip.line - window.line
        power[first : first + strip.lines] = source.power(strip)

"""The tile pyramid: deepest zoom resampled, each parent the power mean of its four children.

The pyramid is cut into subtrees of a few zooms, in the order of a walk through the tree. Threads
work on subtrees; the walk collects their roots and makes the parents above. What is in memory are,
for each thread, a window of the image and a tile of each zoom and band, whatever the size of the
image.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import NamedTuple

import mercantile

from alos2.errors import UsageError
from alos2.raster.control import check
from alos2.raster.greykernels import halve
from alos2.raster.layers import Layer, LayerReport, Surface
from alos2.raster.mercator import ancestors, children, cover
from alos2.raster.painter import Canvas, Painter, Square
from alos2.raster.pictures import TILE_PX, Cancelled, Progress
from alos2.raster.pieces import Patch, Piece, Power, is_windowed, opener_of
from alos2.raster.source import PixelSource
from alos2.raster.warp import Scale, subtree_nodes

_HALF = TILE_PX // 2


class _Room:
    """Memory of one thread, kept from tile to tile: fresh pages cost more than what is drawn."""

    def __init__(self, bands: int) -> None:
        self._bands = bands
        self._levels: dict[int, list[Square]] = {}
        self.canvas = Canvas()
        self.patch = Patch()

    def at(self, zoom: int) -> list[Square]:
        """Return the tile of a zoom, band by band."""
        if zoom not in self._levels:
            self._levels[zoom] = [Square() for _ in range(self._bands)]
        return self._levels[zoom]


class _Branch(NamedTuple):
    """The root of a subtree."""

    drawn: int
    """A bit for each band that has something there."""
    power: list[Power]
    """Of those bands, in order."""


class Pyramid:
    """Draws layers from the bands of one image; see `layers.draw_layers`."""

    def __init__(
        self,
        sources: Sequence[PixelSource],
        surface: Surface,
        layers: Sequence[Layer],
        *,
        threads: int,
        cancelled: Cancelled,
    ) -> None:
        _check(sources, surface, layers)
        self._surface = surface
        self._layers = layers
        self._threads = threads
        self._cancelled = cancelled
        self._painters = [Painter(layer) for layer in layers]
        self._bands = range(len(sources))
        self._top_zoom = min(layer.min_zoom for layer in layers)
        self.scale = Scale.of(
            surface,
            max(layer.max_zoom for layer in layers),
            windowed=sum(is_windowed(source) for source in sources),
        )
        self._openers = [opener_of(source, self.scale) for source in sources]
        self._rooms: SimpleQueue[_Room] = SimpleQueue()
        for _ in range(threads):
            self._rooms.put(_Room(len(sources)))

    @property
    def root_zoom(self) -> int:
        """Zoom of the subtrees' roots."""
        return self.scale.zoom - self.scale.levels

    def draw(self, stage: str, progress: Progress) -> tuple[LayerReport, ...]:
        """Put all tiles that are not empty into their sinks; raises what `draw_layers` does."""
        roots, beyond = cover(self._surface, self.root_zoom)
        wanted = ancestors(roots)
        world = mercantile.Tile(0, 0, 0)
        order = list(_walk(world, wanted, self.root_zoom))
        room = _Room(len(self._bands))
        with ThreadPoolExecutor(self._threads) as pool:
            branches = enumerate(_ahead(pool, self._branch, order, 2 * self._threads))

            def take(root: mercantile.Tile) -> int:
                number, branch = next(branches)
                squares = room.at(root.z)
                drawn = [band for band in self._bands if branch.drawn >> band & 1]
                for band, power in zip(drawn, branch.power, strict=True):
                    squares[band].power[:] = power
                progress(stage, number + 1, len(order))
                return branch.drawn

            try:
                if order:
                    self._grow(world, room, wanted, self.root_zoom, take)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        return tuple(
            LayerReport(
                layer.name, painter.tiles, painter.bytes, layer.min_zoom, layer.max_zoom, beyond
            )
            for layer, painter in zip(self._layers, self._painters, strict=True)
        )

    def _branch(self, root: mercantile.Tile) -> _Branch:
        """Draw one subtree; runs in a thread."""
        check(self._cancelled)
        nodes = subtree_nodes(self._surface, root, self.scale)
        room = self._rooms.get()
        try:
            pieces = [open_(nodes, room.patch, self._cancelled) for open_ in self._openers]
            if not any(pieces):
                return _Branch(0, [])
            steps = TILE_PX // self.scale.node_px
            side = 2**self.scale.levels

            def resample(tile: mercantile.Tile) -> int:
                check(self._cancelled)
                down, across = tile.y - root.y * side, tile.x - root.x * side
                drawn = _resample(pieces, down * steps, across * steps, room.at(tile.z))
                self._paint(tile, room, drawn)
                return drawn

            drawn = self._grow(root, room, None, self.scale.zoom, resample)
            tops = room.at(root.z)
            power = [tops[band].power.copy() for band in self._bands if drawn >> band & 1]
            return _Branch(drawn, power)
        finally:
            self._rooms.put(room)

    def _grow(
        self,
        tile: mercantile.Tile,
        room: _Room,
        wanted: frozenset[mercantile.Tile] | None,
        leaf_zoom: int,
        leaf: Callable[[mercantile.Tile], int],
    ) -> int:
        """Draw a tile and those below it, to the leaves; returns the bits of the bands drawn."""
        if wanted is not None and tile not in wanted:
            return 0
        if tile.z == leaf_zoom:
            return leaf(tile)
        squares, below = room.at(tile.z), room.at(tile.z + 1)
        quarters = []
        for number, child in enumerate(children(tile)):
            found = self._grow(child, room, wanted, leaf_zoom, leaf)
            for band in self._bands:
                if found >> band & 1:
                    halve(below[band].power, squares[band].power, *_corner(number))
            quarters.append(found)
        drawn = quarters[0] | quarters[1] | quarters[2] | quarters[3]
        for band in self._bands:
            # Most of many beams are nowhere near: a band that nobody will look at stays as it is.
            if drawn >> band & 1:
                for number, found in enumerate(quarters):
                    if not found >> band & 1:
                        down, across = _corner(number)
                        squares[band].power[down : down + _HALF, across : across + _HALF] = 0
        self._paint(tile, room, drawn)
        return drawn

    def _paint(self, tile: mercantile.Tile, room: _Room, drawn: int) -> None:
        if drawn and tile.z >= self._top_zoom:
            for painter in self._painters:
                painter.paint(tile, room.at(tile.z), drawn, room.canvas)


def _corner(number: int) -> tuple[int, int]:
    """First line and pixel of a quarter of a tile, in the order of `children`."""
    return number // 2 * _HALF, number % 2 * _HALF


def _resample(
    pieces: Sequence[Piece | None], down: int, across: int, squares: Sequence[Square]
) -> int:
    drawn = 0
    for band, (piece, square) in enumerate(zip(pieces, squares, strict=True)):
        if piece is not None and piece.draw(down, across, square.power):
            drawn |= 1 << band
    return drawn


def _check(sources: Sequence[PixelSource], surface: Surface, layers: Sequence[Layer]) -> None:
    if not layers:
        raise UsageError("there is no layer to draw")
    for source in sources:
        if tuple(source.shape) != tuple(surface.shape):
            raise UsageError(
                f"{source.name} has {tuple(source.shape)} lines and pixels, and the ground that "
                f"it is drawn on {tuple(surface.shape)}"
            )
    for layer in layers:
        bands = [b for c in layer.channels for b in (c.band, c.over) if b is not None]
        if not all(0 <= band < len(sources) for band in bands):
            raise UsageError(f"layer {layer.name} wants bands {bands} of {len(sources)}")


def _walk(
    tile: mercantile.Tile, wanted: frozenset[mercantile.Tile], zoom: int
) -> Iterator[mercantile.Tile]:
    """Give the wanted tiles of `zoom` below `tile`, in the order in which a climb meets them."""
    if tile not in wanted:
        return
    if tile.z == zoom:
        yield tile
        return
    for child in children(tile):
        yield from _walk(child, wanted, zoom)


def _ahead(
    pool: ThreadPoolExecutor,
    work: Callable[[mercantile.Tile], _Branch],
    order: Sequence[mercantile.Tile],
    ahead: int,
) -> Iterator[_Branch]:
    """Give the results of `work` in order, never more than `ahead` begun beyond the one given."""
    begun: deque[Future[_Branch]] = deque()
    for tile in order:
        begun.append(pool.submit(work, tile))
        if len(begun) > ahead:
            yield begun.popleft().result()
    while begun:
        yield begun.popleft().result()

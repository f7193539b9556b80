"""The tile pyramid: deepest zoom resampled, each parent the power mean of its four children.

The pyramid is cut into subtrees of a few zooms, in the order of a walk through the tree. Threads
work on subtrees (each reads its own window of the image); the walk collects their roots and makes
the parents above. What is in memory are the windows of the threads and four tiles a zoom, whatever
the size of the image.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import mercantile
import numpy as np

from alos2.raster.control import check
from alos2.raster.files import make_folder, write_file
from alos2.raster.mercator import ancestors, children, row
from alos2.raster.pictures import (
    TILE_PX,
    Cancelled,
    PictureOptions,
    Progress,
    StretchLimits,
)
from alos2.raster.places import Places
from alos2.raster.png import encode_grey
from alos2.raster.source import PixelSource
from alos2.raster.stretch import to_grey
from alos2.raster.warp import (
    Nodes,
    Patch,
    Scale,
    Tile,
    base_tile,
    read_patch,
    subtree_nodes,
)

_HALF = TILE_PX // 2


def parent_of(four: Sequence[Tile | None]) -> Tile | None:
    """Average four tiles (north-west, north-east, south-west, south-east) to the one above.

    Each pixel is the mean power of those of its four pixels that are valid, and valid if any is:
    so a scene that is smaller than a pixel of the whole world's tile is still seen there.
    """
    if all(tile is None for tile in four):
        return None
    parent: Tile = np.full((TILE_PX, TILE_PX), np.nan, np.float32)
    for number, tile in enumerate(four):
        if tile is not None:
            down, across = number // 2 * _HALF, number % 2 * _HALF
            parent[down : down + _HALF, across : across + _HALF] = _halved(tile)
    return parent


def _halved(tile: Tile) -> Tile:
    valid = np.isfinite(tile)
    if valid.all():
        quarter: Tile = tile[0::2, 0::2] + tile[0::2, 1::2]
        quarter += tile[1::2, 0::2]
        quarter += tile[1::2, 1::2]
        quarter *= np.float32(0.25)
        return quarter
    blocks = (_HALF, 2, _HALF, 2)
    count = valid.reshape(blocks).sum(axis=(1, 3), dtype=np.float32)
    total = np.where(valid, tile, np.float32(0)).reshape(blocks).sum(axis=(1, 3))
    with np.errstate(invalid="ignore"):
        mean: Tile = total / count
    return mean


@dataclass
class Written:
    """What has been written: tiles, and their bytes."""

    tiles: int = 0
    bytes: int = 0

    def add(self, other: Written) -> None:
        """Count what another has written."""
        self.tiles += other.tiles
        self.bytes += other.bytes


class _Branch(NamedTuple):
    top: Tile | None
    written: Written


class Pyramid:
    """Draws one layer of tiles into a folder."""

    def __init__(
        self,
        source: PixelSource,
        places: Places,
        folder: Path,
        limits: StretchLimits,
        options: PictureOptions,
        *,
        cancelled: Cancelled,
    ) -> None:
        self._source = source
        self._places = places
        self._folder = folder
        self._limits = limits
        self._options = options
        self._cancelled = cancelled
        self.scale = Scale.of(places, options.max_zoom)

    @property
    def root_zoom(self) -> int:
        """Zoom of the subtrees' roots."""
        return self.scale.zoom - self.scale.levels

    def draw(self, roots: frozenset[mercantile.Tile], stage: str, progress: Progress) -> Written:
        """Write all tiles that are not empty below and above `roots`.

        Raises
        ------
        BadProduct
            The image cannot be read.
        NoSpace, NoResource
            A tile cannot be written.
        Interrupted
            Somebody asked to stop.
        """
        wanted = ancestors(roots)
        world = mercantile.Tile(0, 0, 0)
        order = list(_walk(world, wanted, self.root_zoom))
        written = Written()
        done = 0
        with ThreadPoolExecutor(self._options.threads) as pool:
            branches = _ahead(pool, self._branch, order, self._options.threads + 1)

            def climb(tile: mercantile.Tile) -> Tile | None:
                nonlocal done
                if tile not in wanted:
                    return None
                if tile.z == self.root_zoom:
                    branch = next(branches)
                    written.add(branch.written)
                    done += 1
                    progress(stage, done, len(order))
                    return branch.top
                power = parent_of([climb(child) for child in children(tile)])
                self._write(tile, power, written)
                return power

            try:
                climb(world)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        return written

    def _branch(self, root: mercantile.Tile) -> _Branch:
        """Draw one subtree; runs in a thread."""
        check(self._cancelled)
        written = Written()
        nodes = subtree_nodes(self._places, root, self.scale)
        patch = read_patch(self._source, nodes, self.scale, self._cancelled)
        if patch is None:
            return _Branch(None, written)
        return _Branch(self._grow(root, root, patch, nodes, written), written)

    def _grow(
        self,
        tile: mercantile.Tile,
        root: mercantile.Tile,
        patch: Patch,
        nodes: Nodes,
        written: Written,
    ) -> Tile | None:
        if tile.z == self.scale.zoom:
            check(self._cancelled)
            power = base_tile(patch, nodes, root, tile, self.scale)
        else:
            power = parent_of(
                [self._grow(child, root, patch, nodes, written) for child in children(tile)]
            )
        self._write(tile, power, written)
        return power

    def _write(self, tile: mercantile.Tile, power: Tile | None, written: Written) -> None:
        if power is None or tile.z < self._options.min_zoom:
            return
        data = encode_grey(to_grey(power, self._limits))
        column = self._folder / str(tile.z) / str(tile.x)
        make_folder(column)
        write_file(column / f"{row(tile, tms=self._options.tms)}.png", data)
        written.add(Written(1, len(data)))


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

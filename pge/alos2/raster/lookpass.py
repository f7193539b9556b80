"""One pass over a complex image: read once, in order, at the speed of the disk.

Threads take the next block of some megabytes each and average it where it lies, in the mapped file;
the system reads ahead of them. What is in memory does not depend on the size of the image.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from alos2.raster.cells import CELL, CellStore
from alos2.raster.control import check
from alos2.raster.pictures import Cancelled, Progress, never, silent
from alos2.raster.rawlines import BlockSource
from alos2.types import RasterShape

BLOCK_BYTES: Final = 4 << 20
_TICK_S: Final = 0.1


class Looks(NamedTuple):
    """Samples that are averaged to a cell."""

    lines: int
    pixels: int

    def cells(self, shape: RasterShape) -> RasterShape:
        """Cells that an image has; the last ones may be smaller."""
        return RasterShape(-(-shape.lines // self.lines), -(-shape.pixels // self.pixels))


class _Blocks:
    """Hands blocks of whole rows of cells to threads, and knows how far they are."""

    def __init__(self, source: BlockSource, looks: Looks) -> None:
        self.lines = looks.lines * max(1, BLOCK_BYTES // (source.line_bytes * looks.lines))
        self.stop = threading.Event()
        self.done = 0
        self._total = source.shape.lines
        self._next = 0
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[tuple[int, int]]:
        while not self.stop.is_set():
            with self._lock:
                first = self._next
                self._next += self.lines
            if first >= self._total:
                return
            lines = min(self.lines, self._total - first)
            yield first, lines
            with self._lock:
                self.done += lines


def fill_cells(
    source: BlockSource,
    store: CellStore,
    looks: Looks,
    gains: npt.NDArray[np.float32],
    *,
    threads: int = 2,
    stage: str = "",
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> None:
    """Average an image over cells into `store`.

    Parameters
    ----------
    source
        The image.
    store
        Of ``looks.cells(source.shape)``; gets the mean sigma nought of each cell's valid samples,
        NaN where there is none.
    looks
        Size of a cell.
    gains
        Sigma nought of a sample whose ``I^2 + Q^2`` is 1, for each pixel of a line.
    threads
        That read and average, at least 1.
    stage
        What `progress` is told; lines are its unit.

    Raises
    ------
    BadProduct
        The image cannot be read, or ends too early.
    NoSpace, NoResource
        The cells cannot be kept.
    Interrupted
        `cancelled` said so.
    """
    from alos2.raster.lookkernels import look_block  # noqa: PLC0415  numba only to average

    if store.shape != looks.cells(source.shape) or len(gains) != source.shape.pixels:
        raise ValueError(f"{store.shape} cells are not those of {source.shape} at {looks}")
    blocks = _Blocks(source, looks)
    pixels, columns = source.shape.pixels, store.shape.pixels

    def work() -> None:
        power, missing = np.empty(pixels, np.float32), np.empty(pixels, np.int32)
        cells = np.empty(columns, np.float32)
        rows = np.empty((blocks.lines // looks.lines, columns), CELL)
        room = np.empty(blocks.lines * source.line_bytes, np.uint8)  # no memory until written to
        for first, lines in blocks:
            block = source.block(first, lines, room)
            out = rows[: -(-lines // looks.lines)]
            look_block(
                block.samples, 0, block.stride, lines, looks.lines, looks.pixels, gains,
                power, missing, cells, out,
            )  # fmt: skip
            source.done(lines)
            store.write(first // looks.lines, out)

    with ThreadPoolExecutor(threads) as pool:
        workers = [pool.submit(work) for _ in range(threads)]
        try:
            while wait(workers, _TICK_S).not_done:
                check(cancelled)
                if any(worker.done() and worker.exception() for worker in workers):
                    break
                progress(stage, blocks.done, source.shape.lines)
        finally:
            blocks.stop.set()
        for worker in workers:
            worker.result()
    check(cancelled)
    progress(stage, source.shape.lines, source.shape.lines)

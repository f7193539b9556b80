"""How a timescan goes through its files: the numbers of all dates, piece by piece of the image."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from alos2.errors import BadProduct
from alos2.product.model import MapGrid
from alos2.raster.manyfiles import ManyFiles
from alos2.raster.rawtiles import RawTiles, open_raw_tiles
from alos2.types import RasterShape, Window

Numbers: TypeAlias = npt.NDArray[Any]

_LARGEST_PIECE_BYTES: Final = 24 << 20
"""What is read for a piece should stay near the processor until it is used."""
_SMALLEST_PIECE_BYTES: Final = 1 << 20


class Pieces:
    """Numbers of all dates, piece by piece; a context manager.

    A piece is whole tiles of what is read and of what will be written.

    Parameters
    ----------
    layers
        Path and band number of each date.
    block
        Width and height of the tiles that will be written.
    budget
        Bytes that a piece may take.
    bytes_per_pixel
        What a pixel of a piece takes, of all dates and results.

    Raises
    ------
    BadProduct
        The files are not of one grid and type, or cannot be opened.
    """

    def __init__(
        self, layers: Sequence[tuple[Path, int]], block: int, budget: int, bytes_per_pixel: int
    ) -> None:
        with ExitStack() as stack:
            self._files = stack.enter_context(ManyFiles(layers, threads=1))
            self._raw: RawTiles | None = stack.enter_context(open_raw_tiles(layers))
            self._stack = stack.pop_all()
        self.grid: MapGrid = self._files.grid
        self.dtype = self._files.dtype
        self.nodata = self._files.nodata
        high, wide = block, block
        if self._raw is not None:
            high = math.lcm(block, self._raw.layout.tile_lines)
            wide = math.lcm(block, self._raw.layout.tile_pixels)
        budget = max(_SMALLEST_PIECE_BYTES, min(_LARGEST_PIECE_BYTES, budget))
        self._lines = high
        self._pixels = max(1, budget // (high * bytes_per_pixel * wide)) * wide

    def __enter__(self) -> Pieces:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def windows(self, lines: range) -> Iterator[Window]:
        """Yield the windows that cover some lines, which begin at a multiple of a block."""
        shape: RasterShape = self.grid.shape
        for line in range(lines.start, lines.stop, self._lines):
            high = min(self._lines, lines.stop - line)
            for pixel in range(0, shape.pixels, self._pixels):
                yield Window(line, pixel, high, min(self._pixels, shape.pixels - pixel))

    def read(self, window: Window) -> Numbers:
        """Return the numbers of all dates in an order that `lines_of` undoes, shape (n, pixels).

        Raises
        ------
        BadProduct
            A file cannot be read there; it is named.
        """
        rows, columns = self._tiles(window)
        if self._raw is None or rows is None or columns is None:
            return self._files.read(window).reshape(len(self._files), -1)
        layout = self._raw.layout
        pixels = len(rows) * len(columns) * layout.tile_lines * layout.tile_pixels
        stack = np.empty((len(self._files), pixels), self.dtype)
        self._raw.read(rows, columns, stack)
        return stack

    def lines_of(self, plane: Numbers, window: Window) -> Numbers:
        """Return a plane of results as an image, shape (lines, pixels)."""
        rows, columns = self._tiles(window)
        if self._raw is None or rows is None or columns is None:
            return plane.reshape(window.lines, window.pixels)
        return self._raw.lines_of(plane, rows, columns)

    def _tiles(self, window: Window) -> tuple[range | None, range | None]:
        """Return the tiles that make up a window exactly; None if it needs parts of tiles."""
        if self._raw is None:
            return None, None
        layout = self._raw.layout
        return (
            _whole(window.line, window.lines, layout.tile_lines, layout.lines),
            _whole(window.pixel, window.pixels, layout.tile_pixels, layout.pixels),
        )


def _whole(first: int, count: int, tile: int, size: int) -> range | None:
    last = first + count
    if first % tile or (last % tile and last != size):
        return None
    return range(first // tile, -(-last // tile))


def require_type(pieces: Pieces, dtype: str, what: Path) -> None:
    """Refuse files whose numbers are not those that the series says.

    Raises
    ------
    BadProduct
        They are of another type.
    """
    if pieces.dtype != np.dtype(dtype):
        raise BadProduct(
            f"{what}: its numbers are {pieces.dtype}, and the series says {dtype}",
            hint="make the series again",
        )

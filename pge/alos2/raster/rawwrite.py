"""Uncompressed tiles written straight to their places in a GeoTIFF.

GDAL makes the file, with the places of all tiles and nothing in them; then every tile has one
place, whatever comes first. So nothing has to be put in order by copying the whole file, which
takes as long as all the rest where a result is as large as what it is made of.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from alos2.raster.rawtiles import TileLayout, tile_offsets
from alos2.types import Window

_GDAL_NODATA: Final = 42113
_ASCII: Final = 2


class TileWriter:
    """Puts windows of one band into the tiles of an uncompressed file that GDAL has made.

    Raises
    ------
    OSError
        The file is not whole.
    """

    def __init__(self, path: Path, layout: TileLayout, dtype: np.dtype[Any], nodata: float) -> None:
        offsets = tile_offsets(path, layout, dtype)
        if offsets is None or (offsets == 0).any():
            raise _unwritten(path)
        self._offsets = offsets
        self._layout = layout
        self._dtype = dtype
        self._nodata = nodata
        self._written = np.zeros(offsets.shape, bool)
        self._tile_bytes = layout.tile_lines * layout.tile_pixels * dtype.itemsize
        self._descriptor = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))

    def write(self, window: Window, plane: npt.NDArray[Any]) -> None:
        """Write a window, shape (lines, pixels)."""
        layout, (high, wide) = self._layout, self._layout[2:]
        rows = range(window.line // high, -(-(window.line + window.lines) // high))
        columns = range(window.pixel // wide, -(-(window.pixel + window.pixels) // wide))
        top, left = window.line - rows.start * high, window.pixel - columns.start * wide
        bottom, right = top + window.lines, left + window.pixels
        whole = (
            (top, left) == (0, 0)
            and (bottom % high == 0 or window.line + window.lines == layout.lines)
            and (right % wide == 0 or window.pixel + window.pixels == layout.pixels)
        )
        shape = (len(rows), high, len(columns), wide)
        if whole and (bottom % high, right % wide) == (0, 0):
            tiles = plane.reshape(shape)
        else:
            lines = (
                np.full((len(rows) * high, len(columns) * wide), self._nodata, self._dtype)
                if whole
                else self._lines(rows, columns)
            )
            lines[top:bottom, left:right] = plane
            tiles = lines.reshape(shape)
        self._put(rows, columns, np.ascontiguousarray(tiles.transpose(0, 2, 1, 3)))

    def close(self, *, complete: bool) -> None:
        """Fill what was never written, if the file is complete. Holes are read as zeros."""
        try:
            if complete and self._nodata != 0:
                empty = np.full(self._layout[2:], self._nodata, self._dtype)
                for row, column in np.argwhere(~self._written).tolist():
                    tile = empty[np.newaxis, np.newaxis]
                    self._put(range(row, row + 1), range(column, column + 1), tile)
        finally:
            os.close(self._descriptor)

    def _put(self, rows: range, columns: range, tiles: npt.NDArray[Any]) -> None:
        """Write tiles, shape (rows, columns, lines, pixels)."""
        for row, run in zip(rows, tiles, strict=True):
            view = memoryview(run).cast("B")
            # GDAL gives all tiles their places at once, one behind the other.
            offset, done = int(self._offsets[row, columns.start]), 0
            while done < len(view):
                done += os.pwrite(self._descriptor, view[done:], offset + done)
        self._written[rows.start : rows.stop, columns.start : columns.stop] = True

    def _lines(self, rows: range, columns: range) -> npt.NDArray[Any]:
        """Return what tiles hold so far, as lines."""
        high, wide = self._layout[2:]
        tiles = np.full((len(rows), len(columns), high, wide), self._nodata, self._dtype)
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                if self._written[row, column]:
                    data = os.pread(
                        self._descriptor, self._tile_bytes, int(self._offsets[row, column])
                    )
                    tiles[i, j] = np.frombuffer(data, self._dtype).reshape(high, wide)
        return np.asarray(tiles.transpose(0, 2, 1, 3).reshape(len(rows) * high, -1))


def can_write_tiles() -> bool:
    """Whether the system lets files be written so."""
    return hasattr(os, "pwrite") and sys.byteorder == "little"


def say_nan(path: Path) -> None:
    """Make NaN the no-data value of a little-endian TIFF that has 0 as such.

    GDAL leaves a hole in the file where a tile is all zeros, but writes every tile that is all NaN,
    of which nothing would stay.

    Raises
    ------
    OSError
        The file is not whole.
    """
    try:
        _say_nan(path)
    except struct.error as error:  # it ends before what is looked for
        raise _unwritten(path) from error


def _say_nan(path: Path) -> None:
    with path.open("r+b") as file:
        big = file.read(4) == b"II+\0"
        file.seek(8 if big else 4)
        (start,) = struct.unpack("<Q" if big else "<I", file.read(8 if big else 4))
        file.seek(start)
        (entries,) = struct.unpack("<Q" if big else "<H", file.read(8 if big else 2))
        entry = struct.Struct("<HHQ8s" if big else "<HHI4s")
        start = file.tell()
        for number, found in enumerate(entry.iter_unpack(file.read(entries * entry.size))):
            if found[:2] == (_GDAL_NODATA, _ASCII):
                file.seek(start + number * entry.size)
                file.write(entry.pack(_GDAL_NODATA, _ASCII, 4, b"nan\0"))
                return
    raise _unwritten(path)


def _unwritten(path: Path) -> OSError:
    """GDAL keeps silent when it closes a file that it could not write: the disk is full."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

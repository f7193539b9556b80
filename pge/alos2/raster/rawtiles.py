"""Tiles of uncompressed GeoTIFFs, read straight from the files in the order they lie there.

What is done with every pixel by itself, such as statistics over the dates of a series, needs no
lines: the tiles of all files go from the disk into one array, and only the results, which are
fewer, are put into lines. Files that GDAL has to decode are read by `manyfiles`.
"""

from __future__ import annotations

import itertools
import os
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from alos2.errors import BadProduct
from alos2.raster.lean import RasterioError, rasterio
from alos2.raster.openfiles import OpenFile, the_pool

_TILE_OFFSETS: Final = 324
_TILE_BYTE_COUNTS: Final = 325
_KINDS: Final = {3: "<u2", 4: "<u4", 16: "<u8"}
_FEWEST_FOLDED: Final = 2


class TileLayout(NamedTuple):
    """How an image is cut into tiles."""

    lines: int
    """Of the image."""
    pixels: int
    tile_lines: int
    tile_pixels: int

    @property
    def rows(self) -> int:
        """Tiles from top to bottom."""
        return -(-self.lines // self.tile_lines)

    @property
    def columns(self) -> int:
        """Tiles from left to right."""
        return -(-self.pixels // self.tile_pixels)


class _File(NamedTuple):
    path: Path
    file: OpenFile[int]
    """Its descriptor."""
    offsets: npt.NDArray[np.int64]
    """Of each tile, shape (rows, columns); 0 where it was never written."""


class RawTiles:
    """Uncompressed tiled files of one layout and type; made by `open_raw_tiles`.

    Safe between threads.
    """

    def __init__(
        self, files: Sequence[_File], layout: TileLayout, dtype: np.dtype[Any], nodata: float
    ) -> None:
        self._files = files
        self.layout = layout
        self.dtype = dtype
        self._nodata = nodata
        self._tile_bytes = layout.tile_lines * layout.tile_pixels * dtype.itemsize

    def read(self, rows: range, columns: range, out: npt.NDArray[Any]) -> None:
        """Read some tiles of every file.

        Parameters
        ----------
        rows, columns
            Numbers of tiles.
        out
            C-contiguous, the files' type, shape (n, tiles * pixels of a tile): tile after tile.

        Raises
        ------
        BadProduct
            A file cannot be read there; it is named.
        """
        for file, plane in zip(self._files, out, strict=True):
            offsets = file.offsets[rows.start : rows.stop, columns.start : columns.stop].ravel()
            view = memoryview(plane).cast("B")
            with file.file.use() as descriptor:
                for first, last in _runs(offsets, self._tile_bytes):
                    place = slice(first * self._tile_bytes, last * self._tile_bytes)
                    if offsets[first] == 0:
                        plane.reshape(len(offsets), -1)[first:last] = self._nodata
                    else:
                        _read_at(file.path, descriptor, int(offsets[first]), view[place])

    def lines_of(self, plane: npt.NDArray[Any], rows: range, columns: range) -> npt.NDArray[Any]:
        """Return a plane of `read`'s order, shape (tiles * pixels of a tile,), as lines."""
        high, wide = self.layout.tile_lines, self.layout.tile_pixels
        tiles = plane.reshape(len(rows), len(columns), high, wide).transpose(0, 2, 1, 3)
        lines = tiles.reshape(len(rows) * high, len(columns) * wide)
        bottom = min(rows.stop * high, self.layout.lines) - rows.start * high
        right = min(columns.stop * wide, self.layout.pixels) - columns.start * wide
        cut: npt.NDArray[Any] = lines[:bottom, :right]
        return cut


@contextmanager
def open_raw_tiles(layers: Sequence[tuple[Path, int]]) -> Iterator[RawTiles | None]:
    """Open files for `RawTiles`; None where GDAL is needed, or the system has no ``preadv``.

    Parameters
    ----------
    layers
        Path and band number (from 1) of files that `manyfiles.ManyFiles` has found to be of one
        grid and type.
    """
    with ExitStack() as stack:
        yield _opened(layers, stack)


def _opened(layers: Sequence[tuple[Path, int]], stack: ExitStack) -> RawTiles | None:
    if not hasattr(os, "preadv") or sys.byteorder != "little":
        return None
    files: list[_File] = []
    common: tuple[TileLayout, np.dtype[Any], float] | None = None
    for path, band in layers:
        try:
            form = _form_of(path, band)
            if form is None or form != (common or form):
                return None
            common = form
            file = the_pool().file(partial(_descriptor_of, path), os.close)
            stack.callback(file.close)
            layout, dtype, _ = form
            offsets = tile_offsets(path, layout, dtype)
        except (RasterioError, OSError, struct.error, ValueError):
            return None  # GDAL reads it, or says why not
        if offsets is None:
            return None
        files.append(_File(path, file, offsets))
    return None if common is None else RawTiles(files, *common)


def _descriptor_of(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise BadProduct(f"{path}: it cannot be read: {error}") from error


def _form_of(path: Path, band: int) -> tuple[TileLayout, np.dtype[Any], float] | None:
    """Return tiles, type and no-data value of a file of one band; None if GDAL has to read it."""
    with rasterio.open(path) as dataset:
        high, wide = dataset.block_shapes[0]
        plain = (
            dataset.driver == "GTiff"
            and (dataset.count, band) == (1, 1)
            and dataset.profile.get("tiled")
            and dataset.compression is None
            and "NBITS" not in dataset.tags(1, ns="IMAGE_STRUCTURE")
        )
        if not plain:
            return None
        nodata = 0.0 if dataset.nodata is None else float(dataset.nodata)
        if np.isnan(nodata):
            nodata = np.nan  # one object: NaN is not equal to another NaN
        return (
            TileLayout(dataset.height, dataset.width, high, wide),
            np.dtype(dataset.dtypes[0]),
            nodata,
        )


def tile_offsets(
    path: Path, layout: TileLayout, dtype: np.dtype[Any]
) -> npt.NDArray[np.int64] | None:
    """Return where the tiles of a little-endian TIFF begin; None if they are not as expected."""
    with path.open("rb") as file:
        try:
            found = _directory(file)
        except struct.error:  # it is cut
            return None
        if found is None:
            return None
        offsets, counts = found
        size = file.seek(0, os.SEEK_END)
    tile = layout.tile_lines * layout.tile_pixels * dtype.itemsize
    there = offsets > 0
    if (
        len(offsets) != layout.rows * layout.columns
        or len(counts) != len(offsets)
        or (counts[there] != tile).any()
        or (offsets + tile > size)[there].any()
    ):
        return None
    return offsets.reshape(layout.rows, layout.columns)


def _directory(file: BinaryIO) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None:
    """Read the offsets and lengths of tiles from a TIFF's first directory."""
    magic = file.read(4)
    if magic == b"II*\0":
        head, count_format, entry, inline = "<I", "<H", "<HHI4s", 4
    elif magic == b"II+\0":
        file.seek(8)
        head, count_format, entry, inline = "<Q", "<Q", "<HHQ8s", 8
    else:
        return None
    file.seek(_unpack(file, head))
    entries = _unpack(file, count_format)
    step = struct.calcsize(entry)
    directory = file.read(entries * step)
    found: dict[int, npt.NDArray[np.int64]] = {}
    for tag, kind, count, field in struct.iter_unpack(entry, directory):
        if tag not in {_TILE_OFFSETS, _TILE_BYTE_COUNTS}:
            continue
        if kind not in _KINDS:
            return None
        numbers = np.dtype(_KINDS[kind])
        raw = field
        if count * numbers.itemsize > inline:
            file.seek(int.from_bytes(field, "little"))
            raw = file.read(count * numbers.itemsize)
        found[tag] = np.frombuffer(raw, numbers, count).astype(np.int64)
    if len(found) < _FEWEST_FOLDED:
        return None
    return found[_TILE_OFFSETS], found[_TILE_BYTE_COUNTS]


def _unpack(file: BinaryIO, layout: str) -> int:
    return int(struct.unpack(layout, file.read(struct.calcsize(layout)))[0])


def _runs(offsets: npt.NDArray[np.int64], size: int) -> Iterator[tuple[int, int]]:
    """Yield first and last + 1 of tiles that lie one behind the other, or are not there at all."""
    step = np.diff(offsets)
    missing = offsets == 0
    together = np.where(missing[:-1], missing[1:], (step == size) & ~missing[1:])
    edges = [0, *(np.flatnonzero(~together) + 1).tolist(), len(offsets)]
    yield from itertools.pairwise(edges)


def _read_at(path: Path, descriptor: int, offset: int, view: memoryview) -> None:
    done = 0
    try:
        while done < len(view):
            count = os.preadv(descriptor, [view[done:]], offset + done)
            if count == 0:
                raise BadProduct(
                    f"{path}: it ends at byte {offset + done}, before its pixels do",
                    hint="make the file again",
                )
            done += count
    except OSError as error:
        raise BadProduct(f"{path}: it cannot be read: {error}") from error

"""The samples of a complex image as lines at a fixed distance in its file.

So CEOS has them, and a GeoTIFF whose strips follow each other without compression. What is not so
(a rewritten GeoTIFF) is read through GDAL, and comes out as the same blocks.

What the system still holds in its cache is looked at where it lies, mapped: a copy would cost as
much as the averaging. What it does not hold is read as a plain program would, in order, which lets
the system read ahead as far as it can; page faults would not.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from alos2.ceos.image import CeosImage
from alos2.errors import BadProduct, BadRecord
from alos2.product.model import Image
from alos2.product.tiff import read_tiff_header
from alos2.raster.readers import SampleReader, open_reader
from alos2.types import RasterShape, Window

_RESIDENT_BYTES: Final = 64 << 20
"""Mapped bytes that may be touched before they are given back."""
_STRETCH_BYTES: Final = 64 << 20
"""Whether the cache holds the file is asked once for so many bytes, at their end: farther than the
system reads ahead."""
_CAN_ASK: Final = hasattr(os, "preadv") and hasattr(os, "RWF_NOWAIT")


class Block(NamedTuple):
    """Lines of samples, as `lookkernels.look_block` takes them."""

    samples: npt.NDArray[Any]
    """Flat, one number a sample, with whatever lies between the lines; read-only."""
    stride: int
    """From line to line; the first sample is at 0."""


class BlockSource(Protocol):
    """A complex image that is read block by block; safe between threads."""

    shape: RasterShape
    line_bytes: int
    """Bytes from line to line."""

    def block(self, line: int, lines: int, room: npt.NDArray[np.uint8]) -> Block:
        """Return some whole lines.

        Parameters
        ----------
        line, lines
            The first, and how many.
        room
            At least ``lines * line_bytes`` bytes of the caller's, which may be returned.

        Raises
        ------
        BadProduct
            They cannot be read.
        """

    def done(self, lines: int) -> None:
        """Take note that so many lines will not be needed again."""


class _Layout(NamedTuple):
    """How samples lie in a file."""

    first_byte: int
    line_bytes: int
    sample: np.dtype[Any]


class _FileLines:
    """`BlockSource` over a file: it returns the page cache itself, or what it has read."""

    def __init__(self, file: BinaryIO, path: Path, shape: RasterShape, layout: _Layout) -> None:
        self.shape = shape
        self.line_bytes = layout.line_bytes
        self._file, self._path, self._layout = file, path, layout
        # Not closed but dropped: arrays over it may live on in a traceback.
        self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        if hasattr(mmap, "MADV_SEQUENTIAL"):
            self._mapped.madvise(mmap.MADV_SEQUENTIAL)
        self._touched = 0
        self._in_cache: dict[int, bool] = {}
        self._lock = threading.Lock()

    def block(self, line: int, lines: int, room: npt.NDArray[np.uint8]) -> Block:
        """See `BlockSource.block`."""
        sample = self._layout.sample
        stride = self.line_bytes // sample.itemsize
        start = self._layout.first_byte + line * self.line_bytes
        # The last line ends with its last sample: what follows may be nothing.
        count = (lines - 1) * stride + self.shape.pixels
        if self._is_in_cache(start // _STRETCH_BYTES):
            return Block(np.frombuffer(self._mapped, sample, count, start), stride)
        view = room[: count * sample.itemsize]
        self._read(view, start)
        return Block(view.view(sample), stride)

    def _is_in_cache(self, stretch: int) -> bool:
        if not hasattr(os, "preadv"):
            return True  # nothing but the mapping can be read by several threads
        with self._lock:
            if stretch not in self._in_cache:
                last = min((stretch + 1) * _STRETCH_BYTES, len(self._mapped)) - 1
                ends = (stretch * _STRETCH_BYTES, last)
                self._in_cache[stretch] = all(self._holds(end) for end in ends)
            return self._in_cache[stretch]

    def _holds(self, offset: int) -> bool:
        if not _CAN_ASK:
            return False
        try:
            return os.preadv(self._file.fileno(), [bytearray(1)], offset, os.RWF_NOWAIT) == 1
        except OSError:  # not there, or a file system that cannot say
            return False

    def _read(self, room: npt.NDArray[np.uint8], start: int) -> None:
        view, done = memoryview(room.data), 0
        try:
            while done < len(view):
                count = os.preadv(self._file.fileno(), [view[done:]], start + done)
                if not count:
                    raise BadRecord(
                        f"{self._path.name} ends at byte {start + done}, "
                        f"{start + len(view)} are needed"
                    )
                done += count
        except OSError as error:
            raise _unreadable(self._path, error) from error

    def done(self, lines: int) -> None:
        """See `BlockSource.done`: now and then gives the pages back, which stay in the cache."""
        with self._lock:
            self._touched += lines * self.line_bytes
            if self._touched < _RESIDENT_BYTES:
                return
            self._touched = 0
            if hasattr(mmap, "MADV_DONTNEED"):
                self._mapped.madvise(mmap.MADV_DONTNEED)


class _CopiedLines:
    """`BlockSource` over any reader of samples."""

    def __init__(self, reader: SampleReader, image: Image) -> None:
        self.shape = image.shape
        self.line_bytes = 8 * image.shape.pixels
        self._reader = reader

    def block(self, line: int, lines: int, room: npt.NDArray[np.uint8]) -> Block:  # noqa: ARG002
        """See `BlockSource.block`."""
        parts = self._reader.read(Window(line, 0, lines, self.shape.pixels))
        if parts.dtype == np.int16:
            samples = np.ascontiguousarray(parts).view(np.uint32)
        else:
            samples = np.ascontiguousarray(parts, np.float32).view(np.int64)
        return Block(samples.reshape(-1), self.shape.pixels)

    def done(self, lines: int) -> None:
        """Nothing is kept."""


@contextmanager
def open_lines(image: Image) -> Iterator[BlockSource]:
    """Open the samples of a complex image, an unpacked file.

    Raises
    ------
    BadProduct
        It is not on disk, no complex image, shorter than it says, or not the one that `image`
        describes.
    """
    if image.dtype == "uint16":
        raise BadProduct(f"{image.file.name} is no complex image (level 1.1)")
    with open_reader(image) as reader:  # its checks hold here too
        path = image.file.path
        layout = None
        if path is not None:
            layout = _ceos(path) if image.dtype == "complex64" else _tiff(path, image)
        if path is None or layout is None:
            yield _CopiedLines(reader, image)
            return
        with ExitStack() as stack:
            try:
                file = stack.enter_context(path.open("rb", buffering=0))
                lines = _FileLines(file, path, image.shape, layout)
            except OSError as error:
                raise _unreadable(path, error) from error
            yield lines


def _unreadable(path: Path, error: OSError) -> BadProduct:
    return BadProduct(f"{path.name} cannot be read: {error.strerror or error}")


def _ceos(path: Path) -> _Layout | None:
    try:
        with CeosImage.open(path) as opened:
            header, there = opened.header, opened.available_lines
    except OSError as error:
        raise _unreadable(path, error) from error
    if there < header.shape.lines:
        raise BadRecord(
            f"{path.name}: the file holds {there} whole lines, expected {header.shape.lines}"
        )
    first = header.descriptor_bytes + header.prefix_bytes
    if header.record_bytes % 8 or first % 8:
        return None  # the kernel wants whole samples from line to line
    return _Layout(first, header.record_bytes, np.dtype(np.uint64))


def _tiff(path: Path, image: Image) -> _Layout | None:
    """Lay a GeoTIFF out as lines; None where compression, tiles, planes or gaps forbid it."""
    try:
        with path.open("rb") as file:
            header = read_tiff_header(file, image.file.size_bytes, path.name)
    except OSError as error:
        raise _unreadable(path, error) from error
    if (
        header is None
        or (header.compression, header.samples, header.sample_format) != (1, 2, 2)
        or set(header.bits) != {16}
        or not (header.interleaved and header.little_endian and header.strip_offsets)
        or header.data_end > path.stat().st_size
    ):
        return None
    line_bytes = 4 * image.shape.pixels
    offsets = np.array(header.strip_offsets, np.int64)
    # GDAL puts strips of zeros at the end of a file: each strip has to be where it should.
    steps = np.arange(len(offsets)) * (header.rows_per_strip * line_bytes)
    if (offsets - offsets[0] != steps).any():
        return None
    return _Layout(int(offsets[0]), line_bytes, np.dtype(np.uint32))

"""Detected images whose pixels lie uncompressed in their file: mapped, and used where they lie.

So JAXA writes both CEOS and GeoTIFF. A line is found by its own offset and never by counting:
CEOS has a prefix before each, and GDAL puts strips of zeros at the end of a GeoTIFF. What is
compressed, tiled, sparse or shorter than it says is not mapped; a reader that copes is asked then.
"""

from __future__ import annotations

import mmap
import os
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from alos2.ceos.image import CeosImage
from alos2.product.tiff import read_tiff_header
from alos2.types import RasterShape, Window

Words: TypeAlias = npt.NDArray[np.uint16]

_RESIDENT_BYTES: Final = 1 << 27
"""Mapped pages that may be touched before they are given back to the system's cache."""
_AHEAD_LINES: Final = 512
"""Lines that the system is asked to read ahead, at a time."""


@dataclass
class MappedPixels:
    """uint16 pixels of one image in a mapped file; safe between threads.

    The system unmaps the file when nothing refers to `words` any more.
    """

    words: Words
    """The whole file as numbers in the machine's byte order, shape (n,)."""
    starts: npt.NDArray[np.int64]
    """Index of each line's first pixel in `words`."""
    swapped: bool
    """Whether the file's byte order is the other one."""
    shape: RasterShape
    _mapping: mmap.mmap
    _touched: int = 0
    _asked: set[int] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, window: Window) -> Words:
        """Return a copy of a window, in the machine's byte order, shape (lines, pixels)."""
        copy = np.empty((window.lines, window.pixels), np.uint16)
        starts = self.starts[window.line : window.line + window.lines] + window.pixel
        for row, start in enumerate(starts.tolist()):
            copy[row] = self.words[start : start + window.pixels]
        self.used(2 * window.lines * self.shape.pixels)
        return copy.byteswap(inplace=True) if self.swapped else copy

    def prefetch(self, line: int, lines: int) -> None:
        """Ask the system to read these lines soon, each once; returns at once."""
        if not hasattr(mmap, "MADV_WILLNEED"):
            return
        for block in range(line // _AHEAD_LINES, -(-(line + lines) // _AHEAD_LINES)):
            with self._lock:
                if block in self._asked:
                    continue
                self._asked.add(block)
            starts = self.starts[block * _AHEAD_LINES : (block + 1) * _AHEAD_LINES]
            first, last = int(starts.min()) * 2, (int(starts.max()) + self.shape.pixels) * 2
            first -= first % mmap.PAGESIZE
            if last - first < 2 * _AHEAD_LINES * (2 * self.shape.pixels + 1024):
                self._mapping.madvise(mmap.MADV_WILLNEED, first, last - first)

    def used(self, size: int) -> None:
        """Count bytes as touched; now and then all pages are given back."""
        with self._lock:
            self._touched += size
            if self._touched < _RESIDENT_BYTES:
                return
            self._touched = 0
        if hasattr(mmap, "MADV_DONTNEED"):
            # A read-only mapping of a file: the pages stay in the system's cache.
            self._mapping.madvise(mmap.MADV_DONTNEED)


def _map(file: BinaryIO, offsets: Any, shape: RasterShape, order: str) -> MappedPixels | None:
    """Map a file whose lines begin at `offsets` (bytes); None where that is not possible."""
    size = os.fstat(file.fileno()).st_size
    starts = np.asarray(offsets, np.int64)
    if (
        len(starts) != shape.lines
        or (starts % 2).any()  # half a number: it would have to be copied
        or starts.min() <= 0  # a sparse file has offsets of 0
        or starts.max() + 2 * shape.pixels > size
    ):
        return None
    mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    words = np.frombuffer(mapping, np.uint16, count=size // 2)
    return MappedPixels(words, starts // 2, order != sys.byteorder, shape, mapping)


def map_ceos(opened: CeosImage) -> MappedPixels | None:
    """Map an IMG file of CEOS (levels 1.5 to 3.1); None if it is complex or too short."""
    header = opened.header
    if header.family != "processed" or opened.available_lines < opened.shape.lines:
        return None
    first = header.descriptor_bytes + header.prefix_bytes
    offsets = first + np.arange(opened.shape.lines, dtype=np.int64) * header.record_bytes
    try:
        with opened.path.open("rb") as file:
            return _map(file, offsets, opened.shape, "big")
    except OSError:
        return None  # `opened` reads it, or says why not


def map_geotiff(path: Path) -> MappedPixels | None:
    """Map a GeoTIFF of one band of uint16 in uncompressed strips; None if it is another.

    Raises
    ------
    BadProduct
        It is no TIFF, or its header is truncated.
    OSError
        It cannot be opened or mapped.
    """
    with path.open("rb") as file:
        header = read_tiff_header(file, path.stat().st_size, path.name)
        if (
            header is None
            or (header.bits, header.samples) != ((16,), 1)
            or (header.sample_format, header.compression) != (1, 1)
            or not header.strip_offsets
            or header.rows_per_strip < 1  # damaged: GDAL says what is wrong
            or len(header.strip_offsets) != -(-header.height // header.rows_per_strip)
        ):
            return None
        line = np.arange(header.height, dtype=np.int64)
        strip, row = np.divmod(line, header.rows_per_strip)
        offsets = np.array(header.strip_offsets, np.int64)[strip]
        # A sparse strip has an offset of 0 (and must not gain one by its row).
        offsets = np.where(offsets > 0, offsets + row * (2 * header.width), 0)
        order = "little" if header.little_endian else "big"
        return _map(file, offsets, RasterShape(header.height, header.width), order)

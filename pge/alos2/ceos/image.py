"""Pixels of a CEOS image, read lazily from a memory-mapped file."""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final

import numpy as np

from alos2.ceos.image_header import (
    PIXEL_DTYPES,
    PREFIXES,
    ImageHeader,
    LevelFamily,
    decode_prefix,
    read_image_header,
)
from alos2.errors import BadRecord
from alos2.types import Window

__all__ = ["CeosImage", "ImageHeader", "LevelFamily", "decode_prefix", "read_image_header"]

_RESIDENT_BYTES: Final = 1 << 25
"""Mapped pages that reading may touch before they are given back."""
_FAULT_BYTES: Final = 1 << 16
"""What the system maps around a byte that is touched (Linux: 16 pages)."""


class CeosImage:
    """An image file, opened; a context manager. Make one by :meth:`open`.

    Reading is safe from several threads. An image that is shorter than its descriptor says opens
    all the same: :attr:`available_lines` says how much of it is there.
    """

    def __init__(self, path: Path, header: ImageHeader, size: int, file: BinaryIO) -> None:
        self.path = path
        self.header = header
        self.shape = header.shape
        """Lines and pixels, as the descriptor says."""
        self.dtype: np.dtype[Any] = PIXEL_DTYPES[header.family].newbyteorder("=")
        """What :meth:`read` gives: complex64 or uint16."""
        self.level_family: LevelFamily = header.family
        self.record_bytes = header.record_bytes
        self.prefix_bytes = header.prefix_bytes
        self.record_count = max(size - header.descriptor_bytes, 0) // header.record_bytes
        """Whole line records that the file holds; more than lines, if something is wrong."""
        self.available_lines = min(self.record_count, self.shape.lines)
        """Lines that can be read: the file's whole records, not more than described."""
        self._mapped: mmap.mmap | None = None
        if self.available_lines:
            self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._touched = 0
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> CeosImage:
        """Open an image file; reads its descriptor and the first line's prefix only.

        Raises
        ------
        BadRecord
            Descriptor or first line are damaged.
        OSError
            The file cannot be opened or mapped.
        """
        with path.open("rb") as file:
            header = read_image_header(file, name=path.name)
            return cls(path, header, os.fstat(file.fileno()).st_size, file)

    def __enter__(self) -> CeosImage:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unmap the file; what was read stays valid."""
        mapped, self._mapped = self._mapped, None
        if mapped is not None:
            mapped.close()

    def read(self, window: Window | None = None) -> np.ndarray[Any, np.dtype[Any]]:
        """Read pixels.

        Parameters
        ----------
        window : Window, optional
            Any rectangle within :attr:`shape`; by default all lines that are there.

        Returns
        -------
        ndarray
            A copy in the machine's byte order, shape (lines, pixels): complex64 (I + jQ) at level
            1.1, else uint16 digital numbers, where 0 is no data.

        Raises
        ------
        ValueError
            The window is empty or not within the image.
        BadRecord
            The window's lines are missing from the file.
        """
        where = window or Window(0, 0, self.available_lines, self.shape.pixels)
        self._check_window(where, asked=window is not None)
        pixel = PIXEL_DTYPES[self.level_family]
        if not where.lines:
            return np.empty((0, where.pixels), self.dtype)
        start = self._line_offset(where.line) + self.prefix_bytes + where.pixel * pixel.itemsize
        view: np.ndarray[Any, np.dtype[Any]] = np.ndarray(
            (where.lines, where.pixels),
            pixel,
            buffer=self._mapping(),
            offset=start,
            strides=(self.record_bytes, pixel.itemsize),
        )
        return self._copy({"pixels": view}, where.pixels * pixel.itemsize)["pixels"]

    def prefix(self, line: int) -> dict[str, Any]:
        """Decode the prefix of one line (0-based).

        Raises
        ------
        ValueError
            No such line in the image.
        BadRecord
            The line is missing from the file, or its prefix is damaged.
        """
        self._check_window(Window(line, 0, 1, 1), asked=True)
        start = self._line_offset(line)
        data = self._mapping()[start : start + self.prefix_bytes]
        layout = PREFIXES[self.level_family]
        return layout.decode(data, where=f"{self.path.name}, offset {start}")

    def prefixes(
        self, names: Sequence[str], lines: slice | None = None
    ) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
        """Read some prefix fields of many lines at once, without looking at record headers.

        Parameters
        ----------
        names : Sequence of str
            Field names of the prefix table.
        lines : slice, optional
            Lines among those available; by default all.

        Returns
        -------
        dict of str to ndarray
            By name: one integer a line, in the machine's byte order.

        Raises
        ------
        ValueError
            The prefix has no such field.
        """
        layout = PREFIXES[self.level_family]
        table = layout.dtype(self.record_bytes)
        unknown = ", ".join(name for name in names if name not in (table.names or ()))
        if unknown:
            raise ValueError(f"the prefix of {layout.name} has no field {unknown}")
        if not self.available_lines:
            return {name: np.empty(0, table[name].newbyteorder("=")) for name in names}
        # The structure reaches over the pixels to the next record, hence one view for all lines.
        view: np.ndarray[Any, np.dtype[Any]] = np.ndarray(
            (self.available_lines,), table, buffer=self._mapping(), offset=self._line_offset(0)
        )
        chosen = view[lines or slice(None)]
        return self._copy({name: chosen[name] for name in names}, self.prefix_bytes)

    def _copy(
        self, views: Mapping[str, np.ndarray[Any, np.dtype[Any]]], line_bytes: int
    ) -> dict[str, np.ndarray[Any, np.dtype[Any]]]:
        """Copy mapped arrays into the machine's byte order, giving pages back on the way.

        Parameters
        ----------
        views : Mapping of str to ndarray
            All with the same number of lines.
        line_bytes : int
            Bytes of a line between the first and the last that is read.
        """
        copies = {
            name: np.empty(view.shape, view.dtype.newbyteorder("=")) for name, view in views.items()
        }
        touched = min(self.record_bytes, line_bytes + 2 * _FAULT_BYTES)
        step = max(_RESIDENT_BYTES // touched, 1)
        total = max((len(view) for view in views.values()), default=0)
        for first in range(0, total, step):
            block = slice(first, min(first + step, total))
            for name, view in views.items():
                copies[name][block] = view[block]
            self._release((block.stop - first) * touched)
        return copies

    def _line_offset(self, line: int) -> int:
        return self.header.descriptor_bytes + line * self.record_bytes

    def _mapping(self) -> mmap.mmap:
        if self._mapped is None:
            raise ValueError(f"{self.path.name} is closed")
        return self._mapped

    def _check_window(self, window: Window, *, asked: bool) -> None:
        line, pixel, lines, pixels = window
        if asked and (
            min(line, pixel) < 0
            or min(lines, pixels) < 1
            or line + lines > self.shape.lines
            or pixel + pixels > self.shape.pixels
        ):
            raise ValueError(
                f"{self.path.name}: window {tuple(window)} (line, pixel, lines, pixels) is not "
                f"within {self.shape.lines} lines x {self.shape.pixels} pixels"
            )
        if line + lines > self.available_lines:
            raise BadRecord(
                f"{self.path.name}: the file holds {self.available_lines} whole lines, "
                f"expected {self.shape.lines}; lines {line} to {line + lines - 1} were asked for"
            )

    def _release(self, touched: int) -> None:
        """Give mapped pages back now and then, so that an image is never resident as a whole."""
        with self._lock:
            self._touched += touched
            if self._touched < _RESIDENT_BYTES or self._mapped is None:
                return
            self._touched = 0
            if hasattr(mmap, "MADV_DONTNEED"):
                # A read-only mapping of a file: the pages stay in the system's cache.
                self._mapped.madvise(mmap.MADV_DONTNEED)

"""Cells of calibrated power: a multilooked image in memory, or in a file that nobody sees.

A cell is kept as a short number: 7 bits of exponent (2^-64 to 2^63, linear sigma nought) and 9 of
mantissa, taken out of a float32; 0 is no data. That rounds to 0.0043 dB at most, two orders below
the speckle of a cell of eight looks, and is half as much to write and to read.

Images are kept in memory as long as all of them together are small. Others lie in a temporary file
without a name, so that it is gone whatever happens to the process; it is mapped to be read, and
its pages are given back as reading goes on.
"""

from __future__ import annotations

import math
import mmap
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from alos2.errors import NoSpace
from alos2.product.model import MapGrid
from alos2.raster.files import refusal
from alos2.raster.pictures import CalibrationUsed
from alos2.types import RasterShape, Window

Plane = npt.NDArray[np.float32]

CELL: Final = np.dtype(np.uint16)
"""A short number."""
EXPONENT: Final = 63
"""Exponent of a float32 (as its bits have it) that a short number's exponent of 0 stands for."""
SHIFT: Final = 14
"""Bits of mantissa that a short number leaves out."""
LEAST: Final = np.float32(2.0**-63)
"""Smallest power that a short number can say; darker cells are lifted to it."""

IN_MEMORY_BYTES: Final = 128 << 20
"""What the images in memory may take together; others go to files."""

_RESIDENT_BYTES: Final = 32 << 20
"""Mapped bytes that reading may touch before they are given back."""


class _Budget:
    """Memory that may be taken; safe between threads."""

    def __init__(self) -> None:
        self._taken = 0
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Take some, if there is so much left."""
        with self._lock:
            if self._taken + size > IN_MEMORY_BYTES:
                return False
            self._taken += size
            return True

    def give_back(self, size: int) -> None:
        """Give back what was taken."""
        with self._lock:
            self._taken -= size


_IN_MEMORY: Final = _Budget()


def widened(cells: npt.NDArray[np.uint16]) -> Plane:
    """Return short numbers as float32, NaN = no data."""
    bits = cells.astype(np.uint32)
    bits <<= SHIFT
    bits += np.uint32(EXPONENT << 23)
    power: Plane = bits.view(np.float32)
    power[cells == 0] = np.nan
    return power


class CellStore:
    """Room for an image of `CELL`s, filled row by row in any order, then read; a context manager.

    Parameters
    ----------
    shape
        Rows and columns.
    folder
        Where the file lies if there is one; nothing of it stays.

    Raises
    ------
    NoSpace, NoResource
        The file cannot be made.
    """

    def __init__(self, shape: RasterShape, folder: Path) -> None:
        self.shape = shape
        self._folder = folder
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._mapped: mmap.mmap | None = None
        self._touched = 0
        self._plane: npt.NDArray[np.uint16] | None = None
        self._size = CELL.itemsize * math.prod(shape)
        if _IN_MEMORY.take(self._size):
            self._plane = np.empty(shape, CELL)
            return
        try:
            self._file = tempfile.TemporaryFile(prefix=".quicklook-", dir=folder)  # noqa: SIM115
        except OSError as error:
            raise refusal(folder, error) from error

    def __enter__(self) -> CellStore:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back memory and disk."""
        if self._plane is not None:
            self._plane = None
            _IN_MEMORY.give_back(self._size)
        mapped, self._mapped = self._mapped, None
        file, self._file = self._file, None
        if mapped is not None:
            mapped.close()
        if file is not None:
            file.close()

    @property
    def in_file(self) -> bool:
        """Whether the image lies on disk."""
        return self._file is not None

    def write(self, first_row: int, rows: npt.NDArray[np.uint16]) -> None:
        """Keep whole rows of `CELL`; safe between threads.

        Raises
        ------
        NoSpace, NoResource
            The disk takes no more.
        """
        if self._plane is not None:
            self._plane[first_row : first_row + len(rows)] = rows
            return
        if self._file is None:
            raise ValueError("the cells have been given back")
        try:
            with self._lock:
                self._file.seek(CELL.itemsize * first_row * self.shape.pixels)
                self._file.write(np.ascontiguousarray(rows).data.cast("B"))
        except OSError as error:
            refused = refusal(self._folder, error)
            if isinstance(refused, NoSpace):
                raise NoSpace(
                    f"the disk of {self._folder} is full: a quicklook of {self.shape.lines} x "
                    f"{self.shape.pixels} cells needs {self._size >> 20} MiB there"
                ) from error
            raise refused from error

    def read(self, window: Window) -> Plane:
        """Return the power in a window, shape (lines, pixels); safe between threads."""
        rows = slice(window.line, window.line + window.lines)
        columns = slice(window.pixel, window.pixel + window.pixels)
        if self._plane is not None:
            return widened(self._plane[rows, columns])
        mapped = self._mapping()
        plane: npt.NDArray[np.uint16] = np.ndarray(self.shape, CELL, buffer=mapped)
        copied = widened(plane[rows, columns])
        del plane
        self._release(CELL.itemsize * window.lines * min(self.shape.pixels, window.pixels + 8192))
        return copied

    def _mapping(self) -> mmap.mmap:
        with self._lock:
            if self._mapped is None:
                if self._file is None:
                    raise ValueError("the cells have been given back")
                self._file.flush()
                self._mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
            return self._mapped

    def _release(self, touched: int) -> None:
        with self._lock:
            self._touched += touched
            if self._touched < _RESIDENT_BYTES or self._mapped is None:
                return
            self._touched = 0
            if hasattr(mmap, "MADV_DONTNEED"):
                self._mapped.madvise(mmap.MADV_DONTNEED)


class CellSource:
    """`PixelSource` over cells; its grid is None, a surface says where they lie."""

    grid: MapGrid | None = None

    def __init__(self, name: str, store: CellStore, calibration: CalibrationUsed) -> None:
        self.name = name
        self.shape = store.shape
        self.calibration = calibration
        self._store = store

    def power(self, window: Window) -> Plane:
        """See `PixelSource.power`."""
        lines, pixels = self.shape
        inside = (
            0 <= window.line <= window.line + window.lines <= lines
            and 0 <= window.pixel <= window.pixel + window.pixels <= pixels
        )
        if not inside:
            raise ValueError(f"{window} is not within the {lines} x {pixels} cells of {self.name}")
        return self._store.read(window)

    def valid(self, window: Window) -> npt.NDArray[np.bool_]:
        """See `PixelSource.valid`."""
        return np.asarray(np.isfinite(self.power(window)))

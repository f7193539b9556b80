"""A raster in a file that nobody sees: gone whatever happens to the process."""

from __future__ import annotations

import tempfile
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from alos2.raster.files import refusal
from alos2.types import RasterShape, Window


class Scratch:
    """A raster in a file without a name; safe between threads.

    Parameters
    ----------
    shape, dtype
        Of the raster.
    folder
        Where the file lies.

    Raises
    ------
    NoSpace, NoResource
        It cannot be made.
    """

    def __init__(self, shape: RasterShape, dtype: npt.DTypeLike, folder: Path) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self._folder = folder
        self._lock = threading.Lock()
        try:
            self._file = tempfile.TemporaryFile(  # noqa: SIM115  closed by `close` or at the end
                prefix=".terrain-", dir=folder, buffering=0
            )
        except OSError as error:
            raise refusal(folder, error) from error
        self.close = weakref.finalize(self, self._file.close)
        """Give the disk back."""

    def write(self, first_row: int, rows: npt.NDArray[Any]) -> None:
        """Keep whole rows.

        Raises
        ------
        NoSpace, NoResource
            The disk takes no more.
        """
        data = np.ascontiguousarray(rows, self.dtype).data.cast("B")
        try:
            with self._lock:
                self._file.seek(first_row * self.shape.pixels * self.dtype.itemsize)
                while len(data):
                    data = data[self._file.write(data) :]
        except OSError as error:
            raise refusal(self._folder, error) from error

    def read(self, window: Window) -> npt.NDArray[Any]:
        """Return the values in a window."""
        out = np.empty((window.lines, window.pixels), self.dtype)
        with self._lock:
            for n in range(window.lines):
                place = (window.line + n) * self.shape.pixels + window.pixel
                self._file.seek(place * self.dtype.itemsize)
                self._file.readinto(out[n].data.cast("B"))
        return out

"""A plane of numbers in a scratch file: written and read by lines, in little memory."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from alos2.errors import NoResource
from alos2.raster.files import refusal


class ScratchPlane:
    """Lines `first` to `last` of an image in a file; a context manager, safe between threads.

    A plain file and not a mapped one: a full disk is then an error and not the process's end.

    Parameters
    ----------
    path
        Of the file; it goes when the context ends.
    lines
        Of the image that it holds.
    pixels
        In a line.
    dtype
        numpy's name of the numbers' type.
    """

    def __init__(self, path: Path, lines: range, pixels: int, dtype: str) -> None:
        self._path = path
        self._lines = lines
        self._pixels = pixels
        self._dtype = np.dtype(dtype)
        self._lock = threading.Lock()
        self._file: BinaryIO

    def __enter__(self) -> ScratchPlane:
        try:
            self._file = self._path.open("w+b")
        except OSError as error:
            raise refusal(self._path, error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, lines: range, values: npt.NDArray[Any]) -> None:
        """Write lines, shape (lines, pixels).

        Raises
        ------
        NoSpace, NoResource
            The system refuses.
        """
        data = np.ascontiguousarray(values, self._dtype).data.cast("B")
        try:
            with self._lock:
                self._file.seek(self._place(lines))
                self._file.write(data)
                self._file.flush()
        except OSError as error:
            raise refusal(self._path, error) from error

    def read(self, lines: range) -> npt.NDArray[Any]:
        """Return lines that were written, shape (lines, pixels).

        Raises
        ------
        NoResource
            The system refuses.
        """
        values = np.empty((len(lines), self._pixels), self._dtype)
        room = values.data.cast("B")
        try:
            with self._lock:
                self._file.seek(self._place(lines))
                count = self._file.readinto(room)  # type: ignore[attr-defined]
        except OSError as error:
            raise refusal(self._path, error) from error
        if count != len(room):
            raise NoResource(f"{self._path}: lines {lines.start} to {lines.stop} are not in it")
        return values

    def _place(self, lines: range) -> int:
        return (lines.start - self._lines.start) * self._pixels * self._dtype.itemsize

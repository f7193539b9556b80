"""Bytes kept in passing: in memory while they are few, in a temporary file when more."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from typing import IO, Final

from alos2.archive.limits import GIB, MIB

IN_MEMORY_BYTES: Final = 48 * MIB
BUDGET_BYTES: Final = 1 * GIB


class Cache:
    """A store of pieces, until it is closed.

    Parameters
    ----------
    in_memory, budget : int
        Bytes held in memory, and at all. What comes later is not kept.
    """

    def __init__(self, in_memory: int = IN_MEMORY_BYTES, budget: int = BUDGET_BYTES) -> None:
        self._in_memory = in_memory
        self._budget = budget
        self._used = 0
        self._pieces: dict[int, bytes] = {}
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()

    def keep(self, data: bytes) -> Callable[[], bytes]:
        """Keep `data`; return a function that gives it back, or nothing once it is gone."""
        with self._lock:
            start = self._used
            if start + len(data) > self._budget:
                return bytes
            self._used += len(data)
            if self._used <= self._in_memory:
                self._pieces[start] = data
            else:
                if self._file is None:
                    self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed by `close`
                self._file.seek(start)
                self._file.write(data)
        return lambda: self._load(start, len(data))

    def _load(self, start: int, count: int) -> bytes:
        with self._lock:
            if start in self._pieces:
                return self._pieces[start]
            if self._file is None:
                return b""
            self._file.seek(start)
            return self._file.read(count)

    def close(self) -> None:
        """Let everything go."""
        with self._lock:
            self._pieces.clear()
            if self._file is not None:
                self._file.close()
                self._file = None

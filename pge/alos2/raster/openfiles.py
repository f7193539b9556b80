"""Files that are read again and again, of which only a bounded number is open at a time.

A series of hundreds of dates with their masks is more files than a system lets a process open (1024
on many). What was not used for longest is closed, and opened again when it is wanted.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

_Opened = TypeVar("_Opened")

_MOST: Final = 1024
"""A raster that is open takes some 50 kB."""
_FOR_OTHERS: Final = 40
"""Files that the rest of the program has open."""
_WANTED_LIMIT: Final = 4096
_FEWEST: Final = 8


class OpenFile(Generic[_Opened]):
    """A file that a `Pool` opens when it is wanted."""

    def __init__(
        self, pool: Pool, opener: Callable[[], _Opened], closer: Callable[[_Opened], None]
    ) -> None:
        self._pool = pool
        self._opener = opener
        self._closer = closer
        self._opening = threading.Lock()
        self._opened: _Opened | None = None
        self.users = 0

    @contextmanager
    def use(self) -> Iterator[_Opened]:
        """Give what the opener returns, to any number of threads; raises what the opener does."""
        with self._opening:
            if not self._pool.take(self):
                self._pool.make_room()
                self._opened = self._opener()
                self._pool.add(self)
            opened = self._opened
        if opened is None:
            raise ValueError("a file that is in use was closed")
        try:
            yield opened
        finally:
            self._pool.give_back(self)

    def close(self) -> None:
        """Close it; nobody may be using it."""
        with self._opening:
            self._pool.forget(self)

    def shut(self) -> None:
        """For the pool: close it."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            self._closer(opened)


class Pool:
    """Keeps at most so many files open, or as many as are in use at the same time.

    Parameters
    ----------
    most
        Files.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._open: dict[OpenFile[Any], None] = {}
        """In the order of their last use."""

    def file(
        self, opener: Callable[[], _Opened], closer: Callable[[_Opened], None]
    ) -> OpenFile[_Opened]:
        """Return a file that is opened when it is used first.

        Parameters
        ----------
        opener
            Opens it, the same each time.
        closer
            Closes what the opener has returned.
        """
        return OpenFile(self, opener, closer)

    @property
    def count(self) -> int:
        """Files that are open now."""
        return len(self._open)

    def take(self, file: OpenFile[Any]) -> bool:
        """Keep a file open for a user; return whether it is open."""
        with self._lock:
            if file not in self._open:
                return False
            del self._open[file]
            self._open[file] = None
            file.users += 1
            return True

    def make_room(self) -> None:
        """Close what was not used for longest until one more may be opened."""
        with self._lock:
            idle = [file for file in self._open if not file.users]
            for file in idle[: max(0, len(self._open) + 1 - self.most)]:
                del self._open[file]
                file.shut()

    def add(self, file: OpenFile[Any]) -> None:
        """Count a file that was opened, with one user."""
        with self._lock:
            self._open[file] = None
            file.users += 1

    def give_back(self, file: OpenFile[Any]) -> None:
        """Let go of a file."""
        with self._lock:
            file.users -= 1

    def forget(self, file: OpenFile[Any]) -> None:
        """Close a file for good."""
        with self._lock:
            self._open.pop(file, None)
            file.shut()


@lru_cache(maxsize=1)
def the_pool() -> Pool:
    """Return the process's pool, of as many files as the system allows."""
    return Pool(max(_FEWEST, min(_MOST, (_file_limit() - _FOR_OTHERS) * 3 // 4)))


def _file_limit() -> int:
    """Return how many files the process may have open; raised as far as it may do so itself."""
    if sys.platform == "win32":
        return 512  # of its C library
    import resource  # noqa: PLC0415  not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    wanted = _WANTED_LIMIT if hard == unlimited else min(hard, _WANTED_LIMIT)
    if soft == unlimited or soft >= wanted:
        return _WANTED_LIMIT if soft == unlimited else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft  # macOS has a limit of its own below the hard one
    return wanted

"""Threads that read: each has a catalogue of its own, as SQLite's connections want it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from alos2.catalogue.search.model import Searchable

_Answer = TypeVar("_Answer")


class Readers:
    """Runs what reads in threads, so that the loop that speaks HTTP never waits.

    Parameters
    ----------
    open_catalogue : callable
        Opens the catalogue; called once in each thread.
    threads : int
    """

    def __init__(self, open_catalogue: Callable[[], Searchable], threads: int) -> None:
        self._open = open_catalogue
        self._pool = ThreadPoolExecutor(threads, "alos2-reader")
        self._local = threading.local()
        self._opened: list[Searchable] = []

    async def ask(self, question: Callable[[Searchable], _Answer]) -> _Answer:
        """Return what `question` answers when it is given the catalogue."""
        return await self.run(lambda: question(self._catalogue()))

    async def run(self, work: Callable[[], _Answer]) -> _Answer:
        """Return what `work` returns."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Wait for what is being read, and let go of the catalogues."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for catalogue in self._opened:
            catalogue.close()
        self._opened.clear()

    def _catalogue(self) -> Searchable:
        catalogue: Searchable | None = getattr(self._local, "catalogue", None)
        if catalogue is None:
            catalogue = self._local.catalogue = self._open()
            self._opened.append(catalogue)
        return catalogue

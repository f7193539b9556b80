"""Several deliveries: downloads run at once, datasets are built one after the other.

Building takes gigabytes of memory and all cores, so it stays on the caller's thread. Downloads
wait for the network, so a few run beside it; they stop being begun while as many finished ones
wait to be built, which keeps the disk from filling up.
"""

from __future__ import annotations

import contextvars
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final

from alos2.dataset.provenance import Source
from alos2.errors import Alos2Error, Interrupted
from alos2.jobs import context
from alos2.jobs.downloads import DownloadPlace
from alos2.jobs.ingest import Ingested, fetched_remote, ingest_fetched
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from alos2.jobs.together import Together
from alos2.sources.model import Fetched
from alos2.sources.remote import Remote

log = logging.getLogger(__name__)

_LOOK_S: Final = 0.2
_PATIENCE_S: Final = 3.0
"""How long the end waits for threads: one may just be waiting for a silent server."""


@dataclass(frozen=True)
class Caps:
    """How much is done at once."""

    at_once: int = 3
    """Downloads; as many finished ones may wait to be built."""
    per_host: int = 2
    """Downloads from one host."""


@dataclass(frozen=True)
class Wanted:
    """One delivery to ingest."""

    what: str
    """Its id at the provider: unique among those asked for together."""
    remote: Callable[[], Remote]
    """Opens it; called on a thread of the pool, may log in."""
    source: Source
    """What its datasets say of their origin; the transfer fills in the rest."""
    name: str | None = None
    """File name to store it under; None: as the server suggests."""


@dataclass(frozen=True)
class Delivered:
    """A delivery whose turn has come: iterate over `outcomes` to build it."""

    wanted: Wanted
    outcomes: Iterator[Ingested | Failed]


def ingest_several(
    wanted: Sequence[Wanted],
    options: IngestOptions,
    caps: Caps = Caps(),
) -> Iterator[Delivered]:
    """Ingest several deliveries; each fails for itself.

    Parameters
    ----------
    wanted : sequence of Wanted
        In the order in which their downloads begin.
    options : IngestOptions
        Its ``cancelled`` stops downloads and builds.
    caps : Caps
        How many downloads run at once.

    Yields
    ------
    Delivered
        As they are ready. One is to be used up before the next is asked for.

    Raises
    ------
    Interrupted
        Somebody stopped it; the threads have ended, and partial downloads can be resumed. The
        same holds when the caller stops iterating.
    """
    if not wanted:
        return
    with _Pool(wanted, options, caps) as pool:
        for _ in wanted:
            yield pool.next_delivery()


@dataclass(frozen=True)
class _Ready:
    """A finished download with the lock of its place, or why there is none."""

    wanted: Wanted
    fetched: Fetched | None
    place: DownloadPlace | None
    hold: ExitStack
    error: BaseException | None


class _Pool:
    """The threads that download, and what they hand over."""

    def __init__(self, wanted: Sequence[Wanted], options: IngestOptions, caps: Caps) -> None:
        self._stop = threading.Event()
        self._options = options
        self._quiet = replace(options, cancelled=self._cancelled)
        self._waiting: queue.SimpleQueue[Wanted] = queue.SimpleQueue()
        for one in wanted:
            self._waiting.put(one)
        self._ready: queue.SimpleQueue[_Ready] = queue.SimpleQueue()
        self._room = threading.Semaphore(2 * caps.at_once)
        self._hosts = _Hosts(caps.per_host)
        self._progress = Together(options.progress)
        count = min(caps.at_once, len(wanted))
        self._threads = [
            threading.Thread(
                target=contextvars.copy_context().run,
                args=(self._work,),
                name=f"download-{n}",
                daemon=True,
            )
            for n in range(count)
        ]

    def __enter__(self) -> _Pool:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        until = time.monotonic() + _PATIENCE_S
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            log.warning("not waiting for downloads whose servers are silent; they can be resumed")
        while not self._ready.empty():
            ready = self._ready.get()
            if ready.place is not None:
                ready.place.keep()
            ready.hold.close()

    def _cancelled(self) -> bool:
        return self._stop.is_set() or self._options.cancelled()

    def next_delivery(self) -> Delivered:
        """Wait for the next one that is here, or that failed."""
        while True:
            try:
                ready = self._ready.get(timeout=_LOOK_S)
            except queue.Empty:
                if self._options.cancelled():
                    raise Interrupted("the ingest was stopped") from None
            else:
                return Delivered(ready.wanted, self._outcomes(ready))

    def _outcomes(self, ready: _Ready) -> Iterator[Ingested | Failed]:
        """Build it; the place is given back and the next download may begin afterwards."""
        wanted = ready.wanted
        try:
            with ready.hold, context.about(context.product, wanted.what):
                if ready.fetched is None or ready.place is None:
                    raise ready.error or Interrupted("the download was stopped")
                options = replace(self._options, progress=self._progress.of_build())
                built = ingest_fetched(ready.fetched, wanted.source, options)
                yield from ready.place.watch(built)
        except Interrupted:
            raise
        except Alos2Error as error:
            yield Failed(wanted.what, error)
        finally:
            self._room.release()

    def _work(self) -> None:
        """Run on each thread: one download after the other."""
        while self._take_room():
            try:
                wanted = self._waiting.get_nowait()
            except queue.Empty:
                self._room.release()
                return
            with context.about(context.product, wanted.what):
                self._ready.put(self._download(wanted))

    def _take_room(self) -> bool:
        while not self._cancelled():
            if self._room.acquire(timeout=_LOOK_S):
                return True
        return False

    def _download(self, wanted: Wanted) -> _Ready:
        fetched, place, error = None, None, None
        with ExitStack() as stack:
            # All is handed to the caller's thread, a fault of ours too: no thread dies silently.
            try:
                remote = wanted.remote()
                with self._hosts.visit(remote.where, self._cancelled):
                    options = replace(self._quiet, progress=self._progress.of_download(wanted.what))
                    place, fetched = stack.enter_context(
                        fetched_remote(remote, options, name=wanted.name)
                    )
            except BaseException as fault:  # noqa: BLE001
                error = fault
            return _Ready(wanted, fetched, place, stack.pop_all(), error)


class _Hosts:
    """A cap on the visitors of each host."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._doors: dict[str, threading.Semaphore] = {}
        self._lock = threading.Lock()

    @contextmanager
    def visit(self, host: str, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Wait for a place, and have it."""
        with self._lock:
            door = self._doors.setdefault(host, threading.Semaphore(self._most))
        while not door.acquire(timeout=_LOOK_S):
            if cancelled():
                raise Interrupted("the download was stopped")
        try:
            yield
        finally:
            door.release()

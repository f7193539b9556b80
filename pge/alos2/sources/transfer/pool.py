"""Several transfers at once, with a cap for each host and a pause between its starts."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeAlias

from alos2.errors import Alos2Error, Interrupted
from alos2.sources.model import Cancelled, Fetched, TransferOptions
from alos2.sources.remote import Remote
from alos2.sources.transfer.checks import Check, zip_check
from alos2.sources.transfer.engine import transfer


@dataclass(frozen=True)
class Wanted:
    """One object to transfer."""

    remote: Remote
    name: str | None
    """File name; None: what the server suggests."""
    work_dir: Path


WantedProgress: TypeAlias = Callable[[Wanted, int, "int | None"], None]
"""Called, from several threads, with what moves, the bytes there, and the bytes expected."""


class _Turns:
    """Says which of the waiting may start now."""

    def __init__(self, waiting: Sequence[Wanted], per_host: int, interval_s: float) -> None:
        self._waiting = list(waiting)
        self._per_host = per_host
        self._interval_s = interval_s
        self._busy: Counter[str] = Counter()
        self._not_before: dict[str, float] = {}
        self._condition = threading.Condition()

    def take(self, stop: Cancelled) -> Wanted | None:
        """Return the next one, as soon as its host has room for it; None if there is no more."""
        with self._condition:
            while self._waiting and not stop():
                now = time.monotonic()
                for wanted in self._waiting:
                    host = wanted.remote.where
                    free = self._busy[host] < self._per_host
                    if free and now >= self._not_before.get(host, now):
                        self._waiting.remove(wanted)
                        self._busy[host] += 1
                        self._not_before[host] = now + self._interval_s
                        return wanted
                self._condition.wait(0.05)
            return None

    def give_back(self, wanted: Wanted) -> None:
        """Make room for the next one of the same host."""
        with self._condition:
            self._busy[wanted.remote.where] -= 1
            self._condition.notify_all()


def transfer_all(
    wanted: Sequence[Wanted],
    *,
    at_once: int = 4,
    per_host: int = 2,
    interval_s: float = 0.0,
    progress: WantedProgress | None = None,
    cancel: Cancelled | None = None,
    options: TransferOptions = TransferOptions(),  # noqa: B008
    check: Check | None = zip_check,
) -> Iterator[tuple[Wanted, Fetched | Alos2Error]]:
    """Transfer several objects, some of them at the same time.

    Parameters
    ----------
    wanted : sequence of Wanted
        What to transfer; begun in this order where the caps allow it.
    at_once : int
        Most transfers at the same time.
    per_host : int
        Most of them from one host.
    interval_s : float
        Shortest time between two starts at one host, seconds.
    progress : callable, optional
        See `WantedProgress`.
    cancel, options, check
        As in `transfer`, for each of them.

    Yields
    ------
    (Wanted, Fetched or Alos2Error)
        As soon as each is there or has failed. One that fails does not stop the others.

    Raises
    ------
    Interrupted
        `cancel` said so; what has come is kept and continued by the next run.
    """
    pool = _Pool(
        _Turns(wanted, max(1, per_host), interval_s),
        lambda mine, stop: _one(mine, progress, stop, options, check),
        cancel,
    )
    return pool.run(max(1, min(at_once, len(wanted))))


class _Pool:
    """The threads of one `transfer_all`."""

    def __init__(
        self,
        turns: _Turns,
        transfer_one: Callable[[Wanted, Cancelled], Fetched],
        cancel: Cancelled | None,
    ) -> None:
        self._turns = turns
        self._transfer_one = transfer_one
        self._cancel = cancel
        self._stopped = threading.Event()
        self._results: SimpleQueue[tuple[Wanted, Fetched | BaseException] | None] = SimpleQueue()

    def _stop(self) -> bool:
        return self._stopped.is_set() or (self._cancel is not None and self._cancel())

    def run(self, count: int) -> Iterator[tuple[Wanted, Fetched | Alos2Error]]:
        """Yield outcomes as they come; wait for all threads, however it ends."""
        threads = [
            threading.Thread(target=self._work, name=f"alos2-transfer-{number}", daemon=True)
            for number in range(count)
        ]
        try:
            for thread in threads:
                thread.start()
            yield from self._outcomes(count)
        finally:
            # Each transfer secures what it has; nobody may leave before.
            self._stopped.set()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()

    def _outcomes(self, running: int) -> Iterator[tuple[Wanted, Fetched | Alos2Error]]:
        while running:
            result = self._results.get()
            if result is None:
                running -= 1
                continue
            mine, outcome = result
            if isinstance(outcome, Interrupted) or not isinstance(outcome, (Fetched, Alos2Error)):
                raise outcome
            yield mine, outcome
        if self._stop():
            raise Interrupted("the transfers were stopped")

    def _work(self) -> None:
        while (mine := self._turns.take(self._stop)) is not None:
            try:
                self._results.put((mine, self._transfer_one(mine, self._stop)))
            except BaseException as error:  # noqa: BLE001  handed to who asked, as it is
                self._results.put((mine, error))
            finally:
                self._turns.give_back(mine)
        self._results.put(None)


def _one(
    mine: Wanted,
    progress: WantedProgress | None,
    stop: Cancelled,
    options: TransferOptions,
    check: Check | None,
) -> Fetched:
    def told(done: int, total: int | None) -> None:
        if progress is not None:
            progress(mine, done, total)

    return transfer(
        mine.remote,
        mine.work_dir,
        name=mine.name,
        progress=told,
        cancel=stop,
        options=options,
        check=check,
    )

"""Several files at a time, and no more; the first fault stops the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

from alos2.errors import Interrupted
from alos2.publish.model import PublishOptions

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def each(
    work: Callable[[_Item], _Result],
    items: Iterable[_Item],
    *,
    at_once: int,
    stop: threading.Event | None = None,
) -> Iterator[_Result]:
    """Yield the results of ``work(item)`` as they come, in any order.

    At a fault, and when the caller stops asking, nothing more is begun and what is under way is
    waited for, so that nobody works on when this has ended.

    Parameters
    ----------
    work : callable
        Runs in a thread of its own.
    items : iterable
        Taken as there is room for them.
    at_once : int
        How many are under way at most.
    stop : Event, optional
        Set at a fault, so that what is under way ends early.
    """
    waiting = iter(items)
    running: set[Future[_Result]] = set()
    with ThreadPoolExecutor(at_once, thread_name_prefix="publish") as pool:
        try:
            running.update(pool.submit(work, item) for item in islice(waiting, at_once))
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
                running.update(pool.submit(work, item) for item in islice(waiting, len(done)))
        except BaseException:
            if stop is not None:
                stop.set()
            for future in running:
                future.cancel()
            raise


def stop_if(options: PublishOptions) -> None:
    """Raise `Interrupted` when the caller wants to stop."""
    if options.stop.is_set() or options.cancelled():
        raise Interrupted("publishing was stopped")

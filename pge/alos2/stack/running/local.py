"""Tasks are done by threads of this process.

What takes all cores runs alone; others run side by side, as many as cores and memory allow, and
share the cores. No result depends on how many.
"""

from __future__ import annotations

import logging
import queue
import shutil
import threading
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from alos2.errors import Alos2Error
from alos2.jobs import context
from alos2.stack.running.making import Means, Order, error_json, fresh_folder, make
from alos2.stack.running.progress import StepsProgress
from alos2.stack.running.room import Room
from alos2.stack.running.tasks import StepTable, Task
from alos2.types import Json

log = logging.getLogger(__name__)

_LOOK_S: Final = 0.2


@dataclass(frozen=True)
class Outcome:
    """What became of an order: a folder of outputs, or why there is none."""

    order: Order
    out: Path | None
    error: Json | None = None


class Doer(Protocol):
    """What does orders."""

    def has_room(self, task: Task) -> bool:
        """Whether another one can be taken on now."""

    def start(self, order: Order) -> None:
        """Take one on."""

    @property
    def busy(self) -> bool:
        """Whether any are under way."""

    def finished(self) -> list[Outcome]:
        """Wait a little while for some to end; of each, `out` is the caller's from then on."""

    def close(self) -> None:
        """End what is under way that does not go on without us."""

    def finish(self) -> None:
        """Clear away what is of no use any more, once all tasks of the stack are settled."""


class LocalDoer:
    """Threads of this process.

    Parameters
    ----------
    steps : StepTable
        How tasks are done.
    staging : Path
        Folder for what is half-made, on the disk of the work folder.
    room : Room
        What may be used.
    progress : StepsProgress
        Told of it.
    """

    def __init__(
        self, steps: StepTable, staging: Path, room: Room, progress: StepsProgress
    ) -> None:
        self._steps = steps
        self._staging = staging
        self._room = room
        self._progress = progress
        self._stop = threading.Event()
        self._ended: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._running: dict[str, tuple[Order, threading.Thread]] = {}

    @property
    def busy(self) -> bool:
        """See `Doer`."""
        return bool(self._running)

    def has_room(self, task: Task) -> bool:
        """See `Doer`."""
        if not self._running:
            return True
        if self._steps(task.step).alone:
            return False
        others = [order.task for order, _ in self._running.values()]
        if any(self._steps(other.step).alone for other in others):
            return False
        most = max(other.memory_mb for other in (*others, task))
        return len(others) < self._room.at_once(most)

    def start(self, order: Order) -> None:
        """See `Doer`."""
        task = order.task
        beside = 1 if self._steps(task.step).alone else self._room.at_once(task.memory_mb)
        means = Means(
            max(1, self._room.cores // beside),
            self._room.memory_mb // beside,
            self._progress.of(task),
            self._stop.is_set,
        )
        thread = threading.Thread(
            target=copy_context().run, args=(self._work, order, means), name=task.id, daemon=True
        )
        self._running[task.id] = order, thread
        thread.start()

    def finished(self) -> list[Outcome]:
        """See `Doer`."""
        try:
            outcome = self._ended.get(timeout=_LOOK_S)
        except queue.Empty:
            return []
        _, thread = self._running.pop(outcome.order.task.id)
        thread.join()
        return [outcome]

    def close(self) -> None:
        """See `Doer`: they stop at the next window."""
        self._stop.set()
        for _, thread in self._running.values():
            thread.join()
        self._running.clear()

    def finish(self) -> None:
        """See `Doer`: nothing of ours stays."""

    def _work(self, order: Order, means: Means) -> None:
        with context.about(context.product, order.task.id):
            self._ended.put(do(self._steps, order, self._staging, means))


def do(steps: StepTable, order: Order, staging: Path, means: Means) -> Outcome:
    """Do one order now; whatever goes wrong is its outcome."""
    folder: Path | None = None
    try:
        folder = fresh_folder(staging)
        out = make(steps(order.task.step), order, folder, means)
    except Alos2Error as error:
        log.warning("%s", error.short)
        told = error_json(error)
    except MemoryError as error:
        log.warning("not enough memory")
        told = error_json(error)
    except Exception as error:
        # The last net of a task: one scene that we stumble over must not keep the others from
        # being made. Its traceback goes to the log.
        log.exception("stumbled over %s", order.task.id)
        told = error_json(error)
    else:
        return Outcome(order, out)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    return Outcome(order, None, told)

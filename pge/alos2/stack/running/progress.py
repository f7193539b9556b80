"""Progress of many tasks at once, told as one: how many of a step are done, and how far it is."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable

from alos2.raster.pictures import Progress
from alos2.stack.running.tasks import Task

_FINE = 100
"""Parts of a task that are told apart."""


class StepsProgress:
    """Adds up what tasks tell; from any thread.

    Parameters
    ----------
    listener : Progress
        Told of (step, done, total), in hundredths of tasks; while only one task is at work, also
        of its own stages as ``step: stage``.
    tasks : iterable of Task
        All that may be done.
    """

    def __init__(self, listener: Progress, tasks: Iterable[Task]) -> None:
        self._listener = listener
        self._total = Counter(task.step for task in tasks)
        self._done: Counter[str] = Counter()
        self._inner: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def of(self, task: Task) -> Progress:
        """Return what a task tells of its own progress."""

        def tell(stage: str, done: int, total: int | None) -> None:
            share = done / total if total else 0.0
            with self._lock:
                before = self._inner.get(task.id, (task.step, 0.0))[1]
                # Stages follow one another: the bar never goes back.
                self._inner[task.id] = task.step, max(before, min(share, 1.0) * 0.99)
                only = len(self._inner) == 1
            if only and self._total[task.step] == 1:
                told = stage if stage.startswith(task.step) else f"{task.step}: {stage}"
                self._listener(told, done, total)
            else:
                self._tell(task.step)

        return tell

    def begun(self, task: Task) -> None:
        """Note that a task is at work."""
        with self._lock:
            self._inner[task.id] = task.step, 0.0
        self._tell(task.step)

    def settled(self, task: Task) -> None:
        """Note that a task is done, in whatever way."""
        with self._lock:
            self._inner.pop(task.id, None)
            self._done[task.step] += 1
        self._tell(task.step)

    def _tell(self, step: str) -> None:
        with self._lock:
            inner = sum(share for name, share in self._inner.values() if name == step)
            done = int((self._done[step] + inner) * _FINE)
            total = self._total[step] * _FINE
        self._listener(step, min(done, total), total)

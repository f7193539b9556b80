"""The tasks of a stack in an order in which each comes after what it needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from alos2.errors import UsageError
from alos2.stack.running.tasks import Task


class Graph:
    """All tasks, each after those that it needs.

    Parameters
    ----------
    tasks : iterable of Task
        In any order; of those that could go next the first given goes first.

    Raises
    ------
    UsageError
        Two have the same folder, or one needs what nobody makes, or itself.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        given: dict[str, Task] = {}
        for task in tasks:
            if task.id in given:
                raise UsageError(
                    f"two tasks write to {task.id}", hint="give tracks and dates distinct names"
                )
            given[task.id] = task
        self._tasks = {task.id: task for task in _ordered(given)}

    def __iter__(self) -> Iterator[Task]:
        return iter(self._tasks.values())

    def __len__(self) -> int:
        return len(self._tasks)

    def __getitem__(self, name: str) -> Task:
        return self._tasks[name]

    def wanted(self, steps: Collection[str] | None = None, dates: Collection[str] = ()) -> Graph:
        """Return the part that is needed for some steps.

        Parameters
        ----------
        steps : collection of str, optional
            Steps that are asked for; None: all.
        dates : collection of str, optional
            ``YYYYMMDD``: of tasks of single acquisitions only these; all where empty.

        Raises
        ------
        UsageError
            A date is no acquisition's.
        """
        known = {task.date for task in self if task.date is not None}
        unknown = sorted(set(dates) - {str(date) for date in known})
        if unknown:
            raise UsageError(
                f"no acquisition is of {', '.join(unknown)}",
                hint=f"there are {', '.join(sorted(str(date) for date in known)) or 'none'}",
            )
        chosen: set[str] = set()
        for task in reversed(self._tasks.values()):
            asked = steps is None or task.step in steps
            if dates and task.date is not None and task.date not in dates:
                asked = False
            if asked or task.id in chosen:
                chosen |= {task.id, *task.needs}
        return Graph(task for task in self if task.id in chosen)


def _ordered(tasks: Mapping[str, Task]) -> Iterator[Task]:
    state: dict[str, bool] = {}  # False: being looked at; True: given out
    for first in tasks.values():
        stack = [first]
        while stack:
            task = stack[-1]
            if state.get(task.id):
                stack.pop()
                continue
            state[task.id] = False
            missing = [name for name in task.needs if not state.get(name)]
            if not missing:
                state[task.id] = True
                stack.pop()
                yield task
                continue
            for name in reversed(missing):
                if name not in tasks or state.get(name) is False:
                    raise UsageError(
                        f"{task.id} needs {name}, which nothing makes before it",
                        hint="please report it with the configuration",
                    )
                stack.append(tasks[name])

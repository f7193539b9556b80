"""A stack is made: each task once, when what it needs is there; what is there already is kept.

One run at a time has a work folder: it holds a lock, which dies with it. What a killed run left
half-made lies in hidden folders and is removed by the next one; outputs appear by renaming.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from alos2.archive.writing import writing_failed
from alos2.dataset.locks import FileLock
from alos2.errors import Alos2Error, Interrupted
from alos2.raster.pictures import Progress, silent
from alos2.stack.running import keys
from alos2.stack.running.graph import Graph
from alos2.stack.running.local import Doer, LocalDoer, Outcome
from alos2.stack.running.making import HIDDEN, Order, error_json, put_in_place
from alos2.stack.running.progress import StepsProgress
from alos2.stack.running.receipt import Receipt, read_receipt
from alos2.stack.running.report import RunReport, Settled
from alos2.stack.running.room import Room, machine_room
from alos2.stack.running.tasks import THERE, StepTable, Task
from alos2.types import Json

log = logging.getLogger(__name__)

Tell = Callable[[Json], None]
MakeDoer = Callable[[Path, StepsProgress], Doer]
"""Makes what does the tasks, of the hidden folder and of who is told of progress."""

_STAGING: Final = "staging"


@dataclass(frozen=True)
class RunOptions:
    """How to run."""

    steps: tuple[str, ...] | None = None
    """Steps that are asked for, with what they need; None: all."""
    dates: tuple[str, ...] = ()
    """Of tasks of single acquisitions only these; all where empty."""
    verify: bool = False
    """Compare checksums of what is there, and not only sizes."""
    room: Room = field(default_factory=machine_room)
    patience_s: float = 0.0
    """How long to wait for another run in the same work folder."""
    doer: MakeDoer | None = None
    """What does the tasks; None: threads of this process."""


@contextmanager
def locked(work: Path, patience_s: float = 0.0) -> Iterator[Path]:
    """Hold a work folder, and clear away what killed runs left; gives its hidden folder.

    Raises
    ------
    NoResource
        Another run is at work in it, or it cannot be written to.
    """
    hidden = work / HIDDEN
    try:
        hidden.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise writing_failed(hidden, error) from error
    with FileLock(hidden / "lock", f"the stack in {work} is being made", patience_s=patience_s):
        shutil.rmtree(hidden / _STAGING, ignore_errors=True)
        try:
            yield hidden
        finally:
            shutil.rmtree(hidden / _STAGING, ignore_errors=True)


def run_stack(
    graph: Graph,
    work: Path,
    steps: StepTable,
    options: RunOptions = RunOptions(),
    *,
    tell: Tell = lambda _: None,
    progress: Progress = silent,
    begun: Callable[[], object] = lambda: None,
    left_out: Sequence[tuple[str, str]] = (),
) -> RunReport:
    """Make what is missing of a stack.

    Parameters
    ----------
    graph : Graph
        All tasks of the stack.
    work : Path
        The work folder.
    steps : StepTable
        How they are done.
    options : RunOptions
        What is asked for.
    tell : callable
        Given a JSON object for each task that is settled.
    progress : Progress
        Told of (step, done, total).
    begun : callable
        Called once the work folder is ours.
    left_out : sequence of (str, str)
        Deliveries that the graph lacks, as they are damaged, and why: for the report.

    Returns
    -------
    RunReport
        What became of each; written to ``report.json`` too.

    Raises
    ------
    NoResource, NoSpace
        Another run is at work there, or the work folder cannot be written to.
    Interrupted
        Somebody stopped it: what was done stays, the rest can be done by running again.
    """
    began = time.monotonic()
    with locked(work, options.patience_s) as hidden, ExitStack() as stack:
        begun()
        wanted = graph.wanted(options.steps, options.dates)
        shown = StepsProgress(progress, wanted)
        doer: Doer = (
            LocalDoer(steps, hidden / _STAGING, options.room, shown)
            if options.doer is None
            else options.doer(hidden, shown)
        )
        stack.callback(doer.close)
        run = _Run(work, steps, options, tell=tell, progress=shown, doer=doer)
        run.go(wanted)
        if options.steps is None and not options.dates:
            doer.finish()
        report = RunReport(work, run.settled, look(graph, work, steps, run.settled), left_out)
        report.seconds = time.monotonic() - began
        report.write(graph)
    return report


def look(
    graph: Graph, work: Path, steps: StepTable, settled: dict[str, Settled] | None = None
) -> dict[str, Settled]:
    """Say of each task whether its outputs are there, as if all could be made; change nothing.

    Parameters
    ----------
    graph, work, steps
        As `run_stack`.
    settled : dict, optional
        What is known already.

    Returns
    -------
    dict
        By task; ``kept`` where it is there, ``missing`` with the reason where it would be made.
    """
    found: dict[str, Settled] = {}
    for task in graph:
        if settled and task.id in settled:
            found[task.id] = settled[task.id]
            continue
        content, key = _key(task, steps, {n: found[n].key for n in task.needs if found[n].key})
        receipt, why = _present(task, work, content, key, checksums=False)
        found[task.id] = Settled(
            task, "missing" if receipt is None else "kept", key, receipt, why=why
        )
    return found


def _key(task: Task, steps: StepTable, needs: dict[str, str]) -> tuple[Json, str]:
    content = keys.made_from(
        task.step, steps(task.step).version, task.parameters, dict(task.inputs), needs
    )
    return content, keys.key_of(content)


def _present(
    task: Task, work: Path, content: Json, key: str, *, checksums: bool
) -> tuple[Receipt | None, str]:
    """Return the receipt of a task's outputs; or None, and why they are to be made."""
    place = work / task.id
    receipt = read_receipt(place)
    if receipt is None:
        return None, "not there yet"
    if receipt.key != key:
        return None, keys.difference(receipt.made_from, content)
    fault = receipt.fault(place, checksums=checksums)
    return (None, fault) if fault else (receipt, "")


class _Run:
    """One run."""

    def __init__(
        self,
        work: Path,
        steps: StepTable,
        options: RunOptions,
        *,
        tell: Tell,
        progress: StepsProgress,
        doer: Doer,
    ) -> None:
        self._work = work
        self._steps = steps
        self._options = options
        self._tell = tell
        self._progress = progress
        self._doer = doer
        self._why: dict[str, str] = {}
        self._began: dict[str, float] = {}
        self.settled: dict[str, Settled] = {}

    def go(self, graph: Graph) -> None:
        """Settle all tasks."""
        waiting = list(graph)
        while waiting or self._doer.busy:
            waiting = [task for task in waiting if not self._begun(task)]
            if self._doer.busy:
                for outcome in self._doer.finished():
                    self._ended(outcome)

    def _begun(self, task: Task) -> bool:
        """Settle a task or take it on; False where it has to wait."""
        if any(name not in self.settled for name in task.needs):
            return False
        there = {name: one.key for name in task.needs if (one := self.settled[name]).state in THERE}
        least = len(task.needs) if task.least is None else min(task.least, len(task.needs))
        lost = [name for name in task.needs if name not in there]
        if len(there) < least:
            self._settle(
                Settled(task, "skipped", "", why=f"what it needs is not there: {', '.join(lost)}")
            )
            return True
        content, key = _key(task, self._steps, there)
        checksums = self._options.verify
        receipt, why = _present(task, self._work, content, key, checksums=checksums)
        if receipt is not None:
            self._settle(Settled(task, "kept", key, receipt, without=tuple(lost)))
            return True
        if not self._doer.has_room(task):
            return False
        if lost:
            log.warning("%s goes on without %s", task.id, ", ".join(lost))
        log.info("%s: %s", task.id, why)
        self._why[task.id], self._began[task.id] = why, time.monotonic()
        self._progress.begun(task)
        made = {name: self._work / name for name in there}
        self._doer.start(Order(task, key, content, made, self._old(task)))
        return True

    def _old(self, task: Task) -> tuple[Path, Receipt] | None:
        place = self._work / task.id
        receipt = read_receipt(place)
        return None if receipt is None else (place, receipt)

    def _ended(self, outcome: Outcome) -> None:
        order, error = outcome.order, outcome.error
        task, receipt = order.task, None
        if outcome.out is not None:
            try:
                receipt = put_in_place(outcome.out, self._work / task.id)
                shutil.rmtree(outcome.out.parent, ignore_errors=True)
            except Interrupted:
                raise  # it is us who are stopped, and not a fault of the task
            except Alos2Error as fault:
                error = error_json(fault)
        lost = tuple(name for name in task.needs if name not in order.made)
        seconds = time.monotonic() - self._began.pop(task.id)
        why = self._why.pop(task.id)
        if receipt is None:
            told = Settled(task, "failed", "", None, error, why, seconds, lost)
        else:
            told = Settled(task, "made", order.key, receipt, None, why, seconds, lost)
        self._settle(told)

    def _settle(self, one: Settled) -> None:
        self.settled[one.task.id] = one
        self._progress.settled(one.task)
        self._tell({"kind": "task", **one.to_json()})

"""Tasks are done by the jobs of a cluster: scenes side by side, series and metrics by lines.

Each job has a folder ``.stack/jobs/<token>``; the token is of the task's key and of its lines, so
a run that was killed finds its jobs again and submits none twice. Only the run itself renames
outputs to their places.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from alos2.archive.writing import writing_failed
from alos2.cluster.model import JobStatus
from alos2.dataset.jsontext import json_bytes
from alos2.errors import Alos2Error, Interrupted, NoResource
from alos2.stack.running.jobs import Batch
from alos2.stack.running.local import Outcome
from alos2.stack.running.making import Order, error_json
from alos2.stack.running.tasks import BLOCK_LINES, Task, divided
from alos2.stack.running.worker import OUT, TASK_FILE, order_json, read_outcome
from alos2.types import Json

log = logging.getLogger(__name__)

JOBS: Final = "jobs"
_SUBMITTED: Final = "submitted.json"
_TRIES: Final = 2
"""A job that ended without a word (killed, walltime, never started) is submitted once more."""


@dataclass
class _Piece:
    """One job."""

    order: Order
    folder: Path
    lines: range | None = None
    parts: tuple[Path, ...] = ()
    scheduler: str = ""
    native_id: str = ""
    tries: int = 0


@dataclass
class _Spread:
    """A task that is under way."""

    order: Order
    phase: Literal["whole", "parts"]
    open: list[_Piece]
    """Jobs whose outcome is awaited."""
    folders: list[Path] = field(default_factory=list)
    """Of the parts, in the order of their lines."""


class SpreadDoer:
    """Jobs of a site's scheduler.

    Parameters
    ----------
    hidden : Path
        The run's hidden folder; all nodes see it.
    batch : Batch
        How jobs are handed over.
    steps : str
        Module that has the steps, for the workers.
    poll_s : float
        How often the scheduler is asked, seconds.
    lines_per_job : int
        Lines of a divided task that one job does; a multiple of 512.
    """

    def __init__(
        self,
        hidden: Path,
        batch: Batch,
        steps: str = "alos2.stack.steps",
        *,
        poll_s: float = 15.0,
        lines_per_job: int = 8 * BLOCK_LINES,
    ) -> None:
        self._folder = hidden.absolute() / JOBS
        self._batch = batch
        self._steps = steps
        self._poll_s = poll_s
        self._blocks = max(1, lines_per_job // BLOCK_LINES)
        self._tasks: dict[str, _Spread] = {}
        self._queue: list[_Piece] = []
        self._flying: list[_Piece] = []
        self._used: set[str] = set()
        self._silent = ""
        self._ready: list[Outcome] = []

    @property
    def busy(self) -> bool:
        """See `alos2.stack.running.local.Doer`."""
        return bool(self._tasks or self._ready)  # a job of an earlier run may have ended already

    def has_room(self, task: Task) -> bool:  # noqa: ARG002 - any task may be a job
        """See `alos2.stack.running.local.Doer`."""
        return len(self._queue) + len(self._flying) < self._batch.most

    def start(self, order: Order) -> None:
        """See `alos2.stack.running.local.Doer`."""
        task = order.task
        ranges = divided(task.lines, self._blocks)
        if len(ranges) > 1:
            pieces = [_Piece(order, self._place(order, lines), lines) for lines in ranges]
            folders = [piece.folder for piece in pieces]
            self._tasks[task.id] = _Spread(order, "parts", pieces, folders)
        else:
            pieces = [_Piece(order, self._place(order))]
            self._tasks[task.id] = _Spread(order, "whole", pieces)
        for piece in list(pieces):
            self._enter(piece)

    def _place(self, order: Order, lines: range | None = None) -> Path:
        part = "" if lines is None else f"-{lines.start}-{lines.stop}"
        name = f"{order.task.step}-{order.key[:20]}{part}"
        self._used.add(name)
        return self._folder / name

    def _enter(self, piece: _Piece) -> None:
        """Take up a job that is known from an earlier run, or put it in the queue."""
        outcome = read_outcome(piece.folder)
        if outcome is not None and not outcome["error"]:
            self._ended(piece, outcome)
            return
        if outcome is not None:
            # It failed in an earlier run: now it is tried again.
            shutil.rmtree(piece.folder, ignore_errors=True)
        elif piece.folder.is_dir():
            piece.scheduler, piece.native_id = self._known(piece.folder)
            if piece.native_id:
                log.info("job %s is found again: %s", piece.folder.name, piece.native_id)
                piece.tries = 1
                self._flying.append(piece)
                return
        self._queue.append(piece)

    def _known(self, folder: Path) -> tuple[str, str]:
        """Return scheduler and id of a job that was submitted; empty where it was not."""
        try:
            said = json.loads((folder / _SUBMITTED).read_bytes())
            return str(said["scheduler"]), str(said["native_id"])
        except (OSError, ValueError, KeyError, TypeError):
            return self._batch.begun(folder)

    def finished(self) -> list[Outcome]:
        """See `alos2.stack.running.local.Doer`."""
        self._submit()
        if not self._ready and self._flying:
            time.sleep(self._poll_s)
            self._look()
        ready, self._ready = self._ready, []
        return ready

    def _submit(self) -> None:
        while self._queue and len(self._flying) < self._batch.most:
            piece = self._queue.pop(0)
            try:
                self._hand_over(piece)
            except Interrupted:
                raise
            except Alos2Error as error:
                self._fail(piece, error_json(error))
            else:
                self._flying.append(piece)

    def _hand_over(self, piece: _Piece) -> None:
        said = order_json(
            piece.order,
            self._steps,
            threads=self._batch.cpus,
            memory_mb=self._batch.memory_mb,
            lines=piece.lines,
            parts=piece.parts,
        )
        task_file = piece.folder / TASK_FILE
        try:
            piece.folder.mkdir(parents=True, exist_ok=True)
            task_file.write_bytes(json_bytes(said))
        except OSError as error:
            raise writing_failed(task_file, error) from error
        piece.tries += 1
        piece.scheduler, piece.native_id = self._batch.submit(piece.folder, task_file)
        note = {"scheduler": piece.scheduler, "native_id": piece.native_id}
        part = piece.folder / f".{_SUBMITTED}"
        try:
            part.write_bytes(json_bytes(note))
            part.replace(piece.folder / _SUBMITTED)
        except OSError as error:
            raise writing_failed(piece.folder, error) from error

    def _look(self) -> None:
        """See which jobs have ended."""
        asked = [(p.scheduler, p.native_id, p.folder) for p in self._flying]
        try:
            found = self._batch.status(asked)
        except NoResource as error:
            if str(error) != self._silent:
                log.warning("the scheduler does not answer, waiting: %s", error)
            self._silent = str(error)
            return
        self._silent = ""
        for piece in list(self._flying):
            status = found[piece.native_id]
            if not status.ended or piece not in self._flying:
                continue
            self._flying.remove(piece)
            outcome = read_outcome(piece.folder)
            if outcome is not None:
                self._ended(piece, outcome)
            else:
                self._died(piece, status)

    def _died(self, piece: _Piece, status: JobStatus) -> None:
        sentence = self._batch.ending(status)
        if piece.tries < _TRIES:
            log.warning("%s: %s; submitted once more", piece.folder.name, sentence)
            self._queue.append(piece)
            return
        error = NoResource(
            f"{piece.order.task.id}: {sentence} ({piece.folder.name}: see stderr there)",
            hint="mend what it says in the site file (walltime, memory), then run again",
        )
        self._fail(piece, error_json(error))

    def _ended(self, piece: _Piece, outcome: Json) -> None:
        """Go on after a job that told how it ended."""
        if outcome["error"]:
            self._fail(piece, outcome["error"])
            return
        spread = self._tasks[piece.order.task.id]
        spread.open.remove(piece)
        if spread.open:
            return
        order = spread.order
        if spread.phase == "whole":
            del self._tasks[order.task.id]
            self._ready.append(Outcome(order, piece.folder / OUT))
            return
        parts = tuple(folder / OUT for folder in spread.folders)
        last = _Piece(order, self._place(order), parts=parts)
        spread.phase, spread.open = "whole", [last]
        self._enter(last)

    def _fail(self, piece: _Piece, error: Json) -> None:
        """Give a task up, and the jobs of it that are not needed any more."""
        spread = self._tasks.pop(piece.order.task.id, None)
        if spread is None:
            return
        for other in spread.open:
            if other in self._queue:
                self._queue.remove(other)
            if other in self._flying:
                self._flying.remove(other)
                self._batch.cancel(other.scheduler, other.native_id, other.folder)
        self._ready.append(Outcome(spread.order, None, error))

    def close(self) -> None:
        """See `alos2.stack.running.local.Doer`: jobs go on, and the next run finds them."""
        if self._flying:
            log.warning(
                "%d jobs go on; running the same command again takes them up", len(self._flying)
            )

    def finish(self) -> None:
        """Clear away the folders of jobs once all tasks are settled, and end jobs of none."""
        for folder in self._left():
            scheduler, native_id = self._known(folder)
            if native_id and read_outcome(folder) is None:
                self._batch.cancel(scheduler, native_id, folder)
            shutil.rmtree(folder, ignore_errors=True)

    def _left(self) -> Iterator[Path]:
        """Yield the folders of jobs that are of no use any more."""
        try:
            found = sorted(self._folder.iterdir())
        except OSError:
            return
        for folder in found:
            outcome = read_outcome(folder)
            # What failed in this run is left to be looked at.
            if folder.name not in self._used or (outcome is not None and not outcome["error"]):
                yield folder

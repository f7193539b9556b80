"""What jobs have done becomes rows of the state and entries of the archive's catalogue.

A job's results are read as they come, also those of a job that died; what it left undone is
failed, with the reason, and is tried again on request. Everything here may happen twice (the scan
may be killed between any two steps): the catalogue goes by id, and a unit is only touched while it
counts as submitted.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from alos2.cluster.model import JobStatus
from alos2.errors import Alos2Error, BadDocument, BadProduct, UsageError
from alos2.scan import chunks
from alos2.scan.chunks import Chunk
from alos2.scan.claim import is_claimed
from alos2.scan.endings import ending
from alos2.scan.entering import NOT_THERE, Clock
from alos2.scan.options import ScanOptions
from alos2.scan.plan import TO_DO
from alos2.scan.results import CLAIM, read_results
from alos2.scan.state import ScanState
from alos2.scan.submit import Jobs
from alos2.types import Json

if TYPE_CHECKING:
    from alos2.catalogue.embedded import EmbeddedCatalogue

log = logging.getLogger(__name__)

_AGAIN: Final = "alos2 scan --retry-failed makes it again"
_BATCH: Final = 200
"""Results entered in one transaction."""


class Ended(NamedTuple):
    """A unit that is done or failed."""

    dataset_id: str
    place: str
    outcome: str
    """As the job says, else ``failed``."""
    folder: str | None
    error: Json | None


class Collector:
    """Collects from all jobs in flight; a context manager.

    Parameters
    ----------
    state : ScanState
        Open for writing.
    options : ScanOptions
        Of this scan.
    jobs : Jobs
        The schedulers.
    tell : callable
        Given each unit that has ended.

    Attributes
    ----------
    silent : dict
        Sentence by scheduler that did not answer in the last round.
    """

    def __init__(
        self,
        state: ScanState,
        options: ScanOptions,
        jobs: Jobs,
        tell: Callable[[Ended], None],
    ) -> None:
        self._state = state
        self._options = options
        self._jobs = jobs
        self._tell = tell
        self._catalogue: EmbeddedCatalogue | None = None
        self.silent: dict[str, str] = {}

    def __enter__(self) -> Collector:
        return self

    def __exit__(self, *_: object) -> None:
        if self._catalogue is not None:
            self._catalogue.close()

    def round(self, *, cancelled: bool = False) -> list[Chunk]:
        """Collect from every job once; return the chunks that are still in flight.

        Parameters
        ----------
        cancelled : bool, optional
            Whether what is left undone has been cancelled: it is not waited for.

        Raises
        ------
        PublishFailed, NoResource, NoSpace
            The catalogue cannot be written; nothing is lost, the next round goes on there.
        """
        live = chunks.live_chunks(self._state)
        with_folders = [(c, self._state.chunk_folder(c.token)) for c in live]
        # Asked before the results are read: what a job did before it ended stands there then.
        status = self._jobs.status([pair for pair in with_folders if pair[0].state == "submitted"])
        self.silent = {}
        left = []
        for chunk, folder in with_folders:
            self._read(chunk, folder)
            said = status.get(chunk.id)
            if isinstance(said, str):
                self.silent[chunk.scheduler] = said
                said = None
            if not self._over(chunk, folder, said, cancelled=cancelled):
                left.append(chunk)
        return left

    def read_all(self) -> None:
        """Enter what jobs have finished, and judge none; raises as `round`."""
        for chunk in chunks.live_chunks(self._state):
            self._read(chunk, self._state.chunk_folder(chunk.token))

    def _read(self, chunk: Chunk, folder: Path) -> None:
        try:
            lines, end = read_results(folder, chunk.read_bytes)
        except BadProduct as error:
            log.warning("%s", error.short)
            return
        for start in range(0, len(lines), _BATCH):
            # The last line of a unit counts, if a job tells of it twice.
            latest = {line["dataset_id"]: line for line in lines[start : start + _BATCH]}
            self._enter(chunk, list(latest.values()))
        if end > chunk.read_bytes:
            self._state.db.execute("UPDATE chunks SET read_bytes = ? WHERE id = ?", (end, chunk.id))

    def _enter(self, chunk: Chunk, lines: Sequence[Json]) -> None:
        """Enter some results: first in the catalogue, then in the state."""
        faults = self._catalogued(lines)
        ended = []
        with self._state.transaction():
            for line in lines:
                said = faults.get(line["dataset_id"]) or line.get("error")
                if line["outcome"] == "failed" and not said:
                    said = {"class": "Unknown", "message": "the job says no more", "hint": ""}
                one = Ended(
                    line["dataset_id"],
                    line["place"],
                    "failed" if said else line["outcome"],
                    line.get("folder"),
                    said,
                )
                if self._settle(chunk, one):
                    ended.append(one)
        for one in ended:
            self._tell(one)

    def _catalogued(self, lines: Sequence[Json]) -> dict[str, Json]:
        """Enter the datasets of results in the catalogue; return what was wrong with some."""
        faults: dict[str, Json] = {}
        with_folder = [line for line in lines if line.get("folder")]
        if not with_folder:
            return faults
        catalogue = self._open_catalogue()
        with catalogue.batch():
            for line in with_folder:
                folder = Path(line["folder"])
                try:
                    there = catalogue.refresh(line["dataset_id"], folder)
                except (BadDocument, UsageError) as error:
                    faults[line["dataset_id"]] = _error_json(error)
                else:
                    if not there:
                        gone = BadDocument(f"{folder} is not there any more", hint=_AGAIN)
                        faults[line["dataset_id"]] = _error_json(gone)
        return faults

    def _settle(self, chunk: Chunk, one: Ended) -> bool:
        """Enter what became of a unit; False where it is not this chunk's any more."""
        db = self._state.db
        row = db.execute(
            """SELECT units.id, coalesce(was_at, places.path), fingerprint, sent, newest_ns,
                 seen_ns, missing FROM units LEFT JOIN places ON places.id = units.place
               WHERE chunk = ? AND dataset_id = ? AND state = 'submitted'""",
            (chunk.id, one.dataset_id),
        ).fetchone()
        if row is None:
            return False
        number, path, now_is, sent, newest_ns, seen_ns, missing = row
        if one.error is None:
            db.execute(
                "INSERT OR REPLACE INTO made VALUES (?, ?, ?, ?)",
                (one.dataset_id, sent, path, int(one.folder is not None)),
            )
        if now_is == sent:
            state = "'failed'" if one.error else "'done'"
        elif now_is == NOT_THERE:
            state = "'gone'"
        elif self._clock().is_young(newest_ns, seen_ns):
            state = "'settling'"
        else:
            state = "'incomplete'" if missing else TO_DO
        failed = state == "'failed'"
        db.execute(
            f"""UPDATE units SET state = {state}, chunk = ?, sent = NULL, error_class = ?,
                error = ? WHERE id = ?""",  # noqa: S608
            (
                chunk.id if failed else None,
                one.error["class"] if failed and one.error else None,
                json.dumps(one.error) if failed else None,
                number,
            ),
        )
        return True

    def _clock(self) -> Clock:
        return Clock(time.time_ns(), int(self._options.settle_s * 1e9))

    def _over(
        self, chunk: Chunk, folder: Path, status: JobStatus | None, *, cancelled: bool
    ) -> bool:
        """Whether a chunk's job is over; what it left undone is failed then."""
        undone = self._undone(chunk)
        if not undone and not cancelled and status is not None and not status.ended:
            return False  # it is about to end, and still writes into its folder
        if undone and not cancelled:
            if chunk.state == "made" or status is None or not status.ended:
                # A job without an id was found at work by its claim alone.
                lost = chunk.state == "submitted" and chunk.native_id is None
                if not lost or is_claimed(folder / CLAIM):
                    return False
                status = JobStatus("gone", None, "its process has ended")
            if is_claimed(folder / CLAIM):
                return False  # another copy of it is at work
            if status.state in ("gone", "done") and not self._looked_twice(chunk):
                return False
        kind, message, hint = ending(status, cancelled=cancelled)
        error = {"class": kind, "message": message, "hint": hint, "exit_code": 9}
        with self._state.transaction():
            told = [Ended(name, os.fsdecode(path), "failed", None, error) for name, path in undone]
            for one in told:
                self._settle(chunk, one)
            chunks.end(self._state, chunk, message if undone else "")
        for one in told:
            self._tell(one)
        return True

    def _undone(self, chunk: Chunk) -> list[tuple[str, bytes]]:
        return self._state.db.execute(
            """SELECT dataset_id, coalesce(was_at, places.path) FROM units
               LEFT JOIN places ON places.id = units.place
               WHERE chunk = ? AND state = 'submitted'""",
            (chunk.id,),
        ).fetchall()

    def _looked_twice(self, chunk: Chunk) -> bool:
        """Whether a job was found to have left no trace long enough ago."""
        now = time.time_ns()
        if chunk.lost_ns is None:
            self._state.db.execute("UPDATE chunks SET lost_ns = ? WHERE id = ?", (now, chunk.id))
            return self._options.second_look_s <= 0
        return now - chunk.lost_ns >= self._options.second_look_s * 1e9

    def _open_catalogue(self) -> EmbeddedCatalogue:
        if self._catalogue is None:
            # Imported late: a scan with nothing new needs none.
            from alos2.catalogue.embedded import EmbeddedCatalogue  # noqa: PLC0415

            self._catalogue = EmbeddedCatalogue.open(self._options.out)
        return self._catalogue


def _error_json(error: Alos2Error) -> Json:
    return {
        "class": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "exit_code": error.exit_code,
    }

"""What is told of a scan: what this run did, and how everything stands."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from alos2.cluster.model import JobStatus
from alos2.errors import Alos2Error
from alos2.scan.chunks import Chunk, live_chunks
from alos2.scan.endings import REMEDIES
from alos2.scan.results import read_results
from alos2.scan.seen import Seen
from alos2.scan.state import ScanState
from alos2.scan.submit import Jobs
from alos2.types import Json

_KEPT_TROUBLES: Final = 1000


@dataclass
class ScanReport:
    """What one run did."""

    walked: bool = False
    any_scene: bool = False
    """Whether there is any scene in the folders that were walked."""
    refusal: Alos2Error | None = None
    """Why the scheduler takes no jobs."""
    folders: int = 0
    files: int = 0
    walk_s: float = 0.0
    """Seconds that the walk took."""
    found: int = 0
    """Scenes (products at places) that were new or changed, or had gone."""
    young_zips: int = 0
    missing: int = 0
    """Scenes whose dataset is no longer in the archive, or damaged: they are to be done."""
    forgotten: int = 0
    """Datasets that were removed, since the files of their scenes are gone."""
    retried: int = 0
    taken_up: int = 0
    """Chunks whose submission a killed scan had interrupted."""
    jobs: int = 0
    """Jobs submitted."""
    submitted: int = 0
    """Scenes in them."""
    left: int = 0
    """Scenes that are left for the next run, as the jobs in flight are at their limit."""
    done: int = 0
    """Scenes whose dataset is there now, in this run."""
    failed: int = 0
    """Scenes that failed in this run."""
    troubles: list[tuple[str, str]] = field(default_factory=list)
    """Path and sentence."""
    more_troubles: int = 0
    silent: dict[str, str] = field(default_factory=dict)
    """Schedulers that do not answer, and what they say."""
    counts: dict[str, int] = field(default_factory=dict)
    """Scenes by state, at the end."""
    in_flight: int = 0
    """Jobs, at the end."""
    seconds: float = 0.0

    def trouble(self, path: str, sentence: str) -> None:
        """Note something that is in the way."""
        if len(self.troubles) < _KEPT_TROUBLES:
            self.troubles.append((path, sentence))
        else:
            self.more_troubles += 1

    @property
    def known(self) -> int:
        """Scenes that are known and there."""
        return sum(self.counts.values()) - self.counts.get("gone", 0)

    def to_json(self) -> Json:
        """Return the last line of ``--json``."""
        return {
            "kind": "summary",
            "walked": self.walked,
            "folders": self.folders,
            "files": self.files,
            "found": self.found,
            "young_zips": self.young_zips,
            "missing": self.missing,
            "forgotten": self.forgotten,
            "retried": self.retried,
            "jobs": self.jobs,
            "submitted": self.submitted,
            "left": self.left,
            "done": self.done,
            "failed": self.failed,
            "troubles": len(self.troubles) + self.more_troubles,
            "in_flight": self.in_flight,
            "counts": self.counts,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class FailureGroup:
    """Failed scenes of one class."""

    error_class: str
    count: int
    dataset_id: str
    """One of them."""
    place: str
    message: str
    remedy: str
    log: str
    """Folder of its job, empty if there is none."""


def failures(state: ScanState) -> list[FailureGroup]:
    """Return what failed, by class, most first; each with one example."""
    rows = state.db.execute(
        """SELECT error_class, count(*), min(id) FROM units INDEXED BY units_error
           WHERE state = 'failed' GROUP BY error_class ORDER BY 2 DESC, 1"""
    ).fetchall()
    groups = []
    for kind, count, number in rows:
        dataset_id, path, error, token = state.db.execute(
            """SELECT dataset_id, coalesce(was_at, places.path), error, chunks.token FROM units
               LEFT JOIN places ON places.id = units.place
               LEFT JOIN chunks ON chunks.id = units.chunk WHERE units.id = ?""",
            (number,),
        ).fetchone()
        told = json.loads(error or "{}")
        remedy = REMEDIES.get(kind) or told.get("hint") or "see the job's stderr"
        folder = str(state.chunk_folder(token)) if token else ""
        groups.append(
            FailureGroup(
                kind or "Unknown", count, dataset_id, os.fsdecode(path or b"?"),
                told.get("message", ""), remedy, folder,
            )
        )  # fmt: skip
    return groups


def incomplete(state: ScanState, limit: int = -1) -> Iterator[Json]:
    """Yield scenes that lack files, with what is missing."""
    for dataset_id, path, missing in state.db.execute(
        """SELECT dataset_id, path, missing FROM units JOIN places ON places.id = units.place
           WHERE state = 'incomplete' LIMIT ?""",
        (limit,),
    ):
        yield {
            "kind": "incomplete",
            "dataset_id": dataset_id,
            "place": os.fsdecode(path),
            "missing": missing.split("\n"),
        }


def duplicates(state: ScanState, limit: int = -1) -> Iterator[Json]:
    """Yield scenes that lie at several places, with the one that counts."""
    for dataset_id, path, other in state.db.execute(
        """SELECT u.dataset_id, p.path, (SELECT q.path FROM units v
             JOIN places q ON q.id = v.place WHERE v.dataset_id = u.dataset_id
             AND v.state NOT IN ('duplicate', 'gone', 'incomplete') ORDER BY v.state = 'failed'
             LIMIT 1)
           FROM units u JOIN places p ON p.id = u.place WHERE u.state = 'duplicate' LIMIT ?""",
        (limit,),
    ):
        yield {
            "kind": "duplicate",
            "dataset_id": dataset_id,
            "place": os.fsdecode(path),
            "counts": None if other is None else os.fsdecode(other),
        }


def without_files(state: ScanState) -> int:
    """Return how many datasets there are whose scenes' files are gone from everywhere."""
    count: int = state.one(
        """SELECT count(DISTINCT dataset_id) FROM units WHERE state = 'gone'
           AND EXISTS (SELECT 1 FROM made WHERE made.dataset_id = units.dataset_id)
           AND NOT EXISTS (SELECT 1 FROM units v
             WHERE v.dataset_id = units.dataset_id AND v.state <> 'gone')"""
    )
    return count


def damaged_zips(state: ScanState) -> Iterator[tuple[str, str]]:
    """Yield path and reason of zips that cannot be listed."""
    return Seen(state.db).problems()


@dataclass(frozen=True)
class Flight:
    """A job in flight."""

    chunk: Chunk
    status: JobStatus | str | None
    """A sentence where its scheduler does not answer; None where it was not submitted yet."""
    finished: int
    """Scenes that it has finished, collected or not."""
    waiting_s: float
    """Since its submission, seconds."""

    def to_json(self) -> Json:
        """Return a line of ``--json``."""
        known = self.status if isinstance(self.status, JobStatus) else None
        return {
            "kind": "job",
            "token": self.chunk.token,
            "scheduler": self.chunk.scheduler,
            "native_id": self.chunk.native_id,
            "state": known.state if known else "unknown" if self.status else "made",
            "reason": known.reason if known else self.status or "",
            "units": self.chunk.units,
            "finished": self.finished,
            "since_s": round(self.waiting_s, 1),
        }


def flights(state: ScanState, jobs: Jobs) -> list[Flight]:
    """Return the jobs in flight as their schedulers tell; nothing is changed."""
    pairs = [(chunk, state.chunk_folder(chunk.token)) for chunk in live_chunks(state)]
    status = jobs.status([pair for pair in pairs if pair[0].native_id])
    found = []
    for chunk, folder in pairs:
        undone = state.one(
            "SELECT count(*) FROM units WHERE chunk = ? AND state = 'submitted'", (chunk.id,)
        )
        lines, _ = read_results(folder, chunk.read_bytes)
        told = {line["dataset_id"] for line in lines}
        since = chunk.submitted_ns or chunk.made_ns
        found.append(
            Flight(
                chunk,
                status.get(chunk.id),
                min(chunk.units, chunk.units - undone + len(told)),
                (time.time_ns() - since) / 1e9,
            )
        )
    return found

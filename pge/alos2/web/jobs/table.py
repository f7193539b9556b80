"""The jobs on disk, so that they outlive the server: ``<archive>/.alos2-serve/jobs.sqlite``."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from alos2.errors import NoResource
from alos2.types import Json
from alos2.web.jobs.asked import Asked

State: TypeAlias = Literal["waiting", "running", "done", "failed", "cancelled"]
OVER: Final = frozenset({"done", "failed", "cancelled"})
MOST_KEPT: Final = 200
"""Jobs that are over, beyond which the oldest are forgotten."""
LOG_LINES: Final = 200

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL,
    force INTEGER NOT NULL, state TEXT NOT NULL, created TEXT NOT NULL, started TEXT, ended TEXT,
    attempts INTEGER NOT NULL, datasets TEXT NOT NULL, error TEXT, log TEXT NOT NULL,
    process TEXT
)
"""
_COLUMNS: Final = (
    "id", "kind", "source", "force", "state", "created", "started", "ended", "attempts",
    "datasets", "error", "log", "process",
)  # fmt: skip
_PATIENCE_S: Final = 10.0


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Job:
    """One ingest."""

    asked: Asked
    id: str = field(default_factory=lambda: secrets.token_hex(6))
    state: State = "waiting"
    created: str = field(default_factory=now)
    started: str | None = None
    ended: str | None = None
    attempts: int = 0
    datasets: list[str] = field(default_factory=list)
    """Ids of what it has made."""
    error: Json | None = None
    """``class``, ``message``, ``exit_code``."""
    log: list[str] = field(default_factory=list)
    process: Json | None = None
    """``pid`` and ``began`` of the one that runs it."""
    progress: Json | None = None
    """``stage``, ``done``, ``total``; not kept on disk."""
    will_cancel: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more will become of it by itself."""
        return self.state in OVER

    def to_json(self) -> Json:
        """Return it as the page is told."""
        return {
            "id": self.id,
            "kind": self.asked.kind,
            "title": self.asked.title,
            "state": self.state,
            "created": self.created,
            "started": self.started,
            "ended": self.ended,
            "attempts": self.attempts,
            "progress": self.progress,
            "datasets": list(self.datasets),
            "error": self.error,
            "log_lines": len(self.log),
            "may_retry": self.state in ("failed", "cancelled"),
        }


class JobTable:
    """The jobs of one archive. For one thread.

    Parameters
    ----------
    folder : Path
        ``.alos2-serve`` of the archive; made if need be.

    Raises
    ------
    NoResource
        It cannot be made or read.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                folder / "jobs.sqlite", timeout=_PATIENCE_S, isolation_level=None
            )
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute(_SCHEMA)
            except BaseException:
                self._connection.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise NoResource(
                f"the list of jobs in {folder} cannot be kept: {error}",
                hint="give the server a place in the archive that it may write to",
            ) from error

    def all(self) -> list[Job]:
        """Return the jobs, the newest first."""
        with self._told():
            rows = self._connection.execute(
                f"SELECT {', '.join(_COLUMNS)} FROM jobs ORDER BY number DESC"  # noqa: S608
            ).fetchall()
        return [_job(row) for row in rows]

    def put(self, job: Job) -> None:
        """Keep a job as it is now."""
        marks = ", ".join("?" * len(_COLUMNS))
        changes = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])
        with self._told():
            self._connection.execute(
                f"INSERT INTO jobs ({', '.join(_COLUMNS)}) VALUES ({marks}) "  # noqa: S608
                f"ON CONFLICT (id) DO UPDATE SET {changes}",
                _row(job),
            )

    def remove(self, ids: Sequence[str]) -> None:
        """Forget jobs."""
        with self._told():
            self._connection.executemany("DELETE FROM jobs WHERE id = ?", [(one,) for one in ids])

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise NoResource(f"the list of jobs cannot be kept: {error}") from error


def _row(job: Job) -> tuple[Any, ...]:
    return (
        job.id, job.asked.kind, job.asked.source, int(job.asked.force), job.state, job.created,
        job.started, job.ended, job.attempts, json.dumps(job.datasets),
        None if job.error is None else json.dumps(job.error),
        json.dumps(job.log[-LOG_LINES:]), None if job.process is None else json.dumps(job.process),
    )  # fmt: skip


def _job(row: Sequence[Any]) -> Job:
    said = dict(zip(_COLUMNS, row, strict=True))
    made = Job(Asked(said["kind"], said["source"], bool(said["force"])), id=said["id"])
    return replace(
        made,
        state=said["state"],
        created=said["created"],
        started=said["started"],
        ended=said["ended"],
        attempts=said["attempts"],
        datasets=json.loads(said["datasets"]),
        error=None if said["error"] is None else json.loads(said["error"]),
        log=json.loads(said["log"]),
        process=None if said["process"] is None else json.loads(said["process"]),
    )

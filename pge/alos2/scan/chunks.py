"""A chunk: the units that one batch job does. A row of the state, and a folder that the job sees.

The row comes first and the folder after it, so a folder without a row belongs to nobody. A chunk
is ``made`` until its scheduler's answer stands in the row: one that stays so was interrupted
between, and is looked at by the next scan.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from alos2.archive.writing import writing_failed
from alos2.scan.options import ScanOptions
from alos2.scan.plan import TO_DO, Candidate
from alos2.scan.results import CHUNK, CLAIM, DONE, VERSION, write_chunk
from alos2.scan.state import CHUNKS, ScanState
from alos2.scan.units import file_names
from alos2.types import Json

log = logging.getLogger(__name__)

ChunkState: TypeAlias = Literal["made", "submitted", "ended"]
_LONGEST_JOB_S: Final = 7 * 86_400
_PLACE: Final = "coalesce(units.was_at, places.path)"


class Chunk(NamedTuple):
    """A row of the table of chunks."""

    id: int
    token: str
    """Name of its folder; the job's name has it too."""
    state: ChunkState
    scheduler: str
    native_id: str | None
    units: int
    forced: bool
    """Whether datasets that are there are replaced."""
    made_ns: int
    submitted_ns: int | None
    lost_ns: int | None
    """When its job was first found to have left no trace, ns."""
    read_bytes: int
    """How far its results have been read."""


_COLUMNS: Final = (
    "id, token, state, scheduler, native_id, units, forced, made_ns, submitted_ns, lost_ns, "
    "read_bytes"
)


def live_chunks(state: ScanState) -> list[Chunk]:
    """Return the chunks whose jobs have not ended, oldest first."""
    rows = state.db.execute(f"SELECT {_COLUMNS} FROM chunks WHERE state <> 'ended' ORDER BY id")  # noqa: S608
    return [Chunk(*row)._replace(forced=bool(row[6])) for row in rows]


def make_chunk(
    state: ScanState, units: Sequence[Candidate], scheduler: str, *, forced: bool
) -> Chunk:
    """Enter a chunk and its units; its folder is written by `write_folder`."""
    now = time.time_ns()
    token = time.strftime("%y%m%d-%H%M%S-", time.gmtime(now // 10**9)) + secrets.token_hex(4)
    with state.transaction() as db:
        number = db.execute(
            "INSERT INTO chunks (token, state, scheduler, units, forced, made_ns) "
            "VALUES (?, 'made', ?, ?, ?, ?)",
            (token, scheduler, len(units), int(forced), now),
        ).lastrowid
        db.executemany(
            "UPDATE units SET state = 'submitted', chunk = ?, sent = fingerprint WHERE id = ?",
            [(number, unit.id) for unit in units],
        )
    return Chunk(
        number or 0, token, "made", scheduler, None, len(units), forced, now, None, None, 0
    )


def write_folder(state: ScanState, chunk: Chunk, options: ScanOptions) -> Path:
    """Write what a chunk's job is to do, unless that has been done; return the folder.

    Raises
    ------
    NoSpace, NoResource
        It cannot be written.
    """
    folder = state.chunk_folder(chunk.token)
    if (folder / CHUNK).exists():
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise writing_failed(folder, error) from error
    write_chunk(
        folder,
        {
            "version": VERSION,
            "token": chunk.token,
            "out": str(options.out.absolute()),
            "units": list(_units(state, chunk)),
            "options": {**options.job_options(), "force": chunk.forced},
        },
    )
    return folder


def _units(state: ScanState, chunk: Chunk) -> Iterator[Json]:
    rows = state.db.execute(
        f"""SELECT {_PLACE}, dataset_id, scene, product, codes, in_zip FROM units
            LEFT JOIN places ON places.id = units.place
            WHERE chunk = ? AND state = 'submitted' ORDER BY {_PLACE}, dataset_id""",  # noqa: S608
        (chunk.id,),
    )
    for path, dataset_id, scene, product, codes, in_zip in rows:
        names = None if in_zip else list(file_names(scene, product, codes))
        yield {"place": os.fsdecode(path), "dataset_id": dataset_id, "files": names}


def submitted(state: ScanState, chunk: Chunk, native_id: str | None) -> None:
    """Enter what the scheduler called the job; None where it is known to be at work, no more."""
    with state.transaction() as db:
        db.execute(
            "UPDATE chunks SET state = 'submitted', native_id = ?, submitted_ns = ? WHERE id = ?",
            (native_id, time.time_ns(), chunk.id),
        )


def take_back(state: ScanState, chunk: Chunk) -> None:
    """Undo a chunk: its units are to be done again, its folder goes."""
    with state.transaction() as db:
        db.execute(
            f"UPDATE units SET state = CASE WHEN was_at IS NULL THEN {TO_DO} ELSE 'gone' END, "  # noqa: S608
            "chunk = NULL, sent = NULL WHERE chunk = ? AND state = 'submitted'",
            (chunk.id,),
        )
        db.execute("DELETE FROM chunks WHERE id = ?", (chunk.id,))
    remove_folder(state, chunk.token)


def end(state: ScanState, chunk: Chunk, reason: str) -> None:
    """Enter, within a transaction of the caller's, that a chunk's job has ended."""
    state.db.execute(
        "UPDATE chunks SET state = 'ended', ended_ns = ?, reason = ? WHERE id = ?",
        (time.time_ns(), reason, chunk.id),
    )


def tidy(state: ScanState) -> None:
    """Remove what is no longer needed of chunks that have ended without a failure.

    Folders that the state does not know (it was lost, and made anew) may belong to jobs at work:
    they go when their jobs have ended, or after a week.
    """
    known = dict(state.db.execute("SELECT token, state FROM chunks"))
    keep = {
        row[0]
        for row in state.db.execute(
            """SELECT token FROM chunks WHERE state <> 'ended' OR EXISTS
               (SELECT 1 FROM units WHERE chunk = chunks.id AND units.state = 'failed')"""
        )
    }
    try:
        names = [path.name for path in (state.folder / CHUNKS).iterdir()]
    except OSError:
        return
    for name in names:
        if name not in keep and (name in known or _is_litter(state.chunk_folder(name))):
            remove_folder(state, name)
    with state.transaction() as db:
        db.execute(
            """DELETE FROM chunks WHERE state = 'ended' AND NOT EXISTS
               (SELECT 1 FROM units WHERE chunk = chunks.id)"""
        )


def _is_litter(folder: Path) -> bool:
    try:
        names = {path.name for path in folder.iterdir()}
        age_s = time.time() - folder.stat().st_mtime
    except OSError:
        return False
    begun = CLAIM in names or any(name.endswith(".job") for name in names)
    return DONE in names or not begun or age_s > _LONGEST_JOB_S


def remove_folder(state: ScanState, token: str) -> None:
    """Remove a chunk's folder; what cannot be removed is left for the next scan."""
    try:
        shutil.rmtree(state.chunk_folder(token))
    except FileNotFoundError:
        return
    except OSError as error:
        log.info("%s could not be removed: %s", token, error.strerror or error)

"""The tables of a scan's state, and which version of them this program knows.

Paths are BLOBs, the bytes that the file system has: a name need not be text. Times are nanoseconds
since 1970 (UTC).

======== =======================================================================================
table    one row for
======== =======================================================================================
places   a folder or zip as it was last seen (see `alos2.scan.seen`)
units    a product at one place: what a job describes; ``place`` is negative and ``was_at`` its
         path once it has gone
made     a dataset: from which files at which place it was made; ``kept``: its folder is in the
         archive (else only GRQ has it); an empty fingerprint: it was, and is missing
chunks   a batch job: what it was told to do, and how far its results have been read
facts    a word and its value
======== =======================================================================================
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final, Literal, TypeAlias

from alos2.errors import NoResource, UsageError

VERSION: Final = 1
"""Counts up with every change of the tables."""
_APPLICATION: Final = 0x414C3253  # "AL2S"

UnitState: TypeAlias = Literal[
    "settling", "incomplete", "new", "changed", "submitted", "done", "failed", "duplicate", "gone"
]
"""``settling``: its files are young, they may still be copied. ``new``, ``changed``: to be done.
``duplicate``: the same product is at another place too, and that one counts."""

STATES: Final[tuple[UnitState, ...]] = (
    "new", "changed", "settling", "submitted", "done", "failed", "incomplete", "duplicate", "gone",
)  # fmt: skip

REMEDY: Final = (
    "move the file away and scan again: what is there is found and described anew, and datasets "
    "that are there are left as they are"
)

_TABLES: Final = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE units (
    id INTEGER PRIMARY KEY,
    place INTEGER NOT NULL,
    dataset_id TEXT NOT NULL,
    scene TEXT NOT NULL,
    product TEXT NOT NULL,
    level TEXT NOT NULL,
    codes TEXT NOT NULL,
    size INTEGER NOT NULL,
    newest_ns INTEGER NOT NULL,
    seen_ns INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    in_zip INTEGER NOT NULL,
    missing TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL,
    chunk INTEGER,
    sent BLOB,
    error_class TEXT,
    error TEXT,
    was_at BLOB,
    UNIQUE (place, dataset_id)
);
CREATE INDEX units_state ON units (state, level);
CREATE INDEX units_dataset ON units (dataset_id, state);
CREATE INDEX units_chunk ON units (chunk, state) WHERE chunk IS NOT NULL;
CREATE INDEX units_error ON units (error_class, state) WHERE state = 'failed';
CREATE INDEX units_was_at ON units (was_at) WHERE was_at IS NOT NULL;
CREATE TABLE made (
    dataset_id TEXT PRIMARY KEY, fingerprint BLOB NOT NULL, path BLOB NOT NULL,
    kept INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    scheduler TEXT NOT NULL,
    native_id TEXT,
    units INTEGER NOT NULL,
    forced INTEGER NOT NULL,
    made_ns INTEGER NOT NULL,
    submitted_ns INTEGER,
    lost_ns INTEGER,
    ended_ns INTEGER,
    read_bytes INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT ''
);
CREATE INDEX chunks_live ON chunks (state) WHERE state <> 'ended';
"""


def create(connection: sqlite3.Connection) -> None:
    """Make the tables; within a transaction of the caller's."""
    for statement in _TABLES.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def check(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the tables are there; False for an empty file.

    Raises
    ------
    UsageError
        They are of a newer version.
    NoResource
        The file is not a state of a scan.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not tables:
        return False
    if application != _APPLICATION:
        raise NoResource(f"{path} is not the state of a scan", hint="name another --state")
    if version > VERSION:
        raise UsageError(
            f"{path} is of version {version}; this program knows versions up to {VERSION}",
            hint="use the newer alos2-ingest that wrote it, or another --state",
        )
    if version < VERSION:
        raise NoResource(f"{path} is of version {version}, which is not known", hint=REMEDY)
    return True

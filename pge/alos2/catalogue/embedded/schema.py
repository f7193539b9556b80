"""The tables of the embedded catalogue.

``items`` holds what is searched by, a few hundred bytes a row; the documents lie apart, so that a
walk through ``items`` stays short. ``boxes`` is an R*Tree over place and time: one row for an
item, two for one that is cut at the antimeridian. ``terms`` is a full-text index over the column
``words``. Of ``facts``, ``longest_us`` is a bound on the length of an observation, so that a search
by time can use the index of its middle; ``journal`` is there if somebody chose one. SQLite's own
documentation of R*Tree and FTS5 describes both.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from alos2.catalogue.embedded.faults import REBUILD
from alos2.errors import PublishFailed

VERSION: Final = 1
"""Of the tables; another one is made anew from the dataset folders."""
APPLICATION_ID: Final = 0x414C4F32
"""``ALO2``: what the file command and we know the file by."""

EPOCH_S: Final = 1388534400
"""2014-01-01T00:00:00Z in Unix time: R*Trees count in single precision, so it is subtracted."""

TOKENIZER: Final = "unicode61 remove_diacritics 2"
"""How FTS5 takes a text apart; as ``terms`` has it."""

_TABLES: Final = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
INSERT INTO facts VALUES ('longest_us', 0);
CREATE TABLE items (
    rid INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    folder TEXT NOT NULL,
    digest BLOB NOT NULL,
    dataset TEXT,
    type TEXT,
    level TEXT,
    format TEXT,
    mode TEXT,
    polarizations INTEGER NOT NULL,
    look TEXT,
    pass TEXT,
    path INTEGER,
    frame TEXT,
    orbit INTEGER,
    beams TEXT,
    off_nadir REAL,
    time_us INTEGER NOT NULL,
    start_us INTEGER NOT NULL,
    end_us INTEGER NOT NULL,
    created TEXT,
    west REAL NOT NULL,
    south REAL NOT NULL,
    east REAL NOT NULL,
    north REAL NOT NULL,
    outline BLOB NOT NULL,
    words TEXT NOT NULL
);
CREATE TABLE documents (rid INTEGER PRIMARY KEY, document BLOB NOT NULL);
CREATE TABLE tags (
    tag TEXT NOT NULL COLLATE NOCASE, rid INTEGER NOT NULL, PRIMARY KEY (tag, rid)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE boxes USING rtree (box, west, east, south, north, start_s, end_s);
CREATE VIRTUAL TABLE terms USING fts5 (
    words, content='items', content_rowid='rid', tokenize='unicode61 remove_diacritics 2'
);
"""

_INDICES: Final = """
CREATE INDEX items_time ON items (time_us, id);
CREATE INDEX items_track ON items (path, frame, time_us, id);
CREATE INDEX items_mode ON items (mode, time_us, id);
CREATE INDEX items_dataset ON items (dataset, time_us, id);
CREATE INDEX tags_rid ON tags (rid);
"""


def create(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty database, in one transaction; `index` belongs to it."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")


def index(connection: sqlite3.Connection) -> None:
    """Make the indices: quicker for many rows at once than row by row."""
    connection.executescript(f"BEGIN IMMEDIATE; {_INDICES} COMMIT;")


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is no catalogue of this version.

    Raises
    ------
    PublishFailed
        It is none.
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise PublishFailed(f"{path} is no catalogue of alos2-ingest", hint=REBUILD)
    if version != VERSION:
        raise PublishFailed(
            f"{path} has tables of version {version}, this program needs {VERSION}", hint=REBUILD
        )

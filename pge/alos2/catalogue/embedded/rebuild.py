"""A catalogue made anew from the dataset folders, while others read the old one.

The new one is made beside the old one. Then, with writers kept out, what they changed meanwhile is
looked up again, and all pages are taken over in one transaction of SQLite (its online backup):
readers see the old catalogue or the new one and nothing between. Only where the old file is no
database any more, the new one takes its name.
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alos2.archive.writing import writing_failed
from alos2.catalogue.embedded import schema
from alos2.catalogue.embedded.faults import busy, named, speaking
from alos2.catalogue.embedded.filesystem import Journal
from alos2.catalogue.embedded.folders import find_datasets, read_item
from alos2.catalogue.embedded.locks import lock_in_time, write_lock
from alos2.catalogue.embedded.rows import row_of
from alos2.catalogue.embedded.tables import add, enter, erase
from alos2.errors import BadDocument, PublishFailed

log = logging.getLogger(__name__)

NAME: Final = "catalogue.sqlite"
"""Name of the catalogue's file."""
_SIDECARS: Final = ("-wal", "-shm", "-journal")
_BATCH: Final = 2000
_BUSY: Final = 5
_LOCKED: Final = 6
"""Result codes of SQLite; Python names them from 3.11 on."""


@dataclass(frozen=True)
class Rebuilt:
    """What a catalogue was made of."""

    items: int
    """Datasets that are in it."""
    troubles: tuple[str, ...]
    """A sentence for each folder that could not be entered."""
    seconds: float


def rebuild(
    archive: Path,
    folder: Path,
    *,
    patience_s: float,
    journal: Journal | None = None,
    only_if_absent: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Rebuilt:
    """Make the catalogue of `archive` in `folder`.

    Parameters
    ----------
    archive, folder : Path
        Where the datasets are, and where the catalogue goes.
    patience_s : float
        How long to wait for writers.
    journal : {"wal", "delete"}, optional
        Keep to this journal; else what was chosen before, else what suits the disk.
    only_if_absent : bool, optional
        Do nothing if there is one by now: somebody else made it.
    progress : callable, optional
        Told of the number of datasets read so far.

    Raises
    ------
    NoResource
        Another rebuild is at work, or a folder cannot be read or written.
    PublishFailed
        A writer or reader does not let go of the old one.
    NoSpace
        The disk is full.
    """
    start = time.monotonic()
    database = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise writing_failed(folder, error) from error
    purpose = f"the catalogue in {folder} is being rebuilt"
    waits_s = patience_s if only_if_absent else 0.0
    with lock_in_time(folder / "rebuild.lock", purpose, waits_s):
        if only_if_absent and database.exists():
            return Rebuilt(0, (), 0.0)
        for leftover in folder.glob(f"{NAME}.new-*"):
            leftover.unlink(missing_ok=True)
        fresh = folder / f"{NAME}.new-{secrets.token_hex(4)}"
        try:
            with speaking(fresh), closing(_new(fresh)) as side:
                _remember(side, database, "before")
                _keep_choice(side, database, journal)
                troubles = _fill(side, archive, progress)
                with write_lock(database, patience_s):
                    troubles.extend(_catch_up(side, archive, database))
                    items = int(side.execute("SELECT count(*) FROM items").fetchone()[0])
                    _install(side, fresh, database, patience_s)
        finally:
            fresh.unlink(missing_ok=True)
    return Rebuilt(items, tuple(troubles), time.monotonic() - start)


def _new(path: Path) -> sqlite3.Connection:
    """Make the tables in a file that nobody knows yet; it needs no journal."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -65536")
    schema.create(connection)
    return connection


def _fill(side: sqlite3.Connection, archive: Path, progress: Callable[[int], None]) -> list[str]:
    """Enter every dataset; return what could not be entered."""
    troubles: list[str] = []
    done = 0
    side.execute("BEGIN")
    for found in find_datasets(archive):
        if found.whole:
            sentence = _enter_folder(side, archive, found.folder, only_new=True)
        else:
            sentence = f"{archive / found.folder} is not a whole dataset"
        if sentence:
            log.warning("%s", sentence)
            troubles.append(sentence)
        done += 1
        if done % _BATCH == 0:
            side.execute("COMMIT")
            side.execute("BEGIN")
            progress(done)
    side.execute("COMMIT")
    schema.index(side)
    progress(done)
    return troubles


def _enter_folder(
    side: sqlite3.Connection, archive: Path, folder: str, *, only_new: bool = False
) -> str:
    """Enter one dataset; return why it could not be."""
    try:
        item = read_item(archive / folder)
        if item is None:
            return ""  # gone meanwhile
        row = row_of(item)
    except BadDocument as error:
        return error.message
    if not only_new:
        enter(side, row, folder)
        return ""
    known = side.execute("SELECT folder FROM items WHERE id = ?", (row.columns["id"],)).fetchone()
    if known is not None:
        return f"{archive / folder} is left out: {known[0]} has the same id"
    add(side, row, folder)
    return ""


def _remember(side: sqlite3.Connection, database: Path, table: str) -> None:
    """Note what the old catalogue holds; nothing where it is absent, damaged or of long ago."""
    side.execute(f"CREATE TEMP TABLE {table} (id TEXT, folder TEXT, digest BLOB)")
    if not database.exists():
        return
    try:
        side.execute("ATTACH ? AS live", (str(database),))
    except sqlite3.Error as error:
        log.warning("the old catalogue cannot be read: %s", error)
        return
    try:
        side.execute(
            f"INSERT INTO {table} SELECT id, folder, digest FROM live.items"  # noqa: S608
        )
    except sqlite3.Error as error:
        log.warning("the old catalogue cannot be read: %s", error)
        side.execute(f"DELETE FROM {table}")  # noqa: S608  a name of ours
    finally:
        side.execute("DETACH live")


def _keep_choice(side: sqlite3.Connection, database: Path, journal: Journal | None) -> None:
    """Carry over which journal somebody chose for the old catalogue."""
    value: str | None = journal
    if value is None and database.exists():
        try:
            with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as old:
                found = old.execute("SELECT value FROM facts WHERE name = 'journal'").fetchone()
                value = found[0] if found else None
        except sqlite3.Error:
            value = None  # damaged: the usual choice
    if value is not None:
        side.execute("INSERT INTO facts VALUES ('journal', ?)", (value,))


def _catch_up(side: sqlite3.Connection, archive: Path, database: Path) -> list[str]:
    """Look again at what writers changed while the folders were read."""
    _remember(side, database, "after")
    changed = side.execute(
        "SELECT id, folder FROM (SELECT * FROM after EXCEPT SELECT * FROM before) "
        "UNION SELECT id, folder FROM (SELECT * FROM before EXCEPT SELECT * FROM after)"
    ).fetchall()
    troubles = []
    side.execute("BEGIN")
    for name, folder in changed:
        if _is_gone(archive / folder):
            known = side.execute("SELECT folder FROM items WHERE id = ?", (name,)).fetchone()
            if known == (folder,):
                erase(side, name)
        else:
            sentence = _enter_folder(side, archive, folder)
            troubles.extend([sentence] if sentence else [])
    side.execute("COMMIT")
    return troubles


def _is_gone(folder: Path) -> bool:
    """Whether a dataset's folder holds no STAC item."""
    try:
        return read_item(folder) is None
    except BadDocument:
        return False


def _install(side: sqlite3.Connection, fresh: Path, database: Path, patience_s: float) -> None:
    """Let the new tables take the place of the old ones; the caller holds the write lock."""
    if database.exists():
        try:
            _copy(side, database, patience_s)
        except sqlite3.DatabaseError as error:
            if isinstance(named(error, database), PublishFailed) and "locked" not in str(error):
                log.warning("%s is no database any more and is replaced", database)
            else:
                raise
        else:
            return
    side.close()
    handle = os.open(fresh, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    # A log that stayed behind would be taken for the new file's: so it goes before that comes.
    database.unlink(missing_ok=True)
    for suffix in _SIDECARS:
        database.with_name(f"{database.name}{suffix}").unlink(missing_ok=True)
    fresh.rename(database)


def _copy(side: sqlite3.Connection, database: Path, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s

    def waited(status: int, remaining: int, total: int) -> None:  # noqa: ARG001  SQLite's words
        if status in (_BUSY, _LOCKED) and time.monotonic() > deadline:
            raise busy(database)

    uri = f"{database.as_uri()}?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as live:
        live.execute("PRAGMA synchronous = FULL")
        side.backup(live, progress=waited, sleep=0.02)
        # As far as readers allow; the rest is the next writer's.
        live.execute("PRAGMA wal_checkpoint(PASSIVE)")

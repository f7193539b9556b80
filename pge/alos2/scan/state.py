"""The state of an archive's scans: one SQLite file, written by one process at a time.

Jobs never open it. A reader (``--status``) needs no lock: it sees the last commit.
"""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from alos2.archive.filesystem import suited_journal
from alos2.dataset.locks import FileLock
from alos2.errors import Alos2Error, NoResource, NoSpace, NothingFound
from alos2.scan import schema

NAME: Final = "state.sqlite"
CHUNKS: Final = "chunks"
_LOCK: Final = "lock"
_HOLDER: Final = "holder.json"
_PATIENCE_S: Final = 30.0
_CACHE_KIB: Final = 16_384


class ScanState:
    """The open state; make it with `writing`, `reading` or `copied`.

    Attributes
    ----------
    folder : Path
        Where it lies.
    db : sqlite3.Connection
        Rows come as tuples; transactions by `transaction` only.
    """

    def __init__(self, folder: Path, db: sqlite3.Connection) -> None:
        self.folder = folder
        self.db = db

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return self.folder / NAME

    def chunk_folder(self, token: str) -> Path:
        """Return where a chunk's files lie."""
        return self.folder / CHUNKS / token

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of it or nothing."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def one(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row, None where there is none."""
        row = self.db.execute(statement, values).fetchone()
        return None if row is None else row[0]

    def counts(self) -> dict[str, int]:
        """Return how many units there are in each state; from an index, so at once."""
        found: dict[str, int] = dict.fromkeys(schema.STATES, 0)
        found.update(self.db.execute("SELECT state, count(*) FROM units GROUP BY state"))
        return found

    def fact(self, name: str) -> str | None:
        """Return a fact that `remember` was told, None where it is not known."""
        found: str | None = self.one("SELECT value FROM facts WHERE name = ?", (name,))
        return found

    def remember(self, name: str, value: str) -> None:
        """Keep a fact."""
        self.db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))


@contextmanager
def writing(folder: Path) -> Iterator[ScanState]:
    """Open the state to change it, making it if there is none; nobody else may at that time.

    Raises
    ------
    NoResource
        Another scan is at work (who and where is told), the file is damaged, or the folder cannot
        be written to.
    UsageError
        The file was written by a newer program.
    """
    try:
        (folder / CHUNKS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NoResource(
            f"{folder} cannot be made: {error.strerror or error}",
            hint="name a folder that you may write to with --state",
        ) from error
    with _locked(folder), speaking(folder / NAME), ExitStack() as stack:
        db = _connect(folder / NAME, "rwc")
        stack.callback(db.close)
        if not schema.check(db, folder / NAME):
            _make(db, folder)
        _suit_journal(db, folder)
        yield ScanState(folder, db)


@contextmanager
def reading(folder: Path) -> Iterator[ScanState]:
    """Open the state to read it, also while a scan is at work.

    Raises
    ------
    NothingFound
        There is none.
    NoResource, UsageError
        As `writing`.
    """
    path = folder / NAME
    if not path.exists():
        raise NothingFound(
            f"{folder} holds no state of a scan", hint="scan first: alos2 scan DIR --out ARCHIVE"
        )
    with speaking(path), ExitStack() as stack:
        db = _connect_to_read(path)
        stack.callback(db.close)
        if not schema.check(db, path):
            raise NothingFound(f"{path} is empty", hint="scan first: alos2 scan DIR")
        yield ScanState(folder, db)


@contextmanager
def copied(folder: Path, scratch: Path) -> Iterator[ScanState]:
    """Open a copy of the state in the folder `scratch`: what is done to it changes nothing.

    Raises
    ------
    NoResource, UsageError
        As `writing`.
    """
    with speaking(folder / NAME), ExitStack() as stack:
        db = _connect(scratch / NAME, "rwc")
        stack.callback(db.close)
        if (folder / NAME).exists():
            with reading(folder) as original:
                original.db.backup(db)
        else:
            _make(db, scratch)
        yield ScanState(folder, db)


def _make(db: sqlite3.Connection, folder: Path) -> None:
    from alos2.scan.seen import SCHEMA as PLACES  # noqa: PLC0415 - its tables are its own affair

    with ScanState(folder, db).transaction():
        schema.create(db)
        for statement in PLACES.split(";"):
            if statement.strip():
                db.execute(statement)


def _suit_journal(db: sqlite3.Connection, folder: Path) -> None:
    """Use the write-ahead log where the disk is this machine's, else the plain journal."""
    state = ScanState(folder, db)
    here = f"{socket.gethostname()}:{folder}"
    if state.fact("place") != here:
        db.execute(f"PRAGMA journal_mode = {suited_journal(folder)}")
        with state.transaction():
            state.remember("place", here)
    journal = db.execute("PRAGMA journal_mode").fetchone()[0]
    # With the log a commit may be undone by a power failure, never half of it; what was
    # submitted and forgotten is found again by its folder.
    db.execute(f"PRAGMA synchronous = {'NORMAL' if journal == 'wal' else 'FULL'}")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    address = f"{path.absolute().as_uri()}?mode={mode}"
    db = sqlite3.connect(address, uri=True, timeout=_PATIENCE_S, isolation_level=None)
    try:
        db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    except BaseException:  # it may be no database at all
        db.close()
        raise
    return db


def _connect_to_read(path: Path) -> sqlite3.Connection:
    db = _connect(path, "ro")
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException as error:
        db.close()
        if not isinstance(error, sqlite3.OperationalError):
            raise
        log = path.with_name(f"{path.name}-wal")
        if os.access(path.parent, os.W_OK) or (log.exists() and log.stat().st_size):
            raise
        # The log needs a file beside it that cannot be made here; without a log nobody writes.
        return _connect(path, "ro&immutable=1")
    return db


@contextmanager
def speaking(path: Path) -> Iterator[None]:
    """Turn what SQLite raises about the state at `path` into a named error.

    Raises
    ------
    NoSpace
        The disk is full.
    NoResource
        The file is damaged, locked or cannot be read or written.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _named(error, path) from error


def _named(error: sqlite3.Error, path: Path) -> Alos2Error:
    text = str(error)
    if "full" in text:
        return NoSpace(f"no space left while writing {path}")
    if "locked" in text or "busy" in text:
        return NoResource(
            f"{path} is locked by another process",
            hint="wait until it has ended, then run the same command again",
        )
    if any(words in text for words in ("unable to open", "readonly", "disk I/O", "interrupted")):
        return NoResource(
            f"{path} cannot be read or written: {text}",
            hint="check the disk, and that you may write to the folder",
        )
    return NoResource(f"{path} is damaged: {text}", hint=schema.REMEDY)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep every other scan of this state away, and say to them who we are."""
    holder = folder / _HOLDER
    with ExitStack() as stack:
        try:
            stack.enter_context(FileLock(folder / _LOCK, "this archive is being scanned"))
        except NoResource as error:
            if error.__cause__ is not None:  # the lock cannot be made, nobody holds it
                raise
            raise NoResource(
                f"another scan of {folder} is at work{_who(holder)}",
                hint="wait until it has ended; alos2 scan --status tells how far it is",
            ) from error
        mine = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        holder.write_text(json.dumps(mine))
        stack.callback(holder.unlink, missing_ok=True)
        yield


def _who(holder: Path) -> str:
    try:
        found = json.loads(holder.read_text())
        return f": process {found['pid']} on {found['host']} since {found['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""

"""Opening the file: for writing with the journal that suits its disk, or for reading only."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from alos2.catalogue.embedded import schema
from alos2.catalogue.embedded.faults import speaking
from alos2.catalogue.embedded.filesystem import suited_journal

_CACHE_KIB: Final = 32_768
_LOG_BYTES: Final = 64 << 20
"""What of the log's file is kept once it has been taken over."""
_WAL_PAGES: Final = 4000
"""Pages (16 MiB) after which the write-ahead log is taken over into the file."""


def connect_to_write(path: Path, patience_s: float) -> sqlite3.Connection:
    """Open a catalogue that is there.

    Raises
    ------
    PublishFailed
        It is damaged, of another version, or locked.
    NoResource
        It cannot be opened.
    """
    with speaking(path):
        connection = _connect(path, "rw", patience_s)
        try:
            schema.check(connection, path)
            _choose_journal(connection, path)
            # What was entered stays entered, also when the power fails.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
            # A rebuild's log is as large as the catalogue.
            connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        except BaseException:
            connection.close()
            raise
    return connection


def connect_to_read(path: Path, patience_s: float) -> sqlite3.Connection:
    """Open a catalogue that is there, to read only; its folder may be read-only.

    Raises
    ------
    PublishFailed
        It is damaged, of another version, or locked.
    NoResource
        It cannot be opened.
    """
    with speaking(path):
        try:
            return _checked(_connect(path, "ro", patience_s), path)
        except sqlite3.OperationalError:
            # A log needs a file beside it that cannot be made here; without one nobody writes.
            if not _nobody_writes(path):
                raise
            return _checked(_connect(path, "ro&immutable=1", patience_s), path)


def _checked(connection: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    try:
        schema.check(connection, path)
        connection.execute("SELECT count(*) FROM facts").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _nobody_writes(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return not os.access(path.parent, os.W_OK) and (not log.exists() or not log.stat().st_size)


def _connect(path: Path, mode: str, patience_s: float) -> sqlite3.Connection:
    # check_same_thread: a connection may be handed on, though never used by two threads at once.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=patience_s,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    except BaseException:  # it may be no database at all
        connection.close()
        raise
    return connection


def _choose_journal(connection: sqlite3.Connection, path: Path) -> None:
    """Change the journal if it is not the right one, and if nobody else is at work."""
    found = connection.execute("SELECT value FROM facts WHERE name = 'journal'").fetchone()
    wanted = found[0] if found else suited_journal(path.parent)
    present = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if present != wanted:
        try:
            connection.execute(f"PRAGMA journal_mode = {'wal' if wanted == 'wal' else 'delete'}")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            # Somebody reads: it works as it is, and the next one changes it.

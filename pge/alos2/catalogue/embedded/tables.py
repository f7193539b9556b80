"""Rows in, rows out: the statements that keep all tables of a catalogue in step.

Each function runs within a transaction of the caller.
"""

from __future__ import annotations

import sqlite3
from typing import Final, Literal, TypeAlias

from alos2.catalogue.embedded.rows import Row

Entered: TypeAlias = Literal["created", "updated", "unchanged"]
"""What a put did."""

_COLUMNS: Final = (
    "id", "digest", "dataset", "type", "level", "format", "mode", "polarizations", "look", "pass",
    "path", "frame", "orbit", "beams", "off_nadir", "time_us", "start_us", "end_us", "created",
    "west", "east", "south", "north", "outline", "words",
)  # fmt: skip
_INSERT: Final = (
    f"INSERT INTO items (folder, {', '.join(_COLUMNS)}) "  # noqa: S608  fixed names
    f"VALUES (?, {', '.join('?' * len(_COLUMNS))})"
)


def enter(connection: sqlite3.Connection, row: Row, folder: str) -> Entered:
    """Put a row in the place of the one with its id, unless that is the same."""
    found = connection.execute(
        "SELECT digest, folder FROM items WHERE id = ?", (row.columns["id"],)
    ).fetchone()
    if found == (row.columns["digest"], folder):
        return "unchanged"
    if found is not None:
        erase(connection, row.columns["id"])
    add(connection, row, folder)
    return "created" if found is None else "updated"


def add(connection: sqlite3.Connection, row: Row, folder: str) -> None:
    """Insert a row whose id is not there."""
    values = (folder, *(row.columns[name] for name in _COLUMNS))
    rid = connection.execute(_INSERT, values).lastrowid or 0
    connection.execute("INSERT INTO documents VALUES (?, ?)", (rid, row.document))
    connection.execute(
        "INSERT INTO terms (rowid, words) VALUES (?, ?)", (rid, row.columns["words"])
    )
    connection.executemany(
        "INSERT INTO boxes VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(2 * rid + part, *box) for part, box in enumerate(row.boxes)],
    )
    lasts_us = row.columns["end_us"] - row.columns["start_us"]
    connection.execute(
        "UPDATE facts SET value = ? WHERE name = 'longest_us' AND value < ?", (lasts_us, lasts_us)
    )
    if row.tags:
        connection.executemany(
            "INSERT OR IGNORE INTO tags VALUES (?, ?)", [(tag, rid) for tag in row.tags]
        )


def erase(connection: sqlite3.Connection, name: str) -> bool:
    """Delete the row with id `name`; whether there was one."""
    found = connection.execute("SELECT rid, words FROM items WHERE id = ?", (name,)).fetchone()
    if found is None:
        return False
    rid = found[0]
    connection.execute("INSERT INTO terms (terms, rowid, words) VALUES ('delete', ?, ?)", found)
    connection.execute("DELETE FROM boxes WHERE box IN (?, ?)", (2 * rid, 2 * rid + 1))
    connection.execute("DELETE FROM tags WHERE rid = ?", (rid,))
    connection.execute("DELETE FROM documents WHERE rid = ?", (rid,))
    connection.execute("DELETE FROM items WHERE rid = ?", (rid,))
    return True

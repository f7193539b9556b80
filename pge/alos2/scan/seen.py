"""What the scan has seen: one row for each folder or zip that holds files of products.

A place is marked as seen by the transaction that enters its units, so that neither is ever there
without the other, whenever the process is killed. Paths are bytes, as the file system has them:
SQLite's text cannot hold a name that is no UTF-8.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from alos2.scan.walk import Found, Walk

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS places(
  id INTEGER PRIMARY KEY,
  path BLOB NOT NULL UNIQUE,
  digest BLOB NOT NULL,
  problem TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS roots(
  path BLOB PRIMARY KEY,
  inode TEXT NOT NULL
);
"""
"""``roots.inode`` tells an empty disk from one that is not mounted."""

_LOCK_WAIT_S: Final = 60.0
_PAGE_ROWS: Final = 1000
_BEHIND_ALL: Final = b"\xff" * 8


def below(path: bytes) -> tuple[bytes, bytes]:
    """Return the range, end excluded, of all paths below `path` in the order of bytes."""
    stem = path.rstrip(b"/")
    return stem + b"/", stem + b"0"


class Bits:
    """A set of ids of rows, one bit each."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, number: int) -> None:
        """Put one in."""
        place = number >> 3
        if place >= len(self._bytes):
            self._bytes.extend(bytes(max(place + 1 - len(self._bytes), len(self._bytes))))
        self._bytes[place] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        place = number >> 3
        return place < len(self._bytes) and bool(self._bytes[place] >> (number & 7) & 1)

    def update(self, other: bytes) -> None:
        """Put all in that another's `as_bytes` holds."""
        size = max(len(self._bytes), len(other))
        both = int.from_bytes(self._bytes, "little") | int.from_bytes(other, "little")
        self._bytes = bytearray(both.to_bytes(size, "little"))

    def __len__(self) -> int:
        return bin(int.from_bytes(self._bytes, "little")).count("1")

    def as_bytes(self) -> bytes:
        """Return the bits, the lowest id first."""
        return bytes(self._bytes)


class Known:
    """The marks of former scans, read by a process that walks.

    The walk goes through folders nearly in the order of their paths, so rows are read some at a
    time; what is written meanwhile need not be seen.

    Parameters
    ----------
    path : Path, bytes or None
        The state's database; where it is None or not there, nothing is known.
    page_rows : int, optional
        How many rows are read at a time.
    """

    def __init__(self, path: Path | bytes | None, *, page_rows: int = 128) -> None:
        self._page_rows = page_rows
        self._db: sqlite3.Connection | None = None
        self._page: dict[bytes, tuple[int, bytes]] = {}
        self._first = self._last = b""
        if not path or not os.access(path, os.F_OK):
            return
        name = "".join(f"%{byte:02x}" for byte in os.fsencode(path))
        uri = f"file:{name}?mode=ro"
        db = sqlite3.connect(uri, uri=True, timeout=_LOCK_WAIT_S, isolation_level=None)
        try:
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'places'").fetchone():
                self._db = db
        finally:
            if self._db is None:
                db.close()

    def get(self, path: bytes) -> tuple[int, bytes] | None:
        """Return id and digest of a place, None for one that was never seen."""
        if self._db is None:
            return None
        if not self._first <= path <= self._last or not self._last:
            rows = self._db.execute(
                "SELECT path, id, digest FROM places WHERE path >= ? ORDER BY path LIMIT ?",
                (path, self._page_rows),
            ).fetchall()
            self._page = {row[0]: (row[1], row[2]) for row in rows}
            self._first = path
            self._last = rows[-1][0] if len(rows) == self._page_rows else _BEHIND_ALL
        return self._page.get(path)

    def close(self) -> None:
        """Close the database."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def inode(self, root: bytes) -> str | None:
        """Return the identity that a root had, None where it was not scanned before."""
        if self._db is None:
            return None
        row = self._db.execute("SELECT inode FROM roots WHERE path = ?", (root,)).fetchone()
        return row[0] if row else None

    def any_at(self, path: bytes) -> bool:
        """Whether a place was seen at or below `path`."""
        if self._db is None:
            return False
        statement = "SELECT 1 FROM places WHERE path = ? OR (path >= ? AND path < ?) LIMIT 1"
        return bool(self._db.execute(statement, (path, *below(path))).fetchone())

    def any_below(self, path: bytes) -> bool:
        """Whether a place was seen in a folder below `path`, `path` itself aside."""
        if self._db is None:
            return False
        first, end = below(path)
        return bool(
            self._db.execute(
                "SELECT 1 FROM places WHERE path >= ? AND path < ? AND instr(substr(path, ?), ?)"
                " LIMIT 1",
                (first, end, len(first) + 1, b"/"),
            ).fetchone()
        )


class Seen:
    """The marks, written by the one process that scans.

    Parameters
    ----------
    db : sqlite3.Connection
        An open connection to the state's database, in WAL mode. Nothing here begins or ends a
        transaction, except that the tables are made.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        for statement in SCHEMA.split(";"):
            if statement.strip():
                db.execute(statement)
        row = db.execute("SELECT max(id) FROM places").fetchone()
        self._any_known = row[0] is not None
        self._next_id: int = (row[0] or 0) + 1
        self._marked = Bits()

    def mark(self, found: Sequence[Found]) -> list[int]:
        """Note that places were seen as they are now.

        To be called in the transaction that enters their units.

        Parameters
        ----------
        found : sequence of Found
            What the walk gave.

        Returns
        -------
        list of int
            ``places.id`` of each.
        """
        new, changed, ids = [], [], []
        for place in found:
            place_id = place.place_id or self._id_of(place.path)
            if place_id:
                changed.append((place.digest, place.problem, place_id))
            else:
                place_id = self._next_id
                self._next_id += 1
                new.append((place_id, os.fsencode(place.path), place.digest, place.problem))
            self._marked.add(place_id)
            ids.append(place_id)
        self._db.executemany(
            "INSERT INTO places(id, path, digest, problem) VALUES (?, ?, ?, ?)", new
        )
        self._db.executemany("UPDATE places SET digest = ?, problem = ? WHERE id = ?", changed)
        return ids

    def _id_of(self, path: str) -> int:
        """Return the id of a place that the walk did not know, 0 if it is not there."""
        if not self._any_known:
            return 0
        row = self._db.execute(
            "SELECT id FROM places WHERE path = ?", (os.fsencode(path),)
        ).fetchone()
        return row[0] if row else 0

    def gone(self, walk: Walk) -> Iterator[tuple[int, str]]:
        """Yield id and path of places that a finished walk did not meet.

        Only below its roots, and never below anything that could not be read: a disk that is not
        mounted has lost nothing. After a walk that was broken off there are none.
        """
        if not walk.complete:
            return
        there = Bits()
        there.update(walk.met.as_bytes())
        there.update(self._marked.as_bytes())
        counted = "SELECT count(*) FROM places WHERE path = ? OR (path >= ? AND path < ?)"
        ranges = [(root, *below(root)) for root in walk.walked]
        if sum(self._db.execute(counted, limits).fetchone()[0] for limits in ranges) == len(there):
            return
        for limits in ranges:
            for place_id, path in self._rows(*limits):
                if place_id not in there and not walk.in_doubt(path):
                    yield place_id, os.fsdecode(path)

    def _rows(self, root: bytes, first: bytes, end: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield id and path at and below a root; the caller may write meanwhile."""
        statement = "SELECT id, path FROM places WHERE path = ?"
        yield from self._db.execute(statement, (root,)).fetchall()
        statement = "SELECT id, path FROM places WHERE path >= ? AND path < ? ORDER BY path LIMIT ?"
        while rows := self._db.execute(statement, (first, end, _PAGE_ROWS)).fetchall():
            yield from rows
            first = rows[-1][1] + b"\0"  # the next path in the order of bytes

    def forget(self, place_ids: Iterable[int]) -> None:
        """Take marks away, in the transaction that says of their units that they are gone."""
        self._db.executemany("DELETE FROM places WHERE id = ?", [(i,) for i in place_ids])

    def finished(self, walk: Walk) -> None:
        """Remember the roots of a complete walk, in the last transaction of a scan."""
        if walk.complete:
            self._db.executemany(
                "INSERT INTO roots(path, inode) VALUES (?, ?)"
                " ON CONFLICT(path) DO UPDATE SET inode = excluded.inode",
                walk.inodes.items(),
            )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield path and reason of each zip that cannot be listed."""
        rows = self._db.execute("SELECT path, problem FROM places WHERE problem <> ''")
        for path, problem in rows:
            yield os.fsdecode(path), problem

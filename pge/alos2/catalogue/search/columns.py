"""The columns that items are counted by, kept in memory: a count is then a millisecond.

All readers of one catalogue share them. New rows are read as they come; when anything else has
changed, which the number of rows tells, all are read anew. A hundred bytes a row.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

CODED: Final = {
    "level": "i.level",
    "mode": "i.mode",
    "pass": "i.pass",
    "look": "i.look",
    "kind": "i.type",
    "dataset": "i.dataset",
    "frame": "i.frame",
    "path": "i.path",
    "off_nadir": "i.off_nadir",
    "pol": "i.polarizations",
}
"""Columns of few values, which are kept as numbers that stand for them."""
_SELECT: Final = (
    "SELECT i.rid, i.time_us, i.start_us, i.end_us, i.west, i.south, i.east, i.north, "  # noqa: S608
    f"{', '.join(CODED.values())} FROM items i WHERE i.rid >= ? ORDER BY i.rid"
)
_BATCH: Final = 50_000
_MANY: Final = 200_000
_STALE_S: Final = 5.0


@dataclass
class _Coded:
    """A column, each value as a number; grows at its end."""

    codes: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    values: list[Any] = field(default_factory=list)
    known: dict[Any, int] = field(default_factory=dict)

    def numbers(self, values: Iterable[Any]) -> npt.NDArray[np.int32]:
        """Return the numbers of values; new ones get the next."""
        found = []
        for value in values:
            number = self.known.get(value)
            if number is None:
                number = self.known[value] = len(self.values)
                self.values.append(value)
            found.append(number)
        return np.array(found, np.int32)


@dataclass(frozen=True)
class Table:
    """The columns as they were at one moment; rows in the order of `rid`."""

    rid: npt.NDArray[np.int64]
    time_us: npt.NDArray[np.int64]
    """Of the scene's centre, Unix time."""
    start_us: npt.NDArray[np.int64]
    end_us: npt.NDArray[np.int64]
    sides: npt.NDArray[np.float64]
    """West, south, east, north, degrees: shape (4, rows)."""
    coded: dict[str, _Coded]
    last: str | None
    """Id of the last row: it may be another's with the same number."""

    def __len__(self) -> int:
        return len(self.rid)

    def within(self, start_us: int | None, end_us: int | None) -> npt.NDArray[np.bool_]:
        """Return which rows last into a time; None is an open end."""
        found = np.ones(len(self), bool)
        if start_us is not None:
            found &= self.end_us >= start_us
        if end_us is not None:
            found &= self.start_us <= end_us
        return found

    def near(self, west: float, south: float, east: float, north: float) -> npt.NDArray[np.bool_]:
        """Return which rows' boxes meet a box; west > east crosses the antimeridian."""
        w, s, e, n = self.sides
        # Each of the two may cross the antimeridian; if both do, they meet there.
        apart = (w > east) & (w <= e), (e < west) & (w <= e), (w > east) & (e < west) & (w > e)
        found: npt.NDArray[np.bool_]
        if west <= east:
            found = ~(apart[0] | apart[1] | apart[2])
        else:
            found = (w > e) | (e >= west) | (w <= east)
        found &= (s <= north) & (n >= south)
        return found

    def inside(self, west: float, south: float, east: float, north: float) -> Any:
        """Return which rows' boxes certainly lie wholly in a box; none across the antimeridian."""
        w, s, e, n = self.sides
        return (w <= e) & (w >= west) & (e <= east) & (s >= south) & (n <= north)

    def where(self, name: str, wanted: Iterable[Any]) -> npt.NDArray[np.bool_]:
        """Return which rows have one of some values in a column."""
        column = self.coded[name]
        is_wanted = np.zeros(len(column.values) + 1, bool)
        for value in wanted:
            number = column.known.get(value)
            if number is not None:
                is_wanted[number] = True
        return is_wanted[column.codes]

    def where_value(self, name: str, test: Any) -> npt.NDArray[np.bool_]:
        """Return which rows have a known value in a column for which `test` holds."""
        column = self.coded[name]
        return self.where(name, [v for v in column.values if v is not None and test(v)])

    def rows_of(self, rids: Iterable[int]) -> npt.NDArray[np.int64]:
        """Return the places of rows."""
        wanted = np.sort(np.fromiter(rids, np.int64))
        places = np.searchsorted(self.rid, wanted)
        places = places[places < len(self.rid)]
        return places[np.isin(self.rid[places], wanted)]

    def tally(self, name: str, rows: Any) -> Iterator[tuple[Any, int]]:
        """Yield the values of a column in some rows (a mask, places, or a slice) with counts."""
        column = self.coded[name]
        counts = np.bincount(column.codes[rows], minlength=len(column.values))
        for number in np.flatnonzero(counts):
            yield column.values[number], int(counts[number])


class Columns:
    """The table of one catalogue, kept up to date."""

    def __init__(self) -> None:
        self._table = _empty()
        self._lock = Lock()
        self._at = float("-inf")
        self._seen: WeakKeyDictionary[object, tuple[sqlite3.Connection, int, Table]] = (
            WeakKeyDictionary()
        )

    def of(self, connection: sqlite3.Connection, reader: object, *, stale: bool = False) -> Table:
        """Return the table as the transaction of `connection` sees the catalogue.

        Parameters
        ----------
        connection : sqlite3.Connection
        reader : object
            Whose connection that is: it is remembered what each has seen.
        stale : bool, optional
            Of a large catalogue one of some seconds ago will do.
        """
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        seen = self._seen.get(reader)
        # After a rebuild it is another connection, which counts its versions anew.
        if seen is not None and seen[0] is connection and seen[1] == version:
            return seen[2]
        with self._lock:
            if stale and len(self._table) > _MANY and time.monotonic() - self._at < _STALE_S:
                return self._table
            self._table = _refreshed(connection, self._table)
            self._seen[reader] = (connection, version, self._table)
            self._at = time.monotonic()
            return self._table

    def is_current(self, connection: sqlite3.Connection, reader: object) -> bool:
        """Whether the table is as the transaction sees the catalogue, or will soon be made so.

        While somebody enters one dataset after the other into a large catalogue, to keep up with
        each would take longer than to ask SQL.
        """
        seen = self._seen.get(reader)
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if seen is not None and seen[0] is connection and seen[1] == version:
            return True
        return len(self._table) <= _MANY or time.monotonic() - self._at > _STALE_S


def _empty() -> Table:
    none = np.empty(0, np.int64)
    return Table(none, none, none, none, np.empty((4, 0)), {name: _Coded() for name in CODED}, None)


def _refreshed(connection: sqlite3.Connection, table: Table) -> Table:
    total = connection.execute("SELECT count(*) FROM items").fetchone()[0]
    if len(table):
        last = int(table.rid[-1])
        same = connection.execute("SELECT id FROM items WHERE rid = ?", (last,)).fetchone()
        if same is not None and same[0] == table.last:
            grown = _grown(connection, table, last + 1)
            if len(grown) == total:
                return grown
    return _grown(connection, _empty(), 0)


def _grown(connection: sqlite3.Connection, table: Table, first: int) -> Table:
    """Return the table with the rows from number `first` on behind it."""
    parts: list[list[npt.NDArray[Any]]] = [[column] for column in _plain(table)]
    coded = {
        name: _Coded(column.codes, list(column.values), dict(column.known))
        for name, column in table.coded.items()
    }
    codes: dict[str, list[npt.NDArray[np.int32]]] = {
        name: [column.codes] for name, column in coded.items()
    }
    cursor = connection.execute(_SELECT, (first,))
    found = False
    while rows := cursor.fetchmany(_BATCH):
        found = True
        columns = list(zip(*rows, strict=True))
        for number, part in enumerate(parts):
            part.append(np.array(columns[number], part[0].dtype))
        for name, values in zip(CODED, columns[len(parts) :], strict=True):
            codes[name].append(coded[name].numbers(values))
    if not found:
        return table
    for name, column in coded.items():
        column.codes = np.concatenate(codes[name])
    rid, time_us, start_us, end_us, *sides = (np.concatenate(part) for part in parts)
    last = connection.execute("SELECT id FROM items WHERE rid = ?", (int(rid[-1]),)).fetchone()
    return Table(rid, time_us, start_us, end_us, np.stack(sides), coded, last[0])


def _plain(table: Table) -> tuple[npt.NDArray[Any], ...]:
    return table.rid, table.time_us, table.start_us, table.end_us, *table.sides

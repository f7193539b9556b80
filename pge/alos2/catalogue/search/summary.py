"""How many items there are of what: collections and facets."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely

from alos2.catalogue.embedded.areas import area_of_box
from alos2.catalogue.search.columns import Table
from alos2.catalogue.search.model import FACETS, Box, Collected, Counted
from alos2.catalogue.search.quick import matching
from alos2.catalogue.search.select import Asked, meeting
from alos2.catalogue.search.times import DAY_US, from_unix_us
from alos2.errors import UsageError
from alos2.types import POLARIZATIONS

_QUICK_S: Final = 0.05
_STALE_S: Final = 10.0
_BATCH: Final = 4096
_OTHER: Final = "other"
"""Collection of items that do not say of which dataset they are."""


class Remembered:
    """The collections, counted again when something has changed, but not all the time."""

    def __init__(self) -> None:
        self._seen: tuple[sqlite3.Connection | None, int] = (None, -1)
        self._known: list[Collected] = []
        self._took_s = 0.0
        self._at = float("-inf")

    def of(self, connection: sqlite3.Connection) -> list[Collected]:
        """Return them."""
        seen = (connection, connection.execute("PRAGMA data_version").fetchone()[0])
        now = time.monotonic()
        is_fresh = self._took_s > _QUICK_S and now - self._at < _STALE_S
        if seen != self._seen and not (is_fresh and self._known):
            self._known = _collections(connection)
            self._seen, self._at = seen, now
            self._took_s = time.monotonic() - now
        return self._known


def counted(
    connection: sqlite3.Connection, asked: Asked, table: Table, facets: Sequence[str]
) -> Counted:
    """Return how many items match, and how many of each value of some facets.

    Parameters
    ----------
    connection : sqlite3.Connection
    asked : Asked
    table : Table
        The columns in memory, as the connection's transaction sees them.
    facets : sequence of str
        Of `model.FACETS`.

    Raises
    ------
    UsageError
        There is no such facet.
    """
    strange = [name for name in facets if name not in FACETS]
    if strange:
        raise UsageError(f"nothing is counted by {strange[0][:40]!r}", hint=", ".join(FACETS))
    rows = _rows(connection, asked, table)
    tallies = {name: Counter(dict(_tally(connection, table, name, rows))) for name in facets}
    return Counted(
        len(table.rid[rows]), {name: _readable(name, tally) for name, tally in tallies.items()}
    )


def _rows(connection: sqlite3.Connection, asked: Asked, table: Table) -> Any:
    """Return which rows of the table match: a mask, or their places."""
    found = matching(table, asked)
    if found is None:
        return table.rows_of(_rids(connection, asked))
    box = asked.query.bbox
    if box is not None:
        # What lies wholly in a box meets it: only the others' outlines have to be looked at.
        doubtful = np.flatnonzero(found & ~table.inside(*box))
        found[doubtful] = _meet(connection, box, table.rid[doubtful].tolist())
    return found


def _meet(connection: sqlite3.Connection, box: Box, rids: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Return whose outlines meet a box; rows in the order of their numbers."""
    area = area_of_box(box)
    met = [np.empty(0, bool)]
    for first in range(0, len(rids), _BATCH):
        part = rids[first : first + _BATCH]
        marks = ", ".join("?" * len(part))
        rows = connection.execute(
            f"SELECT outline FROM items WHERE rid IN ({marks}) ORDER BY rid",  # noqa: S608
            list(part),
        ).fetchall()
        met.append(area.meets(shapely.from_wkb(np.array([row[0] for row in rows], dtype=object))))
    return np.concatenate(met)


def _rids(connection: sqlite3.Connection, asked: Asked) -> Iterator[int]:
    """Yield the numbers of the rows that match, as SQL and geometry tell."""
    prepared = asked.prepared(connection, wanted=None)
    columns = "i.rid, i.outline" if prepared.areas else "i.rid"
    cursor = connection.execute(
        f"SELECT {columns} FROM {prepared.source} WHERE {prepared.where.text}",  # noqa: S608
        prepared.where.values,
    )
    while rows := cursor.fetchmany(_BATCH):
        kept = meeting(prepared, rows, 1) if prepared.areas else rows
        yield from (row[0] for row in kept)


def _tally(
    connection: sqlite3.Connection, table: Table, name: str, rows: Any
) -> Iterator[tuple[Any, int]]:
    if name == "tag":
        of_row = connection.execute("SELECT rid, tag FROM tags").fetchall()
        kept = set(table.rid[rows].tolist()) if of_row else set()
        yield from Counter(tag for rid, tag in of_row if rid in kept).items()
    elif name == "month":
        days = table.time_us[rows] // DAY_US
        first = int(days.min()) if len(days) else 0
        counts = np.bincount(days - first)
        found = np.flatnonzero(counts)
        months = (found + first).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        tally: Counter[int] = Counter()
        for month, count in zip(months.tolist(), counts[found].tolist(), strict=True):
            tally[month] += count
        yield from tally.items()
    else:
        yield from table.tally(name, rows)


def polarizations(bits: int) -> list[str]:
    """Return the names behind the bits of the column."""
    return [name for number, name in enumerate(POLARIZATIONS) if bits >> number & 1]


def _readable(name: str, tally: Mapping[Any, int]) -> dict[str, int]:
    """Return values as text, the most frequent first; what is not known is left out."""
    said: Counter[str] = Counter()
    for value, count in tally.items():
        for word in _WORDS.get(name, _word)(value):
            said[word] += count
    by_name = name in ("path", "month", "off_nadir", "frame", "level")
    order: Callable[[tuple[str, int]], Any] = _natural if by_name else lambda pair: (-pair[1], pair)
    return dict(sorted(said.items(), key=order))


def _natural(pair: tuple[str, int]) -> tuple[float, str]:
    try:
        return float(pair[0]), pair[0]
    except ValueError:
        return 0.0, pair[0]


def _word(value: Any) -> list[str]:
    return [] if value is None else [str(value)]


_WORDS: Final[dict[str, Callable[[Any], list[str]]]] = {
    "pol": lambda bits: polarizations(bits or 0),
    "month": lambda months: [f"{1970 + months // 12:04d}-{months % 12 + 1:02d}"],
    "off_nadir": lambda angle: [] if angle is None else [f"{angle:g}"],
}


def _collections(connection: sqlite3.Connection) -> list[Collected]:
    """Return one for each dataset name, with its extent and what it holds."""
    rows = connection.execute(
        "SELECT dataset, level, mode, pass, look, polarizations, count(*), min(start_us), "
        "max(end_us), min(west), min(south), max(east), max(north), max(west > east) "
        "FROM items GROUP BY dataset, level, mode, pass, look, polarizations"
    ).fetchall()
    names = sorted({row[0] or _OTHER for row in rows})
    return [_collected(name, [row for row in rows if (row[0] or _OTHER) == name]) for name in names]


def _collected(name: str, rows: Sequence[tuple[Any, ...]]) -> Collected:
    west, south = (min(row[n] for row in rows) for n in (9, 10))
    east, north = (max(row[n] for row in rows) for n in (11, 12))
    if any(row[13] for row in rows):
        west, east = -180.0, 180.0
    words = {"A": "ascending", "D": "descending", "L": "left", "R": "right"}
    summaries = {
        "processing:level": sorted({f"L{row[1]}" for row in rows if row[1]}),
        "sar:instrument_mode": sorted({row[2] for row in rows if row[2]}),
        "sat:orbit_state": sorted({words[row[3]] for row in rows if row[3] in words}),
        "sar:observation_direction": sorted({words[row[4]] for row in rows if row[4] in words}),
        "sar:polarizations": sorted({pol for row in rows for pol in polarizations(row[5])}),
    }
    return Collected(
        name,
        sum(row[6] for row in rows),
        (west, south, east, north),
        from_unix_us(min(row[7] for row in rows)),
        from_unix_us(max(row[8] for row in rows)),
        {key: values for key, values in summaries.items() if values},
    )

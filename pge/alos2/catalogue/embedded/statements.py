"""From a query to SQL: conditions, order, and by which of two ways the rows are reached.

Through the R*Tree the rows in a box are found at once and then sorted; along the index of times
they come sorted and each is looked at. With h rows in the box, n in all and k wanted, the first
takes about 3 h steps and the second k n / h, so a look at how many the box has, which ends at
sqrt(k n / 3), tells which is shorter.
"""

from __future__ import annotations

import math
import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from alos2.catalogue.embedded.areas import Area, Box, area_of_box, area_of_geometry
from alos2.catalogue.embedded.query import SORTS, Query
from alos2.catalogue.embedded.rows import polarization_bits, unix_us
from alos2.catalogue.embedded.schema import EPOCH_S
from alos2.catalogue.embedded.words import rows_to_walk
from alos2.errors import UsageError

_TREE_STEPS: Final = 3
_WORD: Final = re.compile(r"[^\W_]")
_FAR_S: Final = 1e10
_BEHIND_ALL: Final = "\U0010ffff"
HAS_WORDS: Final = "i.rid IN (SELECT rowid FROM terms WHERE terms MATCH ?)"
_IN_BOX: Final = (
    "(CASE WHEN i.west <= i.east THEN i.west <= ? AND i.east >= ? "
    "ELSE i.west <= ? OR i.east >= ? END AND i.south <= ? AND i.north >= ?)"
)


@dataclass
class Conditions:
    """What stands behind WHERE, and its values."""

    texts: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, text: str, *values: Any) -> None:
        """Let another condition hold too."""
        self.texts.append(text)
        self.values.extend(values)

    def any_of(self, column: str, wanted: Sequence[Any]) -> None:
        """Let a column be one of some values."""
        if wanted:
            self.add(f"{column} IN ({', '.join('?' * len(wanted))})", *wanted)

    @property
    def text(self) -> str:
        """All of them."""
        return " AND ".join(self.texts) or "1"


@dataclass(frozen=True)
class Search:
    """A query that is ready to be asked."""

    source: str
    """What stands behind FROM."""
    where: Conditions
    """Its values include those of `source`, first."""
    order: str
    keys: tuple[str, ...]
    """Expressions that are sorted by; the id is the last."""
    downwards: tuple[bool, ...]
    areas: tuple[Area, ...]
    """Each has to be met; SQL has only looked at boxes."""
    match: str | None = None
    """What the words of each row have to match too, for FTS5; None: SQL has seen to that."""
    most: int = 0
    """After so many rows it is better to ask `by_index`."""

    def by_index(self) -> Search:
        """Return the same search, with its words looked up in the index."""
        where = Conditions([*self.where.texts, HAS_WORDS], [*self.where.values, self.match])
        return replace(self, where=where, match=None)

    def behind(self, values: Sequence[Any]) -> tuple[str, list[Any]]:
        """Return the condition that a row comes after one with these sort values."""
        ways: list[str] = []
        said: list[Any] = []
        for number, (key, down) in enumerate(zip(self.keys, self.downwards, strict=True)):
            same = [f"{k} = ?" for k in self.keys[:number]]
            ways.append(" AND ".join([*same, f"{key} {'<' if down else '>'} ?"]))
            said.extend(values[: number + 1])
        # Said once more in a form by which an index can be entered.
        bound = f"{self.keys[0]} {'<=' if self.downwards[0] else '>='} ?"
        return f"{bound} AND ({' OR '.join(f'({way})' for way in ways)})", [values[0], *said]


def prepare(
    connection: sqlite3.Connection, query: Query, *, wanted: int | None, walks: bool = False
) -> Search:
    """Return how to ask `query`.

    Parameters
    ----------
    connection : sqlite3.Connection
        To look how many rows a box has.
    query : Query
        What is asked.
    wanted : int or None
        How many hits will be taken; None: all, or only counted.
    walks : bool, optional
        Whether the caller heeds `Search.match`; else SQL sees to the words.

    Raises
    ------
    UsageError
        The query contradicts itself.
    """
    query.check()
    areas = []
    if query.bbox is not None:
        areas.append(area_of_box(query.bbox))
    if query.geometry is not None:
        areas.append(area_of_geometry(query.geometry))
    where = Conditions()
    source = "items i"
    narrow = bool(query.ids or query.names or query.paths or query.orbits)
    if areas and not narrow and _through_tree(connection, areas[-1].boxes, query, wanted):
        select, values = _tree(areas[-1].boxes, query)
        source = f"({select}) b CROSS JOIN items i ON i.rid = b.rid"
        where.values.extend(values)
    for area in areas:
        where.add(
            f"({' OR '.join([_IN_BOX] * len(area.boxes))})",
            *(side for w, s, e, n in area.boxes for side in (e, w, e, w, n, s)),
        )
    _said(query, where)
    words = None if query.text is None else match(query.text)
    most = None
    if words is not None and wanted is not None and walks:
        most = rows_to_walk(connection, words, wanted)
    _when(connection, query, where)
    keys = (*(SORTS[name.lstrip("+-")] for name in query.sort), "i.id")
    downwards = [name.startswith("-") for name in query.sort]
    downwards.append(downwards[0] if downwards else False)
    order = ", ".join(
        f"{key} {'DESC' if down else 'ASC'}" for key, down in zip(keys, downwards, strict=True)
    )
    found = Search(source, where, order, keys, tuple(downwards), tuple(areas), words, most or 0)
    return found if words is None or most is not None else found.by_index()


def _through_tree(
    connection: sqlite3.Connection, boxes: Sequence[Box], query: Query, wanted: int | None
) -> bool:
    if wanted is None or query.sort[:1] not in ((), ("-time",), ("time",), ("+time",)):
        return True
    total = connection.execute("SELECT ifnull(max(rid), 0) FROM items").fetchone()[0]
    enough = math.ceil(math.sqrt(wanted * total / _TREE_STEPS)) + wanted
    select, values = _tree(boxes, query)
    found = connection.execute(
        f"SELECT count(*) FROM ({select} LIMIT ?)",  # noqa: S608  of our own words
        [*values, enough],
    ).fetchone()[0]
    return int(found) < enough


def _tree(boxes: Sequence[Box], query: Query) -> tuple[str, list[Any]]:
    """Return what selects the rows of some boxes and of the query's time from the R*Tree."""
    first = -_FAR_S if query.start is None else unix_us(query.start) / 1e6 - EPOCH_S
    last = _FAR_S if query.end is None else unix_us(query.end) / 1e6 - EPOCH_S
    one = (
        "SELECT box / 2 AS rid FROM boxes WHERE west <= ? AND east >= ? AND south <= ? "
        "AND north >= ? AND start_s <= ? AND end_s >= ?"
    )
    values = [value for w, s, e, n in boxes for value in (e, w, n, s, last, first)]
    if len(boxes) == 1:
        return one.replace("SELECT", "SELECT DISTINCT", 1), values
    return " UNION ".join([one] * len(boxes)), values


def _said(query: Query, where: Conditions) -> None:
    where.any_of("i.id", query.ids)
    if query.names:
        ways = " OR ".join(["i.id BETWEEN ? AND ?"] * len(query.names))
        where.add(f"({ways})", *(end for n in query.names for end in (n, n + _BEHIND_ALL)))
    where.any_of("i.level", query.levels)
    where.any_of("i.format", query.formats)
    where.any_of("i.mode", query.modes)
    where.any_of("i.path", query.paths)
    where.any_of("i.frame", query.frames)
    where.any_of("i.orbit", query.orbits)
    if query.kinds:
        marks = ", ".join("?" * len(query.kinds))
        lower = [kind.lower() for kind in query.kinds]
        where.add(f"(lower(i.dataset) IN ({marks}) OR lower(i.type) IN ({marks}))", *lower, *lower)
    bits = polarization_bits(query.polarizations)
    if bits:
        where.add("i.polarizations & ? = ?", bits, bits)
    if query.pass_direction is not None:
        where.add("i.pass = ?", query.pass_direction)
    if query.look is not None:
        where.add("i.look = ?", query.look)
    if query.off_nadir is not None:
        where.add("i.off_nadir BETWEEN ? AND ?", *query.off_nadir)
    for tag in query.tags:
        where.add("i.rid IN (SELECT rid FROM tags WHERE tag = ?)", tag)


def _when(connection: sqlite3.Connection, query: Query, where: Conditions) -> None:
    """Add the times; of the middle too, whose index then serves."""
    if query.start is None and query.end is None:
        return
    longest = connection.execute("SELECT value FROM facts WHERE name = 'longest_us'").fetchone()
    if query.start is not None:
        start = unix_us(query.start)
        where.add("i.end_us >= ? AND i.time_us >= ?", start, start - longest[0])
    if query.end is not None:
        end = unix_us(query.end)
        where.add("i.start_us <= ? AND i.time_us <= ?", end, end + longest[0])


def match(text: str) -> str:
    """Return words of a person as FTS5 wants them: each a phrase whose last word may go on.

    Raises
    ------
    UsageError
        There is no word in it.
    """
    words = [word for word in text.split() if _WORD.search(word)]
    if not words:
        raise UsageError(f"{text!r} holds no word", hint="give words or beginnings of words")
    return " ".join('"{}"*'.format(word.replace('"', " ").replace("\0", " ")) for word in words)

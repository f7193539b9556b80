"""Rows of the embedded catalogue that a search finds, in its order, with whatever columns.

The catalogue's own statements (`alos2.catalogue.embedded.statements`) say how rows are reached;
a CQL2 filter is one more condition.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely

from alos2.catalogue.embedded.query import Query
from alos2.catalogue.embedded.statements import Search, prepare
from alos2.catalogue.search.sqlfilter import Condition
from alos2.errors import UsageError
from alos2.types import Json

_LEAST_READ: Final = 64
_MOST_READ: Final = 4096
_MOST_VALUES: Final = 500
_DIGITS: Final = 8


@dataclass(frozen=True)
class Asked:
    """A query of the catalogue, and the filter that it knows nothing of."""

    query: Query
    where: Condition | None = None
    tree: Json | bool | None = None
    """The filter as CQL2, of which `where` is made."""

    def prepared(self, connection: sqlite3.Connection, *, wanted: int | None) -> Search:
        """Return how to ask it; see `alos2.catalogue.embedded.statements.prepare`."""
        found = prepare(connection, replace(self.query, token=None), wanted=wanted)
        if self.where is not None:
            found.where.add(f"({self.where.sql})", *self.where.values)
        return found

    def after(self) -> list[Any] | None:
        """Return the sort values of the last row of the page before.

        Raises
        ------
        UsageError
            The token is not one, or another search's.
        """
        if self.query.token is None:
            return None
        mark, _, token = self.query.token.partition(".")
        if mark != self._mark():
            raise UsageError(
                "the token belongs to another search", hint="repeat the search, or begin it anew"
            )
        return replace(self.query, token=token).after()

    def token_after(self, values: Sequence[Any]) -> str:
        """Return the token of the page behind a row with these sort values."""
        return f"{self._mark()}.{self.query.token_after(values)}"

    def _mark(self) -> str:
        text = repr(self.where).encode("utf-8", "backslashreplace")
        return hashlib.sha256(text, usedforsecurity=False).hexdigest()[:_DIGITS]


def select(
    connection: sqlite3.Connection, asked: Asked, columns: Sequence[str], limit: int
) -> tuple[list[tuple[Any, ...]], str | None]:
    """Return the first rows that match, and the token of the next page.

    Parameters
    ----------
    connection : sqlite3.Connection
        On which `sqlfunctions.Functions` are known.
    asked : Asked
    columns : sequence of str
        Of table ``items``, as ``i.<name>``.
    limit : int
        Rows.
    """
    prepared = asked.prepared(connection, wanted=limit)
    text, values = prepared.where.text, list(prepared.where.values)
    after = asked.after()
    if after is not None:
        behind, said = prepared.behind(after)
        text, values = f"{text} AND {behind}", [*values, *said]
    outline = ["i.outline"] if prepared.areas else []
    statement = (
        f"SELECT {', '.join([*columns, *prepared.keys, *outline])} "  # noqa: S608  fixed names
        f"FROM {prepared.source} WHERE {text} ORDER BY {prepared.order}"
    )
    if not prepared.areas:
        rows = connection.execute(f"{statement} LIMIT ?", [*values, limit + 1]).fetchall()
    else:
        rows = _met(connection.execute(statement, values), prepared, limit + 1)
    token = None
    if len(rows) > limit:
        first = len(columns)
        token = asked.token_after(rows[limit - 1][first : first + len(prepared.keys)])
    return [row[: len(columns)] for row in rows[:limit]], token


def documents(connection: sqlite3.Connection, rids: Sequence[int]) -> dict[int, bytes]:
    """Return the packed documents of rows."""
    found: dict[int, bytes] = {}
    for start in range(0, len(rids), _MOST_VALUES):
        part = rids[start : start + _MOST_VALUES]
        marks = ", ".join("?" * len(part))
        statement = f"SELECT rid, document FROM documents WHERE rid IN ({marks})"  # noqa: S608
        found.update(connection.execute(statement, list(part)).fetchall())
    return found


def meeting(
    prepared: Search, rows: Sequence[tuple[Any, ...]], outline: int
) -> list[tuple[Any, ...]]:
    """Return the rows whose outlines (column `outline`) really meet the areas of a search."""
    outlines = shapely.from_wkb(np.array([row[outline] for row in rows], dtype=object))
    met = np.ones(len(rows), dtype=bool)
    for area in prepared.areas:
        met &= area.meets(outlines)
    return [row for row, is_met in zip(rows, met, strict=True) if is_met]


def _met(cursor: sqlite3.Cursor, prepared: Search, wanted: int) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    size = max(_LEAST_READ, min(wanted + wanted // 4, _MOST_READ))
    while len(rows) < wanted and (read := cursor.fetchmany(size)):
        rows.extend(meeting(prepared, read, -1))
    cursor.close()
    return rows[:wanted]

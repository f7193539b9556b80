"""A query asked: rows, then the exact test of their outlines, then their documents."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from alos2.catalogue.embedded.query import Query
from alos2.catalogue.embedded.rows import unpack
from alos2.catalogue.embedded.statements import HAS_WORDS, Search, prepare
from alos2.catalogue.embedded.words import holding
from alos2.types import Json

if TYPE_CHECKING:
    from alos2.catalogue.embedded.store import Store

PAGE: Final = 100
"""Hits of a page, if nothing else is said."""
_STREAMED: Final = 500
_LEAST_READ: Final = 64
_MOST_READ: Final = 4096
_MOST_VALUES: Final = 500
_MOST_STEPS: Final = 100_000
"""Of SQLite's machine: some thousand rows, some milliseconds."""


@dataclass(frozen=True)
class Hit:
    """A dataset that was found."""

    id: str
    folder: Path
    packed: bytes = field(repr=False)

    @property
    def text(self) -> bytes:
        """The STAC item as JSON."""
        return unpack(self.packed)

    @property
    def item(self) -> Json:
        """The STAC item."""
        item: Json = json.loads(self.text)
        return item


@dataclass(frozen=True)
class Page:
    """Some hits, and where the next ones begin."""

    hits: tuple[Hit, ...]
    token: str | None
    """Of the next page; None on the last."""


def search(store: Store, query: Query) -> Iterator[Hit]:
    """See `EmbeddedCatalogue.search`."""
    left = query.limit
    asked = query
    while left is None or left > 0:
        size = _STREAMED if left is None else min(left, _STREAMED)
        found = page(store, replace(asked, limit=size))
        yield from found.hits
        if found.token is None:
            return
        left = None if left is None else left - len(found.hits)
        asked = replace(query, token=found.token)


def page(store: Store, query: Query) -> Page:
    """See `EmbeddedCatalogue.page`."""
    limit = PAGE if query.limit is None else query.limit
    with store.reading() as connection:
        prepared = prepare(connection, query, wanted=limit, walks=True)
        rows = _rows(connection, prepared, query.after(), limit + 1)
        more = len(rows) > limit
        rows = rows[:limit]
        documents = _documents(connection, [row[0] for row in rows])
    hits = tuple(Hit(row[1], store.archive / row[2], documents[row[0]]) for row in rows)
    token = query.token_after(rows[-1][4:]) if more else None
    return Page(hits, token)


def count(store: Store, query: Query) -> int:
    """See `EmbeddedCatalogue.count`."""
    query = replace(query, token=None, limit=None)
    with store.reading() as connection:
        prepared = prepare(connection, query, wanted=None)
        where = prepared.where
        if where.texts == [HAS_WORDS]:
            statement = "SELECT count(*) FROM terms WHERE terms MATCH ?"
            return int(connection.execute(statement, where.values).fetchone()[0])
        if not prepared.areas:
            statement = f"SELECT count(*) FROM {prepared.source} WHERE {where.text}"  # noqa: S608
            return int(connection.execute(statement, where.values).fetchone()[0])
        cursor = connection.execute(
            f"SELECT i.rid, i.id, i.folder, i.outline FROM {prepared.source} "  # noqa: S608
            f"WHERE {where.text}",
            where.values,
        )
        total = 0
        while rows := cursor.fetchmany(_MOST_READ):
            total += len(_meeting(prepared, rows))
        return total


def _rows(
    connection: sqlite3.Connection, prepared: Search, after: list[Any] | None, wanted: int
) -> list[tuple[Any, ...]]:
    """Return rid, id, folder, outline and sort values of the first `wanted` that match."""
    text, values = prepared.where.text, list(prepared.where.values)
    if after is not None:
        behind, said = prepared.behind(after)
        text, values = f"{text} AND {behind}", [*values, *said]
    words = "i.words" if prepared.match is not None else "NULL"
    statement = (
        f"SELECT {words}, i.rid, i.id, i.folder, i.outline, "  # noqa: S608
        f"{', '.join(prepared.keys)} FROM {prepared.source} WHERE {text} ORDER BY {prepared.order}"
    )
    if not prepared.areas and prepared.match is None:
        found = connection.execute(f"{statement} LIMIT ?", [*values, wanted])
        return [row[1:] for row in found]
    if prepared.match is None:
        return _walked(connection.execute(statement, values), prepared, wanted) or []
    try:
        with _not_too_far(connection):
            rows = _walked(connection.execute(statement, values), prepared, wanted)
    except sqlite3.OperationalError as error:
        if "interrupted" not in str(error):
            raise
        rows = None
    return _rows(connection, prepared.by_index(), after, wanted) if rows is None else rows


def _walked(cursor: sqlite3.Cursor, prepared: Search, wanted: int) -> list[tuple[Any, ...]] | None:
    """Return the first `wanted` rows that match really; None where the words are too rare."""
    rows: list[tuple[Any, ...]] = []
    looked = 0
    size = max(_LEAST_READ, min(wanted + wanted // 4, _MOST_READ))
    with closing(cursor):
        while len(rows) < wanted and (read := cursor.fetchmany(size)):
            if prepared.match is not None and looked > prepared.most:
                return None
            looked += len(read)
            rows.extend(_meeting(prepared, _worded(prepared, read)))
    return rows[:wanted]


@contextmanager
def _not_too_far(connection: sqlite3.Connection) -> Iterator[None]:
    """Interrupt SQLite where what is asked besides the words makes it look at too many rows."""
    connection.set_progress_handler(lambda: 1, _MOST_STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def _worded(prepared: Search, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return, without their words, the rows that hold what is looked for."""
    if prepared.match is not None:
        holds = holding([(row[1], row[0]) for row in rows], prepared.match)
        rows = [row for row in rows if row[1] in holds]
    return [row[1:] for row in rows]


def _meeting(prepared: Search, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return the rows whose outlines really meet the areas."""
    if not prepared.areas:
        return rows
    outlines = shapely.from_wkb(np.array([row[3] for row in rows], dtype=object))
    for area in prepared.areas:
        met = area.meets(outlines)
        rows = [row for row, is_met in zip(rows, met, strict=True) if is_met]
        outlines = outlines[met]
    return rows


def _documents(connection: sqlite3.Connection, rids: list[int]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for start in range(0, len(rids), _MOST_VALUES):
        part = rids[start : start + _MOST_VALUES]
        marks = ", ".join("?" * len(part))
        found.update(
            connection.execute(
                f"SELECT rid, document FROM documents WHERE rid IN ({marks})",  # noqa: S608
                part,
            )
        )
    return found

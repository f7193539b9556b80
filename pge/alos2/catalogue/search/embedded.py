"""The embedded catalogue behind the protocol of `model.Searchable`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any, Final
from weakref import WeakValueDictionary

from alos2.catalogue.embedded import EmbeddedCatalogue, Query
from alos2.catalogue.embedded.rows import unpack
from alos2.catalogue.search import cql2, summary
from alos2.catalogue.search.columns import Columns
from alos2.catalogue.search.model import (
    NEWEST_FIRST,
    Collected,
    Counted,
    Page,
    Rows,
    Search,
    SortKey,
)
from alos2.catalogue.search.properties import SORTS, plain_name
from alos2.catalogue.search.quick import newest
from alos2.catalogue.search.select import Asked, documents, select
from alos2.catalogue.search.shown import COLUMNS, shown
from alos2.catalogue.search.sqlfilter import condition
from alos2.catalogue.search.sqlfunctions import Functions
from alos2.errors import Alos2Error, NoResource, UsageError
from alos2.types import Json

PATIENCE_S: Final = 10.0
"""How long a search may take."""
_STEPS: Final = 2000
"""Of SQLite's machine, between two looks at the clock."""


_LOCK: Final = Lock()
_SHARED: Final[WeakValueDictionary[str, Columns]] = WeakValueDictionary()
"""The columns of each catalogue that is open, by its file."""


class EmbeddedSearch:
    """Searches the catalogue of an archive. For one thread at a time.

    Parameters
    ----------
    archive : Path
        The folder that holds the datasets.
    patience_s : float, optional
        How long a search may take.

    Raises
    ------
    NothingFound
        It has no catalogue.
    PublishFailed, NoResource
        The catalogue cannot be read.
    """

    def __init__(self, archive: Path, *, patience_s: float = PATIENCE_S) -> None:
        self._catalogue = EmbeddedCatalogue.open(archive, create=False, read_only=True)
        self._patience_s = patience_s
        self._functions = Functions()
        self._collections = summary.Remembered()
        with _LOCK:
            self._columns = _SHARED.setdefault(str(self._catalogue.path), Columns())

    def search(self, search: Search) -> Page:
        """See `model.Searchable.search`."""
        asked = asked_of(search)
        with self._asking() as connection:
            columns = ("i.rid", "i.id")
            found = None
            if self._columns.is_current(connection, self):
                table = self._columns.of(connection, self)
                found = newest(connection, asked, table, columns, search.limit)
            rows, token = found or select(connection, asked, columns, search.limit)
            packed = documents(connection, [row[0] for row in rows])
        texts = tuple(unpack(packed[row[0]]) for row in rows)
        # Nobody is behind the last page: what is on the only one is all that there is.
        only = token is None and search.token is None
        return Page(tuple(row[1] for row in rows), texts, token, len(rows) if only else None)

    def rows(self, search: Search) -> Rows:
        """See `model.Searchable.rows`."""
        asked = asked_of(search)
        with self._asking() as connection:
            found, token = select(connection, asked, COLUMNS, search.limit)
        return Rows(shown(found), token)

    def get(self, item_id: str) -> bytes | None:
        """See `model.Searchable.get`."""
        rows = self._catalogue.query(
            "SELECT d.document FROM items i JOIN documents d USING (rid) WHERE i.id = ?", (item_id,)
        )
        return unpack(rows[0][0]) if rows else None

    def folder_of(self, item_id: str) -> str | None:
        """Return the folder of a dataset, relative to the archive, with ``/``; None: unknown."""
        rows = self._catalogue.query("SELECT folder FROM items WHERE id = ?", (item_id,))
        return str(rows[0][0]) if rows else None

    def collections(self) -> Sequence[Collected]:
        """See `model.Searchable.collections`."""
        with self._asking() as connection:
            return self._collections.of(connection)

    def count(self, search: Search, facets: Sequence[str]) -> Counted:
        """See `model.Searchable.count`."""
        asked = asked_of(replace(search, sort=NEWEST_FIRST, token=None))
        with self._asking() as connection:
            table = self._columns.of(connection, self, stale=True)
            return summary.counted(connection, asked, table, facets)

    def close(self) -> None:
        """See `model.Searchable.close`."""
        self._catalogue.close()

    @contextmanager
    def _asking(self) -> Iterator[sqlite3.Connection]:
        """Give the connection, for one state of the tables and not for ever.

        Raises
        ------
        NoResource
            It has taken too long.
        """
        deadline = time.monotonic() + self._patience_s
        late = False

        def look() -> bool:
            nonlocal late
            late = time.monotonic() > deadline
            return late

        try:
            with self._catalogue.reading() as connection:
                self._functions.register(connection)
                connection.set_progress_handler(look, _STEPS)
                try:
                    yield connection
                finally:
                    connection.set_progress_handler(None, 0)
        except Alos2Error as error:
            if not late:
                raise
            raise NoResource(
                f"the search took more than {self._patience_s:g} s",
                hint="narrow it by place or time, or filter by another property",
            ) from error


def asked_of(search: Search) -> Asked:
    """Return a search as the embedded catalogue asks it.

    Raises
    ------
    UsageError
        It sorts by what nothing is sorted by, or its filter cannot be asked.
    """
    geometry, rest = search.intersects, search.filter
    if geometry is None:
        geometry, rest = _lifted(rest)
    if search.collections:
        rest = cql2.together(cql2.one_of("collection", search.collections), rest)
    query = Query(
        ids=search.ids,
        bbox=search.bbox,
        geometry=geometry,
        start=search.start,
        end=search.end,
        text=search.text,
        tags=search.tags,
        sort=_sort(search.sort),
        token=search.token,
    )
    return Asked(query, None if rest is None else condition(rest), rest)


def _sort(keys: Sequence[SortKey]) -> tuple[str, ...]:
    names = []
    for key in keys or NEWEST_FIRST:
        name = SORTS.get(plain_name(key.name))
        if name is None:
            raise UsageError(
                f"nothing can be sorted by {key.name[:60]!r}", hint=f"by {', '.join(SORTS)}"
            )
        names.append(f"-{name}" if key.descending else name)
    return tuple(names)


def _lifted(tree: Json | bool | None) -> tuple[Json | None, Json | bool | None]:
    """Take a place that always must be met out of a filter: the R*Tree finds it quickly."""
    if not isinstance(tree, dict):
        return None, tree
    parts = tree.get("args") if tree.get("op") == "and" else [tree]
    if not isinstance(parts, list):
        return None, tree
    for number, part in enumerate(parts):
        geometry = _met_place(part)
        if geometry is not None:
            rest = parts[:number] + parts[number + 1 :]
            if len(rest) > 1:
                return geometry, {"op": "and", "args": rest}
            return geometry, rest[0] if rest else None
    return None, tree


def _met_place(node: Any) -> Json | None:
    """Return the geometry of ``s_intersects(geometry, <geometry>)``."""
    if not isinstance(node, dict) or str(node.get("op", "")).lower() != "s_intersects":
        return None
    args = node.get("args")
    if not isinstance(args, list) or len(args) != 2 or not all(isinstance(a, dict) for a in args):
        return None
    for one, other in (args, args[::-1]):
        if one == {"property": "geometry"} and "type" in other:
            place: Json = other
            return place
    return None

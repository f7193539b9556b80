"""Words that are in very many items: looked for row by row, newest first, and not in the index.

The index gives all rows that hold a word before the first of them can be shown; where most hold it,
a few rows in the order asked for are enough. Whether a row holds it is told by a full-text index of
the few, in memory and with the same tokenizer: so both ways find the same.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from alos2.catalogue.embedded.schema import TOKENIZER

_SAMPLE: Final = 64
_LEAST_ITEMS: Final = 4000
"""Fewer are found quickly in any way."""
_ROW_STEPS: Final = 10
"""To look at a row costs as much as to take so many out of the index."""
_PATIENCE: Final = 4
"""After so many times the rows that were expected, the index is asked after all."""


def rows_to_walk(connection: sqlite3.Connection, match: str, wanted: int) -> int | None:
    """Return how many rows may be looked at one by one; None where the index is better.

    Parameters
    ----------
    connection : sqlite3.Connection
        Of the catalogue.
    match : str
        As FTS5 wants it.
    wanted : int
        How many hits will be taken.
    """
    total = connection.execute("SELECT ifnull(max(rid), 0) FROM items").fetchone()[0]
    if total < _LEAST_ITEMS:
        return None
    rows = connection.execute(
        "SELECT rid, words FROM items ORDER BY time_us DESC LIMIT ?", (_SAMPLE,)
    ).fetchall()
    share = len(holding(rows, match)) / _SAMPLE
    # wanted / share rows are looked at, or share * total are taken out of the index.
    if share * share * total < wanted * _ROW_STEPS:
        return None
    return _SAMPLE + int(_PATIENCE * wanted / share)


def holding(rows: Sequence[tuple[int, str]], match: str) -> set[int]:
    """Return the numbers of the rows (number and words) that `match` finds."""
    with closing(sqlite3.connect(":memory:")) as few:
        few.execute(
            f"CREATE VIRTUAL TABLE few USING fts5 (words, content='', tokenize='{TOKENIZER}')"
        )
        few.executemany("INSERT INTO few (rowid, words) VALUES (?, ?)", rows)
        found = few.execute("SELECT rowid FROM few WHERE few MATCH ?", (match,))
        return {row[0] for row in found}

"""Temporal functions of CQL2 as SQL: Allen's relations of intervals (OGC 21-065r2, table 11)."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from alos2.catalogue.search.sqlterms import FIRST_US, LAST_US, as_kind, scalar, time_literal
from alos2.errors import UsageError

_RELATIONS: Final = {
    "t_after": "{s1} > {e2}",
    "t_before": "{e1} < {s2}",
    "t_contains": "{s1} < {s2} AND {e1} > {e2}",
    "t_disjoint": "({e1} < {s2} OR {s1} > {e2})",
    "t_during": "{s1} > {s2} AND {e1} < {e2}",
    "t_equals": "{s1} = {s2} AND {e1} = {e2}",
    "t_finishedby": "{s1} < {s2} AND {e1} = {e2}",
    "t_finishes": "{s1} > {s2} AND {e1} = {e2}",
    "t_intersects": "{s1} <= {e2} AND {e1} >= {s2}",
    "t_meets": "{e1} = {s2}",
    "t_metby": "{s1} = {e2}",
    "t_overlappedby": "{s1} > {s2} AND {s1} < {e2} AND {e1} > {e2}",
    "t_overlaps": "{s1} < {s2} AND {e1} > {s2} AND {e1} < {e2}",
    "t_startedby": "{s1} = {s2} AND {e1} > {e2}",
    "t_starts": "{s1} = {s2} AND {e1} < {e2}",
}
"""By the starts and ends of the first and the second; a moment is both."""
TEMPORAL: Final = frozenset(_RELATIONS)


class _End(NamedTuple):
    sql: str
    values: tuple[Any, ...]


def temporal(operator: str, one: Any, other: Any) -> tuple[str, tuple[Any, ...]]:
    """Return the condition that two times stand to each other as `operator` says.

    Raises
    ------
    UsageError
        One of them is no time.
    """
    ends = dict(zip(("s1", "e1", "s2", "e2"), (*_span(one), *_span(other)), strict=True))
    words: list[str] = []
    values: list[Any] = []
    for part in _RELATIONS[operator].replace("{", "\0{").replace("}", "}\0").split("\0"):
        if part.startswith("{"):
            end = ends[part[1:-1]]
            words.append(end.sql)
            values.extend(end.values)
        else:
            words.append(part)
    return f"({''.join(words)})", tuple(values)


def _span(node: Any) -> tuple[_End, _End]:
    if isinstance(node, dict) and "interval" in node:
        given = node["interval"]
        if not isinstance(given, list) or len(given) != 2:
            raise UsageError("an interval of a filter has a start and an end")
        return _end(given[0], 0), _end(given[1], 1)
    return _end(node, 0), _end(node, 1)


def _end(node: Any, which: int) -> _End:
    """Return the start (0) or the end (1) of what may be a moment, a day or a property."""
    if node in ("..", ""):
        return _End("?", ((FIRST_US, LAST_US)[which],))
    if isinstance(node, str):
        term = time_literal(node, day=len(node) == len("YYYY-MM-DD"))
    else:
        term = as_kind(scalar(node), "time")
    if term.span_us is not None:
        return _End("?", (term.span_us[which],))
    return _End(term.sql, term.values)

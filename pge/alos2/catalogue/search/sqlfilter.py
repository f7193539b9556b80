"""CQL2 as a condition in SQL over the embedded catalogue.

OGC 21-065r2: comparisons (requirements class basic-cql2), ``like``, ``between``, ``in``
(advanced-comparison-operators), spatial, temporal and array functions, arithmetic. Null makes a
comparison neither true nor false, as in SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple

import shapely

from alos2.catalogue.embedded.areas import area_of_box, area_of_geometry
from alos2.catalogue.embedded.rows import polarization_bits
from alos2.catalogue.search.properties import Kind
from alos2.catalogue.search.sqlfunctions import ARRAY, SPATIAL
from alos2.catalogue.search.sqlterms import (
    Term,
    arguments,
    as_kind,
    document_array,
    property_term,
    scalar,
)
from alos2.catalogue.search.sqltimes import TEMPORAL, temporal
from alos2.errors import UsageError
from alos2.types import POLARIZATIONS, Json

_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_NEAR: Final = (
    "i.south <= ? AND i.north >= ? AND "
    "(CASE WHEN i.west <= i.east THEN i.west <= ? AND i.east >= ? ELSE 1 END)"
)


class Condition(NamedTuple):
    """SQL that is true, false or null, and its values."""

    sql: str
    values: tuple[Any, ...]


def condition(node: Any) -> Condition:
    """Return the condition of a CQL2-JSON filter (`cql2.parse`).

    Raises
    ------
    UsageError
        It asks for what there is not.
    """
    if isinstance(node, bool):
        return Condition("1" if node else "0", ())
    if isinstance(node, dict) and set(node) == {"property"}:
        term = as_kind(scalar(node), "bool")
        return Condition(term.sql, term.values)
    if not isinstance(node, dict) or not isinstance(node.get("op"), str):
        raise UsageError(f"{str(node)[:80]} in the filter is neither true nor false")
    operator = node["op"].lower()
    ask = next((ask for known, ask in _FAMILIES if operator in known), None)
    if ask is None:
        raise UsageError(f"the filter has no function {node['op'][:40]!r} here")
    return ask(operator, node)


def geometry_of(node: Any) -> Any:
    """Return a literal geometry or box of a filter, cut at the antimeridian.

    Raises
    ------
    UsageError
        It is none.
    """
    if isinstance(node, dict) and "bbox" in node:
        sides = node["bbox"]
        if isinstance(sides, list) and len(sides) == 6:
            sides = [*sides[:2], *sides[3:5]]
        if not isinstance(sides, list) or len(sides) != 4:
            raise UsageError("a bbox of a filter has 4 or 6 numbers")
        try:
            west, south, east, north = (float(side) for side in sides)
        except (TypeError, ValueError) as error:
            raise UsageError(f"a bbox of a filter has 4 or 6 numbers: {error}") from error
        return area_of_box((west, south, east, north)).geometry
    if not isinstance(node, dict):
        raise UsageError(f"{str(node)[:60]!r} in the filter is no geometry")
    return area_of_geometry(node).geometry


def _joined(operator: str, node: Json) -> Condition:
    given = node.get("args")
    if not isinstance(given, list) or not given:
        raise UsageError(f"{operator} in the filter has no arguments")
    parts = [condition(one) for one in given]
    text = f" {operator.upper()} ".join(part.sql for part in parts)
    return Condition(f"({text})", tuple(value for part in parts for value in part.values))


def _compared(operator: str, left: Term, right: Term) -> Condition:
    # What a property is counts more than what is said, which may be a time in quotes.
    known = sorted((t for t in (left, right) if t.kind != "any"), key=lambda t: t.literal)
    kind: Kind = known[0].kind if known else "any"
    if kind in ("geometry", "array"):
        raise UsageError(f"{left.name or right.name} cannot be compared by {operator}")
    left, right = as_kind(left, kind), as_kind(right, kind)
    if left.span_us is not None and right.span_us is None:
        left, right, operator = right, left, _TURNED[operator]
    if right.span_us is not None and left.span_us is None:
        return _compared_with_time(operator, left, *right.span_us)
    return Condition(f"({left.sql} {operator} {right.sql})", (*left.values, *right.values))


def _compared_with_time(operator: str, left: Term, first: int, last: int) -> Condition:
    """Compare with a moment, or with a whole day: before its first, after its last moment."""
    if operator in ("=", "<>"):
        word = "BETWEEN" if operator == "=" else "NOT BETWEEN"
        return Condition(f"({left.sql} {word} ? AND ?)", (*left.values, first, last))
    bound = first if operator in ("<", ">=") else last
    return Condition(f"({left.sql} {operator} ?)", (*left.values, bound))


def _not(node: Json) -> Condition:
    inner = condition(arguments(node, 1)[0])
    return Condition(f"(NOT {inner.sql})", inner.values)


def _between(node: Json) -> Condition:
    given = node.get("args")
    if isinstance(given, list) and len(given) == 2 and isinstance(given[1], list):
        given = [given[0], *given[1]]  # as drafts of CQL2 had it
    value, low, high = (scalar(one) for one in arguments({**node, "args": given}, 3))
    parts = [_compared(">=", value, low), _compared("<=", value, high)]
    return Condition(f"({parts[0].sql} AND {parts[1].sql})", parts[0].values + parts[1].values)


def _like(node: Json) -> Condition:
    given, pattern = arguments(node, 2)
    value = as_kind(scalar(given), "text")
    folds: list[str] = []
    while isinstance(pattern, dict) and str(pattern.get("op", "")).lower() in ("casei", "accenti"):
        folds.append(str(pattern["op"]).lower())
        pattern = arguments(pattern, 1)[0]
    if not isinstance(pattern, str):
        raise UsageError("what like compares with is a pattern in quotes")
    # GLOB heeds case, as CQL2 wants it; LIKE of SQLite does not.
    mark = "?"
    for fold in reversed(folds):
        mark = f"alos2_{fold}({mark})"
    return Condition(f"({value.sql} GLOB {mark})", (*value.values, glob_pattern(pattern)))


def _in(node: Json) -> Condition:
    value, wanted = arguments(node, 2)
    if not isinstance(wanted, list):
        raise UsageError("in of a filter takes a list")
    if not wanted:
        return Condition("0", ())
    term, terms = scalar(value), [scalar(one) for one in wanted]
    kinds = {one.kind for one in terms}
    kind = term.kind if term.kind != "any" else kinds.pop() if len(kinds) == 1 else None
    if kind is None or kind in ("time", "array", "geometry"):
        return _joined(
            "or", {"op": "or", "args": [{"op": "=", "args": [value, one]} for one in wanted]}
        )
    term, terms = as_kind(term, kind), [as_kind(one, kind) for one in terms]
    marks = ", ".join(one.sql for one in terms)
    values = tuple(v for one in terms for v in one.values)
    return Condition(f"({term.sql} IN ({marks}))", (*term.values, *values))


def _is_null(node: Json) -> Condition:
    given = arguments(node, 1)[0]
    if isinstance(given, dict) and given.get("property") == "sar:polarizations":
        return Condition("(i.polarizations = 0)", ())
    term = scalar(given)
    if term.name and not term.sql:
        return _null_in_document(term)
    return Condition(f"({term.sql} IS NULL)", term.values)


def _null_in_document(term: Term) -> Condition:
    found = as_kind(Term("", (), "any", term.name), "any")
    return Condition(f"({found.sql} IS NULL)", found.values)


def _spatial(operator: str, one: Any, other: Any) -> Condition:
    sides: list[Condition] = []
    said: list[Any] = []
    for node in (one, other):
        if isinstance(node, dict) and "property" in node:
            term = property_term(str(node["property"]))
            if term.kind != "geometry":
                raise UsageError(f"{term.name[:60]!r} is no geometry; geometry is one")
            sides.append(Condition(term.sql, ()))
        else:
            geometry = geometry_of(node)
            sides.append(Condition("?", (shapely.to_wkb(geometry),)))
            said.append(geometry)
    test = f"alos2_spatial(?, {sides[0].sql}, {sides[1].sql})"
    values = (operator, *sides[0].values, *sides[1].values)
    if operator == "s_disjoint" or len(said) != 1:
        return Condition(f"({test})", values)
    # All other relations need a common point: boxes tell quickly where there can be none.
    west, south, east, north = said[0].bounds
    return Condition(f"(({_NEAR}) AND {test})", (north, south, east, west, *values))


def _array(operator: str, one: Any, other: Any) -> Condition:
    turned = {"a_contains": "a_containedby", "a_containedby": "a_contains"}
    if isinstance(one, list):
        one, other, operator = other, one, turned.get(operator, operator)
    if not isinstance(one, dict) or "property" not in one or not isinstance(other, list):
        raise UsageError(f"{operator} takes a property and a list in the filter")
    term = property_term(str(one["property"]))
    if term.name == "sar:polarizations":
        return _polarizations(operator, other)
    if term.kind not in ("array", "any") or term.sql:
        raise UsageError(f"{term.name[:60]!r} is no list")
    try:
        literal = json.dumps(other)
    except ValueError as error:
        raise UsageError(f"a list of the filter cannot be compared: {error}") from error
    return Condition(*document_array(term.name, operator, literal))


def _polarizations(operator: str, wanted: list[Any]) -> Condition:
    names = [one for one in wanted if isinstance(one, str)]
    bits, strange = polarization_bits(names), any(one not in POLARIZATIONS for one in wanted)
    column = "i.polarizations"
    if operator == "a_overlaps":
        return Condition(f"(({column} & ?) <> 0)", (bits,))
    if operator == "a_containedby":
        return Condition(f"(({column} & ~?) = 0)", (bits,))
    if strange:
        return Condition("0", ())
    if operator == "a_contains":
        return Condition(f"(({column} & ?) = ?)", (bits, bits))
    return Condition(f"({column} = ?)", (bits,))


def glob_pattern(pattern: str) -> str:
    """Return a pattern of ``like`` (``%``, ``_``, backslash) as SQLite's GLOB has it."""
    out: list[str] = []
    letters = iter(pattern)
    for letter in letters:
        if letter == "%":
            out.append("*")
        elif letter == "_":
            out.append("?")
        else:
            plain = next(letters, "\\") if letter == "\\" else letter
            out.append(f"[{plain}]" if plain in "*?[" else plain)
    return "".join(out)


_SINGLE: Final[dict[str, Callable[[Json], Condition]]] = {
    "not": _not,
    "between": _between,
    "like": _like,
    "in": _in,
    "isnull": _is_null,
}
_FAMILIES: Final[tuple[tuple[Collection[str], Callable[[str, Json], Condition]], ...]] = (
    (("and", "or"), _joined),
    (_TURNED, lambda word, node: _compared(word, *(scalar(one) for one in arguments(node, 2)))),
    (SPATIAL, lambda word, node: _spatial(word, *arguments(node, 2))),
    (TEMPORAL, lambda word, node: Condition(*temporal(word, *arguments(node, 2)))),
    (ARRAY, lambda word, node: _array(word, *arguments(node, 2))),
    (_SINGLE, lambda word, node: _SINGLE[word](node)),
)

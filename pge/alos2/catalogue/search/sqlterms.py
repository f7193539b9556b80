"""Operands of CQL2 as SQL: properties, numbers, words, times, arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from alos2.catalogue.search.properties import COLUMNS, OTHERS, Kind, plain_name
from alos2.catalogue.search.times import day_or_instant, instant, unix_us
from alos2.errors import UsageError
from alos2.types import Json

_DOCUMENT: Final = "(SELECT d.document FROM documents d WHERE d.rid = i.rid)"
_SQL_ARITHMETIC: Final = frozenset("+-*/")
_OWN_ARITHMETIC: Final = frozenset({"%", "div", "^"})
ARITHMETIC: Final = _SQL_ARITHMETIC | _OWN_ARITHMETIC
_LARGEST: Final = 2**63
FIRST_US: Final = -(2**62)
LAST_US: Final = 2**62
"""Open ends of time."""


@dataclass(frozen=True)
class Term:
    """An expression and its values, in the order of its question marks."""

    sql: str
    values: tuple[Any, ...]
    kind: Kind
    name: str = ""
    """Of the property that is read from the item, where it is one."""
    span_us: tuple[int, int] | None = None
    """Of a time that is said: its first and last microsecond."""
    literal: bool = False


def property_term(name: str) -> Term:
    """Return a property."""
    plain = plain_name(name)
    column = COLUMNS.get(plain)
    if column is not None:
        return Term(column.sql, (), column.kind, plain)
    kind = OTHERS.get(plain, ("any", ""))[0]
    return Term("", (), kind if kind in ("array", "time") else "any", plain)


def as_kind(term: Term, kind: Kind) -> Term:
    """Return `term` as one of a kind; what an item has of another kind is null.

    Raises
    ------
    UsageError
        It can never be of that kind.
    """
    if term.name and not term.sql:
        if term.kind not in ("any", kind):
            raise _wrong(term, kind)
        return Term(f"alos2_property({_DOCUMENT}, ?, ?)", (term.name, kind), kind, term.name)
    if term.literal and term.kind == "text" and kind == "time":
        return time_literal(str(term.values[0]))
    if term.kind != kind:
        raise _wrong(term, kind)
    return term


def document_array(name: str, relation: str, literal: str) -> tuple[str, tuple[Any, ...]]:
    """Return the test of an array that is read from the item."""
    return f"alos2_array({_DOCUMENT}, ?, ?, ?)", (name, relation, literal)


def scalar(node: Any) -> Term:
    """Return an operand of a comparison.

    Raises
    ------
    UsageError
        It is none.
    """
    if isinstance(node, (bool, int, float, str)):
        return _literal(node)
    if not isinstance(node, dict):
        raise UsageError(f"{str(node)[:60]!r} cannot be compared")
    if "property" in node:
        return property_term(_word(node["property"]))
    for key in ("timestamp", "date"):
        if key in node:
            return time_literal(_word(node[key]), day=key == "date")
    operator = str(node.get("op", "")).lower()
    if operator in ("casei", "accenti"):
        inner = as_kind(scalar(_only(node)), "text")
        return Term(f"alos2_{operator}({inner.sql})", inner.values, "text")
    if operator in ARITHMETIC:
        return _arithmetic(operator, node)
    raise UsageError(f"{str(node)[:80]} cannot be compared", hint="there is no such function here")


def _literal(value: bool | float | str) -> Term:
    if isinstance(value, bool):
        return Term("?", (int(value),), "bool", literal=True)
    if isinstance(value, str):
        return Term("?", (value,), "text", literal=True)
    number = value if abs(value) < _LARGEST else float(value)
    return Term("?", (number,), "number", literal=True)


def time_literal(text: str, *, day: bool = False) -> Term:
    """Return a time that is said: a moment, or with `day` a day.

    Raises
    ------
    UsageError
        It is none.
    """
    if day:
        start, end = day_or_instant(text)
    else:
        start = end = instant(text)
    if start is None or end is None:
        raise UsageError(f"{text!r} is no time")
    first, last = unix_us(start), unix_us(end)
    return Term("?", (first,), "time", span_us=(first, last), literal=True)


def arguments(node: Json, count: int) -> list[Any]:
    """Return the arguments of a node.

    Raises
    ------
    UsageError
        There are not as many.
    """
    given = node.get("args")
    if not isinstance(given, list) or len(given) != count:
        raise UsageError(f"{node.get('op')} takes {count} arguments in a filter")
    return given


def _arithmetic(operator: str, node: Json) -> Term:
    given = node.get("args")
    if isinstance(given, list) and len(given) == 1 and operator in "+-":
        given = [0, *given]
    left, right = (as_kind(scalar(one), "number") for one in arguments({**node, "args": given}, 2))
    values = (*left.values, *right.values)
    if operator in _OWN_ARITHMETIC:
        sql = f"alos2_arithmetic(?, {left.sql}, {right.sql})"
        return Term(sql, (operator, *values), "number")
    # SQLite divides whole numbers without a remainder, CQL2 does not.
    return Term(f"(({left.sql}) * 1.0 {operator} ({right.sql}))", values, "number")


def _only(node: Json) -> Any:
    return arguments(node, 1)[0]


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{str(value)[:60]!r} in a filter is no text")
    return value


def _wrong(term: Term, kind: Kind) -> UsageError:
    what = term.name or (str(term.values[0]) if term.literal else "an expression")
    return UsageError(f"{what[:60]!r} is {term.kind} and is compared with {kind} in the filter")

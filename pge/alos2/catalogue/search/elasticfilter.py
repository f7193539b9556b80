"""CQL2 as a query of Elasticsearch 7 or OpenSearch 2 over GRQ's documents.

Their query language compares fields with what is said, not with each other, and counts no
arithmetic: such filters are refused, never answered wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from alos2.catalogue.search.grqfields import FIELDS, Field, field_of
from alos2.catalogue.search.times import day_or_instant, instant, utc_text
from alos2.errors import UsageError
from alos2.types import Json

_RANGES: Final = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_SPATIAL: Final = {
    "s_intersects": "intersects",
    "s_disjoint": "disjoint",
    "s_within": "within",
    "s_contains": "contains",
}
_TEMPORAL: Final = frozenset({"t_intersects", "t_disjoint", "t_before", "t_after", "t_during"})
_WILD: Final = re.compile(r"[*?\\]")


def elastic(node: Any) -> Json:
    """Return the query of a CQL2-JSON filter (`cql2.parse`).

    Raises
    ------
    UsageError
        GRQ cannot be asked that.
    """
    if isinstance(node, bool):
        return {"match_all": {}} if node else {"match_none": {}}
    operator = str(node.get("op", "")).lower() if isinstance(node, dict) else ""
    ask = _OPERATORS.get(operator)
    if ask is None:
        raise UsageError(
            f"GRQ cannot be asked for {operator or str(node)[:60]!r}",
            hint="ask the archive's own catalogue",
        )
    return ask(operator, _arguments(node))


def place(geometry: Json, relation: str = "intersects") -> Json:
    """Return the query that outlines stand so to a geometry."""
    return {"geo_shape": {"location": {"shape": geometry, "relation": relation}}}


def box(west: float, south: float, east: float, north: float) -> Json:
    """Return the query that outlines meet a box; west > east crosses the antimeridian."""
    shape = {"type": "envelope", "coordinates": [[west, north], [east, south]]}
    return place(shape)


def within_time(start: Any, end: Any) -> Json | None:
    """Return the query that observations last into a time; None where it has no ends."""
    parts: list[Json] = []
    if start is not None:
        parts.append({"range": {"endtime": {"gte": utc_text(start)}}})
    if end is not None:
        parts.append({"range": {"starttime": {"lte": utc_text(end)}}})
    return {"bool": {"filter": parts}} if parts else None


def _arguments(node: Json) -> list[Any]:
    given = node.get("args")
    if not isinstance(given, list) or not given:
        raise UsageError(f"{node.get('op')} has no arguments")
    return given


def _and(_: str, given: list[Any]) -> Json:
    return {"bool": {"filter": [elastic(one) for one in given]}}


def _or(_: str, given: list[Any]) -> Json:
    return {"bool": {"should": [elastic(one) for one in given], "minimum_should_match": 1}}


def _not(_: str, given: list[Any]) -> Json:
    # Of what is not known neither a condition nor its contrary holds.
    return {"bool": {"must_not": [elastic(given[0])], "filter": _known(given[0])}}


def _known(node: Any) -> list[Json]:
    """Return that each property in a condition is there, but for tests of just that."""
    if not isinstance(node, dict) or str(node.get("op", "")).lower() == "isnull":
        return []
    if "property" in node:
        return [{"exists": {"field": field_of(node["property"]).exists}}]
    return [one for child in node.get("args") or () for one in _known(child)]


def _compare(operator: str, given: list[Any]) -> Json:
    if len(given) != 2:
        raise UsageError(f"{operator} takes two arguments")
    left, right = given
    if not _is_property(left):
        left, right, operator = right, left, _TURNED[operator]
    field, fold = _property(left)
    if isinstance(right, dict) and str(right.get("op", "")).lower() == "casei":
        right = (right.get("args") or [None])[0]
    if field.is_time:
        return _compare_time(field, operator, right)
    value = _value(field, right)
    if operator in _RANGES:
        return {"range": {field.name: {_RANGES[operator]: value}}}
    equal = _term(field, value, fold=fold)
    if operator == "=":
        return equal
    return {"bool": {"must_not": [equal], "filter": [{"exists": {"field": field.exists}}]}}


def _compare_time(field: Field, operator: str, said: Any) -> Json:
    first, last = (utc_text(end) for end in _moment(said))
    bounds = {
        "=": {"gte": first, "lte": last}, "<": {"lt": first}, "<=": {"lte": last},
        ">": {"gt": last}, ">=": {"gte": first}, "<>": {"gte": first, "lte": last},
    }  # fmt: skip
    inside = {"range": {field.name: bounds[operator]}}
    if operator != "<>":
        return inside
    return {"bool": {"must_not": [inside], "filter": [{"exists": {"field": field.exists}}]}}


def _between(_: str, given: list[Any]) -> Json:
    if len(given) == 2 and isinstance(given[1], list):
        given = [given[0], *given[1]]
    if len(given) != 3:
        raise UsageError("between takes three arguments")
    value, low, high = given
    return _and("and", [{"op": ">=", "args": [value, low]}, {"op": "<=", "args": [value, high]}])


def _in(_: str, given: list[Any]) -> Json:
    if len(given) != 2 or not isinstance(given[1], list):
        raise UsageError("in takes a list")
    if not given[1]:
        return {"match_none": {}}
    return _or("or", [{"op": "=", "args": [given[0], value]} for value in given[1]])


def _like(_: str, given: list[Any]) -> Json:
    if len(given) != 2 or not _is_property(given[0]) or not isinstance(given[1], str):
        raise UsageError("like takes a property and a pattern in quotes")
    field, fold = _property(given[0])
    letters, out = iter(given[1]), []
    for letter in letters:
        if letter in "%_":
            out.append("*" if letter == "%" else "?")
        else:
            plain = next(letters, "\\") if letter == "\\" else letter
            out.append(_WILD.sub(r"\\\g<0>", plain))
    return {"wildcard": {field.name: {"value": "".join(out), "case_insensitive": fold}}}


def _is_null(_: str, given: list[Any]) -> Json:
    return {"bool": {"must_not": [{"exists": {"field": _property(given[0])[0].exists}}]}}


def _spatial(operator: str, given: list[Any]) -> Json:
    literals = [one for one in given if not _is_property(one)]
    if len(given) != 2 or len(literals) != 1 or not isinstance(literals[0], dict):
        raise UsageError(f"{operator} takes geometry and a place")
    said = literals[0]
    turned = {"s_within": "s_contains", "s_contains": "s_within"}
    if given[0] is said:
        operator = turned.get(operator, operator)
    if "bbox" in said:
        return box(*said["bbox"][:4])
    return place(said, _SPATIAL[operator])


def _temporal(operator: str, given: list[Any]) -> Json:
    if len(given) != 2 or not _is_property(given[0]):
        raise UsageError(f"GRQ takes {operator} of a property and a time only")
    field = _property(given[0])[0]
    start, end = _span(given[1])
    bounds = {
        "t_intersects": {"gte": start, "lte": end}, "t_disjoint": {"gte": start, "lte": end},
        "t_during": {"gt": start, "lt": end}, "t_before": {"lt": start}, "t_after": {"gt": end},
    }[operator]  # fmt: skip
    inside: Json = {"range": {field.name: {k: v for k, v in bounds.items() if v is not None}}}
    return {"bool": {"must_not": [inside]}} if operator == "t_disjoint" else inside


def _array(operator: str, given: list[Any]) -> Json:
    if len(given) != 2 or not _is_property(given[0]) or not isinstance(given[1], list):
        raise UsageError(f"{operator} takes a property and a list")
    field, _ = _property(given[0])
    if operator == "a_overlaps":
        return {"terms": {field.name: given[1]}}
    return {"bool": {"filter": [{"term": {field.name: value}} for value in given[1]]}}


def _is_property(node: Any) -> bool:
    if not isinstance(node, dict):
        return False
    if str(node.get("op", "")).lower() == "casei":
        return _is_property((node.get("args") or [None])[0])
    return "property" in node


def _property(node: Any) -> tuple[Field, bool]:
    """Return the field of a property, and whether case does not count."""
    if isinstance(node, dict) and "property" in node:
        return field_of(str(node["property"])), False
    if _is_property(node):
        return _property(node["args"][0])[0], True
    raise UsageError(f"{str(node)[:60]!r} is no property", hint=", ".join(FIELDS))


def _term(field: Field, value: Any, *, fold: bool) -> Json:
    if fold and isinstance(value, str):
        return {"term": {field.name: {"value": value, "case_insensitive": True}}}
    return {"term": {field.name: value}}


def _value(field: Field, said: Any) -> Any:
    if isinstance(said, bool) or not isinstance(said, (str, int, float)):
        raise UsageError(f"GRQ cannot compare with {str(said)[:60]!r}")
    return field.stored(said)


def _moment(said: Any) -> tuple[Any, Any]:
    if isinstance(said, dict) and "date" in said:
        return day_or_instant(str(said["date"]))
    text = said.get("timestamp") if isinstance(said, dict) else said
    return (instant(str(text)),) * 2


def _span(said: Any) -> tuple[str | None, str | None]:
    if isinstance(said, dict) and isinstance(said.get("interval"), list):
        start, end = said["interval"]
        return (
            None if start == ".." else utc_text(day_or_instant(str(start))[0]),  # type: ignore[arg-type]
            None if end == ".." else utc_text(day_or_instant(str(end))[1]),  # type: ignore[arg-type]
        )
    first, last = _moment(said)
    return utc_text(first), utc_text(last)


_OPERATORS: Final[dict[str, Callable[[str, list[Any]], Json]]] = {
    "and": _and, "or": _or, "not": _not, "between": _between, "in": _in, "like": _like,
    "isnull": _is_null, "a_contains": _array, "a_overlaps": _array,
    **dict.fromkeys(_TURNED, _compare),
    **dict.fromkeys(_SPATIAL, _spatial),
    **dict.fromkeys(_TEMPORAL, _temporal),
}  # fmt: skip

"""What SQLite has no functions for: properties deep in a document, geometry, letters.

Registered on the connection of a search (`register`); each has the prefix ``alos2_``.
"""

from __future__ import annotations

import json
import math
import sqlite3
import unicodedata
from collections.abc import Callable
from typing import Any, Final

import shapely

from alos2.catalogue.embedded.rows import unix_us, unpack

_PREDICATES: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "s_intersects": shapely.intersects,
    "s_disjoint": shapely.disjoint,
    "s_equals": shapely.equals,
    "s_touches": shapely.touches,
    "s_within": shapely.within,
    "s_overlaps": shapely.overlaps,
    "s_crosses": shapely.crosses,
    "s_contains": shapely.contains,
}
"""DE-9IM relations, the first argument to the second."""
SPATIAL: Final = frozenset(_PREDICATES)
ARRAY: Final = frozenset({"a_contains", "a_containedby", "a_equals", "a_overlaps"})


class Functions:
    """The functions of one thread, with what they remember of the last row and literals."""

    def __init__(self) -> None:
        self._packed: bytes = b""
        self._item: dict[str, Any] = {}
        self._literals: dict[bytes, Any] = {}

    def register(self, connection: sqlite3.Connection) -> None:
        """Make them known; again is no harm."""
        self._literals.clear()
        for name, count, function in (
            ("alos2_property", 3, self._property),
            ("alos2_array", 4, self._array),
            ("alos2_spatial", 3, self._spatial),
            ("alos2_casei", 1, _casei),
            ("alos2_accenti", 1, _accenti),
            ("alos2_arithmetic", 3, _arithmetic),
        ):
            connection.create_function(name, count, function, deterministic=True)

    def _value(self, packed: bytes, name: str) -> Any:
        if packed != self._packed:
            text = unpack(packed)
            # To look for the name is far quicker than to read the whole item.
            if json.dumps(name, ensure_ascii=False).encode() not in text:
                return None
            self._item, self._packed = json.loads(text), packed
        value = self._item.get("properties", {}).get(name)
        return self._item.get(name) if value is None else value

    def _property(self, packed: bytes, name: str, kind: str) -> Any:
        """Return a property if it is of a kind, else NULL."""
        value = self._value(packed, name)
        if value is None or kind == "any":
            return json.dumps(value) if isinstance(value, (list, dict)) else value
        kinds = {bool: "bool", int: "number", float: "number", str: "text"}
        found = kinds.get(type(value))
        if kind == "time" and found == "text":
            return _time_us(value)
        # SQLite has no truth: numbers are, and only where truth is asked for.
        return value if found == kind else None

    def _array(self, packed: bytes, name: str, relation: str, literal: str) -> Any:
        """Return how the elements of a property and of a list stand to each other."""
        value = self._value(packed, name)
        if not isinstance(value, list):
            return None
        has = {json.dumps(one, sort_keys=True) for one in value}
        wanted = {json.dumps(one, sort_keys=True) for one in json.loads(literal)}
        return set_relation(relation, has, wanted)

    def _spatial(self, relation: str, one: bytes, other: bytes) -> Any:
        return bool(_PREDICATES[relation](self._geometry(one), self._geometry(other)))

    def _geometry(self, wkb: bytes) -> Any:
        known = self._literals.get(wkb)
        if known is None:
            known = shapely.from_wkb(wkb)
            if len(self._literals) < 64:
                shapely.prepare(known)
                self._literals[wkb] = known
        return known


def set_relation(relation: str, has: set[str], wanted: set[str]) -> bool:
    """Tell whether the first set stands to the second as an array function of CQL2 says."""
    if relation == "a_contains":
        return has >= wanted
    if relation == "a_containedby":
        return has <= wanted
    return has == wanted if relation == "a_equals" else bool(has & wanted)


def _time_us(text: str) -> int | None:
    try:
        return unix_us(text)
    except ValueError:
        return None


def _casei(text: Any) -> Any:
    return text.casefold() if isinstance(text, str) else text


def _accenti(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    apart = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _arithmetic(operator: str, one: Any, other: Any) -> Any:
    """Return the result, NULL where there is none."""
    if not isinstance(one, (int, float)) or not isinstance(other, (int, float)):
        return None
    try:
        if operator == "%":
            result = math.fmod(one, other)
        elif operator == "div":
            result = float(math.trunc(one / other))
        else:
            result = math.pow(one, other)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    return result if math.isfinite(result) else None

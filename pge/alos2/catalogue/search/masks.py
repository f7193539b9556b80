"""CQL2 filters on the columns in memory: those that the page makes, and simple others.

What these columns cannot tell (`mask` gives None) SQL is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from alos2.catalogue.embedded.rows import polarization_bits
from alos2.catalogue.search.columns import Table
from alos2.catalogue.search.properties import plain_name
from alos2.types import POLARIZATIONS

Mask: TypeAlias = "npt.NDArray[np.bool_]"

_COLUMNS: Final = {
    "alos2:level": "level", "sar:instrument_mode": "mode", "alos2:pass": "pass",
    "alos2:look": "look", "alos2:type": "kind", "alos2:dataset": "dataset",
    "collection": "dataset", "alos2:frame": "frame", "alos2:path": "path",
    "sat:relative_orbit": "path", "view:off_nadir": "off_nadir", "sar:polarizations": "pol",
}  # fmt: skip
_NUMBERS: Final = frozenset({"path", "off_nadir"})


def mask(table: Table, node: Any) -> Mask | None:
    """Return the rows for which a filter is true; None where these columns cannot tell."""
    if isinstance(node, bool):
        return np.full(len(table), node)
    operator = str(node.get("op", "")).lower() if isinstance(node, dict) else ""
    args = node.get("args") if isinstance(node, dict) else None
    test = _TESTS.get(operator)
    return test(table, args) if test is not None and isinstance(args, list) and args else None


def _all(table: Table, args: Sequence[Any]) -> Mask | None:
    parts = [part for node in args if (part := mask(table, node)) is not None]
    return reduce(np.logical_and, parts) if len(parts) == len(args) else None


def _any(table: Table, args: Sequence[Any]) -> Mask | None:
    parts = [part for node in args if (part := mask(table, node)) is not None]
    return reduce(np.logical_or, parts) if len(parts) == len(args) else None


def _in(table: Table, args: Sequence[Any]) -> Mask | None:
    if len(args) != 2 or not isinstance(args[1], list):
        return None
    column, folds = _column(args[0])
    kinds = (int, float) if column in _NUMBERS else (str,)
    if column in (None, "pol") or not all(type(value) in kinds for value in args[1]):
        return None
    if folds:
        wanted = {value.casefold() for value in args[1] if isinstance(value, str)}
        return table.where_value(column, lambda value: str(value).casefold() in wanted)
    return table.where(column, args[1])


def _equals(table: Table, args: Sequence[Any]) -> Mask | None:
    return _in(table, [args[0], [args[1]]]) if len(args) == 2 else None


def _between(table: Table, args: Sequence[Any]) -> Mask | None:
    column, _ = _column(args[0])
    limits = args[1:]
    if column not in _NUMBERS or len(limits) != 2:
        return None
    if not all(type(value) in (int, float) for value in limits):
        return None
    low, high = limits
    return table.where_value(column, lambda value: low <= value <= high)


def _contains(table: Table, args: Sequence[Any]) -> Mask | None:
    if len(args) != 2 or not isinstance(args[1], list) or _column(args[0])[0] != "pol":
        return None
    if not all(value in POLARIZATIONS for value in args[1]):
        return None
    bits = polarization_bits(args[1])
    return table.where_value("pol", lambda has: has & bits == bits)


def _column(node: Any) -> tuple[Any, bool]:
    """Return the column of a property, None where it is none, and whether case does not count."""
    if isinstance(node, dict) and str(node.get("op", "")).lower() == "casei":
        inner = node.get("args")
        return (_column(inner[0])[0], True) if isinstance(inner, list) and inner else (None, False)
    name = node.get("property") if isinstance(node, dict) else None
    return (_COLUMNS.get(plain_name(name)) if isinstance(name, str) else None), False


_TESTS: Final[dict[str, Callable[[Table, Sequence[Any]], Mask | None]]] = {
    "and": _all,
    "or": _any,
    "in": _in,
    "=": _equals,
    "between": _between,
    "a_contains": _contains,
}

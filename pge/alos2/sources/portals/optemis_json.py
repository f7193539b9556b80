"""Making sense of OPTEMIS's JSON, whose layout nobody here has seen.

Keys are looked for under several names (the profile may name others), values may be wrapped in
HTML as DataTables shows them, and what has a shape of its own (an internal id of 24 hexadecimal
digits, ``SA-00656``, a path below ``big-storage``) is known by that shape wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from html import unescape
from typing import Any, Final

from alos2.errors import TransferFailed
from alos2.sources.portals.eor import portal_day

_INTERNAL: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])")
_PUBLIC: Final = re.compile(r"\b[A-Z]{2}-\d{3,}\b")
_STORED: Final = re.compile(r"big-storage/[^\"'<>?&]+")
_TAG: Final = re.compile(r"<[^>]*>")
_LISTS: Final = ("data", "files", "datafiles", "items", "results", "rows")
_DEEPEST: Final = 6


def rows_of(found: Any, where: str, what: str) -> list[Mapping[str, Any]]:
    """Return the rows of a list: the answer itself, or what lies under one of the usual keys.

    Raises
    ------
    TransferFailed
        There is no list of objects.
    """
    wrapped = found
    for _ in range(_DEEPEST):
        if isinstance(wrapped, list) and all(isinstance(row, dict) for row in wrapped):
            return wrapped
        if not isinstance(wrapped, dict):
            break
        inner = next(
            (wrapped[key] for key in _LISTS if isinstance(wrapped.get(key), (list, dict))), None
        )
        if inner is None:
            break
        wrapped = inner
    raise TransferFailed(
        f"{where} answered in a shape that is not known when asked for {what}",
        hint="this portal is experimental here: please report it with the answer's keys",
    )


def texts_of(value: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield (key, text) of all that an answer holds, at any depth; HTML as it is."""
    if isinstance(value, Mapping) and depth < _DEEPEST:
        for key, inner in value.items():
            for below, text in texts_of(inner, depth + 1):
                yield (f"{key}.{below}" if below else str(key)), text
    elif isinstance(value, list) and depth < _DEEPEST:
        for inner in value:
            yield from texts_of(inner, depth + 1)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield "", str(value)


def plain(text: str) -> str:
    """Return what a person reads of a cell: without tags, entities and surplus spaces."""
    return " ".join(unescape(_TAG.sub(" ", text)).split())


def text_of(row: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return the first text under one of `names` (dots lead deeper); empty if there is none."""
    texts: dict[str, str] = {}
    for key, text in texts_of(row):
        texts.setdefault(key.lower(), text)
    for name in names:
        found = plain(texts.get(name.lower(), ""))
        if found:
            return found
    return ""


def internal_id(row: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return the 24 hexadecimal digits that the portal knows a request by; empty if none."""
    named = _INTERNAL.search(text_of(row, names))
    if named:
        return named[0]
    return next((m[0] for _, text in texts_of(row) if (m := _INTERNAL.search(text))), "")


def public_id(row: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return the id that people know a request by, like ``SA-00656``; empty if none."""
    named = text_of(row, names)
    if named:
        return named
    return next((m[0] for _, text in texts_of(row) if (m := _PUBLIC.search(plain(text)))), "")


def day_of(row: Mapping[str, Any], names: Iterable[str]) -> date | None:
    """Return the day under one of `names`, else the first text that is a day; None if none."""
    named = portal_day(text_of(row, names))
    if named is not None:
        return named
    days = (portal_day(plain(text)) for _, text in texts_of(row))
    return next((day for day in days if day is not None), None)


def stored_path(row: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return the path of a file in the portal's storage; empty if none."""
    named = text_of(row, names)
    if named:
        return named
    found = (_STORED.search(unescape(text)) for _, text in texts_of(row))
    return next((m[0].strip() for m in found if m), "")

"""The secrets that this process knows, so that no text which leaves it shows them.

Passwords, tokens and session cookies are told to `hide` as soon as they are known. `without_hidden`
takes them out of a text in every spelling that libraries give them: as they are, percent-encoded
(URLs and forms), escaped (JSON, Python, HTML), in UTF-8 misread as Latin-1.
"""

from __future__ import annotations

import html
import json
import threading
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus

SHORTEST: Final = 4
"""A shorter value is not hidden: that would hide half of all text."""

MASK: Final = "***"

_lock = threading.Lock()
_values: set[str] = set()
_spellings: tuple[str, ...] = ()
"""Longest first, so that no rest of a longer one stays behind a shorter one."""


def hide(*values: str) -> None:
    """Keep `values` out of every text from now on; those of fewer than 4 characters are left."""
    global _spellings  # noqa: PLW0603  (one set for the process is the point)
    with _lock:
        new = {value for value in values if len(value) >= SHORTEST} - _values
        if not new:
            return
        _values.update(new)
        known = {spelling for value in _values for spelling in _spelled(value)}
        # One tuple is replaced by another: readers need no lock.
        _spellings = tuple(sorted(known, key=lambda text: (-len(text), text)))


def forget() -> None:
    """Hide nothing any more: for tests, whose secrets are not each other's."""
    global _spellings  # noqa: PLW0603
    with _lock:
        _values.clear()
        _spellings = ()


def without_hidden(text: str) -> str:
    """Return `text` with ``***`` in the place of every known secret."""
    for spelling in _spellings:
        if spelling in text:
            text = text.replace(spelling, MASK)
    return text


def spellings(value: str) -> tuple[str, ...]:
    """Return `value` in every way in which libraries spell it, the longest first."""
    return tuple(sorted(set(_spelled(value)), key=lambda text: (-len(text), text)))


def _spelled(value: str) -> Iterator[str]:
    yield value
    for coded in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield coded
        yield coded.replace("%", "%25")
        # Percent-encodings may be written with small letters.
        yield "%".join(
            (coded.split("%")[0], *(p[:2].lower() + p[2:] for p in coded.split("%")[1:]))
        )
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield json.dumps(json.dumps(value)[1:-1])[1:-1]
    yield repr(value)[1:-1]
    yield repr(value.encode("utf-8", "surrogatepass"))[2:-1]
    yield html.escape(value)
    yield html.escape(value, quote=False)
    yield value.encode("utf-8", "surrogatepass").decode("latin-1")

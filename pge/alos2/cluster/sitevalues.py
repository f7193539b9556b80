"""Checks of a site file's values: each returns the value it allows, or says what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

Check = Callable[[Any], Any]
"""Raises ValueError with a sentence about the value."""

_WORD: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@:+/=,-]*")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_CLOCK: Final = re.compile(r"(?:(\d+)-)?(\d+):(\d{1,2})(?::(\d{1,2}))?")
_AMOUNT: Final = re.compile(r"(\d+)\s*([a-zA-Z]*)")
_SECONDS: Final = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_MEGABYTES: Final = {"mb": 1, "m": 1, "gb": 1024, "g": 1024, "tb": 1024**2, "t": 1024**2}


def text(value: Any) -> str:
    """Return one line of text that is not empty."""
    if not isinstance(value, str) or not value.strip() or _CONTROL.search(value):
        raise ValueError(f"must be one line of text, not {value!r}")
    return value


def word(value: Any) -> str:
    """Return a plain word, as queues, projects and accounts are named."""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise ValueError(
            f"must be a plain word (letters, digits and ._@:+/=,- after the first), not {value!r}"
        )
    return value


def count(value: Any) -> int:
    """Return a whole number above zero."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise ValueError(f"must be a whole number from 1 to 1000000, not {value!r}")
    return value


def lines(value: Any) -> tuple[str, ...]:
    """Return a list of one-line texts."""
    if not isinstance(value, list):
        raise ValueError(f"must be a list of texts in [ ], not {value!r}")  # noqa: TRY004
    return tuple(text(item) for item in value)


def table(value: Any) -> dict[str, str]:
    """Return a table of texts, as environment variables are."""
    if not isinstance(value, dict):
        raise ValueError(f'must be a table NAME = "text", not {value!r}')  # noqa: TRY004
    for name, item in value.items():
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError(f"{name!r} is no variable's name")
        if not isinstance(item, str) or "\0" in item:
            raise ValueError(f"{name} must be text in quotes, not {item!r}")
    return dict(value)


def duration_s(value: Any) -> int:
    """Return seconds for ``"120:00:00"``, ``"5-00:00:00"``, ``"90m"`` or a number of seconds.

    ``"1:30"`` is refused: one scheduler reads hours and minutes there, another minutes and
    seconds.
    """
    seconds = 0
    if isinstance(value, int) and not isinstance(value, bool):
        seconds = value
    elif isinstance(value, str):
        clock = _CLOCK.fullmatch(value.strip())
        amount = _AMOUNT.fullmatch(value.strip())
        if clock and clock[4]:
            days, hours, minutes, rest = (int(part or 0) for part in clock.groups())
            seconds = ((days * 24 + hours) * 60 + minutes) * 60 + rest
        elif amount and amount[2].lower() in _SECONDS:
            seconds = int(amount[1]) * _SECONDS[amount[2].lower()]
    if not 1 <= seconds <= 366 * 86400:
        raise ValueError(
            f'must be a time up to a year such as "24:00:00", "5-00:00:00", "90m" or "36h", '
            f"not {value!r}"
        )
    return seconds


def memory_mb(value: Any) -> int:
    """Return MB for ``"8GB"``, ``"800 MB"`` or a number of MB."""
    megabytes = 0
    if isinstance(value, int) and not isinstance(value, bool):
        megabytes = value
    elif isinstance(value, str):
        amount = _AMOUNT.fullmatch(value.strip())
        if amount and amount[2].lower() in _MEGABYTES:
            megabytes = int(amount[1]) * _MEGABYTES[amount[2].lower()]
    if not 1 <= megabytes <= 64 * 1024**2:
        raise ValueError(f'must be an amount of memory such as "800MB" or "8GB", not {value!r}')
    return megabytes

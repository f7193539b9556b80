"""Times as searches give them: RFC 3339 instants and intervals with open ends.

OGC API - Features part 1, section 7.15.3, parameter ``datetime``; STAC API, Item Search.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Final, NamedTuple

from alos2.errors import UsageError

_INSTANT: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?"
    r"(?:[Zz]|([+-])(\d{2}):(\d{2}))",
    re.ASCII,
)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_OPEN: Final = ("", "..")
_HINT: Final = "RFC 3339, e.g. 2018-09-05T00:00:00Z or 2018-09-01T00:00:00Z/.."
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
DAY_US: Final = 86_400_000_000


class Span(NamedTuple):
    """A time with both ends included; None is open."""

    start: datetime | None
    end: datetime | None


def instant(text: str) -> datetime:
    """Return a time of RFC 3339 in UTC; digits beyond microseconds are cut.

    Raises
    ------
    UsageError
        It is none.
    """
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise UsageError(f"{text[:60]!r} is no time", hint=_HINT)
    year, month, day, hour, minute, second = (int(found[n]) for n in range(1, 7))
    # A leap second is the first moment of the next minute.
    leap = second == 60
    fraction_us = int(f"{found[7] or '':0<6}"[:6])
    offset = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0))
    try:
        moment = datetime(
            year, month, day, hour, minute, 59 if leap else second, fraction_us, timezone.utc
        )
        return moment + timedelta(seconds=leap) - (offset if found[8] != "-" else -offset)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text[:60]!r} is no time: {error}", hint=_HINT) from error


def interval(text: str, *, dates: bool = False) -> Span:
    """Return an instant or ``start/end``; either end may be ``..`` or empty, but not both.

    Parameters
    ----------
    text : str
    dates : bool, optional
        Whether bare dates are taken too: the whole day.

    Raises
    ------
    UsageError
        It is none, or ends before it begins.
    """
    parts = text.split("/")
    if len(parts) == 1:
        return day_or_instant(text, dates=dates)
    if len(parts) != 2 or (parts[0] in _OPEN and parts[1] in _OPEN):
        raise UsageError(f"{text[:80]!r} is no interval of time", hint=_HINT)
    start = None if parts[0] in _OPEN else day_or_instant(parts[0], dates=dates).start
    end = None if parts[1] in _OPEN else day_or_instant(parts[1], dates=dates).end
    if start is not None and end is not None and end < start:
        raise UsageError(f"{text[:80]!r} ends before it begins", hint="the earlier time first")
    return Span(start, end)


def day_or_instant(text: str, *, dates: bool = True) -> Span:
    """Return an instant, or the first and last microsecond of a day.

    Raises
    ------
    UsageError
        It is neither.
    """
    if dates and _DATE.fullmatch(text):
        start = instant(f"{text}T00:00:00Z")
        return Span(start, start + timedelta(days=1, microseconds=-1))
    moment = instant(text)
    return Span(moment, moment)


def unix_us(moment: datetime) -> int:
    """Return microseconds of Unix time."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def from_unix_us(time_us: int) -> datetime:
    """Return the time of microseconds of Unix time."""
    return _EPOCH + timedelta(microseconds=time_us)


def utc_text(moment: datetime) -> str:
    """Return a time as documents write it: UTC, microseconds, ``Z``."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

"""Where and when a search looks, as people and job parameters write it."""

from __future__ import annotations

import contextlib
import re
from datetime import date
from typing import Final, TypeAlias

from alos2.errors import UsageError

Box: TypeAlias = tuple[float, float, float, float]
"""West, south, east, north, degrees; west > east across the antimeridian."""

FIRST_DAY: Final = date(2014, 5, 24)
"""ALOS-2 was launched."""

_BOX_HINT: Final = "give west, south, east, north in degrees: --bbox 138.2 34.9 139.1 35.6"
_DATE_HINT: Final = "give a day as 2018-09-05, or two with a slash between: 2018-09-01/2018-09-30"


def parse_bbox(text: str) -> Box:
    """Read four numbers with commas or spaces between.

    Longitudes may be counted to 360; a box whose west is east of its east crosses the
    antimeridian.

    Parameters
    ----------
    text : str
        E.g. ``138.2,34.9,139.1,35.6``.

    Returns
    -------
    tuple of float
        West, south, east, north in degrees; longitudes from -180 to 180.

    Raises
    ------
    UsageError
        They are not four, not numbers, or not on this earth.
    """
    parts = re.split(r"[,\s]+", text.strip().strip("[]").strip())
    try:
        west, south, east, north = (float(part) for part in parts)
    except ValueError:
        raise UsageError(f"the box {text!r} is not four numbers", hint=_BOX_HINT) from None
    if not -90 <= south < north <= 90:
        raise UsageError(
            f"the box {text!r} has latitudes {south:g} to {north:g}: south must lie below north, "
            "both between -90 and 90",
            hint=_BOX_HINT,
        )
    if not (-180 <= west <= 360 and -180 <= east <= 360):
        raise UsageError(f"the box {text!r} has longitudes beyond -180 and 360", hint=_BOX_HINT)
    if abs(east - west) >= 360:
        return (-180.0, south, 180.0, north)
    west, east = (lon if lon <= 180 else lon - 360 for lon in (west, east))
    if west == east:
        raise UsageError(f"the box {text!r} has no width", hint=_BOX_HINT)
    # A box that ends at the antimeridian does not cross it.
    if east == -180:
        east = 180.0
    return (-180.0 if west == 180 else west, south, east, north)


def parse_day(text: str) -> date:
    """Read a day; a time behind it is left out.

    Raises
    ------
    UsageError
        It is not one.
    """
    word = text.strip()
    found = re.fullmatch(
        r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ][0-9:.]*(?:Z|[+-][0-9:]+)?)?", word, re.A
    )
    with contextlib.suppress(ValueError):
        if found is not None:
            return date(int(found[1]), int(found[2]), int(found[3]))
    raise UsageError(f"{text!r} is not a day", hint=_DATE_HINT)


def parse_days(text: str) -> tuple[date | None, date | None]:
    """Read one day, or two with a slash between, one of which may be left out (or ``..``).

    Raises
    ------
    UsageError
        It is neither, or the second lies before the first.
    """
    first, slash, last = text.partition("/")
    if not slash:
        day = parse_day(first)
        return day, day
    start, end = (None if word.strip() in ("", "..") else parse_day(word) for word in (first, last))
    if start is None and end is None:
        raise UsageError(f"{text!r} names no day", hint=_DATE_HINT)
    check_days(start, end)
    return start, end


def check_days(start: date | None, end: date | None) -> None:
    """Refuse a span that cannot hold an observation.

    Raises
    ------
    UsageError
        It ends before it begins, or before ALOS-2 was launched.
    """
    if start is not None and end is not None and end < start:
        raise UsageError(f"{end} lies before {start}", hint=_DATE_HINT)
    if end is not None and end < FIRST_DAY:
        raise UsageError(
            f"{end} lies before ALOS-2 was launched ({FIRST_DAY})", hint="ask for later days"
        )

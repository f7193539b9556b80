"""What both portals of Sentinel Asia have: emergency observation requests, days, files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from alos2.errors import UsageError
from alos2.sources.portals.model import Item, Query
from alos2.sources.portals.querytext import FIRST_DAY

_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
"""strptime's month names are those of the process's locale, the portals' are always English."""

_DAY_NAMED: Final = re.compile(
    r"(\d{1,2})[/\s.-]+([a-z]{3})[a-z]*\.?[/\s.,-]+(\d{4})(?!\d)", re.I | re.A
)
_DAY_ISO: Final = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?!\d)", re.A)
_DATA_OF_ALOS: Final = re.compile(r"ALOS(?:\s*-?\s*2)?\s*\(\s*Data\s*\)", re.I)
_FIRST_ALOS: Final = re.compile(
    r"\b(?:AL(?:PSR|AV2|PSM)[A-Z0-9]|AVNIR(?:-?2)?\b|PRISM\b|ALOS-?1\b)", re.I
)
"""What only the first ALOS had: two cameras, and file names that begin with ALPSRP and the like."""


def portal_day(text: str) -> date | None:
    """Read a day as a portal writes it: ``16/Aug/2019``, or ISO 8601 with anything behind it.

    Returns
    -------
    date or None
        None for what is no day.
    """
    text = text.strip()
    named, iso = _DAY_NAMED.match(text), _DAY_ISO.match(text)
    try:
        if named:
            return date(int(named[3]), _MONTHS[named[2].lower()], int(named[1]))
        if iso:
            return date(int(iso[1]), int(iso[2]), int(iso[3]))
    except (KeyError, ValueError):
        return None
    return None


def in_window(day: date, query: Query) -> bool:
    """Tell whether `day` lies in the query's window, whose first and last day belong to it."""
    after = query.start is None or day >= query.start
    return after and (query.end is None or day <= query.end)


def check_query(query: Query, portal: str) -> None:
    """Refuse a query that these portals cannot answer.

    Raises
    ------
    UsageError
        Not exactly one of file ids, request and first day is given (ids may name the request that
        they belong to); or it asks for a place or a mode, which the portals do not know.
    """
    hint = "give exactly one of: the id of a file, the id of a request (EOR), the first day"
    if query.bbox is not None or query.mode is not None:
        raise UsageError(f"{portal} cannot be searched by place or mode", hint=hint)
    if query.start is not None and (query.ids or query.eor_id):
        raise UsageError("a first day and an id exclude each other", hint=hint)
    if query.start is None and not query.ids and not query.eor_id:
        raise UsageError(f"nothing says what to look for at {portal}", hint=hint)
    if query.end is not None and query.start is None:
        raise UsageError("a last day needs a first day", hint=hint)
    if query.start is not None and query.end is not None and query.end < query.start:
        raise UsageError(f"the last day {query.end} lies before the first, {query.start}")


def not_alos2(kind: str, *texts: str, day: date | None) -> str:
    """Return why a file is no ALOS-2 data; empty if it may be.

    Parameters
    ----------
    kind : str
        What the portal says it is, e.g. ``ALOS(Data)``; a map or a shape file is something else.
    *texts : str
        Title and file name.
    day : date or None
        Day of the observation request.
    """
    if not _DATA_OF_ALOS.search(kind):
        return f"not ALOS-2 data but {kind.strip()!r}" if kind.strip() else "of no stated type"
    if day is not None and day < FIRST_DAY:
        return f"of the first ALOS: requested on {day}, before ALOS-2 was launched"
    if any(_FIRST_ALOS.search(text) for text in texts):
        return "of the first ALOS, by its name"
    return ""


def not_archive(name: str) -> str:
    """Return why a file cannot be ingested by its name; empty if it can, or has no name."""
    if not name or name.lower().endswith(".zip"):
        return ""
    return f"{name} is not a zip"


def each_once(items: Iterable[Item], limit: int | None) -> Iterator[Item]:
    """Yield each id once, until `limit` files that can be ingested have come (None: all)."""
    seen: set[str] = set()
    left = limit
    for item in items:
        if item.id in seen:
            continue
        seen.add(item.id)
        if left is not None and not item.skip:
            left -= 1
        yield item
        if left == 0:
            return

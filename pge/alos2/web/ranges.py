"""Parts of a file over HTTP: RFC 9110, sections 13 and 14."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final, NamedTuple

from starlette.datastructures import Headers

from alos2.web.answers import HttpError

_RANGE: Final = re.compile(r"bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})", re.ASCII)


class Span(NamedTuple):
    """Bytes of a file: the first, and how many there are."""

    first: int
    size: int


def wanted_span(headers: Headers, size: int, etag: str, mtime_ns: int) -> Span | None:
    """Return the part of a file that is asked for; None for all of it.

    Several ranges at once, another unit, and what cannot be read are answered with the whole
    file, as the specification allows.

    Raises
    ------
    HttpError
        416: no byte of it lies in the file.
    """
    asked = headers.get("range")
    if asked is None or not _still_holds(headers.get("if-range"), etag, mtime_ns):
        return None
    found = _RANGE.fullmatch(asked.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        count = min(int(found[2]), size)
        first = size - count
    else:
        first = int(found[1])
        if found[2] and int(found[2]) < first:
            return None
        count = (min(int(found[2]), size - 1) if found[2] else size - 1) - first + 1
    if count <= 0 or first >= size:
        raise HttpError(
            416,
            "RangeNotSatisfiable",
            f"the file has {size} bytes",
            {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"},
        )
    return Span(first, count)


def http_date(mtime_ns: int) -> str:
    """Return a time as HTTP writes it."""
    return format_datetime(_whole_second(mtime_ns), usegmt=True)


def is_unmodified(headers: Headers, etag: str, mtime_ns: int) -> bool:
    """Whether the client has the file as it is: ``If-None-Match``, else ``If-Modified-Since``."""
    given = headers.get("if-none-match")
    if given is not None:
        tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
        return "*" in tags or etag in tags
    since = headers.get("if-modified-since")
    return since is not None and _is_not_newer(mtime_ns, since)


def _still_holds(if_range: str | None, etag: str, mtime_ns: int) -> bool:
    """Whether a part may be sent: the file is the one that the client has a part of."""
    if if_range is None or if_range.strip() == etag:
        return True
    # Only a strong tag counts, and a date only if it is exactly the file's.
    return not if_range.strip().startswith(('"', "W/")) and if_range.strip() == http_date(mtime_ns)


def _is_not_newer(mtime_ns: int, date: str) -> bool:
    try:
        return _whole_second(mtime_ns) <= parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return False


def _whole_second(mtime_ns: int) -> datetime:
    return datetime.fromtimestamp(mtime_ns // 1_000_000_000, timezone.utc)

"""What an HTTP answer says of the object behind it: its size, its state, where a part belongs.

Source: RFC 9110, sections 8.6 (Content-Length), 8.8 (validators), 13.1.5 (If-Range), 14.4
(Content-Range), 15.5.17 (416).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from alos2.sources.remote import Validator
from alos2.sources.session import http_date

_STRONG: Final = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')
_RANGE: Final = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.I)
_UNSATISFIED: Final = re.compile(r"bytes\s+\*/(\d{1,18})", re.I)
_SETTLED: Final = timedelta(seconds=60)
"""A file that changed less than this ago may change again within the same second."""


@dataclass(frozen=True)
class ContentRange:
    """``Content-Range`` of a 206."""

    first: int
    last: int
    total: int | None


def content_range(headers: Mapping[str, str]) -> ContentRange | None:
    """Return what ``Content-Range`` says; None if it says nothing that makes sense."""
    found = _RANGE.fullmatch(headers.get("Content-Range", "").strip())
    if found is None:
        return None
    first, last = int(found[1]), int(found[2])
    total = None if found[3] == "*" else int(found[3])
    if last < first or (total is not None and last >= total):
        return None
    return ContentRange(first, last, total)


def unsatisfied_total(headers: Mapping[str, str]) -> int | None:
    """Return the object's size that a 416 tells; None if it tells none."""
    found = _UNSATISFIED.fullmatch(headers.get("Content-Range", "").strip())
    return int(found[1]) if found else None


def is_encoded(headers: Mapping[str, str]) -> bool:
    """Tell whether the body is compressed, although we asked for it as it is."""
    return headers.get("Content-Encoding", "").strip().lower() not in ("", "identity")


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return the length of the body in transit; None where it is not told."""
    length = headers.get("Content-Length", "").strip()
    if "Transfer-Encoding" in headers or not (length.isascii() and length.isdigit()):
        return None
    return int(length[:18])


def validator_of(headers: Mapping[str, str]) -> Validator | None:
    """Return what tells the object's states apart for certain; None where nothing does.

    A strong ETag does. A weak one does not, and must not be sent in If-Range. Last-Modified counts
    seconds, so it does only if the object had been left alone for a while when it was sent: RFC
    9110 (8.8.2.2) asks for one second, and its predecessor for 60, which clocks that do not quite
    agree make the better choice.
    """
    if is_encoded(headers):
        return None
    etag = headers.get("ETag", "").strip()
    if _STRONG.fullmatch(etag):
        return Validator("etag", etag)
    text = headers.get("Last-Modified", "").strip()
    modified, now = http_date(text), http_date(headers.get("Date", ""))
    if modified is None or now is None or now - modified < _SETTLED:
        return None
    return Validator("last-modified", text)

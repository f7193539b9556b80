"""WebDAV's Multi-Status answers (RFC 4918, section 13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from lxml import etree

from alos2.errors import PublishFailed

PROPFIND_BODY: Final = (
    b'<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/>'
    b"<getcontentlength/><getetag/><getlastmodified/></prop></propfind>"
)
_DAV: Final = "{DAV:}"


@dataclass(frozen=True)
class Listed:
    """A file or folder as the server tells of it."""

    is_folder: bool
    size: int
    etag: str
    """As the server writes it; empty where it has none."""
    modified: datetime | None
    """UTC."""


def parse_multistatus(data: bytes, host: str) -> dict[str, Listed]:
    """Return what an answer tells, by the paths on the server, unquoted and without a last slash.

    Raises
    ------
    PublishFailed
        It is no Multi-Status.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise PublishFailed(
            f"{host} does not answer as a WebDAV server: {error.msg}",
            hint="check that the URL is one of its WebDAV folders",
        ) from error
    found: dict[str, Listed] = {}
    for response in root.iter(f"{_DAV}response"):
        href = response.findtext(f"{_DAV}href")
        if href is None:
            continue
        path = unquote(urlsplit(href.strip()).path)
        found[path.rstrip("/")] = _listed(response)
    return found


def _listed(response: Any) -> Listed:
    texts: dict[str, str] = {}
    is_folder = False
    for status in response.iter(f"{_DAV}propstat"):
        if " 200" not in (status.findtext(f"{_DAV}status") or " 200"):
            continue
        for prop in status.iterfind(f"{_DAV}prop/*"):
            if prop.tag == f"{_DAV}resourcetype":
                is_folder = prop.find(f"{_DAV}collection") is not None
            elif isinstance(prop.tag, str):
                texts[prop.tag.removeprefix(_DAV)] = (prop.text or "").strip()
    size = texts.get("getcontentlength", "")
    return Listed(
        is_folder,
        int(size) if size.isascii() and size.isdigit() else -1,
        texts.get("getetag", ""),
        date_of(texts.get("getlastmodified", "")),
    )


def date_of(text: str) -> datetime | None:
    """Return a date of HTTP as UTC; None where it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)

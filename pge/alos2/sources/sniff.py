"""Is it a zip? From its first bytes, before anything is stored, and from its end, before it counts.

Source: PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.14-16 (end of central directory
and its zip64 companions).
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import BinaryIO, Final

from alos2.errors import BadArchive

SNIFF_BYTES: Final = 1 << 16
"""As much of a body is looked at to see what it is; a web page's title lies within."""

_LOCAL_HEADER: Final = b"PK\x03\x04"
_END: Final = b"PK\x05\x06"
_END_BYTES: Final = 22
_LOCATOR: Final = b"PK\x06\x07"
_LOCATOR_BYTES: Final = 20
_END_64: Final = b"PK\x06\x06"
_MAX_COMMENT: Final = 0xFFFF
_MAX_TITLE: Final = 120
_MARKUP: Final = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)", re.I | re.S
)


def looks_like_html(head: bytes, content_type: str = "") -> bool:
    """Tell whether a body that begins with `head` is a web page."""
    if head.startswith(b"PK"):
        return False
    kind = content_type.partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml") or _MARKUP.match(head) is not None


def page_title(head: bytes) -> tuple[str, bool]:
    """Return a web page's title (or first heading), and whether it asks for a password."""
    from bs4 import BeautifulSoup  # noqa: PLC0415  costs 0.1 s, and a zip has no title

    page = BeautifulSoup(head, "lxml")
    heading = page.title or page.find(["h1", "h2"])
    text = " ".join(heading.get_text(" ").split()) if heading is not None else ""
    text = "".join(c for c in text if c.isprintable())
    asks = page.find("input", attrs={"type": re.compile("^password$", re.I)}) is not None
    return text[:_MAX_TITLE], asks


def require_zip_head(head: bytes, *, content_type: str = "", where: str) -> None:
    """Refuse a body that does not begin as a zip does.

    Parameters
    ----------
    head : bytes
        The body's beginning, at best `SNIFF_BYTES` of it.
    content_type : str
        As the server has it.
    where : str
        Who sent it, for the message; without secrets.

    Raises
    ------
    BadArchive
        It is a web page (its title is told), an empty zip, or something else.
    """
    if head.startswith(_LOCAL_HEADER):
        return
    if not head:
        raise BadArchive(f"{where} sent an empty file")
    if head.startswith(_END):
        raise BadArchive(f"{where} sent a zip with nothing in it")
    if looks_like_html(head, content_type):
        title, asks_password = page_title(head)
        named = f", titled {title!r}" if title else " without a title"
        hint = "open the URL in a browser: its link may have expired, or it wants a login"
        if asks_password:
            hint = "it is a login page: this URL cannot be read without logging in there first"
        raise BadArchive(f"{where} sent a web page instead of a zip{named}", hint=hint)
    shown = head[:8].hex(" ")
    raise BadArchive(
        f"{where} sent something that is not a zip: it begins with {shown}",
        hint="give the URL of a zip that holds ALOS-2 products",
    )


def _zip64_end(file: BinaryIO, end_at: int) -> tuple[int, int, int] | None:
    """Return (size of the directory, its offset, where its end record lies), or None."""
    if end_at < _LOCATOR_BYTES:
        return None
    file.seek(end_at - _LOCATOR_BYTES)
    locator = file.read(_LOCATOR_BYTES)
    if locator[:4] != _LOCATOR:
        return None
    (record_at,) = struct.unpack_from("<Q", locator, 8)
    if record_at + 56 > end_at:
        return None
    file.seek(record_at)
    record = file.read(56)
    if record[:4] != _END_64:
        return None
    size, offset = struct.unpack_from("<QQ", record, 40)
    return size, offset, record_at


def missing_zip_end(path: Path) -> str:
    """Return what is wrong with the end of the zip `path`; empty if it is as it should be.

    The end record must close the file, and the central directory must lie right before it: a cut
    file, or one with another's bytes behind it, fails here without its members being read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        tail_at = max(0, size - _END_BYTES - _MAX_COMMENT)
        file.seek(tail_at)
        tail = file.read()
        at = tail.rfind(_END)
        while at >= 0:
            if at + _END_BYTES <= len(tail):
                (comment,) = struct.unpack_from("<H", tail, at + 20)
                if at + _END_BYTES + comment == len(tail):
                    break
            at = tail.rfind(_END, 0, at)
        if at < 0:
            what = "other bytes follow it" if tail.rfind(_END) >= 0 else "it is missing"
            return f"its end record is not at the end of its {size} bytes: {what}"
        directory_bytes, directory_at = struct.unpack_from("<II", tail, at + 12)
        end_at = tail_at + at
        found = _zip64_end(file, end_at)
        if found is not None:
            directory_bytes, directory_at, end_at = found
        if directory_at + directory_bytes != end_at or directory_bytes == 0:
            return f"its central directory does not lie where its end record says ({directory_at})"
        file.seek(directory_at)
        if file.read(4) != b"PK\x01\x02":
            return f"there is no central directory at offset {directory_at}"
    return ""

"""The name under which a download is stored: from the server, but only what is safe of it.

RFC 6266 (Content-Disposition) says to take the last path segment only and to distrust it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from email.message import Message
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

_MAX_BYTES: Final = 200
_RESERVED: Final = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")


def safe_name(name: str) -> str:
    """Return the base name of `name` without anything that a file system could stumble over.

    Folders, control characters, leading dots, characters and device names that Windows reserves
    are taken out; empty if nothing is left.
    """
    base = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    base = "".join(c for c in base if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    base = re.sub(r'[<>:"|?*]', "_", base).strip().lstrip(".").rstrip(". ")
    if _RESERVED.fullmatch(base):
        base = f"_{base}"
    if len(base.encode()) > _MAX_BYTES:
        suffix = PurePosixPath(base).suffix[:16]
        kept = base.encode()[: _MAX_BYTES - len(suffix.encode())].decode(errors="ignore")
        base = kept + suffix
    return base


def header_name(content_disposition: str | None) -> str:
    """Return the file name of a Content-Disposition header, unsafe; empty if it has none."""
    if not content_disposition:
        return ""
    message = Message()
    message["Content-Disposition"] = re.sub(r"[\r\n]", " ", content_disposition)
    return message.get_filename("")


def last_part(url: str) -> str:
    """Return the last part of the URL's path, unquoted and unsafe."""
    return re.split(r"[/\\]", unquote(urlsplit(url).path))[-1]


def stored_name(suggested: Iterable[str], url: str, suffix: str) -> str:
    """Return the name under which a download is stored.

    Parameters
    ----------
    suggested : iterable of str
        Names, unsafe, best first; empty ones are passed over.
    url : str
        Its last part is the next best.
    suffix : str
        Appended where it is missing, as ``.zip``: what is stored has been seen to be one.
    """
    for candidate in (*suggested, last_part(url)):
        name = safe_name(candidate)
        if name:
            return name if name.lower().endswith(suffix) else f"{name}{suffix}"
    return f"download{suffix}"


def download_name(url: str, content_disposition: str | None) -> str:
    """Return the file name for a zip from `url`.

    Content-Disposition's name, else the last part of the URL's path, else ``download.zip``.
    """
    return stored_name((header_name(content_disposition),), url, ".zip")

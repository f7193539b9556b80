"""The name under which a download is stored: from the server, but only what is safe of it.

RFC 6266 (Content-Disposition) says to take the last path segment only and to distrust it.
"""

from __future__ import annotations

import re
import unicodedata
from email.message import Message
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

DEFAULT_NAME: Final = "download.zip"
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


def _from_header(content_disposition: str | None) -> str:
    if not content_disposition:
        return ""
    message = Message()
    message["Content-Disposition"] = re.sub(r"[\r\n]", " ", content_disposition)
    return message.get_filename("")


def download_name(url: str, content_disposition: str | None) -> str:
    """Return the file name for a zip from `url`.

    Content-Disposition's name, else the last part of the URL's path, else ``download.zip``.
    ``.zip`` is appended where it is missing: what is stored has been seen to be a zip.
    """
    for candidate in (_from_header(content_disposition), unquote(urlsplit(url).path)):
        name = safe_name(candidate)
        if name:
            return name if name.lower().endswith(".zip") else f"{name}.zip"
    return DEFAULT_NAME

"""Take the secrets out of free text: log lines, tracebacks, messages of libraries."""

from __future__ import annotations

import re
from typing import Final

from alos2.dataset.hidden import without_hidden
from alos2.dataset.provenance import public_url

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>\\^`{|}]+")
_RELATIVE_URL: Final = re.compile(r"(?<=\burl: )/[^\s\"'<>)]+")
"""As urllib3 writes it: ``Max retries exceeded with url: /path?token=...``."""
_QUOTED_QUERY: Final = re.compile(r"(?<=[\"' ])/[^\s\"'<>]*\?[^\s\"'<>]+")
"""As http.client and access logs write it: ``"GET /path?token=... HTTP/1.1"``."""
_TRAILING: Final = ".,;:!?)]"
_BASE: Final = "x://x"


def scrub(text: str) -> str:
    """Return `text` in which every URL has become its public part (see `public_url`).

    The secrets that this process knows (see `alos2.dataset.hidden`) become ``***``. Text that
    holds neither stays exactly as it was.
    """
    # First the secrets: a password may hold what looks like the end of a URL.
    text = without_hidden(text)
    text = _URL.sub(_public, text)
    text = _RELATIVE_URL.sub(_public_path, text)
    return _QUOTED_QUERY.sub(_public_path, text)


def _public(found: re.Match[str]) -> str:
    url = found[0].rstrip(_TRAILING)
    return public_url(url) + found[0][len(url) :]


def _public_path(found: re.Match[str]) -> str:
    return public_url(_BASE + found[0]).removeprefix(_BASE)

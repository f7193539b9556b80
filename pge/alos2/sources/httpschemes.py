"""The schemes of http and WebDAV; apart, since to know them needs no client library."""

from __future__ import annotations

from typing import Final

SCHEMES: Final = {
    "http": "http",
    "https": "https",
    "webdav": "http",
    "dav": "http",
    "webdavs": "https",
    "davs": "https",
}
"""Schemes that are spoken here, and what each is on the wire."""

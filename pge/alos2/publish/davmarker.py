"""The marker of a place on a WebDAV server; see `alos2.publish.marker`."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime, timezone
from typing import Final

from alos2.publish.davclient import DavClient
from alos2.publish.davxml import date_of
from alos2.publish.marker import Found

_WRITTEN: Final = frozenset({200, 201, 204})
_NOT_SO: Final = 412
"""Precondition Failed (RFC 9110, 15.5.13)."""


class DavMarker:
    """A small file that is written under conditions, as far as the server looks at them.

    Parameters
    ----------
    client : DavClient
        Of the folder that it lies in.
    name : str
        Its name there.
    """

    def __init__(self, client: DavClient, name: str) -> None:
        self._client = client
        self._name = name

    def read(self) -> Found | None:
        """Return it; its age by the server's own clock."""
        answer = self._client.request("GET", self._name, good=frozenset({200, 404}))
        if answer.status_code == 404:
            return None
        written = date_of(answer.headers.get("Last-Modified", ""))
        now = date_of(answer.headers.get("Date", "")) or datetime.now(timezone.utc)
        age = 0.0 if written is None else (now - written).total_seconds()
        return Found(answer.content, answer.headers.get("ETag", ""), max(0.0, age))

    def create(self, data: bytes) -> bool:
        """Write it if it is not there."""
        # Some servers do not know the condition; then two may write, and one reads the other's.
        if self.read() is not None:
            return False
        return self._put(data, {"If-None-Match": "*"})

    def replace(self, data: bytes, tag: str) -> bool:
        """Write it if nobody else did meanwhile."""
        is_strong = tag and not tag.startswith("W/")
        return self._put(data, {"If-Match": tag} if is_strong else {})

    def _put(self, data: bytes, headers: dict[str, str]) -> bool:
        answer = self._client.request(
            "PUT",
            self._name,
            body=lambda: nullcontext(data),
            headers={**headers, "Content-Type": "application/json"},
            good=_WRITTEN | {_NOT_SO},
        )
        return answer.status_code != _NOT_SO

    def delete(self) -> None:
        """Remove it, if it is there."""
        self._client.delete(self._name)

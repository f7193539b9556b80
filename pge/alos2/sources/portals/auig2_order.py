"""An order of AUIG2 as a remote object: what a web page in its place means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import chain
from typing import Final

from alos2.dataset.hidden import without_hidden
from alos2.errors import LoginFailed, NothingFound, TransferFailed
from alos2.sources.http import HttpRemote
from alos2.sources.portals.weblogin import NotAccepted
from alos2.sources.remote import Reply, Validator
from alos2.sources.sniff import SNIFF_BYTES, looks_like_html, page_title

_AWAY: Final = re.compile(r"maintenance|unavailable|メンテナンス|停止", re.I)
"""In the title of a page that says nothing about the order."""


class Order:
    """An order's zip, once a session is there.

    Parameters
    ----------
    order : str
        Its id.
    inner : HttpRemote
        Its download.
    where : str
        The portal's host, for messages.
    """

    def __init__(self, order: str, inner: HttpRemote, where: str) -> None:
        self.url: Final = inner.url
        self.where: Final = inner.where
        self._order = order
        self._inner = inner
        self._portal = where

    @contextmanager
    def open(self, offset: int, validator: Validator | None) -> Iterator[Reply]:
        """Begin to read at `offset`; a page instead of the zip is taken for what it means."""
        with ExitStack() as stack:
            try:
                reply = stack.enter_context(self._inner.open(offset, validator))
            except LoginFailed:  # 401 or 403, of which the second may also mean an old session
                raise NotAccepted(f"order {self._order}", "", asks_password=True) from None
            yield self._no_page(reply)

    def _no_page(self, reply: Reply) -> Reply:
        if reply.offset:
            return reply
        first = next(reply.body, b"")
        if not looks_like_html(first, reply.content_type):
            return replace(reply, body=chain((first,) if first else (), reply.body))
        page = bytearray(first)
        while len(page) < SNIFF_BYTES and (piece := next(reply.body, b"")):
            page += piece
        title, asks_password = page_title(bytes(page[:SNIFF_BYTES]))
        title = without_hidden(title)
        if asks_password:
            raise NotAccepted(f"order {self._order}", title, asks_password=True)
        titled = f" titled {title!r}" if title else ""
        if _AWAY.search(title):
            raise TransferFailed(
                f"{self._portal} sent a page{titled} instead of order {self._order}",
                hint="run the same command again later",
            )
        raise NothingFound(
            f"{self._portal} has nothing to download under order {self._order}: it sent a page"
            f"{titled}",
            hint="the order may have expired, be another account's, or not be ready: see AUIG2's "
            "mail and its order list",
        )

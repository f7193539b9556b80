"""A session behind a login form: made when first needed, renewed once when it has expired.

Portals of this kind answer with 200 and a web page whatever went wrong. So a page where something
else was asked for means that the session is not (any more) accepted, and is answered by one new
login; but only where that session has worked before. A login that was refused is remembered: no
call, and no other thread, sends the password again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, TypeVar
from urllib.parse import urlsplit

import requests

from alos2.dataset.hidden import without_hidden
from alos2.errors import Alos2Error, LoginFailed, TransferFailed
from alos2.sources.remote import Remote, Reply, Validator
from alos2.sources.sniff import SNIFF_BYTES, looks_like_html, page_title

log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


class NotAccepted(Exception):  # noqa: N818  (not an error for users: `WebLogin.use` catches it)
    """A page came where something else was asked for.

    Parameters
    ----------
    what
        What was asked for, for messages.
    title
        The page's title.
    asks_password
        Whether it is a login page for certain.
    refusal
        401 or 403 instead of a page.
    """

    def __init__(
        self, what: str, title: str, *, asks_password: bool, refusal: LoginFailed | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.refusal = refusal
        self.title = title
        self.asks_password = asks_password

    def as_error(self, where: str) -> Alos2Error:
        """Return what it means when it comes from a session that has just been made."""
        if self.refusal is not None:
            return self.refusal
        titled = f" titled {without_hidden(self.title)!r}" if self.title else ""
        if self.asks_password:
            return LoginFailed(
                f"{where} sent its login page instead of {self.what}, right after a login",
                hint="log in there with a browser: the account may not be allowed to see it",
            )
        return TransferFailed(
            f"{where} sent a web page{titled} instead of {self.what}",
            hint="check the id; the portal may be under maintenance",
        )


@dataclass
class _Ticket:
    session: requests.Session
    worked: bool = False


class WebLogin:
    """One account's session, shared by threads.

    Parameters
    ----------
    where : str
        The portal's host, for messages.
    sign_in : callable
        Returns a new session that is logged in; raises `LoginFailed` when it is refused.
    """

    def __init__(self, where: str, sign_in: Callable[[], requests.Session]) -> None:
        self.where: Final = where
        self._sign_in = sign_in
        self._lock = threading.Lock()
        self._ticket: _Ticket | None = None
        self._old: list[requests.Session] = []
        self._refused: LoginFailed | None = None

    def use(self, call: Callable[[requests.Session], _Result]) -> _Result:
        """Run `call` with a session; once more with a new one if that is not accepted.

        Parameters
        ----------
        call : callable
            Raises `NotAccepted` when a page comes where something else was asked for.

        Raises
        ------
        LoginFailed
            The account is refused, or a new session is not accepted either.
        TransferFailed
            A page that is no login page came from a new session, too.
        """
        ticket = self._current(None)
        try:
            result = call(ticket.session)
        except NotAccepted as first:
            if not ticket.worked:
                raise first.as_error(self.where) from None
            log.info("%s does not accept the session any more; logging in again", self.where)
            ticket = self._current(ticket)
            try:
                result = call(ticket.session)
            except NotAccepted as second:
                raise second.as_error(self.where) from None
        ticket.worked = True
        return result

    def log_in(self) -> None:
        """Log in unless that is done.

        Raises
        ------
        LoginFailed
            The account is refused, now or before.
        """
        self._current(None)

    def _current(self, expired: _Ticket | None) -> _Ticket:
        """Return the session, a new one where it is `expired` or there is none."""
        with self._lock:
            if self._refused is not None:
                raise type(self._refused)(self._refused.message, hint=self._refused.hint)
            if self._ticket is None or self._ticket is expired:
                if self._ticket is not None:
                    self._old.append(self._ticket.session)  # a transfer may still use it
                try:
                    self._ticket = _Ticket(self._sign_in())
                except LoginFailed as error:
                    self._refused = error
                    raise
            return self._ticket

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            for session in self._old:
                session.close()
            self._old.clear()
            if self._ticket is not None:
                self._ticket.session.close()
                self._ticket = None


class LoggedIn:
    """A `Remote` behind a login.

    Parameters
    ----------
    login : WebLogin
        Gives the session.
    url : str
        Its URL without secrets.
    connect : callable
        Makes the remote of a session.
    what : str
        What it is, for messages.
    """

    def __init__(
        self,
        login: WebLogin,
        url: str,
        connect: Callable[[requests.Session], Remote],
        what: str,
    ) -> None:
        self.url: Final = url
        self.where: Final = urlsplit(url).netloc
        self._login = login
        self._connect = connect
        self._what = what

    @contextmanager
    def open(self, offset: int, validator: Validator | None) -> Iterator[Reply]:
        """Begin to read at `offset`; see `Remote.open`."""
        with ExitStack() as stack:

            def opened(session: requests.Session) -> Reply:
                with ExitStack() as inner:
                    reply = inner.enter_context(self._begun(session, offset, validator))
                    checked = self._no_page(reply)
                    stack.push(inner.pop_all())
                    return checked

            yield self._login.use(opened)

    @contextmanager
    def _begun(
        self, session: requests.Session, offset: int, validator: Validator | None
    ) -> Iterator[Reply]:
        """Give the body; 401 and 403 may mean that the session has ended."""
        with ExitStack() as stack:
            try:
                remote = self._connect(session)
                reply = stack.enter_context(remote.open(offset, validator))
            except LoginFailed as error:
                raise NotAccepted(self._what, "", asks_password=True, refusal=error) from None
            yield reply

    def _no_page(self, reply: Reply) -> Reply:
        """Return `reply` unless it is a web page, as servers send in place of an object."""
        if reply.offset:
            return reply
        first = next(reply.body, b"")
        if not looks_like_html(first, reply.content_type):
            return replace(reply, body=chain((first,) if first else (), reply.body))
        page = bytearray(first)
        while len(page) < SNIFF_BYTES and (piece := next(reply.body, b"")):
            page += piece
        title, asks_password = page_title(bytes(page[:SNIFF_BYTES]))
        raise NotAccepted(self._what, title, asks_password=asks_password)

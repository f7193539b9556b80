"""Short questions to a portal: pages and JSON, retried when a fault may pass.

No message has a URL in it: queries and forms hold secrets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
from requests.exceptions import (
    InvalidSchema,
    InvalidURL,
    MissingSchema,
    RequestException,
    SSLError,
    TooManyRedirects,
)

from alos2.causes import cause_of
from alos2.errors import LoginFailed, NothingFound, TransferFailed, UsageError
from alos2.sources.model import Cancelled, TransferOptions
from alos2.sources.remote import Passing
from alos2.sources.session import RETRY_STATUS, asked_wait_s
from alos2.sources.sniff import looks_like_html, page_title
from alos2.sources.transfer.waits import Budget, pause

_MOST_BYTES: Final = 64 << 20
_CHUNK: Final = 1 << 16


@dataclass(frozen=True)
class Answer:
    """What a portal said."""

    where: str
    """Host, for messages."""
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def content_type(self) -> str:
        """As the portal has it."""
        return self.headers.get("Content-Type", "")

    @property
    def text(self) -> str:
        """The body as text: in the charset that is told, else UTF-8."""
        message = Message()
        message["Content-Type"] = self.content_type.replace("\n", " ").replace("\r", " ")
        charset = message.get_content_charset("utf-8")
        try:
            return self.body.decode(charset, errors="replace")
        except LookupError:
            return self.body.decode(errors="replace")

    @property
    def is_page(self) -> bool:
        """Whether it is a web page."""
        return looks_like_html(self.body, self.content_type)

    @property
    def title(self) -> str:
        """A page's title or first heading; empty if it has none."""
        return page_title(self.body)[0]

    @property
    def asks_password(self) -> bool:
        """Whether it is a page with a field for a password."""
        return self.is_page and page_title(self.body)[1]

    def require_ok(self, what: str) -> Answer:
        """Return itself if its status is 200.

        Parameters
        ----------
        what : str
            What was asked for, for messages.

        Raises
        ------
        LoginFailed
            401 or 403.
        NothingFound
            404 or 410.
        TransferFailed
            Any other.
        """
        if self.status == requests.codes.ok:
            return self
        said = f"{self.where} answered {self.status} when asked for {what}"
        if self.status in (401, 403):
            raise LoginFailed(said, hint="the account may not be allowed to see it")
        if self.status in (404, 410):
            raise NothingFound(said, hint="check the id")
        raise TransferFailed(said, hint="it may have no such id, or be under maintenance")

    def json(self, what: str) -> Any:
        """Return the body as JSON.

        Raises
        ------
        TransferFailed
            It is none.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            titled = f" but a page titled {self.title!r}" if self.is_page else ""
            raise TransferFailed(
                f"{self.where} answered with no JSON{titled} when asked for {what}",
                hint="it may be under maintenance: try again later",
            ) from None


def stay_at(where: str) -> Callable[..., None]:
    """Return a hook for a session's responses that refuses redirects away from `where`.

    A form that is sent again to where a 307 leads takes the password there.

    Parameters
    ----------
    where : str
        Host, with its port where there is one.
    """

    def stay(response: requests.Response, **_: Any) -> None:
        target = response.headers.get("Location")
        if not response.is_redirect or target is None:
            return
        there = urlsplit(urljoin(response.url, target))
        if there.netloc != where:
            response.close()
            raise TransferFailed(
                f"{where} redirects to another site ({there.hostname}), which is not followed: "
                "the login belongs to this one",
                hint="the portal may have moved: its address is configuration",
            )

    return stay


def ask(
    session: requests.Session,
    method: str,
    url: str,
    *,
    where: str,
    options: TransferOptions,
    cancel: Cancelled | None = None,
    once: bool = False,
    **given: Any,
) -> Answer:
    """Ask a portal something short.

    Parameters
    ----------
    session : requests.Session
        Follows redirects as it does.
    method : str
        ``GET``, ``HEAD``, ``POST``.
    url : str
        Never shown.
    where : str
        Who is asked, for messages.
    options : TransferOptions
        Timeouts and retries.
    cancel : callable, optional
        Ends a wait between two tries.
    once : bool
        No second try whatever happens: for passwords, and for what may not be done twice.
    **given
        ``params``, ``data``, ``headers`` of the request.

    Returns
    -------
    Answer
        Whatever its status is, but for those that are retried.

    Raises
    ------
    TransferFailed
        No answer, after all tries.
    UsageError
        `url` is none: the portal's address is configured wrongly.
    Interrupted
        `cancel` said so.
    """
    budget = Budget(options, where)
    while True:
        try:
            return _ask_once(session, (method, url), where, options, given)
        except Passing as fault:
            if once:
                raise TransferFailed(f"{where}: {fault}") from None
            wait_s = budget.spend(fault)
        pause(wait_s, cancel)


def _ask_once(
    session: requests.Session,
    target: tuple[str, str],
    where: str,
    options: TransferOptions,
    given: Mapping[str, Any],
) -> Answer:
    method, url = target
    timeouts = (options.connect_s, options.stall_s)
    given = {"allow_redirects": True, **given}
    try:
        with session.request(method, url, stream=True, timeout=timeouts, **given) as response:
            if response.status_code in RETRY_STATUS:
                after_s = asked_wait_s(response.headers)
                raise Passing(f"it answered {response.status_code}", after_s)
            body = _body(response, where)
            return Answer(where, response.status_code, response.headers, body)
    except (InvalidURL, InvalidSchema, MissingSchema, UnicodeError):
        raise UsageError(
            f"the address of {where} is no URL, or it redirects to something that is none",
            hint="check the portal's address in alos2.toml",
        ) from None
    except TooManyRedirects:
        raise TransferFailed(f"{where} redirects in a circle") from None
    except SSLError as error:
        raise TransferFailed(
            f"no safe connection to {where}: {cause_of(error)}",
            hint="name the site's own CA file in REQUESTS_CA_BUNDLE; TLS is never switched off",
        ) from None
    except RequestException as error:
        raise Passing(f"no answer ({cause_of(error)})") from None


def _body(response: requests.Response, where: str) -> bytes:
    pieces: list[bytes] = []
    size = 0
    for piece in response.iter_content(_CHUNK):
        size += len(piece)
        if size > _MOST_BYTES:
            raise TransferFailed(f"{where} sent a page of more than {_MOST_BYTES >> 20} MB")
        pieces.append(piece)
    return b"".join(pieces)

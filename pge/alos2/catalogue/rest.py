"""JSON over HTTP with a service of a HySDS cluster: Elasticsearch, OpenSearch, Mozart.

What differs from a download (`alos2.sources.session`): many short requests, bodies that must not be
sent twice without thought, servers behind their own certificates, and error documents that say
what is wrong. No redirect is followed: a POST would become a GET on the way.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

import requests

from alos2 import __version__
from alos2.catalogue.address import Address
from alos2.catalogue.faults import was_unsent
from alos2.catalogue.trust import Trust
from alos2.causes import cause_of
from alos2.errors import LoginFailed, PublishFailed, UsageError
from alos2.types import Json, Logins, no_login

BUSY: Final = frozenset({429, 502, 503, 504})
"""Answers that may be better next time."""

_LOGIN_ERRORS: Final = frozenset({"", "security_exception"})
_LARGEST_ANSWER: Final = 64 << 20
_MOST_TOLD: Final = 600
"""Letters of what a server says that go into a message."""

Params: TypeAlias = "Mapping[str, str]"


@dataclass(frozen=True)
class RestOptions:
    """How to speak to a service."""

    trust: Trust = field(default_factory=Trust)
    logins: Logins = no_login
    connect_s: float = 10.0
    silence_s: float = 30.0
    """How long a server may be silent, seconds."""
    answer_s: float = 120.0
    """How long its whole answer may take, seconds."""
    retries: int = 3
    """How often a request that may be repeated is made again after a passing fault."""
    backoff_s: float = 0.5
    """Wait before the first of them, seconds; doubled for each further one."""


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    content: Any
    """Of its JSON; the text itself where it is none."""

    @property
    def kind(self) -> str:
        """Elasticsearch's name of an error, e.g. ``index_not_found_exception``; else empty."""
        error = self.content.get("error") if isinstance(self.content, dict) else None
        found = error.get("type") if isinstance(error, dict) else None
        return found if isinstance(found, str) else ""

    @property
    def reason(self) -> str:
        """What it says is wrong, on one line."""
        said = " ".join("; ".join(dict.fromkeys(_reasons(self.content))).split())
        return said[:_MOST_TOLD] or f"it gives no reason (HTTP {self.status})"


@dataclass(frozen=True)
class Silence:
    """There was no answer; the request may or may not have been carried out."""

    reason: str
    unsent: bool
    """There was not even a connection: it has not been carried out."""


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    body: Json | None
    form: Mapping[str, str] | None
    params: Params | None


class Rest:
    """A service at one address, or at several that are one another's equals.

    Parameters
    ----------
    service : str
        What to call it in messages, e.g. ``GRQ``.
    urls : str or sequence of str
        Its addresses; after a failed connection the next one is tried. Userinfo in them is used
        as the login where `options` know none, and shown nowhere.
    options : RestOptions

    Raises
    ------
    UsageError
        An address is no http or https URL, or asks for the impossible: a certificate or a
        password over an open connection.
    """

    def __init__(
        self, service: str, urls: str | Sequence[str], options: RestOptions | None = None
    ) -> None:
        self.service = service
        self._options = options or RestOptions()
        given = [urls] if isinstance(urls, str) else list(urls)
        if not given:
            raise UsageError(f"no address of {service} is given")
        self._places = [
            Address(service, url, self._options.trust, self._options.logins) for url in given
        ]
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"alos2-ingest/{__version__}"
        self._session.mount("https://", self._options.trust.adapter())

    def __enter__(self) -> Rest:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()

    @property
    def url(self) -> str:
        """The address in use, without secrets."""
        return self._places[0].url

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        params: Params | None = None,
        accept: Collection[int] = (),
    ) -> Answer:
        """Make a request that does no harm when it is made twice.

        Parameters
        ----------
        method, path : str
            The path below the address, already quoted.
        body : dict, optional
            Sent as JSON.
        params : mapping, optional
            Of the query.
        accept : collection of int
            Status codes besides 2xx that are an answer and no error.

        Raises
        ------
        PublishFailed
            No answer, or an error; with the server's reason.
        LoginFailed
            The server wants another login.
        """
        for attempt in range(self._options.retries + 1):
            if attempt:
                time.sleep(self._options.backoff_s * 2 ** (attempt - 1))
            answer = self.once(method, path, body=body, params=params)
            if isinstance(answer, Answer) and answer.status not in BUSY:
                return self.checked(answer, f"{method} {path}", accept=accept)
        if isinstance(answer, Silence):
            raise self.unreachable(answer)
        return self.checked(answer, f"{method} {path}", accept=accept)

    def once(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        form: Mapping[str, str] | None = None,
        params: Params | None = None,
    ) -> Answer | Silence:
        """Make a request, and tell what came of it without judging it.

        Another address is tried where there is no connection, but never after something was sent.
        """
        request = _Request(method, path, body, form, params)
        last = Silence("there is no address", unsent=True)
        for _ in range(len(self._places)):
            answer = self._send(self._places[0], request)
            if isinstance(answer, Answer) or not answer.unsent:
                return answer
            last = answer
            self._places.append(self._places.pop(0))
        return last

    def checked(self, answer: Answer, what: str, *, accept: Collection[int] = ()) -> Answer:
        """Return `answer` if it is a good one.

        Raises
        ------
        PublishFailed, LoginFailed
            It is an error.
        """
        if 200 <= answer.status < 300 or answer.status in accept:
            return answer
        host = urlsplit(self.url).netloc
        # An index that was closed to writing says 403 as well, and no login opens it.
        if answer.status == 401 or (answer.status == 403 and answer.kind in _LOGIN_ERRORS):
            raise LoginFailed(
                f"{self.service} at {host} refuses us (HTTP {answer.status}): {answer.reason}",
                hint=f"give a login for {host} that may do this",
            )
        raise PublishFailed(
            f"{self.service} at {host} refuses {what} (HTTP {answer.status}): {answer.reason}"
        )

    def unreachable(self, silence: Silence) -> PublishFailed:
        """Return the error that says that there was no answer."""
        return PublishFailed(
            f"{self.service} at {urlsplit(self.url).netloc} does not answer: {silence.reason}",
            hint="check its address and certificate, then run the same command again",
        )

    def _send(self, place: Address, request: _Request) -> Answer | Silence:
        headers = {"Accept": "application/json"}
        data: bytes | Mapping[str, str] | None = request.form
        if request.body is not None:
            data = compact(request.body)
            headers["Content-Type"] = "application/json"
        try:
            with self._session.request(
                request.method,
                f"{place.url}{request.path}",
                data=data,
                params=request.params,
                headers=headers,
                auth=place.auth,
                timeout=(self._options.connect_s, self._options.silence_s),
                # Given each time: the environment's REQUESTS_CA_BUNDLE wins over a session's.
                verify=self._options.trust.verify,
                allow_redirects=False,
                stream=True,
            ) as response:
                return _answer(response, time.monotonic() + self._options.answer_s)
        except requests.RequestException as error:
            return Silence(cause_of(error), unsent=was_unsent(error))
        except TimeoutError as error:
            return Silence(str(error), unsent=False)


def compact(body: Json) -> bytes:
    """Return JSON as it is sent: without spaces, UTF-8.

    Raises
    ------
    PublishFailed
        It holds a number that JSON has no word for (NaN, infinity).
    """
    try:
        text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise PublishFailed(f"the document cannot be JSON: {error}") from error
    return text.encode("utf-8", "backslashreplace")


def _answer(response: requests.Response, deadline: float) -> Answer:
    """Read the whole answer, but neither without end nor for ever.

    Raises
    ------
    TimeoutError
        It takes too long, or there is no end to it.
    """
    body = bytearray()
    for block in response.iter_content(1 << 16):
        body += block
        if len(body) > _LARGEST_ANSWER:
            raise TimeoutError("there is no end to its answer")
        if time.monotonic() > deadline:
            raise TimeoutError("its answer takes too long")
    text = bytes(body).decode("utf-8", "replace")
    try:
        return Answer(response.status_code, json.loads(text))
    except (ValueError, RecursionError):
        return Answer(response.status_code, text)


def _reasons(content: Any) -> Iterator[str]:
    """Yield what an error document says: Elasticsearch's causes, Mozart's message, or its text."""
    if not isinstance(content, dict):
        # A proxy's page is of no help beyond its first words.
        yield str(content)[:200]
        return
    error: Any = content.get("error", content.get("message", ""))
    for _ in range(8):
        if not isinstance(error, dict):
            break
        yield f"{error.get('type', 'error')}: {error.get('reason', '')}"
        error = error.get("caused_by")
    else:
        return
    if isinstance(error, str):
        yield error

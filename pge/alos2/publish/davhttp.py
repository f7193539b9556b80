"""HTTP to one WebDAV server: logins, connections of several threads, passing faults."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from alos2 import __version__
from alos2.errors import PublishFailed
from alos2.publish.davauth import authentication, unauthenticated
from alos2.publish.davfaults import connection_failed, status_failed
from alos2.publish.model import PublishOptions

_TIMEOUT_S: Final = (20.0, 120.0)
"""To connect; without a byte."""
_PASSING: Final = frozenset({429, 502, 503, 504})
_LONGEST_WAIT_S: Final = 60.0
_UNSAFE_TO_REPEAT: Final = frozenset({"MOVE"})

Body = Callable[[], "AbstractContextManager[Any]"]
"""Opens the body of a request; anew for each try."""


class DavHttp:
    """Talk to the server of `url`; usable from several threads.

    Parameters
    ----------
    url : str
        ``http`` or ``https``, the folder that all paths start from, without a slash at its end.
    options : PublishOptions
        Logins and retries.
    """

    def __init__(self, url: str, options: PublishOptions) -> None:
        parts = urlsplit(url)
        self.path = unquote(parts.path)
        self.host = parts.netloc
        self._server = f"{parts.scheme}://{parts.netloc}"
        self.url = f"{self._server}{quote(self.path, safe='/')}"
        self._is_open = parts.scheme == "http"
        self._options = options
        self._auth: AuthBase | None = None
        self._auth_lock = threading.Lock()
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    def close(self) -> None:
        """Close all connections."""
        for session in self._sessions:
            session.close()

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.headers["User-Agent"] = f"alos2-ingest/{__version__}"
            session.headers["Accept-Encoding"] = "identity"
            session.mount(f"{urlsplit(self.url).scheme}://", HTTPAdapter(max_retries=0))
            self._local.session = session
            self._sessions.append(session)
        return session

    def address(self, name: str) -> str:
        """Return the URL of a path below the folder (empty: the folder), or of the server's."""
        if name.startswith("/"):
            return f"{self._server}{quote(name, safe='/')}"
        return f"{self.url}/{quote(name, safe='/')}" if name else self.url

    def request(
        self,
        method: str,
        name: str,
        *,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        good: frozenset[int],
        stream: bool = False,
    ) -> requests.Response:
        """Make a request until it is answered; passing faults are tried again.

        Parameters
        ----------
        method, name : str
            What, and to which path below the folder.
        body : callable, optional
            Opens what is sent.
        headers : mapping, optional
            Further headers.
        good : frozenset of int
            Status codes that the caller understands; every other is an error.
        stream : bool, optional
            The answer's body is read by the caller.

        Raises
        ------
        PublishFailed, NoResource
            The server says no, or cannot be reached.
        """
        tries = 1 if method in _UNSAFE_TO_REPEAT else self._options.retries + 1
        for attempt in range(1, tries + 1):
            try:
                answer = self._once(method, name, body, headers or {}, stream=stream)
            except requests.RequestException as error:
                failed = connection_failed(error, self.host)
                if attempt == tries or not failed.is_passing:
                    raise failed.error from error
            else:
                if answer.status_code in good:
                    return answer
                passing = answer.status_code in _PASSING
                answer.close()
                if attempt == tries or not passing:
                    raise status_failed(answer, method, name or self.path, self.host)
            wait_s = self._options.backoff_s * 2 ** (attempt - 1)
            time.sleep(min(_LONGEST_WAIT_S, wait_s) * random.uniform(0.5, 1.0))  # noqa: S311
        raise PublishFailed(f"{self.host} does not answer")  # not reached: a loop's last try raises

    def _once(
        self, method: str, name: str, body: Body | None, headers: Mapping[str, str], *, stream: bool
    ) -> requests.Response:
        url, session = self.address(name), self._session()
        self._warm_up(session)
        for is_last in (False, True):
            used = self._auth
            with nullcontext() if body is None else body() as data:
                answer = session.request(
                    method,
                    url,
                    data=data,
                    headers=dict(headers),
                    auth=used or unauthenticated,
                    allow_redirects=False,
                    timeout=_TIMEOUT_S,
                    stream=stream,
                )
            if answer.status_code != 401 or used is not None or is_last:
                break
            with self._auth_lock:
                if self._auth is None:
                    self._auth = authentication(
                        answer, self._options.logins, self.host, is_open=self._is_open
                    )
            answer.close()
        return answer

    def _warm_up(self, session: requests.Session) -> None:
        """Let a thread learn a Digest challenge from a small request, not from a large body."""
        if self._auth is None or getattr(self._local, "is_warm", False):
            return
        self._local.is_warm = True
        headers = {"Depth": "0"}
        session.request(
            "PROPFIND",
            self.url,
            headers=headers,
            auth=self._auth,
            allow_redirects=False,
            timeout=_TIMEOUT_S,
        ).close()

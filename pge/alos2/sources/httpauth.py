"""Who we are to which server: Basic and Digest, each origin its own, never to another.

An origin is scheme, host and port (RFC 9110, 4.3.1). Over https a password goes with the first
request, as most servers expect; over plain http only after the server has asked, and as a digest
where it offers that. A password that was refused is not sent again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final, TypeAlias
from urllib.parse import unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth
from requests.hooks import default_hooks

from alos2.sources.credentials.model import Credential
from alos2.sources.credentials.refused import login_attempt
from alos2.sources.credentials.secret import Secret

log = logging.getLogger(__name__)

_PORTS: Final = {"http": 80, "https": 443}

Origin: TypeAlias = tuple[str, str, int]


FindLogin: TypeAlias = Callable[[Origin], "Credential | None"]


def origin_of(url: str) -> Origin:
    """Return the origin of an http(s) URL.

    Raises
    ------
    ValueError
        It is none.
    """
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not parts.hostname:
        raise ValueError("not an http or https URL")
    return scheme, parts.hostname.lower(), parts.port or _PORTS[scheme]


def host_of(origin: Origin) -> str:
    """Return the origin's host, with its port where that is not the scheme's own."""
    scheme, host, port = origin
    return host if port == _PORTS[scheme] else f"{host}:{port}"


def login_of(url: str) -> Credential | None:
    """Return what the URL's userinfo says."""
    parts = urlsplit(url)
    if parts.username is None:
        return None
    password = Secret(unquote(parts.password or ""))
    return Credential(unquote(parts.username), password, origin="the URL")


class NoAuth(AuthBase):
    """Sends nothing, and keeps requests from looking into netrc by itself."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Leave `request` as it is."""
        return request


class OriginAuth(AuthBase):
    """Answers each origin with its own login.

    Parameters
    ----------
    find : callable
        Gives an origin's account, or None; asked once for each.
    """

    def __init__(self, find: FindLogin) -> None:
        self._find = find
        self._lock = threading.Lock()
        self._logins: dict[Origin, Credential | None] = {}
        self._digests: dict[Origin, HTTPDigestAuth] = {}
        self._accepted: set[Origin] = set()

    def login(self, url: str) -> Credential | None:
        """Return the account for the origin of `url`; None where there is none."""
        return self._login(origin_of(url))

    def _login(self, origin: Origin) -> Credential | None:
        with self._lock:
            if origin not in self._logins:
                found = self._find(origin)
                self._logins[origin] = found if found and found.password is not None else None
            return self._logins[origin]

    def untried(self, request: requests.PreparedRequest) -> Credential | None:
        """Return the account whose password `request` carries to who has not accepted it yet."""
        if "Authorization" not in request.headers:
            return None
        origin = origin_of(request.url or "")
        return None if origin in self._accepted else self._login(origin)

    def accepted(self, request: requests.PreparedRequest) -> None:
        """Remember that the origin of `request` has accepted its account."""
        self._accepted.add(origin_of(request.url or ""))

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Give `request` what belongs to its origin, and answer a 401 to it."""
        request.register_hook("response", self._answer)  # type: ignore[no-untyped-call]
        return self.readdress(request)

    def readdress(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Give `request`, perhaps one that follows a redirect, what belongs to its origin."""
        request.headers.pop("Authorization", None)
        origin = origin_of(request.url or "")
        login = self._login(origin)
        if login is None:
            return request
        if origin[0] == "https" and origin not in self._digests:
            _basic(login)(request)
        return request

    def _answer(self, response: requests.Response, **how: Any) -> requests.Response:
        """Answer a 401, where there is an answer for the origin that it came from."""
        if response.status_code != requests.codes.unauthorized:
            return response
        origin = origin_of(response.request.url or "")
        login = self._login(origin)
        if login is None:
            return response
        asked = response.headers.get("WWW-Authenticate", "").lower()
        sent = response.request.headers.get("Authorization", "")
        if "digest" in asked:
            return self._digest(origin, login, response, how)
        if "basic" in asked and not sent:
            if origin[0] == "http":
                log.warning("%s: the password goes over an open connection", origin[1])
            return _again(response, login, how)
        return response

    def _digest(
        self, origin: Origin, login: Credential, response: requests.Response, how: dict[str, Any]
    ) -> requests.Response:
        with self._lock:
            digest = self._digests.setdefault(
                origin, HTTPDigestAuth(login.username, _password_of(login))
            )
        _set_up(digest, response)
        answered: requests.Response
        answered = digest.handle_401(response, **how)  # type: ignore[no-untyped-call]
        stale = "stale=true" in answered.headers.get("WWW-Authenticate", "").lower()
        if answered.status_code == requests.codes.unauthorized and stale:
            _set_up(digest, answered)
            answered = digest.handle_401(answered, **how)  # type: ignore[no-untyped-call]
        return answered


class AccountAdapter(HTTPAdapter):
    """Sends requests; a password that was refused, now or in an earlier run, is not sent again.

    Parameters
    ----------
    auth : OriginAuth
        Whose passwords they are.
    """

    def __init__(self, auth: OriginAuth, **how: Any) -> None:
        super().__init__(**how)
        self._auth = auth

    def send(self, request: requests.PreparedRequest, *args: Any, **how: Any) -> requests.Response:
        """Send `request`, alone where its password has not been accepted before.

        Raises
        ------
        LoginFailed
            The password is, or was, refused.
        """
        account = self._auth.untried(request)
        if account is None:
            return super().send(request, *args, **how)
        where = host_of(origin_of(request.url or ""))
        with login_attempt(account, where=where) as attempt:
            response = super().send(request, *args, **how)
            if _is_refusal(request, response):
                response.close()
                raise attempt.refused(
                    f"{where} answered 401: it did not accept the password of {account.username}"
                )
            if response.status_code < 400:
                attempt.accepted()
                self._auth.accepted(request)
            return response


def _is_refusal(request: requests.PreparedRequest, response: requests.Response) -> bool:
    """Tell whether the password was refused, and not only the way in which it was sent."""
    if response.status_code != requests.codes.unauthorized:
        return False
    asked = response.headers.get("WWW-Authenticate", "").lower()
    if request.headers.get("Authorization", "").startswith("Basic "):
        return "digest" not in asked or "basic" in asked
    return "stale=true" not in asked


def _set_up(digest: HTTPDigestAuth, response: requests.Response) -> None:
    """Make `digest` ready to answer for this thread: by preparing a request, which is not sent.

    A copied request shares its hooks with the original, where requests' own digest hook would go
    on to answer for whatever host a redirect leads to. So the copy gets hooks of its own.
    """
    unsent = response.request.copy()
    unsent.hooks = default_hooks()
    digest(unsent)


def _password_of(login: Credential) -> str:
    return login.password.reveal() if login.password is not None else ""


def _basic(login: Credential) -> HTTPBasicAuth:
    return HTTPBasicAuth(login.username.encode(), _password_of(login).encode())


def _again(
    response: requests.Response, login: Credential, how: dict[str, Any]
) -> requests.Response:
    """Send the same request once more, with Basic."""
    # Reading the rest gives the connection back.
    _ = response.content
    response.close()
    request = response.request.copy()
    _basic(login)(request)
    answered: requests.Response = response.connection.send(request, **how)
    answered.history.append(response)
    answered.request = request
    return answered

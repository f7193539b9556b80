"""One address of a service, without the secrets that may stand in it, and the login for it."""

from __future__ import annotations

import base64
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
from requests.auth import AuthBase

from alos2.catalogue.trust import Trust
from alos2.errors import UsageError
from alos2.types import Logins


class Address:
    """Where a service is, and who we are there.

    Parameters
    ----------
    service : str
        What to call it in messages.
    url : str
        Its userinfo is the login where `logins` know none.
    trust : Trust
    logins : callable

    Raises
    ------
    UsageError
        It is no http or https URL, or asks for the impossible: a certificate or a password over
        an open connection.
    """

    def __init__(self, service: str, url: str, trust: Trust, logins: Logins) -> None:
        try:
            parts = urlsplit(url.strip())
            host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
            netloc = host if parts.port is None else f"{host}:{parts.port}"
        except ValueError as error:
            raise UsageError(f"the address of {service} is no URL: {error}") from error
        if parts.scheme not in ("http", "https") or not host:
            raise UsageError(
                f"the address of {service} is no http or https URL: {parts.scheme}://{netloc}",
                hint="give it as https://HOST:PORT",
            )
        if parts.query or parts.fragment:
            raise UsageError(
                f"the address of {service} has a query or fragment; it must end before"
            )
        self.url = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))
        login = logins(netloc)
        user, password = None, ""
        if login is not None:
            user, password = login.username, login.password.reveal() if login.password else ""
        elif parts.username:
            user, password = unquote(parts.username), unquote(parts.password or "")
        self.auth = _Basic(user, password)
        if parts.scheme == "https":
            return
        if trust.fingerprint or trust.ca_file:
            raise UsageError(
                f"{service} at {netloc} is spoken to over http, where nobody shows a certificate",
                hint="give its address with https://",
            )
        if user is not None and not _is_loopback(parts.hostname or ""):
            raise UsageError(
                f"there is a login for {service} at {netloc}, and http would show it to all",
                hint="give its address with https://",
            )


class _Basic(AuthBase):
    """Basic authentication as UTF-8; with no user none at all, and no netrc of requests either."""

    def __init__(self, user: str | None, password: str) -> None:
        self._header = ""
        if user is not None:
            self._header = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._header:
            r.headers["Authorization"] = self._header
        return r


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")

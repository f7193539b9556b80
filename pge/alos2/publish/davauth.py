"""How we log in to a WebDAV server: as it asks for, and never with an open password on a network.

Source: RFC 7617 (Basic), RFC 7616 (Digest); the work is done by requests.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth

from alos2.errors import PublishFailed
from alos2.types import Logins


def unauthenticated(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Log in as nobody; without it requests would send what it finds in a netrc, unasked."""
    return request


def authentication(
    answer: requests.Response, logins: Logins, host: str, *, is_open: bool
) -> AuthBase:
    """Return what answers the challenge of a 401.

    Parameters
    ----------
    answer : requests.Response
        The 401.
    logins : callable
        Knows the login of a host.
    host : str
        Whose it is, with its port where it has one.
    is_open : bool
        Whether the connection is not encrypted.

    Raises
    ------
    PublishFailed
        There is no login, no way that both sides know, or it would go over the network in the open.
    """
    login = logins(host)
    if login is None or login.password is None:
        raise PublishFailed(
            f"{host} wants a login, and there is none",
            hint="put one into ~/.netrc or a credential profile; see docs/credentials.md",
        )
    asked = answer.headers.get("WWW-Authenticate", "").lower()
    if "digest" in asked:
        return HTTPDigestAuth(login.username, login.password.reveal())
    if "basic" not in asked:
        raise PublishFailed(
            f"{host} asks for a login that is neither Basic nor Digest",
            hint="enable one of them for its WebDAV folders",
        )
    if is_open and not _is_loopback(host):
        raise PublishFailed(
            f"{host} wants the password in the open, over a connection that is not encrypted",
            hint="use davs:// or https://, or Digest",
        )
    # requests would encode them in Latin-1, which many names and passwords are not in.
    name, password = login.username.encode(), login.password.reveal().encode()
    return HTTPBasicAuth(name, password)


def _is_loopback(host: str) -> bool:
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"

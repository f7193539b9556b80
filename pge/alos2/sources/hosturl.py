"""URLs of file servers taken apart: host, port, path, and who one is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote, urlsplit

from alos2.dataset.hidden import without_hidden
from alos2.errors import UsageError
from alos2.sources.credentials import Credential, Secret, resolve

_LONGEST_REPLY: Final = 200


@dataclass(frozen=True)
class HostUrl:
    """The parts of ``scheme://user:password@host:port/path``.

    Parameters
    ----------
    host
        In lower case, without the brackets of IPv6.
    port
        Given, or the scheme's own.
    where
        Host, with the port where it is not the scheme's own, as in a URL.
    path
        Percent-decoded; begins with ``/``.
    username, password
        Of the userinfo; None where it has none.
    """

    scheme: str
    host: str
    port: int
    where: str
    path: str
    username: str | None
    password: Secret | None


def host_url(url: str, default_port: int) -> HostUrl:
    """Take `url` apart.

    Raises
    ------
    UsageError
        It names no host or no file, or has characters that no path may have.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        # Here a question mark is an ordinary letter of a file's name.
        path = unquote(
            f"{parts.path}?{parts.query}" if parts.query else parts.path, errors="strict"
        )
    except ValueError:
        raise UsageError(
            "the URL has no valid host, port or path", hint="check the URL; non-ASCII as UTF-8"
        ) from None
    if not host or any(not c.isprintable() for c in url) or any(ord(c) < 32 for c in path):
        raise UsageError("the URL has no valid host, port or characters", hint="check the URL")
    if not path.strip("/") or path.endswith("/"):
        raise UsageError(
            f"the URL of {host} names no file", hint=f"write {parts.scheme}://host/path/to/file.zip"
        )
    shown = f"[{host}]" if ":" in host else host
    where = shown if port in (None, default_port) else f"{shown}:{port}"
    username = unquote(parts.username) if parts.username else None
    password = Secret(unquote(parts.password)) if parts.password else None
    scheme = parts.scheme.lower()
    return HostUrl(scheme, host, port or default_port, where, path, username, password)


def credential_for(place: HostUrl, profile: str | None) -> Credential | None:
    """Return who we are at `place`: as the URL says, else as the resolver finds.

    Parameters
    ----------
    place : HostUrl
        Its user name chooses among accounts; its password, if it has one, is used.
    profile : str, optional
        Name of the profile to use.

    Raises
    ------
    UsageError
        The URL and the named profile are about different accounts.
    """
    if place.password is not None and profile is None:
        return Credential(place.username or "", place.password, origin="the URL")
    found = resolve(place.host, host=place.where, profile=profile)
    if place.username is None or (found is not None and found.username == place.username):
        return found
    if found is None:
        return Credential(place.username, origin="the URL")
    if not found.username:
        return replace(found, username=place.username)
    if profile is not None:
        raise UsageError(
            f"the URL names another user than the profile {profile!r}",
            hint="leave the user name out of the URL, or name its own profile",
        )
    return Credential(place.username, origin="the URL")


def said_by(text: object) -> str:
    """Return what a server said, on one line, short, and without secrets."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return without_hidden(line)[:_LONGEST_REPLY]

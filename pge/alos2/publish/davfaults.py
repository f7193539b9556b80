"""What a WebDAV server or the way to it says when something fails, in words that help."""

from __future__ import annotations

import errno
import os
import socket
from typing import Final, NamedTuple

import requests

from alos2.causes import causes_of
from alos2.errors import Alos2Error, NoResource, NoSpace, PublishFailed

_HINTS: Final = {
    403: "the account may not write there",
    404: "make the folder that everything goes below, or mend the URL",
    405: "check that the URL is a WebDAV folder",
    409: "make the folder that everything goes below, or mend the URL",
    413: "the server limits the size of a file; ask its administrator",
    423: "somebody has locked it; run the same command again later",
}


class Failed(NamedTuple):
    """An error, and whether the same request may go well a little later."""

    error: Alos2Error
    is_passing: bool


def status_failed(answer: requests.Response, method: str, path: str, host: str) -> Alos2Error:
    """Make the error for an answer that is none of those we can use."""
    status = answer.status_code
    what = f"{method} {path}"
    if status == 401:
        return PublishFailed(
            f"{host} does not accept the login",
            hint="check the account for that host; docs/credentials.md says where it comes from",
        )
    if status == 507:
        return NoSpace(f"{host} has no space left ({what})", hint="make room there")
    if 300 <= status < 400:
        return PublishFailed(
            f"{host} sends {what} elsewhere (status {status})", hint="give the final URL yourself"
        )
    if status in (429, 503):
        return NoResource(f"{host} is too busy ({what})", hint="run the same command again later")
    reason = f"status {status} {answer.reason or ''}".rstrip()
    return PublishFailed(f"{host} refuses {what}: {reason}", hint=_HINTS.get(status))


def connection_failed(error: requests.RequestException, host: str) -> Failed:
    """Make the error for a request that got no answer.

    The texts of requests repeat URLs, so the system's words are used instead.
    """
    if isinstance(error, requests.exceptions.SSLError):
        return Failed(
            PublishFailed(
                f"{host}: its certificate is not trusted",
                hint="name the authority's certificate by REQUESTS_CA_BUNDLE",
            ),
            is_passing=False,
        )
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return Failed(PublishFailed(f"{host} is no host that can be asked"), is_passing=False)
    for cause in causes_of(error):
        if isinstance(cause, socket.gaierror):
            return _unreachable(host, "the host's name is not known", is_passing=False)
        if isinstance(cause, TimeoutError):
            return _unreachable(host, "it took too long", is_passing=True)
        number = cause.errno if isinstance(cause, OSError) else None
        if number is not None and number in errno.errorcode:
            return _unreachable(host, os.strerror(number).lower(), is_passing=True)
    return _unreachable(host, type(error).__name__, is_passing=True)


def _unreachable(host: str, why: str, *, is_passing: bool) -> Failed:
    error = PublishFailed(
        f"{host} cannot be reached: {why}", hint="check its address and the network"
    )
    return Failed(error, is_passing)

"""Why a connection failed, in words that hold no URL, and whether anything had been sent."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator

import requests


def was_unsent(error: requests.RequestException) -> bool:
    """Whether there was no connection, so that the server cannot have heard of the request.

    Where that is not certain, it is taken that the server has.
    """
    if isinstance(error, requests.ConnectTimeout):
        return True
    if isinstance(error, requests.exceptions.SSLError):
        return any(isinstance(e, ssl.SSLCertVerificationError) or _pin(e) for e in _chain(error))
    names = {type(e).__name__ for e in _chain(error)}
    return bool(names & {"NewConnectionError", "NameResolutionError"})


def cause_of(error: BaseException) -> str:
    """Say why a connection failed, in the system's words and without the URL."""
    for current in _chain(error):
        if isinstance(current, socket.gaierror):
            return "the host's name is not known"
        if isinstance(current, TimeoutError):
            return "it took too long"
        if _pin(current):
            return "its certificate is not the one whose fingerprint is given"
        verify = getattr(current, "verify_message", "")
        if verify:
            return f"its certificate is not trusted: {verify}"
        number = current.errno if isinstance(current, OSError) else None
        if number is not None and number in errno.errorcode:
            return os.strerror(number).lower()
    return type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and all that led to it; libraries hide causes in reasons and arguments too."""
    seen: set[int] = set()
    pending: list[BaseException] = [error]
    while pending:
        current = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        parts = [getattr(current, "reason", None), current.__cause__, current.__context__]
        pending += [p for p in (*parts, *current.args) if isinstance(p, BaseException)]


def _pin(error: BaseException) -> bool:
    """Whether `error` is urllib3's about a pinned certificate; it has no class of its own."""
    return type(error).__name__ == "SSLError" and "Fingerprints did not match" in str(error)

"""Why a connection failed, in the system's words: libraries' own repeat URLs with their secrets."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator

from urllib3.exceptions import IncompleteRead


def causes_of(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and all that led to it, each once.

    Libraries hide causes in reasons and arguments too (requests, urllib3), or in ``kwargs``
    (botocore).
    """
    seen: set[int] = set()
    pending: list[BaseException] = [error]
    while pending:
        current = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inside = getattr(current, "kwargs", None)
        told = inside.get("error") if isinstance(inside, dict) else None
        parts = [told, getattr(current, "reason", None), current.__cause__, current.__context__]
        pending += [p for p in (*parts, *current.args) if isinstance(p, BaseException)]


def cause_of(error: BaseException) -> str:
    """Say why a connection failed, without the URL; the name of its class if nothing else helps."""
    said = (_way(cause) or _certificate(cause) or _system(cause) for cause in causes_of(error))
    return next(filter(None, said), type(error).__name__)


def is_wrong_pin(error: BaseException) -> bool:
    """Whether `error` is urllib3's about a pinned certificate; it has no class of its own."""
    return type(error).__name__ == "SSLError" and "Fingerprints did not match" in str(error)


def _way(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        return "the host's name is not known"
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, IncompleteRead):
        return f"{error.partial} bytes arrived, {error.expected} more were promised"
    return ""


def _certificate(error: BaseException) -> str:
    if is_wrong_pin(error):
        return "its certificate is not the one whose fingerprint is given"
    verify = getattr(error, "verify_message", "")
    return f"its certificate is not trusted: {verify}" if verify else ""


def _system(error: BaseException) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number is None or number not in errno.errorcode:
        return ""
    return os.strerror(number).lower()

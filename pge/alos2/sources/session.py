"""The HTTP session: what is sent, where a redirect may lead, and how long a retry waits.

requests takes care of proxies, ``REQUESTS_CA_BUNDLE``, netrc and of leaving credentials behind
when a redirect changes the host; here it also refuses to go from https to http.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import socket
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import IncompleteRead
from urllib3.util.retry import Retry

from alos2 import __version__
from alos2.errors import TransferFailed
from alos2.sources.model import TransferOptions

RETRY_STATUS: Final = frozenset({429, 502, 503, 504})
"""Answers that may be better next time."""

_HEADERS: Final = {
    "User-Agent": f"alos2-ingest/{__version__}",
    "Accept": "application/zip, application/octet-stream, */*",
    # A compressed body has another length and cannot be compared with Content-Length.
    "Accept-Encoding": "identity",
}


class _HideQueries(logging.Filter):
    """urllib3 logs whole request targets at DEBUG, with the tokens in their queries."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                re.sub(r"\?\S*", "?***", a) if isinstance(a, str) else a for a in record.args
            )
        return True


_HIDE: Final = _HideQueries()


class SafeSession(requests.Session):
    """A session that never follows a redirect from https to http."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where `resp` leads, None if nowhere.

        Raises
        ------
        TransferFailed
            It leads from an encrypted connection to an open one, or to something not HTTP.
        """
        target = super().get_redirect_target(resp)
        if target is None or resp.url is None:
            return target
        problem = _refused_redirect(resp.url, target)
        if problem:
            resp.close()
            raise TransferFailed(problem, hint="give the final URL yourself")
        return target


def _refused_redirect(here: str, target: str) -> str:
    """Return why a redirect from `here` to `target` is not followed; empty if it is."""
    host = urlsplit(here).hostname
    try:
        there = urlsplit(urljoin(here, target))
    except ValueError:
        return f"{host} redirects to something that is no URL"
    if there.scheme not in ("http", "https"):
        return f"{host} redirects to a {there.scheme}: URL, which is not followed"
    if urlsplit(here).scheme == "https" and there.scheme == "http":
        return f"{host} redirects from https to http ({there.hostname}), which is not followed"
    return ""


def new_session(options: TransferOptions) -> SafeSession:
    """Return a session of our own; retries are `new_retry`'s, not the adapter's."""
    logging.getLogger("urllib3.connectionpool").addFilter(_HIDE)
    session = SafeSession()
    session.headers.update(_HEADERS)
    session.max_redirects = options.max_redirects
    adapter = HTTPAdapter(max_retries=Retry(0, read=False, redirect=False))
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def new_retry(options: TransferOptions) -> Retry:
    """Return the budget of retries: for connections, bodies and passing answers together."""
    return Retry(
        total=options.retries,
        backoff_factor=options.backoff_s,
        backoff_max=options.backoff_max_s,
        backoff_jitter=options.backoff_s / 4,
        allowed_methods=None,
    )


def next_wait_s(retry: Retry, response: Any, options: TransferOptions) -> float:
    """Return how long to wait before the retry: as the server asks, else growing.

    Parameters
    ----------
    retry : Retry
        After its `increment`.
    response : urllib3.response.BaseHTTPResponse or None
        The answer that is retried.

    Raises
    ------
    TransferFailed
        The server asks for a longer wait than we have patience for.
    """
    asked = _asked_s(response.headers.get("Retry-After")) if response is not None else None
    if asked is None:
        return float(retry.get_backoff_time())
    if asked > options.retry_after_max_s:
        raise TransferFailed(
            f"the server is busy and asks to come back in {asked:.0f} s",
            hint="run the same command again then",
        )
    return float(asked)


def _asked_s(header: str | None) -> float | None:
    """Return the seconds of a Retry-After, given as seconds or as a date (RFC 9110, 10.2.3)."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - datetime.now(timezone.utc)).total_seconds())


def cause_of(error: BaseException) -> str:
    """Say why a connection failed, in the system's words and without the URL.

    The texts of requests and urllib3 repeat the URL with its secrets, so they are not used.
    """
    seen: set[int] = set()
    pending: list[BaseException] = [error]
    while pending:
        current = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, socket.gaierror):
            return "the host's name is not known"
        if isinstance(current, TimeoutError):
            return "it took too long"
        if isinstance(current, IncompleteRead):
            return f"{current.partial} bytes arrived, {current.expected} more were promised"
        verify = getattr(current, "verify_message", "")
        if verify:
            return f"its certificate is not trusted: {verify}"
        number = current.errno if isinstance(current, OSError) else None
        if number is not None and number in errno.errorcode:
            return os.strerror(number).lower()
        parts = [getattr(current, "reason", None), current.__cause__, current.__context__]
        pending += [p for p in (*parts, *current.args) if isinstance(p, BaseException)]
    return type(error).__name__

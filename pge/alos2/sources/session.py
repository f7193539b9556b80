"""The HTTP session: what is sent, where a redirect may lead, and what an answer's words mean.

requests takes care of proxies and ``REQUESTS_CA_BUNDLE``; here it also refuses to go from https to
http, leaves credentials behind when a redirect changes the host, and never looks into netrc by
itself: who we are is `alos2.sources.httpauth`'s to say.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.util.retry import Retry

from alos2 import __version__
from alos2.errors import TransferFailed
from alos2.sources.httpauth import AccountAdapter, NoAuth, OriginAuth, origin_of
from alos2.sources.model import TransferOptions

RETRY_STATUS: Final = frozenset({408, 425, 429, 502, 503, 504})
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

    def merge_environment_settings(  # type: ignore[no-untyped-def]  # as types-requests has it
        self, url, proxies, stream, verify, cert
    ):
        """Let the session's own CA file win over ``$REQUESTS_CA_BUNDLE``; requests does not."""
        if verify in (None, True) and isinstance(self.verify, str):
            verify = self.verify
        return super().merge_environment_settings(url, proxies, stream, verify, cert)

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Leave the credentials behind when a redirect leads to another origin."""
        if isinstance(self.auth, OriginAuth):
            self.auth.readdress(prepared_request)
        elif origin_of(response.request.url or "") != origin_of(prepared_request.url or ""):
            prepared_request.headers.pop("Authorization", None)


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


def new_session(options: TransferOptions, auth: AuthBase | None = None) -> SafeSession:
    """Return a session of our own; it retries nothing by itself.

    Parameters
    ----------
    options : TransferOptions
        ``max_redirects``.
    auth : AuthBase, optional
        `alos2.sources.httpauth.OriginAuth`; without it nothing is sent.
    """
    logging.getLogger("urllib3.connectionpool").addFilter(_HIDE)
    session = SafeSession()
    session.headers.update(_HEADERS)
    session.max_redirects = options.max_redirects
    session.auth = auth if auth is not None else NoAuth()
    never = Retry(0, read=False, redirect=False)
    adapter = HTTPAdapter(max_retries=never)
    if isinstance(auth, OriginAuth):
        adapter = AccountAdapter(auth, max_retries=never)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def asked_wait_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of ``Retry-After``, a number or a date (RFC 9110, 10.2.3); None if none.

    A date is compared with the server's own clock where it tells (``Date``).
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    moment = http_date(text)
    if moment is None:
        return None
    now = http_date(headers.get("Date", "")) or datetime.now(timezone.utc)
    return max(0.0, (moment - now).total_seconds())


def http_date(text: str) -> datetime | None:
    """Return the moment that a header names; None if it names none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)

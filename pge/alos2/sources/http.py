"""http and https: one GET, streamed to a file that is a whole zip or is not there.

Nothing is resumed: a transfer that breaks begins again, a few times. What follows a response
(`_receive`) knows only a stream and its expected length, which is where resuming will fit in.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests
from requests.exceptions import (
    ChunkedEncodingError,
    ContentDecodingError,
    InvalidSchema,
    InvalidURL,
    MissingSchema,
    RequestException,
    SSLError,
    TooManyRedirects,
)
from urllib3.exceptions import MaxRetryError
from urllib3.util.retry import Retry

from alos2.dataset.provenance import public_url
from alos2.errors import BadArchive, LoginFailed, NothingFound, TransferFailed, UsageError
from alos2.sources.filename import download_name
from alos2.sources.model import (
    Cancelled,
    Fetched,
    TransferOptions,
    TransferProgress,
    stop_if,
)
from alos2.sources.redact import without_secrets
from alos2.sources.session import (
    RETRY_STATUS,
    SafeSession,
    cause_of,
    new_retry,
    new_session,
    next_wait_s,
)
from alos2.sources.sniff import SNIFF_BYTES, missing_zip_end, require_zip_head
from alos2.sources.store import make_folder, publish, require_space, reserve, write_part

log = logging.getLogger(__name__)

_LOGIN_HINT: Final = (
    "put the credentials for this host into a netrc file, or renew the link if it has expired"
)


class _Again(Exception):  # noqa: N818  (not an error for users: it never leaves this module)
    """A passing fault: a retry may help."""

    def __init__(self, message: str, response: requests.Response | None = None) -> None:
        super().__init__(message)
        self.response = response


@dataclass(frozen=True)
class _Call:
    """What stays the same over all tries of one fetch."""

    url: str
    work_dir: Path
    options: TransferOptions
    progress: TransferProgress | None
    cancel: Cancelled | None

    @property
    def where(self) -> str:
        """Who is spoken to, for messages: host and port, no userinfo."""
        parts = urlsplit(self.url)
        return parts.netloc.rpartition("@")[2]


class HttpSource:
    """Zips behind ``http://`` and ``https://``."""

    def fetch(
        self,
        url: str,
        work_dir: Path,
        *,
        progress: TransferProgress | None = None,
        cancel: Cancelled | None = None,
        options: TransferOptions = TransferOptions(),  # noqa: B008
    ) -> Fetched:
        """Stream the zip at `url` into `work_dir`.

        Credentials are those of the URL's userinfo, else of netrc; they are not sent to another
        host that a redirect names.

        Raises
        ------
        UsageError
            `url` is not a URL.
        LoginFailed
            401 or 403.
        NothingFound
            404 or 410.
        TransferFailed
            Another refusal, no connection, or the body kept breaking off.
        BadArchive
            What arrived is not a whole zip: a web page, another format, a zip without its end.
        NoSpace, NoResource
            The disk has not enough room, or cannot be written to.
        Interrupted
            `cancel` said so.
        """
        call = _Call(_checked(url), work_dir, options, progress, cancel)
        make_folder(work_dir)
        began = time.monotonic()
        with new_session(options) as session:
            path, size, sha256 = _with_retries(session, call)
        return Fetched(
            path,
            public_url(url),
            size,
            sha256,
            datetime.now(timezone.utc),
            time.monotonic() - began,
            True,
        )


def _checked(url: str) -> str:
    """Refuse what is no URL before requests does, whose messages repeat it whole."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or any(c.isspace() or not c.isprintable() for c in url):
        raise UsageError("the URL has no valid host, port or characters", hint="check the URL")
    return url


def _with_retries(session: SafeSession, call: _Call) -> tuple[Path, int, str]:
    retry = new_retry(call.options)
    while True:
        stop_if(call.cancel)
        try:
            return _try_once(session, call)
        except _Again as error:
            fault, raw = str(error), error.response.raw if error.response is not None else None
        retry = _spend(retry, call, fault)
        wait_s = next_wait_s(retry, raw, call.options)
        log.warning("%s: %s; trying again in %.1f s", call.where, fault, wait_s)
        _wait(wait_s, call.cancel)


def _spend(retry: Retry, call: _Call, fault: str) -> Retry:
    """Take one retry from the budget.

    Raises
    ------
    TransferFailed
        It is used up.
    """
    try:
        return retry.increment("GET", public_url(call.url))
    except MaxRetryError:
        tries = call.options.retries + 1
        raise TransferFailed(f"{call.where}: {fault}, {tries} times in a row") from None


def _wait(seconds: float, cancel: Cancelled | None) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        stop_if(cancel)
        time.sleep(min(left, 0.2))


def _try_once(session: SafeSession, call: _Call) -> tuple[Path, int, str]:
    timeouts = (call.options.connect_s, call.options.stall_s)
    try:
        response = session.get(call.url, stream=True, timeout=timeouts)
    except (InvalidURL, InvalidSchema, MissingSchema, UnicodeError):
        raise UsageError("the URL cannot be read, or redirects to one that cannot") from None
    except TooManyRedirects as error:
        if error.response is not None:
            error.response.close()
        raise TransferFailed(
            f"{call.where} redirects more than {call.options.max_redirects} times",
            hint="the site may want a login first",
        ) from None
    except SSLError as error:
        raise TransferFailed(
            f"no safe connection to {call.where}: {cause_of(error)}",
            hint="name the site's own CA file in REQUESTS_CA_BUNDLE; TLS is never switched off",
        ) from None
    except RequestException as error:
        raise _Again(f"no connection: {cause_of(error)}") from None
    with response:
        _require_ok(response, call)
        return _receive(response, call)


def _require_ok(response: requests.Response, call: _Call) -> None:
    """Turn every answer but 200 into its error."""
    status = response.status_code
    if status == requests.codes.ok:
        return
    reason = without_secrets(response.reason or "", call.url)
    said = f"{call.where} answered {status} {reason}".rstrip()
    if status in RETRY_STATUS:
        raise _Again(said, response)
    if status in (401, 403):
        raise LoginFailed(said, hint=_LOGIN_HINT)
    if status in (404, 410):
        raise NothingFound(said, hint="check the URL; the order may have expired")
    if status == requests.codes.accepted:
        raise TransferFailed(said, hint="the site is still preparing the file: try again later")
    raise TransferFailed(said)


def _expected_bytes(response: requests.Response) -> int | None:
    """Return the body's length, None where the server does not say (or compresses)."""
    length = response.headers.get("Content-Length", "")
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity") or "Transfer-Encoding" in response.headers:
        return None
    return int(length) if length.isascii() and length.isdigit() else None


def _body(response: requests.Response, chunk_bytes: int) -> Iterator[bytes]:
    """Yield the body; faults of the connection become `_Again`."""
    try:
        yield from response.iter_content(chunk_bytes)
    except ContentDecodingError:
        raise _Again("the compressed body is damaged") from None
    except ChunkedEncodingError as error:
        raise _Again(f"the transfer broke off ({cause_of(error)})") from None
    except RequestException as error:
        raise _Again(f"the transfer stalled or broke off ({cause_of(error)})") from None


def _head_of(body: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Return the first `SNIFF_BYTES` (fewer of a short body), and the body from its start."""
    head: list[bytes] = []
    while sum(map(len, head)) < SNIFF_BYTES:
        piece = next(body, None)
        if piece is None:
            break
        head.append(piece)
    return b"".join(head)[:SNIFF_BYTES], chain(head, body)


def _receive(response: requests.Response, call: _Call) -> tuple[Path, int, str]:
    """Store the body: sniffed first, counted and hashed on the way, checked before its name."""
    expected = _expected_bytes(response)
    if expected is not None:
        require_space(call.work_dir, expected, call.options.margin_bytes)
    head, body = _head_of(_body(response, call.options.chunk_bytes))
    _sniff(head, response, call)
    name = download_name(response.url or call.url, response.headers.get("Content-Disposition"))
    target, part = reserve(call.work_dir, name)
    try:
        stored = write_part(
            body, part, expected=expected, progress=call.progress, cancel=call.cancel
        )
        if expected is not None and stored.size != expected:
            raise _Again(f"{stored.size} bytes arrived of {expected}")
        problem = missing_zip_end(part)
        if problem and expected is None:
            raise _Again(f"the transfer broke off: the zip is not whole, {problem}")
        if problem:
            raise BadArchive(
                f"{name} from {call.where} is not a whole zip: {problem}",
                hint="the file is damaged where it lies: ask the sender for another copy",
            )
        return publish(stored, target), stored.size, stored.sha256
    finally:
        part.unlink(missing_ok=True)


def _sniff(head: bytes, response: requests.Response, call: _Call) -> None:
    """Refuse what does not begin as a zip; a page's title may repeat the URL's secrets."""
    content_type = response.headers.get("Content-Type", "")
    try:
        require_zip_head(head, content_type=content_type, where=call.where)
    except BadArchive as error:
        message = without_secrets(error.message, call.url)
        raise BadArchive(message, hint=error.hint) from None

"""http(s) and WebDAV(s) as a `Remote`: one GET, from any byte on.

``webdav://`` and ``dav://`` are http, ``webdavs://`` and ``davs://`` are https: to read a file,
WebDAV needs nothing but GET. What may be joined to what is decided by the engine; here a 206 is
taken only if it is a single part that says where it begins, of an object that is not compressed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests
from requests.exceptions import (
    InvalidSchema,
    InvalidURL,
    MissingSchema,
    RequestException,
    SSLError,
    TooManyRedirects,
)

from alos2.causes import cause_of
from alos2.dataset.hidden import hide
from alos2.dataset.provenance import public_url
from alos2.errors import BadArchive, LoginFailed, NothingFound, TransferFailed, UsageError
from alos2.sources.credentials.model import Credential
from alos2.sources.credentials.resolve import resolve
from alos2.sources.filename import header_name, last_part
from alos2.sources.httpauth import Origin, OriginAuth, host_of, login_of, origin_of
from alos2.sources.httpbody import body_of
from alos2.sources.httpreply import (
    content_length,
    content_range,
    is_encoded,
    unsatisfied_total,
    validator_of,
)
from alos2.sources.httpschemes import SCHEMES
from alos2.sources.model import Cancelled, Fetched, TransferOptions, TransferProgress
from alos2.sources.redact import secrets_of, without_secrets
from alos2.sources.remote import Changed, Misplaced, Passing, Reply, Validator
from alos2.sources.session import RETRY_STATUS, asked_wait_s, new_session
from alos2.sources.transfer import transfer

log = logging.getLogger(__name__)

_SHORTEST_TOKEN: Final = 8
"""A shorter value in a URL may be an ordinary word, which must not vanish from all texts."""

_LOGIN_HINT: Final = (
    "give the credentials for this host in a netrc file or a named profile; a link that was signed "
    "may have expired"
)


class HttpRemote:
    """An object behind an http(s) or WebDAV(s) URL.

    Parameters
    ----------
    url : str
        With its secrets, without userinfo: who we are is the session's to say.
    session : requests.Session
        `alos2.sources.session.new_session`'s, logged in where that is needed. Not closed here.
    options : TransferOptions, optional
        Timeouts.
    key : str, optional
        Public URL under which a partial download is found again; else made from `url`. Needed
        where the public part of `url` is the same for different objects.
    headers : mapping, optional
        Sent with each request, e.g. a Referer.

    Raises
    ------
    UsageError
        `url` is not a URL.
    """

    def __init__(
        self,
        url: str,
        session: requests.Session,
        *,
        options: TransferOptions = TransferOptions(),  # noqa: B008
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._secret_url = wire_url(url)
        self._given_url = url
        self._session = session
        self._options = options
        self._headers = dict(headers or {})
        self.url = public_url(url if key is None else key)
        self.where = urlsplit(self._secret_url).netloc

    @contextmanager
    def open(self, offset: int, validator: Validator | None) -> Iterator[Reply]:
        """Begin to read at `offset`; see `alos2.sources.remote.Remote`."""
        headers = dict(self._headers)
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if validator is not None and validator.kind in ("etag", "last-modified"):
                headers["If-Range"] = validator.value
        with self._get(headers) as response:
            self._require_ok(response)
            try:
                yield self._reply(response, offset)
            except (BadArchive, LoginFailed) as error:
                # The title of a page that came instead of a zip may repeat our URL.
                raise type(error)(self._clean(error.message), hint=error.hint) from None

    def _clean(self, text: str) -> str:
        return without_secrets(text, self._given_url)

    def _get(self, headers: Mapping[str, str]) -> requests.Response:
        timeouts = (self._options.connect_s, self._options.stall_s)
        try:
            return self._session.get(
                self._secret_url, headers=headers, stream=True, timeout=timeouts
            )
        except (InvalidURL, InvalidSchema, MissingSchema, UnicodeError):
            raise UsageError("the URL cannot be read, or redirects to one that cannot") from None
        except TooManyRedirects as error:
            if error.response is not None:
                error.response.close()
            raise TransferFailed(
                f"{self.where} redirects more than {self._options.max_redirects} times",
                hint="the site may want a login first",
            ) from None
        except SSLError as error:
            raise TransferFailed(
                f"no safe connection to {self.where}: {cause_of(error)}",
                hint="name the site's own CA file in REQUESTS_CA_BUNDLE; TLS is never switched off",
            ) from None
        except RequestException as error:
            raise Passing(f"no connection: {cause_of(error)}") from None

    def _require_ok(self, response: requests.Response) -> None:
        """Turn every answer but 200, 206 and 416 into its error."""
        status = response.status_code
        if status in (200, 206, 416):
            return
        said = f"{self.where} answered {status} {self._clean(response.reason or '')}".rstrip()
        asked_s = asked_wait_s(response.headers)
        if status in RETRY_STATUS or (status >= 500 and asked_s is not None):
            raise Passing(said.removeprefix(f"{self.where} "), asked_s)
        if status in (401, 403):
            raise LoginFailed(said, hint=_LOGIN_HINT)
        if status in (404, 410):
            raise NothingFound(said, hint="check the URL; the order may have expired")
        if status == requests.codes.accepted:
            raise TransferFailed(said, hint="the site is still preparing the file: try again later")
        raise TransferFailed(said)

    def _reply(self, response: requests.Response, offset: int) -> Reply:
        headers = response.headers
        total = None if is_encoded(headers) else content_length(headers)
        begins = 0
        expected = total
        if response.status_code == 206:
            begins, expected, total = self._part(response, offset)
        elif response.status_code == 416:
            return self._nothing_there(response, offset)
        # A body whose end is the connection's end may have been cut without anybody noticing.
        known = expected is not None or "Transfer-Encoding" in headers
        return Reply(
            begins,
            total,
            validator_of(headers),
            header_name(headers.get("Content-Disposition"))
            or last_part(response.url or self._secret_url),
            headers.get("Content-Type", ""),
            body_of(response, expected, self._options.chunk_bytes),
            exact=known or content_length(headers) is not None,
        )

    def _part(self, response: requests.Response, offset: int) -> tuple[int, int, int | None]:
        """Return where a 206 begins, its length, and the object's size."""
        if not offset:
            raise TransferFailed(f"{self.where} answered 206 where the whole file was asked for")
        found = content_range(response.headers)
        if found is None or is_encoded(response.headers):
            raise Misplaced("a part was sent that does not say where it belongs")
        length = content_length(response.headers)
        expected = found.last - found.first + 1
        if found.first != offset or length not in (None, expected):
            raise Misplaced(
                f"a part was sent of bytes {found.first} to {found.last}, asked were those from "
                f"{offset} on"
            )
        return found.first, expected, found.total

    def _nothing_there(self, response: requests.Response, offset: int) -> Reply:
        """Make sense of a 416: the object ends before `offset`, or exactly there."""
        total = unsatisfied_total(response.headers)
        if not offset or total is None or total > offset:
            raise Misplaced("the server cannot send the part that was asked for")
        if total < offset:
            raise Changed(f"the file has {total} bytes now, fewer than are here")
        return Reply(offset, total, validator_of(response.headers), "", "", iter(()))


def wire_url(url: str) -> str:
    """Return `url` as it is asked for: its scheme http or https, no userinfo, no fragment.

    Raises
    ------
    UsageError
        It is not a URL. requests would notice too, in messages that repeat it whole.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or any(c.isspace() or not c.isprintable() for c in url):
        raise UsageError("the URL has no valid host, port or characters", hint="check the URL")
    scheme = SCHEMES.get(parts.scheme.lower())
    if scheme is None:
        raise UsageError(f"{parts.scheme}:// is not an http or WebDAV URL", hint="check the URL")
    netloc = parts.netloc.rpartition("@")[2]
    return parts._replace(scheme=scheme, netloc=netloc, fragment="").geturl()


class HttpSource:
    """Zips behind ``http(s)://`` and ``webdav(s)://``."""

    def fetch(
        self,
        url: str,
        work_dir: Path,
        *,
        progress: TransferProgress | None = None,
        cancel: Cancelled | None = None,
        options: TransferOptions = TransferOptions(),  # noqa: B008
        credential: str | None = None,
    ) -> Fetched:
        """Bring the zip at `url` into `work_dir`; see `alos2.sources.transfer.transfer`.

        Credentials are those of the URL's userinfo, else those that are found for its host; they
        are not sent to another host that a redirect names.
        """
        auth = auth_for(url, credential)
        with new_session(options, auth) as session:
            account = auth.login(wire_url(url))
            if account is not None and account.ca_file is not None:
                session.verify = str(account.ca_file)
            remote = HttpRemote(url, session, options=options)
            return transfer(remote, work_dir, progress=progress, cancel=cancel, options=options)


def auth_for(url: str, credential: str | None) -> OriginAuth:
    """Return who we are to the server of `url`, and to those it redirects to.

    Parameters
    ----------
    url : str
        Its userinfo counts for its own origin.
    credential : str, optional
        Name of a profile, for its own origin too.

    Raises
    ------
    UsageError
        `url` is not a URL.
    """
    own = origin_of(wire_url(url))
    given = login_of(url)
    hide(*(secret for secret in secrets_of(url) if len(secret) >= _SHORTEST_TOKEN))

    def find(origin: Origin) -> Credential | None:
        if origin != own:
            return resolve(origin[1], host=host_of(origin))
        return given or resolve(origin[1], host=host_of(origin), profile=credential)

    return OriginAuth(find)

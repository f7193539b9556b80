"""The new site's files: SFTP, by key only, at paths that the catalogue does not tell.

The catalogue's ``product.gportal.jaxa.jp:/products/Standard/...`` is neither a URL nor a path on
the server: what stands behind ``/Standard/`` lies below ``/product/Standard/``. Source: what a
downloader recorded of the site on 2026-10-02.

What is told apart: *no record* (`NothingFound`, from the catalogue's search), *available* (the file
opens), *request required* (there is a record, and no file or no right to read it), *error* (all
else). A file that is not on the server says nothing on whether there was an observation.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlsplit

from alos2.errors import LoginFailed, NothingFound, TransferFailed, UsageError
from alos2.sources.credentials import Choice, Credential, require
from alos2.sources.model import TransferOptions
from alos2.sources.portals.gportal.profiles import Site
from alos2.sources.portals.gportal.web import SERVICE
from alos2.sources.portals.model import Item
from alos2.sources.remote import Remote, Reply, Validator
from alos2.sources.sftp import FileDenied, SftpRemote

if TYPE_CHECKING:
    from alos2.sources.doctor import Check

_STANDARD: Final = re.compile(r"/standard/", re.I)


def server_path(file_name: str, root: str) -> str:
    """Return where on the server a file of the catalogue lies.

    Parameters
    ----------
    file_name : str
        ``product.fileName`` of the record.
    root : str
        What takes the place of all up to ``/Standard/``.

    Raises
    ------
    TransferFailed
        The name has no ``/Standard/``, or leads out of it.
    """
    path = unquote(urlsplit(file_name).path) if "://" in file_name else file_name
    found = _STANDARD.search(path)
    rest = path[found.end() :] if found else ""
    parts = rest.split("/")
    if not all(part.isprintable() and part not in ("", ".", "..") for part in parts):
        raise TransferFailed(
            f"the catalogue's file name {file_name[:200]!r} does not say where the file lies "
            "(no /Standard/ in it)",
            hint="the portal may have changed: please report it",
        )
    return root + rest


class KeySite:
    """Delivers by SFTP.

    Parameters
    ----------
    site : Site
        Its addresses, and perhaps the account and the host key.
    credential : str or Credential, optional
        Who we are; None: what is found for ``gportal``.
    options : TransferOptions
        Patience.
    """

    def __init__(self, site: Site, credential: Choice, options: TransferOptions) -> None:
        self._site = site
        self._choice = credential
        self._options = options
        parts = urlsplit(site.sftp_url)
        if parts.scheme != "sftp" or not parts.hostname:
            raise UsageError(
                f"profile {site.name!r}: {site.sftp_url!r} is not sftp://host:port",
                hint="say so as sftp in its settings",
            )
        self._host = parts.hostname
        self._lock = threading.Lock()
        self._account: Credential | None = None

    def remote(self, item: Item) -> Remote:
        """Return what delivers `item`.

        Raises
        ------
        LoginFailed
            There is no key for the server.
        TransferFailed
            The catalogue does not say where the file lies.
        """
        path = server_path(item.properties["file"], self._site.sftp_root)
        return _OnRequest(self._connected(path), item.id)

    def checks(self) -> Iterator[Check]:
        """Yield whether the server is the one we know, and lets us in."""
        from alos2.sources.doctor import login_check  # noqa: PLC0415  doctor knows all rooms

        yield login_check(
            lambda: self._connected(self._site.sftp_root + "-").check_login(), where=self._host
        )

    def close(self) -> None:
        """Do nothing: each transfer has its own connection."""

    def _connected(self, path: str) -> SftpRemote:
        url = self._site.sftp_url + quote(path)
        return SftpRemote(url, credential=self._who(), options=self._options)

    def _who(self) -> Credential:
        """Return the account with its key and the host key that is believed."""
        with self._lock:
            if self._account is None:
                found = require(SERVICE, host=self._host, profile=self._choice)
                if found.key_file is None:
                    raise LoginFailed(
                        f"the account of {found.origin} for {self._host} has no key",
                        hint="the new G-Portal takes keys only: download yours from its web page, "
                        "name it as key_file (chmod 600)",
                    )
                self._account = replace(
                    found, host_key=found.host_key or self._site.host_key or None
                )
            return self._account


class _OnRequest:
    """A file that may have to be requested before it is there.

    Parameters
    ----------
    remote : SftpRemote
        The file.
    name : str
        Of its record, for messages.
    """

    def __init__(self, remote: SftpRemote, name: str) -> None:
        self.url: Final = remote.url
        self.where: Final = remote.where
        self._remote = remote
        self._name = name

    @contextmanager
    def open(self, offset: int, validator: Validator | None) -> Iterator[Reply]:
        """Begin to read at `offset`; see `alos2.sources.remote.Remote`."""
        try:
            with self._remote.open(offset, validator) as reply:
                yield reply
        except NothingFound:
            raise self._request("is not on its file server") from None
        except FileDenied:
            raise self._request("may not be read by this account") from None

    def _request(self, what: str) -> TransferFailed:
        return TransferFailed(
            f"G-Portal has a record of {self._name}, and its file {what} ({self.where})",
            hint="the observation exists: request the product on the portal's web page, wait for "
            "its mail, then run the same command again",
        )

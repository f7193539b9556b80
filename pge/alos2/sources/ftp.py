"""ftp:// and ftps:// as a `Remote`: REST to begin anywhere, SIZE and MDTM to know the object.

``ftps://`` is explicit TLS (AUTH TLS, RFC 4217), at port 990 implicit TLS. The path is relative to
the login folder (RFC 1738); ``ftp://host/%2Fpath`` begins at the root. Proxies are not used.
"""

from __future__ import annotations

import ftplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Final

from alos2.dataset.provenance import public_url
from alos2.errors import UsageError
from alos2.sources.credentials import Credential
from alos2.sources.ftplogin import logged_in
from alos2.sources.ftpwire import FAULTS, PlainFtp, TlsFtp, code_of, fault, is_unknown_command
from alos2.sources.hosturl import HostUrl, credential_for, host_url
from alos2.sources.model import TransferOptions
from alos2.sources.remote import Changed, Passing, Remote, Reply, Validator

_READ: Final = 1 << 18
_PATIENCE_S: Final = 15.0
"""For the last reply, when every byte is here."""


@contextmanager
def open_remote(url: str, *, options: TransferOptions, credential: str | None) -> Iterator[Remote]:
    """Give the file at `url`; see `alos2.sources.registry`."""
    yield FtpRemote(url, options=options, credential=credential_for(_place(url), credential))


def _place(url: str) -> HostUrl:
    place = host_url(url, ftplib.FTP_PORT)
    path, _, kind = place.path.partition(";type=")
    if kind.lower() not in ("", "i"):
        raise UsageError("only files can be fetched by FTP", hint="leave ;type= out of the URL")
    if path == place.path:
        return place
    return host_url(url[: url.lower().rindex(";type=")], ftplib.FTP_PORT)


class FtpRemote:
    """A file on an FTP server.

    Parameters
    ----------
    url : str
        ``ftp://`` or ``ftps://``.
    credential : Credential, optional
        Who we are; None: anonymous.
    options : TransferOptions, optional
        Timeouts.

    Raises
    ------
    UsageError
        `url` names no host or no file.
    """

    def __init__(
        self,
        url: str,
        *,
        credential: Credential | None = None,
        options: TransferOptions = TransferOptions(),  # noqa: B008
    ) -> None:
        self._place = _place(url)
        self._credential = credential
        self._options = options
        self._path = self._place.path[1:]
        self.url = public_url(url)
        self.where = self._place.where

    @contextmanager
    def open(self, offset: int, validator: Validator | None) -> Iterator[Reply]:
        """Begin to read at `offset`; see `alos2.sources.remote.Remote`."""
        with self._logged_in() as ftp:
            try:
                ftp.voidcmd("TYPE I")
                total, now = self._state(ftp)
                if offset:
                    _require_same(offset, total, now, validator)
                begin, data = self._retrieve(ftp, offset)
            except FAULTS as error:
                raise fault(error, self.where) from None
            with data:
                body = self._body(ftp, data, begin, total, now)
                name = self._path.rpartition("/")[2]
                yield Reply(begin, total, now, name, "", body, exact=total is not None)

    def check_login(self) -> None:
        """Connect and log in, once, for ``alos2 doctor``.

        Raises
        ------
        LoginFailed, TransferFailed, Passing
            As `open`.
        """
        with self._logged_in():
            pass

    def _logged_in(self) -> AbstractContextManager[PlainFtp | TlsFtp]:
        return logged_in(self._place, self._credential, self._options)

    def _state(self, ftp: PlainFtp | TlsFtp) -> tuple[int | None, Validator | None]:
        """Return size and validator, each None where the server does not tell.

        A file that is not there is told by RETR: servers refuse SIZE and MDTM for other reasons.
        """
        size = _number(self._ask(ftp, "SIZE"), r"213 (\d{1,18})\b")
        time = _number(self._ask(ftp, "MDTM"), r"213 (\d{14}(?:\.\d+)?)")
        total = int(size) if size is not None else None
        known = time is not None and total is not None
        return total, Validator("mtime", f"{time} {total}") if known else None

    def _ask(self, ftp: PlainFtp | TlsFtp, command: str) -> str:
        try:
            return ftp.sendcmd(f"{command} {self._path}")
        except ftplib.error_perm:
            return ""

    def _retrieve(self, ftp: PlainFtp | TlsFtp, offset: int) -> tuple[int, socket.socket]:
        """Open the data connection; from the first byte where the server cannot begin elsewhere."""
        command = f"RETR {self._path}"
        if offset:
            try:
                data = ftp.ntransfercmd(command, offset)[0]
            except ftplib.error_perm as error:
                if code_of(error) == "554":  # beyond the end
                    raise Changed("the file ends before what is here") from None
                if not is_unknown_command(error):
                    raise
            else:
                data.settimeout(self._options.stall_s)
                return offset, data
        data = ftp.ntransfercmd(command)[0]
        data.settimeout(self._options.stall_s)
        return 0, data

    def _body(
        self,
        ftp: PlainFtp | TlsFtp,
        data: socket.socket,
        at: int,
        total: int | None,
        before: Validator | None,
    ) -> Iterator[bytes]:
        """Yield the bytes; at their end hear whether the server agrees that it is the end."""
        most = min(_READ, self._options.chunk_bytes)
        try:
            while piece := data.recv(most):
                at += len(piece)
                yield piece
            self._hear_end(ftp, data, complete=at == total)
            if before is not None and at == total and self._state(ftp)[1] not in (None, before):
                raise Changed("the file was changed while it was transferred")
        except TimeoutError:
            raise Passing(f"nothing came for {self._options.stall_s:g} s") from None
        except FAULTS as error:
            if at == total and not isinstance(error, ftplib.Error):
                return  # the commands' connection has died of age, and all bytes are here
            raise fault(error, self.where) from None

    def _hear_end(self, ftp: PlainFtp | TlsFtp, data: socket.socket, *, complete: bool) -> None:
        patience_s = min(_PATIENCE_S, self._options.stall_s)
        if isinstance(data, ssl.SSLSocket):
            data.settimeout(patience_s)
            with suppress(OSError):
                data.unwrap().close()
        data.close()
        if complete and ftp.sock is not None:
            ftp.sock.settimeout(patience_s)
        try:
            ftp.voidresp()
        except TimeoutError:
            if not complete:
                raise
            raise EOFError from None


def _require_same(
    offset: int, total: int | None, now: Validator | None, before: Validator | None
) -> None:
    if total is not None and total < offset:
        raise Changed(f"the file has {total} bytes now, fewer than are here")
    if before is not None and now is not None and now != before:
        raise Changed("the file has changed where it lies")


def _number(reply: str, pattern: str) -> str | None:
    found = re.match(pattern, reply)
    return found[1] if found else None

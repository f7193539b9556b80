"""Into an FTP server: connect, begin TLS where the URL says so, log in once."""

from __future__ import annotations

import ftplib
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from alos2.errors import LoginFailed, TransferFailed
from alos2.sources.credentials import Credential
from alos2.sources.credentials.refused import login_attempt
from alos2.sources.ftpwire import FAULTS, IMPLICIT_TLS_PORT, PlainFtp, TlsFtp, fault
from alos2.sources.hosturl import HostUrl, said_by
from alos2.sources.model import TransferOptions
from alos2.sources.tls import tls_context

log = logging.getLogger(__name__)

_GOODBYE_S: Final = 5.0
_ANONYMOUS: Final = ("anonymous", "anonymous@")
_NO_ANONYMOUS: Final = "it takes no anonymous users: give an account in a profile or a netrc file"


@contextmanager
def logged_in(
    place: HostUrl, credential: Credential | None, options: TransferOptions
) -> Iterator[PlainFtp | TlsFtp]:
    """Connect and log in, once; closed at the end.

    Parameters
    ----------
    place : HostUrl
        ``ftps`` as its scheme means TLS.
    credential : Credential, optional
        Who we are; None: anonymous.
    options : TransferOptions
        Timeouts.

    Raises
    ------
    LoginFailed, TransferFailed
        Another try will not help.
    Passing
        It may.
    """
    ca_file = credential.ca_file if credential is not None else None
    is_secure = place.scheme == "ftps"
    ftp = TlsFtp(context=tls_context(ca_file)) if is_secure else PlainFtp()
    try:
        _connect(ftp, place, options)
        _log_in(ftp, place, credential)
        yield ftp
    finally:
        with suppress(*FAULTS, AttributeError):
            if ftp.sock is not None:
                ftp.sock.settimeout(_GOODBYE_S)
                ftp.putcmd("QUIT")
        ftp.close()


def _connect(ftp: PlainFtp | TlsFtp, place: HostUrl, options: TransferOptions) -> None:
    try:
        ftp.connect(place.host, place.port, timeout=options.connect_s)
        if ftp.sock is not None:
            ftp.sock.settimeout(options.stall_s)
            # Between the commands lies the whole transfer: keep firewalls from forgetting us.
            ftp.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if isinstance(ftp, TlsFtp) and place.port != IMPLICIT_TLS_PORT:
            _begin_tls(ftp, place.where)
    except FAULTS as error:
        raise fault(error, place.where, connecting=True) from None


def _begin_tls(ftp: TlsFtp, where: str) -> None:
    try:
        ftp.auth()
    except ftplib.error_perm as error:
        raise TransferFailed(
            f"{where} does not offer TLS: {said_by(error)}",
            hint="ftps:// is never continued without encryption",
        ) from None


def _log_in(ftp: PlainFtp | TlsFtp, place: HostUrl, mine: Credential | None) -> None:
    where = place.where
    if mine is None or not mine.username:
        _send(ftp, where, *_ANONYMOUS, _NO_ANONYMOUS)
    elif mine.password is None:
        _send(ftp, where, mine.username, "", f"there is no password for {mine.username}")
    else:
        if not isinstance(ftp, TlsFtp):
            log.warning("%s: the password goes over an open connection", where)
        with login_attempt(mine, where=where) as attempt:
            try:
                _send(ftp, where, mine.username, mine.password.reveal(), "")
            except LoginFailed as error:
                if error.hint:  # it is not about the password
                    raise
                raise attempt.refused(error.message) from None
            attempt.accepted()
    try:
        ftp.secure()
    except FAULTS as error:
        raise fault(error, where) from None


def _send(ftp: PlainFtp | TlsFtp, where: str, user: str, password: str, hint: str) -> None:
    """Send name and password; `hint` is for a refusal that has none of its own."""
    try:
        # FTP's own login, as that of FTP_TLS would begin TLS by itself.
        ftplib.FTP.login(ftp, user, password)  # noqa: S321  (or over TLS, as the URL says)
    except FAULTS as error:
        found = fault(error, where, logging_in=isinstance(error, ftplib.Error))
        if isinstance(found, LoginFailed) and not found.hint:
            found = LoginFailed(found.message, hint=hint)
        raise found from None

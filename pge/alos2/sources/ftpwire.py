"""The FTP connection itself: plain, or with TLS for commands and data, certificates verified.

RFC 959 (FTP), RFC 3659 (SIZE, MDTM, REST STREAM), RFC 4217 (explicit TLS). TLS is never left out
because a server lacks it.
"""

from __future__ import annotations

import ftplib
import re
import socket
import ssl
from typing import Final

from alos2.causes import cause_of
from alos2.errors import LoginFailed, NothingFound, TransferFailed
from alos2.sources.hosturl import said_by
from alos2.sources.remote import Passing

IMPLICIT_TLS_PORT: Final = 990
FAULTS: Final = (ftplib.Error, EOFError, OSError)
"""All that a connection may raise."""
CA_HINT: Final = (
    "name the site's own CA file in the profile (ca_file) or in REQUESTS_CA_BUNDLE; TLS is never "
    "switched off"
)

_CROWDED: Final = re.compile(r"(?i)too many|maximum|max(?:\.|imum)? (?:number|clients|users)|limit")
_PASSWORD: Final = re.compile(r"(?i)passw|login (?:attempt|fail)|authenticat|attempts|fail")
_DENIED: Final = re.compile(r"(?i)permission|denied|not allowed|not permitted|forbidden|access")
_NOT_KNOWN: Final = frozenset({"500", "501", "502", "503", "504"})


class PlainFtp(ftplib.FTP):
    """FTP without encryption."""

    def secure(self) -> None:
        """Leave the data plain."""


class TlsFtp(ftplib.FTP_TLS):
    """FTP over TLS, for its commands and for its data.

    Parameters
    ----------
    context : ssl.SSLContext
        Verifies.
    timeout : float
        Seconds to wait for a connection.
    """

    def secure(self) -> None:
        """Encrypt the data, too."""
        self.prot_p()

    def connect(  # type: ignore[override]
        self, host: str, port: int, *, timeout: float
    ) -> str:
        """Connect; at port 990 TLS comes first (implicit), else after a plain greeting."""
        if port != IMPLICIT_TLS_PORT:
            return super().connect(host, port, timeout=timeout)
        self.host, self.port, self.timeout = host, port, timeout
        plain = socket.create_connection((host, port), timeout)
        self.af = plain.family
        self.sock = self.context.wrap_socket(plain, server_hostname=host)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome

    def ntransfercmd(
        self, cmd: str, rest: int | str | None = None
    ) -> tuple[socket.socket, int | None]:
        """Open a data connection in the TLS session of the commands, as servers demand."""
        plain, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321  (TLS follows)
        session = self.sock.session if isinstance(self.sock, ssl.SSLSocket) else None
        try:
            return self.context.wrap_socket(plain, server_hostname=self.host, session=session), size
        except BaseException:
            plain.close()
            raise


def code_of(error: BaseException) -> str:
    """Return the three digits of a server's reply; empty if it is none."""
    found = re.match(r"\d{3}", str(error)) if isinstance(error, ftplib.Error) else None
    return found[0] if found else ""


def is_unknown_command(error: ftplib.Error) -> bool:
    """Tell whether the server does not know (or want) a command, which need not be a fault."""
    return code_of(error) in _NOT_KNOWN


def fault(
    error: BaseException, where: str, *, logging_in: bool = False, connecting: bool = False
) -> Exception:
    """Return what an error of the connection means to who asked for a file.

    Parameters
    ----------
    error : BaseException
        Of ftplib, ssl or the system.
    where : str
        Who is spoken to.
    logging_in : bool
        It came as the answer to a name and password.
    connecting : bool
        There was no connection before it.
    """
    if isinstance(error, ftplib.error_perm):
        return _refusal(error, where, logging_in=logging_in)
    if isinstance(error, ftplib.Error):
        code = code_of(error)
        if code == "430" or (logging_in and code in ("331", "332")):
            return LoginFailed(f"{where} refused the login: {said_by(error)}")
        return Passing(f"answered {said_by(error)}")
    if isinstance(error, ssl.SSLError):
        final = _tls_fault(error, where)
        if final is not None:
            return final
    if connecting:
        return Passing(f"no connection: {cause_of(error)}")
    return Passing(f"the connection broke ({_cause(error)})")


def _cause(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "nothing came for too long"
    return "it was closed" if isinstance(error, EOFError) else cause_of(error)


def _tls_fault(error: ssl.SSLError, where: str) -> TransferFailed | None:
    """Return what will not be better next time; None where it may."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = f"its certificate is not trusted: {error.verify_message}"
        return TransferFailed(f"no safe connection to {where}: {why}", hint=CA_HINT)
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        return TransferFailed(f"{where} does not speak TLS there", hint="check the port")
    return None


def _refusal(error: ftplib.error_perm, where: str, *, logging_in: bool) -> Exception:
    """Tell what a reply that begins with 5 means."""
    code, said = code_of(error), said_by(error)
    if logging_in or code in ("530", "532"):
        if _CROWDED.search(said) and not _PASSWORD.search(said):
            return Passing(f"answered {said}")
        if re.search(r"(?i)\b(?:tls|ssl|encrypt)", said):
            return LoginFailed(f"{where} wants encryption: {said}", hint="write ftps:// in the URL")
        return LoginFailed(f"{where} refused the login: {said}")
    if code == "550" and _DENIED.search(said) and not re.search(r"(?i)no such|not found", said):
        return LoginFailed(
            f"{where} does not let this account read the file: {said}",
            hint="check the account's rights, and the path",
        )
    if code in ("550", "553"):
        return NothingFound(f"{where} has no such file: {said}", hint="check the path")
    return TransferFailed(f"{where} answered {said}")

"""An SSH connection with SFTP, on an event loop of its own in a thread of its own.

The engine reads in ordinary threads; asyncssh is asynchronous. One loop a transfer keeps a fault in
one from touching another. A password is sent at most once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import asyncssh

from alos2.causes import cause_of
from alos2.errors import NothingFound, TransferFailed
from alos2.sources.credentials import Credential
from alos2.sources.credentials.refused import login_attempt
from alos2.sources.hosturl import HostUrl, said_by
from alos2.sources.model import TransferOptions
from alos2.sources.remote import Passing
from alos2.sources.sftp import FileDenied
from alos2.sources.sshlogin import denied, who
from alos2.sources.sshloop import Loop
from alos2.sources.sshtrust import HostTrust

_GOODBYE_S: Final = 3.0
_LOGIN_S: Final = 30.0
_CIPHERS: Final = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)
"""Quick ones first: processors have AES built in."""


class _Client(asyncssh.SSHClient):
    def __init__(self, trust: HostTrust) -> None:
        self._trust = trust

    def validate_host_public_key(
        self,
        host: str,  # noqa: ARG002
        addr: str,  # noqa: ARG002
        port: int,  # noqa: ARG002
        key: asyncssh.SSHKey,
    ) -> bool:
        return self._trust.accepts(key)


class SshLink:
    """An open connection.

    Parameters
    ----------
    loop : Loop
        Where it lives.
    sftp : asyncssh.SFTPClient
        Its file system.
    """

    def __init__(self, loop: Loop, sftp: asyncssh.SFTPClient) -> None:
        self.loop = loop
        self.sftp = sftp


@contextmanager
def sftp_link(
    place: HostUrl, credential: Credential | None, options: TransferOptions
) -> Iterator[SshLink]:
    """Connect, check the host key, log in once; closed at the end.

    Raises
    ------
    LoginFailed, TransferFailed, UsageError
        Another try will not help.
    Passing
        It may.
    """
    # asyncssh tells users and hosts at INFO, and bytes at DEBUG.
    asyncssh.set_log_level("WARNING")
    trust = HostTrust(place, credential.host_key if credential is not None else None)
    arguments = {**who(place, credential), **_how(place, options, trust)}
    loop = Loop(f"alos2-sftp-{place.host}")
    try:
        connection = _believed(loop, place, credential, trust, arguments)
        try:
            yield SshLink(loop, _started(loop, connection, place))
        finally:
            loop.run(_goodbye(connection))
    finally:
        loop.close()


def _believed(
    loop: Loop,
    place: HostUrl,
    credential: Credential | None,
    trust: HostTrust,
    arguments: dict[str, Any],
) -> asyncssh.SSHClientConnection:
    """Connect; again where the server may have the pinned host key besides the one it showed."""
    while True:
        try:
            return _connected(loop, place, credential, arguments)
        except asyncssh.HostKeyNotVerifiable:
            others = trust.other_kinds()
            if others is None:
                raise trust.refusal() from None
            arguments = {**arguments, "server_host_key_algs": others}
        except (asyncssh.Error, OSError, asyncio.TimeoutError) as error:
            raise _connect_fault(error, place, trust) from None


def _connected(
    loop: Loop, place: HostUrl, credential: Credential | None, arguments: dict[str, Any]
) -> asyncssh.SSHClientConnection:
    password = credential.password if credential is not None else None
    if credential is None or password is None or credential.key_file is not None:
        try:
            return loop.run(_connect(arguments))
        except asyncssh.PermissionDenied as error:
            raise denied(error, place, credential) from None
    sent: list[bool] = []

    def give() -> str:
        sent.append(True)
        return password.reveal()

    with login_attempt(credential, where=place.where) as attempt:
        try:
            connection = loop.run(_connect({**arguments, "password": give}))
        except asyncssh.PermissionDenied as error:
            refusal = denied(error, place, credential)
            if not sent:  # it takes no passwords, so this one has not been refused
                raise refusal from None
            raise attempt.refused(refusal.message) from None
        attempt.accepted()
        return connection


def _connect_fault(error: Exception, place: HostUrl, trust: HostTrust) -> Exception:
    if isinstance(error, asyncssh.KeyExchangeFailed):
        if "host key" in str(error).lower():
            return trust.refusal()
        return TransferFailed(f"{place.where} and we have no way to encrypt in common")
    return fault(error, place.where, connecting=True)


async def _connect(arguments: dict[str, Any]) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(**arguments)


def _started(
    loop: Loop, connection: asyncssh.SSHClientConnection, place: HostUrl
) -> asyncssh.SFTPClient:
    try:
        return loop.run(_start(connection))
    except asyncssh.ChannelOpenError:
        raise TransferFailed(f"{place.where} lets us in but has no SFTP") from None
    except (asyncssh.Error, OSError) as error:
        raise fault(error, place.where) from None


async def _start(connection: asyncssh.SSHClientConnection) -> asyncssh.SFTPClient:
    return await connection.start_sftp_client()


async def _goodbye(connection: asyncssh.SSHClientConnection) -> None:
    connection.close()
    try:
        await asyncio.wait_for(connection.wait_closed(), _GOODBYE_S)
    except (asyncio.TimeoutError, OSError, asyncssh.Error):
        connection.abort()


def _how(place: HostUrl, options: TransferOptions, trust: HostTrust) -> dict[str, Any]:
    return {
        "host": place.host,
        "port": place.port,
        "config": None,  # what ~/.ssh/config says must not change what is believed here
        "known_hosts": trust.known,
        "x509_trusted_certs": None,
        "client_factory": lambda: _Client(trust),
        "connect_timeout": options.connect_s,
        "login_timeout": max(options.connect_s, min(_LOGIN_S, options.stall_s)),
        "compression_algs": None,
        "encryption_algs": _CIPHERS,
    }


def fault(error: BaseException, where: str, *, connecting: bool = False) -> Exception:
    """Return what an error of asyncssh means to who asked for a file."""
    final = _final(error, where)
    if final is not None:
        return final
    if isinstance(error, asyncio.TimeoutError | TimeoutError):
        said = "it took too long"
    else:
        said = cause_of(error) if isinstance(error, OSError) else said_by(error)
    return Passing(f"no connection: {said}" if connecting else f"the connection broke ({said})")


def _final(error: BaseException, where: str) -> Exception | None:
    """Return what will not be better next time; None where it may."""
    if isinstance(error, asyncssh.SFTPNoSuchFile | asyncssh.SFTPNoSuchPath):
        return NothingFound(f"{where} has no such file", hint="check the path")
    if isinstance(error, asyncssh.SFTPPermissionDenied):
        return FileDenied(
            f"{where} does not let this account read the file",
            hint="check the path; a portal may want the file to be requested first",
        )
    if isinstance(error, asyncssh.SFTPOpUnsupported | asyncssh.SFTPBadMessage):
        return TransferFailed(f"{where} does not understand SFTP as we speak it")
    if isinstance(error, asyncssh.ProtocolNotSupported | asyncssh.ServiceNotAvailable):
        return TransferFailed(f"{where} does not speak SSH as we do: {said_by(error)}")
    return None

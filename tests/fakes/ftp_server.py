"""An FTP server on loopback (pyftpdlib), plain or with TLS, that can do wrong what servers do."""

from __future__ import annotations

import os
import threading
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

with warnings.catch_warnings():  # asyncore, which is gone from Python 3.12 on
    warnings.simplefilter("ignore", DeprecationWarning)
    from pyftpdlib.authorizers import AuthenticationFailed, DummyAuthorizer
    from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.log import logger
    from pyftpdlib.servers import FTPServer


@dataclass
class FtpFaults:
    """What goes wrong, from now on; counts go down to 0."""

    cut_at: list[int] = field(default_factory=list)
    """Bytes after which a data connection is dropped, one entry for each transfer."""
    silent_cut: bool = False
    """Dropped together with the commands' connection, as by a dead link; else with a 426."""
    stall_at: int | None = None
    """Nothing comes any more after so many bytes."""
    no_size: bool = False
    no_mdtm: bool = False
    no_rest: bool = False
    busy: int = 0
    """So many connections are answered 421."""
    crowded: int = 0
    """So many logins are answered 530 because of the number of users, not of the password."""
    deaf_end: bool = False
    """The last byte is followed by no 226: the commands' connection has died."""
    touch_after: bool = False
    """The file gets another time as soon as it has been sent."""


class _Authorizer(DummyAuthorizer):
    def __init__(self, fake: FtpServer) -> None:
        super().__init__()
        self._fake = fake

    def validate_authentication(self, user_name: str, password: str, handler: Any) -> None:
        if self._fake.faults.crowded:
            self._fake.faults.crowded -= 1
            raise AuthenticationFailed("Sorry, the maximum number of users is logged in.")
        self._fake.passwords.append((user_name, password))
        super().validate_authentication(user_name, password, handler)


def _data_handler(base: type[Any], fake: FtpServer) -> type[Any]:
    class Data(base):  # type: ignore[misc]
        _cut: int | None = None
        _stalled = False

        def _plan(self) -> None:
            if self._cut is None:
                cuts = fake.faults.cut_at
                self._cut = cuts.pop(0) if cuts else -1

        def send(self, data: bytes) -> int:
            self._plan()
            faults = fake.faults
            if faults.stall_at is not None and self.tot_bytes_sent + len(data) > faults.stall_at:
                time.sleep(0.01)
                return 0
            cut = -1 if self._cut is None else self._cut
            if 0 <= cut < self.tot_bytes_sent + len(data):
                if cut > self.tot_bytes_sent:
                    super().send(data[: cut - self.tot_bytes_sent])
                if faults.silent_cut:
                    self.cmd_channel.close()
                else:
                    self._resp = ("426 Connection closed; transfer aborted.", logger.debug)
                self.close()
                return 0
            return int(super().send(data))

    Data.__name__ = base.__name__
    return Data


def _control_handler(base: type[Any], fake: FtpServer) -> type[Any]:
    class Control(base):  # type: ignore[misc]
        def on_connect(self) -> None:
            if fake.faults.busy:
                fake.faults.busy -= 1
                self.respond("421 Too many connections, try again later.")
                self.close_when_done()

        def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
            fake.commands.append(line)
            faults = fake.faults
            off = {"SIZE": faults.no_size, "MDTM": faults.no_mdtm, "REST": faults.no_rest}
            if off.get(cmd):
                self.respond(f"502 Command {cmd} not implemented.")
                return
            super().pre_process_command(line, cmd, arg)

        def respond(self, resp: str, logfun: Any = None) -> None:
            if fake.faults.deaf_end and resp.startswith("226"):
                self.close()
                return
            super().respond(resp, *(() if logfun is None else (logfun,)))

        def on_file_sent(self, file: str) -> None:
            if fake.faults.touch_after:
                os.utime(file, (1_000_000_000, 1_000_000_000))

    return Control


class FtpServer:
    """Serves `root`.

    Parameters
    ----------
    root : Path
        What is served.
    users : dict
        Passwords by user; ``anonymous`` with any password if it is there.
    certificate : str, optional
        PEM file with key and chain: then TLS is offered, and needed for logins and data.
    """

    def __init__(
        self, root: Path, *, users: dict[str, str] | None = None, certificate: str | None = None
    ) -> None:
        self.faults = FtpFaults()
        self.passwords: list[tuple[str, str]] = []
        """Every password that came, with its user."""
        self.commands: list[str] = []
        authorizer = _Authorizer(self)
        for user, password in (users or {}).items():
            authorizer.add_user(user, password, str(root), perm="elr")
        if users is None:
            authorizer.add_anonymous(str(root))
        control: type[Any] = _control_handler(TLS_FTPHandler if certificate else FTPHandler, self)
        control.dtp_handler = _data_handler(TLS_DTPHandler if certificate else DTPHandler, self)
        control.authorizer = authorizer
        control.auth_failed_timeout = 0.01
        control.use_sendfile = False
        if certificate:
            control.certfile = certificate
            control.tls_control_required = True
            control.tls_data_required = True
            control.ssl_context = None
        self._loop = IOLoop()
        self._server = FTPServer(("127.0.0.1", 0), control, ioloop=self._loop)
        self.port: int = self._server.address[1]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._secure = certificate is not None

    def url(self, path: str, *, userinfo: str = "", scheme: str | None = None) -> str:
        """Return the URL of `path`, which begins without a slash."""
        scheme = scheme or ("ftps" if self._secure else "ftp")
        return f"{scheme}://{userinfo}{'@' if userinfo else ''}localhost:{self.port}/{path}"

    def count(self, command: str) -> int:
        """Return how often a command came."""
        return sum(line.partition(" ")[0].upper() == command for line in self.commands)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._loop.loop(timeout=0.02, blocking=False)
        self._server.close_all()

    def __enter__(self) -> FtpServer:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join(5)

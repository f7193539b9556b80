"""An SFTP server on loopback (asyncssh) that can do wrong what servers and links do wrong."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import asyncssh


@dataclass
class SftpFaults:
    """What goes wrong, from now on."""

    cut_at: list[int] = field(default_factory=list)
    """Offsets in the file at which the connection is dropped, one entry for each transfer."""
    stall_at: int | None = None
    """Nothing is answered any more to reads beyond this offset."""
    short_reads: bool = False
    """Reads give at most 1000 bytes, as servers may."""
    denied: bool = False
    """Files may not be opened."""
    refuse: int = 0
    """So many connections are dropped before the login."""


class _Server(asyncssh.SSHServer):
    def __init__(self, fake: SftpServer) -> None:
        self._fake = fake

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._fake.connections += 1
        if self._fake.faults.refuse:
            self._fake.faults.refuse -= 1
            conn.abort()

    def begin_auth(self, username: str) -> bool:
        self._fake.users.append(username)
        return True

    def public_key_auth_supported(self) -> bool:
        return self._fake.keys is not None

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return self._fake.keys is not None and any(
            key.get_fingerprint() == known.get_fingerprint() for known in self._fake.keys
        )

    def password_auth_supported(self) -> bool:
        return self._fake.password is not None and not self._fake.interactive

    def validate_password(self, username: str, password: str) -> bool:
        self._fake.passwords.append(password)
        return password == self._fake.password

    def kbdint_auth_supported(self) -> bool:
        return self._fake.password is not None

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: Any) -> bool:
        self._fake.passwords.extend(responses)
        return list(responses) == [self._fake.password]


class _Files(asyncssh.SFTPServer):
    def __init__(self, chan: Any, fake: SftpServer) -> None:
        super().__init__(chan, chroot=str(fake.root).encode())
        self._fake = fake
        self._connection = chan.get_connection()
        self._cut: int | None = None

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if self._fake.faults.denied:
            raise asyncssh.SFTPPermissionDenied("no right to read this")
        cuts = self._fake.faults.cut_at
        self._cut = cuts.pop(0) if cuts else None
        opened: Any = super().open(path, pflags, attrs)
        self._fake.opened.append(opened)
        return opened

    async def read(self, file_obj: Any, offset: int, size: int) -> bytes:  # type: ignore[override]
        faults = self._fake.faults
        self._fake.first_reads.setdefault(id(self), offset)
        if self._cut is not None and offset + size > self._cut:
            await asyncio.sleep(0.05)  # what was answered before arrives
            self._connection.abort()
            raise asyncssh.SFTPConnectionLost("cut")
        if faults.stall_at is not None and offset + size > faults.stall_at:
            await asyncio.sleep(30)
        data = super().read(file_obj, offset, min(size, 1000) if faults.short_reads else size)
        return bytes(data)  # type: ignore[arg-type]


class SftpServer:
    """Serves `root`.

    Parameters
    ----------
    root : Path
        What is served, as its root.
    password : str, optional
        What everybody's password is; None: no passwords are taken.
    keys : sequence of SSHKey, optional
        Public keys that may log in; None: no keys are taken.
    interactive : bool
        Passwords are only taken by keyboard-interactive.
    host_keys : sequence of SSHKey, optional
        The server's own; else a new ed25519 key.
    """

    def __init__(
        self,
        root: Path,
        *,
        password: str | None = None,
        keys: list[asyncssh.SSHKey] | None = None,
        interactive: bool = False,
        host_keys: list[asyncssh.SSHKey] | None = None,
    ) -> None:
        self.root = root
        self.password = password
        self.keys = keys
        self.interactive = interactive
        self.host_keys = host_keys or [asyncssh.generate_private_key("ssh-ed25519")]
        self.faults = SftpFaults()
        self.passwords: list[str] = []
        """Every password that came."""
        self.users: list[str] = []
        self.connections = 0
        self.first_reads: dict[int, int] = {}
        """Where each transfer began to read."""
        self.opened: list[Any] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda loop, context: None)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._acceptor: Any = None

    def url(self, path: str, *, user: str = "") -> str:
        """Return the URL of `path`, which begins with a slash."""
        return f"sftp://{user}{'@' if user else ''}localhost:{self.port}{path}"

    def known_hosts(self) -> str:
        """Return the lines of known_hosts that vouch for this server."""
        keys = (key.export_public_key("openssh").decode().strip() for key in self.host_keys)
        return "".join(f"[localhost]:{self.port} {key}\n" for key in keys)

    def fingerprint(self, number: int = 0) -> str:
        """Return ``SHA256:...`` of a host key."""
        return str(self.host_keys[number].get_fingerprint())

    def restart(self, host_keys: list[asyncssh.SSHKey]) -> None:
        """Come back at the same port with other host keys."""
        self._run(self._stop())
        self.host_keys = host_keys
        self._run(self._listen())

    async def _listen(self) -> None:
        self._acceptor = await asyncssh.create_server(
            lambda: _Server(self),
            "127.0.0.1",
            self.port,
            server_host_keys=self.host_keys,
            sftp_factory=lambda chan: _Files(chan, self),
            login_timeout=5,
        )
        self.port = self._acceptor.get_port()

    async def _stop(self) -> None:
        self._acceptor.close()
        await self._acceptor.wait_closed()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def __enter__(self) -> SftpServer:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run(self._stop())
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
        for file in self.opened:  # those of connections that were cut
            file.close()

    async def _end(self) -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(3):
            await asyncio.sleep(0)

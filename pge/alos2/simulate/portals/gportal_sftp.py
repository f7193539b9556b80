"""The file server of G-Portal's new site: SFTP, by key only. Needs asyncssh.

Below the root lie ``product/Standard/...`` and ``provide`` (empty), as on the real one; the paths
of the catalogue (``/products/...``) do not exist.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any

from alos2.errors import NoResource
from alos2.simulate.portals.gportal import PLACE
from alos2.simulate.portals.offer import Offer

ROOT = "product/Standard/"


def new_key(path: Path) -> str:
    """Write a new private key (ed25519, for the owner's eyes only); return its public half.

    Raises
    ------
    NoResource
        asyncssh is not installed.
    """
    key = _asyncssh().generate_private_key("ssh-ed25519")
    path.touch(mode=0o600)
    path.write_bytes(key.export_private_key())
    public: bytes = key.export_public_key()
    return public.decode()


def _asyncssh() -> Any:
    try:
        import asyncssh  # noqa: PLC0415  an extra
    except ImportError:
        raise NoResource(
            "asyncssh is not installed", hint="pip install 'alos2-ingest[sftp]'"
        ) from None
    return asyncssh


def lay_out(offers: Sequence[Offer], root: Path) -> None:
    """Put the deliveries where the server has them; without copies where links are possible."""
    place = root / ROOT / PLACE
    place.mkdir(parents=True, exist_ok=True)
    (root / "provide").mkdir(exist_ok=True)
    for offer in offers:
        target = place / offer.archive.name
        target.unlink(missing_ok=True)
        try:
            os.link(offer.archive, target)
        except OSError:
            shutil.copyfile(offer.archive, target)


class SftpServer:
    """Serves a folder on loopback, in a thread of its own; a context manager.

    Parameters
    ----------
    root : Path
        The folder, as `lay_out` made it.
    username : str
        Who may come in.
    public_key : str
        With which key, in OpenSSH's words.

    Raises
    ------
    NoResource
        asyncssh is not installed.
    """

    def __init__(self, root: Path, username: str, public_key: str) -> None:
        self._asyncssh = _asyncssh()
        self._root = root
        self._username = username
        self._client = self._asyncssh.import_public_key(public_key)
        self._host_key = self._asyncssh.generate_private_key("ssh-ed25519")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready: Future[int] = Future()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port = 0

    @property
    def host_key(self) -> str:
        """The fingerprint to pin: ``SHA256:...``."""
        fingerprint: str = self._host_key.get_fingerprint()
        return fingerprint

    @property
    def url(self) -> str:
        """``sftp://127.0.0.1:port``."""
        return f"sftp://127.0.0.1:{self.port}"

    def sftp(self, channel: Any) -> Any:
        """Make what serves one connection; a test's fake puts its faults here."""
        return self._asyncssh.SFTPServer(channel, chroot=os.fsencode(self._root))

    def _guard(self) -> Any:
        """Make what decides who may come in."""
        asyncssh, client, expected = self._asyncssh, self._client, self._username

        class Guard(asyncssh.SSHServer):  # type: ignore[misc,name-defined]
            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, username: str, key: Any) -> bool:
                return username == expected and bool(key.public_data == client.public_data)

        return Guard()

    def _run(self) -> None:
        self._loop = asyncio.new_event_loop()
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        try:
            server = await self._asyncssh.create_server(
                self._guard,
                "127.0.0.1",
                0,
                server_host_keys=[self._host_key],
                # No password is ever asked for.
                password_auth=False,
                kbdint_auth=False,
                sftp_factory=self.sftp,
            )
        except OSError as error:
            self._ready.set_exception(error)
            return
        self._ready.set_result(server.get_port())
        await self._stop.wait()
        server.close()
        await server.wait_closed()

    def __enter__(self) -> SftpServer:
        self._thread.start()
        self.port = self._ready.result(10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(5)

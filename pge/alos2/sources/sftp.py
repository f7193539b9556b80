"""sftp:// as a `Remote`: many reads on their way at once, size and time to know the object.

The path is absolute; ``sftp://host/~/x.zip`` is relative to the login folder. Host keys: see
`alos2.sources.sshtrust`. Needs asyncssh: ``pip install 'alos2-ingest[sftp]'``.
"""

from __future__ import annotations

import asyncio
import stat
from collections import deque
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

from alos2.dataset.provenance import public_url
from alos2.errors import LoginFailed, NothingFound
from alos2.sources.credentials import Credential
from alos2.sources.extras import require_extra
from alos2.sources.hosturl import credential_for, host_url
from alos2.sources.model import TransferOptions
from alos2.sources.remote import Changed, Passing, Remote, Reply, Validator

if TYPE_CHECKING:
    import asyncssh

    from alos2.sources.sshlink import SshLink

_Result = TypeVar("_Result")

PORT: Final = 22
_BLOCK: Final = 1 << 16
_IN_FLIGHT: Final = 64
"""4 MiB are asked for ahead: 20 MB/s over a link that takes 200 ms for an answer."""


@contextmanager
def open_remote(url: str, *, options: TransferOptions, credential: str | None) -> Iterator[Remote]:
    """Give the file at `url`; see `alos2.sources.registry`."""
    found = credential_for(host_url(url, PORT), credential)
    yield SftpRemote(url, options=options, credential=found)


class FileDenied(LoginFailed):
    """The server let us in, and does not let this account read the file."""


class SftpRemote:
    """A file on an SSH server.

    Parameters
    ----------
    url : str
        ``sftp://``.
    credential : Credential, optional
        Who we are, and whom we believe; None: this user's own keys.
    options : TransferOptions, optional
        Timeouts.

    Raises
    ------
    UsageError
        `url` names no host or no file, or asyncssh is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        credential: Credential | None = None,
        options: TransferOptions = TransferOptions(),  # noqa: B008
    ) -> None:
        require_extra("sftp", "sftp://")
        self._place = host_url(url, PORT)
        self._credential = credential
        self._options = options
        path = self._place.path
        self._path = path[3:] if path.startswith("/~/") else path
        self.url = public_url(url)
        self.where = self._place.where

    @contextmanager
    def open(self, offset: int, validator: Validator | None) -> Iterator[Reply]:
        """Begin to read at `offset`; see `alos2.sources.remote.Remote`."""
        from alos2.sources.sshlink import sftp_link  # noqa: PLC0415  (only where it is installed)

        with sftp_link(self._place, self._credential, self._options) as link:
            reader, total, now = self._opened(link, offset)
            if offset and total is not None and total < offset:
                raise Changed(f"the file has {total} bytes now, fewer than are here")
            if offset and validator is not None and now is not None and now != validator:
                raise Changed("the file has changed where it lies")
            name = self._path.rpartition("/")[2]
            body = self._body(link, reader, now)
            yield Reply(offset, total, now, name, "", body, exact=total is not None)

    def check_login(self) -> None:
        """Connect and log in, once, for ``alos2 doctor``.

        Raises
        ------
        LoginFailed, TransferFailed, Passing
            As `open`.
        """
        from alos2.sources.sshlink import sftp_link  # noqa: PLC0415

        with sftp_link(self._place, self._credential, self._options):
            pass

    def _opened(self, link: SshLink, offset: int) -> tuple[_Reader, int | None, Validator | None]:
        import asyncssh  # noqa: PLC0415

        from alos2.sources.sshlink import fault  # noqa: PLC0415

        stall_s = self._options.stall_s
        try:
            attributes = link.loop.run(_soon(link.sftp.stat(self._path), stall_s))
            if attributes.permissions is not None and stat.S_ISDIR(attributes.permissions):
                raise NothingFound(f"{self.where} has a folder there, not a file")
            # Without a block size each read is one request of ours.
            opened = link.loop.run(_soon(_open(link.sftp, self._path), stall_s))
        except (asyncssh.Error, OSError, asyncio.TimeoutError) as error:
            raise fault(error, self.where) from None
        total = attributes.size
        return _Reader(opened, offset, total, stall_s), total, _validator(attributes)

    def _body(self, link: SshLink, reader: _Reader, before: Validator | None) -> Iterator[bytes]:
        import asyncssh  # noqa: PLC0415

        from alos2.sources.sshlink import fault  # noqa: PLC0415

        try:
            while piece := link.loop.run(reader.next(self._options.chunk_bytes)):
                yield piece
            attributes = link.loop.run(_soon(reader.file.stat(), self._options.stall_s))
        except asyncio.TimeoutError:
            raise Passing(f"nothing came for {self._options.stall_s:g} s") from None
        except (asyncssh.Error, OSError) as error:
            raise fault(error, self.where) from None
        if before is not None and _validator(attributes) != before:
            raise Changed("the file was changed while it was transferred")


async def _open(sftp: asyncssh.SFTPClient, path: str) -> asyncssh.SFTPClientFile:
    return await sftp.open(path, "rb", block_size=0)


async def _soon(work: Awaitable[_Result], seconds: float) -> _Result:
    return await asyncio.wait_for(work, seconds)


def _validator(attributes: asyncssh.SFTPAttrs) -> Validator | None:
    if attributes.mtime is None or attributes.size is None:
        return None
    part = f".{attributes.mtime_ns:09d}" if attributes.mtime_ns else ""
    return Validator("mtime", f"{attributes.mtime}{part} {attributes.size}")


class _Reader:
    """Reads a file in order, with many requests on their way."""

    def __init__(
        self,
        file: asyncssh.SFTPClientFile,
        offset: int,
        total: int | None,
        stall_s: float,
    ) -> None:
        self.file = file
        self._ask_at = offset
        self._end = total
        self._stall_s = stall_s
        self._asked: deque[asyncio.Task[tuple[bytes, bool]]] = deque()

    async def next(self, most: int) -> bytes:
        """Return what comes next, at most about `most` bytes; empty at the end.

        Raises
        ------
        asyncio.TimeoutError
            Nothing has come for too long.
        """
        self._ask()
        if not self._asked:
            return b""
        pieces = [await self._head()]
        size = len(pieces[0])
        while size < most and self._asked and self._asked[0].done():
            pieces.append(await self._head())
            size += len(pieces[-1])
            self._ask()
        return b"".join(pieces)

    async def _head(self) -> bytes:
        piece, short = await asyncio.wait_for(self._asked[0], self._stall_s)
        self._asked.popleft()
        if short and self._end is not None:
            raise Passing("the file ends before its size")
        if short:
            self._end = self._ask_at
        return piece

    def _ask(self) -> None:
        while len(self._asked) < (_IN_FLIGHT if self._end is not None else 1):
            left = _BLOCK if self._end is None else min(_BLOCK, self._end - self._ask_at)
            if left <= 0:
                return
            self._asked.append(asyncio.ensure_future(self._block(self._ask_at, left)))
            self._ask_at += left

    async def _block(self, at: int, count: int) -> tuple[bytes, bool]:
        """Return `count` bytes, and whether the file ended before; servers may send less."""
        pieces: list[bytes] = []
        while count:
            piece: bytes = await self.file.read(count, at)
            if not piece:
                return b"".join(pieces), True
            pieces.append(piece)
            at += len(piece)
            count -= len(piece)
        return b"".join(pieces), False

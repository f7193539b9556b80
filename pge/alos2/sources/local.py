"""Products on this disk: plain paths and ``file:`` URLs. Nothing is copied.

Who wants a checked copy all the same, say of a file on a slow mount, gives `FileRemote` to the
engine.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from alos2.dataset.provenance import public_url
from alos2.errors import LoginFailed, NothingFound, UsageError
from alos2.sources.model import Cancelled, Fetched, TransferOptions, TransferProgress
from alos2.sources.remote import Changed, Passing, Reply, Validator


def path_of(url: str) -> Path:
    """Return the path that a ``file:`` URL names (RFC 8089).

    Raises
    ------
    UsageError
        It names another computer, or no path.
    """
    parts = urlsplit(url)
    if parts.netloc.lower() not in ("", "localhost"):
        raise UsageError(
            f"the file URL names the host {parts.netloc!r}; only this computer's files can be read",
            hint="write file:///path with three slashes, or mount that disk and give its path",
        )
    path = url2pathname(parts.path)
    if not path or "\0" in path:
        raise UsageError("the file URL names no path", hint="write file:///path/to/delivery.zip")
    return Path(path)


def _folder_bytes(folder: Path) -> int:
    """Return the sum of the sizes of the files below `folder`; links are not followed."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                status = (Path(parent) / name).lstat()
            except OSError:  # gone or unreadable: a size for the log, not a check
                continue
            if stat.S_ISREG(status.st_mode):
                total += status.st_size
    return total


class LocalSource:
    """A zip or folder on this disk."""

    def fetch(
        self,
        url: str,
        work_dir: Path,  # noqa: ARG002
        *,
        progress: TransferProgress | None = None,
        cancel: Cancelled | None = None,  # noqa: ARG002
        options: TransferOptions = TransferOptions(),  # noqa: ARG002, B008
        credential: str | None = None,  # noqa: ARG002
    ) -> Fetched:
        """Say where `url`, a path or a ``file:`` URL, lies.

        Raises
        ------
        NothingFound
            There is nothing at the path.
        UsageError
            It is empty, neither file nor folder, cannot be read, or names another computer.
        """
        if not url:
            raise UsageError("the path is empty", hint="give a zip or folder")
        is_url = url[:5].lower() == "file:"
        path = path_of(url) if is_url else Path(url)
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise NothingFound(f"{path} does not exist", hint="check the path") from None
        except (OSError, ValueError) as error:
            raise UsageError(f"{path} cannot be read: {error}", hint="check the path") from None
        if stat.S_ISDIR(status.st_mode):
            size = _folder_bytes(path)
        elif stat.S_ISREG(status.st_mode):
            size = status.st_size
        else:
            raise UsageError(f"{path} is neither a file nor a folder", hint="give a zip or folder")
        if not os.access(path, os.R_OK):
            raise UsageError(f"{path} may not be read by this user", hint="change its permissions")
        if progress is not None:
            progress(size, size)
        return Fetched(path, public_url(url) if is_url else None, size, None, None, 0.0, False)


class FileRemote:
    """A file on this computer as a `Remote`: size and time of change (ns) tell its states apart.

    Parameters
    ----------
    url : str
        ``file:`` URL.
    options : TransferOptions, optional
        ``chunk_bytes``.

    Raises
    ------
    UsageError
        It names another computer, or no path.
    """

    def __init__(
        self,
        url: str,
        *,
        options: TransferOptions = TransferOptions(),  # noqa: B008
    ) -> None:
        self._path = path_of(url)
        self._options = options
        self.url = public_url(url)
        self.where = "this computer"

    @contextmanager
    def open(self, offset: int, validator: Validator | None) -> Iterator[Reply]:
        """Begin to read at `offset`; see `alos2.sources.remote.Remote`."""
        try:
            file = self._path.open("rb", buffering=0)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise NothingFound(f"{self._path} is not there, or no file") from None
        except PermissionError:
            raise LoginFailed(f"{self._path} may not be read by this user") from None
        except OSError as error:
            raise Passing(f"{self._path} cannot be read: {error.strerror}") from None
        with file:
            total, now = _state(file.fileno())
            if offset > total:
                raise Changed(f"the file has {total} bytes now, fewer than are here")
            if offset and validator is not None and validator != now:
                raise Changed("the file has changed where it lies")
            file.seek(offset)
            body = self._body(file, now)
            yield Reply(offset, total, now, self._path.name, "", body)

    def _body(self, file: FileIO, before: Validator) -> Iterator[bytes]:
        try:
            while piece := file.read(self._options.chunk_bytes):
                yield piece
            if _state(file.fileno())[1] != before:
                raise Changed("the file was changed while it was read")
        except OSError as error:
            raise Passing(f"{self._path} cannot be read: {error.strerror}") from None


def _state(handle: int) -> tuple[int, Validator]:
    """Return size in bytes and validator of an open file."""
    status = os.fstat(handle)
    return status.st_size, Validator("mtime", f"{status.st_mtime_ns} {status.st_size}")

"""Products on this disk: plain paths and ``file:`` URLs. Nothing is copied."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from alos2.dataset.provenance import public_url
from alos2.errors import NothingFound, UsageError
from alos2.sources.model import Cancelled, Fetched, TransferOptions, TransferProgress


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

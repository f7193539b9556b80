"""Writing many small files, with the system's refusals as named errors."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from alos2.errors import NoResource, NoSpace


def refusal(path: Path, error: OSError) -> NoResource:
    """Make the error for a file or folder that the system does not let us write."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return NoSpace(f"the disk is full at {path.name}")
    return NoResource(f"{path} cannot be written: {error.strerror or error}")


def write_file(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whose folder exists; nothing of it stays when that fails.

    Raises
    ------
    NoSpace, NoResource
        The system refuses.
    """
    try:
        path.write_bytes(data)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise refusal(path, error) from error


def make_folder(path: Path) -> None:
    """Make a folder and those above it.

    Raises
    ------
    NoSpace, NoResource
        The system refuses.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise refusal(path, error) from error


def move_folder(folder: Path, to: Path) -> None:
    """Move a folder beside itself, in place of an older one of that name.

    Raises
    ------
    NoSpace, NoResource
        The system refuses.
    """
    try:
        if to.exists():
            shutil.rmtree(to)
        folder.replace(to)
    except OSError as error:
        raise refusal(to, error) from error

"""The disk that downloads go to: its folder, its room, and what can go wrong with it."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Final

from alos2.errors import NoResource, NoSpace

_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


def trouble(error: OSError, path: Path) -> NoResource:
    """Return the error that tells of a file that cannot be written."""
    if error.errno in _NO_SPACE:
        return NoSpace(f"the disk of {path.parent} is full")
    return NoResource(
        f"cannot write {path}: {error.strerror or error}",
        hint="check the folder's permissions and its disk",
    )


def make_folder(folder: Path) -> None:
    """Make `folder` where it is missing.

    Raises
    ------
    NoResource
        It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise trouble(error, folder) from None


def require_space(folder: Path, needed: int, margin: int) -> None:
    """Refuse to begin what cannot end.

    Raises
    ------
    NoSpace
        The disk of `folder` has less than `needed` plus `margin` bytes free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + margin:
        raise NoSpace(
            f"the download needs {needed + margin} bytes ({needed} and a margin) on the disk of "
            f"{folder}, which has {free} bytes free"
        )


def publish(part: Path, target: Path) -> None:
    """Give a whole part, which is on the disk already, its name, durably.

    Raises
    ------
    NoResource
        The file cannot be renamed.
    """
    try:
        part.replace(target)
        if os.name == "posix":  # Windows cannot open a folder
            handle = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    except OSError as error:
        raise trouble(error, target) from None

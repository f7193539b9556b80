"""A body becomes a file: first as ``.part``, hashed on the way, renamed when it is whole."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alos2.errors import NoResource, NoSpace
from alos2.sources.model import Cancelled, TransferProgress, stop_if

PART_SUFFIX: Final = ".part"
_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


@dataclass(frozen=True)
class Stored:
    """What was written."""

    part: Path
    size: int
    sha256: str


def _trouble(error: OSError, path: Path) -> NoResource:
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
        raise _trouble(error, folder) from None


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


def reserve(folder: Path, name: str) -> tuple[Path, Path]:
    """Return a free name in `folder` like `name`, and its ``.part``, which is made, empty.

    Another download of the same name, running or done, is not touched: ``x.zip`` becomes
    ``x-2.zip``.

    Raises
    ------
    NoResource
        The folder cannot be written to.
    """
    stem, suffix = Path(name).stem, Path(name).suffix
    number = 1
    while True:
        target = folder / (name if number == 1 else f"{stem}-{number}{suffix}")
        part = target.with_name(target.name + PART_SUFFIX)
        number += 1
        if target.exists():
            continue
        try:
            part.open("xb").close()
        except FileExistsError:
            continue
        except OSError as error:
            raise _trouble(error, part) from None
        return target, part


def write_part(
    chunks: Iterable[bytes],
    part: Path,
    *,
    expected: int | None,
    progress: TransferProgress | None,
    cancel: Cancelled | None,
) -> Stored:
    """Write `chunks` to `part`, hashing them, and force them to the disk.

    Errors of `chunks` pass through. The caller removes `part` after any error.

    Raises
    ------
    NoSpace, NoResource
        The disk is full, or cannot be written to.
    Interrupted
        `cancel` said so.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        file = part.open("wb", buffering=0)
    except OSError as error:
        raise _trouble(error, part) from None
    with file:
        for chunk in chunks:
            stop_if(cancel)
            digest.update(chunk)
            try:
                view = memoryview(chunk)
                while view:
                    view = view[file.write(view) :]
            except OSError as error:
                raise _trouble(error, part) from None
            size += len(chunk)
            if progress is not None:
                progress(size, expected)
        try:
            os.fsync(file.fileno())
        except OSError as error:
            raise _trouble(error, part) from None
    return Stored(part, size, digest.hexdigest())


def publish(stored: Stored, target: Path) -> Path:
    """Give a whole ``.part`` its name, durably.

    Raises
    ------
    NoResource
        The file cannot be renamed.
    """
    try:
        stored.part.replace(target)
    except OSError as error:
        raise _trouble(error, target) from None
    if os.name == "posix":  # Windows cannot open a folder
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    return target

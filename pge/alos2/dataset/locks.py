"""A lock that only one process holds, and that dies with it: a lock file beside a dataset.

The system lets go of it when its holder ends in any way, so a killed run blocks nobody.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Final

from alos2.errors import NoResource

_LOOK_S: Final = 0.05
"""How often a lock is looked at that somebody else holds, seconds."""

if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class FileLock:
    """Hold the lock file at `path`; a context manager.

    Parameters
    ----------
    path : Path
        Made if it is not there, removed at the end.
    purpose : str
        What is being done, for the message to who comes second.
    patience_s : float, optional
        How long to wait for somebody else, seconds.

    Attributes
    ----------
    found : bool
        Whether the file was there already: it stays where its holder is killed.
    stays : bool
        Set it to leave the file behind, so that the next one finds it.

    Raises
    ------
    NoResource
        Somebody else holds it, or the file cannot be made.
    """

    def __init__(self, path: Path, purpose: str, *, patience_s: float = 0.0) -> None:
        self.found = False
        self.stays = False
        self._path = path
        self._purpose = purpose
        self._patience_s = patience_s
        self._handle = -1

    def __enter__(self) -> FileLock:
        deadline = time.monotonic() + self._patience_s
        while not self._acquire(deadline):
            time.sleep(_LOOK_S)
        return self

    def _open(self) -> int:
        """Make the file, or open the one that is there."""
        self.found = False
        try:
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            self.found = True
            return os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)

    def _acquire(self, deadline: float) -> bool:
        """Try it once; False where it is worth another try."""
        try:
            handle = self._open()
        except OSError as error:
            raise NoResource(
                f"{self._path} cannot be made: {error.strerror or error}",
                hint="check that the folder exists and that you may write to it",
            ) from error
        try:
            if not _try_lock(handle):
                if time.monotonic() < deadline:
                    return False
                raise NoResource(
                    f"{self._purpose} by another run at this moment ({self._path.name} is locked)",
                    hint="wait until it has ended, then run the same command again",
                )
            # Who held it before may have removed the file between our open and our lock.
            if not self._is_current(handle):
                return False
            self._handle, handle = handle, -1
        except OSError as error:
            raise NoResource(
                f"{self._path} cannot be locked: {error.strerror or error}",
                hint="use --out on a file system that has locks",
            ) from error
        finally:
            if handle >= 0:
                os.close(handle)
        return True

    def _is_current(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), self._path.stat())
        except FileNotFoundError:
            return False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        handle, self._handle = self._handle, -1
        if self.stays:
            os.close(handle)
        elif sys.platform == "win32":  # an open file cannot be removed there
            os.close(handle)
            self._remove()
        else:
            self._remove()
            os.close(handle)

    def _remove(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except PermissionError:
            return  # Windows: somebody else has it open already, and will remove it

"""One process at a time works on a target; who comes second waits, and is told for whom."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Final

from alos2.dataset.locks import FileLock
from alos2.errors import NoResource
from alos2.sources.model import Cancelled, stop_if

log = logging.getLogger(__name__)

_FIRST_LOOK_S: Final = 0.01
_LOOK_AGAIN_S: Final = 0.25
_MOST_BYTES: Final = 200


class TargetLock:
    """Hold the lock file at `path`; a context manager that waits.

    The system lets go of it when its holder ends in any way, so a killed run blocks nobody. The
    file tells who holds it, behind its first byte, which is the one that Windows locks.

    Parameters
    ----------
    path : Path
        Made if it is not there, with its folder; removed at the end.
    wait_s : float
        Longest wait for another process, seconds.
    cancel : callable, optional
        Ends the wait.
    brief : bool
        It is never held for long, so that nobody need be told of the wait.

    Raises
    ------
    NoResource
        Somebody else held it for longer than `wait_s`, or the file cannot be made.
    Interrupted
        `cancel` said so.
    """

    def __init__(
        self, path: Path, *, wait_s: float, cancel: Cancelled | None = None, brief: bool = False
    ) -> None:
        self._path = path
        self._brief = brief
        self._wait_s = wait_s
        self._cancel = cancel
        self._lock = FileLock(path, "this download is being made")

    def __enter__(self) -> TargetLock:
        until = time.monotonic() + self._wait_s
        told, look_s = self._brief, _FIRST_LOOK_S
        while not self._try():
            stop_if(self._cancel)
            holder = self._holder()
            if time.monotonic() >= until:
                raise NoResource(
                    f"another run ({holder}) has the same download at this moment",
                    hint="run the same command again when that one has ended",
                )
            if not told:
                log.warning("waiting for another run (%s) that has the same download", holder)
                told = True
            time.sleep(min(look_s, max(0.0, until - time.monotonic())))
            look_s = min(_LOOK_AGAIN_S, 2 * look_s)
        return self

    def _try(self) -> bool:
        """Take the lock; False if somebody else holds it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.__enter__()
        except NoResource as error:
            if error.__cause__ is None or isinstance(error.__cause__, FileNotFoundError):
                return False  # held, or its folder was just taken away by who had it before
            raise
        except OSError as error:
            raise NoResource(
                f"{self._path} cannot be made: {error.strerror or error}",
                hint="check the folder's permissions and its disk",
            ) from error
        try:
            with contextlib.suppress(OSError), self._path.open("r+b") as file:
                file.write(f" process {os.getpid()} on {socket.gethostname()}".encode())
        except BaseException:
            self._lock.__exit__(None, None, None)
            raise
        return True

    def _holder(self) -> str:
        """Return who says to hold it."""
        with contextlib.suppress(OSError), self._path.open("rb") as file:
            file.seek(1)
            text = file.read(_MOST_BYTES).decode(errors="replace")
            return "".join(c for c in text if c.isprintable()) or "unknown"
        return "unknown"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._lock.__exit__(kind, error, trace)

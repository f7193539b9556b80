"""Two copies of a job do not do the same work at once: the claim file of a chunk.

A job may be submitted twice when the scan is killed between the scheduler's answer and its own
note of it. The file is locked, which dies with its holder; where the file system has no locks, it
says who holds it, and its time says that he is still at work.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from alos2.archive.writing import writing_failed
from alos2.errors import NoResource

if sys.platform != "win32":
    import fcntl

_LOOK_S: Final = 0.2
_STALE_S: Final = 900.0
"""Without locks, whoever has not stirred for so long on another host is dead, seconds."""
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})


class Claim:
    """Hold the claim of a chunk; a context manager.

    Parameters
    ----------
    path : Path
        The claim file. It stays: it says who came last.
    patience_s : float
        How long to wait for another copy, seconds.

    Raises
    ------
    NoResource
        On entering: another copy is at work, or the file cannot be written.
    """

    def __init__(self, path: Path, patience_s: float) -> None:
        self._path = path
        self._patience_s = patience_s
        self._handle = -1

    def __enter__(self) -> Claim:
        deadline = time.monotonic() + self._patience_s
        try:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666)
            while not self._taken():
                if time.monotonic() >= deadline:
                    who = _who(self._handle)
                    os.close(self._handle)
                    raise NoResource(
                        f"{self._path.parent.name} is at work on {who.get('host', '?')} "
                        f"(process {who.get('pid', '?')})",
                        hint="nothing is lost: the other copy writes the results",
                    )
                time.sleep(_LOOK_S)
            self._sign()
        except OSError as error:
            raise writing_failed(self._path, error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._handle)

    def beat(self) -> None:
        """Show that we are still at work."""
        try:
            os.utime(self._handle)
        except OSError as error:
            raise writing_failed(self._path, error) from error

    def _taken(self) -> bool:
        return _locked(self._handle, shared=False)

    def _sign(self) -> None:
        ours = {"host": socket.gethostname(), "pid": os.getpid(), "time": time.time()}
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, json.dumps(ours).encode("ascii"), 0)
        os.fsync(self._handle)


def is_claimed(path: Path) -> bool:
    """Whether a copy of a chunk's job may be at work at this moment; the claim is only looked at.

    Parameters
    ----------
    path : Path
        The claim file, which need not be there. One that cannot be read may be somebody's.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        # Let go at once. A job that wanted it at this very moment looks again a little later.
        return not _locked(handle, shared=True)
    except OSError:
        return True
    finally:
        os.close(handle)


def _locked(handle: int, *, shared: bool) -> bool:
    """Lock an open claim, with others who only look or alone; False where somebody holds it."""
    if sys.platform == "win32":
        return not _somebody_stirs(handle)
    try:
        # On NFS, only who may write can lock for himself alone, and who reads can lock with others.
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return not _somebody_stirs(handle)
    return True


def _somebody_stirs(handle: int) -> bool:
    who = _who(handle)
    if who.get("host") == socket.gethostname():
        return who.get("pid") != os.getpid() and _is_alive(who.get("pid"))
    return bool(who) and time.time() - os.fstat(handle).st_mtime < _STALE_S


def _who(handle: int) -> dict[str, Any]:
    try:
        who = json.loads(os.pread(handle, 4096, 0))
    except ValueError:
        return {}  # new, or torn
    return who if isinstance(who, dict) else {}


def _is_alive(pid: object) -> bool:
    if not isinstance(pid, int) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

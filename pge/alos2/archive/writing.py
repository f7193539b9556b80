"""Write a file while its SHA-256 is made: in a thread of its own, beside whoever makes the bytes.

Inflating, hashing and writing all let go of Python's lock, so two cores are used for one member.
"""

from __future__ import annotations

import errno
import hashlib
import os
import queue
import threading
from pathlib import Path
from types import TracebackType
from typing import Final

from alos2.errors import Alos2Error, NoResource, NoSpace

QUEUE_CHUNKS: Final = 8
"""Chunks that may wait: bounds the memory of one file in work."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def writing_failed(path: Path, error: OSError) -> Alos2Error:
    """Make the named error for a file or folder that could not be written."""
    if error.errno in _FULL:
        return NoSpace(f"no space left while writing {path.name} in {path.parent}")
    return NoResource(
        f"{path} cannot be written: {error.strerror or error}",
        hint="check that the folder exists and that you may write to it",
    )


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk; where the system can do that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class HashingWriter:
    """Write a new file and hash it; a context manager that syncs it to the disk at the end.

    Parameters
    ----------
    path : Path
        The file; must not exist.
    threaded : bool, optional
        Write and hash in another thread (worth it from a few MiB on).

    Raises
    ------
    NoSpace
        The disk is full.
    NoResource
        The file cannot be written.
    """

    def __init__(self, path: Path, *, threaded: bool) -> None:
        self.path = path
        self.size = 0
        self._hash = hashlib.sha256(usedforsecurity=False)
        self._error: OSError | MemoryError | None = None
        self._queue: queue.Queue[bytes | None] | None = None
        try:
            self._file = path.open("xb", buffering=0)
        except OSError as error:
            raise writing_failed(path, error) from error
        if threaded:
            self._queue = queue.Queue(QUEUE_CHUNKS)
            self._thread = threading.Thread(target=self._work, args=(self._queue,), daemon=True)
            self._thread.start()

    def write(self, data: bytes) -> None:
        """Write the next bytes; an error may come at a later write, or at the end."""
        self._check()
        self.size += len(data)
        if self._queue is None:
            self._put(data)
            self._check()
        else:
            self._queue.put(data)

    @property
    def sha256(self) -> str:
        """Of all that was written; after the end of the ``with`` block."""
        return self._hash.hexdigest()

    def _work(self, waiting: queue.Queue[bytes | None]) -> None:
        while (data := waiting.get()) is not None:
            if self._error is None:
                self._put(data)

    def _put(self, data: bytes) -> None:
        try:
            self._hash.update(data)
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        except (OSError, MemoryError) as error:
            # Kept for the thread that makes the bytes: it would wait for ever if this one died.
            self._error = error

    def _check(self) -> None:
        if isinstance(self._error, OSError):
            raise writing_failed(self.path, self._error) from self._error
        if self._error is not None:
            raise NoResource(f"no memory left while writing {self.path.name}") from self._error

    def __enter__(self) -> HashingWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._queue is not None:
                self._queue.put(None)
                self._thread.join()
            if kind is None:
                self._check()
                try:
                    os.fsync(self._file.fileno())
                except OSError as problem:
                    raise writing_failed(self.path, problem) from problem
        finally:
            self._file.close()

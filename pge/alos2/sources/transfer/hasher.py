"""SHA-256 beside the transfer, and checkpoints beside the SHA-256."""

from __future__ import annotations

import hashlib
import os
import threading
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Final

from alos2.errors import Alos2Error
from alos2.sources.store import trouble
from alos2.sources.transfer.places import Place
from alos2.sources.transfer.sidecar import Record, write_record

_AHEAD: Final = 12
"""So many pieces may be written and not yet hashed."""


@dataclass(frozen=True)
class _Mark:
    """A request for a checkpoint at this point of the stream."""

    record: Record


def sync(handle: int) -> None:
    """Force a file's bytes to the disk."""
    getattr(os, "fdatasync", os.fsync)(handle)


class Hasher(threading.Thread):
    """Hashes pieces in the order in which they come, and secures the part at each mark.

    Its queues are those written in C: an interruption that arrives while the receiving thread is
    inside of one cannot leave it locked.
    """

    def __init__(self, place: Place, handle: int, size: int, digest: hashlib._Hash) -> None:
        super().__init__(name="alos2-sha256", daemon=True)
        self._place = place
        self._descriptor = handle
        self._digest = digest
        self._work: SimpleQueue[bytes | _Mark | None] = SimpleQueue()
        self._room: SimpleQueue[None] = SimpleQueue()
        for _ in range(_AHEAD):
            self._room.put(None)
        self._writing: threading.Thread | None = None
        self.size = size
        self.error: Alos2Error | None = None
        self.secured = size

    def add(self, piece: bytes) -> None:
        """Take a piece that has been written; wait where the hash has fallen behind."""
        self._room.get()
        self._work.put(piece)

    def mark(self, record: Record) -> bool:
        """Ask for a checkpoint behind what was added; False if one is still being made."""
        if self._writing is not None and self._writing.is_alive():
            return False
        self._work.put(_Mark(record))
        return True

    def end(self) -> str:
        """Hash what is left, end the thread, and return the digest of all."""
        self._work.put(None)
        self.join()
        if self._writing is not None:
            self._writing.join()
        return self._digest.hexdigest()

    def run(self) -> None:
        """Work until `end`."""
        while (item := self._work.get()) is not None:
            if isinstance(item, _Mark):
                self._start_writing(item.record)
            else:
                self._digest.update(item)
                self.size += len(item)
                self._room.put(None)

    def _start_writing(self, record: Record) -> None:
        if self._writing is not None:
            self._writing.join()
        now = replace(record, size=self.size, sha256=self._digest.hexdigest())
        self._writing = threading.Thread(target=self._secure, args=(now,), daemon=True)
        try:
            self._writing.start()
        except RuntimeError:  # no more threads, or Python is ending: then here and now
            self._writing = None
            self._secure(now)

    def _secure(self, record: Record) -> None:
        try:
            sync(self._descriptor)
            write_record(self._place.sidecar, record)
        except OSError as error:
            self.error = trouble(error, self._place.part)
        except Alos2Error as error:
            self.error = error
        else:
            self.secured = record.size

"""The part file while it grows: written here, hashed in a second thread, secured now and then.

Receiving and hashing both let go of Python's lock, so on two cores a SHA-256 costs no time of its
own. A checkpoint forces what is written to the disk and then, only then, writes the sidecar that
says so; that too happens beside the transfer.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from alos2.errors import Alos2Error
from alos2.sources.model import Cancelled, TransferOptions, stop_if
from alos2.sources.store import trouble
from alos2.sources.transfer.hasher import Hasher, sync
from alos2.sources.transfer.places import Place
from alos2.sources.transfer.sidecar import Record, write_record

_REREAD_BYTES: Final = 1 << 20


class Sink:
    """The part of one download, from its first byte or from a checkpoint.

    Parameters
    ----------
    place : Place
        Its files; the sidecar is there.
    record : Record
        What the sidecar says.
    options : TransferOptions
        How often to secure what has arrived.
    """

    def __init__(self, place: Place, record: Record, options: TransferOptions) -> None:
        self.place = place
        self.record = record
        self.size = 0
        """Bytes that were written, or taken over."""
        self._options = options
        try:
            place.part.touch(0o600, exist_ok=True)
            self._file = place.part.open("r+b", buffering=0)
        except OSError as error:
            raise trouble(error, place.part) from None
        self._hasher: Hasher | None = None
        self._marked_size = 0
        self._marked_at = time.monotonic()
        self._open = True

    def load(self, cancel: Cancelled | None) -> bool:
        """Take over what an earlier run secured; False if its hash is not right any more.

        What lies behind it is dropped.

        Raises
        ------
        Interrupted
            `cancel` said so; the part stays as it was.
        NoResource
            The part cannot be read.
        """
        record = self.record
        digest = hashlib.sha256()
        left = record.size
        try:
            with self.place.part.open("rb", buffering=0) as file:
                while left and (piece := file.read(min(left, _REREAD_BYTES))):
                    stop_if(cancel)
                    digest.update(piece)
                    left -= len(piece)
            if left or digest.hexdigest() != record.sha256:
                self.record = replace(record, size=0, sha256="")
                return False
            self._file.truncate(record.size)
            self._file.seek(record.size)
        except OSError as error:
            raise trouble(error, self.place.part) from None
        self.size = record.size
        self._start(digest)
        return True

    def restart(self, record: Record) -> None:
        """Forget all bytes; `record` tells of the object that comes now.

        Raises
        ------
        NoSpace, NoResource
            The disk is full, or cannot be written to.
        """
        self._stop()
        self.record = replace(record, size=0, sha256="")
        write_record(self.place.sidecar, self.record)
        try:
            self._file.seek(0)
            self._file.truncate(0)
        except OSError as error:
            raise trouble(error, self.place.part) from None
        self.size = 0
        self._start(hashlib.sha256())

    def _start(self, digest: hashlib._Hash) -> None:
        self._hasher = Hasher(self.place, self._file.fileno(), self.size, digest)
        self._hasher.start()
        self._marked_size, self._marked_at = self.size, time.monotonic()

    def _stop(self) -> str:
        hasher, self._hasher = self._hasher, None
        return hasher.end() if hasher is not None else hashlib.sha256().hexdigest()

    def write(self, piece: bytes) -> None:
        """Append `piece`.

        Raises
        ------
        NoSpace, NoResource
            The disk is full, or cannot be written to.
        """
        hasher = self._hasher
        if hasher is None:
            raise ValueError("a sink is written to after load or restart")
        if hasher.error is not None:
            raise hasher.error
        try:
            written = self._file.write(piece)
            while written < len(piece):
                written += self._file.write(memoryview(piece)[written:])
        except OSError as error:
            raise trouble(error, self.place.part) from None
        hasher.add(piece)
        self.size += len(piece)
        if self._is_due() and hasher.mark(self.record):
            self._marked_size, self._marked_at = self.size, time.monotonic()

    def _is_due(self) -> bool:
        if self.size - self._marked_size >= self._options.checkpoint_bytes:
            return True
        return time.monotonic() - self._marked_at >= self._options.checkpoint_s

    def held(self, offset: int, count: int) -> bytes:
        """Return bytes that were written, for comparing.

        Raises
        ------
        NoResource
            The part cannot be read.
        """
        try:
            with self.place.part.open("rb", buffering=0) as file:
                file.seek(offset)
                found = b""
                while len(found) < count and (piece := file.read(count - len(found))):
                    found += piece
                return found
        except OSError as error:
            raise trouble(error, self.place.part) from None

    def finish(self) -> Record:
        """Force everything to the disk and return what is there.

        Raises
        ------
        NoSpace, NoResource
            The disk is full, or cannot be written to.
        """
        hasher = self._hasher
        digest = self._stop()
        try:
            sync(self._file.fileno())
            status = os.fstat(self._file.fileno())
        except OSError as error:
            raise trouble(error, self.place.part) from None
        if hasher is not None and hasher.error is not None:
            raise hasher.error
        self.record = replace(
            self.record, size=self.size, sha256=digest, mtime_ns=status.st_mtime_ns
        )
        return self.record

    def close(self) -> int:
        """End the thread, secure what has been hashed, and return how many bytes that are.

        After a disk that is full this is what the last checkpoint holds. Zero bytes are not worth
        a part: its files are taken away.
        """
        if not self._open:
            return 0
        self._open = False
        hasher = self._hasher
        kept = self.record.size
        try:
            if hasher is not None:
                digest = self._stop()
                kept = self._keep(hasher, digest)
        finally:
            self._file.close()
        if not kept:
            self.place.discard()
        return kept

    def _keep(self, hasher: Hasher, digest: str) -> int:
        # What was written and not hashed (an interruption came between) is no part of it.
        record = replace(self.record, size=hasher.size, sha256=digest, mtime_ns=None)
        if hasher.size == 0:
            return 0
        try:
            sync(self._file.fileno())
            write_record(self.place.sidecar, record)
        except (OSError, Alos2Error):
            return hasher.secured
        return hasher.size

    def release(self) -> None:
        """Close the part, which `finish` has ended, and leave it where it is."""
        self._open = False
        self._file.close()


def part_bytes(path: Path) -> int:
    """Return the size of a part; 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0

"""A part of a file as the body of a request: read as it is sent, and stopped when others fail."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType


class FilePart(io.RawIOBase):
    """Bytes `offset` to `offset` + `size` of a file, as a seekable file of its own.

    Parameters
    ----------
    path : Path
        The file.
    offset, size : int
        The part, bytes.
    check : callable
        Called before each read; what it raises ends the request.
    """

    def __init__(self, path: Path, offset: int, size: int, check: Callable[[], None]) -> None:
        self._file = path.open("rb", buffering=0)
        self._offset = offset
        self._size = size
        self._check = check
        self._place = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(1 << 16):
            yield chunk

    def readable(self) -> bool:
        """Say yes."""
        return True

    def seekable(self) -> bool:
        """Say yes: a request that is made again begins anew."""
        return True

    def tell(self) -> int:
        """Return the place inside the part."""
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place inside the part."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, as many as are asked for while there are any."""
        self._check()
        left = max(0, self._size - self._place)
        wanted = left if size is None or size < 0 else min(size, left)
        self._file.seek(self._offset + self._place)
        chunks = []
        while wanted and (chunk := self._file.read(wanted)):
            chunks.append(chunk)
            wanted -= len(chunk)
            self._place += len(chunk)
        return b"".join(chunks)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def __enter__(self) -> FilePart:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

"""Walk a CEOS file record by record, by what each record says of itself.

Nothing is assumed about lengths. Only what is asked for is read: records that nobody needs are
skipped by seeking, and nothing seeks to the end of a file, which in a zip would unpack all of it.
"""

from __future__ import annotations

import io
from typing import Any, BinaryIO, Final

from alos2.ceos.layout import HEADER_BYTES, RecordCodes, RecordLayout
from alos2.errors import BadRecord

MAXIMUM_RECORD_BYTES: Final = 1 << 24
"""No record of a leader, volume or descriptor is nearly as long; more is a damaged length."""


class RecordReader:
    """A file and where we are in it.

    Parameters
    ----------
    file : BinaryIO or bytes
        Seekable, at its beginning; or the content itself.
    name : str
        The file's name, for messages.
    """

    def __init__(self, file: BinaryIO | bytes, *, name: str) -> None:
        self._file = io.BytesIO(file) if isinstance(file, (bytes, bytearray, memoryview)) else file
        self._base = self._file.tell()
        self.name = name
        self.offset = 0
        """Offset of the current record, bytes from the file's beginning."""
        self._head = b""
        self.codes: RecordCodes = (0, 0, 0, 0)
        """Type of the current record."""
        self.length = 0
        """Length of the current record as its header says, bytes."""

    @property
    def where(self) -> str:
        """Name and offset of the current record, for messages."""
        return f"{self.name}, offset {self.offset}"

    def next(self) -> bool:
        """Go to the record behind the current one; False at the end of the file.

        Raises
        ------
        BadRecord
            The file ends within the header, or the header's length is absurd.
        """
        self.offset += self.length
        self._file.seek(self._base + self.offset)
        self._head = self._file.read(HEADER_BYTES)
        self.length = 0
        if not self._head:
            return False
        if len(self._head) < HEADER_BYTES:
            raise BadRecord(
                f"{self.where}: the file ends after {len(self._head)} bytes of a record header, "
                f"expected {HEADER_BYTES}"
            )
        first, second, third, fourth = self._head[4:8]
        self.codes = (first, second, third, fourth)
        length = int.from_bytes(self._head[8:12], "big")
        if not HEADER_BYTES <= length <= MAXIMUM_RECORD_BYTES:
            raise BadRecord(
                f"{self.where}: the record says it is {length} bytes long, "
                f"expected {HEADER_BYTES} to {MAXIMUM_RECORD_BYTES}"
            )
        self.length = length
        return True

    def read(self) -> bytes:
        """Read the whole current record.

        Raises
        ------
        BadRecord
            The file ends within it.
        """
        data = self.peek(self.length)
        if len(data) < self.length:
            raise BadRecord(
                f"{self.where}: the file ends after {len(data)} bytes of the record, "
                f"expected the {self.length} that its header says"
            )
        return data

    def peek(self, size: int) -> bytes:
        """Read the first `size` bytes of the current record, or fewer if the file ends there."""
        missing = size - len(self._head)
        if missing > 0:
            # Kept, not read again: within a zip going back means to unpack from the beginning.
            self._file.seek(self._base + self.offset + len(self._head))
            self._head += self._file.read(missing)
        return self._head[:size]

    def slice(self, start: int, size: int) -> bytes:
        """Read bytes that have no record header, or fewer if the file ends there."""
        self._file.seek(self._base + start)
        return self._file.read(size)

    def require(self, layout: RecordLayout) -> dict[str, Any]:
        """Go to the next record, which must be of this layout, and decode it.

        Raises
        ------
        BadRecord
            It is not there, not whole, of another type, or cannot be decoded.
        """
        if not self.next():
            raise BadRecord(f"{self.where}: the file ends here, expected its {layout.name} record")
        if layout.codes is not None and self.codes != layout.codes:
            # Before reading: a length that belongs to something else means nothing.
            return layout.decode(self.peek(max(layout.extent, HEADER_BYTES)), where=self.where)
        return layout.decode(self.read(), where=self.where)

"""A TIFF file written strip by strip: uncompressed, little endian, BigTIFF above 4 GB.

Source: TIFF revision 6.0; BigTIFF as libtiff has it. The directory stands before the pixels, so a
reader needs only the beginning of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

CLASSIC_LIMIT: Final = 4_000_000_000
"""Largest classic TIFF that is written, bytes."""
ROWS_PER_STRIP: Final = 64

ASCII, SHORT, LONG, DOUBLE, LONG8 = 2, 3, 4, 12, 16
_CODES: Final = {ASCII: "s", SHORT: "H", LONG: "I", DOUBLE: "d", LONG8: "Q"}


class Tag(NamedTuple):
    """One entry of the directory."""

    number: int
    kind: int
    """ASCII, SHORT, LONG, DOUBLE or LONG8."""
    values: Sequence[float] | str

    def pack(self) -> tuple[int, bytes]:
        """Give the number of values and their bytes."""
        if isinstance(self.values, str):
            raw = self.values.encode("ascii") + b"\0"
            return len(raw), raw
        return len(self.values), struct.pack(
            f"<{len(self.values)}{_CODES[self.kind]}", *self.values
        )


class TiffWriter:
    """Writes one image.

    Parameters
    ----------
    out : BinaryIO
        Where to; at its beginning.
    lines, pixels, samples : int
        Of the image.
    signed : bool
        Samples are int16, else uint16.
    tags : Sequence[Tag]
        Besides those that describe the pixels.
    big : bool, optional
        BigTIFF or not; by default as the size asks for.
    """

    def __init__(
        self,
        out: BinaryIO,
        *,
        lines: int,
        pixels: int,
        samples: int,
        signed: bool,
        tags: Sequence[Tag],
        big: bool | None = None,
    ) -> None:
        self._out = out
        self._dtype = np.dtype("<i2" if signed else "<u2")
        row = pixels * samples * 2
        self._big = lines * row > CLASSIC_LIMIT if big is None else big
        offsets = LONG8 if self._big else LONG
        counts = [min(ROWS_PER_STRIP, lines - top) * row for top in range(0, lines, ROWS_PER_STRIP)]
        own = [
            Tag(256, LONG, [pixels]),
            Tag(257, LONG, [lines]),
            Tag(258, SHORT, [16] * samples),
            Tag(259, SHORT, [1]),
            Tag(262, SHORT, [1]),
            Tag(273, offsets, [0] * len(counts)),
            Tag(277, SHORT, [samples]),
            Tag(278, LONG, [ROWS_PER_STRIP]),
            Tag(279, offsets, counts),
            Tag(284, SHORT, [1]),
            Tag(339, SHORT, [2 if signed else 1] * samples),
        ]
        if samples > 1:
            own.append(Tag(338, SHORT, [0] * (samples - 1)))
        entries = sorted([*own, *tags])
        start = len(self._header(entries))
        places = start + np.concatenate([[0], np.cumsum(counts[:-1])])
        entries = [
            Tag(t.number, t.kind, [int(v) for v in places]) if t.number == 273 else t
            for t in entries
        ]
        out.write(self._header(entries))

    def _header(self, entries: Sequence[Tag]) -> bytes:
        """Everything before the pixels."""
        inline, entry_bytes = (8, 20) if self._big else (4, 12)
        if self._big:
            head = struct.pack("<2sHHHQQ", b"II", 43, 8, 0, 16, len(entries))
        else:
            head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
        data_at = len(head) + entry_bytes * len(entries) + inline
        directory, data = b"", b""
        for entry in entries:
            count, raw = entry.pack()
            if len(raw) > inline:
                place = struct.pack("<Q" if self._big else "<I", data_at + len(data))
                data += raw + b"\0" * (len(raw) % 2)
            else:
                place = raw.ljust(inline, b"\0")
            form = "<HHQ" if self._big else "<HHI"
            directory += struct.pack(form, entry.number, entry.kind, count) + place
        whole = head + directory + b"\0" * inline + data
        return whole + b"\0" * (-len(whole) % 8)

    def write(self, first_line: int, block: NDArray[Any]) -> None:  # noqa: ARG002
        """Append a strip of whole lines (in order; `first_line` is for other writers)."""
        self._out.write(np.ascontiguousarray(block, dtype=self._dtype).data.cast("B"))

    def close(self) -> None:
        """Nothing is left to write."""

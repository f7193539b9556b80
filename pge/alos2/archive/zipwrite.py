"""Write a zip once, the same bytes for the same files.

Every time stamp is 1980-01-01, names are UTF-8, entries come in the order given. A file is stored
or deflated, by what a few samples of it say: SAR speckle does not pay for deflating, no-data does.
Deflated bytes depend on the codec (isal or zlib) and its version; stored ones on nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, TypeAlias

from alos2.archive.codec import BEST, Codec
from alos2.archive.compare import Expected, differences, verify_zip
from alos2.archive.limits import DEFAULT_LIMITS, KIB, MIB
from alos2.archive.member import unreadable
from alos2.archive.names import NameTable, safe_path
from alos2.archive.packing import (
    NewEntry,
    pack_central,
    pack_descriptor,
    pack_end,
    pack_local,
)
from alos2.archive.records import DEFLATED, FULL_32, STORED
from alos2.archive.writing import HashingWriter, sync_folder, writing_failed
from alos2.errors import BadProduct, UsageError

__all__ = [
    "Expected",
    "ZipReceipt",
    "ZippedFile",
    "differences",
    "pays",
    "verify_zip",
    "write_zip",
]

CHUNK: Final = 512 * KIB
SAMPLES: Final = 16
SAMPLE_BYTES: Final = 64 * KIB
WORTH: Final = 0.8
"""Deflate what shrinks its samples below this; every reader then has to inflate it. Speckle
shrinks to 0.85 to 0.95."""
_ZIP64_FROM: Final = FULL_32 - 16 * MIB
"""A file of this size might not shrink, so that its packed size needs 8 bytes."""

Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True)
class ZippedFile:
    """One file as it went into the zip."""

    name: str
    size: int
    crc32: int
    stored: bool


@dataclass(frozen=True)
class ZipReceipt:
    """A zip that was written."""

    path: Path
    size: int
    sha256: str
    files: tuple[ZippedFile, ...]


def write_zip(
    files: Sequence[tuple[Path, str]],
    out: Path,
    *,
    crc32: Mapping[Path, int] | None = None,
    codec: Codec = BEST,
    progress: Progress | None = None,
) -> ZipReceipt:
    """Write `files` to the zip `out`, which appears under its name when it is whole.

    Parameters
    ----------
    files : sequence of (Path, str)
        Files and their names in the zip, in the order wanted.
    out : Path
        The zip; an older one is replaced.
    crc32 : mapping of Path to int, optional
        CRC-32 where it is known (`UnpackedFile.crc32`). A stored file whose CRC is not known is
        read twice: its local header, which has the CRC, comes before its data.
    codec : Codec, optional
        Implementation of deflate and CRC-32.
    progress : callable, optional
        Called with (bytes packed, bytes in all) after every piece.

    Raises
    ------
    UsageError
        A name is not one for a zip, or is there twice.
    BadProduct
        A file cannot be read, or changes while it is read.
    NoSpace, NoResource
        `out` cannot be written.
    """
    names = NameTable(out.name)
    for _, name in files:
        _require_name(name, names)
    temporary = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    try:
        with HashingWriter(temporary, threaded=True) as sink:
            writer = _ZipWriter(sink, codec, progress)
            writer.total = sum(_size_of(path) for path, _ in files)
            for path, name in files:
                writer.add(path, name, (crc32 or {}).get(path))
            writer.end()
        try:
            temporary.replace(out)
            sync_folder(out.absolute().parent)
        except OSError as error:
            raise writing_failed(out, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    return ZipReceipt(out, sink.size, sink.sha256, tuple(map(_zipped, writer.entries)))


def _require_name(name: str, names: NameTable) -> None:
    try:
        path = safe_path(name, where=names.where, limits=DEFAULT_LIMITS)
        names.add_file(path)
    except BadProduct as error:
        raise UsageError(f"not a name for a zip: {error.message}") from error
    if name != str(PurePosixPath(path)):
        raise UsageError(f"{name!r} is the name of a folder")


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise unreadable(path, error) from error


def _zipped(entry: NewEntry) -> ZippedFile:
    name = entry.raw_name.decode("utf-8")
    return ZippedFile(name, entry.size, entry.crc32, entry.method == STORED)


def pays(file: BinaryIO, size: int, codec: Codec = BEST) -> bool:
    """Say whether deflating a file pays, by samples spread over it; `file` is left anywhere."""
    step = max(SAMPLE_BYTES, size // SAMPLES)
    raw = packed = 0
    for start in range(0, size, step):
        file.seek(start)
        sample = file.read(SAMPLE_BYTES)
        deflater = codec.deflater()
        packed += len(deflater.compress(sample)) + len(deflater.flush())
        raw += len(sample)
    return packed < WORTH * raw


class _ZipWriter:
    """Puts entries one behind the other; never goes back."""

    def __init__(self, sink: HashingWriter, codec: Codec, progress: Progress | None) -> None:
        self._sink = sink
        self._progress = progress
        self._done = 0
        self.total = 0
        self._codec = codec
        self.entries: list[NewEntry] = []

    def add(self, path: Path, name: str, crc32: int | None) -> None:
        """Add one file."""
        try:
            with path.open("rb", buffering=0) as file:
                self._add(file, path, name, crc32)
        except OSError as error:
            raise unreadable(path, error) from error

    def _add(self, file: BinaryIO, path: Path, name: str, crc32: int | None) -> None:
        size = file.seek(0, 2)
        entry = NewEntry(
            raw_name=name.encode("utf-8"),
            method=DEFLATED if pays(file, size, self._codec) else STORED,
            size=size,
            header_offset=self._sink.size,
            zip64=size >= _ZIP64_FROM,
        )
        if entry.method == STORED:
            entry.crc32 = self._crc_of(file) if crc32 is None else crc32
            entry.packed_size = size
        self._sink.write(pack_local(entry))
        start = self._sink.size
        crc, count = 0, 0
        for raw, packed in self._pieces(file, deflate=entry.method == DEFLATED):
            crc = self._codec.crc32(raw, crc)
            count += len(raw)
            if packed:
                self._sink.write(packed)
            self._done += len(raw)
            if self._progress is not None:
                self._progress(self._done, self.total)
        if count != size or (entry.method == STORED and crc != entry.crc32):
            raise BadProduct(f"{path} changed while it was read", hint="run the same command again")
        if entry.method == DEFLATED:
            entry.crc32 = crc
            entry.packed_size = self._sink.size - start
            self._sink.write(pack_descriptor(entry))
        self.entries.append(entry)

    def _crc_of(self, file: BinaryIO) -> int:
        crc = 0
        file.seek(0)
        while data := file.read(CHUNK):
            crc = self._codec.crc32(data, crc)
        return crc

    def _pieces(self, file: BinaryIO, *, deflate: bool) -> Iterator[tuple[bytes, bytes]]:
        file.seek(0)
        deflater = self._codec.deflater() if deflate else None
        while data := file.read(CHUNK):
            yield data, deflater.compress(data) if deflater else data
        if deflater:
            yield b"", deflater.flush()

    def end(self) -> None:
        """Write the central directory."""
        start = self._sink.size
        for entry in self.entries:
            self._sink.write(pack_central(entry))
        size = self._sink.size - start
        self._sink.write(pack_end(len(self.entries), size, start))

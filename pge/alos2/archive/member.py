"""One file of a delivery, wherever it lies: on disk, in a zip, or in a zip inside a zip."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from alos2.archive.records import STORED, ZipEntry
from alos2.archive.streams import InflatedFile, Window, read_exactly, require_readable
from alos2.errors import BadProduct

if TYPE_CHECKING:
    from typing_extensions import Buffer


def unreadable(path: Path, error: OSError) -> BadProduct:
    """Make the error for a file or folder that the system does not let us read."""
    return BadProduct(
        f"{path} cannot be read: {error.strerror or error}",
        hint="check that it exists and that you may read it",
    )


def _open_quietly(path: str, flags: int) -> int:
    """Open without leaving a time of access, where the system lets us: Linux, our own files.

    Archives move what nobody reads to tape; that we describe a file is no use of it.
    """
    try:
        return os.open(path, flags | getattr(os, "O_NOATIME", 0))
    except PermissionError:
        return os.open(path, flags)


class _LocalFile(io.FileIO):
    """A file on disk whose faults (a failing disk, a file server that went away) have our name."""

    def __init__(self, path: Path) -> None:
        try:
            super().__init__(path, opener=_open_quietly)
        except OSError as error:
            raise unreadable(path, error) from error
        self._path = path

    def readinto(self, buffer: Buffer, /) -> int | None:
        try:
            return super().readinto(buffer)
        except OSError as error:
            raise unreadable(self._path, error) from error

    def readall(self) -> bytes:
        try:
            return super().readall()
        except OSError as error:
            raise unreadable(self._path, error) from error

    def read(self, size: int | None = -1, /) -> bytes:
        try:
            # None would mean that a file which does not wait has nothing yet: ours wait.
            return super().read(-1 if size is None else size) or b""
        except OSError as error:
            raise unreadable(self._path, error) from error


def open_local(path: Path, *, buffered: bool = True) -> BinaryIO:
    """Open a file on disk for reading.

    Parameters
    ----------
    path : Path
        The file.
    buffered : bool, optional
        Whether small reads are made of large ones.

    Raises
    ------
    BadProduct
        The system refuses, now or at a later read.
    """
    file = _LocalFile(path)
    return cast(BinaryIO, io.BufferedReader(file) if buffered else file)


class Member(Protocol):
    """One file, on disk or inside a zip."""

    @property
    def name(self) -> str:
        """Base name."""
        ...

    @property
    def path(self) -> str:
        """For messages: ``outer.zip!inner.zip!folder/file``."""
        ...

    @property
    def folder(self) -> str:
        """The folder or zip it lies in, for grouping: `path` without the name."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...

    @property
    def local_path(self) -> Path | None:
        """Path on disk, None inside an archive."""
        ...

    def open(self) -> BinaryIO:
        """Open for reading; seekable; closing it closes everything that was opened.

        Raises
        ------
        BadProduct
            It cannot be opened (`BadArchive`: or is encrypted or packed by an unknown method).
        """
        ...

    def read_head(self, n: int) -> bytes:
        """Read the first `n` bytes, fewer where the member is shorter."""
        ...


@dataclass(frozen=True)
class FileMember:
    """A file on disk."""

    local_path: Path
    size: int

    @classmethod
    def of(cls, path: Path) -> FileMember:
        """Describe the file at `path`.

        Raises
        ------
        BadProduct
            It is not there or not readable.
        """
        try:
            return cls(path, path.stat().st_size)
        except OSError as error:
            raise unreadable(path, error) from error

    @property
    def name(self) -> str:
        """Base name."""
        return self.local_path.name

    @property
    def path(self) -> str:
        """The path as it was given."""
        return str(self.local_path)

    @property
    def folder(self) -> str:
        """The folder it lies in."""
        return str(self.local_path.parent)

    def open(self) -> BinaryIO:
        """Open for reading.

        Raises
        ------
        BadProduct
            The system refuses.
        """
        return open_local(self.local_path)

    def read_head(self, n: int) -> bytes:
        """Read the first `n` bytes."""
        with self.open() as file:
            return read_exactly(file, n)


@dataclass(frozen=True)
class SpooledMember(FileMember):
    """An inner zip that was written to disk to be read; messages call it by its old name."""

    label: str = ""

    @property
    def path(self) -> str:
        """Where it came from."""
        return self.label


@dataclass(frozen=True)
class ZipMember:
    """A file inside a zip, itself perhaps inside a zip."""

    name: str
    path: str
    folder: str
    size: int
    archive: Member = field(repr=False)
    """The zip it lies in."""
    entry: ZipEntry = field(repr=False)
    data_offset: int = field(repr=False)
    """Where its packed bytes begin in the archive."""
    kept: Callable[[], bytes] = field(default=bytes, repr=False, compare=False)
    """Gives its first packed bytes (or all of them) where they were kept in passing."""

    @property
    def local_path(self) -> Path | None:
        """None: it is inside an archive."""
        return None

    def packed_place(self) -> tuple[Member, int]:
        """Say where the packed bytes lie without a layer to inflate: in what, and at which byte.

        Windows in windows are one window: for a stored inner zip this is the file on disk.
        """
        archive: Member = self.archive
        offset = self.data_offset
        while isinstance(archive, ZipMember) and archive.entry.method == STORED:
            if archive.kept():
                break
            require_readable(archive.entry, archive.path)
            offset += archive.data_offset
            archive = archive.archive
        return archive, offset

    def open_packed(self) -> BinaryIO:
        """Open the packed bytes as a seekable file."""
        archive, offset = self.packed_place()
        size = self.entry.compressed_size
        window = Window(archive.open, offset, size, where=self.path, head=self.kept())
        return cast(BinaryIO, io.BufferedReader(window))

    def open(self) -> BinaryIO:
        """Open for reading; a stored member is not read before it is asked for bytes.

        Raises
        ------
        BadArchive
            It is encrypted or packed by an unknown method; reading: it is damaged.
        """
        if self.entry.method == STORED:
            require_readable(self.entry, self.path)
            return self.open_packed()
        inflated = InflatedFile(self.open_packed(), self.entry, where=self.path)
        return cast(BinaryIO, io.BufferedReader(inflated))

    def read_head(self, n: int) -> bytes:
        """Read the first `n` bytes."""
        with self.open() as file:
            return read_exactly(file, n)

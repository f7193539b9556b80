"""What lies in a folder or a (nested) zip: a flat list of members, without extracting them.

A member opens as an ordinary seekable file. Where the archives inside are stored, as AUIG2's are,
only headers and directories are read to list them, whatever their size. A *deflated* inner zip
has to be inflated once, in one forward pass, to get at its directory: its small members are kept
on the way, its images are skipped over and never inflated themselves.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Final

from alos2.archive.directory import (
    HEAD_BYTES,
    ReadAt,
    data_offset,
    read_directory,
    require_zip,
)
from alos2.archive.forward import scan_forward
from alos2.archive.kept import Cache
from alos2.archive.limits import DEFAULT_LIMITS, Limits
from alos2.archive.member import FileMember, Member, ZipMember, unreadable
from alos2.archive.records import LOCAL_SIGNATURE, STORED, ZipEntry, label
from alos2.archive.streams import read_exactly
from alos2.errors import BadArchive, NoProduct, NothingFound, UnsafeArchive

__all__ = ["FileMember", "Member", "MemberTree", "ZipMember", "list_members"]

ZIP_SUFFIX: Final = ".zip"


@dataclass(frozen=True)
class MemberTree:
    """Everything that lies in a folder or archive; close it when the members are read."""

    members: tuple[Member, ...]
    """In the order of the zip's directory; files on disk by path."""
    archives: tuple[str, ...] = ()
    """Paths of the zips that were looked into, as `Member.path` writes them."""
    skipped: tuple[str, ...] = ()
    """A sentence for each thing in a folder that is no file: broken links, loops, sockets."""
    _cache: Cache = field(default_factory=Cache, repr=False)

    def __enter__(self) -> MemberTree:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    def close(self) -> None:
        """Give back what was kept in passing; members stay readable, more slowly."""
        self._cache.close()


def list_members(
    path: Path, *, limits: Limits = DEFAULT_LIMITS, descend: bool = True
) -> MemberTree:
    """List the files of a folder or (nested) zip.

    A zip is known by its first bytes; inside of a folder or zip also files named ``.zip`` in any
    case have to be one. Other names are looked at where they have no extension. In folders,
    hidden files and folders (``.name``) are left out: work in progress lies there.

    Parameters
    ----------
    path : Path
        Folder or zip.
    limits : Limits, optional
        For entries, depth and the size of directories.
    descend : bool, optional
        Whether to look into zips that lie inside; else they are members themselves.

    Raises
    ------
    NothingFound
        There is nothing at `path`.
    NoProduct
        What is there is neither file nor folder.
    BadProduct
        A folder or file cannot be read.
    BadArchive
        A zip is damaged or is no zip.
    UnsafeArchive
        A limit is passed.
    """
    lister = _Lister(limits, descend)
    try:
        lister.start(path)
    except BaseException:
        lister.cache.close()
        raise
    return MemberTree(
        tuple(lister.members), tuple(lister.archives), tuple(lister.skipped), lister.cache
    )


def reader_at(file: BinaryIO, where: str) -> ReadAt:
    """Make a function that reads at an offset of a seekable file, named `where`."""

    def read_at(offset: int, count: int) -> bytes:
        try:
            file.seek(offset)
            return read_exactly(file, count)
        except OSError as error:
            raise BadArchive(f"{where} cannot be read: {error.strerror or error}") from error

    return read_at


def is_archive(member: Member) -> bool:
    """Whether a file inside of a delivery is to be looked into.

    Raises
    ------
    BadArchive
        It is named ``.zip`` and is none; the message says what it is.
    """
    if member.name.lower().endswith(ZIP_SUFFIX):
        require_zip(member.read_head(HEAD_BYTES), member.path)
        return True
    if PurePosixPath(member.name).suffix:
        return False
    return member.read_head(len(LOCAL_SIGNATURE)) == LOCAL_SIGNATURE


def is_seekable_cheaply(member: Member) -> bool:
    """Whether a member's bytes can be reached without inflating all that lies before them."""
    while isinstance(member, ZipMember):
        if member.entry.method != STORED:
            return False
        if len(member.kept()) == member.entry.compressed_size:
            return True
        member = member.archive
    return True


def zip_member(archive: Member, entry: ZipEntry, offset: int) -> ZipMember:
    """Describe one entry of an archive as a member."""
    folder, _, name = entry.name.rpartition("/")
    return ZipMember(
        name=name,
        path=label(archive.path, entry.name),
        folder=label(archive.path, folder) if folder else archive.path,
        size=entry.size,
        archive=archive,
        entry=entry,
        data_offset=offset,
    )


class _Lister:
    def __init__(self, limits: Limits, descend: bool) -> None:
        self.limits = limits
        self.descend = descend
        self.members: list[Member] = []
        self.archives: list[str] = []
        self.skipped: list[str] = []
        self.cache = Cache()
        self.entries = 0
        self._seen: set[tuple[int, int]] = set()

    def start(self, path: Path) -> None:
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            raise NothingFound(f"{path} does not exist", hint="check the path") from None
        except OSError as error:
            raise unreadable(path, error) from error
        if stat.S_ISDIR(mode):
            for member in self._folder(path):
                self.add(member, depth=0)
        elif stat.S_ISREG(mode):
            self.archive(FileMember.of(path), depth=1)
        else:
            raise NoProduct(f"{path} is neither a file nor a folder")

    def add(self, member: Member, *, depth: int) -> None:
        if self.descend and is_archive(member):
            self.archive(member, depth=depth + 1)
        else:
            self.members.append(member)

    def archive(self, archive: Member, *, depth: int) -> None:
        if depth > self.limits.depth:
            raise UnsafeArchive(
                f"{archive.path} is nested deeper than depth = {self.limits.depth} archives"
            )
        self.archives.append(archive.path)
        names = set()
        for member in self._zip_members(archive):
            self.entries += 1
            if self.entries > self.limits.entries:
                raise UnsafeArchive(f"{archive.path}: more than {self.limits.entries} entries")
            if member.entry.name in names:
                raise UnsafeArchive(
                    f"{member.path} is there twice", hint="the archive was not made by JAXA"
                )
            names.add(member.entry.name)
            if member.entry.special_kind:
                self.skipped.append(f"{member.path} is a {member.entry.special_kind}")
            elif not member.entry.is_folder:
                self.add(member, depth=depth)

    def _zip_members(self, archive: Member) -> Iterator[ZipMember]:
        with archive.open() as file:
            if is_seekable_cheaply(archive):
                read_at = reader_at(file, archive.path)
                require_zip(read_at(0, HEAD_BYTES), archive.path)
                directory = read_directory(
                    read_at, archive.size, where=archive.path, limits=self.limits
                )
                for entry in directory.entries:
                    place = label(archive.path, entry.name)
                    offset = data_offset(read_at, entry, directory, where=place)
                    yield zip_member(archive, entry, offset)
            else:
                for passed in scan_forward(
                    file, where=archive.path, limits=self.limits, cache=self.cache
                ):
                    member = zip_member(archive, passed.entry, passed.data_offset)
                    yield replace(member, kept=passed.kept)

    def _folder(self, folder: Path) -> Iterator[FileMember]:
        try:
            status = folder.stat()
            found = sorted(os.scandir(folder), key=lambda item: item.name)
        except OSError as error:
            raise unreadable(folder, error) from error
        identity = (status.st_dev, status.st_ino)
        if identity in self._seen:
            self.skipped.append(f"{folder} is a folder that was listed already (a link or loop)")
            return
        self._seen.add(identity)
        for item in found:
            if not item.name.startswith("."):
                yield from self._folder_item(folder / item.name)

    def _folder_item(self, path: Path) -> Iterator[FileMember]:
        try:
            mode = path.stat().st_mode
        except OSError as error:
            if not path.is_symlink():
                raise unreadable(path, error) from error
            self.skipped.append(f"{path} is a broken link")
            return
        if stat.S_ISDIR(mode):
            yield from self._folder(path)
        elif stat.S_ISREG(mode):
            yield FileMember.of(path)
        else:
            self.skipped.append(f"{path} is neither file nor folder")

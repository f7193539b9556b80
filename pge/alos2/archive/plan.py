"""Decide from the central directories alone what unpacking would write, or refuse it.

Nothing is written before the whole plan stands. Only a *deflated* inner zip cannot be looked into
before it is written; it is planned for by its size, and planned itself as soon as it is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePosixPath

from alos2.archive.directory import HEAD_BYTES, data_offset, read_directory, require_zip
from alos2.archive.limits import DEFAULT_LIMITS, Limits
from alos2.archive.member import Member, ZipMember
from alos2.archive.members import (
    ZIP_SUFFIX,
    is_archive,
    is_seekable_cheaply,
    reader_at,
    zip_member,
)
from alos2.archive.names import NameTable, require_length, safe_path
from alos2.archive.records import ZipEntry, label
from alos2.archive.streams import require_readable
from alos2.errors import UnsafeArchive


@dataclass(frozen=True)
class PlannedFile:
    """A member and where it goes, relative to the destination."""

    path: PurePosixPath
    member: ZipMember


@dataclass(frozen=True)
class PlannedArchive:
    """An inner zip: where its contents go, and where it goes itself if it is kept."""

    path: PurePosixPath
    folder: PurePosixPath
    member: ZipMember
    depth: int
    plan: Plan | None
    """None where it has to be written before its directory can be read (deflated)."""


@dataclass(frozen=True)
class Plan:
    """What unpacking one archive writes."""

    files: tuple[PlannedFile, ...]
    """In the order of the data in the archive."""
    folders: tuple[PurePosixPath, ...]
    archives: tuple[PlannedArchive, ...]

    def walk_archives(self) -> Iterator[PlannedArchive]:
        """Give all inner zips, each before those inside it."""
        for archive in self.archives:
            yield archive
            if archive.plan is not None:
                yield from archive.plan.walk_archives()

    def walk_files(self) -> Iterator[PlannedFile]:
        """Give the files of this archive and of all planned archives inside it."""
        yield from self.files
        for archive in self.archives:
            if archive.plan is not None:
                yield from archive.plan.walk_files()

    def walk_folders(self) -> Iterator[PurePosixPath]:
        """Give the folders, each after those above it."""
        yield from self.folders
        for archive in self.archives:
            yield archive.folder
            if archive.plan is not None:
                yield from archive.plan.walk_folders()

    def bytes_needed(self, *, keep_inner: bool) -> int:
        """Bytes that will be on the disk at once; deflated inner zips at least twice."""
        needed = sum(item.member.size for item in self.walk_files())
        for archive in self.walk_archives():
            if archive.plan is None:
                needed += 2 * archive.member.size
            elif keep_inner:
                needed += archive.member.size
        return needed


@dataclass
class Budget:
    """What is used up of the limits, over all nested archives."""

    limits: Limits
    packed_bytes: int
    """Size of the outermost archive."""
    entries: int = field(default=0, init=False)
    total_bytes: int = field(default=0, init=False)

    def use_entries(self, count: int, where: str) -> None:
        """Count entries.

        Raises
        ------
        UnsafeArchive
            They are more than ``entries``.
        """
        self.entries += count
        if self.entries > self.limits.entries:
            raise UnsafeArchive(
                f"{where}: {self.entries} entries, more than entries = {self.limits.entries}"
            )

    def use_bytes(self, size: int, packed: int, where: str) -> None:
        """Count the bytes of one member, by the size that it declares.

        Raises
        ------
        UnsafeArchive
            ``file_bytes``, ``total_bytes`` or ``ratio`` is passed.
        """
        limits = self.limits
        self.total_bytes += size
        if size > limits.file_bytes:
            raise UnsafeArchive(f"{where} has {size} bytes, more than file_bytes = "
                                f"{limits.file_bytes}")  # fmt: skip
        if self.total_bytes > limits.total_bytes:
            raise UnsafeArchive(
                f"{where}: {self.total_bytes} bytes so far, more than total_bytes = "
                f"{limits.total_bytes}"
            )
        for unpacked, source in ((size, packed), (self.total_bytes, self.packed_bytes)):
            if unpacked > limits.ratio_above_bytes and unpacked > limits.ratio * max(1, source):
                raise UnsafeArchive(
                    f"{where}: {unpacked} bytes out of {source}, more than ratio = {limits.ratio:g}"
                )


def plan_archive(
    archive: Member,
    *,
    limits: Limits = DEFAULT_LIMITS,
    budget: Budget | None = None,
    keep_inner: bool = False,
    prefix: PurePosixPath | None = None,
    depth: int = 1,
    descend: bool = True,
) -> Plan:
    """Plan an archive with all that is nested in it, as far as it can be seen without writing.

    Parameters
    ----------
    archive : Member
        The zip.
    limits : Limits, optional
        What is allowed.
    budget : Budget, optional
        Goes on counting where an outer plan stopped.
    keep_inner : bool, optional
        Whether inner zips are kept beside their contents.
    prefix : PurePosixPath, optional
        Where the contents go, relative to the destination.
    depth : int, optional
        1 for the outermost archive.
    descend : bool, optional
        Whether zips inside are unpacked, too; else they are files.

    Raises
    ------
    BadArchive
        It is no zip, damaged, encrypted, or packed by an unknown method.
    UnsafeArchive
        A name, a link or a limit makes it unsafe.
    """
    if depth > limits.depth:
        raise UnsafeArchive(f"{archive.path} is nested deeper than depth = {limits.depth} archives")
    budget = budget or Budget(limits, archive.size)
    planner = _Planner(limits, budget, prefix or PurePosixPath(), depth, keep_inner=keep_inner)
    return planner.plan(archive, descend=descend)


class _Planner:
    """Plans one archive; makes itself again for each that lies inside."""

    def __init__(
        self, limits: Limits, budget: Budget, prefix: PurePosixPath, depth: int, *, keep_inner: bool
    ) -> None:
        self.limits = limits
        self.budget = budget
        self.keep_inner = keep_inner
        self.prefix = prefix
        self.depth = depth

    def plan(self, archive: Member, *, descend: bool) -> Plan:
        members = self._read(archive)
        names = NameTable(archive.path)
        folders, plain = [], []
        for member in members:
            path = self._place(member.entry.name, archive.path)
            if member.entry.is_folder:
                names.add_folder(path)
                folders.append(self.prefix / path)
            else:
                names.add_file(path)
                plain.append((path, member))
        files, inner = [], []
        for path, member in plain:
            if descend and is_archive(member):
                inner.append(self._inner(path, member, names))
            else:
                entry = member.entry
                self.budget.use_bytes(entry.size, entry.compressed_size, member.path)
                files.append(PlannedFile(self.prefix / path, member))
        files.sort(key=lambda item: item.member.data_offset)
        return Plan(tuple(files), tuple(folders), tuple(inner))

    def _read(self, archive: Member) -> list[ZipMember]:
        members = []
        with archive.open() as file:
            read_at = reader_at(file, archive.path)
            require_zip(read_at(0, HEAD_BYTES), archive.path)
            directory = read_directory(
                read_at, archive.size, where=archive.path, limits=self.limits
            )
            self.budget.use_entries(len(directory.entries), archive.path)
            for entry in directory.entries:
                place = label(archive.path, entry.name)
                _require_plain(entry, place)
                offset = data_offset(read_at, entry, directory, where=place)
                members.append(zip_member(archive, entry, offset))
        if not self.limits.allow_overlap:
            _require_apart(members)
        return members

    def _place(self, name: str, where: str) -> PurePosixPath:
        path = safe_path(name, where=where, limits=self.limits)
        require_length(self.prefix / path, where=where, limits=self.limits)
        return path

    def _inner(self, path: PurePosixPath, member: ZipMember, names: NameTable) -> PlannedArchive:
        folder = self._folder_for(path, names)
        if self.depth >= self.limits.depth:
            raise UnsafeArchive(
                f"{member.path} is nested deeper than depth = {self.limits.depth} archives"
            )
        plan = None
        if self.keep_inner or not is_seekable_cheaply(member):
            self.budget.use_bytes(member.size, member.entry.compressed_size, member.path)
        if is_seekable_cheaply(member):
            plan = plan_archive(
                member,
                limits=self.limits,
                budget=self.budget,
                keep_inner=self.keep_inner,
                prefix=self.prefix / folder,
                depth=self.depth + 1,
            )
        return PlannedArchive(
            self.prefix / path, self.prefix / folder, member, self.depth + 1, plan
        )

    def _folder_for(self, path: PurePosixPath, names: NameTable) -> PurePosixPath:
        """Choose the folder for an inner zip: its name without ``.zip`` if that is free."""
        name = path.name
        wanted = [path.with_name(f"{name}_zip")]
        stem = name[: -len(ZIP_SUFFIX)]
        if name.lower().endswith(ZIP_SUFFIX) and stem:
            wanted = [path.with_name(stem), path.with_name(f"{stem}_zip")]
        for folder in wanted:
            if names.is_free(folder):
                self._place(str(folder), str(path))
                names.add_folder(folder)
                return folder
        raise UnsafeArchive(f"the folder for {path} would be {wanted[-1]}, which is there already")


def _require_plain(entry: ZipEntry, where: str) -> None:
    """Refuse links, devices, encrypted entries and folders that have contents."""
    if entry.special_kind:
        raise UnsafeArchive(
            f"{where} is a {entry.special_kind}",
            hint="JAXA delivers files and folders only; if you trust its origin, unzip it by hand",
        )
    require_readable(entry, where)
    if entry.is_folder and entry.size:
        raise UnsafeArchive(f"{where} is a folder and declares {entry.size} bytes", hint="")


def _require_apart(members: list[ZipMember]) -> None:
    """Refuse entries that share bytes: how small archives are made to hold huge contents."""
    ordered = sorted(members, key=lambda member: member.entry.header_offset)
    for one, following in pairwise(ordered):
        if one.data_offset + one.entry.compressed_size > following.entry.header_offset:
            raise UnsafeArchive(
                f"{one.path} and {following.path} overlap",
                hint="if you trust its origin, set allow_overlap",
            )

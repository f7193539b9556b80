"""Unpack a (nested) zip: planned first, streamed with checks, there whole or not at all.

Each member is inflated under the size that it declares, its CRC compared and its SHA-256 made on
the way (a second read of 6 GB costs a minute), into a hidden folder beside the destination that
is synced and renamed when everything is there. Members are unpacked two at a time, since nothing
else in it is bound to one core.
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, Protocol, TypeAlias

from alos2.archive.codec import BEST, Codec
from alos2.archive.limits import DEFAULT_LIMITS, MIB, Limits
from alos2.archive.member import FileMember, SpooledMember, ZipMember, open_local
from alos2.archive.plan import Budget, Plan, PlannedArchive, plan_archive
from alos2.archive.streams import member_chunks
from alos2.archive.writing import HashingWriter, sync_folder, writing_failed
from alos2.errors import NoSpace, UsageError

Progress: TypeAlias = Callable[[int, int], None]
"""Called now and then, in the caller's thread, with (bytes written, bytes planned)."""

CHUNK: Final = 512 * 1024
"""Packed bytes read at a time."""
THREAD_FROM_BYTES: Final = 4 * MIB
"""Members from this size on are written and hashed by a thread of their own."""
TICK_S: Final = 0.2


class _Usage(Protocol):
    @property
    def free(self) -> int: ...


DiskUsage: TypeAlias = Callable[[Path], _Usage]


@dataclass(frozen=True)
class UnpackedFile:
    """One file that was written."""

    path: Path
    size: int
    sha256: str
    crc32: int


@dataclass(frozen=True)
class InnerArchive:
    """An inner zip that was kept beside its contents."""

    path: Path
    folder: Path
    """Where its contents were unpacked to."""
    members: tuple[str, ...]
    """Names of its files, relative to `folder`: in the order of their data, zips at the end."""
    size: int
    sha256: str


@dataclass(frozen=True)
class Unpacked:
    """What unpacking left."""

    folder: Path
    files: tuple[UnpackedFile, ...]
    """By path; kept inner zips are not among them."""
    inner_archives: tuple[InnerArchive, ...]


class _Cancelled(Exception):  # noqa: N818 - never leaves this module
    """Another member failed, or the user interrupted."""


def require_space(
    folder: Path, needed: int, limits: Limits, disk_usage: DiskUsage = shutil.disk_usage
) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises
    ------
    NoSpace
        Free are fewer than `needed` bytes and ``spare_bytes``.
    """
    try:
        free = disk_usage(folder).free
    except OSError as error:
        raise writing_failed(folder, error) from error
    if free < needed + limits.spare_bytes:
        raise NoSpace(
            f"{folder} has {free / 1e6:.0f} MB free; unpacking needs {needed / 1e6:.0f} MB "
            f"and {limits.spare_bytes / 1e6:.0f} MB to spare"
        )


def unpack(
    archive: Path,
    destination: Path,
    *,
    limits: Limits = DEFAULT_LIMITS,
    keep_inner: bool = False,
    progress: Progress | None = None,
    codec: Codec = BEST,
    workers: int | None = None,
    disk_usage: DiskUsage = shutil.disk_usage,
) -> Unpacked:
    """Unpack `archive`, and the zips in it, to the new folder `destination`.

    The contents of an inner zip go to a folder of its name without ``.zip``, beside it.

    Parameters
    ----------
    archive : Path
        A zip, whatever its name.
    destination : Path
        Must not exist; its parent must.
    limits : Limits, optional
        What is allowed.
    keep_inner : bool, optional
        Keep inner zips beside their contents.
    progress : callable, optional
        See `Progress`.
    codec : Codec, optional
        Implementation of inflate and CRC-32.
    workers : int, optional
        Members in work at a time; by default the number of processors, at most 4.
    disk_usage : callable, optional
        As `shutil.disk_usage`.

    Raises
    ------
    BadArchive
        No zip, or damaged.
    UnsafeArchive
        A rule or limit is broken.
    NoSpace
        The disk is too small; looked at before the first byte is written.
    UsageError
        The destination exists, or its parent does not.
    """
    if os.path.lexists(destination):
        raise UsageError(f"{destination} exists already", hint="give a new folder")
    if not destination.parent.is_dir():
        raise UsageError(f"{destination.parent} is not a folder", hint="create it first")
    source = FileMember.of(archive)
    budget = Budget(limits, source.size)
    plan = plan_archive(source, limits=limits, budget=budget, keep_inner=keep_inner)
    parent = destination.absolute().parent
    needed = plan.bytes_needed(keep_inner=keep_inner)
    require_space(parent, needed, limits, disk_usage)
    staging = parent / f".{destination.name}.{secrets.token_hex(4)}.unpacking"
    crew = _Crew(codec, workers or min(4, os.cpu_count() or 1), progress, needed)
    work = _Unpacking(
        staging, destination, crew, budget=budget, keep_inner=keep_inner, disk_usage=disk_usage
    )
    try:
        try:
            staging.mkdir()
            work.run(plan)
            work.sync()
            staging.rename(destination)
            sync_folder(parent)
        except OSError as error:
            raise writing_failed(destination, error) from error
    finally:
        crew.stop()
        shutil.rmtree(staging, ignore_errors=True)
    return work.result()


def _open_packed(member: ZipMember) -> BinaryIO:
    """Open the packed bytes to be read once: straight from the file on disk where they lie so."""
    archive, offset = member.packed_place()
    if archive.local_path is None:
        return member.open_packed()
    file = open_local(archive.local_path, buffered=False)
    file.seek(offset)
    return file


class _Crew:
    """The threads that unpack members, and their common progress."""

    def __init__(self, codec: Codec, workers: int, progress: Progress | None, planned: int) -> None:
        self._codec = codec
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="unpack")
        self._progress = progress
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._done = 0
        self.planned = planned

    def write(self, jobs: Sequence[tuple[ZipMember, Path]]) -> list[UnpackedFile]:
        """Unpack members to files; the results are in the order of `jobs`."""
        # The largest first, so that no thread begins one when the others are about to end.
        order = sorted(range(len(jobs)), key=lambda index: -jobs[index][0].size)
        futures: dict[int, Future[UnpackedFile]] = {
            index: self._pool.submit(self._member, *jobs[index]) for index in order
        }
        pending = set(futures.values())
        while pending:
            done, pending = wait(pending, TICK_S, FIRST_EXCEPTION)
            for future in done:
                future.result()
            self._report()
        return [futures[index].result() for index in range(len(jobs))]

    def stop(self) -> None:
        """End all threads, at their next chunk."""
        self._cancelled.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(self._done, max(self._done, self.planned))

    def _member(self, member: ZipMember, target: Path) -> UnpackedFile:
        threaded = member.size >= THREAD_FROM_BYTES
        with _open_packed(member) as packed, HashingWriter(target, threaded=threaded) as writer:
            for data in member_chunks(
                packed, member.entry, where=member.path, chunk=CHUNK, codec=self._codec
            ):
                if self._cancelled.is_set():
                    raise _Cancelled
                writer.write(data)
                with self._lock:
                    self._done += len(data)
        return UnpackedFile(target, member.size, writer.sha256, member.entry.crc32)


class _Unpacking:
    """One call of `unpack`: rounds of plan and write, until no inner zip waits."""

    def __init__(
        self,
        staging: Path,
        destination: Path,
        crew: _Crew,
        *,
        budget: Budget,
        keep_inner: bool,
        disk_usage: DiskUsage,
    ) -> None:
        self.staging = staging
        self.destination = destination
        self.keep_inner = keep_inner
        self.budget = budget
        self.crew = crew
        self.disk_usage = disk_usage
        self.files: list[UnpackedFile] = []
        self.inner: list[InnerArchive] = []

    def run(self, plan: Plan) -> None:
        """Write what is planned, then what could only be planned now, and so on."""
        for folder in plan.walk_folders():
            (self.staging / folder).mkdir(parents=True, exist_ok=True)
        files = list(plan.walk_files())
        archives = [a for a in plan.walk_archives() if self.keep_inner or a.plan is None]
        jobs = [(item.member, self._target(item.path)) for item in files]
        jobs += [(item.member, self._spool(item)) for item in archives]
        written = self.crew.write(jobs)
        self.files += written[: len(files)]
        for item, spool in zip(archives, written[len(files) :], strict=True):
            inner = item.plan
            if inner is None:
                inner = self._plan_spooled(item, spool)
                self.run(inner)
            if self.keep_inner:
                self._note(item, inner, spool)
            else:
                spool.path.unlink()

    def _target(self, path: PurePosixPath) -> Path:
        target = self.staging / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target

    def _spool(self, item: PlannedArchive) -> Path:
        if self.keep_inner:
            return self._target(item.path)
        return self.staging / f".inner-{secrets.token_hex(8)}.zip"

    def _plan_spooled(self, item: PlannedArchive, spool: UnpackedFile) -> Plan:
        plan = plan_archive(
            SpooledMember(spool.path, spool.size, item.member.path),
            limits=self.budget.limits,
            budget=self.budget,
            keep_inner=self.keep_inner,
            prefix=item.folder,
            depth=item.depth,
        )
        needed = plan.bytes_needed(keep_inner=self.keep_inner)
        require_space(self.staging, needed, self.budget.limits, self.disk_usage)
        self.crew.planned = max(self.crew.planned, self.budget.total_bytes)
        return plan

    def _note(self, item: PlannedArchive, plan: Plan, spool: UnpackedFile) -> None:
        paths = [file.path for file in plan.files] + [inner.path for inner in plan.archives]
        self.inner.append(
            InnerArchive(
                self._final(spool.path),
                self.destination / item.folder,
                tuple(path.relative_to(item.folder).as_posix() for path in paths),
                spool.size,
                spool.sha256,
            )
        )

    def sync(self) -> None:
        """Make sure that all names are on the disk, the deepest folders first."""
        for folder, _, _ in os.walk(self.staging, topdown=False):
            sync_folder(Path(folder))

    def _final(self, path: Path) -> Path:
        return self.destination / path.relative_to(self.staging)

    def result(self) -> Unpacked:
        """Name the files by their final places."""
        files = (
            UnpackedFile(self._final(file.path), file.size, file.sha256, file.crc32)
            for file in self.files
        )
        return Unpacked(
            self.destination,
            tuple(sorted(files, key=lambda file: file.path.as_posix())),
            tuple(self.inner),
        )

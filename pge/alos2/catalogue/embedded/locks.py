"""Who may write: one process at a time, and marks of work that was begun.

SQLite itself lets one process write at a time. The lock file besides is held while a rebuilt
catalogue takes the place of the old one, which SQLite's own lock cannot span.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from alos2.archive.writing import writing_failed
from alos2.catalogue.embedded.faults import busy
from alos2.dataset.locks import FileLock
from alos2.errors import NoResource

_MARKS: Final = "begun"
_MARK_S: Final = 5.0
_SHORTEST_S: Final = 0.002
_LONGEST_S: Final = 0.02


@contextmanager
def write_lock(database: Path, patience_s: float) -> Iterator[None]:
    """Hold the right to write `database`.

    Raises
    ------
    PublishFailed
        Another process has not let go of it for `patience_s` seconds.
    NoResource
        The lock file cannot be made.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(lock_in_time(database.with_name("write.lock"), "", patience_s))
        except NoResource as error:
            if error.__cause__ is None:  # held by another, not impossible here
                raise busy(database) from error
            raise
        yield


@contextmanager
def lock_in_time(path: Path, purpose: str, patience_s: float) -> Iterator[None]:
    """Hold the lock file at `path`, which another process may have for a while.

    Raises
    ------
    NoResource
        As `FileLock`, once `patience_s` seconds have gone by.
    """
    deadline = time.monotonic() + patience_s
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(FileLock(path, purpose))
                break
            except NoResource as error:
                if error.__cause__ is not None or time.monotonic() >= deadline:
                    raise
            # Not in step with the others that wait.
            time.sleep(random.uniform(_SHORTEST_S, _LONGEST_S))  # noqa: S311
        yield


@contextmanager
def begun(folder: Path, name: str) -> Iterator[FileLock]:
    """Leave a mark while the dataset `name` is being made, replaced or removed.

    The mark stays where the process is killed, where an error ends the work, or where its ``stays``
    is set; nobody holds its lock then: see `left_behind`. No catalogue need be there yet, but the
    archive. Where an error leaves neither a dataset nor a catalogue, nothing stays.

    Raises
    ------
    NoResource, NoSpace
        The mark cannot be made.
    """
    marks = folder / _MARKS
    try:
        # Not the archive itself: where that is missing, a disk may only not be mounted.
        folder.mkdir(exist_ok=True)
        marks.mkdir(exist_ok=True)
    except OSError as error:
        raise writing_failed(marks, error) from error
    path = marks / f"{name}~{os.getpid()}-{random.getrandbits(32):08x}"
    # Who settles at this moment may meet the mark before its lock is held.
    with (
        ExitStack() as stack,
        FileLock(path, f"dataset {name} is being made", patience_s=_MARK_S) as mark,
    ):
        try:
            yield mark
        except BaseException:
            mark.stays = (folder.parent / name).exists() or _has_files(folder)
            raise
        finally:
            if not mark.stays and not _has_files(folder):
                stack.callback(_take_away, marks, folder)


def _has_files(folder: Path) -> bool:
    """Whether there is a catalogue, or what one is made of: a file."""
    try:
        return any(path.is_file() for path in folder.iterdir())
    except OSError:
        return False


def _take_away(*folders: Path) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:  # somebody else's mark
            return


def left_behind(folder: Path) -> Iterator[str]:
    """Yield the datasets whose making ended in the middle; the mark goes when the caller is done.

    If the caller does not come for the next one (an error, or it is killed too), it stays. Those
    of processes that still run are left alone.
    """
    try:
        with os.scandir(folder / _MARKS) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError:
        return  # none was ever made
    for name in names:
        lock = FileLock(folder / _MARKS / name, "")
        try:
            with lock:
                lock.stays = True  # until the caller has come back
                yield name.rpartition("~")[0]
                lock.stays = False
        except NoResource:
            continue  # its owner lives


def has_left_behind(folder: Path) -> bool:
    """Whether there are marks at all, also of processes that still run."""
    try:
        with os.scandir(folder / _MARKS) as entries:
            return any(True for _ in entries)
    except OSError:
        return False

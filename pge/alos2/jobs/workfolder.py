"""The hidden folder that an ingest works in, and taking away those of runs that were killed.

A run locks ``.alos2-ingest-<random>.lock`` before it makes the folder ``.alos2-ingest-<random>``
beside the datasets, and lets go of it after the folder is gone. The system lets go of the locks
of a killed run; so a folder whose lock can be had belongs to nobody, and the next run of any
product removes it. The folder of a living run is never touched.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from alos2.archive.writing import writing_failed
from alos2.dataset.locks import FileLock
from alos2.errors import NoResource, UsageError

log = logging.getLogger(__name__)

WORK_PREFIX: Final = ".alos2-ingest-"
"""Start of the names of the hidden work folders in the folder that takes the datasets."""

_LOCK_SUFFIX: Final = ".lock"
_MOST_TRIES: Final = 5


@contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """Make a hidden folder beside the datasets, on their file system, and take it away again.

    Parameters
    ----------
    out : Path
        Folder that takes the datasets; made where it is missing.

    Raises
    ------
    UsageError
        `out` is not a folder.
    NoResource, NoSpace
        `out` cannot be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{out} is not a folder", hint="name another folder by --out") from None
    except OSError as error:
        raise writing_failed(out, error) from error
    remove_abandoned(out)
    with ExitStack() as stack:
        work = _locked_name(out, stack)
        try:
            work.mkdir(mode=0o700)
        except OSError as error:
            raise writing_failed(work, error) from error
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _locked_name(out: Path, stack: ExitStack) -> Path:
    """Choose a name for a work folder, and lock it."""
    tries = 1
    while True:
        work = out / f"{WORK_PREFIX}{secrets.token_hex(6)}"
        try:
            stack.enter_context(FileLock(_lock_of(work), f"{work.name} is being used"))
        except NoResource:
            # Another run may just be looking whether this lock is one that was left.
            if tries == _MOST_TRIES:
                raise
            tries += 1
        else:
            return work


def _lock_of(work: Path) -> Path:
    return work.with_name(work.name + _LOCK_SUFFIX)


def remove_abandoned(out: Path) -> None:
    """Remove the work folders of runs that were killed; what cannot be removed stays.

    Parameters
    ----------
    out : Path
        Folder that takes the datasets.
    """
    for work in _abandoned(out):
        try:
            with FileLock(_lock_of(work), f"{work.name} is being removed"):
                if work.exists():
                    log.info("removing %s, which a killed run left", work)
                    shutil.rmtree(work)
        except NoResource:
            continue  # a living run's, or in a folder where nothing can be locked
        except OSError as error:
            log.warning("%s could not be removed: %s", work, error.strerror or error)


def _abandoned(out: Path) -> set[Path]:
    """Name the work folders that are there, or whose locks are."""
    try:
        with os.scandir(out) as entries:
            names = [entry.name for entry in entries if entry.name.startswith(WORK_PREFIX)]
    except OSError:
        return set()  # writing there will say what is wrong
    return {out / name.removesuffix(_LOCK_SUFFIX) for name in names}

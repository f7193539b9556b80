"""Where downloads lie while they are needed: a hidden folder for each, found again by the next run.

``<out>/.alos2-downloads/<key>/``, where the key is a digest of the public URL. It outlives a run
that was stopped, killed or cut off, so that the same command goes on where that one ended; it is
taken away as soon as its datasets are there, or when its content can be of no use to anybody.
One run at a time has it: a second one waits. No dataset's name looks like it, so HySDS, which
publishes what matches its rules, leaves it alone.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from alos2.archive.writing import writing_failed
from alos2.errors import BadProduct, DatasetDiffers, UsageError
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from alos2.sources.transfer.lock import TargetLock

log = logging.getLogger(__name__)

DOWNLOADS: Final = ".alos2-downloads"
"""Name of the folder of downloads in the folder that takes the datasets."""

_Outcome = TypeVar("_Outcome")


class DownloadPlace:
    """The folder of one download."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._wanted = False

    def keep(self) -> None:
        """Leave what is there for the next run."""
        self._wanted = True

    def watch(self, outcomes: Iterable[_Outcome]) -> Iterator[_Outcome]:
        """Pass `outcomes` on; one that the same bytes may bring to an end next time keeps them."""
        for outcome in outcomes:
            if isinstance(outcome, Failed) and not _is_useless(outcome.error):
                self.keep()
            yield outcome

    def leave(self) -> None:
        """Take away what nobody needs any more."""
        if not self._wanted:
            shutil.rmtree(self.folder, ignore_errors=True)


def _is_useless(error: BaseException) -> bool:
    """Tell whether what was downloaded is itself at fault: other bytes are needed."""
    return isinstance(error, BadProduct) and not isinstance(error, DatasetDiffers)


def downloads_of(options: IngestOptions) -> Path:
    """Return the folder that holds all downloads."""
    return options.downloads or options.out / DOWNLOADS


@contextmanager
def download_place(options: IngestOptions, url: str) -> Iterator[DownloadPlace]:
    """Have the folder for downloads of `url` for oneself.

    Parameters
    ----------
    options : IngestOptions
        ``downloads`` (else ``out``) says where, ``keep_download`` whether it stays.
    url : str
        Public URL; the same one finds the same folder again.

    Raises
    ------
    UsageError
        ``out`` is not a folder.
    NoResource, NoSpace
        The folder cannot be made, or another run has had it for too long.
    Interrupted
        ``options.cancelled`` said so while waiting for another run.
    """
    parent = downloads_of(options)
    key = hashlib.sha256(url.encode()).hexdigest()[:16]
    place = DownloadPlace(parent / key)
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UsageError(f"{parent} is not a folder", hint="name another by --out") from None
    except OSError as error:
        raise writing_failed(parent, error) from error
    lock = parent / f"{key}.lock"
    try:
        with TargetLock(lock, wait_s=options.transfer.lock_wait_s, cancel=options.cancelled):
            try:
                place.folder.mkdir(mode=0o700, exist_ok=True)
            except OSError as error:
                raise writing_failed(place.folder, error) from error
            try:
                yield place
            except BaseException as error:
                if not _is_useless(error):
                    place.keep()
                raise
            finally:
                if options.keep_download:
                    place.keep()
                _leave(place)
    finally:
        _remove_if_empty(parent)


def _leave(place: DownloadPlace) -> None:
    place.leave()
    _remove_if_empty(place.folder)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # not empty, or gone

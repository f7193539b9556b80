"""Whether a scan can begin: its folders are there, and its archive is the one that it was."""

from __future__ import annotations

import os
from pathlib import Path

from alos2.archive.writing import writing_failed
from alos2.errors import NoResource, NothingFound, UsageError
from alos2.scan.options import ScanOptions
from alos2.scan.state import ScanState


def check(options: ScanOptions) -> None:
    """Refuse options that ask for something impossible.

    Raises
    ------
    NothingFound
        A folder to walk, or the archive, is not there.
    UsageError
        They contradict each other.
    """
    for root in options.roots:
        if not root.is_dir():
            raise NothingFound(f"there is no folder {root}", hint="check what is mounted")
    if options.site.scheduler is None and options.script is None and options.wait is False:
        raise UsageError(
            "without a scheduler the scan does the work itself, and waits for it",
            hint="name one with --scheduler or in the site file, or leave --no-wait out",
        )
    if options.forget_gone and not options.roots:
        raise UsageError(
            "what is gone can only be told by a walk", hint="alos2 scan DIR... --forget-gone"
        )
    # One that was scanned into is not made anew: its disk is not mounted.
    new = options.out.parent.is_dir() and not options.folder.exists()
    if not options.out.is_dir() and (options.out.exists() or not (new and options.roots)):
        raise NothingFound(
            f"there is no archive {options.out}", hint="make the folder, or name another with --out"
        )


def make_archive(options: ScanOptions) -> None:
    """Make the archive's folder where it is new; raises NoResource, NoSpace."""
    try:
        options.out.mkdir(exist_ok=True)
    except OSError as error:
        raise writing_failed(options.out, error) from error


def require_mounted(state: ScanState, archive: Path) -> None:
    """Refuse an archive that has lost everything: its disk may not be mounted.

    Raises
    ------
    NoResource
        It is empty, and datasets were made in it.
    """
    if not state.one("SELECT 1 FROM made WHERE kept LIMIT 1"):
        return
    try:
        with os.scandir(archive) as entries:
            if next(entries, None) is not None:
                return
    except OSError:
        return  # told by the walk; whoever writes into it will say more
    raise NoResource(
        f"the archive {archive} is empty, and datasets were made in it: is it mounted?",
        hint=f"mount it; for an archive that shall begin anew, remove {state.folder}",
    )

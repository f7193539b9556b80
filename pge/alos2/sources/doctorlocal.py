"""What can be seen on this computer alone: files of credentials, disks, optional packages."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from alos2.errors import UsageError
from alos2.sources.credentials.files import exposure
from alos2.sources.credentials.netrcfile import netrc_files
from alos2.sources.credentials.profiles import Profiles
from alos2.sources.credentials.refused import markers
from alos2.sources.doctor import Check, failed
from alos2.sources.extras import EXTRAS, has_extra

_GIGABYTE: Final = 10**9
DISK_NEEDS: Final[Mapping[str, float]] = {"archive": 10.0, "cache": 0.1, "temporary": 0.5}
"""Free disk that each folder should have, GB: a zip of a few GB, and what is in it, beside it."""
_WHAT_FOR: Final = {
    "s3": "s3:// URLs",
    "sftp": "sftp:// URLs and the new G-Portal",
    "keyring": "accounts in the keyring",
}


def credential_checks() -> Iterator[Check]:
    """Yield whether anybody else can read the files with accounts, and what was refused before."""
    profiles = Profiles(os.environ)
    found = False
    netrcs = (p for p in netrc_files(os.environ) if p.is_file())
    for path in dict.fromkeys((*profiles.places(), *netrcs)):
        if path.is_dir():
            continue
        found = True
        yield _mode_check(path)
    if not found:
        yield Check("credentials", None, "there is no file with accounts")
    try:
        profiles.named("alos2-doctor")
    except UsageError as error:
        yield failed("credentials", error)
    for marker in markers():
        yield Check(
            "refused password",
            None,
            f"one was refused {'at ' + marker.when if marker.when else 'before'} and is not sent "
            "again",
            f"mend it where it is kept, or remove {marker.file} to try it again",
        )


def _mode_check(path: Path) -> Check:
    problem = exposure(path)
    if problem:
        return Check("credentials", False, problem, f"chmod 600 {path}", "settings")
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        path.open("rb").close()
    except OSError as error:
        said = f"{path} cannot be read: {error.strerror}"
        return Check("credentials", False, said, "check its owner and mode", "settings")
    shown = f" (mode {mode:04o})" if os.name == "posix" else ""
    return Check("credentials", True, f"{path} is read by nobody else{shown}")


def disk_checks(archive: Path, cache: Path | None) -> Iterator[Check]:
    """Yield whether the folders that are written to can be, and have room.

    Parameters
    ----------
    archive : Path
        Takes datasets and downloads.
    cache : Path, optional
        For what need not be asked twice; None where there is no place for one.
    """
    yield _disk_check("archive", archive)
    if cache is None:
        yield Check("cache disk", None, "no folder: nothing is remembered from run to run")
    else:
        yield _disk_check("cache", cache)
    yield _disk_check("temporary", Path(tempfile.gettempdir()))


def _disk_check(name: str, folder: Path) -> Check:
    label = f"{name} disk"
    there = folder
    while not there.exists() and there.parent != there:
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        said = f"{folder} cannot be written to"
        return Check(label, False, said, "check its permissions, or choose another", "disk")
    try:
        free_gb = shutil.disk_usage(there).free / _GIGABYTE
    except OSError as error:
        return Check(label, False, f"{folder}: {error.strerror}", "choose another folder", "disk")
    needed_gb = DISK_NEEDS[name]
    said = f"{folder} has {free_gb:.1f} GB free"
    if free_gb < needed_gb:
        remedy = f"have at least {needed_gb:g} GB, or choose a folder on another disk"
        return Check(label, False, said, remedy, "disk")
    return Check(label, True, said)


def package_checks() -> Iterator[Check]:
    """Yield the Python, and which optional packages are there."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield Check("python", True, f"{version} at {sys.executable}")
    for extra, module in EXTRAS.items():
        what = _WHAT_FOR[extra]
        if has_extra(extra):
            yield Check(f"{module} extra", True, f"is there, for {what}")
        else:
            remedy = f"pip install 'alos2-ingest[{extra}]'"
            yield Check(f"{module} extra", None, f"is not installed; only {what} need it", remedy)

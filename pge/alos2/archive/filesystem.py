"""Which journal suits the file system that an archive lies on.

SQLite's write-ahead log needs memory that all who use the file share: processes of one machine on
a local disk (SQLite, "Write-Ahead Logging", section 1). Network file systems get the rollback
journal, which needs nothing but working locks. What is not known to be local counts as remote.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Final, Literal, TypeAlias

Journal: TypeAlias = Literal["wal", "delete"]

_MOUNTS: Final = Path("/proc/self/mountinfo")
_OCTAL: Final = re.compile(r"\\([0-7]{3})")
_LOCAL: Final = frozenset(
    {
        "apfs", "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "hfsplus",
        "jfs", "msdos", "nilfs2", "ntfs", "ntfs3", "overlay", "ramfs", "reiserfs", "squashfs",
        "tmpfs", "udf", "ufs", "vfat", "xfs", "zfs",
    }
)  # fmt: skip
"""File systems of one machine, as Linux names them; fuseblk is a disk behind a driver."""


def suited_journal(folder: Path) -> Journal:
    """Return the journal for a database in `folder`, which need not exist yet."""
    return "wal" if is_local(folder) else "delete"


def is_local(folder: Path) -> bool:
    """Whether `folder` certainly lies on a disk of this machine."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - only there

        fixed, ram = 3, 6
        drive = os.path.splitdrive(folder.absolute())[0] + "\\"
        return ctypes.windll.kernel32.GetDriveTypeW(drive) in (fixed, ram)
    return sys.platform.startswith("linux") and file_system(folder, _mounts()) in _LOCAL


def file_system(folder: Path, mountinfo: str) -> str:
    """Return the type of the file system that `folder` lies on; empty where that is not said.

    Parameters
    ----------
    folder : Path
        Links in it are followed.
    mountinfo : str
        As Linux has it in ``/proc/self/mountinfo`` (proc(5)).
    """
    real = os.path.realpath(folder)
    best, kind = "", ""
    for line in mountinfo.splitlines():
        before, _, behind = line.partition(" - ")
        words, types = before.split(" "), behind.split(" ")
        if len(words) < 5 or not types[0]:
            continue
        point = _OCTAL.sub(lambda found: chr(int(found[1], 8)), words[4])
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        # Of two mounts at one point the later one is what is seen.
        if inside and len(point) >= len(best):
            best, kind = point, types[0]
    return kind


def _mounts() -> str:
    try:
        return _MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""

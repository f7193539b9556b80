"""Hidden files of unfinished work: named after who makes them, so that the next one can clean up.

A process that is killed leaves its scratch behind. Its name says machine and process, and whoever
makes the same file next on that machine removes it if that process is no more. Files of another
machine (a cluster's folder) stay: nobody can tell from here whether they are still wanted.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Final

_MARK: Final = re.compile(r"([0-9a-f]{8})-([1-9][0-9]*)(?:\.|$)")


@lru_cache(maxsize=1)
def _machine() -> str:
    return f"{zlib.crc32(platform.node().encode()):08x}"


def hidden_stem(path: Path) -> str:
    """Return what names of this process's scratch for a file or folder begin with."""
    return f".{path.name}.{_machine()}-{os.getpid()}"


def remove_leftovers(path: Path) -> None:
    """Remove the scratch of processes of this machine that made `path` and are no more.

    What cannot be removed stays: it is in nobody's way.
    """
    if sys.platform == "win32":
        return  # processes cannot be asked after there
    beginning = f".{path.name}."
    try:
        with os.scandir(path.parent) as entries:
            names = [entry.name for entry in entries if entry.name.startswith(beginning)]
    except OSError:
        return
    for name in names:
        found = _MARK.match(name, len(beginning))
        if found and found[1] == _machine() and not _lives(int(found[2])):
            leftover = path.with_name(name)
            try:
                leftover.unlink()
            except OSError:
                shutil.rmtree(leftover, ignore_errors=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True  # somebody else's
    return True

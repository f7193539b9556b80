"""The doctor's rooms that know programs and kernels: ISCE2, numba; and all rooms together."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alos2.footprint import FootprintOptions
from alos2.sources.doctor import Check, register

_ISCE_PATIENCE_S: Final = 60.0
_BROKEN: Final = ("Traceback (most recent call last)", "ModuleNotFoundError", "ImportError")


def register_rooms() -> None:
    """Register the rooms of this floor."""
    register("numba", numba_checks)
    register("isce2", isce2_checks)


def numba_checks() -> Iterator[Check]:
    """Yield whether numba works, and whether what it compiles is kept."""
    try:
        from alos2.raster import jit  # noqa: PLC0415  imports numba, which takes a second
    except ImportError as error:
        yield Check(
            "numba", False, f"it cannot be imported: {error}",
            "install alos2-ingest again in an environment of its own", "settings",
        )  # fmt: skip
        return
    kept = jit.choose_cache()
    folder = os.environ.get("NUMBA_CACHE_DIR", "")
    if kept and _is_writable(Path(folder)):
        yield Check("numba cache", True, f"compiled kernels are kept in {folder}")
        return
    said = f"{folder or 'no folder'} can be written to: each process compiles its kernels anew"
    yield Check(
        "numba cache", False, said, "set NUMBA_CACHE_DIR to a folder of your own", "settings"
    )


def _is_writable(folder: Path) -> bool:
    while not folder.exists() and folder.parent != folder:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def isce2_checks() -> Iterator[Check]:
    """Yield whether ISCE2's program is there and starts; nobody needs to have it."""
    wanted = FootprintOptions().isce_program
    program = shutil.which(wanted)
    if program is None:
        said = f"not installed (no {wanted} on the PATH); only the footprint 'isce' needs it"
        yield Check("isce2", None, said)
        return
    remedy = "set up its environment first (ISCE_HOME, PYTHONPATH), as its README says"
    try:
        done = subprocess.run(  # noqa: S603  (an argument list, the program chosen by name)
            [program, "--help"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_ISCE_PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        said = f"{program} did not answer within {_ISCE_PATIENCE_S:g} s"
        yield Check("isce2", False, said, remedy, "settings")
    except OSError as error:
        said = f"{program} cannot be run: {error.strerror}"
        yield Check("isce2", False, said, remedy, "settings")
    else:
        # Its versions end --help with different codes, but all say so when they cannot start.
        lines = done.stdout.decode(errors="replace").strip().splitlines()
        if any(word in line for word in _BROKEN for line in lines):
            yield Check("isce2", False, f"{program}: {lines[-1][:200]}", remedy, "settings")
        else:
            yield Check("isce2", True, f"{program} starts")

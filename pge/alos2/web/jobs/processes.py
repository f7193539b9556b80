"""Groups of processes: begun apart from the server's own, known again later, and ended whole."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import alos2
from alos2.types import Json

LINE_LIMIT: Final = 1 << 20
"""Longest line of a job's output, bytes; a dataset's JSON line has some ten kB."""
_STARTED: Final = 19
"""Field of /proc/<pid>/stat behind the command's name: when it began, in ticks since boot."""
_UNSHARED: Final = ("ALOS2_SERVE_TOKEN",)
"""What the server knows, and its jobs need not."""


async def begin(command: Sequence[str], *, folder: Path) -> asyncio.subprocess.Process:
    """Start a program as the leader of a new group, its output to be read.

    Raises
    ------
    OSError
        It cannot be started.
    """
    environment = {k: v for k, v in os.environ.items() if k not in _UNSHARED}
    paths = (str(Path(alos2.__file__).parents[1]), environment.get("PYTHONPATH", ""))
    environment |= {
        "ALOS2_PROGRESS": "json",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        # Not what happens to lie in the working directory.
        "PYTHONSAFEPATH": "1",
        "PYTHONUNBUFFERED": "1",
    }
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env=environment,
        start_new_session=True,
        limit=LINE_LIMIT,
    )


def mark_of(pid: int) -> Json:
    """Return what tells this process from a later one of the same number."""
    return {"pid": pid, "began": _began(pid)}


def is_alive(mark: Mapping[str, object] | None) -> bool:
    """Whether the process of a mark still runs. Where a system does not say since when: no."""
    if mark is None or not isinstance(mark.get("pid"), int) or mark.get("began") is None:
        return False
    return _began(int(str(mark["pid"]))) == mark["began"]


def end(pid: int, *, now: bool = False) -> None:
    """Ask a group of processes to end; `now`: end it without asking."""
    number = signal.SIGKILL if now and hasattr(signal, "SIGKILL") else signal.SIGTERM
    try:
        if hasattr(os, "killpg"):
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # It has ended by itself.


def _began(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return None
    # The name in parentheses may hold anything, also parentheses.
    fields = text.rpartition(")")[2].split()
    # A process that has ended and was not asked for its exit code is still listed.
    return None if len(fields) <= _STARTED or fields[0] == "Z" else fields[_STARTED]

"""Who is publishing: enough for the next one to tell a living publisher from a killed one.

On the same machine the process says it itself (its number and the moment of its start, within its
own space of process numbers: a container has another). Of other machines only the age of its last
sign of life is known.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

from alos2.types import Json


@dataclass(frozen=True)
class Holder:
    """A publishing process."""

    machine: str
    """Same text: same space of process numbers, same start of the machine."""
    name: str
    """The machine's name, for people."""
    pid: int
    started: str
    """Moment of the process's start, as the system counts it; empty where it cannot be known."""

    def to_json(self) -> Json:
        """Return it as the marker holds it."""
        return {
            "machine": self.machine,
            "name": self.name,
            "pid": self.pid,
            "started": self.started,
        }

    @classmethod
    def from_json(cls, document: Json) -> Holder:
        """Read it from a marker; what is missing becomes nobody."""
        pid = document.get("pid")
        return cls(
            str(document.get("machine", "")),
            str(document.get("name", "")),
            pid if isinstance(pid, int) else 0,
            str(document.get("started", "")),
        )

    def lives(self) -> bool | None:
        """Whether it is at work; None where that cannot be known from here."""
        if not self.machine or self.machine != _machine() or self.pid <= 0:
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            pass  # there is one, and it is another user's
        return not self.started or _started(self.pid) == self.started


def myself() -> Holder:
    """Return this process."""
    pid = os.getpid()
    return Holder(_machine(), platform.node(), pid, _started(pid))


def _machine() -> str:
    """Name this start of this machine, and this space of process numbers; empty if unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return f"{boot} {space}"


def _started(pid: int) -> str:
    """Return the start of a process in ticks since the machine's; empty where nobody says."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The second field is the program's name in brackets, which may hold anything.
    fields = text.rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 else ""

"""Processes that never outlive the one that looks after them.

Every daemon is told to die with its keeper (PR_SET_PDEATHSIG), and what daemons and jobs leave
behind comes to the keeper as a child of its own (PR_SET_CHILD_SUBREAPER), so that it can end it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_START_SECONDS = 25.0


class NotStartedError(Exception):
    """A daemon did not start; the text says why, in one line."""


def adopt_orphans() -> None:
    """Make this process the parent of what its descendants leave behind."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@dataclass
class Daemons:
    """Daemons of one scheduler: their programs, environment and what they print."""

    environment: Mapping[str, str]
    logs: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], **more: str) -> None:
        """Start one in the foreground; what it prints goes to ``<name>.out``."""
        prctl = ctypes.CDLL(None).prctl
        with (self.logs / f"{name}.out").open("wb") as out:
            self.running[name] = subprocess.Popen(
                command,
                env={**self.environment, **more},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0),  # noqa: PLW1509
            )

    def run(self, *command: str) -> str:
        """Run a command of the scheduler; an error is a `NotStartedError` with its words."""
        done = subprocess.run(
            command,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            words = " ".join(f"{done.stderr} {done.stdout}".split())
            raise NotStartedError(f"{Path(command[0]).name}: {words[:300]}")
        return done.stdout

    def wait(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds; a daemon that ends meanwhile is named with its words."""
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            for name, process in self.running.items():
                if process.poll() is not None:
                    raise NotStartedError(f"{name} ended by itself: {self._last_words(name)}")
            try:
                if condition():
                    return
            except (NotStartedError, OSError):
                pass
            time.sleep(0.1)
        words = "; ".join(f"{name}: {self._last_words(name)}" for name in self.running)
        raise NotStartedError(f"{what} did not come about within {_START_SECONDS:.0f} s; {words}")

    def _last_words(self, name: str) -> str:
        text = (self.logs / f"{name}.out").read_text("utf-8", "replace")
        return " | ".join(text.strip().splitlines()[-2:])[-300:] or "it printed nothing"


def free_ports(count: int) -> list[int]:
    """Return ports that nobody has on loopback now."""
    holders = [socket.socket() for _ in range(count)]
    try:
        for each in holders:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in holders]
    finally:
        for each in holders:
            each.close()


def _descendants() -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return sorted(found - {os.getpid()})
        found |= more


def reap() -> bool:
    """Take leave of children that have ended; return whether others are left.

    Slurm waits for a job's process group to be empty, and drains the node when it never is: an
    orphan that nobody takes leave of would stay in it.
    """
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return True
        except ChildProcessError:
            return False


def kill_descendants() -> None:
    """Kill all that descends from this process, with what is born meanwhile."""
    for _ in range(100):
        for pid in _descendants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not reap():
            return
        time.sleep(0.02)

"""Jobs as processes of this machine, where there is no scheduler.

They are processes of their own: they go on when the scan that began them is killed, and the next
one finds them by their process number and the time at which they began.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from alos2.cluster.model import BatchJob, JobStatus
from alos2.errors import NoResource

NAME: Final = "here"
_LOOK_S: Final = 0.05
_KILL_BASE: Final = 128


class HereJobs:
    """The `alos2.cluster.model.Scheduler` of a machine without one."""

    def __init__(self) -> None:
        self.name = NAME
        self._own: dict[str, subprocess.Popen[bytes]] = {}

    def submit(self, job: BatchJob) -> str:
        """Begin a process.

        Raises
        ------
        NoResource
            The system refuses.
        """
        try:
            with (
                (job.folder / "stdout").open("ab") as out,
                (job.folder / "stderr").open("ab") as err,
            ):
                process = subprocess.Popen(  # noqa: S603 - our own program
                    job.argv,
                    cwd=job.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env={**os.environ, **job.environment},
                    start_new_session=True,
                )
        except OSError as error:
            raise NoResource(
                f"no worker process could be begun: {error.strerror or error}",
                hint="fewer at a time: --jobs",
            ) from error
        native_id = f"{process.pid}-{_born(process.pid)}@{socket.gethostname()}"
        self._own[native_id] = process
        return native_id

    def status(self, jobs: Sequence[tuple[str, Path]]) -> dict[str, JobStatus]:
        """Say where they stand; of another scan's process only whether it is there."""
        return {native_id: self._status(native_id) for native_id, _ in jobs}

    def _status(self, native_id: str) -> JobStatus:
        process = self._own.get(native_id)
        if process is None:
            return _found(native_id)
        code = process.poll()
        if code is None:
            return JobStatus("running")
        if code < 0:
            return JobStatus("killed", _KILL_BASE - code, f"signal {-code}")
        return JobStatus("failed" if code else "done", code)

    def cancel(self, native_id: str, folder: Path | None = None) -> None:  # noqa: ARG002
        """Ask a process to end after the scene that it is at."""
        if self._status(native_id).ended:
            return
        try:
            os.kill(_pid(native_id), signal.SIGTERM)
        except ProcessLookupError:
            return

    def close(self, patience_s: float) -> None:
        """Wait for the processes that this object began, as `wait` does."""
        self.wait(list(self._own), patience_s)

    def wait(self, native_ids: Sequence[str], patience_s: float) -> None:
        """Wait until processes have ended, or until patience has."""
        until = time.monotonic() + patience_s
        while time.monotonic() < until and any(not self._status(n).ended for n in native_ids):
            time.sleep(_LOOK_S)


def _found(native_id: str) -> JobStatus:
    """Say where a process of an earlier scan stands."""
    host = native_id.partition("@")[2]
    if host != socket.gethostname():
        return JobStatus("gone", None, f"was begun on {host}, which cannot be seen from here")
    born = native_id.partition("@")[0].partition("-")[2]
    if born and _born(_pid(native_id)) == born:
        return JobStatus("running")
    return JobStatus("killed", None, "is no longer among the processes")


def _pid(native_id: str) -> int:
    number = native_id.partition("-")[0]
    return int(number) if number.isdigit() else 0


def _born(pid: int) -> str:
    """Return what tells a process from a later one of the same number; empty if it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return "" if Path("/proc/self").exists() else _born_by_signal(pid)
    # The name in parentheses may hold anything; state is field 3, starttime field 22 (proc(5)).
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in ("Z", "X") else fields[19]


def _born_by_signal(pid: int) -> str:
    """Return something where there is no /proc and the process is there."""
    if pid <= 0:
        return ""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return "0"
    except OSError:
        return ""
    return "0"

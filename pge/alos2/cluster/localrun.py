"""What a local job runs under: its own session, its walltime, its exit code on disk.

Run as a program by `alos2.cluster.local`, with Python's standard library alone: PSI/J's local
executor leaves its jobs in the session of the terminal, and its pipe breaks when the submitter
ends. Arguments: the job's id, its walltime in seconds (0 for none), the script; the folder is
the working directory.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

_GRACE_S = 20.0
"""Between the TERM that asks a job to end and the KILL that ends it."""

_caught: list[int] = []


def _note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    _caught.append(number)


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.run")
    with part.open("w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def main(job_id: str, walltime: int, script: str) -> int:
    """Run the script of a job to its end.

    Returns
    -------
    int
        Its exit code, 128 + n for signal n.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _note)
    began = time.monotonic()
    exit_file = Path(f"job-{job_id}.exit")
    child = subprocess.Popen(["/bin/bash", script])  # noqa: S603
    word = ""
    while True:
        try:
            code = child.wait(timeout=0.2)
            break
        except subprocess.TimeoutExpired:
            late = walltime and time.monotonic() - began >= walltime
            if late or _caught:
                word = "walltime" if late else "cancelled"
                code = _end(child)
                break
    seconds = int(time.monotonic() - began)
    if code < 0 and not word:
        # The shell of the job was killed: its command must not go on unseen.
        _sweep(signal.SIGTERM)
    code = 128 - code if code < 0 else code
    if code == 0 or (exit_file.exists() and not word):
        return code  # the script wrote it
    _write(exit_file, f"{code} {seconds} {walltime} {word}\n")
    return code


def _end(child: subprocess.Popen[bytes]) -> int:
    """End the job: its shell passes the TERM on to the command and notes how that ended."""
    child.terminate()
    try:
        code = child.wait(timeout=_GRACE_S)
    except subprocess.TimeoutExpired:
        code = -signal.SIGKILL
    _sweep(signal.SIGKILL)
    child.wait()
    return code


def _sweep(number: int) -> None:
    """Send a signal to all other processes of this session's group."""
    group = os.getpgrp()
    for entry in Path("/proc").glob("[0-9]*"):
        pid = int(entry.name)
        try:
            if pid != os.getpid() and os.getpgid(pid) == group:
                os.kill(pid, number)
        except OSError:
            continue  # it has ended by itself


def _detach(output: str) -> None:
    """Leave the terminal's session and the submitter's pipe."""
    os.setsid()
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.close(descriptor)


if __name__ == "__main__":
    _detach("native.txt")
    sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))

"""Jobs on this machine, through PSI/J's local executor, that outlive the process that submits.

PSI/J starts the process; what it starts is `alos2.cluster.localrun`, which leaves the terminal's
session and keeps walltime and exit code. Finding a job again needs no PSI/J (whose attached jobs
always end with 0): a native id is ``<token>.<pid>.<host>``, the token stands in the process's own
command line, and so a process that got the same number later is not taken for the job.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from alos2.cluster import localrun
from alos2.cluster.jobscript import NATIVE_OUTPUT, job_name, write_script
from alos2.cluster.model import BatchJob, JobStatus
from alos2.cluster.psijlink import quiet_import
from alos2.cluster.site import Site
from alos2.cluster.witness import Witness, note_cancelled, read_witness
from alos2.errors import NoResource

with quiet_import():
    import psij
    from packaging.version import Version
    from psij.executors.local import LocalJobExecutor

_WORDS: Final = frozenset(("walltime", "cancelled"))
"""What a runner says of a job that it ended."""
_RUNNER: Final = str(Path(localrun.__file__).resolve())


class _Direct(psij.Launcher):
    """Starts the command itself: PSI/J's own launchers are scripts that break at a space."""

    def get_launch_command(self, job: psij.Job, log_file: str | None = None) -> list[str]:  # noqa: ARG002
        """Return the command."""
        spec = job.spec
        return [] if spec is None else [str(spec.executable), *(spec.arguments or [])]

    def is_launcher_failure(self, output: str) -> bool:  # noqa: ARG002
        """Return False: nothing stands between PSI/J and the command."""
        return False

    def get_launcher_failure_message(self, output: str) -> str:
        """Return what was printed."""
        return output


class _Executor(LocalJobExecutor):
    """PSI/J's local executor with that launcher."""

    _NAME_ = "local"
    _VERSION_ = Version("0.0.1")

    def _get_launcher(self, name: str, version_constraint: str | None = None) -> psij.Launcher:  # noqa: ARG002
        return _Direct()

    def _process_done(self, p: Any) -> None:
        """Close the pipe of an ended job, which PSI/J leaves open."""
        super()._process_done(p)
        if p.process is not None and p.process.stdout is not None:
            p.process.stdout.close()


class LocalScheduler:
    """Runs jobs here, at once, each in a session of its own."""

    name: Final = "local"

    def __init__(self, site: Site) -> None:
        self._site = site

    def submit(self, job: BatchJob) -> str:
        """See `alos2.cluster.model.Scheduler.submit`."""
        token = secrets.token_hex(6)
        name = job_name(job.name)
        text = write_script(
            job,
            self._site,
            prefix="#",
            directives=(f"job {name}",),
            job_id=f"{token}.$PPID.$(uname -n)",
        )
        walltime = self._site.walltime_s if job.walltime_s is None else job.walltime_s
        try:
            job.folder.mkdir(parents=True, exist_ok=True)
            script = job.folder / f"{token}.job"
            script.write_bytes(os.fsencode(text))
            native = psij.Job(
                psij.JobSpec(
                    # -I: neither the user's PYTHON* variables nor this package's folder, whose
                    # site.py would stand before Python's own.
                    executable=sys.executable,
                    arguments=["-I", _RUNNER, token, str(walltime or 0), str(script)],
                    directory=job.folder,
                    name=name,
                )
            )
            _Executor().submit(native)
        except OSError as error:
            raise NoResource(
                f"the script of job {name!r} cannot be written to {job.folder}: {error.strerror}"
            ) from error
        except psij.SubmitException as error:
            raise NoResource(
                f"job {name!r} cannot be started: {error.exception or error}"
            ) from None
        return f"{token}.{native.native_id}.{os.uname().nodename}"

    def status(self, jobs: Sequence[tuple[str, Path]]) -> dict[str, JobStatus]:
        """See `alos2.cluster.model.Scheduler.status`."""
        return {native_id: self._one(native_id, folder) for native_id, folder in jobs}

    def _one(self, native_id: str, folder: Path) -> JobStatus:
        token, pid, host = _parts(native_id)
        own = read_witness(folder, native_id).status()
        # A runner that is still there may yet say why it ended its job.
        if own is not None and (own.state != "killed" or own.reason in _WORDS):
            return own
        if host != os.uname().nodename:
            return JobStatus("running", None, f"started on {host}: only there it can be seen")
        if _is_job(pid, token):
            return JobStatus("running")
        if _members(pid, token):
            return JobStatus("running", None, "its runner was killed, its command goes on")
        witness = read_witness(folder, native_id)
        if witness.cancelled and witness.exit_code is None:
            return JobStatus("killed", None, "cancelled")
        return witness.status() or JobStatus("killed", None, _last_words(folder, witness))

    def cancel(self, native_id: str, folder: Path | None = None) -> None:
        """See `alos2.cluster.model.Scheduler.cancel`."""
        if folder is not None:
            note_cancelled(folder, native_id)
        token, pid, host = _parts(native_id)
        if host != os.uname().nodename:
            raise NoResource(f"job {native_id} runs on {host}", hint="cancel it there")
        for each in [pid] if _is_job(pid, token) else _members(pid, token):
            try:
                os.kill(each, signal.SIGTERM)
            except ProcessLookupError:
                continue
            except PermissionError as error:
                raise NoResource(f"job {native_id} is another user's") from error


def _parts(native_id: str) -> tuple[str, int, str]:
    token, _, rest = native_id.partition(".")
    number, _, host = rest.partition(".")
    return token, int(number) if number.isdigit() else 0, host


def _last_words(folder: Path, witness: Witness) -> str:
    if witness.started:
        return "it ended without a word: killed with all its processes, or the machine restarted"
    try:
        words = (folder / NATIVE_OUTPUT).read_text("utf-8", "replace").split()
    except OSError:
        words = []
    return f"never started: {' '.join(words[-30:]) or 'no words'}"


def _command_line(pid: int) -> list[str]:
    """Return a process's arguments; empty for one that has ended, waited for or not."""
    if Path("/proc/self/cmdline").exists():
        return _from_proc(Path(f"/proc/{pid}"))
    psutil = import_module("psutil")  # PSI/J brings it; only systems without /proc need it

    try:
        return list(psutil.Process(pid).cmdline())
    except psutil.Error:
        return []


def _from_proc(process: Path) -> list[str]:
    # For a moment while a program is loaded its arguments are not there yet.
    for _ in range(40):
        try:
            line = (process / "cmdline").read_bytes()
            state = (process / "stat").read_bytes().rpartition(b")")[2].split()[:1]
        except OSError:
            return []
        if line or state in ([b"Z"], [b"X"]):
            return line.decode("utf-8", "replace").split("\0") if line else []
        time.sleep(0.005)
    return []


def _is_job(pid: int, token: str) -> bool:
    return pid > 1 and token in _command_line(pid)


def _members(group: int, token: str) -> list[int]:
    """Return the processes of a job whose runner is gone: its group, and its id in them."""
    mark = f"ALOS2_JOB_ID={token}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*") if group > 1 else ():
        try:
            if os.getpgid(int(entry.name)) == group and mark in (
                entry / "environ"
            ).read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found

"""Slurm: PSI/J's executor with a list command that keeps its reasons.

``squeue`` shows ended jobs for some minutes (MinJobAge); ``sacct`` longer, where the site keeps
accounts. Source: the manual pages of squeue, sacct and sbatch, and Slurm 22.05 itself.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from alos2.cluster.batch import Kind
from alos2.cluster.jobscript import Request
from alos2.cluster.model import JobState, JobStatus
from alos2.cluster.psijlink import Quiet, quiet_import, run
from alos2.errors import NoResource

with quiet_import():
    import psij
    from packaging.version import Version
    from psij.executors.batch.batch_scheduler_executor import check_status_exit_code
    from psij.executors.batch.slurm import SlurmJobExecutor

_KILLED: Final[Mapping[str, str]] = {
    "TIMEOUT": "walltime",
    "DEADLINE": "walltime",
    "CANCELLED": "cancelled",
    "PREEMPTED": "preempted",
    "NODE_FAIL": "node failure",
    "OUT_OF_MEMORY": "out of memory",
    "BOOT_FAIL": "never started: the node did not boot",
    "REVOKED": "revoked",
}
_SACCT: Final = ("sacct", "--noheader", "--allocations", "--parsable2",
                 "--format=JobID,State,ExitCode")  # fmt: skip
_WAITING: Final = frozenset(
    ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD",
     "SPECIAL_EXIT")
)  # fmt: skip
_RUNNING: Final = frozenset(
    ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING")
)


def directives(wanted: Request) -> list[str]:
    """Return what follows ``#SBATCH``."""
    lines = [
        f"--job-name={wanted.name}",
        f"--output={wanted.native_output}",
        f"--error={wanted.native_output}",
        "--open-mode=append",
        "--nodes=1",
        "--ntasks=1",
        f"--cpus-per-task={wanted.cpus}",
        # A node that fails must not start the job again behind our back.
        "--no-requeue",
    ]
    account = wanted.account or wanted.project
    for option, value in (
        ("partition", wanted.queue),
        ("account", account),
        ("time", wanted.clock),
        ("mem", wanted.memory_mb and f"{wanted.memory_mb}M"),
    ):
        if value:
            lines.append(f"--{option}={value}")
    return [*lines, *wanted.directives]


def native_status(state: str, reason: str, code: int | None = None) -> psij.JobStatus:
    """Return a PSI/J status for Slurm's word for a state.

    Raises
    ------
    ValueError
        Nobody knows the word.
    """
    word = state.split(maxsplit=1)[0].rstrip("+") if state.split() else ""
    said = "" if reason in ("None", "(null)", "") else reason
    if word in _KILLED:
        return psij.JobStatus(
            psij.JobState.FAILED, exit_code=code, message=_KILLED[word], metadata={"killed": True}
        )
    if word in _WAITING:
        return psij.JobStatus(psij.JobState.QUEUED, message=said)
    if word in _RUNNING:
        return psij.JobStatus(psij.JobState.ACTIVE)
    if word == "COMPLETED":
        return psij.JobStatus(psij.JobState.COMPLETED, exit_code=0)
    if word == "FAILED" and reason == "JobLaunchFailure":
        # So Slurm calls a script that was ended by a signal, too.
        return psij.JobStatus(
            psij.JobState.FAILED, exit_code=code, message=reason, metadata={"killed": True}
        )
    if word == "FAILED":
        return psij.JobStatus(psij.JobState.FAILED, exit_code=code, message=said)
    raise ValueError(f"Slurm state {state!r} is not known")


class Executor(Quiet, SlurmJobExecutor):
    """PSI/J's Slurm executor: ``sbatch`` and ``scancel`` as it has them."""

    _NAME_ = "slurm"
    _VERSION_ = Version("0.0.1")

    def job_id_from_submit_output(self, out: str) -> str:
        """Return the number in ``Submitted batch job 7 on cluster x``."""
        found = re.search(r"batch job (\d+)", out)
        if found is None:
            raise psij.SubmitException(f"sbatch names no job: {out.strip()}")
        return found[1]

    def get_status_command(self, native_ids: Collection[str]) -> list[str]:  # noqa: ARG002
        """Return one call for all jobs of this user.

        By their ids it would fail when a single one is asked for and that one is gone.
        """
        return ["squeue", "--noheader", "--states=all", f"--user={os.getuid()}",
                "--format=%i|%T|%r"]  # fmt: skip

    def parse_status_output(self, exit_code: int, out: str) -> dict[str, psij.JobStatus]:
        """Return the status of each listed job."""
        check_status_exit_code("squeue", exit_code, out)
        found = {}
        for line in out.splitlines():
            native_id, state, reason = ([part.strip() for part in line.split("|")] + ["", ""])[:3]
            if native_id and state:
                found[native_id] = native_status(state, reason)
        return found

    def process_cancel_command_output(self, exit_code: int, out: str) -> None:
        """Let a job that has ended be: ``scancel`` says ``Invalid job id specified``."""
        if re.search(r"invalid job id|already complet", out, re.IGNORECASE):
            return
        super().process_cancel_command_output(exit_code, out)


def history(native_ids: Sequence[str]) -> dict[str, JobStatus]:
    """Return what ``sacct`` still knows; nothing where the site keeps no accounts."""
    try:
        answer = run([*_SACCT, f"--jobs={','.join(native_ids)}"])
    except NoResource:
        return {}
    found: dict[str, JobStatus] = {}
    for line in answer.out.splitlines() if answer.code == 0 else ():
        native_id, state, codes = ([*line.split("|"), "", ""])[:3]
        code, _, number = codes.partition(":")
        exit_code = 128 + int(number) if number.strip("0").isdigit() else int(code or 0)
        try:
            status = native_status(state, "", exit_code)
        except ValueError:
            continue
        ended: JobState = "failed" if status.state == psij.JobState.FAILED else "done"
        if (status.metadata or {}).get("killed"):
            ended = "killed"
        if status.state.final:
            found[native_id] = JobStatus(ended, status.exit_code, status.message or "")
    return found


KIND: Final = Kind(
    name="slurm",
    executor=lambda config: Executor(config=config),  # type: ignore[arg-type]
    prefix="#SBATCH",
    job_id="$SLURM_JOB_ID",
    directives=directives,
    lists_all=True,
    history=history,
)

"""LSF: PSI/J's executor with its answers read as IBM documents them.

Sources: IBM Spectrum LSF 10.1 reference (bsub, bjobs, bkill, lsf.conf), as published; no LSF has
run this.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from alos2.cluster.batch import Kind
from alos2.cluster.jobscript import Request
from alos2.cluster.psijlink import Quiet, quiet_import

with quiet_import():
    import psij
    from packaging.version import Version
    from psij.executors.batch.batch_scheduler_executor import InvalidJobStateError
    from psij.executors.batch.lsf import LsfJobExecutor

_FIELDS: Final = "jobid stat exit_code exit_reason pend_reason"
_WAITING: Final = frozenset(("PEND", "PROV", "PSUSP", "WAIT"))
_RUNNING: Final = frozenset(("RUN", "USUSP", "SSUSP", "UNKWN"))
# bjobs exits with 255 when one of the jobs asked for is not found, and yet prints the others.
_ANSWERED: Final = frozenset((0, 255))
_REASONS: Final[tuple[tuple[str, str], ...]] = (
    (r"TERM_(RUNLIMIT|DEADLINE|WINDOW)", "walltime"),
    (r"TERM_CPULIMIT", "cpu time"),
    (r"TERM_(MEMLIMIT|SWAP)", "out of memory"),
    (r"TERM_(OWNER|FORCE_OWNER|ADMIN|FORCE_ADMIN|REMOVE_HUNG_JOB)", "cancelled"),
    (r"TERM_PREEMPT", "preempted"),
    (r"TERM_EXTERNAL_SIGNAL", "a signal from outside LSF"),
    (r"TERM_(PRE_EXEC_FAIL|CWD_NOTEXIST)", "never started: {words}"),
    (r"TERM_\w+", "{words}"),
)
_EMPTY: Final = frozenset(("", "-"))


def directives(wanted: Request) -> list[str]:
    """Return what follows ``#BSUB``."""
    lines = [
        f"-J {wanted.name}",
        f"-o {wanted.native_output}",
        f"-n {wanted.cpus}",
        '-R "span[hosts=1]"',
        "-rn",
    ]
    project = wanted.project or wanted.account
    group = wanted.account if wanted.project else None
    for option, value in (("q", wanted.queue), ("P", project), ("G", group)):
        if value:
            lines.append(f"-{option} {value}")
    if wanted.walltime_s is not None:
        minutes = -(-wanted.walltime_s // 60)
        lines.append(f"-W {minutes // 60}:{minutes % 60:02d}")
    if wanted.memory_mb is not None:
        lines.append(f"-M {wanted.memory_mb}MB")
    return [*lines, *wanted.directives]


def native_status(stat: str, code: int | None, exit_reason: str, pending: str) -> psij.JobStatus:
    """Return a PSI/J status for a row of ``bjobs``.

    Raises
    ------
    ValueError
        Nobody knows the state.
    """
    if stat in _WAITING:
        return psij.JobStatus(psij.JobState.QUEUED, message=pending)
    if stat in _RUNNING:
        return psij.JobStatus(psij.JobState.ACTIVE)
    if stat == "DONE":
        return psij.JobStatus(psij.JobState.COMPLETED, exit_code=0)
    if stat not in ("EXIT", "ZOMBI"):
        raise ValueError(f"LSF state {stat!r} is not known")
    reason = _reason(stat, code, exit_reason)
    return psij.JobStatus(
        psij.JobState.FAILED,
        exit_code=code,
        message=reason or exit_reason,
        metadata={"killed": reason is not None},
    )


def _reason(stat: str, code: int | None, exit_reason: str) -> str | None:
    """Return why a job was ended from outside; None where its own exit code says it all."""
    for pattern, reason in _REASONS:
        if re.search(pattern, exit_reason):
            return reason.format(words=exit_reason)
    if stat == "ZOMBI":
        return "node failure"
    if code is not None and 128 < code <= 192:
        return f"signal {code - 128}"
    # Deleted while it was waiting: no code, no reason.
    return "cancelled" if code is None and not exit_reason else None


class Executor(Quiet, LsfJobExecutor):
    """PSI/J's LSF executor.

    ``bsub FILE`` heeds the ``#BSUB`` lines of a file at sites with LSB_BSUB_PARSE_SCRIPT only;
    what comes by standard input is read at all.
    """

    _NAME_ = "lsf"
    _VERSION_ = Version("0.0.1")

    def get_submit_command(self, job: psij.Job, submit_file_path: Path) -> list[str]:  # noqa: ARG002
        """Return a call of ``bsub`` that reads the script from standard input."""
        return ["/bin/sh", "-c", 'exec bsub < "$1"', "bsub", str(submit_file_path.absolute())]

    def get_status_command(self, native_ids: Collection[str]) -> list[str]:
        """Return one call for these jobs, those that ended within CLEAN_PERIOD among them."""
        return ["bjobs", "-a", "-json", "-o", _FIELDS, *native_ids]

    def parse_status_output(self, exit_code: int, out: str) -> dict[str, psij.JobStatus]:
        """Return the status of each job in ``bjobs -json``."""
        if exit_code not in _ANSWERED:
            raise RuntimeError(f"bjobs exited with {exit_code}")
        if not out.lstrip().startswith("{"):
            # "Job <7> is not found" comes alone, and on standard error, from some versions.
            if re.search(r"is not found|no (unfinished |matching )?job found", out, re.IGNORECASE):
                return {}
            raise RuntimeError(f"bjobs gave no JSON: {out.strip()[:200]}")
        report: dict[str, Any] = json.loads(out)
        found = {}
        for row in report.get("RECORDS", []):
            if "ERROR" in row or "STAT" not in row:
                continue
            code = str(row.get("EXIT_CODE", "")).strip()
            found[str(row["JOBID"])] = native_status(
                str(row["STAT"]),
                int(code) if code.isdigit() else None,
                _said(row, "EXIT_REASON"),
                _said(row, "PEND_REASON"),
            )
        return found

    def process_cancel_command_output(self, exit_code: int, out: str) -> None:
        """Tell a job that has ended from a refusal."""
        if re.search(
            r"no matching job|already finished|already been|not found", out, re.IGNORECASE
        ):
            raise InvalidJobStateError(out)
        raise psij.SubmitException(f"exit code {exit_code}: {out}")


def _said(row: Mapping[str, Any], name: str) -> str:
    text = str(row.get(name, "")).strip()
    return "" if text in _EMPTY else text


KIND: Final = Kind(
    name="lsf",
    executor=lambda config: Executor(None, config=config),  # type: ignore[arg-type]
    prefix="#BSUB",
    job_id="$LSB_JOBID",
    directives=directives,
)

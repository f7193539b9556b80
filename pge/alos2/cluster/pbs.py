"""PBS Pro (OpenPBS) and Torque: PSI/J's executors with answers read as PBS gives them.

``qstat`` on several jobs exits non-zero as soon as one of them has left (35) or is not known
(153), and yet prints the others. ``-x``, which PSI/J always gives, is refused by a server that
keeps no history (PBSE_JOBHISTNOTSET), also for jobs that run: so jobs are asked for without it,
and those that have left once more with it. Sources: OpenPBS 23.06 itself; PBS Reference Guide
2024.1, error codes and job states; the manual pages of Torque.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from xml.etree import ElementTree

from alos2.cluster.batch import Kind, from_psij
from alos2.cluster.jobscript import Request
from alos2.cluster.model import JobStatus
from alos2.cluster.psijlink import Quiet, quiet_import, run
from alos2.errors import NoResource

with quiet_import():
    import psij
    from packaging.version import Version
    from psij.executors.batch.batch_scheduler_executor import InvalidJobStateError
    from psij.executors.batch.pbs import PBSJobExecutor
    from psij.executors.batch.pbs_classic import PBSClassicJobExecutor

_ANSWERED: Final = frozenset((0, 35, 153))
"""Exit codes of a ``qstat`` that answers, if only that it does not know a job (any more)."""

_KILLS: Final[Mapping[int, str]] = {
    -29: "walltime",
    -28: "too many processes",
    -27: "out of memory",
    -26: "cpu time",
    -25: "cpu time",
    -24: "out of memory",
    -11: "node failure",
    -10: "node failure",
}
_SIGNAL_BASES: Final = (256, 128)
"""PBS Pro adds 256 to the signal that ended the script, a shell 128 to its command's."""

_WAITING: Final = frozenset("HMQTUW")
_RUNNING: Final = frozenset("BERS")
_ENDED: Final = frozenset("FXC")


def directives(wanted: Request) -> list[str]:
    """Return what follows ``#PBS`` for PBS Pro."""
    chunk = f"select=1:ncpus={wanted.cpus}"
    if wanted.memory_mb is not None:
        chunk += f":mem={wanted.memory_mb}mb"
    return _common(wanted, [f"-l {chunk}"], project="P")


def torque_directives(wanted: Request) -> list[str]:
    """Return what follows ``#PBS`` for Torque; its ``-P`` is another user's name."""
    lines = [f"-l nodes=1:ppn={wanted.cpus}"]
    if wanted.memory_mb is not None:
        lines.append(f"-l mem={wanted.memory_mb}mb")
    return _common(wanted, lines, project="A" if not wanted.account else "")


def _common(wanted: Request, resources: list[str], *, project: str) -> list[str]:
    lines = [
        f"-N {wanted.name}",
        "-S /bin/bash",
        f"-o {wanted.native_output}",
        "-j oe",
        # A job that is run again behind our back would be counted twice.
        "-r n",
    ]
    # A user who gives resources in the old or the new way must not get both.
    if not any(re.search(r"-l\s*\S*(select|nodes|ncpus)=", line) for line in wanted.directives):
        lines += resources
    for option, value in (
        ("q", wanted.queue),
        (project, project and wanted.project),
        ("A", wanted.account),
    ):
        if value:
            lines.append(f"-{option} {value}")
    if wanted.clock:
        lines.append(f"-l walltime={wanted.clock}")
    return [*lines, *wanted.directives]


def native_status(state: str, code: int | None, comment: str) -> psij.JobStatus:
    """Return a PSI/J status for PBS's letter, exit status and comment.

    Raises
    ------
    ValueError
        Nobody knows the letter.
    """
    if state in _WAITING:
        return psij.JobStatus(psij.JobState.QUEUED, message=comment)
    if state in _RUNNING:
        return psij.JobStatus(psij.JobState.ACTIVE)
    if state not in _ENDED:
        raise ValueError(f"PBS state {state!r} is not known")
    if code == 0:
        return psij.JobStatus(psij.JobState.COMPLETED, exit_code=0)
    reason = _reason(code, comment)
    if reason is None:
        return psij.JobStatus(psij.JobState.FAILED, exit_code=code, message="")
    shell_code = None if code is None or code < 0 else 128 + code % 128 if code > 255 else code
    return psij.JobStatus(
        psij.JobState.FAILED, exit_code=shell_code, message=reason, metadata={"killed": True}
    )


def _reason(code: int | None, comment: str) -> str | None:
    """Return why a job was ended from outside; None where its own exit code says it all."""
    if re.search(r"exceed\w* (resource )?walltime|walltime \d+ exceeded", comment):
        return "walltime"
    if re.search(r"terminated by|deleted|Job held by|finished by qdel", comment):
        return "cancelled"
    if code is None:
        return f"never started: {comment}" if comment else "cancelled"
    if code < 0:
        return _KILLS.get(code, f"never started: {comment or f'PBS exit status {code}'}")
    for base in _SIGNAL_BASES:
        if base < code <= base + 64:
            return f"signal {code - base}"
    return None


class _Cancels(Quiet):
    def process_cancel_command_output(self, exit_code: int, out: str) -> None:
        """Tell a job that has ended from a refusal."""
        if re.search(r"unknown job|has finished|invalid state", out, re.IGNORECASE):
            raise InvalidJobStateError(out)
        raise psij.SubmitException(f"exit code {exit_code}: {out}")


class Executor(_Cancels, PBSJobExecutor):
    """PSI/J's PBS Pro executor: ``qsub``, ``qdel`` and ``qstat -f -F json``, without ``-x``."""

    _NAME_ = "pbs"
    _VERSION_ = Version("0.0.2")

    def get_status_command(self, native_ids: Collection[str]) -> list[str]:
        """Return one call for these jobs, as long as they are in the queue."""
        return [each for each in super().get_status_command(native_ids) if each != "-x"]

    def parse_status_output(self, exit_code: int, out: str) -> dict[str, psij.JobStatus]:
        """Return the status of each job in ``qstat -f -F json``."""
        return self.parsed(exit_code, out)

    @staticmethod
    def parsed(exit_code: int, out: str) -> dict[str, psij.JobStatus]:
        """Do that; for ``-x`` too."""
        if exit_code not in _ANSWERED or not out.strip():
            raise RuntimeError(f"qstat exited with {exit_code}")
        report: dict[str, Any] = json.loads(_mended(out))
        found = {}
        for native_id, entry in report.get("Jobs", {}).items():
            code = entry.get("Exit_status")
            found[native_id] = native_status(
                str(entry["job_state"]),
                code if isinstance(code, int) else None,
                str(entry.get("comment", "")),
            )
        return found


def history(native_ids: Sequence[str]) -> dict[str, JobStatus]:
    """Return what a server that keeps a history knows; nothing from another."""
    try:
        answer = run(["qstat", "-x", "-f", "-F", "json", *native_ids])
        found = Executor.parsed(answer.code, answer.out)
    except (NoResource, RuntimeError, ValueError, LookupError):
        return {}
    return {each: from_psij(status) for each, status in found.items() if status.state.final}


def _mended(text: str) -> str:
    r"""Return JSON without what PBS writes into it though JSON forbids it: bare control bytes."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", " ", text)


class TorqueExecutor(_Cancels, PBSClassicJobExecutor):
    """PSI/J's executor for classic PBS, with Torque's XML: its ``qstat`` knows no JSON."""

    _NAME_ = "pbs_classic"
    _VERSION_ = Version("0.0.2")

    def get_status_command(self, native_ids: Collection[str]) -> list[str]:
        """Return one call for these jobs; Torque keeps ended ones for some minutes by itself."""
        return ["qstat", "-f", "-x", *native_ids]

    def parse_status_output(self, exit_code: int, out: str) -> dict[str, psij.JobStatus]:
        """Return the status of each job in ``qstat -f -x``."""
        if exit_code not in _ANSWERED:
            raise RuntimeError(f"qstat exited with {exit_code}")
        found: dict[str, psij.JobStatus] = {}
        # One unknown job, and Torque prints a document per known one, or none at all.
        for part in re.findall(r"<Data>.*?</Data>", out, re.DOTALL):
            try:
                document = ElementTree.fromstring(part)  # noqa: S314  (the site's own qstat)
            except ElementTree.ParseError as error:
                raise RuntimeError(f"qstat -x gave no XML: {error}") from error
            for job in document.iter("Job"):
                native_id = (job.findtext("Job_Id") or "").strip()
                code = (job.findtext("exit_status") or "").strip()
                found[native_id] = native_status(
                    (job.findtext("job_state") or "").strip(),
                    int(code) if code.lstrip("-").isdigit() else None,
                    (job.findtext("comment") or "").strip(),
                )
        return found


KIND: Final = Kind(
    name="pbs",
    executor=lambda config: Executor(config=config),  # type: ignore[arg-type]
    prefix="#PBS",
    job_id="$PBS_JOBID",
    directives=directives,
    longest_name=15,
    history=history,
)
TORQUE: Final = Kind(
    name="torque",
    executor=lambda config: TorqueExecutor(config=config),  # type: ignore[arg-type]
    prefix="#PBS",
    job_id="$PBS_JOBID",
    directives=torque_directives,
    longest_name=15,
)

"""Grid Engine as alos2-ingest uses it: the plugin's commands, our script, and ``qacct``.

``qstat`` forgets a job when it ends; ``qacct`` reads the accounting file, where it appears some
seconds later, on sites that let users read it.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from typing import Final

from alos2.cluster.batch import Kind
from alos2.cluster.jobscript import Request
from alos2.cluster.model import JobStatus
from alos2.cluster.psijlink import Quiet, quiet_import, run
from alos2.errors import NoResource

with quiet_import():
    from packaging.version import Version

    from alos2.cluster.gridengine import GridEngineJobExecutor

_MOST_ACCOUNTS: Final = 20
"""``qacct`` takes one job a call and reads a large file: the others are asked next time."""

_FIELD: Final = re.compile(
    r"^(failed|exit_status|deleted_by|ru_wallclock|category)\s+(.*?)\s*$", re.MULTILINE
)
_SIGNAL_BASE: Final = 128
_BY_SIGNAL: Final = 100
"""``failed`` of a job that was ended by a signal: its own, another's, or ``qdel``'s."""
_LIMIT: Final = 37
"""``failed`` of a job that broke h_rt, h_cpu or h_vmem."""
_WARNING_S: Final = 30
"""Grid Engine ends a job by KILL, which no script sees; its soft limit comes this much earlier."""


def directives(wanted: Request) -> list[str]:
    """Return what follows ``#$``."""
    lines = [
        "-S /bin/bash",
        f"-N {wanted.name}",
        # Any other folder's name ends in state Eqw; the script finds its folder by itself.
        "-cwd" if wanted.is_plain else "-wd /",
        f"-o {wanted.native_output}",
        "-j y",
        "-r n",
    ]
    for option, value in (("q", wanted.queue), ("P", wanted.project), ("A", wanted.account)):
        if value:
            lines.append(f"-{option} {value}")
    if wanted.walltime_s is not None:
        lines.append(f"-l h_rt={wanted.walltime_s}")
        if wanted.walltime_s > 4 * _WARNING_S:
            lines.append(f"-l s_rt={wanted.walltime_s - _WARNING_S}")
    if wanted.memory_mb is not None:
        lines.append(f"-l h_vmem={-(-wanted.memory_mb // wanted.cpus)}M")
    if wanted.cpus > 1:
        lines.append(f"-pe {wanted.parallel_environment} {wanted.cpus}")
    return [*lines, *wanted.directives]


class Executor(Quiet, GridEngineJobExecutor):
    """Our PSI/J plugin, without a thread."""

    _NAME_ = "gridengine"
    _VERSION_ = Version("0.0.1")

    def _run_command(self, cmd: list[str]) -> str:
        """Take a job with warnings for a job: ``qsub`` may print both an error and its number."""
        try:
            return super()._run_command(cmd)
        except subprocess.CalledProcessError as error:
            if cmd[0] == "qsub" and "has been submitted" in (error.output or ""):
                return str(error.output)
            raise


def account_of(text: str) -> JobStatus | None:
    """Return how a job ended by ``qacct -j``: its last entry, if it was run again."""
    fields = dict(_FIELD.findall(text.rpartition("=====")[2] or text))
    number = re.match(r"\d+", fields.get("failed", ""))
    code = re.match(r"\d+", fields.get("exit_status", ""))
    if number is None or code is None:
        return None
    failed, exit_code = int(number[0]), int(code[0])
    if fields.get("deleted_by", "NONE") not in ("NONE", ""):
        return JobStatus("killed", exit_code, "cancelled")
    words = fields["failed"].partition(":")[2].strip()
    if failed == _LIMIT:
        return JobStatus("killed", exit_code, _limit(fields))
    if failed not in (0, _BY_SIGNAL):
        # "before job", "changing into working directory": exit_status is 0 then.
        return JobStatus("killed", None, f"never started: {words}")
    if exit_code > _SIGNAL_BASE:
        return JobStatus("killed", exit_code, f"signal {exit_code - _SIGNAL_BASE}")
    return JobStatus("failed" if exit_code else "done", exit_code)


def _limit(fields: dict[str, str]) -> str:
    """Return which limit a job broke: Grid Engine names all three in one sentence."""
    asked = re.search(r"h_rt=(\d+)", fields.get("category", ""))
    ran = re.match(r"[\d.]+", fields.get("ru_wallclock", ""))
    if "h_vmem=" in fields.get("category", "") and asked and ran:
        return "walltime" if float(ran[0]) >= int(asked[1]) else "out of memory"
    return "walltime"


def history(native_ids: Sequence[str]) -> dict[str, JobStatus]:
    """Return what ``qacct`` knows; nothing where it may not be read."""
    found: dict[str, JobStatus] = {}
    for native_id in native_ids[:_MOST_ACCOUNTS]:
        try:
            answer = run(["qacct", "-j", native_id])
        except NoResource:
            break
        status = account_of(answer.out) if answer.code == 0 else None
        if status is not None:
            found[native_id] = status
    return found


KIND: Final = Kind(
    name="gridengine",
    executor=lambda config: Executor(config=config),
    prefix="#$",
    job_id="$JOB_ID",
    directives=directives,
    lists_all=True,
    history=history,
)

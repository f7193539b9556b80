"""Grid Engine for PSI/J, which has none: a plugin like its own executors.

``pge/psij-descriptors/alos2_gridengine.py`` names it to PSI/J, so that
``psij.JobExecutor.get_instance("gridengine")`` works in every program of an environment that has
alos2-ingest. This module needs PSI/J alone; what alos2-ingest does with it is in
`alos2.cluster.sge`.

Sources: the manual pages of Grid Engine (qsub, qstat, qdel, sge_status), and Grid Engine 8.1.9.
"""

from __future__ import annotations

import os
import pwd
import re
import shlex
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any, Final
from xml.etree import ElementTree

from psij import Job, JobExecutorConfig, JobState, JobStatus, ResourceSpecV1, SubmitException
from psij.executors.batch.batch_scheduler_executor import (
    BatchSchedulerExecutor,
    BatchSchedulerExecutorConfig,
    InvalidJobStateError,
    check_status_exit_code,
)
from psij.executors.batch.script_generator import SubmitScriptGenerator

_SUBMITTED: Final = re.compile(r"Your job(?:-array)? (\d+)")
_GONE: Final = re.compile(r"does not exist|already in deletion|has registered", re.IGNORECASE)
PARALLEL_ENVIRONMENT: Final = "smp"
"""The usual name of the environment that gives several cores of one node."""


class GridEngineExecutorConfig(BatchSchedulerExecutorConfig):
    """A configuration class for the Grid Engine executor."""


class GridEngineScript(SubmitScriptGenerator):
    """Writes the script that PSI/J's contract asks for: output and exit code in its folder."""

    def generate_submit_script(self, job: Job, context: dict[str, object], out: IO[str]) -> None:
        """Write the script of `job`.

        Attributes ``gridengine.<option>`` of a job become ``#$ -<option> <value>``.
        """
        psij: Any = context["psij"]
        folder = psij["script_dir"]
        lines = ["#!/bin/bash", *(f"#$ {line}" for line in _directives(job, context))]
        spec = job.spec
        if spec is not None:
            for name, value in (spec.environment or {}).items():
                lines.append(f"export {name}={shlex.quote(str(value))}")
            if spec.directory is not None:
                lines.append(f"cd {shlex.quote(str(spec.directory))}")
        output = shlex.quote(f"{folder}/") + '"$JOB_ID"'
        lines += [
            f"exec >> {output}.out 2>&1",
            f"PSIJ_NODEFILE={output}.nodefile",
            "export PSIJ_NODEFILE",
            # A line of the host file is: name, slots, queue, processors.
            'if [ -n "$PE_HOSTFILE" ]; then',
            "  while read -r node slots rest; do",
            '    for _ in $(seq "$slots"); do echo "$node"; done',
            '  done < "$PE_HOSTFILE"',
            'else uname -n; fi > "$PSIJ_NODEFILE"',
            shlex.join(psij["launch_command"]),
            f'echo "$?" > {output}.ec',
        ]
        out.write("\n".join(lines) + "\n")


def _directives(job: Job, context: dict[str, object]) -> list[str]:
    lines = ["-S /bin/bash", "-o /dev/null", "-j y"]
    spec = job.spec
    if spec is None:
        return lines
    if spec.name:
        fit = re.sub(r"[^A-Za-z0-9._-]+", "_", spec.name)
        lines.append(f"-N {fit if fit[:1].isalpha() else f'a{fit}'}")
    if spec.inherit_environment:
        lines.append("-V")
    resources = spec.resources
    if isinstance(resources, ResourceSpecV1):
        slots = resources.computed_process_count * (resources.cpu_cores_per_process or 1)
        if slots > 1:
            lines.append(f"-pe {PARALLEL_ENVIRONMENT} {slots}")
        if resources.memory:
            lines.append(f"-l h_vmem={-(-resources.memory // slots // 1024)}K")
    attributes = spec.attributes
    if attributes.duration is not None:
        lines.append(f"-l h_rt={int(attributes.duration.total_seconds())}")
    for option, value in (
        ("q", attributes.queue_name),
        ("P", attributes.account),
        ("ar", attributes.reservation_id),
    ):
        if value:
            lines.append(f"-{option} {value}")
    custom: Any = context.get("custom_attributes") or {}
    lines += [f"-{item['key']} {item['value']}" for item in custom.get("gridengine", [])]
    return lines


class GridEngineJobExecutor(BatchSchedulerExecutor):
    """A :class:`~psij.JobExecutor` for Grid Engine (Sun, Son of, Univa, Altair).

    Uses ``qsub``, ``qstat -xml`` and ``qdel``. Custom attributes that begin with ``gridengine.``
    become directives: ``custom_attributes['gridengine.p'] = '-10'`` gives ``#$ -p -10``.
    """

    def __init__(self, url: str | None = None, config: JobExecutorConfig | None = None) -> None:
        """Take a configuration as PSI/J's other batch executors do; `url` is not used."""
        own = (
            config
            if isinstance(config, BatchSchedulerExecutorConfig)
            else GridEngineExecutorConfig()
        )
        if config is not None and own is not config:
            own.work_directory = config.work_directory
        super().__init__(url=url, config=own)
        self.generator: SubmitScriptGenerator = GridEngineScript(own)

    def generate_submit_script(
        self, job: Job, context: dict[str, object], submit_file: IO[str]
    ) -> None:
        """Write the script of a job."""
        self.generator.generate_submit_script(job, context, submit_file)

    def get_submit_command(self, job: Job, submit_file_path: Path) -> list[str]:  # noqa: ARG002
        """Return the call of ``qsub``."""
        return ["qsub", str(submit_file_path.absolute())]

    def job_id_from_submit_output(self, out: str) -> str:
        """Return the number in ``Your job 7 ("name") has been submitted``."""
        found = _SUBMITTED.search(out)
        if found is None:
            raise SubmitException(f"qsub names no job: {out.strip()}")
        return found[1]

    def get_cancel_command(self, native_id: str) -> list[str]:
        """Return the call of ``qdel``."""
        return ["qdel", native_id]

    def process_cancel_command_output(self, exit_code: int, out: str) -> None:  # noqa: ARG002
        """Tell a job that has ended from a refusal."""
        if _GONE.search(out):
            raise InvalidJobStateError(out)
        raise SubmitException(out)

    def get_status_command(self, native_ids: Collection[str]) -> list[str]:  # noqa: ARG002
        """Return one call for all jobs of this user."""
        return ["qstat", "-u", self._current_user(), "-xml"]

    def parse_status_output(self, exit_code: int, out: str) -> dict[str, JobStatus]:
        """Return the status of each job in ``qstat -xml``."""
        check_status_exit_code("qstat", exit_code, out)
        if not out.strip():
            return {}
        try:
            document = ElementTree.fromstring(out)  # noqa: S314  (the site's own qstat)
        except ElementTree.ParseError as error:
            raise RuntimeError(f"qstat -xml gave no XML: {error}") from error
        found = {}
        for entry in document.iter("job_list"):
            native_id, state = entry.findtext("JB_job_number"), entry.findtext("state")
            if native_id and state:
                found[native_id.strip()] = status_of(state.strip())
        return found

    def get_list_command(self) -> list[str]:
        """Return the call that lists this user's jobs."""
        return ["qstat", "-u", self._current_user()]

    def parse_list_output(self, out: str) -> list[str]:
        """Return the first column, below the two lines of its head."""
        return [line.split()[0] for line in out.splitlines()[2:] if line.split()]

    def _current_user(self) -> str:
        try:
            return pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            return str(os.getuid())


def status_of(state: str) -> JobStatus:
    """Return the status that Grid Engine's letters mean.

    ``E`` is a job that failed to start and is held; it will not start by itself. ``h`` held, ``q``
    queued, ``w`` waiting, ``t`` on its way, ``r`` running, ``R`` restarted, ``s``/``S``/``T``
    suspended, ``d`` marked for deletion (it may still run).
    """
    if "E" in state:
        return JobStatus(
            JobState.FAILED,
            message=f"never started: Grid Engine holds it in state {state}",
            metadata={"killed": True},
        )
    if any(letter in state for letter in "rtsST"):
        return JobStatus(JobState.ACTIVE)
    return JobStatus(JobState.QUEUED, message="held" if "h" in state else None)

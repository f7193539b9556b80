"""A `Scheduler` over one of PSI/J's batch executors.

What a job left in its folder comes first: its own exit code needs no scheduler. For the others one
call of the scheduler's list command answers for all of them; a job that is in neither has a last
chance in the scheduler's history (`sacct`, `qacct`), where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from alos2.cluster.jobscript import NO_FOLDER, Request, request, write_script
from alos2.cluster.model import BatchJob, JobState, JobStatus
from alos2.cluster.psijlink import Ready, config_for, quiet_import, run
from alos2.cluster.refusals import hint_for
from alos2.cluster.site import Site
from alos2.cluster.witness import Witness, note_cancelled, read_witness, short_id
from alos2.errors import NoResource

with quiet_import():
    import psij
    from psij.executors.batch.batch_scheduler_executor import (
        BatchSchedulerExecutor,
        BatchSchedulerExecutorConfig,
        InvalidJobStateError,
    )

_AT_ONCE: Final = 400
"""Ids on one command line."""

_STATES: Final[Mapping[psij.JobState, JobState]] = {
    psij.JobState.NEW: "waiting",
    psij.JobState.QUEUED: "waiting",
    psij.JobState.ACTIVE: "running",
    psij.JobState.COMPLETED: "done",
    psij.JobState.FAILED: "failed",
    psij.JobState.CANCELED: "killed",
}


@dataclass(frozen=True)
class Kind:
    """What is different from scheduler to scheduler."""

    name: str
    executor: Callable[[BatchSchedulerExecutorConfig], BatchSchedulerExecutor]
    prefix: str
    """Begins a directive in a script."""
    job_id: str
    """The job's id, as bash finds it on the node."""
    directives: Callable[[Request], list[str]]
    longest_name: int = 60
    lists_all: bool = False
    """Whether its list command names no jobs but shows all of this user's."""
    history: Callable[[Sequence[str]], dict[str, JobStatus]] | None = None
    """Asks for jobs that have left the queue; an empty answer where nothing is kept."""


class BatchScheduler:
    """Submits, asks and cancels through a PSI/J executor."""

    def __init__(self, kind: Kind, site: Site) -> None:
        self._kind = kind
        self._site = site

    @property
    def name(self) -> str:
        """The name in the site file."""
        return self._kind.name

    def _executor(self, folder: Path) -> BatchSchedulerExecutor:
        executor = self._kind.executor(config_for(folder))
        executor.work_directory = folder
        return executor

    def submit(self, job: BatchJob) -> str:
        """See `alos2.cluster.model.Scheduler.submit`."""
        kind = self._kind
        wanted = request(job, self._site, longest_name=kind.longest_name)
        text = write_script(
            job,
            self._site,
            prefix=kind.prefix,
            directives=kind.directives(wanted),
            job_id=kind.job_id,
        )
        try:
            job.folder.mkdir(parents=True, exist_ok=True)
            executor = self._executor(job.folder)
            # PSI/J's executors write their script by this attribute.
            executor.generator = Ready(executor.config, text)  # type: ignore[attr-defined]
            native = psij.Job(
                psij.JobSpec(executable=job.argv[0], arguments=list(job.argv[1:]), name=wanted.name)
            )
            executor.submit(native)
        except psij.SubmitException as error:
            words = " ".join(str(error.message).split())
            raise NoResource(
                f"{kind.name} did not take the job {wanted.name!r}: {words}",
                hint=hint_for(words, self._site),
            ) from None
        except OSError as error:
            raise NoResource(
                f"the script of job {wanted.name!r} cannot be written to {job.folder}: "
                f"{error.strerror}"
            ) from error
        return str(native.native_id)

    def status(self, jobs: Sequence[tuple[str, Path]]) -> dict[str, JobStatus]:
        """See `alos2.cluster.model.Scheduler.status`."""
        answers: dict[str, JobStatus] = {}
        asked: dict[str, Path] = {}
        for native_id, folder in jobs:
            own = read_witness(folder, native_id).status()
            if own is None or own.state == "killed":
                asked[native_id] = folder
            else:
                answers[native_id] = own
        if asked:
            native = self._listed(list(asked))
            # Read again: a job may have ended between the two looks.
            seen = {each: read_witness(folder, each) for each, folder in asked.items()}
            lost = [each for each in asked if each not in native and not seen[each].status()]
            if lost and self._kind.history is not None:
                native |= self._kind.history(lost)
            for each, witness in seen.items():
                answers[each] = _together(self.name, witness, native.get(each))
        return answers

    def _listed(self, native_ids: list[str]) -> dict[str, JobStatus]:
        """Return what the scheduler lists of these jobs, under the ids that were asked for."""
        executor = self._executor(Path("/"))
        step = len(native_ids) if self._kind.lists_all else _AT_ONCE
        by_short: dict[str, JobStatus] = {}
        for first in range(0, len(native_ids), step):
            answer = run(executor.get_status_command(native_ids[first : first + step]))
            try:
                found = executor.parse_status_output(answer.code, answer.out or answer.err)
            except (RuntimeError, ValueError, LookupError):
                raise NoResource(
                    f"{self.name} does not say where its jobs stand: {answer.words[:500]}",
                    hint="run the same command later; nothing was taken for lost",
                ) from None
            by_short |= {short_id(each): from_psij(status) for each, status in found.items()}
        return {each: by_short[short_id(each)] for each in native_ids if short_id(each) in by_short}

    def cancel(self, native_id: str, folder: Path | None = None) -> None:
        """See `alos2.cluster.model.Scheduler.cancel`."""
        if folder is not None:
            note_cancelled(folder, native_id)
        executor = self._executor(Path("/"))
        answer = run(executor.get_cancel_command(native_id))
        if answer.code == 0:
            return
        try:
            executor.process_cancel_command_output(answer.code, answer.words)
        except InvalidJobStateError:
            return
        except psij.SubmitException:
            raise NoResource(
                f"{self.name} does not cancel job {native_id}: {answer.words}"
            ) from None


def from_psij(status: psij.JobStatus) -> JobStatus:
    """Return a PSI/J status as ours; our executors say ``killed`` in its metadata."""
    metadata = status.metadata or {}
    state: JobState = "killed" if metadata.get("killed") else _STATES[status.state]
    return JobStatus(state, status.exit_code, status.message or "")


def _together(name: str, witness: Witness, native: JobStatus | None) -> JobStatus:
    """Return one answer of what the job left and what its scheduler says."""
    own = witness.status()
    over = native is None or native.state in ("failed", "killed")
    if witness.cancelled and (over if own is None else own.state == "killed"):
        return JobStatus("killed", None if own is None else own.exit_code, "cancelled")
    if own is not None:
        return own if native is None else _explained(own, native)
    if native is None:
        trace = (
            f"it started on {witness.started} and left no exit code"
            if witness.started
            else "it never started"
        )
        return JobStatus("gone", None, f"no longer known to {name}; {trace}")
    if over and native.reason != "cancelled" and not witness.started:
        words = native.reason.removeprefix("never started: ") or f"exit code {native.exit_code}"
        if native.exit_code == NO_FOLDER:
            words = "its folder is not there on the node"
        return replace(native, reason=f"never started: {words}")
    return native


def _explained(own: JobStatus, native: JobStatus) -> JobStatus:
    """Return how a job says it ended, with its scheduler's reason for it."""
    if native.state == "running" and own.reason.startswith("signal"):
        # The scheduler still tidies up; when it has, it says who sent the signal.
        return JobStatus("running", None, f"ending: {own.reason}")
    if native.state == "killed" and native.reason:
        return replace(own, reason=native.reason)
    return own

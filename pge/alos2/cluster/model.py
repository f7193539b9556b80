"""What every scheduler of this package speaks: jobs, their states, three verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol

JobState = Literal["waiting", "running", "done", "failed", "killed", "gone"]
"""``failed``: its own exit code says so. ``killed``: ended from outside, or never to start.
``gone``: its scheduler does not know it (any more) and it left no exit code."""

ENDED: Final[frozenset[JobState]] = frozenset(("done", "failed", "killed", "gone"))
"""The states that a job does not leave."""


@dataclass(frozen=True)
class BatchJob:
    """One batch job: a command in a folder."""

    name: str
    """Any text; made fit for the scheduler by `alos2.cluster.jobscript.job_name`."""
    argv: tuple[str, ...]
    """The command; any text in it (spaces, commas, newlines) arrives as it is."""
    folder: Path
    """Absolute; seen by all nodes. Script, output and witnesses go there; the command starts
    there."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables for the command. They stand in the job script: never secrets."""
    walltime_s: int | None = None
    """Most seconds it may run; None: what the site says."""
    cpus: int | None = None
    """Processor cores on one node; None: what the site says."""
    memory_mb: int | None = None
    """Memory of the whole job, MB; None: what the site says."""


@dataclass(frozen=True)
class JobStatus:
    """Where a job stands."""

    state: JobState
    exit_code: int | None = None
    """The command's exit code, 128 + n for signal n; None where nobody knows it."""
    reason: str = ""
    """``walltime``, ``cancelled``, ``signal 9``, ``never started: ...``, a waiting job's reason in
    its scheduler's words; empty where there is nothing to say."""

    @property
    def ended(self) -> bool:
        """Whether the job is over."""
        return self.state in ENDED


class Scheduler(Protocol):
    """What runs jobs. Narrow on purpose: something else than PSI/J can take its place."""

    @property
    def name(self) -> str:
        """The name in the site file: ``slurm``, ``pbs``, ``torque``, ``gridengine``, ..."""

    def submit(self, job: BatchJob) -> str:
        """Hand over a job and return its native id.

        Raises
        ------
        NoResource
            The scheduler did not take it: its own words, and the line of the site file to mend.
        """

    def status(self, jobs: Sequence[tuple[str, Path]]) -> dict[str, JobStatus]:
        """Say where jobs stand, by (native id, folder); each asked for is in the answer.

        Works in a process that submitted none of them.

        Raises
        ------
        NoResource
            The scheduler does not answer: nothing is known, which is not the same as ``gone``.
        """

    def cancel(self, native_id: str, folder: Path | None = None) -> None:
        """End a job; one that has ended already is no error.

        Its `folder`, where given, is told: some schedulers cannot say later who ended a job.

        Raises
        ------
        NoResource
            The scheduler refuses, in its own words.
        """

"""How the tasks of a stack are handed to a site's scheduler, and how their jobs end."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from alos2.cluster.model import BatchJob, JobStatus, Scheduler
from alos2.cluster.registry import scheduler_for
from alos2.cluster.site import Site, with_scheduler
from alos2.cluster.witness import started_jobs
from alos2.errors import Alos2Error, Interrupted

_MEMORY_MB: Final = 2000
_SHARE: Final = 0.8
"""Of a job's memory, what its arrays may take; the rest is for the programs."""


class Batch:
    """A site's scheduler, and those of earlier runs.

    Parameters
    ----------
    site : Site
        As `alos2.cluster.site.load_site` gives it.

    Raises
    ------
    UsageError, NoResource
        Its scheduler cannot be had.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._present = scheduler_for(site)
        self._known: dict[str, Scheduler] = {self._present.name: self._present}
        self.most = site.jobs_in_flight
        self.cpus = site.cpus
        self.memory_mb = int((site.memory_mb or _MEMORY_MB) * _SHARE)

    def submit(self, folder: Path, task_file: Path) -> tuple[str, str]:
        """Hand a job over; return its scheduler's name and its id.

        Raises
        ------
        NoResource
            The scheduler does not take it.
        """
        environment = dict(self._site.environment)
        if self._site.python is None:
            environment.setdefault("PYTHONPATH", _python_path())
        python = self._site.python or sys.executable
        job = BatchJob(
            f"alos2-{folder.name}",
            (python, "-m", "alos2.stack.running.worker", str(task_file)),
            folder,
            environment,
        )
        return self._present.name, self._present.submit(job)

    def status(self, jobs: Sequence[tuple[str, str, Path]]) -> dict[str, JobStatus]:
        """Say where jobs stand, given (scheduler, id, folder) of each; by their ids.

        Raises
        ------
        NoResource
            A scheduler does not answer.
        """
        found: dict[str, JobStatus] = {}
        for name in sorted({name for name, _, _ in jobs}):
            mine = [(native_id, folder) for each, native_id, folder in jobs if each == name]
            found.update(self._of(name).status(mine))
        return found

    def cancel(self, name: str, native_id: str, folder: Path) -> None:
        """End a job, if that can be done; its outputs are not wanted."""
        try:
            self._of(name).cancel(native_id, folder)
        except Interrupted:
            raise
        except Alos2Error:
            return  # it has ended, or will, and nobody reads what it leaves

    def begun(self, folder: Path) -> tuple[str, str]:
        """Return scheduler and id of a job that has begun in a folder; empty where none has."""
        started = started_jobs(folder)
        return (self._present.name, started[-1]) if started else ("", "")

    def _of(self, name: str) -> Scheduler:
        if name not in self._known:
            self._known[name] = scheduler_for(with_scheduler(self._site, name))
        return self._known[name]

    @staticmethod
    def ending(status: JobStatus) -> str:
        """Say how a job ended that told nothing itself."""
        if status.state == "gone":
            return f"its job is gone: {status.reason or 'nobody knows of it'}"
        if status.state == "killed":
            if status.reason == "walltime":
                return "its job was ended by its walltime"
            return f"its job was ended from outside: {status.reason or 'nobody says why'}"
        code = "" if status.exit_code is None else f" with exit code {status.exit_code}"
        return f"its job ended{code} without telling of its outputs"


def _python_path() -> str:
    """Where this very package lies: it may be run from a checkout, without being installed."""
    own = str(Path(__file__).resolve().parents[3])
    return os.pathsep.join(filter(None, (own, os.environ.get("PYTHONPATH"))))

"""Chunks become jobs: of the site's scheduler, or of this machine where there is none."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from alos2.cluster.model import BatchJob, JobStatus, Scheduler
from alos2.cluster.registry import scheduler_for
from alos2.cluster.site import with_scheduler
from alos2.errors import NoResource, UsageError
from alos2.scan.chunks import Chunk, submitted, take_back, write_folder
from alos2.scan.claim import is_claimed
from alos2.scan.here import NAME as HERE
from alos2.scan.here import HereJobs
from alos2.scan.options import ScanOptions
from alos2.scan.results import CLAIM
from alos2.scan.state import ScanState

log = logging.getLogger(__name__)

_STARTED: Final = ".started"


class Jobs:
    """The schedulers that a scan speaks to: the present one, and those of earlier scans.

    Parameters
    ----------
    options : ScanOptions
        Its ``site`` and ``script`` say how jobs are run.

    Raises
    ------
    UsageError, NoResource
        The site's scheduler cannot be had.
    """

    def __init__(self, options: ScanOptions) -> None:
        self.here = HereJobs()
        self._site = options.site
        self._script = None
        if options.script is not None:
            # Imported late: few have one.
            from alos2.cluster.userscript import site_from_script  # noqa: PLC0415

            self._site, self._script = site_from_script(options.script, options.site)
        self._known: dict[str, Scheduler] = {HERE: self.here}
        if self._site.scheduler is None:
            self.present: Scheduler = self.here
        else:
            self.present = scheduler_for(self._site)
            self._known[self.present.name] = self.present

    def of(self, name: str) -> Scheduler:
        """Return the scheduler of that name; raises as the class."""
        if name not in self._known:
            self._known[name] = scheduler_for(with_scheduler(self._site, name))
        return self._known[name]

    def status(self, chunks: Sequence[tuple[Chunk, Path]]) -> dict[int, JobStatus | str]:
        """Ask where the jobs of chunks stand.

        Returns
        -------
        dict
            By the chunk's id; a sentence instead where its scheduler does not answer.
        """
        found: dict[int, JobStatus | str] = {}
        for name in sorted({chunk.scheduler for chunk, _ in chunks}):
            mine = [(c, folder) for c, folder in chunks if c.scheduler == name and c.native_id]
            try:
                answer = self.of(name).status([(str(c.native_id), folder) for c, folder in mine])
            except (NoResource, UsageError) as error:
                found.update({chunk.id: f"{name} does not answer: {error}" for chunk, _ in mine})
            else:
                found.update({chunk.id: answer[str(chunk.native_id)] for chunk, _ in mine})
        return found

    def job(self, chunk: Chunk, folder: Path) -> BatchJob:
        """Return what is handed to the scheduler for a chunk."""
        environment = dict(self._site.environment)
        python = self._site.python or sys.executable
        if self._script is not None:
            from alos2.cluster.userscript import body_argv  # noqa: PLC0415

            environment["ALOS2_CHUNK"] = str(folder)
            environment.setdefault("ALOS2_PYTHON", python)
            argv = body_argv(self._script, folder)
        else:
            argv = (python, "-m", "alos2", "-v", "scan-chunk", str(folder))
        if self._site.python is None:
            name = "ALOS2_PYTHONPATH" if self._script else "PYTHONPATH"
            environment.setdefault(name, _python_path())
        return BatchJob(f"alos2-{chunk.token}", argv, folder, environment)


def _python_path() -> str:
    """Where this very package lies: it may be run from a checkout, without being installed."""
    own = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(filter(None, (own, os.environ.get("PYTHONPATH"))))


def submit(state: ScanState, chunk: Chunk, jobs: Jobs, options: ScanOptions) -> str:
    """Write a chunk's folder, hand its job over, and keep what the scheduler called it.

    Raises
    ------
    NoResource
        The scheduler refuses, or the folder cannot be written: the chunk is undone.
    """
    scheduler = jobs.of(chunk.scheduler)
    try:
        folder = write_folder(state, chunk, options)
        native_id = scheduler.submit(jobs.job(chunk, folder))
    except NoResource:
        take_back(state, chunk)
        raise
    submitted(state, chunk, native_id)
    return native_id


def take_up(state: ScanState, chunk: Chunk, jobs: Jobs, options: ScanOptions) -> str:
    """Go on with a chunk whose submission was interrupted; return what was done about it.

    Its job may have been submitted. If it has begun, it left its id or holds the claim; else it is
    submitted again: of two copies the second one finds all done.

    Raises
    ------
    NoResource
        As `submit`.
    """
    folder = state.chunk_folder(chunk.token)
    native_id = _begun(folder)
    if native_id or is_claimed(folder / CLAIM):
        submitted(state, chunk, native_id)
        return "found at work"
    # The scheduler may be another one now.
    state.db.execute("UPDATE chunks SET scheduler = ? WHERE id = ?", (jobs.present.name, chunk.id))
    submit(state, chunk._replace(scheduler=jobs.present.name), jobs, options)
    return "submitted again"


def _begun(folder: Path) -> str | None:
    """Return the id that a job which has begun left, of several the latest."""
    try:
        found = [path for path in folder.iterdir() if path.name.endswith(_STARTED)]
        latest = max(found, key=lambda path: path.stat().st_mtime_ns, default=None)
        lines = latest.read_text("utf-8", "replace").split("\n") if latest else []
    except OSError:
        return None
    if latest is None:
        return None
    # Node, time, and the whole id, of which the name has only the part up to its first dot.
    whole = lines[2].strip() if len(lines) > 2 else ""
    return whole or latest.name.removeprefix("job-").removesuffix(_STARTED)

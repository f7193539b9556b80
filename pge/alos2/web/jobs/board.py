"""The board of jobs: which wait, which run, what became of them; and who wants to hear of it.

All of it runs in the server's loop; only processes and the catalogue are elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from starlette.applications import Starlette

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.errors import Alos2Error, NoResource, NothingFound, UsageError
from alos2.web.jobs import processes, worker
from alos2.web.jobs.asked import UPLOAD, Asked
from alos2.web.jobs.table import MOST_KEPT, Job, JobTable, now
from alos2.web.options import ServeOptions

log = logging.getLogger(__name__)

FOLDER: Final = ".alos2-serve"
UPLOADS: Final = "uploads"
AT_ONCE: Final = 1
"""Jobs that run at the same time: each draws pictures with several threads."""
MOST_WAITING: Final = 100
MOST_ATTEMPTS: Final = 3
"""How often a job is begun again after the server was stopped in its midst."""


class JobBoard:
    """The jobs of one archive's server.

    Parameters
    ----------
    archive : Path
    options : ServeOptions
    """

    def __init__(self, archive: Path, options: ServeOptions) -> None:
        self.archive = archive.absolute()
        self.options = options
        self.folder = self.archive / FOLDER
        self._jobs: list[Job] = []
        self._table: JobTable | None = None
        self._tasks: dict[str, asyncio.Task[bool]] = {}
        self._changed = asyncio.Event()
        self._version = 0
        self._closing = False

    @property
    def jobs(self) -> list[Job]:
        """All jobs, the newest first."""
        return list(self._jobs)

    def is_closing(self) -> bool:
        """Whether the server is about to end."""
        return self._closing

    async def start(self) -> None:
        """Read what the last server left, and go on with it; nothing where ingest is not allowed.

        Raises
        ------
        NoResource
            The list of jobs cannot be kept.
        """
        if not self.options.allow_ingest:
            return
        self._table = JobTable(self.folder)
        self._jobs = self._table.all()
        for job in self._jobs:
            if job.state == "running":
                await self._take_up(job)
        _forget_uploads(self.folder, {job.asked.source for job in self._jobs})
        self._next()

    async def close(self) -> None:
        """End what runs; it goes on when the server is started again."""
        self.hush()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._table is not None:
            self._table.close()
            self._table = None

    def add(self, asked: Asked) -> Job:
        """Take in a job.

        Raises
        ------
        NoResource
            Too many are waiting.
        """
        if sum(job.state == "waiting" for job in self._jobs) >= MOST_WAITING:
            raise NoResource(f"{MOST_WAITING} jobs are waiting already", hint="wait for some")
        job = Job(asked)
        self._jobs.insert(0, job)
        self._keep(job)
        self._next()
        return job

    def get(self, name: str) -> Job:
        """Return a job by its id.

        Raises
        ------
        NothingFound
            There is none.
        """
        found = next((job for job in self._jobs if job.id == name), None)
        if found is None:
            raise NothingFound(f"there is no job {name[:40]!r}")
        return found

    def cancel(self, name: str) -> Job:
        """Cancel a job that waits or runs; forget one that is over.

        Raises
        ------
        NothingFound
            There is none of this id.
        """
        job = self.get(name)
        if job.is_over:
            self._forget([job])
        elif job.state == "waiting":
            job.state, job.ended = "cancelled", now()
            self._keep(job)
        else:
            job.will_cancel = True
            self._tasks[job.id].cancel()
        return job

    def retry(self, name: str) -> Job:
        """Let a job that failed or was cancelled wait again.

        Raises
        ------
        NothingFound
            There is none of this id.
        UsageError
            It is not over, or its upload is gone.
        """
        job = self.get(name)
        if job.state not in ("failed", "cancelled"):
            raise UsageError(f"{job.asked.title} has neither failed nor been cancelled")
        if job.asked.kind == UPLOAD and not (self.folder / job.asked.source).is_file():
            raise UsageError("the file is no longer there", hint="send it again")
        job.state, job.attempts, job.error = "waiting", 0, None
        job.ended = job.started = job.progress = None
        self._keep(job)
        self._next()
        return job

    def hush(self) -> None:
        """Let all who follow the jobs go: the server is about to end."""
        self._closing = True
        self._tell()

    async def changes(self, least_s: float, most_s: float) -> AsyncIterator[bool]:
        """Yield whenever something has changed, not more often than every `least_s`.

        Yields
        ------
        bool
            Whether anything has; else `most_s` have passed in silence.
        """
        seen = self._version
        while not self.is_closing():
            if seen == self._version:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), most_s)
            if self.is_closing():
                return
            is_news = seen != self._version
            seen = self._version
            yield is_news
            await asyncio.sleep(least_s)

    def _tell(self) -> None:
        self._version += 1
        # Whoever waits holds the old event; the next change is another one's.
        event, self._changed = self._changed, asyncio.Event()
        event.set()

    def _keep(self, job: Job) -> None:
        if self._table is not None:
            self._table.put(job)
        over = [one for one in self._jobs if one.is_over]
        if len(over) > MOST_KEPT:
            self._forget(over[MOST_KEPT:])
        self._tell()

    def _forget(self, jobs: list[Job]) -> None:
        for job in jobs:
            self._jobs.remove(job)
            _remove_upload(self.folder, job)
        if self._table is not None:
            self._table.remove([job.id for job in jobs])
        self._tell()

    def _next(self) -> None:
        """Begin the oldest that waits, if there is room."""
        if self._closing or self._table is None:
            return
        for job in reversed(self._jobs):
            if len(self._tasks) >= AT_ONCE:
                return
            if job.state == "waiting":
                job.state, job.started, job.attempts = "running", now(), job.attempts + 1
                self._keep(job)
                task = asyncio.create_task(self._run(job), name=f"job {job.id}")
                task.add_done_callback(partial(self._ended, job))
                self._tasks[job.id] = task

    async def _run(self, job: Job) -> bool:
        """Run a job; whether it went well."""
        kept_process = False

        def changed() -> None:
            nonlocal kept_process
            if job.process is not None and not kept_process:
                kept_process = True
                self._keep(job)
            self._tell()

        code = await worker.run(job, self.archive, self.folder, changed)
        if job.datasets:
            # Before it is called done: whoever looks then shall find them.
            await asyncio.to_thread(_catalogued, self.archive, list(job.datasets))
        return code == 0

    def _ended(self, job: Job, task: asyncio.Task[bool]) -> None:
        """Take note of a job's end, also of one that was cancelled before it had begun."""
        if task.cancelled():
            # By a person, or because the server ends: then it waits for the next one.
            job.state = "cancelled" if job.will_cancel else "waiting"
            job.attempts -= 0 if job.will_cancel else 1
        elif (fault := task.exception()) is not None:
            job.state = "failed"
            job.error = {"class": "InternalError", "message": "the server has a fault; see its log"}
            log.error("job %s", job.id, exc_info=fault)
        else:
            job.state = "done" if task.result() else "failed"
        job.process = job.progress = None
        job.will_cancel = False
        job.ended = now() if job.is_over else None
        del self._tasks[job.id]
        self._keep(job)
        if job.state == "done":
            _remove_upload(self.folder, job)
        self._next()

    async def _take_up(self, job: Job) -> None:
        """End what a server that was killed has left running, and let the job wait again."""
        if job.process is not None and processes.is_alive(job.process):
            pid = int(job.process["pid"])
            processes.end(pid)
            for _ in range(int(worker.GRACE_S * 10)):
                if not processes.is_alive(job.process):
                    break
                await asyncio.sleep(0.1)
            else:
                processes.end(pid, now=True)
        job.process = None
        if job.attempts >= MOST_ATTEMPTS:
            job.state, job.ended = "failed", now()
            job.error = {
                "class": "Interrupted",
                "message": f"the server was stopped in its midst {job.attempts} times",
            }
        else:
            job.state = "waiting"
        self._keep(job)


def lifespan(
    board: JobBoard,
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """Return what starts the board with the server and ends it with it."""

    @asynccontextmanager
    async def living(app: Starlette) -> AsyncIterator[None]:
        # The server calls these before it waits for answers under way: events would never end.
        app.state.ending = (*getattr(app.state, "ending", ()), board.hush)
        await board.start()
        try:
            yield
        finally:
            await board.close()

    return living


def _catalogued(archive: Path, names: list[str]) -> None:
    """Let the catalogue look at what was made; again the same changes nothing."""
    try:
        with EmbeddedCatalogue.open(archive) as catalogue:
            for name in names:
                catalogue.refresh(name)
    except Alos2Error as error:
        log.warning("the catalogue does not take %s: %s", ", ".join(names), error.short)


def _remove_upload(folder: Path, job: Job) -> None:
    if job.asked.kind == UPLOAD:
        place = (folder / job.asked.source).parent
        shutil.rmtree(place, ignore_errors=True)


def _forget_uploads(folder: Path, wanted: set[str]) -> None:
    """Remove what was sent halfway, or for jobs that are no more."""
    known = {Path(source).parts[1] for source in wanted if source.startswith(f"{UPLOADS}/")}
    with suppress(OSError):
        for entry in os.scandir(folder / UPLOADS):
            if entry.name not in known:
                shutil.rmtree(entry.path, ignore_errors=True)

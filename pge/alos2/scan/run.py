"""One run of the scan: collect, walk, plan, submit, and wait where that is wanted.

Each step is whole in the state before the next one begins, so a run that is killed anywhere is
continued by the next one.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable
from typing import Final

from alos2.errors import Interrupted, NoResource
from alos2.scan import chunks, forgetting, plan, ready
from alos2.scan.chunks import Chunk
from alos2.scan.collect import Collector, Ended
from alos2.scan.finding import clock_of, find
from alos2.scan.here import NAME as HERE
from alos2.scan.options import ScanOptions
from alos2.scan.pending import Pending
from alos2.scan.report import ScanReport
from alos2.scan.state import ScanState, writing
from alos2.scan.submit import Jobs, submit, take_up
from alos2.types import Json

log = logging.getLogger(__name__)

Tell = Callable[[Json], None]

_POLL_S: Final = 15.0
_POLL_HERE_S: Final = 0.2
_STOP_S: Final = 30.0
"""How long processes here may take to end with the scene that they are at."""


def scan(options: ScanOptions, tell: Tell) -> ScanReport:
    """Scan once.

    Parameters
    ----------
    options : ScanOptions
        What to do.
    tell : callable
        Given a JSON object for each thing that happens (docs/scan.md lists them).

    Raises
    ------
    NothingFound
        A folder to walk does not exist.
    NoResource
        Another scan is at work, the state cannot be used, or the scheduler takes no job.
    PublishFailed
        The catalogue cannot be written.
    UsageError
        The options ask for something impossible.
    """
    ready.check(options)
    ready.make_archive(options)
    with writing(options.folder) as state:
        run = _Run(state, options, tell)
        try:
            run.go()
        except (KeyboardInterrupt, Interrupted):
            run.stop()
            raise
        return run.finish()


def cancel(options: ScanOptions, tell: Tell) -> ScanReport:
    """End all jobs in flight; what they have finished is collected. Raises as `scan`."""
    with writing(options.folder) as state:
        run = _Run(state, options, tell)
        run.cancel()
        return run.finish()


class _Run:
    """One run that changes things."""

    def __init__(self, state: ScanState, options: ScanOptions, tell: Tell) -> None:
        self._state = state
        self._options = options
        self._tell = tell
        self._began = time.monotonic()
        self._jobs = Jobs(options)
        self._report = ScanReport()
        self._live: list[Chunk] = []

    @property
    def _limit(self) -> int:
        """Most jobs in flight."""
        if self._options.jobs is not None:
            return self._options.jobs
        return _cores() if self._is_here else self._options.site.jobs_in_flight

    @property
    def _is_here(self) -> bool:
        return self._jobs.present.name == HERE

    def go(self) -> None:
        """Do all of it."""
        options = self._options
        ready.require_mounted(self._state, options.out)
        with self._collector() as collector:
            self._look(collector)
            self._take_up()
            clock = clock_of(options)
            walk = find(self._state, options, clock, self._report, self._tell)
            if walk is not None and options.forget_gone:
                forgetting.forget(self._state, options, walk, self._report, self._tell)
            self._report.retried = plan.prepare(
                self._state, clock, options.wanted, retry_failed=options.retry_failed
            )
            waits = self._is_here if options.wait is None else options.wait
            pending = Pending(self._state, options, self._size())
            while True:
                self._submit(pending)
                if not waits or not self._live:
                    break
                time.sleep(options.poll_s or (_POLL_HERE_S if self._is_here else _POLL_S))
                self._look(collector)
            self._report.left += pending.count_left()

    def _collector(self) -> Collector:
        return Collector(self._state, self._options, self._jobs, self._ended)

    def _look(self, collector: Collector) -> None:
        self._live = collector.round()
        for name, sentence in collector.silent.items():
            if name not in self._report.silent:
                log.warning("%s", sentence)
        self._report.silent = collector.silent
        done = self._report.done + self._report.failed
        waiting = sum(chunk.units for chunk in self._live)
        self._options.progress("scenes", done, max(done, self._report.submitted, waiting))

    def _take_up(self) -> None:
        """Go on with what a killed scan was submitting."""
        for chunk in self._live:
            if chunk.state != "made":
                continue
            try:
                word = take_up(self._state, chunk, self._jobs, self._options)
            except NoResource as error:
                self._report.refusal = error
                word = "its scenes are to be done again"
            log.warning("job %s, interrupted at its submission: %s", chunk.token, word)
            self._report.taken_up += 1
        self._live = chunks.live_chunks(self._state)

    def _size(self) -> int:
        """Return how many scenes make a job; here all cores get some."""
        size = self._options.chunk_size or self._options.site.chunk_size
        if self._options.chunk_size is None and self._is_here:
            todo = sum(self._state.counts()[state] for state in ("new", "changed"))
            size = max(1, min(size, math.ceil(todo / self._limit)))
        return size

    def _submit(self, pending: Pending) -> None:
        while len(self._live) < self._limit and self._report.refusal is None:
            some = pending.next()
            if some is None:
                return
            units, forced = some
            self._options.job_options()  # what is wrong with them is said before anything is made
            chunk = chunks.make_chunk(self._state, units, self._jobs.present.name, forced=forced)
            try:
                native_id = submit(self._state, chunk, self._jobs, self._options)
            except NoResource as error:
                # It would refuse the others as well. What it has is waited for.
                self._report.refusal = error
                self._report.left += len(units)
                return
            self._live.append(chunk)
            self._report.jobs += 1
            self._report.submitted += len(units)
            self._tell(
                {
                    "kind": "submitted",
                    "token": chunk.token,
                    "scheduler": chunk.scheduler,
                    "native_id": native_id,
                    "units": len(units),
                    "replaces": forced,
                    "folder": str(self._state.chunk_folder(chunk.token)),
                }
            )

    def _ended(self, one: Ended) -> None:
        if one.error is None:
            self._report.done += 1
        else:
            self._report.failed += 1
        self._tell(
            {
                "kind": "scene",
                "dataset_id": one.dataset_id,
                "place": one.place,
                "outcome": one.outcome,
                "folder": one.folder,
                "error": one.error,
            }
        )

    def cancel(self) -> None:
        """End all jobs in flight, and collect what they have finished."""
        live = chunks.live_chunks(self._state)
        for chunk in live:
            if chunk.native_id:
                folder = self._state.chunk_folder(chunk.token)
                self._jobs.of(chunk.scheduler).cancel(chunk.native_id, folder)
        self._jobs.here.wait(
            [str(c.native_id) for c in live if c.scheduler == HERE and c.native_id], _STOP_S
        )
        with self._collector() as collector:
            collector.round(cancelled=True)

    def stop(self) -> None:
        """After Ctrl-C: processes here end with the scene that they are at, others go on."""
        mine = [chunk for chunk in chunks.live_chunks(self._state) if chunk.scheduler == HERE]
        for chunk in mine:
            if chunk.native_id:
                self._jobs.here.cancel(chunk.native_id)
        self._jobs.here.wait([str(c.native_id) for c in mine if c.native_id], _STOP_S)
        with self._collector() as collector:
            collector.read_all()
        for chunk in mine:
            chunks.take_back(self._state, chunk)

    def finish(self) -> ScanReport:
        """Clear away what is no longer needed, and return the report."""
        self._jobs.here.close(_STOP_S)
        chunks.tidy(self._state)
        self._report.counts = self._state.counts()
        self._report.in_flight = len(chunks.live_chunks(self._state))
        self._report.seconds = time.monotonic() - self._began
        return self._report


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

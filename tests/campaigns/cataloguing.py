"""A process of the catalogue campaign: ingests, collects, deletes and rebuilds until it is killed.

It dies by SIGKILL in one of three ways: by its parent at any moment, by itself at a drawn call of
the package, or by itself within a drawn commit (or takeover by a rebuild) of SQLite, a few
milliseconds after that began. Started by `catalogue_faults.py` from a process that has imported all
of this, so that its time is spent on what is tested.
"""

from __future__ import annotations

import io
import logging
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from alos2.catalogue.embedded import EmbeddedCatalogue, locks, store
from alos2.cli import catalog
from alos2.errors import NoResource, NothingFound, PublishFailed
from alos2.footprint import FootprintOptions
from alos2.jobs.ingest import Ingested, ingest_all
from alos2.jobs.metadata import describe_in_place
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from alos2.raster.pictures import PictureOptions
from alos2.scan.collect import Collector
from alos2.scan.options import ScanOptions
from campaigns.scanning import die_after

OUTSIDE, IN_COMMIT, NOT_BEGUN = 0, 1, -1
_LONGEST_COMMIT_S = 0.004


@dataclass(frozen=True)
class Plan:
    """What one process does."""

    archive: Path
    scenes: tuple[Path, ...]
    """Products; of the first two whole datasets are made as well."""
    results: tuple[dict[str, Any], ...]
    """Of a scan's jobs, not collected yet."""
    seed: str
    death: Literal["any", "call", "commit"]
    is_alone: bool
    mutation: str | None = None


def collect(archive: Path, results: tuple[dict[str, Any], ...]) -> None:
    """Enter what jobs have made, by the scan's own collector."""
    nothing: Any = None
    collector = Collector(nothing, ScanOptions(roots=(archive,), out=archive), nothing, nothing)
    with collector:
        collector._catalogued(results)


def datasets(archive: Path) -> list[str]:
    return sorted(path.name for path in archive.iterdir() if not path.name.startswith("."))


class Worker:
    """Does one thing after the other."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._draw = random.Random(plan.seed)
        self._results = plan.results

    def act(self) -> None:
        """Do one thing."""
        acts: list[Callable[[], None]] = [
            self.describe, self.describe, self.describe, self.ingest, self.delete, self.delete,
            self.rebuild,
        ]  # fmt: skip
        if self._results:
            acts += [self.collect] * 4
        self._draw.choice(acts)()

    def describe(self) -> None:
        """As ``alos2 ingest --metadata-only`` and the archive's script do."""
        scene = self._draw.choice(self._plan.scenes)
        tags = self._draw.sample(("a", "b", "c"), 2)
        self._check(describe_in_place(scene, self._options(), tags=tags))

    def ingest(self) -> None:
        """As ``alos2 ingest`` does."""
        self._check(ingest_all([str(self._draw.choice(self._plan.scenes[:2]))], self._options()))

    def _options(self) -> IngestOptions:
        return IngestOptions(
            out=self._plan.archive,
            footprint_options=FootprintOptions(sarcat=False),
            pictures=PictureOptions(max_zoom=1),
            force=self._draw.random() < 0.7,
            catalogue=True,
        )

    def _check(self, outcomes: Iterator[Ingested | Failed]) -> None:
        for outcome in outcomes:
            error = outcome.error if isinstance(outcome, Failed) else outcome.uncatalogued
            if error is not None:
                raise error

    def collect(self) -> None:
        collect(self._plan.archive, self._results)
        self._results = ()

    def delete(self) -> None:
        """As ``alos2 catalog remove --delete`` does."""
        names = datasets(self._plan.archive)
        callback: Any = catalog.remove.callback
        if names:
            name = self._draw.choice(names)
            with redirect_stderr(io.StringIO()):  # it may say that it does not know it
                callback(ids=(name,), archive=self._plan.archive, delete=True)

    def rebuild(self) -> None:
        """As ``alos2 catalog rebuild`` does."""
        store.Store(self._plan.archive).rebuild()


def work(plan: Plan, phase: Any) -> None:
    """Work until killed; `phase` tells the parent where that happened."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    logging.disable(logging.WARNING)
    if plan.mutation:
        MUTATIONS[plan.mutation]()
    draw = random.Random(f"{plan.seed}/death")
    if plan.death == "call":
        die_after(int(4000 ** draw.random()))
    watch_commits(phase, draw if plan.death == "commit" else None)
    phase.value = OUTSIDE
    worker = Worker(plan)
    while True:
        try:
            worker.act()
        except (NoResource, PublishFailed):
            if plan.is_alone:
                raise
            time.sleep(0.001)  # the other one is at it
        except NothingFound:
            pass  # nothing to forget, or no catalogue yet to forget from


def watch_commits(phase: Any, draw: random.Random | None) -> None:
    """Note when SQLite commits; die within one of them if `draw` is given."""
    left = draw.randint(1, 5) if draw else 0
    due = threading.Event()

    def die() -> None:
        due.wait()
        assert draw is not None
        time.sleep(_LONGEST_COMMIT_S * draw.random() ** 3)  # most commits take less
        os.kill(os.getpid(), signal.SIGKILL)

    if draw is not None:
        threading.Thread(target=die, daemon=True).start()

    @contextmanager
    def committing() -> Iterator[None]:
        nonlocal left
        left -= 1
        phase.value = IN_COMMIT
        if left == 0:
            due.set()
        try:
            yield
        finally:
            phase.value = OUTSIDE

    class Watched(sqlite3.Connection):
        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            if statement.startswith(("COMMIT", "PRAGMA wal_checkpoint", "PRAGMA journal_mode")):
                with committing():
                    return super().execute(statement, *values)
            return super().execute(statement, *values)

        def backup(self, *arguments: Any, **named: Any) -> None:
            with committing():
                super().backup(*arguments, **named)

        def close(self) -> None:
            with committing():  # the last one takes the log over
                super().close()

    real = sqlite3.connect
    sqlite3.connect = lambda *a, **k: real(*a, **{"factory": Watched, **k})


def forget_marks() -> None:
    """Mutation: nobody leaves a mark while a dataset is made."""

    @contextmanager
    def begun(folder: Path, name: str) -> Iterator[Any]:
        class Nothing:
            stays = False

        folder.mkdir(exist_ok=True)
        yield Nothing()

    locks.begun = begun  # type: ignore[assignment]


def enter_piecemeal() -> None:
    """Mutation: each statement of an entry is a transaction of its own."""

    @contextmanager
    def writing(self: EmbeddedCatalogue) -> Iterator[sqlite3.Connection]:
        with locks.write_lock(self.path, 30.0):
            yield self._live()

    store.Store._writing = writing  # type: ignore[assignment, method-assign]


MUTATIONS = {"marks": forget_marks, "piecemeal": enter_piecemeal}

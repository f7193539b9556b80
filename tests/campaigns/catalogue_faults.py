"""The catalogue's fault campaign: who ingests, deletes and rebuilds is killed at random moments.

    python tests/campaigns/catalogue_faults.py --kills 200 --seed 7

Before each kill, what a scan's jobs have made may wait to be collected, the catalogue may be
missing altogether, and one or two processes are at work (`cataloguing.py`). After it the archive is
opened as the next command opens it, the scan collects again if it had something to collect, and
``verify`` with checksums has to be clean: both ways, tables, files, no litter. Now and then a
rebuild has to give the very same contents. The last line is ``kills=N in_commit=… wrong=…``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.errors import Alos2Error
from alos2.simulate import SimulationSpec, simulate
from campaigns import cataloguing
from catalogue.embedded.items import make_item, write_dataset

_PATIENCE_S = 60
_LONGEST_S = 0.3
"""After which a process is killed that does not die of itself at a drawn moment."""


@dataclass
class Tally:
    """What came of all kills."""

    kills: int = 0
    in_commit: int = 0
    """Killed while SQLite committed, or a rebuild took over."""
    wrong: list[str] = field(default_factory=list)

    def line(self) -> str:
        return f"kills={self.kills} in_commit={self.in_commit} wrong={len(self.wrong)}"


def make_scenes(folder: Path) -> tuple[Path, ...]:
    """Simulate products of 32 by 32 pixels."""
    kinds = [("1.1", "ceos"), ("2.1", "geotiff"), ("1.1", "ceos"), ("1.1", "ceos")]
    made = []
    for number, (level, form) in enumerate(kinds):
        day = date(2019, 1, 1) + timedelta(days=14 * number)
        spec: Any = {"level": level, "format": form, "pixels": 32, "lines": 32, "date": day}
        made.append(simulate(SimulationSpec(seed=number, **spec), folder / f"{number}").product_dir)
    return tuple(made)


class Campaign:
    """One archive, and what is done to it."""

    def __init__(self, folder: Path, seed: int, mutation: str | None) -> None:
        self.tally = Tally()
        self._draw = random.Random(seed)
        self._seed = seed
        self._mutation = mutation
        self._scenes = make_scenes(folder / "scenes")
        self._archive = folder / "archive"
        self._archive.mkdir()
        self._next = 0
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["campaigns.cataloguing"])

    def kill_one(self) -> None:
        """Let processes work, kill them, open the archive again and judge."""
        draw = self._draw
        if draw.random() < 0.12:
            shutil.rmtree(self._archive / ".alos2-catalogue", ignore_errors=True)
        results = self._lay() if draw.random() < 0.4 else ()
        workers = 1 if draw.random() < 0.7 else 2
        started = []
        for number in range(workers):
            plan = cataloguing.Plan(
                archive=self._archive,
                scenes=self._scenes,
                results=results if number == 0 else (),
                seed=f"{self._seed}/{self.tally.kills}/{number}",
                death=draw.choice(("any", "call", "commit")),
                is_alone=workers == 1,
                mutation=self._mutation,
            )
            phase = self._context.RawValue("i", cataloguing.NOT_BEGUN)
            process = self._context.Process(target=cataloguing.work, args=(plan, phase))
            process.start()
            started.append((plan, phase, process))
        for plan, phase, process in started:
            self._await_death(plan, phase, process)
        self.tally.kills += 1
        self._judge(results)

    def _lay(self) -> tuple[dict[str, Any], ...]:
        """Make datasets as the jobs of a scan do, which enter nothing."""
        lines = []
        for _ in range(self._draw.randint(1, 6)):
            item = make_item(self._next % 40)
            self._next += 1
            folder = self._archive / item["id"]
            if not folder.exists():
                write_dataset(self._archive, item)
            lines.append({"dataset_id": item["id"], "folder": str(folder)})
        return tuple(lines)

    def _await_death(self, plan: cataloguing.Plan, phase: Any, process: Any) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while phase.value == cataloguing.NOT_BEGUN and process.is_alive():
            time.sleep(0.002)
            if time.monotonic() > deadline:
                break
        if plan.death == "any":
            time.sleep(self._draw.uniform(0, _LONGEST_S))
        else:
            process.join(5 * _LONGEST_S)
        process.kill()
        process.join(_PATIENCE_S)
        if process.exitcode != -signal.SIGKILL:
            self._wrong(f"a process ended by itself with exit code {process.exitcode}")
        self.tally.in_commit += phase.value == cataloguing.IN_COMMIT

    def _judge(self, results: tuple[dict[str, Any], ...]) -> None:
        """The next start, and what it finds."""
        for_writing = self._draw.random() < 0.5 or not self._marked()
        compare = self._draw.random() < 0.1
        try:
            if for_writing:
                EmbeddedCatalogue.open(self._archive).close()
            if results:
                cataloguing.collect(self._archive, results)
            with EmbeddedCatalogue.open_to_read(self._archive) as catalogue:
                report = catalogue.verify(checksums=True)
                ids = list(catalogue.ids())
        except Alos2Error as error:
            self._wrong(f"the next start: {type(error).__name__}: {error.message}")
            return
        for fault in report.faults:
            self._wrong(f"{fault.what}: {fault.place}: {fault.sentence}")
        if ids != cataloguing.datasets(self._archive):
            self._wrong("the ids are not those of the folders")
        hidden = self._archive / ".alos2-catalogue"
        litter = [p.name for part in ("begun", "removed") for p in hidden.glob(f"{part}/*")]
        if litter:
            self._wrong(f"left behind: {litter}")
        if compare:
            self._compare()

    def _marked(self) -> bool:
        return any((self._archive / ".alos2-catalogue" / "begun").glob("*"))

    def _compare(self) -> None:
        with EmbeddedCatalogue.open(self._archive) as catalogue:
            before = contents(catalogue)
            catalogue.rebuild()
            if contents(catalogue) != before:
                self._wrong("a rebuild gives another catalogue")

    def _wrong(self, sentence: str) -> None:
        self.tally.wrong.append(f"kill {self.tally.kills}: {sentence}")


def contents(catalogue: EmbeddedCatalogue) -> list[tuple[Any, ...]]:
    """Everything that is known, whatever the row numbers."""
    return catalogue.query(
        "SELECT id, folder, digest, time_us, west, east, words, document, "
        "(SELECT group_concat(tag) FROM tags WHERE tags.rid = items.rid), "
        "(SELECT count(*) FROM boxes WHERE box / 2 = items.rid) "
        "FROM items JOIN documents USING (rid) ORDER BY id"
    )


def campaign(
    kills: int, seed: int, *, mutation: str | None = None, until_wrong: bool = False
) -> Tally:
    """Kill so many times; `until_wrong` ends it at the first fault."""
    with tempfile.TemporaryDirectory(
        prefix="alos2-catalogue-faults-", ignore_cleanup_errors=True
    ) as folder:
        one = Campaign(Path(folder), seed, mutation)
        for _ in range(kills):
            one.kill_one()
            if until_wrong and one.tally.wrong:
                break
    return one.tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat it")
    parser.add_argument(
        "--mutation", choices=sorted(cataloguing.MUTATIONS), help="put a fault in on purpose"
    )
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if chosen.seed is None else chosen.seed
    print(f"seed={seed}", flush=True)
    began = time.monotonic()
    tally = campaign(chosen.kills, seed, mutation=chosen.mutation)
    for sentence in tally.wrong:
        print(sentence)
    print(f"{time.monotonic() - began:.0f} s")
    print(tally.line())
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

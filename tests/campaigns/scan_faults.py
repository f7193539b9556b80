"""The scan's fault campaign: scans and their jobs are killed anywhere, then run again until quiet.

    python tests/campaigns/scan_faults.py --archives 40 --seed 7

Each archive holds scenes in folders and zips, one scene in two places and one that is incomplete.
It is scanned again and again by processes that die by SIGKILL at a drawn call (`scanning.py`), by
jobs of this machine or of PSI/J's local scheduler, while folders come, move and are rewritten.
Then nobody dies any more, and the scan is run until nothing is left to do. Every scene has to be
in the catalogue exactly once, pointing at files that are there; nothing half-made may be left. The
last line is ``archives=N scenes=… killed=… lost=… twice=… wrong=…``.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.errors import NothingFound
from alos2.simulate import SimulationSpec, simulate

CHILD = Path(__file__).with_name("scanning.py")
_QUIET_RUNS = 12
"""Most runs that it may take until nothing is left."""
_MOST_CALLS = 3000
_PATIENCE_S = 120


@dataclass
class Tally:
    """What came of all archives."""

    archives: int = 0
    scenes: int = 0
    runs: int = 0
    killed: int = 0
    lost: int = 0
    twice: int = 0
    wrong: list[str] = field(default_factory=list)

    def line(self) -> str:
        return (
            f"archives={self.archives} scenes={self.scenes} runs={self.runs} killed={self.killed} "
            f"lost={self.lost} twice={self.twice} wrong={len(self.wrong)}"
        )


def make_scenes(folder: Path, count: int) -> list[Path]:
    """Simulate small products, each a folder of its own."""
    made = []
    for number in range(count):
        day = date(2019, 1, 1) + timedelta(days=14 * number)
        spec = SimulationSpec(level="1.1", pixels=32, lines=32, seed=number, date=day)
        made.append(simulate(spec, folder / f"{number}").product_dir)
    return made


class Archive:
    """The scenes of one round, and what has to be known of them in the end."""

    def __init__(self, root: Path, scenes: list[Path], draw: random.Random) -> None:
        self.root = root
        self._draw = draw
        self._scenes = list(scenes)
        self.places: dict[str, Path] = {}
        self._number = 0
        twin = self.add()
        shutil.copytree(self.places[twin], self._fresh("twin"))
        broken = self._fresh("broken")
        shutil.copytree(self._scenes.pop(), broken)
        next(broken.glob("LED-*")).unlink()

    def _fresh(self, word: str = "") -> Path:
        self._number += 1
        name = self._draw.choice(("P001/F0700", "P001/F0700, copy", "é/P1", "a b"))
        folder = self.root / name / f"{word}{self._number:03}"
        folder.parent.mkdir(parents=True, exist_ok=True)
        return folder

    def add(self) -> str:
        """Put one more scene into a folder or a zip; return its id."""
        scene = self._scenes.pop()
        folder = self._fresh()
        if self._draw.random() < 0.25 and self.places:
            place = folder.with_suffix(".zip")
            part = place.with_suffix(".part")
            with zipfile.ZipFile(part, "w") as file:
                for path in sorted(scene.iterdir()):
                    file.write(path, f"inside/{path.name}")
            part.rename(place)
        else:
            place = folder
            shutil.copytree(scene, place)
        name = f"{scene.name}-md"
        self.places[name] = place
        return name

    @property
    def left(self) -> int:
        return len(self._scenes)

    def disturb(self) -> None:
        """Let a scene come, move, or be rewritten in place."""
        folders = [name for name, place in self.places.items() if place.is_dir()]
        what = self._draw.random()
        if what < 0.4 and self._scenes:
            self.add()
        elif what < 0.7 and folders:
            name = self._draw.choice(folders[1:] or folders)
            place = self._fresh("moved")
            self.places[name].rename(place)
            self.places[name] = place
        elif folders:
            name = self._draw.choice(folders)
            picture = next(self.places[name].glob("*.kml"))
            picture.write_bytes(picture.read_bytes() + b"\n")


@dataclass
class Round:
    """One archive, scanned until quiet."""

    folder: Path
    scenes: list[Path]
    draw: random.Random
    mutation: str | None
    deadly: tuple[int, int]
    """Least and most runs with deaths."""
    tally: Tally

    def run(self) -> None:
        """Scan with deaths, then without, and judge."""
        out, plan = self.folder / "out", self.folder / "plan.json"
        out.mkdir()
        archive = Archive(self.folder / "archive", self.scenes, self.draw)
        for _ in range(max(1, archive.left // 2)):
            archive.add()
        scheduler = self.draw.choice(("here", "here", "local"))
        site = self.folder / "site.toml"
        self._wrap(site, plan)
        arguments = [
            "scan", str(archive.root), "--out", str(out), "--site", str(site), "--settle", "0",
            "--scheduler", scheduler, "--retry-failed", "--chunk", str(self.draw.randint(1, 4)),
            "--jobs", "2", "--poll", "0.1", "--second-look", "0.3", "--wait", "--json",
        ]  # fmt: skip
        for _ in range(self.draw.randint(*self.deadly)):
            self._plan(plan, deaths=0.8)
            self._scan(plan, arguments)
            archive.disturb()
        self._plan(plan, deaths=0.0)
        for _ in range(_QUIET_RUNS):
            code, summary = self._scan(plan, arguments)
            if code == 0 and not any(summary[word] for word in ("submitted", "done", "in_flight")):
                break
        else:
            self._wrong(f"not quiet after {_QUIET_RUNS} runs: exit code {code}, {summary}")
        self._judge(archive, out)

    def _wrap(self, site: Path, plan: Path) -> None:
        wrapper = self.folder / "python"
        wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{CHILD}" "{plan}" "$@"\n')
        wrapper.chmod(0o755)
        site.write_text(f'python = "{wrapper}"\n')

    def _plan(self, plan: Path, *, deaths: float) -> None:
        words = {
            "seed": self.draw.randrange(10**9),
            "deaths": deaths,
            "most_calls": _MOST_CALLS,
            "mutation": self.mutation,
        }
        plan.write_text(json.dumps(words))

    def _scan(self, plan: Path, arguments: list[str]) -> tuple[int, dict[str, Any]]:
        self.tally.runs += 1
        command = [sys.executable, str(CHILD), str(plan), *arguments]
        environment = {**os.environ, "ALOS2_SARCAT": "off"}
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            try:
                told, errors = process.communicate(timeout=_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                self._wrong(f"a scan did not end within {_PATIENCE_S} s")
                return 1, {"submitted": 0, "done": 0, "in_flight": 0}
        if process.returncode == -signal.SIGKILL:
            self.tally.killed += 1
        elif process.returncode not in (0, 8):
            self._wrong(f"exit code {process.returncode}: {errors[-500:]}")
        lines = [json.loads(line) for line in told.splitlines() if line.endswith("}")]
        if not lines or lines[-1]["kind"] != "summary":
            return process.returncode, {"submitted": 0, "done": 0, "in_flight": 0}
        return process.returncode, lines[-1]

    def _judge(self, archive: Archive, out: Path) -> None:
        wanted = set(archive.places)
        try:
            with EmbeddedCatalogue.open(out, create=False, read_only=True) as catalogue:
                entered = list(catalogue.ids())
        except NothingFound:
            entered = []
        lost = wanted - set(entered)
        self.tally.archives += 1
        self.tally.scenes += len(wanted)
        self.tally.lost += len(lost)
        self.tally.twice += len(entered) - len(set(entered))
        if lost:
            self._wrong(f"not in the catalogue: {sorted(lost)}")
        if set(entered) - wanted:
            self._wrong(f"in the catalogue and nowhere else: {sorted(set(entered) - wanted)}")
        there = {path.name for path in out.iterdir()} - {".alos2-scan", ".alos2-catalogue"}
        if there != wanted:
            litter = sorted(there - wanted)
            self._wrong(f"datasets that are not there: {sorted(wanted - there)}; litter: {litter}")
        for name, place in archive.places.items():
            self._judge_dataset(out / name, place)
        self._judge_state(out / ".alos2-scan", wanted)

    def _judge_dataset(self, folder: Path, place: Path) -> None:
        try:
            met = json.loads((folder / f"{folder.name}.met.json").read_text())
        except OSError:
            return  # told of already
        for file in met["gekko_archive_files"]:
            outer = Path(file.partition("!")[0])
            twin = outer.parent.name.startswith("twin")
            if not outer.exists() or (place not in (outer, outer.parent) and not twin):
                self._wrong(f"{folder.name} points at {file}, and lies in {place}")
                return

    def _judge_state(self, folder: Path, wanted: set[str]) -> None:
        db = sqlite3.connect(folder / "state.sqlite")
        done = [row[0] for row in db.execute("SELECT dataset_id FROM units WHERE state = 'done'")]
        others = dict(
            db.execute(
                """SELECT state, count(*) FROM units
                   WHERE state NOT IN ('done', 'gone', 'duplicate', 'incomplete') GROUP BY 1"""
            )
        )
        duplicates = db.execute("SELECT count(*) FROM units WHERE state = 'duplicate'").fetchone()
        db.close()
        if sorted(done) != sorted(wanted) or others:
            self._wrong(f"the state has {len(done)} of {len(wanted)} done, and {others}")
        if duplicates[0] != 1:
            self._wrong(f"{duplicates[0]} duplicates are reported instead of one")
        chunks = [path.name for path in (folder / "chunks").iterdir()]
        if chunks:
            self._wrong(f"chunks are left: {chunks}")

    def _wrong(self, sentence: str) -> None:
        self.tally.wrong.append(f"{self.folder.name}: {sentence}")


def campaign(
    archives: int,
    seed: int,
    *,
    scenes: int = 9,
    mutation: str | None = None,
    deadly: tuple[int, int] = (3, 6),
    first: int = 0,
    keep: bool = False,
) -> Tally:
    """Scan so many archives to their end, one after the other."""
    tally = Tally()
    folder = Path(tempfile.mkdtemp(prefix="alos2-scan-faults-"))
    try:
        made = make_scenes(folder / "scenes", scenes)
        for number in range(first, first + archives):
            mine = folder / f"round-{number}"
            mine.mkdir()
            draw = random.Random(f"{seed}/{number}")
            Round(mine, made, draw, mutation, deadly, tally).run()
            if not keep:
                shutil.rmtree(mine, ignore_errors=True)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--archives", type=int, default=40)
    parser.add_argument("--scenes", type=int, default=9)
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat it")
    parser.add_argument("--only", type=int, default=None, help="number of the one to repeat; kept")
    parser.add_argument("--mutation", choices=("lose", "twice"), help="put a fault in on purpose")
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**9) if chosen.seed is None else chosen.seed
    print(f"seed={seed}", flush=True)
    began = time.monotonic()
    only = chosen.only is not None
    tally = campaign(
        1 if only else chosen.archives,
        seed,
        scenes=chosen.scenes,
        mutation=chosen.mutation,
        first=chosen.only or 0,
        keep=only,
    )
    for sentence in tally.wrong:
        print(sentence)
    print(f"{time.monotonic() - began:.0f} s")
    print(tally.line())
    return 1 if tally.wrong or tally.lost or tally.twice else 0


if __name__ == "__main__":
    sys.exit(main())

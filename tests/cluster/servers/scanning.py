"""`alos2 scan` over a real scheduler: tests that its test module inherits."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue
from scan.flowing import make_scenes

SECONDS = 60.0
_MANY = 6


@pytest.fixture(scope="session")
def many_scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders of small products of different days; nobody may write into them."""
    return make_scenes(tmp_path_factory.mktemp("many"), _MANY)


class Archive:
    """An archive of scenes, and the command that scans it."""

    def __init__(self, folder: Path, scenes: list[Path], scheduler: str) -> None:
        self.folder = folder
        self.scenes = scenes
        self.root = folder / "home, of 'data'" / "P071"
        self.out = folder / "out"
        self.out.mkdir()
        self._scheduler = scheduler
        for number, scene in enumerate(scenes):
            shutil.copytree(scene, self.root / f"F{700 + number:04d}" / scene.name)

    @property
    def ids(self) -> list[str]:
        return sorted(f"{scene.name}-md" for scene in self.scenes)

    def entered(self) -> list[str]:
        """Return the ids in the catalogue, as often as they are there."""
        with EmbeddedCatalogue.open(self.out, create=False, read_only=True) as catalogue:
            return sorted(catalogue.ids())

    def command(self, *more: str) -> list[str]:
        return [
            *(sys.executable, "-m", "alos2", "-v", "scan", str(self.root), "--out", str(self.out)),
            *("--settle", "0", "--poll", "0.2", "--second-look", "3", "--json"),
            *("--scheduler", self._scheduler, *more),
        ]

    def scan(self, *more: str) -> tuple[int, list[dict[str, Any]]]:
        """Scan; return the exit code and what was said."""
        done = subprocess.run(
            self.command(*more), capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    @contextlib.contextmanager
    def scanning(self, *more: str) -> Iterator[subprocess.Popen[str]]:
        """Scan in another process, which is killed at the end if it is still there."""
        with (
            (self.folder / "scan.err").open("w") as err,
            subprocess.Popen(
                self.command(*more), stdout=subprocess.PIPE, stderr=err, text=True
            ) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    def results(self) -> list[Path]:
        """Return the results of all jobs that have some."""
        found = self.out.glob(".alos2-scan/chunks/*/results.ndjson")
        return [path for path in found if path.stat().st_size]


def wait_for(what: str, condition: Callable[[], object]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, f"{what} does not come"
        time.sleep(0.005)


def of_kind(said: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in said if each.get("kind") == kind]


class ScanOnScheduler:
    """The archive scan as a batch job: whole, killed, and continued."""

    scheduler: str

    def test_scenes_are_described_by_jobs_once(
        self, tmp_path: Path, many_scenes: list[Path]
    ) -> None:
        archive = Archive(tmp_path, many_scenes[:5], self.scheduler)
        code, said = archive.scan("--wait", "--chunk", "2")
        assert code == 0
        submitted = of_kind(said, "submitted")
        assert [each["units"] for each in submitted] == [2, 2, 1]
        assert {each["scheduler"] for each in submitted} == {self.scheduler}
        assert {each["outcome"] for each in of_kind(said, "scene")} == {"made"}
        assert archive.entered() == archive.ids
        for dataset in archive.ids:
            met = json.loads((archive.out / dataset / f"{dataset}.met.json").read_text())
            assert str(archive.root) in json.dumps(met)
        code, said = archive.scan("--wait")
        assert code == 0
        assert of_kind(said, "submitted") == []
        assert archive.entered() == archive.ids

    def test_a_job_killed_in_the_middle_leaves_what_it_finished_and_is_retried(
        self, tmp_path: Path, many_scenes: list[Path]
    ) -> None:
        archive = Archive(tmp_path, many_scenes, self.scheduler)
        with archive.scanning("--wait", "--chunk", str(_MANY)) as process:
            wait_for("a first result", archive.results)
            results = archive.results()[0]
            claim = json.loads((results.parent / "claim").read_text())
            os.killpg(os.getpgid(int(claim["pid"])), signal.SIGKILL)
            out, _ = process.communicate(timeout=SECONDS)
        said = [json.loads(line) for line in out.splitlines()]
        finished = len([line for line in results.read_text().splitlines() if line.endswith("}")])
        assert 0 < finished < _MANY
        assert process.returncode == 8
        outcomes = Counter(each["outcome"] for each in of_kind(said, "scene"))
        assert outcomes == {"made": finished, "failed": _MANY - finished}
        errors = {each["error"]["class"] for each in of_kind(said, "scene") if each["error"]}
        assert errors == {"Killed"}
        assert len(archive.entered()) == finished
        code, said = archive.scan("--wait", "--retry-failed")
        assert code == 0
        assert [each["units"] for each in of_kind(said, "submitted")] == [_MANY - finished]
        assert archive.entered() == archive.ids

    def test_a_scan_that_was_killed_is_continued_by_the_next_one(
        self, tmp_path: Path, many_scenes: list[Path]
    ) -> None:
        archive = Archive(tmp_path, many_scenes[:4], self.scheduler)
        with archive.scanning("--wait", "--chunk", "2") as process:
            assert process.stdout is not None
            lines = (json.loads(line) for line in process.stdout)
            first = next(line for line in lines if line.get("kind") == "submitted")
            assert first["units"] == 2
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        code, said = archive.scan("--wait", "--chunk", "2")
        assert code == 0
        # What was handed over by the first is not handed over again.
        assert first["token"] not in {each["token"] for each in of_kind(said, "submitted")}
        assert archive.entered() == archive.ids
        ended = [(each["dataset_id"], each["outcome"]) for each in of_kind(said, "scene")]
        # Each by one job: a second one would find it made, and say "unchanged".
        assert sorted(ended) == [(each, "made") for each in archive.ids]

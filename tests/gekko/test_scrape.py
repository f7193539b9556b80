"""The scan under its name of old: a real process, with a batch script as the body of its jobs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue
from fakes.scenes import Scene, spread
from gekko.inside import run_inside

GEKKO = Path(__file__).resolve().parents[2] / "gekko"
SCRAPE = GEKKO / "scrape_alos2_aria_ingest.py"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="clusters run POSIX systems"),
]


@pytest.fixture
def place(scenes: list[Scene], tmp_path: Path) -> Path:
    return spread(scenes, tmp_path / "data, ours" / "P126" / "F0690")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder


def scrape(
    place: Path, archive: Path, *flags: object, **env: str
) -> subprocess.CompletedProcess[str]:
    """Scan the folder two above `place`."""
    words = ("-dir", place.parents[1], *flags, "--out", archive, "--settle", "0")
    return subprocess.run(
        [sys.executable, "-I", str(SCRAPE), *map(str, words)],
        cwd="/",
        env={"PATH": os.environ["PATH"], "ALOS2_SARCAT": "off", **env},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def objects(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def ids(archive: Path) -> list[str]:
    with EmbeddedCatalogue.open(archive, read_only=True) as catalogue:
        return list(catalogue.ids())


def test_the_batch_script_is_the_body_of_each_job(
    scenes: list[Scene], place: Path, archive: Path, tmp_path: Path
) -> None:
    """A site's edited copy, run by the scheduler that is here: this machine."""
    pytest.importorskip("psij")
    edited = tmp_path / "ours.pbs"
    text = (GEKKO / "ingest2aria.pbs").read_text()
    mark = tmp_path / "edited"
    edited.write_text(text.replace("set -eu", f"echo ours >> '{mark}'\nset -eu"))
    flags = ("-pbs", edited, "--wait", "--poll", "0.2", "--chunk", "2")
    done = scrape(place, archive, *flags, QSUB_SYSTEM="local")
    assert done.returncode == 0, done.stderr
    assert ids(archive) == sorted(scene.id for scene in scenes)
    assert mark.read_text() == "ours\n" * 2
    again = scrape(place, archive, *flags, "--json", QSUB_SYSTEM="local")
    assert again.returncode == 0, again.stderr
    assert not [line for line in objects(again) if line["kind"] == "submitted"]
    assert mark.read_text() == "ours\n" * 2


@pytest.mark.parametrize(
    ("regex", "found"),
    [((), True), (("-regex", "F0700"), False), (("-regex", "0690-2020"), False),
     (("-regex", "P1.*IMG-HV-.*-180905"), True), (("-regex", ""), True)],
)  # fmt: skip
def test_which_folders(
    place: Path,
    archive: Path,
    regex: tuple[str, ...],
    *,
    found: bool,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ("-dir", place.parents[1], *regex, "--out", archive, "--settle", "0", "--dry-run")
    code, out, err = run_inside(SCRAPE, *words, "--json", capfd=capfd, monkeypatch=monkeypatch)
    assert code == 0, err
    would = [line for line in map(json.loads, out.splitlines()) if line["kind"] == "would submit"]
    assert bool(would) == found
    assert list(archive.iterdir()) == []


def test_folders_of_other_names_are_left_out(
    place: Path, archive: Path, scenes: list[Scene]
) -> None:
    shutil.move(place, place.parents[1] / "elsewhere")
    done = scrape(place, archive, "--dry-run")
    assert "would submit 0 scenes" in done.stderr
    done = scrape(place, archive, "-regex", "", "--dry-run")
    assert f"would submit {len(scenes)} scenes" in done.stderr


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("-pbs", "/nonexistent.pbs"), 2, "/nonexistent.pbs"),
        (("-regex", "("), 2, "no regular expression"),
        (("--nonsense",), 2, "--nonsense"),
    ],
)
def test_what_cannot_be(
    place: Path,
    archive: Path,
    flags: tuple[str, ...],
    *,
    code: int,
    said: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ("-dir", place, *flags, "--out", archive)
    ended, _, err = run_inside(
        SCRAPE, *words, capfd=capfd, monkeypatch=monkeypatch, QSUB_SYSTEM="local"
    )
    assert ended == code, err
    assert said in err
    assert "Traceback" not in err

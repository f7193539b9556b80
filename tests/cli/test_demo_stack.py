"""``alos2 demo --stack``: from nothing to stacks in an archive, the same each time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue


def demo(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alos2", "demo", "--stack", *flags, folder.name],
        cwd=folder.parent,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("one") / "demo"
    done = demo(folder, "--size", "64")
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def rasters(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted((folder / "stack").rglob("*"))
        if path.suffix in (".tif", ".vrt", ".gif", ".png")
    }


def test_it_says_what_it_does_and_what_is_there(made: tuple[Path, str]) -> None:
    folder, said = made
    for words in (
        "$ alos2 stack init demo/flood.toml",
        "$ alos2 stack plan demo/flood.toml",
        "$ alos2 stack run demo/flood.toml --out demo/archive",
        "22 made",
        "alos2 serve --archive demo/archive --open",
    ):
        assert words in said
    tracks = [path for path in (folder / "stack").iterdir() if path.name.startswith("P1")]
    assert len(tracks) == 2
    for track in tracks:
        assert len(list((track / "Timeseries").glob("*.bs.HH.tif"))) == 7
        assert (track / "Animation" / f"{track.name}.gif").is_file()
    assert len(list((folder / "stack" / "Mosaic" / "Timeseries").glob("*.bs.HV.tif"))) == 7
    with EmbeddedCatalogue.open(folder / "archive", read_only=True) as catalogue:
        known = sorted(catalogue.ids())
        assert catalogue.verify().faults == []
    assert len(known) == 17
    assert sum(name.startswith("ALOS2-STACK-") for name in known) == 3


def test_again_nothing_is_made(made: tuple[Path, str]) -> None:
    folder, _ = made
    done = demo(folder, "--size", "64", "--json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["status"] for line in lines if "status" in line} == {"unchanged"}
    assert {line["state"] for line in lines if line.get("kind") == "task"} == {"kept"}


def test_another_time_elsewhere_the_bytes_are_the_same(
    made: tuple[Path, str], tmp_path: Path
) -> None:
    folder, _ = made
    done = demo(tmp_path / "other", "--size", "64", "--json")
    assert done.returncode == 0, done.stderr
    first, second = rasters(folder), rasters(tmp_path / "other")
    assert len(first) > 100
    assert [name for name in first if first[name] != second.get(name)] == []


def test_another_size_and_two_demos_are_refused(made: tuple[Path, str]) -> None:
    folder, _ = made
    done = demo(folder, "--size", "80")
    assert done.returncode == 2
    assert "has scenes of 64 pixels" in done.stderr
    assert demo(folder, "--portals").returncode == 2

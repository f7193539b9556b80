"""Terrain, changes and stacks as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from alos2.cli.simulate import command
from alos2.errors import UsageError

SMALL = ("--level", "2.1", "--format", "geotiff", "--pixels", "64", "--lines", "64")
CHANGE = "2020-06-29/2020-07-13 disc:0,0,300 HH=-8,HV=-5 field,forest"


def run(*arguments: object) -> Any:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_a_stack_as_one_object(tmp_path: Path) -> None:
    done = run(
        tmp_path / "out", *SMALL, "--stack", 2, "--every", 14, "--terrain", "ridge:80,900,10",
        "--change", CHANGE, "--no-targets", "--baseline", 100, "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    made = json.loads(done.output)
    assert [Path(path).is_dir() for path in made["product_dir"]] == [True, True]
    assert Path(made["dem"]).name == "stack-dem.tif"
    truth = json.loads(Path(made["truth"]).read_text(encoding="utf-8"))
    assert truth["dates"] == ["2020-06-15", "2020-06-29"]
    assert truth["changes"][0]["kinds"] == ["field", "forest"]
    assert truth["spec"]["terrain"]["kind"] == "ridge"
    assert truth["spec"]["targets"] is False
    assert truth["scenes"][1]["perpendicular_baseline_m"] != 0.0


def test_frames_for_people(tmp_path: Path) -> None:
    done = run(tmp_path / "out", *SMALL, "--frames", 2)
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert [line.split()[0] for line in lines] == ["product_dir", "product_dir", "dem", "truth"]
    assert lines[2].split() == ["dem", "-"]
    assert all(Path(line.split()[1]).exists() for line in lines if not line.endswith("-"))


def test_one_product_with_terrain_has_its_dem(tmp_path: Path) -> None:
    done = run(tmp_path / "out", *SMALL, "--terrain", "hills:80,900", "--json")
    made = json.loads(done.output)
    assert set(made) == {"id", "product_dir", "archive", "truth", "dem"}
    assert Path(made["dem"]).name == f"{made['id']}-dem.tif"
    without = run(tmp_path / "other", *SMALL, "--terrain", "hills:80,900", "--no-dem", "--json")
    assert "dem" not in json.loads(without.output)


def test_level_22_has_no_targets_unless_asked_for(tmp_path: Path) -> None:
    level = ("--level", "2.2", "--format", "geotiff", "--mode", "WBS")
    done = run(tmp_path, *level, "--pixels", 32, "--lines", 32, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["id"].endswith("WBSR2.2GUA")
    asked = run(tmp_path, *level, "--targets")
    assert isinstance(asked.exception, UsageError)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--terrain", "alp:100,1000"), "terrain 'alp'"),
        (("--change", "soon disc:0,0,1 3"), "is no day"),
        (("--stack", 2, "--every", 10), "after 14 days only"),
    ],
)
def test_what_cannot_be_is_said(given: tuple[object, ...], words: str, tmp_path: Path) -> None:
    done = run(tmp_path / "out", *SMALL, *given)
    assert isinstance(done.exception, UsageError)
    assert words in done.exception.message
    assert not (tmp_path / "out").exists()

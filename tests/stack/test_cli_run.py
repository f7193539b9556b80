from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from alos2.cli.main import cli
from alos2.errors import BadProduct, SomeFailed, UsageError
from alos2.stack.running import unpacked
from alos2.stack.steps import ard
from stack.fakesteps import files
from stack.smallstacks import SmallStack, make_small

TRACK = "P128_F0690_FBD_36.6_R_A"


def alos2(*arguments: object, fails: type[BaseException] | None = None) -> Result:
    result = CliRunner().invoke(cli, [str(word) for word in arguments])
    if fails is None:
        assert result.exception is None, result.output
    else:
        assert isinstance(result.exception, fails), result.output
    return result


def told(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> SmallStack:
    """Three dates of one track."""
    return make_small(tmp_path_factory.mktemp("three") / "in", dates=3, tracks=1)


def test_a_date_more_costs_its_own_scene_and_the_passes_over_all(
    three: SmallStack, tmp_path: Path
) -> None:
    config = three.config(tmp_path, scenes=three.scenes[:2])
    first = told(alos2("stack", "run", config, "--threads", 2, "--json"))
    assert [one["kind"] for one in first] == ["plan", *["task"] * 5, "summary"]
    assert first[-1]["by_step"]["ard"] == {"made": 2}
    before = {path: path.read_bytes() for path in (tmp_path / "work").rglob("ARD/*/*")}
    three.config(tmp_path)
    status = alos2("stack", "status", config).stdout.splitlines()
    assert [line.split()[:2] for line in status if line.startswith("done")] == [
        ["done", f"{TRACK}/ARD/20200615"],
        ["done", f"{TRACK}/ARD/20200629"],
    ]
    assert f"to do  {TRACK}/Timeseries  (new ARD/20200713)" in status
    second = told(alos2("stack", "run", config, "--threads", 2, "--json"))
    made = {one["id"] for one in second if one.get("state") == "made"}
    assert made == {
        f"{TRACK}/ARD/20200713",
        *(f"{TRACK}/{each}" for each in ("Timeseries", "Timescan", "Animation")),
    }
    assert {path: path.read_bytes() for path in before} == before
    (tmp_path / "fresh").mkdir()
    alos2("stack", "run", three.config(tmp_path / "fresh"), "--threads", 1)
    fresh, grown = files(tmp_path / "fresh/work"), files(tmp_path / "work")
    for both in (fresh, grown):
        both.pop("plan.json")  # it names the places
    assert grown == fresh


def test_without_a_filter_over_time_the_files_of_other_dates_stay(
    three: SmallStack, tmp_path: Path
) -> None:
    more = "[time-scan_ARD]\nmetrics = ['avg']"
    config = three.config(tmp_path, scenes=three.scenes[:2], more=more)
    config.write_text(
        config.read_text().replace("dtype_output", "remove_mt_speckle = false\ndtype_output")
    )
    alos2("stack", "series", config)
    series = tmp_path / "work" / TRACK / "Timeseries"
    before = {path.name: path.stat().st_ino for path in series.glob("*.tif")}
    text = config.read_text()
    config.write_text(
        text.replace(text.split("folders = ")[1].split("\n")[0], f'["{three.folder}"]')
    )
    again = told(alos2("stack", "series", config, "--json"))
    assert again[-1]["made"] == 2
    after = {path.name: path.stat().st_ino for path in series.glob("*.tif")}
    assert {name: after[name] for name in before} == before
    assert len(after) == 6
    bands = (series / "Timeseries.bs.HH.vrt").read_text().count("<VRTRasterBand")
    assert bands == 3


def test_verbs_make_their_step_and_what_it_needs(three: SmallStack, tmp_path: Path) -> None:
    config = three.config(tmp_path)
    only = told(alos2("stack", "ard", config, "--only", "2020-07-13", "--json"))
    assert [one["id"] for one in only if one["kind"] == "task"] == [f"{TRACK}/ARD/20200713"]
    text = alos2("stack", "series", config).stdout
    assert "series     1" in " ".join(text.split()).replace("series 1", "series     1")
    assert (tmp_path / "work" / TRACK / "Timeseries").is_dir()
    assert not (tmp_path / "work" / TRACK / "Timescan").exists()
    again = told(alos2("stack", "series", config, "--verify", "--json"))
    assert {one["state"] for one in again if one["kind"] == "task"} == {"kept"}
    assert told(alos2("stack", "mosaic", config, "--json"))[-1]["made"] == 0
    timescan = told(alos2("stack", "timescan", config, "--json"))
    assert [one["id"] for one in timescan if one.get("state") == "made"] == [f"{TRACK}/Timescan"]
    alos2("stack", "animate", config)
    assert list((tmp_path / "work" / TRACK / "Animation").glob("*.gif"))


def test_a_damaged_scene_is_reported_and_tried_again(three: SmallStack, tmp_path: Path) -> None:
    scenes = tmp_path / "in"
    shutil.copytree(three.folder, scenes)
    broken = SmallStack(scenes).scenes[1]
    image = next(broken.glob("IMG-HH-*"))
    whole = image.read_bytes()
    image.write_bytes(whole[: len(whole) // 2])
    config = SmallStack(scenes).config(tmp_path)
    failed = alos2("stack", "series", config, fails=SomeFailed)
    assert f"left out: {broken.name}" in failed.stdout
    assert (tmp_path / "work" / TRACK / "Timeseries/20200713.bs.HV.tif").is_file()
    image.write_bytes(whole)
    result = alos2("stack", "series", config)
    assert "left out: " not in result.stdout
    assert (tmp_path / "work" / TRACK / "Timeseries/20200629.bs.HV.tif").is_file()


def test_a_scene_that_breaks_after_the_plan_fails_alone(
    three: SmallStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = unpacked.unpacked_products

    def breaking(scenes: Sequence[Any], scratch: Path) -> Any:
        if "200629" in scenes[0]["scene"]:
            raise BadProduct("a disk lost it")
        return real(scenes, scratch)

    monkeypatch.setattr(ard, "unpacked_products", breaking)
    config = three.config(tmp_path)
    failed = alos2("stack", "timescan", config, fails=SomeFailed)
    assert f"failed:  {TRACK}/ARD/20200629: a disk lost it" in failed.stdout
    assert f"{TRACK}/Timeseries is without {TRACK}/ARD/20200629" in failed.stdout
    monkeypatch.undo()
    again = told(alos2("stack", "timescan", config, "--json"))
    assert again[-1]["made"] == 3


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    alos2("stack", "run", tmp_path / "none.toml", fails=UsageError)
    assert "--scheduler" in alos2("stack", "run", "--help").stdout
    assert "--only" not in alos2("stack", "series", "--help").stdout

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue, Query
from alos2.catalogue.embedded.stacks import stacks
from alos2.dataset.validate import validate_item
from alos2.errors import DatasetDiffers
from alos2.stack.config.model import load_config
from alos2.stack.result.dataset import keep_datasets
from alos2.stack.running.whole import Done, Wanted, make_whole
from stack.smallstacks import SmallStack


@pytest.fixture(scope="module")
def done(small_stack: SmallStack, tmp_path_factory: pytest.TempPathFactory) -> Done:
    config = small_stack.config(tmp_path_factory.mktemp("run"))
    made = make_whole(load_config(config), Wanted(threads=2, memory_mb=1000))
    made.report.raise_failures()
    return made


def test_one_dataset_a_track_and_one_of_the_mosaics(done: Done, tmp_path: Path) -> None:
    kept = list(keep_datasets(done.plan, done.report, tmp_path))
    ids = [one.line["id"] for one in kept]
    assert [name[:-8] for name in ids] == [
        "ALOS2-STACK-P128-F0690-FBD-RA-20200615-20200629-",
        "ALOS2-STACK-P129-F0690-FBD-RA-20200620-20200704-",
        "ALOS2-STACK-MOSAIC-P128_P129-20200615-20200704-",
    ]
    assert {one.line["status"] for one in kept} == {"new"}
    track = tmp_path / ids[0]
    item = json.loads((track / f"{ids[0]}.stac.json").read_text())
    validate_item(item)
    said = item["properties"]
    assert (said["alos2:type"], said["alos2:dataset"]) == ("alos2_stack", "ALOS2-STACK")
    assert said["alos2:kind"] == "track"
    assert len(said["alos2:scenes"]) == 2
    assert said["start_datetime"] < said["datetime"] < said["end_datetime"]
    assert "avg" in said["alos2:metrics"]["HV"]
    for key in ("20200615-hh", "20200629-hv", "avg-hh", "quicklook-std-hv", "animation-gif"):
        assert item["assets"][key]["file:checksum"].startswith("1220")
    assert {item["assets"]["overview"]["type"], item["assets"]["thumbnail"]["type"]} == {
        "image/png"
    }
    for asset in item["assets"].values():
        assert (track / asset["href"]).stat().st_size == asset["file:size"]
    met = json.loads((track / f"{ids[0]}.met.json").read_text())
    assert (met["type"], met["trackNumber"], met["prod_name"]) == ("alos2_stack", 128, ids[0])
    dataset = json.loads((track / f"{ids[0]}.dataset.json").read_text())
    assert dataset["label"] == ids[0]
    # The dataset shares its large files with the work folder.
    work = done.report.work / done.plan.tracks[0].name / "Timescan/bs.HH.avg.tif"
    assert work.samefile(track / "Timescan/bs.HH.avg.tif")
    _knows(tmp_path, ids)


def _knows(archive: Path, ids: list[str]) -> None:
    with EmbeddedCatalogue.open_to_read(archive) as catalogue:
        found = {hit.id for hit in catalogue.search(Query())}
        report = catalogue.verify(checksums=True)
        items = [hit.item for hit in catalogue.search(Query())]
    assert found == set(ids)
    assert report.faults == []
    assert stacks(items) == [], "a finished stack is no scene to be stacked"


def test_the_same_stack_again_is_unchanged_and_others_are_not_replaced(
    done: Done, tmp_path: Path
) -> None:
    first = [one.line["id"] for one in keep_datasets(done.plan, done.report, tmp_path)]
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("ALOS2*/*.json")}
    again = list(keep_datasets(done.plan, done.report, tmp_path))
    assert [one.line["id"] for one in again] == first
    assert {one.line["status"] for one in again} == {"unchanged"}
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("ALOS2*/*.json")} == times
    (tmp_path / first[0] / f"{first[0]}.stac.json").write_text("{}")
    with pytest.raises(DatasetDiffers, match="another dataset of this id"):
        list(keep_datasets(done.plan, done.report, tmp_path))
    forced = list(keep_datasets(done.plan, done.report, tmp_path, force=True))
    assert {one.line["status"] for one in forced} == {"replaced"}
    validate_item(json.loads((tmp_path / first[0] / f"{first[0]}.stac.json").read_text()))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".ALOS2")]


def test_what_failed_is_said_and_changes_the_id(done: Done, tmp_path: Path) -> None:
    lost = f"{done.plan.tracks[0].name}/ARD/20200629"
    report = done.report
    before = dict(report.all_tasks)
    whole = next(keep_datasets(done.plan, report, tmp_path / "a", is_archive=False)).line["id"]
    report.all_tasks[lost] = replace(before[lost], state="failed")
    try:
        line = next(keep_datasets(done.plan, report, tmp_path / "b", is_archive=False)).line
    finally:
        report.all_tasks.update(before)
    assert line["without"] == [lost]
    assert line["id"] != whole
    assert "-20200615-20200615-" in line["id"]
    assert not (tmp_path / "b/.alos2-catalogue").exists()

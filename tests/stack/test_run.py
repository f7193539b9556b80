from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from alos2.errors import BadProduct, NoResource, SomeFailed, Terminated
from alos2.stack.running import run as stack_run
from alos2.stack.running.graph import Graph
from alos2.stack.running.receipt import NAME, Receipt, read_receipt
from alos2.stack.running.report import RunReport
from alos2.stack.running.room import Room
from alos2.stack.running.run import RunOptions, locked, look, run_stack
from stack.fakesteps import Scene, files, step_of, tasks

DATES = ("20200101", "20200115", "20200129")


def run(work: Path, *args: object, **more: object) -> RunReport:
    options = RunOptions(room=Room(2, 2000), **more.pop("options", {}))  # type: ignore[arg-type]
    return run_stack(Graph(tasks(*args, **more)), work, step_of, options)  # type: ignore[arg-type]


def test_all_is_made_once_and_then_kept(tmp_path: Path) -> None:
    first = run(tmp_path, DATES, tracks=("P1", "P2"))
    assert first.counts() == {"made": 10, "kept": 0, "failed": 0, "skipped": 0}
    before = files(tmp_path)
    inodes = {p: p.stat().st_ino for p in tmp_path.rglob("*.tif")}
    again = run(tmp_path, DATES, tracks=("P1", "P2"))
    assert again.counts() == {"made": 0, "kept": 10, "failed": 0, "skipped": 0}
    assert files(tmp_path) == before
    assert {p: p.stat().st_ino for p in tmp_path.rglob("*.tif")} == inodes
    assert not any(".stack" in name for name in before)


def test_the_same_bytes_with_one_core_and_many(tmp_path: Path) -> None:
    for cores in (1, 4):
        graph = Graph(tasks(DATES))
        run_stack(graph, tmp_path / str(cores), step_of, RunOptions(room=Room(cores, 9000)))
    assert files(tmp_path / "1") == files(tmp_path / "4")


def test_a_new_date_costs_its_own_scene_and_the_passes_over_all(tmp_path: Path) -> None:
    work, count = tmp_path / "work", tmp_path / "count"
    count.mkdir()
    run(work, DATES, count=count)
    for note in count.iterdir():
        note.unlink()
    report = run(work, (*DATES, "20200212"), count=count)
    assert set(report.made) == {"P1/ARD/20200212", "P1/Timeseries", "P1/Timescan"}
    # Of the series one file a date: only the new date's was written, the others were kept.
    assert sum(note.name.endswith("P1_Timeseries") for note in count.iterdir()) == 2
    run(tmp_path / "fresh", (*DATES, "20200212"), count=count)
    assert files(work) == files(tmp_path / "fresh")


def test_a_changed_parameter_redoes_what_depends_on_it(tmp_path: Path) -> None:
    run(tmp_path, DATES)
    assert run(tmp_path, DATES, metrics=("avg", "max")).made == ("P1/Timescan",)
    report = run(tmp_path, DATES, metrics=("avg", "max"), resolution=50)
    assert len(report.made) == 5
    assert report.settled["P1/ARD/20200101"].why == "other resolution"
    assert report.settled["P1/Timescan"].why == "made anew: P1/Timeseries"


def test_a_newer_version_of_a_step_redoes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, DATES)
    monkeypatch.setattr(Scene, "version", 2)
    report = run(tmp_path, DATES)
    assert len(report.made) == 5
    assert report.settled["P1/ARD/20200101"].why == "version 2 of the step"


def test_a_damaged_output_is_made_again(tmp_path: Path) -> None:
    run(tmp_path, DATES)
    whole = files(tmp_path)
    (tmp_path / "P1/ARD/20200115/sub/HV.tif").write_bytes(b"short")
    report = run(tmp_path, DATES)
    assert report.made == ("P1/ARD/20200115",)
    assert "5 bytes instead of" in report.settled["P1/ARD/20200115"].why
    target = tmp_path / "P1/Timescan/avg.tif"
    target.write_bytes(bytes(len(target.read_bytes())))
    assert run(tmp_path, DATES).made == ()
    assert run(tmp_path, DATES, options={"verify": True}).made == ("P1/Timescan",)
    assert files(tmp_path) == whole


def test_a_failed_scene_does_not_stop_the_others(tmp_path: Path) -> None:
    report = run(tmp_path, DATES, broken=(DATES[1],), tracks=("P1", "P2"))
    assert report.counts() == {"made": 8, "kept": 0, "failed": 2, "skipped": 0}
    assert report.settled["P1/Timeseries"].without == (f"P1/ARD/{DATES[1]}",)
    with pytest.raises(SomeFailed, match=r"2 of 10 tasks .* P1/ARD/20200115: 20200115 is damaged"):
        report.raise_failures()
    text = "\n".join(report.table())
    assert "failed:  P1/ARD/20200115, P2/ARD/20200115: 20200115 is damaged" in text
    assert "P1/Timeseries is without P1/ARD/20200115" in text
    told = json.loads((tmp_path / "report.json").read_text())
    assert not told["whole"]
    run(tmp_path / "other", (DATES[0], DATES[2]), tracks=("P1", "P2"))
    without = {n: b for n, b in files(tmp_path / "other").items() if n != "report.json"}
    assert {n: b for n, b in files(tmp_path).items() if n in without} == without
    # The next run tries it again, and what went on without it is made anew.
    again = run(tmp_path, DATES, tracks=("P1", "P2"))
    assert len(again.made) == 6
    assert json.loads((tmp_path / "report.json").read_text())["whole"]


def test_what_lacks_all_it_needs_is_skipped(tmp_path: Path) -> None:
    report = run(tmp_path, DATES, broken=DATES)
    assert report.counts() == {"made": 0, "kept": 0, "failed": 3, "skipped": 2}
    with pytest.raises(BadProduct, match="20200101 is damaged"):
        report.raise_failures()
    assert not (tmp_path / "P1/Timescan").exists()


def test_steps_alone_make_what_they_need_and_no_more(tmp_path: Path) -> None:
    only = run(tmp_path, DATES, options={"steps": ("ard",), "dates": (DATES[2],)})
    assert only.made == (f"P1/ARD/{DATES[2]}",)
    told = json.loads((tmp_path / "report.json").read_text())
    states = {task["id"]: task["state"] for task in told["tasks"]}
    assert states["P1/ARD/20200129"] == "done"
    assert states["P1/Timescan"] == "missing"
    series = run(tmp_path, DATES, options={"steps": ("series",)})
    assert set(series.made) == {f"P1/ARD/{DATES[0]}", f"P1/ARD/{DATES[1]}", "P1/Timeseries"}


def test_a_look_changes_nothing_and_says_what_would_be_made(tmp_path: Path) -> None:
    run(tmp_path, DATES)
    before = files(tmp_path)
    found = look(Graph(tasks((*DATES, "20200212"))), tmp_path, step_of)
    missing = {name: one.why for name, one in found.items() if one.state == "missing"}
    assert missing == {
        "P1/ARD/20200212": "not there yet",
        "P1/Timeseries": "new P1/ARD/20200212",
        "P1/Timescan": "made anew: P1/Timeseries",
    }
    assert files(tmp_path) == before


def test_a_second_run_is_refused_or_waits(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(NoResource, match="is being made by another run"):
        run(tmp_path, DATES)
    held, done = threading.Event(), []

    def hold() -> None:
        with locked(tmp_path):
            held.set()
            done.append("first")
            threading.Event().wait(0.2)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    report = run(tmp_path, DATES, options={"patience_s": 10.0})
    thread.join()
    assert report.counts()["made"] == 5


def test_what_somebody_else_put_there_is_not_touched(tmp_path: Path) -> None:
    mine = tmp_path / "P1/ARD/20200101/thesis.doc"
    mine.parent.mkdir(parents=True)
    mine.write_text("years of work")
    report = run(tmp_path, DATES)
    assert mine.read_text() == "years of work"
    error = report.settled["P1/ARD/20200101"].error
    assert error is not None
    assert error["class"] == "DatasetDiffers"
    assert report.counts()["made"] == 4


def test_a_receipt_tells_what_was_made_and_from_what(tmp_path: Path) -> None:
    run(tmp_path, DATES)
    receipt = read_receipt(tmp_path / "P1/ARD/20200101")
    assert receipt is not None
    assert set(receipt.files) == {"HH.tif", "sub/HV.tif"}
    assert receipt.notes == ("scene of 20200101",)
    (tmp_path / "P1/ARD/20200101" / NAME).write_text("{")
    assert read_receipt(tmp_path / "P1/ARD/20200101") is None


def test_events_and_progress_are_told(tmp_path: Path) -> None:
    told: list[dict[str, object]] = []
    steps: dict[str, tuple[int, int]] = {}

    def progress(stage: str, done: int, total: int | None) -> None:
        assert done >= steps.get(stage, (0, 0))[0]
        steps[stage] = (done, total or 0)

    run_stack(
        Graph(tasks(DATES, broken=(DATES[0],))),
        tmp_path,
        step_of,
        RunOptions(room=Room(2, 2000)),
        tell=told.append,
        progress=progress,
    )
    assert len(told) == 5
    assert {one["kind"] for one in told} == {"task"}
    assert [one["state"] for one in told].count("failed") == 1
    assert steps["ard"] == (300, 300)
    assert json.dumps(told)


def test_what_is_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    def stop(event: dict[str, object]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stack(
            Graph(tasks(DATES, sleep=0.05)),
            tmp_path,
            step_of,
            RunOptions(room=Room(2, 2000)),
            tell=stop,
        )
    assert list((tmp_path / ".stack").rglob("*.tif")) == []
    report = run(tmp_path, DATES)
    assert report.counts()["kept"] >= 1
    run(tmp_path / "fresh", DATES)
    fresh = files(tmp_path / "fresh")
    assert {name: files(tmp_path)[name] for name in fresh} == fresh


def test_a_stop_while_a_folder_gets_its_place_is_no_fault_of_the_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(out: Path, place: Path) -> Receipt:
        raise Terminated("stopped by SIGTERM")

    monkeypatch.setattr(stack_run, "put_in_place", stopped)
    with pytest.raises(Terminated):
        run(tmp_path, DATES)
    assert not (tmp_path / "report.json").exists()
    monkeypatch.undo()
    assert run(tmp_path, DATES).counts()["failed"] == 0

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alos2.cluster.site import Site
from alos2.errors import NoResource
from alos2.stack.running.graph import Graph
from alos2.stack.running.report import RunReport
from alos2.stack.running.room import Room
from alos2.stack.running.run import RunOptions, run_stack
from stack.fakesteps import files, step_of, tasks

pytest.importorskip("psij", reason="psij-python is not installed")

from alos2.stack.running.jobs import Batch
from alos2.stack.running.spread import SpreadDoer

TESTS = Path(__file__).parents[1]
DATES = ("20200101", "20200115", "20200129")


def _site(work: Path, **more: object) -> Site:
    return Site(
        scheduler="local",
        jobs_in_flight=4,
        environment={"PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent / 'pge'}"},
        **more,  # type: ignore[arg-type]
    )


def _options(site: Site) -> RunOptions:
    return RunOptions(
        room=Room(2, 2000),
        doer=lambda hidden, _: SpreadDoer(
            hidden, Batch(site), "stack.fakesteps", poll_s=0.05, lines_per_job=512
        ),
    )


def spread(work: Path, *args: object, site: Site | None = None, **more: object) -> RunReport:
    graph = Graph(tasks(*args, **more))  # type: ignore[arg-type]
    return run_stack(graph, work, step_of, _options(site or _site(work)))


def test_jobs_of_a_cluster_leave_the_same_bytes(tmp_path: Path) -> None:
    count = tmp_path / "count"
    count.mkdir()
    report = spread(tmp_path / "spread", DATES, count=count)
    assert report.counts() == {"made": 5, "kept": 0, "failed": 0, "skipped": 0}
    graph = Graph(tasks(DATES, count=count))
    run_stack(graph, tmp_path / "here", step_of, RunOptions(room=Room(2, 2000)))
    assert files(tmp_path / "spread") == files(tmp_path / "here")
    # Three scenes, three blocks of the series; nothing is left of their jobs.
    assert sum("ARD" in note.name for note in count.iterdir()) == 6
    assert list((tmp_path / "spread/.stack/jobs").iterdir()) == []


def test_a_job_that_fails_tells_why_and_is_tried_again_by_the_next_run(tmp_path: Path) -> None:
    report = spread(tmp_path, DATES[:2], broken=(DATES[0],))
    error = report.settled[f"P1/ARD/{DATES[0]}"].error
    assert error is not None
    assert error["class"] == "BadProduct"
    assert report.settled["P1/Timeseries"].state == "made"
    assert len(spread(tmp_path, DATES[:2]).made) == 3


def test_a_job_that_dies_is_submitted_once_more_then_reported(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\necho x >> "$(dirname "$0")/tries"\nkill -9 $$\n')
    python.chmod(0o755)
    site = _site(tmp_path, python=str(python))
    report = spread(tmp_path / "work", DATES[:1], site=site)
    error = report.settled[f"P1/ARD/{DATES[0]}"].error
    assert error is not None
    assert error["class"] == "NoResource"
    assert "ended from outside: signal 9" in error["message"]
    assert (tmp_path / "tries").read_text().count("x") == 2
    with pytest.raises(NoResource):
        report.raise_failures()


_SUBMITTER = """
import sys
from pathlib import Path
sys.path[:0] = [{tests!r}]
from stack.test_spread import DATES, spread
spread(Path({work!r}), DATES, count=Path({count!r}), sleep=0.4)
"""


@pytest.mark.parametrize("ended", [False, True])
def test_jobs_outlive_who_submitted_them_and_are_found_again(
    tmp_path: Path, *, ended: bool
) -> None:
    work, count = tmp_path / "work", tmp_path / "count"
    count.mkdir()
    code = _SUBMITTER.format(tests=str(TESTS), work=str(work), count=str(count))
    submitter = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    jobs = work / ".stack/jobs"
    until = time.monotonic() + 20
    while len(list(jobs.glob("*/submitted.json"))) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(submitter.pid, signal.SIGKILL)
    submitter.wait()
    ids = {json.loads(path.read_text())["native_id"] for path in jobs.glob("*/submitted.json")}
    assert len(ids) == 3
    # All of them may have ended before anybody asks again.
    while ended and len(list(jobs.glob("*/outcome.json"))) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    report = spread(work, DATES, count=count, sleep=0.4)
    assert report.counts() == {"made": 5, "kept": 0, "failed": 0, "skipped": 0}
    # Each scene was made by one job, whoever waited for it.
    assert sum("ARD" in note.name for note in count.iterdir()) == 3


def test_jobs_of_parameters_that_are_no_longer_wanted_are_cleared_away(tmp_path: Path) -> None:
    old = tmp_path / ".stack/jobs/ard-0123"
    old.mkdir(parents=True)
    (old / "task.json").write_text("{}")
    spread(tmp_path, DATES[:1])
    assert not old.exists()

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alos2.cluster.model import JobStatus
from alos2.cluster.site import Site
from alos2.errors import NoResource
from alos2.stack.running.graph import Graph
from alos2.stack.running.keys import key_of, made_from
from alos2.stack.running.making import Order
from alos2.stack.running.run import RunOptions, run_stack
from alos2.stack.running.worker import main as worker
from alos2.stack.running.worker import order_json, read_outcome
from stack.fakesteps import step_of, tasks

pytest.importorskip("psij", reason="psij-python is not installed")

from alos2.stack.running.jobs import Batch
from alos2.stack.running.spread import SpreadDoer

DATES = ("20200101", "20200115", "20200129")


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (JobStatus("gone"), "nobody knows of it"),
        (JobStatus("killed", None, "walltime"), "by its walltime"),
        (JobStatus("killed", None, "never started: no such account"), "no such account"),
        (JobStatus("failed", 3), "exit code 3 without telling"),
    ],
)
def test_how_a_job_ended_is_said(status: JobStatus, word: str) -> None:
    assert word in Batch.ending(status)


def test_a_scheduler_that_takes_nothing_is_told_of(tmp_path: Path) -> None:
    class Refusing(Batch):
        def submit(self, folder: Path, task_file: Path) -> tuple[str, str]:
            raise NoResource("no such queue", hint="mend queue in the site file")

    options = RunOptions(
        doer=lambda hidden, _: SpreadDoer(hidden, Refusing(Site(scheduler="local")), poll_s=0.05)
    )
    report = run_stack(Graph(tasks(DATES)), tmp_path, step_of, options)
    assert report.counts()["failed"] == 3
    with pytest.raises(NoResource, match="no such queue"):
        report.raise_failures()


def test_a_worker_does_what_is_done_no_second_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = tmp_path / "count"
    count.mkdir()
    (task, *_) = tasks(DATES[:1], count=count)
    content = made_from("ard", 1, task.parameters, dict(task.inputs), {})
    said = order_json(
        Order(task, key_of(content), content, {}), "stack.fakesteps", threads=1, memory_mb=100
    )
    job = tmp_path / "job"
    job.mkdir()
    (job / "task.json").write_text(json.dumps(said))
    assert worker([str(job / "task.json")]) == 0
    assert worker([str(job / "task.json")]) == 0
    assert len(list(count.iterdir())) == 1
    assert read_outcome(job) == {"error": None}
    assert worker([]) == 2
    (tmp_path / "other").mkdir()
    (tmp_path / "other/task.json").write_text(json.dumps({**said, "steps": "no.such.module"}))
    assert worker([str(tmp_path / "other/task.json")]) == 1
    outcome = read_outcome(tmp_path / "other")
    assert outcome is not None
    assert outcome["error"]["class"] == "BadDocument"

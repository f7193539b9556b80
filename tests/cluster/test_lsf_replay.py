"""LSF, by programs that answer as its documentation says; no real LSF has run this."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alos2.cluster.model import BatchJob, JobStatus, Scheduler
from alos2.cluster.registry import scheduler_for
from alos2.cluster.site import Site
from alos2.errors import NoResource
from fakes.lsf_replay import replay_lsf

Make = Callable[..., Scheduler]


@pytest.fixture
def lsf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    def make(site: Site | None = None, **plan: object) -> Scheduler:
        where = replay_lsf.install(tmp_path / "bin", {"next": 771, "jobs": {}, **plan})
        monkeypatch.setenv("PATH", f"{where}{os.pathsep}{os.environ['PATH']}")
        return scheduler_for(site or Site(scheduler="lsf"))

    return make


def _calls(tmp_path: Path, command: str) -> list[list[str]]:
    return [call[1:] for call in replay_lsf.calls(tmp_path / "bin") if call[0] == command]


def test_a_script_goes_by_standard_input_so_that_its_directives_count(lsf, tmp_path) -> None:
    site = Site(
        scheduler="lsf", queue="long", project="eos", walltime_s=5400, cpus=2, memory_mb=4096,
        directives=('-R "select[ib]"',),
    )  # fmt: skip
    scheduler = lsf(site, run=True, queues=["long"])
    folder = tmp_path / "a chunk, with commas"
    job = BatchJob(
        "0710_180905", ("/bin/sh", "-c", 'printf %s "$1"; exit 3', "x", "a, b\nc"), folder
    )
    assert scheduler.submit(job) == "771"
    assert _calls(tmp_path, "bsub") == [[]]
    assert (folder / "stdout").read_text() == "a, b\nc"
    assert scheduler.status([("771", folder)]) == {"771": JobStatus("failed", 3)}
    text = next(folder.glob("*.job")).read_text()
    assert [line for line in text.splitlines() if line.startswith("#BSUB")] == [
        "#BSUB -J a0710_180905",
        "#BSUB -o /dev/null",
        "#BSUB -n 2",
        '#BSUB -R "span[hosts=1]"',
        "#BSUB -rn",
        "#BSUB -q long",
        "#BSUB -P eos",
        "#BSUB -W 1:30",
        "#BSUB -M 4096MB",
        '#BSUB -R "select[ib]"',
    ]


def test_an_unknown_queue_is_refused_in_the_words_of_lsf(lsf, tmp_path: Path) -> None:
    scheduler = lsf(Site(scheduler="lsf", queue="nope"), queues=["long"])
    with pytest.raises(NoResource, match=r"nope: No such queue\. Job not submitted") as caught:
        scheduler.submit(BatchJob("x", ("true",), tmp_path / "job"))
    assert "queue" in caught.value.hint


def test_states_and_reasons(lsf, tmp_path: Path) -> None:
    jobs = {
        "1": {"STAT": "PEND", "PEND_REASON": "Job slot limit reached;"},
        "2": {"STAT": "RUN"},
        "3": {"STAT": "DONE"},
        "4": {"STAT": "EXIT", "EXIT_CODE": "7"},
        "5": {
            "STAT": "EXIT",
            "EXIT_CODE": "140",
            "EXIT_REASON": "TERM_RUNLIMIT: job killed after reaching LSF run time limit",
        },
        "6": {"STAT": "EXIT", "EXIT_CODE": "130", "EXIT_REASON": "TERM_OWNER: job killed by owner"},
        "7": {"STAT": "EXIT", "EXIT_CODE": "137"},
        "8": {"STAT": "EXIT"},
        "9": {"STAT": "EXIT", "EXIT_REASON": "TERM_CWD_NOTEXIST: no such folder"},
        "10": {"STAT": "SSUSP"},
        "11": {
            "STAT": "EXIT",
            "EXIT_CODE": "1",
            "EXIT_REASON": "TERM_MEMLIMIT: job killed after reaching LSF memory usage limit",
        },
    }
    scheduler = lsf(jobs=jobs)
    ids = [*jobs, "99"]
    for each in ids:
        (tmp_path / f"job-{each}.started").write_text(f"node\n2026-11-21T00:00:00Z\n{each}\n")
    found = scheduler.status([(each, tmp_path) for each in ids])
    assert found == {
        "1": JobStatus("waiting", None, "Job slot limit reached;"),
        "2": JobStatus("running"),
        "3": JobStatus("done", 0),
        "4": JobStatus("failed", 7),
        "5": JobStatus("killed", 140, "walltime"),
        "6": JobStatus("killed", 130, "cancelled"),
        "7": JobStatus("killed", 137, "signal 9"),
        "8": JobStatus("killed", None, "cancelled"),
        "9": JobStatus("killed", None, "never started: TERM_CWD_NOTEXIST: no such folder"),
        "10": JobStatus("running"),
        "11": JobStatus("killed", 1, "out of memory"),
        "99": found["99"],
    }
    assert found["99"].state == "gone"
    assert len(_calls(tmp_path, "bjobs")) == 1


def test_a_job_that_nobody_knows_may_be_told_in_plain_words(lsf, tmp_path: Path) -> None:
    assert lsf(plain=True).status([("99", tmp_path)])["99"].state == "gone"


def test_a_cluster_that_is_down_loses_no_job(lsf, tmp_path: Path) -> None:
    with pytest.raises(NoResource, match="LSF is down"):
        lsf(down=True).status([("1", tmp_path)])


def test_the_words_of_lsf_improve_on_a_signal(lsf, tmp_path: Path) -> None:
    (tmp_path / "job-5.exit").write_text("143 61 0\n")
    jobs = {"5": {"STAT": "EXIT", "EXIT_CODE": "143", "EXIT_REASON": "TERM_RUNLIMIT: limit"}}
    assert lsf(jobs=jobs).status([("5", tmp_path)])["5"] == JobStatus("killed", 143, "walltime")


def test_cancelling(lsf, tmp_path: Path) -> None:
    jobs = {"1": {"STAT": "RUN"}, "2": {"STAT": "DONE"}, "3": {"STAT": "RUN", "OWNER": "another"}}
    scheduler = lsf(jobs=jobs)
    scheduler.cancel("1")
    scheduler.cancel("2")
    scheduler.cancel("99")
    with pytest.raises(NoResource, match="User permission denied"):
        scheduler.cancel("3")

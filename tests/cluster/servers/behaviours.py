"""What every real scheduler must do for us: tests that its test module inherits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from alos2.cluster.model import BatchJob, JobStatus, Scheduler
from alos2.cluster.registry import scheduler_for
from alos2.cluster.site import Site
from alos2.cluster.witness import started_jobs
from alos2.errors import NoResource

SECONDS = 40.0
"""Longer than any of these jobs takes, on a busy machine too."""

_MANY = 6


def until(
    scheduler: Scheduler,
    jobs: Mapping[str, Path],
    reached: Callable[[JobStatus], bool] = lambda status: status.ended,
    *,
    seconds: float = SECONDS,
) -> dict[str, JobStatus]:
    """Ask for jobs until all have come to something."""
    end = time.monotonic() + seconds
    while True:
        statuses = scheduler.status(list(jobs.items()))
        assert statuses.keys() == jobs.keys()
        if all(reached(status) for status in statuses.values()):
            return statuses
        assert time.monotonic() < end, f"still {statuses}"
        time.sleep(0.2)


def until_there(path: Path) -> Path:
    """Wait for a file with something in it."""
    end = time.monotonic() + SECONDS
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < end, f"{path} does not come"
        time.sleep(0.05)
    return path


def running(status: JobStatus) -> bool:
    """Whether a job runs; one that has ended will not."""
    assert not status.ended, status
    return status.state == "running"


def counted(monkeypatch: pytest.MonkeyPatch, folder: Path, *names: str) -> Path:
    """Put scripts before the scheduler's commands that note each call in a file."""
    folder.mkdir()
    log = folder / "calls"
    log.touch()
    path = os.environ["PATH"]
    for name in names:
        script = folder / name
        script.write_text(f'#!/bin/sh\necho {name} >> {log}\nPATH={path} exec {name} "$@"\n')
        script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{path}")
    return log


_SUBMITTER = """
import os, signal, sys
from pathlib import Path
from alos2.cluster.model import BatchJob
from alos2.cluster.registry import scheduler_for
from alos2.cluster.site import Site
scheduler = scheduler_for(Site(scheduler=sys.argv[1]))
print(scheduler.submit(BatchJob("orphan", tuple(sys.argv[3:]), Path(sys.argv[2]))), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""

_ASKER = """
import sys
from pathlib import Path
from alos2.cluster.registry import scheduler_for
from alos2.cluster.site import Site
found = scheduler_for(Site(scheduler=sys.argv[1])).status([(sys.argv[3], Path(sys.argv[2]))])
print(*(status.state for status in found.values()))
"""


class RealScheduler:
    """Jobs of a real scheduler: they run, end in every way, and are found again."""

    site: Site
    held: str
    """The directive that holds a job back."""
    status_commands: tuple[str, ...]

    @pytest.fixture
    def scheduler(self) -> Scheduler:
        return scheduler_for(self.site)

    def with_directives(self, *lines: str) -> Scheduler:
        return scheduler_for(replace(self.site, directives=lines))

    def test_names_and_paths_of_any_kind_arrive_whole(
        self, scheduler: Scheduler, tmp_path: Path
    ) -> None:
        folder = tmp_path / 'P071, it\'s: "F%j 0710" $HOME\né'
        show = "import os, sys; print(sys.argv[1:], os.environ['VALUE'], os.getcwd())"
        words = ("a b", "c,d", "it's", 'say "no"', "$HOME", "`id`", "*", "%j", "", "é\nf")
        job = BatchJob(
            '0710, 180905 it\'s "é"',
            (sys.executable, "-c", f"{show}; print('trouble', file=sys.stderr)", *words),
            folder,
            environment={"VALUE": "a, b\n$c", "PYTHONUTF8": "1"},
        )
        native_id = scheduler.submit(job)
        assert until(scheduler, {native_id: folder})[native_id] == JobStatus("done", 0)
        expected = f"{list(words)} a, b\n$c {folder}\n"
        assert (folder / "stdout").read_text("utf-8") == expected
        assert (folder / "stderr").read_text() == "trouble\n"
        assert started_jobs(folder) == (native_id,)

    def test_how_commands_ended_is_told(self, scheduler: Scheduler, tmp_path: Path) -> None:
        expected = {
            ("true",): JobStatus("done", 0),
            ("sh", "-c", "exit 7"): JobStatus("failed", 7),
            # Grid Engine would run a job again for the one, and keep it for ever for the other.
            ("sh", "-c", "exit 99"): JobStatus("failed", 99),
            ("sh", "-c", "exit 100"): JobStatus("failed", 100),
            ("/no/such/program",): JobStatus("failed", 127),
            ("sh", "-c", "kill -9 $$"): JobStatus("killed", 137, "signal 9"),
        }
        jobs = {}
        for number, argv in enumerate(expected):
            folder = tmp_path / str(number)
            jobs[scheduler.submit(BatchJob(f"{number}th", argv, folder))] = folder
        statuses = until(scheduler, jobs)
        assert [statuses[each] for each in jobs] == list(expected.values())
        # A finished job that is still listed, or not any more, is no error to cancel.
        scheduler.cancel(next(iter(jobs)))

    def test_many_jobs_are_asked_for_in_one_call(
        self, scheduler: Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held = self.with_directives(self.held)
        jobs = {
            held.submit(BatchJob("one of many", ("true",), tmp_path / f"{n}")): tmp_path / f"{n}"
            for n in range(_MANY)
        }
        assert len(jobs) == _MANY
        calls = counted(monkeypatch, tmp_path / "counted", *self.status_commands)
        statuses = scheduler.status(list(jobs.items()))
        assert statuses.keys() == jobs.keys()
        assert {status.state for status in statuses.values()} == {"waiting"}
        assert len(calls.read_text().split()) == 1
        for native_id, folder in jobs.items():
            scheduler.cancel(native_id, folder)
        ended = until(scheduler, jobs)
        assert {status.state for status in ended.values()} <= {"killed", "gone"}
        assert not any((folder / "stdout").exists() for folder in jobs.values())

    def test_a_cancelled_job_is_killed_and_says_so(
        self, scheduler: Scheduler, tmp_path: Path
    ) -> None:
        tidy = "trap 'echo tidy; exit 143' TERM; echo ready; while :; do sleep 0.1; done"
        native_id = scheduler.submit(BatchJob("long", ("bash", "-c", tidy), tmp_path))
        until_there(tmp_path / "stdout")
        until(scheduler, {native_id: tmp_path}, running)
        scheduler.cancel(native_id, tmp_path)
        status = until(scheduler, {native_id: tmp_path})[native_id]
        assert (status.state, status.reason) == ("killed", "cancelled")
        scheduler.cancel(native_id, tmp_path)

    def test_a_job_killed_from_outside_is_noticed(
        self, scheduler: Scheduler, tmp_path: Path
    ) -> None:
        command = ("sh", "-c", "echo $PPID $$; exec sleep 300")
        native_id = scheduler.submit(BatchJob("victim", command, tmp_path))
        pids = until_there(tmp_path / "stdout").read_text().split()
        for pid in pids:
            os.kill(int(pid), signal.SIGKILL)
        status = until(scheduler, {native_id: tmp_path})[native_id]
        assert status.state == "killed"
        assert "signal 9" in status.reason or status.reason == "JobLaunchFailure"
        assert status.exit_code in (None, 137)

    def test_a_job_that_cannot_start_is_told_from_one_that_waits(
        self, scheduler: Scheduler, tmp_path: Path
    ) -> None:
        held = self.with_directives(self.held)
        lost = tmp_path / "lost"
        waits, starts = (held.submit(BatchJob("h", ("true",), tmp_path / n)) for n in "ab")
        never = held.submit(BatchJob("never", ("true",), lost))
        lost.rename(tmp_path / "moved")
        self.release(starts)
        self.release(never)
        assert until(scheduler, {starts: tmp_path / "b"})[starts].state == "done"
        status = until(scheduler, {never: lost})[never]
        assert status.state == "killed"
        assert status.reason.startswith("never started: ")
        assert scheduler.status([(waits, tmp_path / "a")])[waits].state == "waiting"
        scheduler.cancel(waits, tmp_path / "a")
        scheduler.cancel(never, lost)

    def release(self, native_id: str) -> None:
        raise NotImplementedError

    def test_jobs_outlive_a_submitter_that_was_killed(
        self, scheduler: Scheduler, tmp_path: Path
    ) -> None:
        folder = tmp_path / "job"
        command = ("sh", "-c", "echo begun; while [ ! -e go ]; do sleep 0.1; done; exit 3")
        dead = subprocess.run(
            [sys.executable, "-c", _SUBMITTER, scheduler.name, str(folder), *command],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert dead.returncode == -signal.SIGKILL, dead.stderr
        native_id = dead.stdout.strip()
        until_there(folder / "stdout")
        assert started_jobs(folder) == (native_id,)
        fresh = subprocess.run(
            [sys.executable, "-c", _ASKER, scheduler.name, str(folder), native_id],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
        assert fresh.stdout.split() == ["running"]
        (folder / "go").touch()
        assert until(scheduler, {native_id: folder})[native_id] == JobStatus("failed", 3)

    def test_a_queue_that_is_not_there_is_refused_in_its_words(self, tmp_path: Path) -> None:
        wrong = scheduler_for(replace(self.site, queue="nope"))
        with pytest.raises(NoResource, match=r"nope|[Ii]nvalid partition") as caught:
            wrong.submit(BatchJob("job", ("true",), tmp_path))
        assert caught.value.exit_code == 9
        assert "queue" in (caught.value.hint or "")

    def test_a_job_nobody_knows_is_gone(self, scheduler: Scheduler, tmp_path: Path) -> None:
        (tmp_path / "job-990001.started").write_text("node17\n2026-01-01T00:00:00Z\n990001\n")
        statuses = scheduler.status([("990001", tmp_path), ("990002", tmp_path / "nowhere")])
        assert [status.state for status in statuses.values()] == ["gone", "gone"]
        assert "node17" in statuses["990001"].reason
        assert "never started" in statuses["990002"].reason

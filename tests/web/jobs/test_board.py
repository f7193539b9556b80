"""The board: jobs run one after the other, tell what they do, end when told, outlive the server."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.errors import NoResource, NothingFound, UsageError
from alos2.web.jobs import board as boards
from alos2.web.jobs import processes, worker
from alos2.web.jobs.asked import Asked
from alos2.web.jobs.board import JobBoard
from alos2.web.jobs.table import Job, JobTable
from alos2.web.options import ServeOptions
from fakes.served import SLC, golden, lay

OPTIONS = ServeOptions(allow_ingest=True)
STAND_IN = """
import json, os, signal, sys, time
if "ALOS2_SERVE_TOKEN" in os.environ: sys.exit(99)
mode = sys.argv[-1].rsplit("/", 1)[-1]
def say(**told): print(json.dumps(told), file=sys.stderr, flush=True)
say(time="2026-01-02T03:04:05Z", level="INFO", message="begun")
say(progress={"stage": "download", "done": 3, "total": 10})
if mode == "bad":
    print("alos2: BadProduct: it is damaged (order it again)", file=sys.stderr); sys.exit(3)
if mode == "silent": sys.exit(7)
if mode == "long-line": print("x" * 3_000_000, file=sys.stderr, flush=True)
if mode == "stubborn": signal.signal(signal.SIGTERM, signal.SIG_IGN)
if mode in ("slow", "stubborn"):
    say(message="waiting"); time.sleep(60)
print(json.dumps({"id": "ALOS2-made"}), flush=True)
"""


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Run a small program instead of a whole ingest."""
    program = tmp_path / "stand_in.py"
    program.write_text(STAND_IN, "utf-8")
    monkeypatch.setattr(
        worker, "command", lambda job, *_: [sys.executable, "-S", str(program), "--", job.source]
    )
    monkeypatch.setenv("ALOS2_SERVE_TOKEN", "a token of the server")


def run(archive: Path, doing: Callable[[JobBoard], Coroutine[Any, Any, None]]) -> JobBoard:
    """Let a board live for as long as `doing` takes."""
    archive.mkdir(exist_ok=True)

    async def living() -> JobBoard:
        board = JobBoard(archive, OPTIONS)
        await board.start()
        try:
            await asyncio.wait_for(doing(board), 30)
        finally:
            await board.close()
        return board

    return asyncio.run(living())


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await asyncio.sleep(0.02)


def url(word: str) -> Asked:
    return Asked("url", f"https://example.org/{word}")


def test_jobs_run_one_after_the_other_and_tell(tmp_path: Path) -> None:
    async def doing(board: JobBoard) -> None:
        jobs = [board.add(url(word)) for word in ("good", "bad", "silent", "long-line")]
        assert [job.state for job in jobs] == ["running", "waiting", "waiting", "waiting"]
        await until(lambda: all(job.is_over for job in jobs))
        good, bad, silent, long_line = (job.to_json() for job in jobs)
        assert (good["state"], good["datasets"], good["error"]) == ("done", ["ALOS2-made"], None)
        assert jobs[0].log == ["03:04:05 INFO begun"]
        assert bad["state"] == "failed"
        assert bad["error"] == {
            "class": "BadProduct",
            "message": "it is damaged (order it again)",
            "exit_code": 3,
        }
        assert silent["error"]["exit_code"] == 7
        assert long_line["state"] == "done"
        assert board.jobs[0] is jobs[-1]

    run(tmp_path / "archive", doing)


@pytest.mark.parametrize("word", ["slow", "stubborn"])
def test_running_one_is_cancelled_and_its_group_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setattr(worker, "GRACE_S", 0.5)

    async def doing(board: JobBoard) -> None:
        job, next_ = board.add(url(word)), board.add(url("good"))
        await until(lambda: len(job.log) == 2)
        assert job.progress is not None
        assert job.progress["stage"] == "download"
        mark = job.process
        assert processes.is_alive(mark)
        board.cancel(job.id)
        await until(lambda: job.is_over and next_.is_over)
        assert (job.state, next_.state) == ("cancelled", "done")
        assert not processes.is_alive(mark)
        with pytest.raises(UsageError, match="neither"):
            board.retry(next_.id)
        board.cancel(job.id)
        with pytest.raises(NothingFound):
            board.get(job.id)

    run(tmp_path / "archive", doing)


def test_waiting_one_is_cancelled_and_tried_again(tmp_path: Path) -> None:
    async def doing(board: JobBoard) -> None:
        first, second = board.add(url("slow")), board.add(url("good"))
        board.cancel(second.id)
        assert second.state == "cancelled"
        board.cancel(first.id)
        board.retry(second.id)
        await until(lambda: second.is_over)
        assert second.state == "done"

    run(tmp_path / "archive", doing)


def test_jobs_outlive_the_server(tmp_path: Path) -> None:
    archive = tmp_path / "archive"

    async def first(board: JobBoard) -> None:
        board.add(url("bad"))
        job = board.add(url("slow"))
        board.add(url("good"))
        await until(lambda: len(job.log) == 2)

    stopped = run(archive, first)
    assert [job.state for job in stopped.jobs] == ["waiting", "waiting", "failed"]

    async def second(board: JobBoard) -> None:
        good, slow, bad = board.jobs
        assert (slow.state, slow.attempts, good.state) == ("running", 1, "waiting")
        assert bad.error is not None
        assert bad.error["class"] == "BadProduct"
        board.cancel(slow.id)
        await until(lambda: good.is_over)

    run(archive, second)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="tells processes by /proc")
@pytest.mark.parametrize("attempts", [1, 3])
def test_what_a_killed_server_left_running_is_ended(tmp_path: Path, attempts: int) -> None:
    archive = tmp_path / "archive"
    with subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"],
                          start_new_session=True) as orphan:  # fmt: skip
        table = JobTable(archive / boards.FOLDER)
        job = Job(url("good"), state="running", attempts=attempts)
        job.process = processes.mark_of(orphan.pid)
        assert processes.is_alive(job.process)
        table.put(job)
        table.close()

        async def doing(board: JobBoard) -> None:
            (left,) = board.jobs
            await until(lambda: left.is_over)
            assert left.state == ("done" if attempts == 1 else "failed")

        run(archive, doing)
        assert orphan.wait(5) < 0
    # A number that another process has now is left alone.
    mark = {"pid": os.getpid(), "began": "1"}
    assert not processes.is_alive(mark)


def test_what_was_made_is_in_the_catalogue(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    EmbeddedCatalogue.open(archive).close()
    item = golden(SLC)

    async def doing(board: JobBoard) -> None:
        job = board.add(url("slow"))
        await until(lambda: len(job.log) == 2)
        lay(archive, item)
        job.datasets.append(item["id"])
        board.cancel(job.id)
        await until(lambda: job.is_over)

    run(archive, doing)
    boards._catalogued(archive, [item["id"], "ALOS2-that-is-not-there"])
    with EmbeddedCatalogue.open_to_read(archive) as catalogue:
        assert list(catalogue.ids()) == [item["id"]]


def test_followers_hear_of_changes_and_of_the_end(tmp_path: Path) -> None:
    async def doing(board: JobBoard) -> None:
        heard: list[bool] = []

        async def follow() -> None:
            async for is_news in board.changes(0.01, 0.1):
                heard.append(is_news)

        task = asyncio.create_task(follow())
        await asyncio.sleep(0.25)
        assert heard
        assert not any(heard)
        job = board.add(url("good"))
        await until(lambda: job.is_over)
        await asyncio.sleep(0.05)
        assert any(heard)
        before = time.monotonic()
        board.hush()
        await asyncio.wait_for(task, 5)
        assert time.monotonic() - before < 1

    run(tmp_path / "archive", doing)


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "MOST_WAITING", 2)
    monkeypatch.setattr(boards, "MOST_KEPT", 2)

    async def doing(board: JobBoard) -> None:
        jobs = [board.add(url(word)) for word in ("slow", "good", "good")]
        with pytest.raises(NoResource, match="waiting"):
            board.add(url("good"))
        board.cancel(jobs[0].id)
        await until(lambda: all(job.is_over for job in jobs))
        # The oldest is forgotten.
        assert board.jobs == jobs[:0:-1]

    run(tmp_path / "archive", doing)


def test_no_list_where_nothing_may_be_ingested(tmp_path: Path) -> None:
    async def living() -> None:
        board = JobBoard(tmp_path, ServeOptions())
        await board.start()
        await board.close()

    asyncio.run(living())
    assert not (tmp_path / boards.FOLDER).exists()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(NoResource, match="list of jobs"):
        JobTable(tmp_path / "file")


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    table = JobTable(tmp_path)
    job = Job(Asked("upload", "uploads/1/a.zip", force=True), log=["one"], datasets=["a", "b"])
    job.error = {"class": "X", "message": "y", "exit_code": 3}
    table.put(job)
    (back,) = table.all()
    assert back == job
    job.state = "done"
    table.put(job)
    assert [one.state for one in table.all()] == ["done"]
    table.remove([job.id])
    assert table.all() == []
    table.close()
    assert json.dumps(job.to_json())

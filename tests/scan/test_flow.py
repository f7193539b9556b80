"""Scans from end to end: real files, real processes, real jobs, also killed ones."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alos2.cluster.site import Site
from alos2.errors import NothingFound, UsageError
from alos2.scan import chunks, plan
from alos2.scan.finding import clock_of, find
from alos2.scan.report import ScanReport, failures, flights
from alos2.scan.results import read_results
from alos2.scan.state import reading, writing
from alos2.scan.submit import Jobs
from alos2.scan.units import Wanted
from scan.flowing import Place

LOCAL = Site(scheduler="local")


def met(place: Place, number: int) -> dict[str, Any]:
    name = place.id(number)
    return json.loads((place.out / name / f"{name}.met.json").read_text())


def sources(place: Place, number: int) -> set[str]:
    """Return the folders that a dataset says its files are in, below the root."""
    files = met(place, number)["gekko_archive_files"]
    return {os.path.relpath(Path(file).parent, place.root) for file in files}


def outcomes(place: Place) -> dict[str, str]:
    return {line["dataset_id"]: line["outcome"] for line in place.told if line["kind"] == "scene"}


def script(folder: Path, body: str) -> str:
    """Write what stands in for a node's Python."""
    path = folder / "python"
    path.write_text(f'#!/bin/sh\n{body}\nexec "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    return str(path)


def wait_for(what: Any) -> Any:
    until = time.monotonic() + 20
    while not (found := what()):
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.02)
    return found


class TestHere:
    def test_new_again_changed_moved(self, place: Place) -> None:
        first, second = place.put(0, "P001/a b, c"), place.put(1, "P001/two")
        # Of two processors each gets one.
        report = place.scan(chunk_size=None, jobs=2)
        assert (report.jobs, report.submitted, report.done) == (2, 2, 2)
        assert place.counts(report) == {"done": 2}
        assert outcomes(place) == {place.id(0): "made", place.id(1): "made"}
        assert place.entered() == sorted((place.id(0), place.id(1)))
        assert sources(place, 0) == {"P001/a b, c"}

        again = place.scan()
        assert (again.found, again.jobs, place.told) == (0, 0, [])

        (first / "summary.txt").write_bytes((first / "summary.txt").read_bytes() + b"\r\n")
        second.rename(place.root / "moved")
        report = place.scan()
        assert outcomes(place) == {place.id(0): "made", place.id(1): "made"}
        assert place.counts(report) == {"done": 2, "gone": 1}
        assert sources(place, 1) == {"moved"}
        assert len(place.entered()) == 2
        assert list((place.state / "chunks").iterdir()) == []

    def test_the_second_place_is_taken_when_the_first_goes(self, place: Place) -> None:
        first = place.put(0, "a")
        place.put(0, "b")
        assert place.counts(place.scan()) == {"done": 1, "duplicate": 1}
        assert sources(place, 0) == {"a"}
        shutil.rmtree(first)
        assert place.counts(place.scan()) == {"done": 1, "gone": 1}
        assert sources(place, 0) == {"b"}

    def test_a_failure_is_kept_told_and_tried_again(self, place: Place) -> None:
        place.put(0, "good")
        bad = place.put(1, "bad")
        (leader,) = bad.glob("LED-*")
        whole = leader.read_bytes()
        leader.write_bytes(whole[:700])
        report = place.scan()
        assert (report.done, report.failed) == (1, 1)
        assert place.counts(report) == {"done": 1, "failed": 1}
        with reading(place.state) as state:
            (group,) = failures(state)
        assert (group.count, group.dataset_id, group.place) == (1, place.id(1), str(bad))
        assert group.error_class == "BadProduct"
        assert "LED" in group.message
        assert (Path(group.log) / "stderr").exists()
        # Nobody tries it again by himself, and its job's folder stays to be looked at.
        assert place.scan().jobs == 0
        assert Path(group.log).exists()
        report = place.scan(retry_failed=True)
        assert (report.retried, report.failed) == (1, 1)
        # Mended, it is another file: that is a reason.
        leader.write_bytes(whole)
        assert place.counts(place.scan()) == {"done": 2}
        assert list((place.state / "chunks").iterdir()) == []

    def test_a_lost_state_is_made_again_from_what_is_there(self, place: Place) -> None:
        place.put(0, "a")
        place.scan()
        before = {path: path.stat().st_mtime_ns for path in (place.out / place.id(0)).iterdir()}
        shutil.rmtree(place.state)
        assert place.counts(place.scan()) == {"done": 1}
        assert outcomes(place) == {place.id(0): "unchanged"}
        after = {path: path.stat().st_mtime_ns for path in (place.out / place.id(0)).iterdir()}
        assert after == before

    def test_a_process_that_cannot_be_begun(self, place: Place) -> None:
        place.put(0, "a")
        report = place.scan(site=Site(python="/nowhere/python"))
        assert report.refusal is not None
        assert "No such file" in report.refusal.message
        assert place.counts(report) == {"new": 1}
        assert report.left == 1
        assert place.counts(place.scan()) == {"done": 1}

    def test_what_means_nothing(self, place: Place) -> None:
        with pytest.raises(NothingFound, match="no folder"):
            place.scan(roots=(place.root / "none",))
        with pytest.raises(UsageError, match="waits"):
            place.scan(wait=False)
        with pytest.raises(NothingFound, match="no archive"):
            place.scan(out=place.folder / "none" / "none")
        assert place.scan().any_scene is False

    def test_the_body_of_a_script_is_what_runs(self, place: Place) -> None:
        place.put(0, "a")
        body = place.folder / "job.sh"
        body.write_text(
            '#!/bin/sh\necho "mine" > "$ALOS2_CHUNK/../../mine"\n'
            'PYTHONPATH=$ALOS2_PYTHONPATH "$ALOS2_PYTHON" -m alos2 scan-chunk "$ALOS2_CHUNK"\n'
        )
        assert place.counts(place.scan(script=body)) == {"done": 1}
        assert (place.state / "mine").read_text() == "mine\n"


class TestScheduler:
    def test_a_limit_and_what_is_left(self, place: Place) -> None:
        for number in range(3):
            place.put(number, f"P00{number}")
        report = place.scan(site=LOCAL, chunk_size=1, jobs=2)
        assert (report.jobs, report.left, report.in_flight) == (2, 1, 2)
        assert place.counts(report) == {"new": 1, "submitted": 2}
        report = place.scan(site=LOCAL, chunk_size=1, jobs=1, wait=True, poll_s=0.1)
        assert (report.jobs, report.left, report.in_flight) == (1, 0, 0)
        assert place.counts(report) == {"done": 3}
        assert len(place.entered()) == 3

    def test_jobs_are_seen_killed_and_tried_again(self, place: Place, tmp_path: Path) -> None:
        for number in range(2):
            place.put(number, f"P00{number}")
        slow = replace(LOCAL, python=script(tmp_path, "sleep 30"))
        assert place.scan(site=slow, chunk_size=1).in_flight == 2
        with reading(place.state) as state:
            flying = flights(state, Jobs(place.options))
            assert [flight.to_json()["state"] for flight in flying] == ["running"] * 2
        # Without a folder nothing is walked, and the jobs are still there.
        report = place.scan(roots=(), site=slow)
        assert (report.walked, report.in_flight) == (False, 2)
        report = place.cancel(site=slow)
        assert place.counts(report) == {"failed": 2}
        assert {line["error"]["class"] for line in place.told} == {"Cancelled"}
        report = place.scan(roots=(), retry_failed=True, wait=True)
        assert (report.retried, place.counts(report)) == (2, {"done": 2})

    def test_a_job_that_dies_leaves_what_it_finished(self, place: Place, tmp_path: Path) -> None:
        for number in range(2):
            place.put(number, f"P00{number}")
        # The second scene's job ends in the middle: the node's memory is short.
        dying = script(tmp_path, 'case "$*" in *scan-chunk*) kill -9 $$;; esac')
        report = place.scan(site=replace(LOCAL, python=dying), wait=True, poll_s=0.1)
        assert place.counts(report) == {"failed": 2}
        with reading(place.state) as state:
            (group,) = failures(state)
        assert (group.error_class, group.count) == ("Killed", 2)
        assert "signal 9" in group.message
        assert place.counts(place.scan(retry_failed=True)) == {"done": 2}

    def test_a_scheduler_that_is_not_known(self, place: Place) -> None:
        with pytest.raises(UsageError, match="not known"):
            place.scan(site=Site(scheduler="abacus"))


def made_chunk(place: Place) -> chunks.Chunk:
    """Do what a scan does until the moment before it submits."""
    clock = clock_of(place.options)
    with writing(place.state) as state:
        find(state, place.options, clock, ScanReport(), lambda line: None)
        plan.prepare(state, clock, Wanted())
        units = list(plan.candidates(state, Wanted()))
        return chunks.make_chunk(state, units, "here", forced=False)


class TestKilled:
    """By SIGKILL at the moments that matter; tests/campaigns/scan_faults.py has all others."""

    def test_before_the_folder_was_written(self, place: Place) -> None:
        place.put(0, "a")
        made_chunk(place)
        report = place.scan()
        assert (report.taken_up, place.counts(report)) == (1, {"done": 1})

    def test_between_submission_and_its_note(self, place: Place) -> None:
        place.put(0, "a")
        chunk = made_chunk(place)
        jobs = Jobs(place.options)
        with writing(place.state) as state:
            folder = chunks.write_folder(state, chunk, place.options)
        native_id = jobs.here.submit(jobs.job(chunk, folder))
        wait_for((folder / "claim").exists)
        report = place.scan()
        jobs.here.wait([native_id], 10)
        assert (report.taken_up, place.counts(report)) == (1, {"done": 1})
        assert place.entered() == [place.id(0)]

    def test_the_scan_while_its_jobs_are_at_work(self, place: Place, tmp_path: Path) -> None:
        for number in range(2):
            place.put(number, f"P00{number}")
        site = tmp_path / "site.toml"
        site.write_text(f'python = "{script(tmp_path, "sleep 1")}"\n')
        command = [
            sys.executable, "-m", "alos2", "scan", str(place.root), "--out", str(place.out),
            "--settle", "0", "--site", str(site), "--scheduler", "here", "--chunk", "1", "--json",
        ]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told = [json.loads(process.stdout.readline()) for _ in range(2)]
            process.kill()
        assert [line["kind"] for line in told] == ["submitted", "submitted"]
        report = place.scan(roots=())
        assert (report.jobs, report.done) == (0, 2)
        assert place.counts(report) == {"done": 2}

    def test_its_job_here(self, place: Place, tmp_path: Path) -> None:
        place.put(0, "a")
        dying = script(tmp_path, 'case "$*" in *scan-chunk*) kill -9 $$;; esac')
        report = place.scan(site=Site(python=dying))
        assert place.counts(report) == {"failed": 1}
        (line,) = [line for line in place.told if line["kind"] == "scene"]
        assert line["error"]["class"] == "Killed"

    def test_ctrl_c_leaves_nothing_half_made(self, place: Place, tmp_path: Path) -> None:
        for number in range(2):
            place.put(number, f"P00{number}")
        site = tmp_path / "site.toml"
        site.write_text(f'python = "{script(tmp_path, "sleep 20")}"\n')
        command = [
            sys.executable, "-m", "alos2", "scan", str(place.root), "--out", str(place.out),
            "--settle", "0", "--site", str(site), "--scheduler", "here", "--jobs", "1", "--json",
        ]  # fmt: skip
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
        assert process.returncode == 130, errors
        with reading(place.state) as state:
            assert {k: n for k, n in state.counts().items() if n} == {"new": 2}
            assert chunks.live_chunks(state) == []
        assert list((place.state / "chunks").iterdir()) == []
        assert place.counts(place.scan()) == {"done": 2}


def test_a_unit_that_changes_while_a_job_has_it_is_done_again(place: Place) -> None:
    folder = place.put(0, "a")
    chunk = made_chunk(place)
    (folder / "summary.txt").write_bytes((folder / "summary.txt").read_bytes() + b"\r\n")
    report = place.scan()
    assert place.counts(report) == {"changed": 1}
    lines, _ = read_results(place.state / "chunks" / chunk.token)
    assert lines == []  # it was tidied away
    report = place.scan()
    assert place.counts(report) == {"done": 1}
    assert outcomes(place) == {place.id(0): "made"}


def test_a_unit_that_goes_while_a_job_has_it(place: Place) -> None:
    folder = place.put(0, "a")
    made_chunk(place)
    folder.rename(place.folder / "away")
    report = place.scan()
    assert place.counts(report) == {"gone": 1}
    # Its files went before they could be read: there is no dataset of them.
    assert not (place.out / place.id(0)).exists()


def test_a_place_whose_name_is_no_text(place: Place) -> None:
    odd = os.fsdecode(b"\xff\xfe, odd")
    place.put(0, odd)
    place.put(0, "twin")
    report = place.scan()
    assert place.counts(report) == {"done": 1, "duplicate": 1}
    (line,) = [line for line in place.told if line["kind"] == "scene"]
    assert line["place"] == str(place.root / "twin")
    shutil.rmtree(place.root / "twin")
    assert place.counts(place.scan()) == {"done": 1, "gone": 1}
    (line,) = [line for line in place.told if line["kind"] == "scene"]
    assert line["place"] == str(place.root / odd)
    assert place.entered() == [place.id(0)]

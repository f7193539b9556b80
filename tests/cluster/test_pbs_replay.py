"""PBS Pro, by programs that replay what a real OpenPBS 23.06 printed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from alos2.cluster.model import BatchJob, JobStatus, Scheduler
from alos2.cluster.registry import scheduler_for
from alos2.cluster.site import Site
from alos2.errors import NoResource
from fakes.pbs_replay import replay_openpbs


@dataclass
class Replay:
    """A scheduler over a replay, and what it was asked."""

    scheduler: Scheduler
    bin: Path
    recordings: Path

    def calls(self, command: str) -> list[list[str]]:
        return [call[1:] for call in replay_openpbs.calls(self.bin) if call[0] == command]


@pytest.fixture
def replay(real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    recordings = real_data / "openpbs-23.06"
    if not recordings.is_dir():
        pytest.skip("ALOS2_REAL_DATA holds no openpbs-23.06")

    def make(site: Site | None = None, **plan: object) -> Replay:
        named = {name.replace("qstat_x", "qstat -x"): value for name, value in plan.items()}
        where = replay_openpbs.install(tmp_path / "bin", recordings, named)
        monkeypatch.setenv("PATH", f"{where}{os.pathsep}{os.environ['PATH']}")
        site = site or Site(scheduler="pbs", queue="workq", project="eos", walltime_s=600)
        return Replay(scheduler_for(site), where, recordings)

    return make


def _job(folder: Path, *argv: str, **more: object) -> BatchJob:
    return BatchJob("0710_180905", argv or ("true",), folder, **more)


def test_a_job_is_submitted_and_leaves_its_own_exit_code(replay, tmp_path: Path) -> None:
    pbs = replay(qsub="qsub_ok.txt", run=True)
    folder = tmp_path / "a chunk, with commas"
    argv = (
        "/bin/sh",
        "-c",
        'printf "%s|" "$@" "$VALUE"; echo oops >&2; exit 7',
        "x",
        "a,b c",
        "d\ne",
    )
    native_id = pbs.scheduler.submit(_job(folder, *argv, environment={"VALUE": "p, q\n'r' \"$s\""}))
    assert native_id == "0.pbs01"
    assert (folder / "stdout").read_text() == "a,b c|d\ne|p, q\n'r' \"$s\"|"
    assert (folder / "stderr").read_text() == "oops\n"
    # The exit code is in the folder: PBS need not be asked, and is not.
    assert pbs.scheduler.status([(native_id, folder)]) == {native_id: JobStatus("failed", 7)}
    assert pbs.calls("qstat") == []
    # Values go by the script, never by -v, which a comma breaks in the real qsub.
    assert pbs.calls("qsub") == [[str(next(folder.glob("*.job")))]]
    assert "cannot send environment" in (pbs.recordings / "qsub_v_comma.txt").read_text()


def test_directives_say_what_the_site_says(replay, tmp_path: Path) -> None:
    site = Site(
        scheduler="pbs", queue="q32", project="eos", account="acc", walltime_s=432000, cpus=2,
        memory_mb=4096, directives=("-l place=free", "-m ae"),
    )  # fmt: skip
    pbs = replay(site, qsub="qsub_ok.txt")
    pbs.scheduler.submit(BatchJob("0710_180905 a long name, with é", ("true",), tmp_path / "job"))
    text = next((tmp_path / "job").glob("*.job")).read_text()
    lines = [line for line in text.splitlines() if line.startswith("#PBS")]
    assert lines == [
        "#PBS -N a0710_180905_a_",
        "#PBS -S /bin/bash",
        "#PBS -o native.txt",
        "#PBS -j oe",
        "#PBS -r n",
        "#PBS -l select=1:ncpus=2:mem=4096mb",
        "#PBS -q q32",
        "#PBS -P eos",
        "#PBS -A acc",
        "#PBS -l walltime=120:00:00",
        "#PBS -l place=free",
        "#PBS -m ae",
    ]


def test_a_refusal_keeps_the_words_of_pbs_and_names_the_line_to_mend(replay, tmp_path) -> None:
    site = Site(scheduler="pbs", queue="nosuch", path=Path("/etc/site.toml"))
    pbs = replay(site, qsub="qsub_unknown_queue.txt")
    with pytest.raises(NoResource) as caught:
        pbs.scheduler.submit(_job(tmp_path / "job"))
    assert "qsub: Unknown queue" in caught.value.message
    assert "queue" in caught.value.hint
    assert "/etc/site.toml" in caught.value.hint


def test_many_jobs_are_asked_for_in_one_call(replay, tmp_path: Path) -> None:
    pbs = replay(qstat="qstat_json.txt")
    ids = ["0.pbs01", "2.pbs01", "4.pbs01", "5.pbs01", "99.pbs01"]
    status = pbs.scheduler.status([(each, tmp_path / each) for each in ids])
    assert [status[each].state for each in ids] == [
        "running", "running", "waiting", "waiting", "gone",
    ]  # fmt: skip
    assert status["4.pbs01"].reason == "Not Running: Not enough free nodes available"
    assert "never started" in status["99.pbs01"].reason
    asked = pbs.calls("qstat")
    assert asked[0] == ["-f", "-F", "json", *ids]
    assert len(asked) == 2  # the second: -x, for the one that was not listed
    assert asked[1][0] == "-x"
    assert asked[1][-1:] == ["99.pbs01"]


def test_array_jobs_of_others_are_no_trouble(replay, tmp_path: Path) -> None:
    pbs = replay(qstat="qstat_array_json.txt")
    status = pbs.scheduler.status([("3[1].pbs01", tmp_path)])
    assert status["3[1].pbs01"].state == "waiting"


@pytest.mark.parametrize(
    ("native_id", "recording", "expected"),
    [
        ("0.pbs01", "qstat_x_ok.txt", JobStatus("done", 0)),
        ("4.pbs01", "qstat_x_bad.txt", JobStatus("failed", 7)),
        ("5.pbs01", "qstat_x_long.txt", JobStatus("killed", None, "walltime")),
    ],
)
def test_a_history_tells_how_a_job_ended(
    replay, tmp_path: Path, native_id: str, recording: str, expected: JobStatus
) -> None:
    (tmp_path / f"job-{native_id[0]}.started").write_text("node1\n2026-11-21T00:00:00Z\nx\n")
    pbs = replay(qstat="qstat_finished_no_x.txt", qstat_x=recording)
    assert pbs.scheduler.status([(native_id, tmp_path)]) == {native_id: expected}


def test_without_history_the_exit_file_is_the_only_witness(replay, tmp_path: Path) -> None:
    pbs = replay(qstat="qstat_finished_no_x.txt")
    started, ended = tmp_path / "job-0.started", tmp_path / "job-0.exit"
    started.write_text("node1\n2026-11-21T00:00:00Z\n0.pbs01\n")
    status = pbs.scheduler.status([("0.pbs01", tmp_path)])["0.pbs01"]
    assert status.state == "gone"
    assert "started on node1 at 2026-11-21T00:00:00Z and left no exit code" in status.reason
    ended.write_text("0 12 600\n")
    assert pbs.scheduler.status([("0.pbs01", tmp_path)])["0.pbs01"] == JobStatus("done", 0)


def test_a_signal_at_the_end_of_the_walltime_is_the_walltime(replay, tmp_path: Path) -> None:
    pbs = replay(qstat="qstat_finished_no_x.txt")
    (tmp_path / "job-0.exit").write_text("143 598 600\n")
    status = pbs.scheduler.status([("0.pbs01", tmp_path)])["0.pbs01"]
    assert status == JobStatus("killed", 143, "walltime")
    (tmp_path / "job-0.exit").write_text("137 20 600\n")
    status = pbs.scheduler.status([("0.pbs01", tmp_path)])["0.pbs01"]
    assert status == JobStatus("killed", 137, "signal 9")


def test_a_job_that_a_signal_ended_is_over_when_pbs_has_tidied_up(replay, tmp_path) -> None:
    pbs = replay(qstat="qstat_json_one.txt")
    (tmp_path / "job-0.exit").write_text("143 20 600\n")
    status = pbs.scheduler.status([("0.pbs01", tmp_path)])["0.pbs01"]
    assert status == JobStatus("running", None, "ending: signal 15")
    replay(qstat="qstat_unknown.txt")
    status = pbs.scheduler.status([("0.pbs01", tmp_path)])["0.pbs01"]
    assert status == JobStatus("killed", 143, "signal 15")


def test_an_unknown_job_is_gone_and_not_an_error(replay, tmp_path: Path) -> None:
    pbs = replay(qstat="qstat_unknown.txt")
    status = pbs.scheduler.status([("99999", tmp_path)])["99999"]
    assert status.state == "gone"
    assert "pbs" in status.reason


def test_a_deleted_job_may_run_for_some_seconds_more(replay, tmp_path: Path) -> None:
    pbs = replay(qstat="qstat_x_deleted.txt", qdel="qdel.txt")
    pbs.scheduler.cancel("7.pbs01", tmp_path)
    assert pbs.scheduler.status([("7.pbs01", tmp_path)])["7.pbs01"].state == "running"
    replay(qstat="qstat_unknown.txt")
    status = pbs.scheduler.status([("7.pbs01", tmp_path)])["7.pbs01"]
    assert status == JobStatus("killed", None, "cancelled")


@pytest.mark.parametrize("recording", ["qdel.txt", "qdel_again.txt", "qdel_unknown.txt"])
def test_cancelling_what_has_ended_is_no_error(replay, recording: str) -> None:
    pbs = replay(qdel=recording)
    pbs.scheduler.cancel("7.pbs01")
    assert pbs.calls("qdel") == [["7.pbs01"]]


def test_a_server_that_does_not_answer_loses_no_job(replay, tmp_path: Path) -> None:
    pbs = replay()
    with pytest.raises(NoResource, match="does not say where its jobs stand"):
        pbs.scheduler.status([("7.pbs01", tmp_path)])


def test_without_a_qsub_the_message_says_where_to_go(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoResource, match="'qsub' is not there") as caught:
        scheduler_for(Site(scheduler="pbs")).submit(_job(tmp_path / "job"))
    assert "login node" in caught.value.hint

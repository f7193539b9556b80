"""The Grid Engine plugin: what its commands print, in the forms that Grid Engine 8.1.9 printed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psij
import pytest

from alos2.cluster.gridengine import GridEngineJobExecutor, status_of
from alos2.cluster.model import BatchJob, JobStatus
from alos2.cluster.psijlink import config_for
from alos2.cluster.registry import scheduler_for
from alos2.cluster.sge import Executor, account_of
from alos2.cluster.site import Site
from alos2.errors import NoResource

QSTAT = """<?xml version='1.0'?>
<job_info  xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <queue_info>
    <job_list state="running">
      <JB_job_number>7</JB_job_number>
      <JB_name>a &amp; b</JB_name>
      <state>r</state>
    </job_list>
  </queue_info>
  <job_info>
    <job_list state="pending">
      <JB_job_number>8</JB_job_number>
      <state>qw</state>
    </job_list>
    <job_list state="pending">
      <JB_job_number>9</JB_job_number>
      <state>Eqw</state>
    </job_list>
  </job_info>
</job_info>
"""


def _executor(tmp_path: Path) -> Executor:
    return Executor(config=config_for(tmp_path))


def test_qstat(tmp_path: Path) -> None:
    found = _executor(tmp_path).parse_status_output(0, QSTAT)
    assert {each: status.state for each, status in found.items()} == {
        "7": psij.JobState.ACTIVE,
        "8": psij.JobState.QUEUED,
        "9": psij.JobState.FAILED,
    }
    assert _executor(tmp_path).parse_status_output(0, "") == {}
    for code, text in ((1, "error: commlib error"), (0, "not xml")):
        with pytest.raises(RuntimeError):
            _executor(tmp_path).parse_status_output(code, text)


@pytest.mark.parametrize(
    ("letters", "state"),
    [
        ("qw", psij.JobState.QUEUED),
        ("hqw", psij.JobState.QUEUED),
        ("Rq", psij.JobState.QUEUED),
        ("t", psij.JobState.ACTIVE),
        ("r", psij.JobState.ACTIVE),
        ("Rr", psij.JobState.ACTIVE),
        ("dr", psij.JobState.ACTIVE),
        ("s", psij.JobState.ACTIVE),
        ("Eqw", psij.JobState.FAILED),
    ],
)
def test_letters(letters: str, state: psij.JobState) -> None:
    assert status_of(letters).state == state


@pytest.mark.parametrize(
    ("out", "number"),
    [
        ('Your job 12 ("a b") has been submitted\n', "12"),
        ('Your job-array 13.1-3:1 ("x") has been submitted\n', "13"),
        ("Unable to run job: warning: no queue\nYour job 1 (\"STDIN\") has been submitted\n", "1"),
    ],
)  # fmt: skip
def test_qsub(tmp_path: Path, out: str, number: str) -> None:
    assert _executor(tmp_path).job_id_from_submit_output(out) == number


def test_qsub_that_names_no_job(tmp_path: Path) -> None:
    with pytest.raises(psij.SubmitException):
        _executor(tmp_path).job_id_from_submit_output("hello")


def _account(failed: str, exit_status: str, more: str = "") -> str:
    line = "=" * 62
    return f"{line}\nqname        all.q\nfailed       {failed}\nexit_status  {exit_status}\n{more}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (_account("0    ", "0                   "), JobStatus("done", 0)),
        (_account("0    ", "7                   "), JobStatus("failed", 7)),
        (_account("100 : assumedly after job", "137                  (Killed)"),
         JobStatus("killed", 137, "signal 9")),
        (_account("37  : qmaster enforced h_rt, h_cpu, or h_vmem limit", "137  (Killed)"),
         JobStatus("killed", 137, "walltime")),
        (_account("37  : qmaster enforced h_rt, h_cpu, or h_vmem limit", "137  (Killed)",
                  "ru_wallclock 20s\ncategory     -l h_rt=3600,h_vmem=1G\n"),
         JobStatus("killed", 137, "out of memory")),
        (_account("28  : changing into working directory", "0"),
         JobStatus("killed", None, "never started: changing into working directory")),
        (_account("0", "137  (Killed)", "deleted_by   user@host\n"),
         JobStatus("killed", 137, "cancelled")),
        (_account("0", "1") + _account("0", "0"), JobStatus("done", 0)),
        ("error: job id 17 not found\n", None),
    ],
)  # fmt: skip
def test_qacct(text: str, expected: JobStatus | None) -> None:
    assert account_of(text) == expected


FAKE_QSUB = """#!/bin/sh
# Written for this test: runs the script as Grid Engine would, in an environment of its own.
for script; do :; done
echo 'Your job 7 ("x") has been submitted'
env -i PATH="$PATH" JOB_ID=7 HOME=/nonexistent bash "$script" > /dev/null 2>&1
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder first on PATH, where a test writes what qsub, qstat, qdel and qacct do."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def _program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_the_script_of_a_job(programs: Path, tmp_path: Path) -> None:
    _program(programs, "qsub", FAKE_QSUB)
    site = Site(
        scheduler="gridengine", queue="all.q", project="p", account="a", walltime_s=3600, cpus=4,
        memory_mb=8000, parallel_environment="orte", directives=("-p -10",),
    )  # fmt: skip
    folder = tmp_path / "a, b:c"
    job = BatchJob("0710 x", ("/bin/sh", "-c", 'echo "$1"; exit 100', "x", "d, e"), folder)
    assert scheduler_for(site).submit(job) == "7"
    text = next(folder.glob("*.job")).read_text()
    assert [line for line in text.splitlines() if line.startswith("#$")] == [
        "#$ -S /bin/bash",
        "#$ -N a0710_x",
        "#$ -wd /",
        "#$ -o /dev/null",
        "#$ -j y",
        "#$ -r n",
        "#$ -q all.q",
        "#$ -P p",
        "#$ -A a",
        "#$ -l h_rt=3600",
        "#$ -l s_rt=3570",
        "#$ -l h_vmem=2000M",
        "#$ -pe orte 4",
        "#$ -p -10",
    ]
    # The script itself never ends with 100, which would hold it in the queue for ever.
    assert "99 | 100) exit 98" in text
    assert scheduler_for(site).status([("7", folder)]) == {"7": JobStatus("failed", 100)}
    assert (folder / "stdout").read_text() == "d, e\n"


def test_a_job_taken_with_a_warning_is_taken(programs: Path, tmp_path: Path) -> None:
    _program(programs, "qsub", "echo 'Unable to run job: warning: no queue' >&2; "
             "echo 'Your job 5 (\"x\") has been submitted'; echo Exiting. >&2; exit 1")  # fmt: skip
    assert scheduler_for(Site(scheduler="qsub")).submit(BatchJob("x", ("true",), tmp_path)) == "5"
    _program(programs, "qsub", 'echo \'Unable to run job: Job was rejected because job requests '
             'unknown queue "nope".\' >&2; echo Exiting. >&2; exit 1')  # fmt: skip
    with pytest.raises(NoResource, match='unknown queue "nope"') as caught:
        scheduler_for(Site(scheduler="qsub")).submit(BatchJob("x", ("true",), tmp_path))
    assert "queue" in caught.value.hint


def test_one_listing_for_all_and_accounts_for_the_lost(programs: Path, tmp_path: Path) -> None:
    (tmp_path / "qstat.xml").write_text(QSTAT)
    _program(programs, "qstat", f"echo qstat >> {tmp_path}/calls; cat {tmp_path}/qstat.xml")
    _program(programs, "qacct", f"echo qacct $2 >> {tmp_path}/calls; "
             f"[ $2 = 10 ] && printf 'failed       0\\nexit_status  7\\n'")  # fmt: skip
    ids = ["7", "8", "9", "10", "11"]
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "job-10.started").write_text("node\nnow\n10\n")
    found = scheduler_for(Site(scheduler="qsub")).status([(each, folder) for each in ids])
    assert found["7"] == JobStatus("running")
    assert found["8"] == JobStatus("waiting")
    assert found["9"].state == "killed"
    assert found["9"].reason == "never started: Grid Engine holds it in state Eqw"
    assert found["10"] == JobStatus("failed", 7)
    assert found["11"].state == "gone"
    assert (tmp_path / "calls").read_text().split("\n")[:3] == ["qstat", "qacct 10", "qacct 11"]


def test_a_folder_that_the_node_does_not_see_is_named(programs: Path, tmp_path: Path) -> None:
    _program(programs, "qsub", "echo 'Your job 7 (\"x\") has been submitted'")
    folder = tmp_path / "job"
    scheduler = scheduler_for(Site(scheduler="qsub"))
    native_id = scheduler.submit(BatchJob("x", ("true",), folder))
    folder.rename(tmp_path / "moved")
    script = next((tmp_path / "moved").glob("*.job"))
    ran = subprocess.run(["bash", str(script)], check=False, capture_output=True)
    account = _account("0", str(ran.returncode))
    (tmp_path / "account").write_text(account)
    _program(programs, "qstat", "exit 0")
    _program(programs, "qacct", f"cat {tmp_path}/account")
    status = scheduler.status([(native_id, folder)])[native_id]
    assert status == JobStatus("failed", 96, "never started: its folder is not there on the node")


def test_a_cancelled_job_is_told_from_a_killed_one(programs: Path, tmp_path: Path) -> None:
    _program(programs, "qdel", "echo 'user has registered the job 16 for deletion'")
    _program(programs, "qstat", "exit 0")
    account = _account("100 : assumedly after job", "137  (Killed)")
    (tmp_path / "account").write_text(account)
    _program(programs, "qacct", f"cat {tmp_path}/account")
    (tmp_path / "job-16.started").write_text("node\nnow\n16\n")
    scheduler = scheduler_for(Site(scheduler="qsub"))
    assert scheduler.status([("16", tmp_path)])["16"] == JobStatus("killed", 137, "signal 9")
    scheduler.cancel("16", tmp_path)
    assert scheduler.status([("16", tmp_path)])["16"].reason == "cancelled"
    _program(programs, "qdel", "echo 'denied: job \"16\" does not exist' >&2; exit 1")
    scheduler.cancel("16")
    _program(programs, "qdel", "echo 'denied: you are not the owner' >&2; exit 1")
    with pytest.raises(NoResource, match="not the owner"):
        scheduler.cancel("16")


AS_PSIJ = """
import sys, psij
from datetime import timedelta
from pathlib import Path
from psij.executors.batch.batch_scheduler_executor import BatchSchedulerExecutorConfig
config = BatchSchedulerExecutorConfig(
    work_directory=Path(sys.argv[1]), queue_polling_interval=1, initial_queue_polling_delay=0)
executor = psij.JobExecutor.get_instance("gridengine", config=config)
for code in (0, 3):
    job = psij.Job(psij.JobSpec(
        executable="/bin/sh", arguments=["-c", f"echo $A; exit {code}"], name="1 x",
        environment={"A": "a, b"}, stdout_path=Path(sys.argv[1]) / f"out{code}",
        attributes=psij.JobAttributes(queue_name="all.q", account="p",
            duration=timedelta(minutes=5), custom_attributes={"gridengine.p": "-10"})))
    executor.submit(job)
    status = job.wait(timeout=timedelta(seconds=20))
    print(job.native_id, status.state.name, status.exit_code)
"""


def test_psij_finds_the_plugin_and_runs_jobs_with_it(programs: Path, tmp_path: Path) -> None:
    _program(programs, "qsub", f'cp "$1" {tmp_path}/script\n' + FAKE_QSUB.split("\n", 2)[2])
    _program(programs, "qstat", "exit 0")
    done = subprocess.run(
        [sys.executable, "-c", AS_PSIJ, str(tmp_path / "work")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.splitlines() == ["7 COMPLETED 0", "7 FAILED 3"], done.stderr
    assert (tmp_path / "work" / "out3").read_text() == "a, b\n"
    text = (tmp_path / "script").read_text()
    for line in ("-N a1_x", "-q all.q", "-P p", "-l h_rt=300", "-p -10"):
        assert f"#$ {line}\n" in text


def test_the_plugin_needs_psij_alone() -> None:
    source = Path(sys.modules[GridEngineJobExecutor.__module__].__file__ or "").read_text()
    assert "from alos2" not in source

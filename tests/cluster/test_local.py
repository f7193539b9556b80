"""Jobs on this machine, for real: they end, fail, are killed, and are found again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alos2.cluster.jobscript import write_script
from alos2.cluster.model import BatchJob, JobStatus, Scheduler
from alos2.cluster.registry import scheduler_for
from alos2.cluster.site import Site
from alos2.cluster.witness import started_jobs


@pytest.fixture
def local() -> Scheduler:
    return scheduler_for(Site(scheduler="local"))


def _pid(native_id: str) -> int:
    return int(native_id.split(".")[1])


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _until(path: Path) -> Path:
    until = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < until, f"{path} does not come"
        time.sleep(0.02)
    return path


def test_a_job_runs_in_its_folder_with_all_that_it_was_given(tmp_path: Path, ended) -> None:
    site = Site(
        scheduler="local",
        setup=("greeting='set up'", "shared=$greeting"),
        environment={"VALUE": "a, b\nc", "SITE": "yes"},
    )
    local = scheduler_for(site)
    folder = tmp_path / "a folder, of 'quotes' \"and\" $HOME\nlines"
    words = ("a b", "c,d", "e\nf", "$HOME", "`id`", "*", "")
    show = (
        'import os, sys; print(sys.argv[1:], os.environ["VALUE"], os.environ["SITE"], os.getcwd())'
    )
    job = BatchJob(
        "0710_180905",
        (sys.executable, "-c", f"{show}; print('trouble', file=sys.stderr)", *words),
        folder,
        environment={"VALUE": "the job's, own\nvalue"},
    )
    native_id = local.submit(job)
    assert ended(local, native_id, folder) == JobStatus("done", 0)
    expected = f"{list(words)} the job's, own\nvalue yes {folder}\n"
    assert (folder / "stdout").read_text() == expected
    assert (folder / "stderr").read_text() == "trouble\n"
    assert started_jobs(folder) == (native_id,)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("/bin/sh", "-c", "exit 7"), JobStatus("failed", 7)),
        (("/bin/sh", "-c", "exit 99"), JobStatus("failed", 99)),
        (("/no/such/program",), JobStatus("failed", 127)),
        (("/bin/sh", "-c", "kill -9 $$"), JobStatus("killed", 137, "signal 9")),
        (("/bin/sh", "-c", "kill -11 $$"), JobStatus("killed", 139, "signal 11")),
    ],
)
def test_how_a_command_ended_is_told(local, tmp_path: Path, ended, argv, expected) -> None:
    native_id = local.submit(BatchJob("job", argv, tmp_path / "job"))
    assert ended(local, native_id, tmp_path / "job") == expected


def test_a_module_that_does_not_load_is_a_failure_before_the_command(tmp_path, ended) -> None:
    local = scheduler_for(
        Site(scheduler="local", setup=("module() { return 1; }",), modules=("no/such",))
    )
    native_id = local.submit(BatchJob("job", ("touch", "ran"), tmp_path))
    status = ended(local, native_id, tmp_path)
    assert status.state == "failed"
    assert status.exit_code == 97
    assert not (tmp_path / "ran").exists()


def test_walltime_ends_a_job_and_its_children(local, tmp_path: Path, ended) -> None:
    command = ("/bin/sh", "-c", "sleep 60 & echo $! > child; wait")
    native_id = local.submit(BatchJob("job", command, tmp_path, walltime_s=1))
    status = ended(local, native_id, tmp_path)
    assert status == JobStatus("killed", 143, "walltime")
    child = int((tmp_path / "child").read_text())
    until = time.monotonic() + 5
    while _lives(child):  # a KILL takes a moment on a busy machine
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_command_may_tidy_up_when_it_is_cancelled(local, tmp_path: Path, ended) -> None:
    tidy = "trap 'echo tidy; exit 143' TERM; touch ready; while :; do sleep 0.05; done"
    native_id = local.submit(BatchJob("job", ("/bin/sh", "-c", tidy), tmp_path))
    _until(tmp_path / "ready")
    assert local.status([(native_id, tmp_path)])[native_id] == JobStatus("running")
    local.cancel(native_id)
    assert ended(local, native_id, tmp_path) == JobStatus("killed", 143, "cancelled")
    assert (tmp_path / "stdout").read_text() == "tidy\n"
    local.cancel(native_id)


def test_a_job_killed_with_all_its_processes_is_noticed(local, tmp_path: Path, ended) -> None:
    native_id = local.submit(BatchJob("job", ("/bin/sh", "-c", "touch ready; sleep 60"), tmp_path))
    _until(tmp_path / "ready")
    os.killpg(_pid(native_id), signal.SIGKILL)
    status = ended(local, native_id, tmp_path)
    assert status.state == "killed"
    assert status.exit_code is None
    assert "without a word" in status.reason


def test_a_command_outlives_its_runner_and_is_still_found(local, tmp_path: Path, ended) -> None:
    command = "touch ready; while [ ! -e go ]; do sleep 0.05; done; exit 3"
    native_id = local.submit(BatchJob("job", ("/bin/sh", "-c", command), tmp_path))
    _until(tmp_path / "ready")
    os.kill(_pid(native_id), signal.SIGKILL)
    until = time.monotonic() + 5
    while "goes on" not in (status := local.status([(native_id, tmp_path)])[native_id]).reason:
        assert time.monotonic() < until
        assert status.state == "running", status
        time.sleep(0.02)
    (tmp_path / "go").touch()
    assert ended(local, native_id, tmp_path) == JobStatus("failed", 3)


def test_another_process_of_the_same_number_is_not_the_job(local, tmp_path: Path) -> None:
    host = os.uname().nodename
    mine = f"0123456789ab.{os.getpid()}.{host}"
    status = local.status([(mine, tmp_path)])[mine]
    assert status.state == "killed"
    assert status.reason.startswith("never started")
    local.cancel(mine)  # and this process lives on


def test_a_job_of_another_machine_is_left_to_that(local, tmp_path: Path) -> None:
    other = f"0123456789ab.{os.getpid()}.elsewhere.example"
    status = local.status([(other, tmp_path)])[other]
    assert status.state == "running"
    assert "elsewhere.example" in status.reason


@pytest.mark.parametrize("to_all", [True, False], ids=["all", "shell"])
@pytest.mark.parametrize("number", ["USR1", "USR2", "XCPU", "TERM"])
def test_what_schedulers_send_before_the_end_reaches_the_command_as_term(
    tmp_path: Path, number: str, to_all: bool
) -> None:
    tidy = "trap 'echo tidy; exit 143' TERM; touch ready; while :; do sleep 0.05; done"
    job = BatchJob("x", ("/bin/bash", "-c", tidy), tmp_path)
    text = write_script(job, Site(), prefix="#PBS", directives=(), job_id="7.server")
    script = tmp_path / "script"
    script.write_text(text)
    shell = subprocess.Popen(["/bin/bash", str(script)], cwd="/", start_new_session=True)
    _until(tmp_path / "ready")
    (os.killpg if to_all else os.kill)(shell.pid, getattr(signal, f"SIG{number}"))
    assert shell.wait(timeout=10) == 143
    assert (tmp_path / "stdout").read_text() == "tidy\n"
    assert (tmp_path / "job-7.exit").read_text().split()[0] == "143"


_SUBMITTER = """
import os, signal, sys
from pathlib import Path
from alos2.cluster.jobscript import write_script
from alos2.cluster.model import BatchJob
from alos2.cluster.registry import scheduler_for
from alos2.cluster.site import Site
folder = Path(sys.argv[1])
local = scheduler_for(Site(scheduler="local"))
command = "while [ ! -e go ]; do sleep 0.05; done; echo done; exit 5"
print(local.submit(BatchJob("job", ("/bin/sh", "-c", command), folder)), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_jobs_survive_the_submitter_and_are_found_again(local, tmp_path: Path, ended) -> None:
    submitter = subprocess.run(
        [sys.executable, "-c", _SUBMITTER, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert submitter.returncode == -signal.SIGKILL
    native_id = submitter.stdout.strip()
    _until(tmp_path / f"job-{native_id.split('.')[0]}.started")
    assert local.status([(native_id, tmp_path)])[native_id] == JobStatus("running")
    assert os.getsid(_pid(native_id)) == _pid(native_id)  # no terminal takes it along
    (tmp_path / "go").touch()
    assert ended(local, native_id, tmp_path) == JobStatus("failed", 5)
    assert (tmp_path / "stdout").read_text() == "done\n"


def test_asking_leaves_no_thread_and_no_signal_handler(tmp_path: Path) -> None:
    asks = """
import signal, sys, threading
from pathlib import Path
from alos2.cluster.registry import scheduler_for
from alos2.cluster.site import Site
before = signal.getsignal(signal.SIGCHLD)
scheduler = scheduler_for(Site(scheduler=sys.argv[1]))
try:
    scheduler.status([("1.2.3", Path(sys.argv[2]))])
except Exception as error:
    print(type(error).__name__)
assert threading.enumerate() == [threading.main_thread()], threading.enumerate()
assert signal.getsignal(signal.SIGCHLD) == before
"""
    for name in ("local", "slurm", "pbs"):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", asks, name, str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": str(tmp_path)},
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() in ("", "NoResource")


def test_psij_can_be_imported_in_a_thread_without_a_warning() -> None:
    code = """
import threading
from alos2.cluster.registry import scheduler_for
from alos2.cluster.site import Site
thread = threading.Thread(target=lambda: print(scheduler_for(Site(scheduler="slurm")).name))
thread.start(); thread.join()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30
    )
    assert (done.stdout, done.stderr) == ("slurm\n", "")

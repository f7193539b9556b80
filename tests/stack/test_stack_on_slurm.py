"""`alos2 stack run` over a real Slurm (`cluster.servers.slurm`)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cluster.servers.fixtures import real_slurm, slurm_server  # noqa: F401
from stack.fakesteps import files
from stack.smallstacks import SmallStack

pytest.importorskip("psij", reason="psij-python is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_slurm")]


def command(config: Path, *more: str) -> list[str]:
    words = ("stack", "run", str(config), "--scheduler", "slurm", "--poll", "0.3", "--json")
    return [sys.executable, "-m", "alos2", "-v", *words, *more]


def test_a_killed_submitter_finds_its_jobs_again_and_the_bytes_are_those_of_a_local_run(
    small_stack: SmallStack, tmp_path: Path
) -> None:
    (tmp_path / "slurm").mkdir()
    (tmp_path / "here").mkdir()
    spread = small_stack.config(tmp_path / "slurm", more="[cluster]\nlines_per_job = 512")
    jobs = tmp_path / "slurm/work/.stack/jobs"
    submitter = subprocess.Popen(command(spread), stdout=subprocess.PIPE, start_new_session=True)
    until = time.monotonic() + 60
    while len(list(jobs.glob("*/submitted.json"))) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    os.killpg(submitter.pid, signal.SIGKILL)
    submitter.communicate()
    submitted = {
        path.parent.name: json.loads(path.read_text()) for path in jobs.glob("*/submitted.json")
    }
    assert len(submitted) >= 2
    assert {said["scheduler"] for said in submitted.values()} == {"slurm"}
    done = subprocess.run(command(spread), capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["by_step"]["ard"] == {"made": 4}
    for said in submitted.values():
        assert f"is found again: {said['native_id']}" in done.stderr
    here = small_stack.config(tmp_path / "here")
    local = [sys.executable, "-m", "alos2", "stack", "run", str(here), "--threads", "1"]
    subprocess.run(local, check=True, capture_output=True)
    ours, theirs = files(tmp_path / "slurm/work"), files(tmp_path / "here/work")
    for both in (ours, theirs):
        both.pop("plan.json")  # it names the places
    assert ours == theirs
    assert list(jobs.iterdir()) == []

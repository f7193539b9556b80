"""A real Slurm of one node (`cluster.servers.slurm`)."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from pathlib import Path

import pytest

from alos2.cluster.model import BatchJob, Scheduler
from alos2.cluster.registry import scheduler_for
from alos2.cluster.site import Site
from alos2.cluster.userscript import body_argv, site_from_script
from alos2.errors import NoResource
from cluster.servers.behaviours import RealScheduler, until, until_there
from cluster.servers.fixtures import shared_folder

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_slurm")]


def _update(native_id: str, *changes: str) -> None:
    subprocess.run(["scontrol", "update", f"JobId={native_id}", *changes], check=True)


@pytest.fixture(autouse=True)
def long_job(real_slurm: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A job beyond its walltime, begun before the first test here: Slurm looks each 30 s only."""
    shared = shared_folder(tmp_path_factory)
    note = shared / "slurm-long-job.json"
    with (shared / "slurm-long-job.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if note.exists():
            server, native_id, folder = json.loads(note.read_text())
            if server == os.environ["SLURM_CONF"]:
                return native_id, Path(folder)
        work = tmp_path_factory.mktemp("long-job")
        job = BatchJob("slow", ("sh", "-c", "echo begun; sleep 3000"), work, walltime_s=60)
        native_id = scheduler_for(Site(scheduler="slurm")).submit(job)
        until_there(work / "stdout")
        # Slurm counts walltime in whole minutes: the first is shortened here.
        _update(native_id, "EndTime=now+1")
        note.write_text(json.dumps([os.environ["SLURM_CONF"], native_id, str(work)]))
        return native_id, work


class TestSlurm(RealScheduler):
    site = Site(scheduler="slurm")
    held = "--hold"
    status_commands = ("squeue", "scontrol", "sacct")

    def release(self, native_id: str) -> None:
        subprocess.run(["scontrol", "release", native_id], check=True)

    def test_walltime_is_told(self, scheduler: Scheduler, long_job: tuple[str, Path]) -> None:
        native_id, folder = long_job
        status = until(scheduler, {native_id: folder}, seconds=60)[native_id]
        assert (status.state, status.reason) == ("killed", "walltime")

    test_walltime_is_told.looks_later = True  # type: ignore[attr-defined]

    def test_what_no_node_has_is_refused_or_waits(
        self, scheduler: Scheduler, tmp_path: Path
    ) -> None:
        with pytest.raises(NoResource, match="Requested node configuration is not available"):
            scheduler.submit(BatchJob("big", ("true",), tmp_path / "big", memory_mb=900_000))
        native_id = scheduler.submit(BatchJob("wide", ("true",), tmp_path / "wide", cpus=999))
        waiting = until(
            scheduler, {native_id: tmp_path / "wide"}, lambda status: bool(status.reason)
        )[native_id]
        assert (waiting.state, waiting.reason) == ("waiting", "PartitionConfig")
        scheduler.cancel(native_id, tmp_path / "wide")
        cancelled = until(scheduler, {native_id: tmp_path / "wide"})[native_id]
        assert (cancelled.state, cancelled.reason) == ("killed", "cancelled")

    def test_a_held_job_says_why_it_waits(self, tmp_path: Path) -> None:
        held = self.with_directives(self.held)
        native_id = held.submit(BatchJob("held", ("true",), tmp_path))
        status = held.status([(native_id, tmp_path)])[native_id]
        assert (status.state, status.reason) == ("waiting", "JobHeldUser")
        held.cancel(native_id, tmp_path)

    def test_a_controller_that_does_not_answer_is_not_the_end_of_jobs(
        self, scheduler: Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The port 1 of loopback: nobody listens there.
        text = Path(os.environ["SLURM_CONF"]).read_text()
        lines = [line for line in text.splitlines() if not line.startswith("SlurmctldPort=")]
        other = tmp_path / "slurm.conf"
        other.write_text("\n".join([*lines, "SlurmctldPort=1", "MessageTimeout=1"]) + "\n")
        monkeypatch.setenv("SLURM_CONF", str(other))
        with pytest.raises(NoResource, match="Unable to contact slurm controller"):
            scheduler.status([("17", tmp_path)])
        with pytest.raises(NoResource, match="Unable to contact slurm controller"):
            scheduler.submit(BatchJob("job", ("true",), tmp_path))

    def test_a_users_own_script_is_the_job_with_its_directives(self, tmp_path: Path) -> None:
        script = tmp_path / "ingest2aria.slurm"
        script.write_text(
            "#!/bin/bash\n#SBATCH --job-name=mine\n#SBATCH -p other\n#SBATCH --time=00:05:00\n"
            '#SBATCH --comment=kept\necho "$SLURM_JOB_PARTITION"\n'
            "scontrol show job $SLURM_JOB_ID | grep -E 'Comment|TimeLimit'\n"
        )
        site, own = site_from_script(script, Site(scheduler="slurm"))
        folder = tmp_path / "job"
        folder.mkdir()
        scheduler = scheduler_for(site)
        native_id = scheduler.submit(BatchJob("chunk", body_argv(own, folder), folder))
        assert until(scheduler, {native_id: folder})[native_id].state == "done"
        words = (folder / "stdout").read_text().split()
        assert words[0] == "other"
        assert "Comment=kept" in words
        assert "TimeLimit=00:05:00" in words

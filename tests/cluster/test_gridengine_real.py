"""A real Grid Engine of one host (`cluster.servers.gridengine`)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from alos2.cluster.model import BatchJob, Scheduler
from alos2.cluster.registry import scheduler_for
from alos2.cluster.site import Site
from alos2.cluster.userscript import body_argv, site_from_script
from alos2.errors import NoResource
from cluster.servers.behaviours import RealScheduler, until, until_there
from cluster.servers.daemons import free_ports

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_gridengine")]


class TestGridEngine(RealScheduler):
    site = Site(scheduler="gridengine")
    held = "-h"
    status_commands = ("qstat", "qacct")

    def release(self, native_id: str) -> None:
        subprocess.run(["qrls", native_id], check=True, stdout=subprocess.DEVNULL)

    def test_walltime_is_told(self, scheduler: Scheduler, tmp_path: Path) -> None:
        job = BatchJob("slow", ("sh", "-c", "echo begun; sleep 300"), tmp_path, walltime_s=2)
        native_id = scheduler.submit(job)
        until_there(tmp_path / "stdout")
        status = until(scheduler, {native_id: tmp_path})[native_id]
        assert (status.state, status.reason) == ("killed", "walltime")

    def test_the_warning_before_the_walltime_reaches_the_command(
        self, scheduler: Scheduler, tmp_path: Path
    ) -> None:
        soon = self.with_directives("-l s_rt=1", "-l h_rt=3600")
        tidy = "trap 'echo tidy; exit 143' TERM; while :; do sleep 0.1; done"
        native_id = soon.submit(BatchJob("slow", ("bash", "-c", tidy), tmp_path))
        status = until(scheduler, {native_id: tmp_path})[native_id]
        assert (status.state, status.exit_code) == ("killed", 143)
        assert (tmp_path / "stdout").read_text() == "tidy\n"

    def test_what_no_host_has_waits_until_it_is_cancelled(
        self, scheduler: Scheduler, tmp_path: Path
    ) -> None:
        wide = BatchJob("wide", ("true",), tmp_path, cpus=900)
        native_id = scheduler.submit(wide)
        assert scheduler.status([(native_id, tmp_path)])[native_id].state == "waiting"
        scheduler.cancel(native_id, tmp_path)
        status = until(scheduler, {native_id: tmp_path})[native_id]
        assert status.state in ("killed", "gone")
        assert not (tmp_path / "stdout").exists()

    @pytest.mark.parametrize(
        ("directive", "words"),
        [
            ("-P nope", 'the requested project "nope" does not exist'),
            ("-l nope=1", 'unknown resource "nope"'),
            ("-pe nope 2", 'the requested parallel environment "nope" does not exist'),
        ],
    )
    def test_what_this_site_does_not_have_is_refused_in_its_words(
        self, tmp_path: Path, directive: str, words: str
    ) -> None:
        with pytest.raises(NoResource, match=words):
            self.with_directives(directive).submit(BatchJob("job", ("true",), tmp_path))

    def test_a_master_that_does_not_answer_is_not_the_end_of_jobs(
        self, scheduler: Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SGE_QMASTER_PORT", str(free_ports(1)[0]))
        with pytest.raises(NoResource, match="unable to send message to qmaster"):
            scheduler.status([("17", tmp_path)])
        with pytest.raises(NoResource, match="unable to send message to qmaster"):
            scheduler.submit(BatchJob("job", ("true",), tmp_path))

    def test_a_users_own_script_is_the_job_with_its_directives(self, tmp_path: Path) -> None:
        script = tmp_path / "ingest2aria.sge"
        script.write_text(
            "#!/bin/bash\n#$ -N mine\n#$ -q all.q\n#$ -l h_rt=0:5:0\n#$ -ac kept=yes\n"
            'echo "$QUEUE"\nqstat -j "$JOB_ID" | grep -E "context|h_rt"\n'
        )
        site, own = site_from_script(script, Site(scheduler="gridengine"))
        folder = tmp_path / "job"
        folder.mkdir()
        scheduler = scheduler_for(site)
        native_id = scheduler.submit(BatchJob("chunk", body_argv(own, folder), folder))
        assert until(scheduler, {native_id: folder})[native_id].state == "done"
        text = (folder / "stdout").read_text()
        assert text.split()[0] == "all.q"
        assert "kept=yes" in text
        assert "h_rt=300" in text

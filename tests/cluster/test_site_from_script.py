"""A user's own job script: its directives go on to count, its text is the job's body."""

from __future__ import annotations

from pathlib import Path

import pytest

from alos2.cluster.model import BatchJob, JobStatus
from alos2.cluster.registry import scheduler_for
from alos2.cluster.site import Site
from alos2.cluster.userscript import body_argv, site_from_script
from alos2.errors import UsageError

PBS = """#!/bin/bash
#PBS -N ingest_aria_alos2
#PBS -P eos_insar
#PBS -q q32 -l select=1:ncpus=2:mem=4gb,walltime=120:00:00
#PBS -lplace=free
#PBS -W umask="022"
##PBS -A commented
#PBS -o /home/user/log -j oe
#PBS -m ae -M a@b.example

echo start
#PBS -A too_late
"""


def _script(folder: Path, text: str) -> Path:
    path = folder / "ingest2aria.job"
    path.write_text(text)
    return path


def test_pbs_lines_are_taken_over(tmp_path: Path) -> None:
    site, script = site_from_script(_script(tmp_path, PBS), Site(directives=("-k n",)), {})
    assert (site.scheduler, site.queue, site.project) == ("pbs", "q32", "eos_insar")
    assert site.account is None
    assert site.walltime_s == 120 * 3600
    assert site.directives == (
        "-k n",
        "-l select=1:ncpus=2:mem=4gb",
        "-lplace=free",
        '-W umask="022"',
        "-m ae -M a@b.example",
    )
    assert (script.system, script.name) == ("pbs", "ingest_aria_alos2")
    assert script.directives == site.directives[1:]


def test_queue_of_the_environment_wins_as_qsub_q_would(tmp_path: Path) -> None:
    site, _ = site_from_script(_script(tmp_path, PBS), Site(), {"QUEUE": "mine"})
    assert site.queue == "mine"


def test_torque_reads_pbs_lines_too(tmp_path: Path) -> None:
    site, _ = site_from_script(_script(tmp_path, PBS), Site(scheduler="torque"), {})
    assert (site.scheduler, site.queue) == ("torque", "q32")


def test_another_scheduler_leaves_them_aside(tmp_path: Path) -> None:
    before = Site(scheduler="slurm", queue="debug")
    site, script = site_from_script(_script(tmp_path, PBS), before, {})
    assert site == before
    assert script.system == "pbs"


@pytest.mark.parametrize(
    ("scheduler", "line", "field", "value"),
    [
        ("slurm", "#SBATCH --time=1-12", "walltime_s", 129600),
        ("slurm", "#SBATCH -t 90", "walltime_s", 5400),
        ("slurm", "#SBATCH --time 10:30", "walltime_s", 630),
        ("slurm", "#SBATCH --partition=long # a comment", "queue", "long"),
        ("slurm", "#SBATCH -plong", "queue", "long"),
        ("slurm", "#SBATCH -A acc", "account", "acc"),
        ("gridengine", "#$ -l h_rt=3600", "walltime_s", 3600),
        ("gridengine", "#$ -q all.q -P eos", "project", "eos"),
        ("lsf", "#BSUB -W 1:30", "walltime_s", 5400),
        ("lsf", "#BSUB -W 90", "walltime_s", 5400),
        ("pbs", "#PBS -l walltime=30:00", "walltime_s", 1800),
        ("pbs", "#PBS -l walltime=3600", "walltime_s", 3600),
    ],
)
def test_each_language(
    tmp_path: Path, scheduler: str, line: str, field: str, value: object
) -> None:
    site, script = site_from_script(_script(tmp_path, f"#!/bin/sh\n{line}\n"), Site(), {})
    assert (site.scheduler, getattr(site, field)) == (scheduler, value)
    assert script.directives == ()


@pytest.mark.parametrize(
    "line",
    [
        "#SBATCH --constraint=\"a&b\"",
        "#$ -pe smp 2",
        '#BSUB -R "span[hosts=1] rusage[mem=4000]"',
        "#PBS -l nodes=1:ppn=4",
        "#SBATCH --time=UNLIMITED",
    ],
)  # fmt: skip
def test_what_is_not_taken_stays_word_for_word(tmp_path: Path, line: str) -> None:
    site, _ = site_from_script(_script(tmp_path, f"#!/bin/sh\n{line}\ntrue\n"), Site(), {})
    assert site.directives == (line.split(maxsplit=1)[1],)


def test_a_line_of_both_is_parted(tmp_path: Path) -> None:
    text = "#$ -l h_rt=24:00:00,mem_free=2G -cwd -V -p -10 -j y\n"
    site, _ = site_from_script(_script(tmp_path, text), Site(), {})
    assert site.walltime_s == 86400
    assert site.directives == ("-l mem_free=2G -V -p -10",)


@pytest.mark.parametrize(
    "line", ["#PBS -J 0-9", "#PBS -I", "#SBATCH --array=1-3", "#$ -t 1-3", '#BSUB -J "x[1-3]"']
)
def test_arrays_and_interactive_jobs_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(UsageError, match="array or an interactive job"):
        site_from_script(_script(tmp_path, f"{line}\n"), Site(), {})


def test_a_script_without_directives_changes_nothing(tmp_path: Path) -> None:
    site, script = site_from_script(_script(tmp_path, "echo hi\n"), Site(scheduler="local"), {})
    assert site == Site(scheduler="local")
    assert script.system is None


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none.pbs cannot be read"):
        site_from_script(tmp_path / "none.pbs", Site(), {})


def test_the_body_runs_as_it_was_at_submission(tmp_path: Path, ended) -> None:
    path = _script(
        tmp_path, '#!/bin/bash -e\n#PBS -q x\necho "$ALOS2_CHUNK" \xe9; false; echo no\n'
    )
    path.write_bytes(path.read_bytes() + b"# caf\xe9\n")
    site, script = site_from_script(path, Site(scheduler="local"), {})
    folder = tmp_path / "a chunk"
    argv = body_argv(script, folder)
    assert argv == ("/bin/bash", "-e", str(folder / "body"))
    assert (folder / "body").read_bytes() == path.read_bytes()
    path.write_text("echo edited\n")
    local = scheduler_for(site)
    native_id = local.submit(BatchJob("x", argv, folder, environment={"ALOS2_CHUNK": "a, b"}))
    assert ended(local, native_id, folder) == JobStatus("failed", 1)
    assert (folder / "stdout").read_text() == "a, b \xe9\n"

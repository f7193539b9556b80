"""Torque, whose ``qstat -x`` is XML; the forms are those of its documentation, not of a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from alos2.cluster.batch import from_psij
from alos2.cluster.jobscript import request
from alos2.cluster.model import BatchJob, JobStatus
from alos2.cluster.pbs import TORQUE, TorqueExecutor, torque_directives
from alos2.cluster.psijlink import config_for
from alos2.cluster.site import Site


def _data(*jobs: str) -> str:
    return "<Data>" + "".join(f"<Job>{job}</Job>" for job in jobs) + "</Data>"


def _statuses(tmp_path: Path, code: int, out: str) -> dict[str, JobStatus]:
    found = TorqueExecutor(config=config_for(tmp_path)).parse_status_output(code, out)
    return {each: from_psij(status) for each, status in found.items()}


def test_states(tmp_path: Path) -> None:
    out = _data(
        "<Job_Id>1.head</Job_Id><job_state>Q</job_state>",
        "<Job_Id>2.head</Job_Id><job_state>R</job_state>",
        "<Job_Id>3.head</Job_Id><job_state>C</job_state><exit_status>0</exit_status>",
        "<Job_Id>4.head</Job_Id><job_state>C</job_state><exit_status>7</exit_status>",
        "<Job_Id>5.head</Job_Id><job_state>C</job_state><exit_status>271</exit_status>",
        "<Job_Id>6.head</Job_Id><job_state>C</job_state><exit_status>-3</exit_status>",
    )
    found = _statuses(tmp_path, 153, out)
    assert found["1.head"].state == "waiting"
    assert found["2.head"].state == "running"
    assert found["3.head"] == JobStatus("done", 0)
    assert found["4.head"] == JobStatus("failed", 7)
    assert found["5.head"] == JobStatus("killed", 143, "signal 15")
    assert found["6.head"].state == "killed"
    assert found["6.head"].reason.startswith("never started")


def test_one_document_a_job_is_read_too(tmp_path: Path) -> None:
    one = _data("<Job_Id>1.head</Job_Id><job_state>Q</job_state>")
    two = _data("<Job_Id>2.head</Job_Id><job_state>R</job_state>")
    assert set(_statuses(tmp_path, 0, one + two)) == {"1.head", "2.head"}
    assert _statuses(tmp_path, 153, "qstat: Unknown Job Id Error 9.head\n") == {}


def test_no_answer_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        _statuses(tmp_path, 111, "qstat: cannot connect to server head (errno=111)\n")


def test_ended_jobs_are_asked_for_by_x_which_is_xml_here(tmp_path: Path) -> None:
    executor = TorqueExecutor(config=config_for(tmp_path))
    assert executor.get_status_command(["1", "2"]) == ["qstat", "-f", "-x", "1", "2"]


def test_directives(tmp_path: Path) -> None:
    job = BatchJob("0710", ("true",), tmp_path / "a,b", walltime_s=90)
    site = Site(scheduler="torque", queue="long", project="eos", cpus=2, memory_mb=900)
    lines = torque_directives(request(job, site, longest_name=TORQUE.longest_name))
    assert lines == [
        "-N a0710",
        "-S /bin/bash",
        "-o /dev/null",
        "-j oe",
        "-r n",
        "-l nodes=1:ppn=2",
        "-l mem=900mb",
        "-q long",
        "-A eos",
        "-l walltime=00:01:30",
    ]
    own = Site(scheduler="torque", account="acc", project="eos", directives=("-l nodes=2:ppn=1",))
    lines = torque_directives(request(job, own))
    assert "-l nodes=1:ppn=1" not in lines
    assert lines[-3:] == ["-A acc", "-l walltime=00:01:30", "-l nodes=2:ppn=1"]

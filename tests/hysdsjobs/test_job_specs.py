"""The jobs as HySDS's container-builder, its UI and its workers read them."""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hysdsjobs.rules import HYSDS_IO, JOB_SPEC, REFUSED_MOUNTS

ROOT = Path(__file__).resolve().parents[2]
LABELS = {
    "ingest_alos2_auig2": "ALOS2 Ingest from AUIG2",
    "ingest_alos2_sentinelasia": "ALOS2 Ingest from Sentinel Asia",
    "ingest_alos2_downloadurl": "ALOS2 Ingest from Download URL",
    "ingest_alos2_gportal": "ALOS2 Ingest from G-Portal",
    "ingest_alos2_md": "ALOS2 Ingest of archive metadata",
    "ingest_alos2_downloadurl_isce2": "ALOS2 Ingest from Download URL (ISCE2)",
    "stack_alos2": "ALOS2 Stack of scenes",
}
JOBS = sorted(LABELS)
FIELDS = {
    "ingest_alos2_auig2": {"auig2_orderid", "auig2_username", "auig2_password"},
    "ingest_alos2_sentinelasia": {"data_id", "eor_id", "start_date", "queue"},
    "ingest_alos2_downloadurl": {"download_url"},
}
"""As users have known them."""
SECRET = re.compile(r"pass|secret|token|key\Z", re.I)
"""A `credential` is the name of one."""


def spec_of(job: str) -> dict[str, Any]:
    return json.loads((ROOT / f"job-spec/job-spec.json.{job}").read_text("utf-8"))


def io_of(job: str) -> dict[str, Any]:
    return json.loads((ROOT / f"hysds-io/hysds-io.json.{job}").read_text("utf-8"))


def script_of(job: str) -> str:
    return Path(shlex.split(spec_of(job)["command"])[0]).name


def test_there_are_these_jobs_and_no_others() -> None:
    for folder in ("job-spec", "hysds-io"):
        names = {path.name for path in (ROOT / folder).iterdir()}
        assert names == {f"{folder}.json.{job}" for job in JOBS}


@pytest.mark.parametrize("job", JOBS)
def test_both_files_are_valid(job: str) -> None:
    jsonschema.validate(spec_of(job), JOB_SPEC)
    jsonschema.validate(io_of(job), HYSDS_IO)


def test_all_files_are_valid_by_hysdss_own_schemas() -> None:
    """They are not ours to copy: name the folder ``schemas`` of a checkout of hysds_commons."""
    folder = os.environ.get("HYSDS_SCHEMAS")
    if not folder:
        pytest.skip("HYSDS_SCHEMAS names no folder with the schemas of hysds_commons")
    for read, name in ((spec_of, "job-spec"), (io_of, "hysds-io")):
        schema = json.loads((Path(folder) / f"{name}-schema.json").read_text("utf-8"))
        jsonschema.Draft7Validator.check_schema(schema)
        for job in JOBS:
            jsonschema.Draft7Validator(schema).validate(read(job))


@pytest.mark.parametrize("job", JOBS)
def test_docker_has_committed_relative_links(job: str) -> None:
    """The container-builder reads only docker/, after a git clean."""
    for folder in ("job-spec", "hysds-io"):
        link = ROOT / "docker" / f"{folder}.json.{job}"
        assert str(link.readlink()) == f"../{folder}/{folder}.json.{job}"
        assert json.loads(link.read_text("utf-8"))


def test_docker_has_nothing_else_that_the_builder_would_read() -> None:
    read = {p.name for p in (ROOT / "docker").iterdir() if ".json" in p.name}
    assert read == {f"{kind}.json.{job}" for kind in ("job-spec", "hysds-io") for job in JOBS}
    # A file without a suffix crashes the builder; a setup.sh would run in it.
    assert not {"job-spec.json", "hysds-io.json", "setup.sh"} & read
    assert not (ROOT / "docker/setup.sh").exists()


@pytest.mark.parametrize("job", JOBS)
def test_the_parameters_agree_both_ways(job: str) -> None:
    spec, io = spec_of(job)["params"], io_of(job)["params"]
    assert [p["name"] for p in spec] == [p["name"] for p in io]
    assert FIELDS.get(job, set()) <= {p["name"] for p in io}
    # A positional that is absent shifts those behind it.
    assert {p["destination"] for p in spec} <= {"context"}


@pytest.mark.parametrize("job", JOBS)
def test_how_it_is_shown_and_submitted(job: str) -> None:
    io = io_of(job)
    assert io["label"] == LABELS[job]
    assert (io["component"], io["submission_type"]) == ("figaro", "individual")
    assert isinstance(io["enable_dedup"], bool)
    for parameter in io["params"]:
        assert parameter["from"] == "submitter"
        assert parameter["placeholder"]
        assert "lambda" not in parameter
        # Absent from a REST submission, a parameter takes its default.
        assert parameter.get("optional", False) == ("default" in parameter)
        assert parameter.get("default", "") == ""


@pytest.mark.parametrize("job", JOBS)
def test_no_secret_but_the_one_exception(job: str) -> None:
    names = {p["name"] for p in io_of(job)["params"]}
    secret = {name for name in names if SECRET.search(name)}
    assert secret == ({"auig2_password"} if job == "ingest_alos2_auig2" else set())


def test_the_exception_is_optional_and_says_where_it_stays() -> None:
    (password,) = (p for p in io_of("ingest_alos2_auig2")["params"] if "password" in p["name"])
    assert (password["optional"], password["default"]) == (True, "")
    assert "LEAVE EMPTY" in password["placeholder"]


@pytest.mark.parametrize("job", JOBS)
def test_triage_where_no_password_can_be(job: str) -> None:
    post = spec_of(job).get("post", [])
    assert post == ([] if job == "ingest_alos2_auig2" else ["hysds.triage.triage"])


@pytest.mark.parametrize("job", JOBS)
def test_the_limits(job: str) -> None:
    spec = spec_of(job)
    # HySDS keeps 300 s between the polite and the hard end.
    assert spec["time_limit"] - spec["soft_time_limit"] >= 300
    for host, _ in spec.get("imported_worker_files", {}).items():
        assert not host.startswith(REFUSED_MOUNTS)


@pytest.mark.parametrize("job", JOBS)
def test_the_command_is_one_that_the_image_has(job: str) -> None:
    words = shlex.split(spec_of(job)["command"])
    assert words[0].startswith("/opt/alos2/bin/")
    assert not any(word.startswith("$") for word in words)
    assert (ROOT / "pge" / script_of(job)).is_file()
    assert f'"pge/{script_of(job)}"' in (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize("job", JOBS)
def test_the_job_finds_its_image(job: str) -> None:
    """A job has the image of its own name, else the repository's: any other would be an orphan."""
    images = {p.name for p in (ROOT / "docker").iterdir() if p.name.startswith("Dockerfile")}
    assert "Dockerfile" in images
    assert images <= {"Dockerfile", *(f"Dockerfile.{name}" for name in JOBS)}

"""The operator guide says what the code, the job-specs and the forms say."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from alos2 import errors
from alos2.cli.main import describe
from hysdsjobs.payload import ROOT
from hysdsjobs.rules import JOB_SPEC, REFUSED_MOUNTS
from hysdsjobs.test_job_specs import JOBS, LABELS, io_of, spec_of

DOCS = ROOT / "docs"
GUIDE = (DOCS / "operator-guide.md").read_text("utf-8")
PAGES = ("operator-guide", "publishing", "grq", "credentials")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading."""
    section = GUIDE.partition(f"# {heading}\n")[2].partition("\n#")[0]
    below = itertools.dropwhile(lambda line: not line.startswith("|"), section.splitlines())
    lines = list(itertools.takewhile(lambda line: line.startswith("|"), below))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def every_error(base: type[errors.Alos2Error]) -> Iterator[type[errors.Alos2Error]]:
    for one in base.__subclasses__():
        if one.__module__ == errors.__name__:
            yield one
        yield from every_error(one)


def test_every_error_is_listed_with_its_exit_code_and_what_to_do() -> None:
    told: dict[str, int] = {}
    for names, codes, what, remedy in rows("6. When a job fails"):
        assert len(what) > 10, names
        assert len(remedy) > 10, names
        classes, numbers = words(names), [int(code) for code in codes.split(",")]
        told |= dict(zip(classes, numbers * len(classes), strict=False))
    ours = {one.__name__: one.exit_code for one in every_error(errors.Alos2Error)}
    code, said = describe(ZeroDivisionError("x"))
    assert told == {**ours, said.partition(":")[0]: code}
    # HySDS's facet is of the first 20 characters: they must tell the errors apart.
    assert len({f"{name}: "[:20] for name in told}) == len(told)


@pytest.mark.parametrize("job", JOBS)
def test_the_table_of_jobs_has_each_field_and_no_other(job: str) -> None:
    ((_, label, fields),) = (row for row in rows("4. The jobs") if words(row[0]) == [job])
    assert label == LABELS[job]
    assert set(words(fields)) == {param["name"] for param in io_of(job)["params"]}


def span(seconds: int) -> str:
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds // 60} min"


@pytest.mark.parametrize("job", JOBS)
def test_what_was_chosen_is_what_is_explained(job: str) -> None:
    chosen = {row[0]: row[1] for row in rows("What was chosen, and why")}
    assert all(len(row[2]) > 20 for row in rows("What was chosen, and why")), "and why"
    spec = spec_of(job)
    limits = f"{span(spec['soft_time_limit'])}, {span(spec['time_limit'])}"
    disk = re.sub(r"(\d)([A-Z])", r"\1 \2", spec["disk_usage"])
    (queue,) = spec["recommended-queues"]
    other = "metadata " if job == "ingest_alos2_md" else ""
    assert f"{other}{limits}" in chosen["`soft_time_limit`, `time_limit`"].split("; ")
    assert f"{other}{disk}" in chosen["`disk_usage`"].split("; ")
    size = queue.removeprefix("factotum-job_worker")
    assert f"metadata `{size}`" in chosen["queue"] if other else f"`{queue}`" in chosen["queue"]
    url = "downloadurl" in job
    assert chosen["`enable_dedup`"] == "true for the URL jobs, false for the others"
    assert io_of(job)["enable_dedup"] is url
    assert chosen["triage (`post`)"] == "all but AUIG2"


def anchors(page: str) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    heads = re.findall(r"^#+ (.+)$", (DOCS / page).read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (DOCS / f"{page}.md").read_text("utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert (DOCS / target).exists(), target
    for target, anchor in re.findall(r"\]\(([^)#]+)#([^)]+)\)", text):
        assert anchor in anchors(target), (target, anchor)


def test_every_setting_of_the_cluster_is_in_the_table() -> None:
    text = (DOCS / "grq.md").read_text("utf-8")
    for service in ("MOZART", "GRQ", "JOBS"):
        for what in ("URL", "CA", "FINGERPRINT"):
            assert f"`ALOS2_{service}_{what}`" in text


def test_what_an_operator_may_add_to_a_job_spec_is_taken_by_the_rules() -> None:
    (option,) = re.findall(r'"runtime_options": (\{.*?\})', GUIDE)
    (mounts,) = re.findall(r'"imported_worker_files": (\{.*?\})`', GUIDE)
    spec: dict[str, Any] = spec_of("ingest_alos2_md")
    assert "imported_worker_files" not in spec, "as the guide says"
    spec |= {"runtime_options": json.loads(option), "imported_worker_files": json.loads(mounts)}
    jsonschema.validate(spec, JOB_SPEC)
    # HySDS hands each as two words to docker run: `--env-file FILE`.
    assert all(isinstance(value, str) for value in spec["runtime_options"].values())
    assert not any(host.startswith(REFUSED_MOUNTS) for host in spec["imported_worker_files"])
    assert all(f"`{place}`" in GUIDE for place in REFUSED_MOUNTS)

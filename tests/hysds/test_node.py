"""Fan-out over real indices: the catalogue and HySDS's own jobs, in an OpenSearch node."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import make_dataclass
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue import GrqCatalogue, Rest, grq_document
from alos2.hysds.fanout import MozartFanOut, for_work
from alos2.hysds.jobbook import JobIndex, child_key, payload_hash
from alos2.hysds.workdir import WorkDir
from alos2.types import Json

pytestmark = pytest.mark.slow

KEYWORD = {"type": "keyword", "ignore_above": 256}
JOB_STATUS: Json = {
    "index_patterns": ["job_status*", "job_failed*"],
    "aliases": {"job_status": {}, "job_status-current": {}},
    "mappings": {
        "properties": {
            "payload_hash": KEYWORD,
            "status": KEYWORD,
            "payload_id": KEYWORD,
            "dedup_job": KEYWORD,
            "@timestamp": {"type": "date"},
        }
    },
}
"""The part of HySDS's template that matters here."""


@pytest.fixture
def node(node_url: str) -> Iterator[Rest]:
    """The node, with the template of HySDS's jobs; tests keep apart by their deliveries' ids."""
    with Rest("node", node_url) as rest:
        rest.call("PUT", "/_template/job_status", body=JOB_STATUS)
        yield rest


def write(node: Rest, job_id: str, document: Json, index: str = "job_status-2026.11.20") -> None:
    node.call("PUT", f"/{index}/_doc/{job_id}", body=document, params={"refresh": "true"})


def test_the_jobs_of_a_delivery(node: Rest) -> None:
    jobs, key = JobIndex(node), child_key("sentinel-asia", uuid.uuid4().hex)
    assert jobs.children(key) == []
    for generation, status in ((0, "job-completed"), (10, "job-failed"), (300, "job-started")):
        digest = payload_hash(key, generation)
        index = "job_failed" if status == "job-failed" else "job_status-2026.11.20"
        document = {"payload_hash": digest, "status": status}
        write(node, digest, {**document, "@timestamp": "2026-11-20T01:02:03.456789Z"}, index)
        write(node, f"{digest}-copy", {**document, "status": "job-deduped"})
    other = payload_hash(child_key("sentinel-asia", "another"), 0)
    write(node, other, {"payload_hash": other, "status": "job-queued"})
    write(node, f"{key}-strange", {"payload_hash": f"{key}zzzz", "status": "job-queued"})
    found = jobs.children(key)
    assert [(child.generation, child.status) for child in found] == [
        (300, "job-started"),
        (10, "job-failed"),
        (0, "job-completed"),
    ]
    assert [child.live for child in found] == [True, False, False]
    assert found[0].when is not None
    assert found[0].when.isoformat() == "2026-11-20T01:02:03.456789+00:00"


def test_from_submission_to_deletion_and_back(
    node: Rest, cluster: Any, tmp_path: Path, context_text: str
) -> None:
    """A dataset is ingested, held, deleted, and ingested again by the next search."""
    data_id = f"JPJX{uuid.uuid4().hex}"
    fields = ["data_id", "provider", "id", "title", "order_id", "eor_id"]
    item = make_dataclass("Item", fields)(data_id, "sentinel-asia", data_id, "", None, None)
    (tmp_path / "_context.json").write_text(context_text)
    (tmp_path / "celeryconfig.py").write_text(
        f"HOST = {node.url!r}\n"
        f"MOZART_REST_URL = {cluster.mozart.url!r}\n"
        "JOBS_ES_URL = [HOST]\n"
        'GRQ_ES_URL = f"{HOST}"\n'
    )
    document = grq_document(
        f"TEST-{data_id}",
        {
            "version": "v1.0",
            "location": {"type": "Polygon", "coordinates": [[[1, 2], [3, 2], [3, 4], [1, 2]]]},
            "starttime": "2020-01-01T00:00:00Z",
            "endtime": "2020-01-01T00:00:00Z",
        },
        {"source": {"data_id": data_id}},
        ipath="ariamh::data/ALOS2_Node_Test", level="l2.1", dataset_type="t",
    )  # fmt: skip
    catalogue = GrqCatalogue(node, visible_at_once=True)

    def fan_out() -> MozartFanOut:
        for job in cluster.mozart.jobs:
            write(node, job.id, job.document())
        return for_work(WorkDir(tmp_path), "alos2-worker")

    def submit() -> str:
        made = fan_out()
        try:
            return str(made.submit(item, queue="alos2-worker"))
        finally:
            made.close()

    try:
        assert "submitted" in submit()
        assert "under way" in submit()
        catalogue.put(document)
        cluster.mozart.end(cluster.mozart.jobs[0])
        assert f"held as TEST-{data_id}" in submit()
        catalogue.remove(document)
        assert "its dataset is not there" in submit()
        assert "under way" in submit()
    finally:
        node.call("DELETE", "/grq_v1.0_alos2_node_test", accept=(404,))
        node.call("DELETE", "/_template/alos2_grq", accept=(404,))
    assert [job.params["data_id"] for job in cluster.mozart.running] == [data_id, data_id]
    assert len({job.payload_hash for job in cluster.mozart.running}) == 2
    assert json.loads(cluster.mozart.jobs[0].form["params"])["queue"] == ""

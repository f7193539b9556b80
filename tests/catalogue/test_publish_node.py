"""``--catalogue`` of ``alos2 publish`` and ``alos2 ingest --publish``, against a real node."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue import Rest
from alos2.types import Json

pytestmark = pytest.mark.slow

AWAY = "http://127.0.0.1:1"


@dataclass
class Grq:
    """The node as the catalogue of a cluster, under HySDS's own alias."""

    rest: Rest
    made: set[str] = field(default_factory=set)

    def documents(self, dataset_id: str) -> list[Json]:
        """Return all that the alias holds under an id, and with it its index and version."""
        self.rest.call("POST", "/grq/_refresh", params={"ignore_unavailable": "true"})
        found = self.rest.call(
            "POST",
            "/grq/_search",
            body={"version": True, "query": {"term": {"_id": dataset_id}}},
            params={"ignore_unavailable": "true"},
        ).content
        hits: list[Json] = found["hits"]["hits"]
        self.made |= {hit["_index"] for hit in hits}
        return hits


@pytest.fixture
def grq(node_url: str) -> Iterator[Grq]:
    with Rest("GRQ", node_url) as rest:
        # As GRQ's own template: the alias does not hang on ours, which another test may remove.
        own = {"index_patterns": ["grq_*"], "order": 0, "aliases": {"grq": {}}}
        rest.call("PUT", "/_template/grq", body=own)
        place = Grq(rest)
        yield place
        for index in place.made:
            rest.call("DELETE", f"/{index}", accept=(404,))
        rest.call("DELETE", "/_template/grq", accept=(404,))


def alos2(*arguments: object, grq: str = "") -> subprocess.CompletedProcess[str]:
    names = {"ALOS2_GRQ_URL": grq} if grq else {}
    return subprocess.run(
        [sys.executable, "-m", "alos2", *map(str, arguments)],
        env={**os.environ, **names},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_from_ingest_to_the_catalogue_and_again(grq: Grq, deliveries: Any, tmp_path: Path) -> None:
    """Again: nothing changes. Published elsewhere: the catalogue tells where it is now."""
    url, name = grq.rest.url, deliveries.slc_id
    made, out = tmp_path / "made", tmp_path / "archive"
    ingest = ("ingest", deliveries.slc, "--no-tiles", "--json", "--out", made)
    done = alos2(*ingest, "--publish", out, "--catalogue", grq=url)
    assert done.returncode == 0, done.stderr
    line = json.loads(done.stdout)["published"]
    assert (line["status"], line["catalogued"]) == ("new", True)
    (hit,) = grq.documents(name)
    document = hit["_source"]
    assert hit["_index"] == line["index"] == "grq_v1.0_alos2-l1.1-slc"
    assert document["urls"] == line["urls"] == [(out / name).as_uri()]
    met = json.loads((out / name / f"{name}.met.json").read_text())
    assert document["metadata"] == met
    assert (document["id"], document["dataset"]) == (name, "ALOS2-L1.1-SLC")
    assert document["location"]["type"] == "polygon"
    assert document["center"]["type"] == "point"
    assert document["temporal_span"] == 0
    publish = ("publish", made / name, "--to", out, "--catalogue", "--json")
    for again in (alos2(*publish, grq=url), alos2(*publish, grq=url)):
        assert again.returncode == 0, again.stderr
        line = json.loads(again.stdout)
        assert (line["status"], line["catalogued"]) == ("unchanged", True)
    assert [found["_version"] for found in grq.documents(name)] == [1]
    elsewhere = tmp_path / "elsewhere"
    moved = alos2("publish", made / name, "--to", elsewhere, "--catalogue", "--json", grq=url)
    assert moved.returncode == 0, moved.stderr
    (hit,) = grq.documents(name)
    assert hit["_version"] == 2
    assert hit["_source"]["urls"] == [(elsewhere / name).as_uri()]


def test_a_catalogue_that_fails_after_the_upload(grq: Grq, deliveries: Any, tmp_path: Path) -> None:
    """The dataset stays, the operator is told so, and the same command files it later."""
    name = deliveries.geotiff_id
    made, out = tmp_path / "made", tmp_path / "archive"
    ingest = ("ingest", deliveries.geotiff, "--no-tiles", "--json", "--out", made)
    failed = alos2(*ingest, "--publish", out, "--catalogue", grq=AWAY)
    assert failed.returncode == 7
    assert f"{name} stays published at {out / name}" in failed.stderr
    assert "PublishFailed: GRQ at 127.0.0.1:1 does not answer" in failed.stderr
    assert json.loads(failed.stdout)["published"] is None
    whole = {p.name for p in (made / name).rglob("*") if p.is_file()}
    assert {p.name for p in (out / name).rglob("*") if p.is_file()} == whole
    assert grq.documents(name) == []
    # An index that learnt another type for the outline: refused, and told what to do.
    index = "grq_v1.0_alos2_geotiff"
    grq.rest.call(
        "PUT", f"/{index}", body={"mappings": {"properties": {"location": {"type": "keyword"}}}}
    )
    grq.made.add(index)
    refused = alos2(*ingest, "--publish", out, "--catalogue", grq=grq.rest.url)
    assert refused.returncode == 7
    assert f"the index {index} takes location for keyword" in refused.stderr
    grq.rest.call("DELETE", f"/{index}")
    later = alos2(*ingest, "--publish", out, "--catalogue", grq=grq.rest.url)
    assert later.returncode == 0, later.stderr
    line = json.loads(later.stdout)
    assert (line["status"], line["published"]["status"]) == ("unchanged", "unchanged")
    assert [hit["_index"] for hit in grq.documents(name)] == [index]


def test_what_makes_no_sense_is_said_before_anything_is_fetched(
    deliveries: Any, tmp_path: Path
) -> None:
    ingest = ("ingest", deliveries.slc, "--out", tmp_path / "never", "--catalogue")
    alone = alos2(*ingest, grq=AWAY)
    assert (alone.returncode, "add --publish" in alone.stderr) == (2, True)
    nowhere = alos2(*ingest, "--publish", tmp_path / "archive")
    assert (nowhere.returncode, "ALOS2_GRQ_URL" in nowhere.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []

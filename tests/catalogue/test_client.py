"""A client library sends the very bodies that our own requests send."""

from __future__ import annotations

import importlib
import json
import sys

import pytest

from alos2.catalogue import GrqCatalogue, Rest, grq_document
from alos2.catalogue.client import ClientRequests
from alos2.errors import PublishFailed, UsageError
from fakes.service import Asked, Said, Service

SHARDS = {"total": 1, "successful": 1, "failed": 0}
MISSING = {"error": {"type": "index_not_found_exception", "reason": "no such index"}}


def answer(asked: Asked) -> Said:
    """Say what a node would, to all that a catalogue asks; the document is there already."""
    path = asked.target.partition("?")[0]
    version = {"number": "7.10.2", "build_flavor": "default"}
    mapping = {"properties": {"location": {"type": "geo_shape"}}}
    conflict = {"error": {"type": "version_conflict_engine_exception", "reason": "!"}}
    old = {"found": True, "_seq_no": 3, "_primary_term": 1, "_source": {"id": "old"}}
    done = {"count": 1, "hits": {"hits": []}, "_shards": SHARDS, "acknowledged": True}
    cases = [
        (path == "/", Said(content={"version": version, "tagline": "You Know, for Search"})),
        (path.startswith("/_template") and asked.method == "GET", Said(404)),
        ("/_create/" in path, Said(409, conflict)),
        (path.endswith("/_mapping"), Said(content={"grq_x": {"mappings": mapping}})),
        ("/_doc/" in path and asked.method == "GET", Said(content=old)),
        (path == "/other/_count", Said(404, MISSING)),
    ]
    return next((said for matches, said in cases if matches), Said(content=done))


def use(catalogue: GrqCatalogue) -> None:
    document = grq_document(
        "ALOS2-é-1",
        {
            "version": "v1.0",
            "location": {"type": "Polygon", "coordinates": [[[1, 2], [3, 2], [3, 4], [1, 2]]]},
            "starttime": "2020-01-01T00:00:00Z",
            "endtime": "2020-01-01T00:00:00Z",
        },
        {"title": "Überschwemmung 洪水", "prf_hz": 1.0, "tags": []},
        ipath="ariamh::data/ALOS2_GeoTIFF", level="l2.1", dataset_type="t",
    )  # fmt: skip
    assert catalogue.exists("ALOS2-é-1")
    assert catalogue.holds("JPJX 洪水/1") is None
    assert catalogue.put(document) == "updated"
    assert catalogue.remove(document)


@pytest.mark.parametrize(
    ("module", "name"), [("elasticsearch", "Elasticsearch"), ("opensearchpy", "OpenSearch")]
)
@pytest.mark.filterwarnings("ignore")
def test_both_send_the_same(module: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        with monkeypatch.context() as without:
            # elasticsearch 7 breaks on NumPy 2, and does without it where there is none.
            without.setitem(sys.modules, "numpy", None)
            library = importlib.import_module(module)
    except ImportError:
        pytest.skip(f"the {module} client is not installed (extra: elasticsearch)")
    sent: list[list[tuple[str, str, bytes]]] = []
    with Service(answer) as service:
        with Rest("GRQ", service.url) as rest:
            use(GrqCatalogue(rest))
        sent.append([(a.method, a.target, a.body) for a in service.asked])
        service.asked.clear()
        client = getattr(library, name)([service.url])
        use(GrqCatalogue(ClientRequests(client)))
        sent.append([(a.method, a.target, a.body) for a in service.asked if a.target != "/"])
        with pytest.raises(PublishFailed, match=r"HTTP 404|no such index"):
            ClientRequests(client).call("POST", "/other/_count", body={})
        assert not GrqCatalogue(ClientRequests(client), alias="other").exists("x")
        client.transport.close()
    ours, theirs = sent
    assert theirs == ours
    assert len(ours) > 8
    assert all(json.loads(body) for _, _, body in ours if body)


def test_something_else_is_no_client() -> None:
    with pytest.raises(UsageError, match="no client of the right kind"):
        ClientRequests(object())

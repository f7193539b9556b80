"""The catalogue against a real OpenSearch 2 node."""

from __future__ import annotations

import copy
import itertools
import json
import threading
from typing import Any

import pytest

from alos2.catalogue import GrqCatalogue, Rest
from alos2.catalogue.mapping import template_name
from alos2.errors import PublishFailed
from alos2.types import Json

pytestmark = pytest.mark.slow


def stored(node: Any, document: Json) -> Json:
    node.refresh()
    found = node.call(
        "POST", f"/{node.alias}/_search", {"query": {"term": {"_id": document["id"]}}}
    )
    assert found["hits"]["total"]["value"] == 1
    hit: Json = found["hits"]["hits"][0]
    return hit


def types_of(mapping: Json, path: str = "") -> dict[str, str]:
    """Return the type of each field by its path."""
    found: dict[str, str] = {}
    for name, field in mapping.get("properties", {}).items():
        here = f"{path}{name}"
        if "properties" in field:
            found |= types_of(field, f"{here}.")
        else:
            found[here] = json.dumps(field, sort_keys=True)
    return found


def one_index(node: Any, documents: list[Json]) -> dict[str, str]:
    """File all documents in one index, and return the types of its fields."""
    for number, document in enumerate(documents):
        same = {**document, "dataset": "ALOS2_ALL", "id": f"{document['id']}-{number}"}
        assert node.catalogue().put(same) == "created"
    index = f"{node.alias}_v1.0_alos2_all"
    mapping: Json = node.call("GET", f"/{index}/_mapping")[index]["mappings"]
    node.call("DELETE", f"/{index}")
    return types_of(mapping)


def test_filing_and_finding(node: Any, each_document: Json) -> None:
    document = each_document
    catalogue = node.catalogue()
    assert not catalogue.exists(document["id"])
    assert catalogue.put(document) == "created"
    node.refresh()
    assert catalogue.exists(document["id"])
    assert not catalogue.exists(document["id"][:-1])
    hit = stored(node, document)
    assert hit["_source"] == document
    assert hit["_index"] == f"{node.alias}_v1.0_{document['dataset']}".lower()


def test_a_document_is_found_at_once_if_that_is_asked_for(
    node: Any, golden_documents: list[Json]
) -> None:
    catalogue = GrqCatalogue(node.rest, alias=node.alias, visible_at_once=True)
    catalogue.put(golden_documents[0])
    assert catalogue.exists(golden_documents[0]["id"])


def test_doing_it_again_changes_nothing(node: Any, each_document: Json) -> None:
    document = each_document
    catalogue = node.catalogue()
    assert [catalogue.put(document) for _ in range(3)] == ["created", "unchanged", "unchanged"]
    index = stored(node, document)["_index"]
    assert node.call("GET", f"/{index}/_doc/{document['id']}")["_version"] == 1
    catalogue.ingest(document)
    assert node.call("GET", f"/{index}/_doc/{document['id']}")["_version"] == 1


def test_another_document_replaces_it_unless_it_shall_not(node: Any, document: Json) -> None:
    catalogue = node.catalogue()
    catalogue.put(document)
    other = copy.deepcopy(document)
    other["metadata"]["tags"] = ["flood"]
    assert catalogue.put(other, replace=False) == "present"
    assert stored(node, document)["_source"] == document
    assert catalogue.put(other) == "updated"
    assert stored(node, document)["_source"] == other
    fewer = copy.deepcopy(other)
    del fewer["metadata"]["software"]
    assert catalogue.put(fewer) == "updated"
    assert "software" not in stored(node, document)["_source"]["metadata"]


def test_what_people_and_grq_added_stays(node: Any, document: Json) -> None:
    catalogue = node.catalogue()
    catalogue.put(document)
    index = stored(node, document)["_index"]
    added = {"city": [{"name": "Somewhere"}], "metadata": {"user_tags": ["nice"]}}
    node.call("POST", f"/{index}/_update/{document['id']}?refresh=true", {"doc": added})
    assert catalogue.put(document) == "unchanged"
    assert stored(node, document)["_source"]["metadata"]["user_tags"] == ["nice"]
    other = copy.deepcopy(document)
    other["urls"] = ["https://example.org/elsewhere"]
    assert catalogue.put(other) == "updated"
    now = stored(node, document)["_source"]
    assert now["metadata"]["user_tags"] == ["nice"]
    assert now["urls"] == ["https://example.org/elsewhere"]


def test_removed_is_gone(node: Any, document: Json) -> None:
    catalogue = node.catalogue()
    catalogue.put(document)
    assert catalogue.remove(document)
    node.refresh()
    assert not catalogue.exists(document["id"])
    assert not catalogue.remove(document)
    assert catalogue.put(document) == "created"


def test_data_ids_are_found_exactly(node: Any, golden_documents: list[Json]) -> None:
    catalogue = node.catalogue()
    assert catalogue.holds("JPJXisis0001201908160001") is None
    for number, document in enumerate(golden_documents):
        document["metadata"]["source"]["data_id"] = f"JPJX isis/{number} a-b"
        catalogue.put(document)
    node.refresh()
    for number, document in enumerate(golden_documents):
        assert catalogue.holds(f"JPJX isis/{number} a-b") == document["id"]
    for other in ("JPJX isis/0", "jpjx isis/0 a-b", "JPJX isis/9 a-b", "*", ""):
        assert catalogue.holds(other) is None


def test_every_golden_document_fits_one_index_in_any_order(
    node: Any, golden_documents: list[Json]
) -> None:
    first = one_index(node, golden_documents)
    for order in itertools.islice(itertools.permutations(golden_documents), 5, None, 9):
        assert one_index(node, list(order)) == first
    assert json.loads(first["location"]) == {"type": "geo_shape"}
    assert json.loads(first["center"]) == {"type": "geo_shape"}
    for name in ("starttime", "creation_timestamp", "metadata.center_time", "metadata.prod_date"):
        assert json.loads(first[name]) == {"type": "date"}, name
    assert json.loads(first["metadata.tags"])["fields"]["keyword"]["ignore_above"] == 256
    assert json.loads(first["metadata.orbitNumber"]) == {"type": "long"}
    assert json.loads(first["metadata.sensor.prf_hz"]) == {"type": "double"}


def test_a_tag_that_looks_like_a_date_teaches_nothing(
    node: Any, golden_documents: list[Json]
) -> None:
    catalogue = node.catalogue()
    for number, tag in enumerate(("2015-03-15", "flood", "12", "true")):
        document = copy.deepcopy(golden_documents[0])
        document["id"] = f"{document['id']}-{number}"
        document["metadata"]["tags"] = [tag]
        document["metadata"]["alos2md"]["lbi_processfacility"] = tag
        document["metadata"]["source"]["title"] = tag
        assert catalogue.put(document) == "created"
    node.refresh()
    found = node.call(
        "POST", f"/{node.alias}/_count", {"query": {"term": {"metadata.tags.keyword": "flood"}}}
    )
    assert found["count"] == 1


def test_scenes_are_found_by_place_also_across_the_antimeridian(
    node: Any, golden_documents: list[Json]
) -> None:
    cut = next(d for d in golden_documents if d["location"]["type"] == "multipolygon")
    for document in golden_documents:
        node.catalogue().put(document)
    node.refresh()
    longitude, latitude = cut["center"]["coordinates"]
    for field in ("location", "center"):
        box = {
            "type": "envelope",
            "coordinates": [
                [longitude - 0.01, latitude + 0.01],
                [longitude + 0.01, latitude - 0.01],
            ],
        }
        query = {"geo_shape": {field: {"shape": box, "relation": "intersects"}}}
        hits = node.call("POST", f"/{node.alias}/_search", {"query": query})["hits"]["hits"]
        assert [hit["_id"] for hit in hits] == [cut["id"]], field


def test_two_writers_at_once_make_one_whole_document(
    node_url: str, node: Any, golden_documents: list[Json]
) -> None:
    """Twenty threads write two versions each; none fails, and one version is there as a whole."""
    document = golden_documents[0]
    others = []
    for number in range(20):
        other = copy.deepcopy(document)
        other["metadata"]["tags"] = [f"writer-{number}"]
        other["urls"] = [f"https://example.org/{number}"]
        others.append(other)
    outcomes: list[str] = []
    errors: list[Exception] = []
    start = threading.Barrier(len(others))

    def write(mine: Json) -> None:
        with Rest("GRQ", node_url) as rest:
            start.wait()
            try:
                outcomes.append(GrqCatalogue(rest, alias=node.alias).put(mine))
            except PublishFailed as error:
                errors.append(error)

    threads = [threading.Thread(target=write, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    node.refresh()
    assert errors == []
    assert outcomes.count("created") == 1
    assert outcomes.count("updated") == len(others) - 1
    assert stored(node, document)["_source"] in others


def test_the_same_document_from_two_writers_is_written_once(
    node_url: str, node: Any, golden_documents: list[Json]
) -> None:
    document = golden_documents[0]
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def write() -> None:
        with Rest("GRQ", node_url) as rest:
            start.wait()
            outcomes.append(GrqCatalogue(rest, alias=node.alias).put(document))

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["created", *["unchanged"] * 7]


def test_an_operators_template_of_our_name_stays(node: Any, document: Json) -> None:
    own = {"index_patterns": [f"{node.alias}_*"], "aliases": {node.alias: {}, "mine": {}}}
    own["mappings"] = {"properties": {"location": {"type": "geo_shape"}}}
    name = template_name(node.alias)
    node.call("PUT", f"/_template/{name}", own)
    node.catalogue().put(document)
    now = node.call("GET", f"/_template/{name}")[name]
    assert now["index_patterns"] == [f"{node.alias}_*"]
    assert "mine" in now["aliases"]


def test_our_template_lies_over_hysdss_own(node: Any, document: Json) -> None:
    """HySDS's template of order 0 goes on giving its analyser and settings."""
    hysds = {
        "order": 0,
        "index_patterns": [f"{node.alias}_*"],
        "settings": {"index.refresh_interval": "5s"},
        "aliases": {node.alias: {}},
        "mappings": {
            "dynamic_templates": [
                {
                    "strings": {
                        "match_mapping_type": "string",
                        "match": "*",
                        "mapping": {
                            "type": "text",
                            "copy_to": "text_fields",
                            "fields": {"keyword": {"type": "keyword", "ignore_above": 256}},
                        },
                    }
                }
            ],
            "properties": {"text_fields": {"type": "text"}, "location": {"type": "geo_shape"}},
        },
    }
    node.call("PUT", f"/_template/{node.alias}_hysds", hysds)
    try:
        node.catalogue().put(document)
        index = stored(node, document)["_index"]
        settings = node.call("GET", f"/{index}/_settings")[index]["settings"]["index"]
        mapping = node.call("GET", f"/{index}/_mapping")[index]["mappings"]
    finally:
        node.call("DELETE", f"/_template/{node.alias}_hysds")
    assert settings["refresh_interval"] == "5s"
    assert settings["mapping"]["total_fields"]["limit"] == "4000"
    assert mapping["date_detection"] is False
    assert mapping["properties"]["text_fields"] == {"type": "text"}
    assert mapping["properties"]["metadata"]["properties"]["prod_date"] == {"type": "date"}


def test_an_index_that_takes_location_for_text_is_refused(node: Any, document: Json) -> None:
    index = f"{node.alias}_v1.0_{document['dataset']}".lower()
    node.call("PUT", f"/{index}", {"mappings": {"properties": {"location": {"type": "keyword"}}}})
    with pytest.raises(PublishFailed, match=r"takes location for keyword") as caught:
        node.catalogue().put(document)
    assert caught.value.exit_code == 7


def test_an_index_without_a_mapping_gets_ours(node: Any, document: Json) -> None:
    own = {"index_patterns": [f"{node.alias}_*"], "aliases": {node.alias: {}}}
    node.call("PUT", f"/_template/{template_name(node.alias)}", own)
    node.catalogue().put(document)
    index = stored(node, document)["_index"]
    mapping = node.call("GET", f"/{index}/_mapping")[index]["mappings"]
    assert mapping["properties"]["location"] == {"type": "geo_shape"}
    assert mapping["date_detection"] is False


def test_the_servers_reason_is_told(node: Any, document: Json) -> None:
    catalogue = node.catalogue()
    document["location"] = {"type": "polygon", "coordinates": [[[1, 1], [2, 2], [1, 2], [2, 1]]]}
    with pytest.raises(PublishFailed, match=r"\(HTTP 400\).*location.*geo_shape.*; "):
        catalogue.put(document)
    assert not catalogue.exists(document["id"])


def test_real_summary_keys_stay_below_the_limit_of_fields(
    node: Any, golden_documents: list[Json]
) -> None:
    """Summaries of hundreds of keys, as ScanSAR's are, in one index."""
    document = golden_documents[0]
    document["metadata"]["alos2md"] |= {f"pdi_key_{n}": str(n) for n in range(900)}
    assert node.catalogue().put(document) == "created"

"""The STAC API over HTTP: landing, collections, search, paging, fields, sort, errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from fakes.served import CEOS, GEOTIFF, SCAN, SLC

GEOJSON = "application/geo+json"


def test_the_landing_page_says_what_there_is(served: Any) -> None:
    answer = served.get("/stac")
    page = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert page["type"] == "Catalog"
    assert page["title"] == "Test archive"
    assert served.get("/stac/conformance").json()["conformsTo"] == page["conformsTo"]
    rels = {link["rel"]: link["href"] for link in page["links"]}
    for rel in ("self", "data", "search", "conformance", "service-desc", "service-doc"):
        assert served.get(rels[rel].removeprefix(served.url)).status_code == 200, rel
    children = {link["title"] for link in page["links"] if link["rel"] == "child"}
    assert children == {"ALOS2_CEOS", "ALOS2_GeoTIFF", "ALOS2-L1.1-SLC"}


def test_collections_have_extents_and_summaries(served: Any) -> None:
    found = {one["id"]: one for one in served.get("/stac/collections").json()["collections"]}
    slc = found["ALOS2-L1.1-SLC"]
    assert slc["extent"]["spatial"]["bbox"] == [[139.0, 32.2, 143.9, 36.0]]
    assert slc["extent"]["temporal"]["interval"][0][0].startswith("2015-03-15T")
    assert slc["summaries"]["sar:instrument_mode"] == ["FBD", "WBD"]
    # The outlines cross the antimeridian: the collection's box is the whole belt.
    assert found["ALOS2_CEOS"]["extent"]["spatial"]["bbox"] == [[-180.0, -17.6, 180.0, -16.9]]
    one = served.get("/stac/collections/ALOS2_CEOS")
    assert one.json() == found["ALOS2_CEOS"]
    missing = served.get("/stac/collections/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "NotFound")


def test_items_are_whole_and_their_addresses_lead_to_files(served: Any) -> None:
    stored = next(item for item in served.items if item["id"] == GEOTIFF)
    answer = served.get(f"/stac/collections/ALOS2_GeoTIFF/items/{GEOTIFF}")
    item = answer.json()
    assert answer.headers["content-type"] == GEOJSON
    assert item["collection"] == "ALOS2_GeoTIFF"
    for key in ("geometry", "bbox", "properties", "stac_extensions"):
        assert item[key] == stored[key]
    rels = [link["rel"] for link in item["links"]]
    assert rels[:4] == ["self", "root", "parent", "collection"]
    assert rels[4:] == [link["rel"] for link in stored["links"]]
    assert item["links"][0]["href"] == answer.url
    href = item["assets"]["thumbnail-hh"]["href"]
    assert href.startswith(f"{served.url}/files/{GEOTIFF}/IMG-HH-")
    assert served.get(href.removeprefix(served.url)).content.startswith(b"\x89PNG")
    for path in ("items/nothing", f"items/{SLC}"):
        assert served.get(f"/stac/collections/ALOS2_GeoTIFF/{path}").status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("bbox=139,35,140,36&datetime=2015-03-15T00:00:00Z/2015-03-16T00:00:00Z", {SLC}),
        ("bbox=179.8,-18,-179.9,-16&limit=1&sortby=datetime", {CEOS}),
        ("bbox=-179.9,-18,-179.8,-16&limit=1&sortby=datetime", {CEOS}),
        ("bbox=0,0,1,1", set()),
        (f"ids={SLC},{SCAN}", {SLC, SCAN}),
        ("collections=ALOS2_CEOS&datetime=../2014-08-02T00:00:00Z", {CEOS}),
        ("mode=WBD&datetime=../2023-04-01T00:00:00Z", {SCAN}),
        ("level=2.1&pol=HH,HV&datetime=../2017-02-10T00:00:00Z", {GEOTIFF}),
        ("path=97&frame=2900&pass=ascending&look=R&sortby=datetime&limit=1", {SLC}),
        ("off_nadir=29/30&sortby=id&limit=1", {CEOS}),
        ("kind=alos2_geotiff&sortby=datetime&limit=1", {GEOTIFF}),
        ("mode=XYZ", set()),
    ],
)
def test_searches_find_what_they_ask_for(served: Any, query: str, expected: set[str]) -> None:
    assert set(served.ids(f"/stac/search?{query}")) == expected


def test_get_and_post_find_the_same(served: Any) -> None:
    polygon = {
        "type": "Polygon",
        "coordinates": [[[139.1, 35.1], [139.4, 35.1], [139.3, 35.4], [139.1, 35.1]]],
    }
    when = "2015-03-01T00:00:00Z/2015-05-01T00:00:00Z"
    by_get = served.ids(
        "/stac/search", params={"intersects": json.dumps(polygon), "datetime": when}
    )
    body = {"intersects": polygon, "datetime": when}
    by_post = [one["id"] for one in served.post("/stac/search", body).json()["features"]]
    assert by_get == by_post
    assert len(by_get) == 4


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_next_links_lead_through_all_items_once(served: Any, method: str) -> None:
    body: dict[str, Any] = {"limit": 7, "sortby": [{"field": "id", "direction": "asc"}]}
    seen: list[str] = []
    answer = (
        served.post("/stac/search", body)
        if method == "POST"
        else served.get("/stac/search?limit=7&sortby=%2Bid")
    )
    for _ in range(9):
        page = answer.json()
        seen += [one["id"] for one in page["features"]]
        following = [link for link in page["links"] if link["rel"] == "next"]
        if not following:
            break
        path = following[0]["href"].removeprefix(served.url)
        assert following[0]["method"] == method
        answer = served.post(path, following[0]["body"]) if method == "POST" else served.get(path)
    assert seen == sorted(item["id"] for item in served.items)


def test_a_token_belongs_to_its_search(served: Any) -> None:
    page = served.get("/stac/search?limit=2").json()
    token = next(link for link in page["links"] if link["rel"] == "next")["href"].split("token=")[1]
    for query in (f"token={token}&mode=FBD", "token=nonsense", f"token={token[:-4]}AAAA"):
        answer = served.get(f"/stac/search?limit=2&{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameterValue")


def test_sorting_by_several_fields(served: Any) -> None:
    page = served.get("/stac/search?limit=24&sortby=sar:instrument_mode,-properties.datetime")
    keys = [
        (one["properties"]["sar:instrument_mode"], one["properties"]["datetime"])
        for one in page.json()["features"]
    ]
    modes = [mode for mode, _ in keys]
    assert modes == sorted(modes)
    fbd = [when for mode, when in keys if mode == "FBD"]
    assert fbd == sorted(fbd, reverse=True)
    assert served.get("/stac/search?sortby=alos2:summary").status_code == 400


@pytest.mark.parametrize(
    ("fields", "there", "gone"),
    [
        ("id,properties.sar:instrument_mode", {"id", "properties"}, {"assets", "geometry"}),
        ("-assets,-properties.alos2:summary", {"geometry", "properties"}, {"assets"}),
        ("", {"id", "type", "geometry", "bbox", "assets"}, set()),
        ("-properties,+properties.datetime", {"properties"}, set()),
    ],
)
def test_fields_are_chosen(served: Any, fields: str, there: set[str], gone: set[str]) -> None:
    item = served.get("/stac/search", params={"fields": fields, "limit": 1}).json()["features"][0]
    assert there <= set(item)
    assert not gone & set(item)
    assert "alos2:summary" not in item.get("properties", {})
    if "datetime" in fields:
        assert set(item["properties"]) == {"datetime"}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=-1", "limit=many", "limit=1.5", "bbox=1,2,3", "bbox=1,2,3,x",
        "bbox=1,9,2,8", "bbox=nan,0,1,1", "bbox=-999,0,1,1", "datetime=2018", "datetime=/",
        "datetime=2019-01-01T00:00:00Z/2018-01-01T00:00:00Z", "intersects={}", "intersects=%7B",
        "filter=mode=", "filter=true&filter-lang=sql", "filter=true&filter-crs=EPSG:3857",
        "bbox=0,0,1,1&intersects=%7B%22type%22:%22Point%22,%22coordinates%22:[0,0]%7D",
        "sortby=nothing", "off_nadir=x", "path=abc", "pol=HH&filter=sar:polarizations=3",
        "token=%00", "q=%00", "q=!!!",
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_with_a_sentence(served: Any, query: str) -> None:
    answer = served.get(f"/stac/search?{query}")
    assert answer.status_code == 400, answer.text
    said = answer.json()
    assert set(said) == {"code", "description"}
    assert len(said["description"]) > 10


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'"x"', b'{"limit": true}', b'{"bbox": "1,2,3,4"}', b'{"ids": [{}]}',
             b'{"sortby": [1]}', b'{"fields": null}', b'{"filter": {"op": "nothing", "args": []}}',
             b"\xff\xfe", b"[" * 5000]
)  # fmt: skip
def test_bodies_that_are_none_are_refused(served: Any, body: bytes) -> None:
    answer = requests.post(f"{served.url}/stac/search", data=body, timeout=20)
    assert answer.status_code == 400
    assert answer.json()["code"] == "InvalidParameterValue"


def test_features_refuse_unknown_parameters(served: Any) -> None:
    home = "/stac/collections/ALOS2_GeoTIFF/items"
    assert served.get(f"{home}?limit=3&f=json").status_code == 200
    assert served.get(f"{home}?nonsense=1").status_code == 400
    assert len(served.ids(f"{home}?limit=3")) == 3
    assert served.get("/stac/collections?nonsense=1").status_code == 400


def test_free_text_and_tags(served: Any) -> None:
    assert set(served.ids("/stac/search?tag=FLOOD&limit=30")) == {
        item["id"] for item in served.items if item["properties"]["alos2:tags"] == ["flood"]
    }
    assert served.ids(f"/stac/search?q={SCAN[:14]}") == [SCAN]


def test_answers_are_kept_and_asked_again(served: Any) -> None:
    first = served.get("/stac/search?limit=3", headers={"Accept-Encoding": "identity"})
    again = served.get(
        "/stac/search?limit=3",
        headers={"Accept-Encoding": "identity", "If-None-Match": first.headers["etag"]},
    )
    assert (again.status_code, again.content) == (304, b"")
    packed = served.get("/stac/search?limit=3", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["etag"] != first.headers["etag"]
    assert packed.json() == first.json()
    assert int(packed.headers["content-length"]) < len(first.content) / 2


def test_the_definition_names_every_route(served: Any) -> None:
    answer = served.get("/stac/api")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    paths = answer.json()["paths"]
    assert {"/search", "/collections/{collectionId}/items", "/queryables"} <= set(paths)
    names = {one["name"] for one in paths["/search"]["get"]["parameters"]}
    assert {"bbox", "intersects", "filter", "off_nadir"} <= names
    page = served.get("/stac/api.html")
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.text


def test_queryables_are_a_schema(served: Any) -> None:
    answer = served.get("/stac/queryables")
    schema = answer.json()
    assert answer.headers["content-type"] == "application/schema+json"
    assert schema["$id"] == answer.url
    assert schema["properties"]["sar:polarizations"]["items"]["enum"] == ["HH", "HV", "VH", "VV"]
    home = served.get("/stac/collections/ALOS2_CEOS/queryables")
    assert home.json()["$id"] == home.url

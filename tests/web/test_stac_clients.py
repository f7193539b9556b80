"""Clients that people use, unchanged, against the real server: pystac-client, stac-api-validator.

stac-api-validator fetches the STAC and extension schemas from the internet. They are handed to it
from the copies that this project and pystac ship, under their own addresses, so that all of its
checks run; it asks for nothing else from outside (its checks of asset addresses are off: it would
fetch every file).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pystac
import pytest
import responses

import alos2.dataset
from fakes.served import GEOTIFF, SLC

pytestmark = pytest.mark.readers
Client = pytest.importorskip("pystac_client", reason="pystac-client is not installed").Client
pytest.importorskip("stac_api_validator", reason="stac-api-validator is not installed")

OURS = Path(alos2.dataset.__file__).parent / "schemas"
CORE = Path(pystac.__file__).parent / "validation" / "jsonschemas"
CLASSES = [
    "core", "collections", "features", "item-search", "filter", "item-search#filter",
    "item-search#sort", "item-search#fields",
]  # fmt: skip


def schemas() -> dict[str, Path]:
    """The schemas at their published addresses."""
    found = {
        f"https://schemas.stacspec.org/v1.1.0/{kind}-spec/json-schema/{file.name}": file
        for file in (CORE / "stac-spec" / "v1.1.0").glob("*.json")
        for kind in ("item", "collection", "catalog")
    }
    for one in json.loads((OURS / "manifest.json").read_text("utf-8"))["schemas"]:
        found[one["uri"].rstrip("#")] = OURS / one["file"]
    return found


@pytest.fixture
def outside() -> Iterator[list[str]]:
    """Answers for schemas alone; what else is asked for outside is noted and refused."""
    known, strange = schemas(), []

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        file = known.get(request.url.partition("#")[0])
        if file is None:
            strange.append(request.url)
            return 404, {}, ""
        return 200, {"Content-Type": "application/json"}, file.read_text("utf-8")

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_passthru("http://127.0.0.1")
        mock.add_callback(responses.GET, re.compile(r"https?://(?!127\.0\.0\.1)"), callback=answer)
        yield strange


@pytest.mark.filterwarnings("ignore")
def test_stac_api_validator_finds_no_error(served: Any, outside: list[str]) -> None:
    from stac_api_validator.validations import QueryConfig, validate_api  # noqa: PLC0415

    west, south, east, north = 138.0, 34.0, 141.0, 37.0
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    warnings, errors = validate_api(
        root_url=f"{served.url}/stac",
        ccs_to_validate=CLASSES,
        collection="ALOS2-L1.1-SLC",
        geometry=json.dumps({"type": "Polygon", "coordinates": [ring]}),
        auth_bearer_token=None,
        auth_query_parameter=None,
        fields_nested_property="properties.sar:instrument_mode",
        validate_pagination=True,
        query_config=QueryConfig(*[None] * 13),
        transaction_collection=None,
        headers={},
        open_assets_urls=False,
    )
    assert list(errors) == []
    assert outside == []
    # What is left is taste: ids of upper case, ids for file names, fields beside those asked for.
    taste = re.compile(r"stac-check recommendations|extra fields|returned 0 results")
    assert [one for one in warnings if not taste.search(one)] == []


def test_pystac_client_walks_searches_and_filters(served: Any) -> None:
    client = Client.open(f"{served.url}/stac")
    assert {one.id for one in client.get_collections()} == {
        "ALOS2_CEOS", "ALOS2_GeoTIFF", "ALOS2-L1.1-SLC",
    }  # fmt: skip
    for name in ("COLLECTIONS", "ITEM_SEARCH", "FILTER", "SORT", "FIELDS", "FEATURES"):
        assert client.conforms_to(name), name
    found = client.search(
        bbox=(138, 34, 141, 37),
        datetime=(
            datetime(2015, 1, 1, tzinfo=timezone.utc),
            datetime(2015, 12, 31, tzinfo=timezone.utc),
        ),
        limit=3,
        sortby="+properties.datetime",
    )
    items = list(found.items())
    assert items[0].id == SLC
    assert len(items) == 8
    by_text = client.search(
        filter="sar:instrument_mode = 'WBD'", filter_lang="cql2-text", method="GET"
    )
    by_json = client.search(
        filter={"op": "=", "args": [{"property": "sar:instrument_mode"}, "WBD"]}, limit=2
    )
    assert {i.id for i in by_text.items()} == {i.id for i in by_json.items()}
    assert len(list(by_json.items())) == 4


def test_items_of_pystac_are_valid_and_their_assets_can_be_read(served: Any, outside: Any) -> None:
    collection = Client.open(f"{served.url}/stac").get_collection("ALOS2_GeoTIFF")
    item = collection.get_item(GEOTIFF)
    assert item is not None
    assert collection.validate()
    assert item.get_self_href().startswith(served.url)
    assert item.get_collection().id == "ALOS2_GeoTIFF"
    href = item.assets["product"].get_absolute_href()
    answer = served.get(href.removeprefix(served.url), headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.content) == (206, bytes(range(4)))
    assert [one.id for one in collection.get_items(GEOTIFF)] == [GEOTIFF]

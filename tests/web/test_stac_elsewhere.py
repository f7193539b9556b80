# ruff: noqa: E501 - a case a line
"""Another STAC API, and GRQ, behind the same protocol: asked as the embedded catalogue is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import requests

from alos2.catalogue.search import cql2
from alos2.catalogue.search.embedded import EmbeddedSearch
from alos2.catalogue.search.grqfields import item_of
from alos2.catalogue.search.model import FACETS, Search, Searchable, SortKey
from alos2.catalogue.search.registry import searchable
from alos2.errors import UsageError
from alos2.web.app import create_app
from alos2.web.options import ServeOptions
from fakes.served import SCAN, SLC
from fakes.served import served as run_served

GOLDEN = Path(__file__).parents[1] / "golden" / "dataset"
JAPAN = {
    "type": "Polygon",
    "coordinates": [[[138, 34], [141, 34], [141, 37], [138, 37], [138, 34]]],
}
SEARCHES = {
    "all": Search(limit=100),
    "box and time": Search(
        bbox=(138.0, 34.0, 141.0, 37.0), limit=100,
        start=datetime(2015, 1, 1, tzinfo=timezone.utc),
        end=datetime(2015, 5, 1, tzinfo=timezone.utc),
    ),
    "across": Search(bbox=(179.0, -20.0, -179.0, -10.0), limit=100),
    "place": Search(intersects=JAPAN, limit=100),
    "ids": Search(ids=(SLC, SCAN)),
    "collections": Search(collections=("ALOS2_CEOS", "ALOS2_GeoTIFF"), limit=100),
    "tags": Search(tags=("flood",), limit=100),
    "sorted": Search(sort=(SortKey("id"),), limit=100),
    **{
        text: Search(filter=cql2.parse(text), limit=100)
        for text in (
            "sar:instrument_mode = 'FBD' AND alos2:level = '1.1'",
            "NOT sar:instrument_mode = 'FBD'",
            "sat:relative_orbit BETWEEN 90 AND 170",
            "view:off_nadir IS NULL OR alos2:pass = 'A'",
            "sar:instrument_mode IN ('WBD', 'UBS')",
            "sar:instrument_mode LIKE '_B%'",
            "A_CONTAINS(sar:polarizations, ('HH', 'HV'))",
            "T_INTERSECTS(datetime, INTERVAL('2015-03-15', '..'))",
            "CASEI(alos2:type) = 'alos2_slc'",
            "S_INTERSECTS(geometry, BBOX(138, 34, 141, 37))",
        )
    },
}  # fmt: skip


@pytest.fixture
def own(small: Any) -> Iterator[EmbeddedSearch]:
    catalogue = EmbeddedSearch(small[0])
    yield catalogue
    catalogue.close()


@pytest.fixture
def remote(served: Any) -> Iterator[Searchable]:
    catalogue = searchable(f"{served.url}/stac", served.archive)
    yield catalogue
    catalogue.close()


def ids(catalogue: Searchable, search: Search) -> list[str]:
    return list(catalogue.search(search).ids)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_remote_api_finds_what_the_catalogue_behind_it_finds(
    own: EmbeddedSearch, remote: Searchable, name: str
) -> None:
    assert ids(remote, SEARCHES[name]) == ids(own, SEARCHES[name])


def test_pages_items_and_counts_of_a_remote_api(own: EmbeddedSearch, remote: Searchable) -> None:
    seen: list[str] = []
    token = None
    while True:
        page = remote.search(Search(limit=7, token=token))
        seen += page.ids
        token = page.next
        if token is None:
            break
    assert seen == ids(own, SEARCHES["all"])
    one = remote.get(SLC)
    assert one is not None
    assert json.loads(one)["properties"] == json.loads(own.get(SLC) or b"")["properties"]
    assert remote.get("nothing") is None
    assert [c.id for c in remote.collections()] == [c.id for c in own.collections()]
    assert remote.rows(Search(limit=50)).rows == own.rows(Search(limit=50)).rows
    theirs, ours = remote.count(Search(), FACETS), own.count(Search(), FACETS)
    assert theirs.total == ours.total
    assert {n: dict(c) for n, c in theirs.facets.items()} == {
        n: dict(c) for n, c in ours.facets.items()
    }
    for bad in (Search(token="nonsense"), Search(filter={"op": "nothing", "args": []})):
        with pytest.raises(UsageError):
            remote.search(bad)


def test_the_page_works_over_a_remote_api(served: Any, tmp_path: Path) -> None:
    options = ServeOptions(port=0, catalogue=f"{served.url}/stac")
    with run_served(create_app(tmp_path, options)) as url:
        found = requests.get(f"{url}/stac/search?mode=WBD&limit=2", timeout=20).json()
        assert len(found["features"]) == 2
        assert found["features"][0]["links"][0]["href"].startswith(url)
        assert requests.get(f"{url}/api/facets?mode=WBD", timeout=20).json()["total"] == 4
        assert requests.get(f"{url}/api/items/{SCAN}", timeout=20).json()["id"] == SCAN


def test_a_word_that_names_no_catalogue_is_refused(tmp_path: Path) -> None:
    for word in ("grq:", "ftp://x", "nothing"):
        with pytest.raises(UsageError, match="no catalogue"):
            searchable(word, tmp_path)


def test_an_item_of_a_document_of_grq_says_the_same() -> None:
    from alos2.catalogue import grq_document  # noqa: PLC0415

    name = SLC
    documents = [
        json.loads((GOLDEN / f"{name}.{kind}.json").read_text("utf-8"))
        for kind in ("dataset", "met")
    ]
    document = grq_document(
        name, *documents, ipath="ariamh::data/ALOS2-L1.1-SLC", level="L1", dataset_type="x"
    )
    item = item_of(document)
    stored = json.loads((GOLDEN / f"{name}.stac.json").read_text("utf-8"))
    assert item["geometry"]["type"] == stored["geometry"]["type"]
    for key in ("sar:instrument_mode", "sar:polarizations", "alos2:level", "alos2:pass", "alos2:look",
                "sat:relative_orbit", "alos2:frame", "view:off_nadir", "alos2:type"):  # fmt: skip
        assert item["properties"][key] == stored["properties"][key], key

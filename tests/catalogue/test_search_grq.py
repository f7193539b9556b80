# ruff: noqa: E501 - a case a line
"""Searches of GRQ against a real OpenSearch 2 node, beside the embedded catalogue."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue import grq_document
from alos2.catalogue.search import cql2
from alos2.catalogue.search.embedded import EmbeddedSearch
from alos2.catalogue.search.grq import GrqSearch
from alos2.catalogue.search.model import Search, SortKey
from alos2.errors import UsageError
from fakes.served import GOLDEN, lay

pytestmark = pytest.mark.slow

NAMES = sorted(path.name.removesuffix(".met.json") for path in GOLDEN.glob("*.met.json"))
ASKED = [
    "sar:instrument_mode = 'FBD'", "NOT sar:instrument_mode = 'FBD'", "alos2:level = '1.1'",
    "sat:relative_orbit > 100", "sar:instrument_mode IN ('WBD', 'UBS')", "alos2:pass = 'D'",
    "sar:instrument_mode LIKE '_B%'", "view:off_nadir BETWEEN 29 AND 30", "view:off_nadir IS NULL",
    "CASEI(sar:instrument_mode) = 'fbd'", "A_CONTAINS(sar:polarizations, ('HV'))",
    "A_OVERLAPS(sar:polarizations, ('VV', 'HV'))", "datetime > TIMESTAMP('2016-01-01T00:00:00Z')",
    "T_BEFORE(datetime, DATE('2016-01-01'))", "S_INTERSECTS(geometry, POLYGON((138 34, 141 34, 141 37, 138 34)))",
    "sar:instrument_mode = 'FBD' AND (alos2:level = '2.1' OR alos2:frame = '2900')",
]  # fmt: skip


def test_grq_finds_what_the_embedded_catalogue_finds(node: Any, tmp_path: Path) -> None:
    from alos2.catalogue.embedded import EmbeddedCatalogue  # noqa: PLC0415

    for name in NAMES:
        dataset, met, stac = (
            json.loads((GOLDEN / f"{name}.{kind}.json").read_text("utf-8"))
            for kind in ("dataset", "met", "stac")
        )
        kind = stac["properties"]["alos2:dataset"]
        document = grq_document(
            name, dataset, met, ipath=f"ariamh::data/{kind}", level="L1", dataset_type="x"
        )
        node.catalogue().put(document)
        lay(tmp_path, stac)
    node.refresh()
    EmbeddedCatalogue.open(tmp_path).close()
    own, grq = EmbeddedSearch(tmp_path), GrqSearch(node.rest, alias=node.alias)
    for text in ASKED:
        search = Search(filter=cql2.parse(text), limit=50)
        assert set(grq.search(search).ids) == set(own.search(search).ids), text
    for search in (
        Search(bbox=(138.0, 34.0, 141.0, 37.0)), Search(bbox=(179.0, -20.0, -179.0, -10.0)),
        Search(ids=tuple(NAMES[:2])), Search(collections=("ALOS2_CEOS",)), Search(sort=(SortKey("id"),)),
    ):  # fmt: skip
        assert set(grq.search(search).ids) == set(own.search(search).ids), search
    first = grq.search(Search(limit=1, sort=(SortKey("id"),)))
    assert first.next is not None
    second = grq.search(Search(limit=50, sort=(SortKey("id"),), token=first.next))
    assert [*first.ids, *second.ids] == sorted(NAMES)
    names = ("level", "mode", "pol", "pass", "look", "path", "frame", "kind", "month")
    theirs, ours = grq.count(Search(), names), own.count(Search(), names)
    assert theirs.total == ours.total == len(NAMES)
    for name in names:
        assert dict(theirs.facets[name]) == dict(ours.facets[name]), name
    assert [one.id for one in grq.collections()] == [one.id for one in own.collections()]
    assert grq.get(NAMES[0]) is not None
    assert grq.get("nothing") is None
    for text in ("gsd + 1 > 3", "start_datetime < end_datetime", "eo:cloud_cover < 5"):
        with pytest.raises(UsageError):
            grq.search(Search(filter=cql2.parse(text)))
    own.close()

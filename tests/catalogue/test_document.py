"""The document that HySDS itself would make."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from shapely.geometry import Point, shape

from alos2.catalogue import document_of, grq_document, index_of
from alos2.errors import BadDocument
from alos2.types import Json

GOLDEN = Path(__file__).parents[1] / "golden" / "dataset"
ONE = "ALOS2146686640-170209-FBDR2.1GUD"


def golden(dataset_id: str = ONE) -> tuple[Json, Json]:
    dataset, met = (
        json.loads((GOLDEN / f"{dataset_id}.{kind}.json").read_bytes())
        for kind in ("dataset", "met")
    )
    return dataset, met


def made(dataset: Json, met: Json, dataset_id: str = ONE) -> Json:
    return grq_document(
        dataset_id, dataset, met, ipath="ariamh::data/ALOS2_GeoTIFF", level="l2.1",
        dataset_type="L2.1_geotiff", urls=["https://example.org/x"],
    )  # fmt: skip


@dataclass(frozen=True)
class Filing:
    ipath: str = "ariamh::data/ALOS2_GeoTIFF"
    type: str = "L2.1_geotiff"
    level: str = "l2.1"


@dataclass(frozen=True)
class Place:
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Placement:
    filing: Filing
    publish: Place
    browse: Place | None


@dataclass(frozen=True)
class Published:
    id: str
    placement: Placement
    documents: dict[str, Json]
    browse: tuple[str, ...] = field(default=())


def test_every_key_of_hysds_is_there() -> None:
    """The keys of ``update_json`` in HySDS's dataset_ingest_bulk.py, and those that GRQ adds."""
    dataset, met = golden()
    found = made(dataset, met)
    own = {
        "id": ONE,
        "objectid": ONE,
        "metadata": met,
        "dataset": "ALOS2_GeoTIFF",
        "ipath": "ariamh::data/ALOS2_GeoTIFF",
        "system_version": "v1.0",
        "dataset_level": "l2.1",
        "dataset_type": "L2.1_geotiff",
        "urls": ["https://example.org/x"],
        "browse_urls": [],
        "images": [],
        "prov": {},
        "grq_index_result": {"index": None},
        "temporal_span": 0,
    }
    assert {key: found[key] for key in own} == own
    for key in ("version", "label", "starttime", "endtime", "creation_timestamp"):
        assert found[key] == dataset[key]
    assert found["location"] == {**dataset["location"], "type": "polygon"}
    middle = shape(dataset["location"]).centroid
    assert found["center"] == {"type": "point", "coordinates": [middle.x, middle.y]}
    assert set(found) == {*own, *dataset, "center"}
    assert index_of(found) == "grq_v1.0_alos2_geotiff"


def test_what_was_given_is_left_as_it_was() -> None:
    dataset, met = golden()
    before = copy.deepcopy((dataset, met))
    found = made(dataset, met)
    found["metadata"]["tags"].append("x")
    found["location"]["coordinates"].clear()
    assert (dataset, met) == before


def test_a_published_dataset() -> None:
    dataset, met = golden()
    names = (f"IMG-HH-{ONE}_disp.browse.png", f"IMG-HV-{ONE}_disp.browse.png", "odd-browse.png")
    browse = Place(("https://example.org/b",))
    placement = Placement(Filing(), Place(("https://example.org/d", "s3://h/b")), browse)
    documents = {"dataset": dataset, "met": met, "stac": {}}
    found = document_of(Published(ONE, placement, documents, names))
    assert found["urls"] == ["https://example.org/d", "s3://h/b"]
    assert found["browse_urls"] == ["https://example.org/b"]
    assert found["images"] == [
        {
            "img": name,
            "small_img": name.replace("browse.png", "browse_small.png"),
            "tooltip": tooltip,
        }
        for name, tooltip in zip(
            names, (f"IMG-HH-{ONE}_disp", f"IMG-HV-{ONE}_disp", ""), strict=True
        )
    ]
    without = Placement(Filing(), Place(()), None)
    plain = document_of(Published(ONE, without, documents, names))
    assert plain["images"] == plain["browse_urls"] == []


def test_the_centre_lies_in_the_scene_also_across_the_antimeridian() -> None:
    cut = [
        path.name.removesuffix(".dataset.json")
        for path in GOLDEN.glob("*.dataset.json")
        if json.loads(path.read_bytes())["location"]["type"] == "MultiPolygon"
    ]
    assert cut
    for dataset_id in cut:
        dataset, met = golden(dataset_id)
        found = made(dataset, met, dataset_id)
        assert found["location"]["type"] == "multipolygon"
        assert shape(dataset["location"]).buffer(1e-6).covers(Point(found["center"]["coordinates"]))


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2017-02-09T04:10:15.500000Z", "2017-02-09T04:10:25.500000Z", 0),
        ("2017-02-09T00:00:00.999999Z", "2017-02-09T12:00:00.000000Z", 1),
        ("2017-02-09T00:00:00Z", "2017-02-09T11:59:59.999999Z", 0),
        ("2017-02-09T00:00:00Z", "2017-02-12T01:00:00Z", 3),
        ("2017-02-12T13:00:00Z", "2017-02-09T00:00:00Z", 4),
    ],
)
def test_temporal_span_is_counted_as_grq_does(start: str, end: str, days: int) -> None:
    dataset, met = golden()
    assert made({**dataset, "starttime": start, "endtime": end}, met)["temporal_span"] == days


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"starttime": None}, "for a time"),
        ({"endtime": "yesterday"}, "for a time"),
        ({"location": {}}, "no outline"),
        ({"location": {"type": "Polygon", "coordinates": [[[1, 2]]]}}, "no outline"),
        ({"location": {"type": "MultiPolygon", "coordinates": [[]]}}, "no outline"),
        ({"location": {"type": "Nonsense", "coordinates": []}}, "no outline"),
    ],
)
def test_damaged_documents_are_named(change: Json, what: str) -> None:
    dataset, met = golden()
    with pytest.raises(BadDocument, match=what):
        made({**dataset, **change}, met)


def test_missing_keys_and_bad_ipaths_are_named() -> None:
    dataset, met = golden()
    with pytest.raises(BadDocument, match="has no version"):
        made({k: v for k, v in dataset.items() if k != "version"}, met)
    for ipath in ("", "ariamh::data", "ariamh::data/"):
        with pytest.raises(BadDocument, match="names no dataset"):
            grq_document(ONE, dataset, met, ipath=ipath, level="", dataset_type="")

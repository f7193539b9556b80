"""met.json and dataset.json: the reference suite's keys and types, its defects mended."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from alos2.dataset.content import Content
from alos2.dataset.documents import make_documents
from alos2.dataset.grq import dataset_json
from alos2.dataset.met import met_json
from alos2.dataset.provenance import Source
from alos2.raster.pictures import PictureReport
from alos2.types import Json

Maker = Callable[[str], Content]
NAMES = ["slc", "geotiff", "antimeridian", "scansar"]

LEGACY_TYPES: dict[str, type] = {
    "prod_name": str,
    "spacecraftName": str,
    "platform": str,
    "dataset_type": str,
    "orbitNumber": int,
    "frameID": int,
    "trackNumber": int,
    "prod_date": str,
    "dfdn": dict,
    "lookDirection": str,
    "level": str,
    "processingOption": str,
    "mapProjection": str,
    "direction": str,
    "alos2md": dict,
    "dataset": str,
    "location": dict,
    "starttime": str,
    "endtime": str,
    "tiles": bool,
    "tile_layers": list,
    "tile_max_zoom": list,
    "archive_filename": str,
    "download_source": str,
}


def _met(content: Content) -> Json:
    documents = make_documents(content)
    met: Json = json.loads(documents.files[f"{documents.id}.met.json"])
    return met


@pytest.mark.parametrize("name", NAMES)
def test_legacy_keys_keep_their_types(name: str, content_of: Maker) -> None:
    met = _met(content_of(name))
    for key, kind in LEGACY_TYPES.items():
        assert type(met[key]) is kind, key
    assert isinstance(met["source"], dict)
    assert all(isinstance(tag, str) for tag in met["tags"])


def test_legacy_values(content_of: Maker) -> None:
    met = _met(content_of("antimeridian"))
    assert met["orbitNumber"] == 87
    assert met["frameID"] == 544
    assert met["trackNumber"] == 207
    assert met["prod_date"] == "2014-08-01"
    assert met["dfdn"] == {"AcquistionMode": "UBS", "LookSide": "L"}
    assert met["lookDirection"] == "left"
    assert met["level"] == "L1.5"
    assert met["processingOption"] == "R"
    assert met["mapProjection"] == "P"
    assert met["direction"] == "descending"
    assert met["platform"] == met["spacecraftName"] == met["dataset_type"] == "ALOS2"
    # and those with their zeros
    assert (met["orbit"], met["frame"], met["path"]) == ("00087", "0544", 207)


def test_level_1_1_has_what_an_extractor_found(content_of: Maker) -> None:
    md = _met(content_of("slc"))["alos2md"]
    assert md["absolute_orbit"] == 4367
    assert md["frame"] == 2900
    assert md["flight_direction"] == "asc"
    assert md["source"] == "geometry"
    assert md["start_time"].endswith("Z")
    assert md["odi_sceneid"].startswith("SARD")
    assert "geometry" not in _met(content_of("geotiff"))["alos2md"]


@pytest.mark.parametrize("name", NAMES)
def test_times_end_in_z(name: str, content_of: Maker) -> None:
    documents = make_documents(content_of(name))
    met = met_json(documents.item)
    dataset = dataset_json(documents.item)
    for value in (met["starttime"], met["endtime"], dataset["starttime"], dataset["endtime"]):
        assert value.endswith("Z")
        assert "." in value
    assert dataset["creation_timestamp"] == "2026-11-20T12:34:56.789000Z"


@pytest.mark.parametrize("name", NAMES)
def test_dataset_json_overrides_nothing_of_grq(name: str, content_of: Maker) -> None:
    dataset = dataset_json(make_documents(content_of(name)).item)
    assert set(dataset) == {
        "version", "label", "location", "starttime", "endtime", "creation_timestamp",
    }  # fmt: skip
    assert dataset["location"]["type"] in ("Polygon", "MultiPolygon")


def test_tiles_are_those_that_are_there(content_of: Maker) -> None:
    content = content_of("slc")
    met = _met(content)
    assert met["tiles"] is True
    assert met["tile_layers"] == ["HH", "HV", "RGB"]
    assert met["tile_max_zoom"] == [14, 14, 14]
    assert met["tile_scheme"] == "tms"
    assert met["tile_json"] == [f"tiles/{name}.tilejson.json" for name in ("HH", "HV", "RGB")]
    grey = [-24.5, 1.25]
    assert met["tile_stretch_db"] == [grey, grey, [*grey, *grey, 3.5, 12.25]]
    assert met["stretch_db"] == {"HH": grey, "HV": grey, "ratio": [3.5, 12.25]}
    assert met["tile_archives"] == met["cogs"] == []
    assert (met["map_height_m"], met["mapped_by"]) == (0.0, "orbit and ellipsoid")
    without = _met(replace(content, pictures=PictureReport()))
    assert without["tiles"] is False
    assert without["tile_layers"] == without["tile_max_zoom"] == []
    assert without["tile_scheme"] is None
    assert without["stretch_db"] == {}


def test_what_is_in_archives_is_no_layer_of_the_map(content_of: Maker) -> None:
    met = _met(content_of("geotiff"))
    assert met["tile_layers"] == ["HH"]
    assert met["tile_max_zoom"] == [12]
    assert met["tile_native_zoom"] == [13]
    assert met["tile_count"] == 5
    assert [(a["layer"], a["path"], a["max_zoom"]) for a in met["tile_archives"]] == [
        (name, f"tiles/{name}.pmtiles", 14) for name in ("HH", "HV", "RGB")
    ]
    assert met["cogs"] == [f"{met['prod_name']}_{pol}_sigma0_db.tif" for pol in ("HH", "HV")]
    assert met["map_height_m"] is met["mapped_by"] is None


def test_footprint_answers_with_distances(content_of: Maker) -> None:
    footprint = _met(content_of("slc"))["footprint"]
    by_source = {answer["source"]: answer for answer in footprint["answers"]}
    assert footprint["source"] == "geometry"
    assert by_source["geometry"]["chosen"] is True
    assert by_source["geometry"]["distance_m"] == 0.0
    assert by_source["summary"]["distance_m"] == 110.9
    assert by_source["bos_sarcat"]["accepted"] is False
    assert by_source["bos_sarcat"]["details"]["area_ratio"] == 0.4125
    assert footprint["failures"] == [{"source": "isce", "reason": "alos2App.py is not installed"}]


def test_no_secret_in_any_document(content_of: Maker) -> None:
    content = replace(
        content_of("slc"),
        source=Source(url="https://u:Zecret1@example.org/a.zip?sig=Zecret2&token=Zecret3#Zecret4"),
    )
    for data in make_documents(content).files.values():
        assert b"Zecret" not in data
        assert b"https://example.org/a.zip" in data or b"label" in data


def test_derivation_needs_the_item_only_and_does_not_change_it(content_of: Maker) -> None:
    documents = make_documents(content_of("geotiff"))
    before = json.dumps(documents.item)
    again = json.loads(documents.files[f"{documents.id}.stac.json"])
    assert met_json(again) == json.loads(documents.files[f"{documents.id}.met.json"])
    assert dataset_json(again) == json.loads(documents.files[f"{documents.id}.dataset.json"])
    assert json.dumps(documents.item) == before


def _kinds(value: Any, path: str, found: dict[str, set[str]]) -> None:
    """Collect the JSON type that each path has: a search index wants one per path."""
    if isinstance(value, dict):
        for key, item in value.items():
            _kinds(item, f"{path}.{key}", found)
    elif isinstance(value, list):
        for item in value:
            _kinds(item, path, found)
    elif value is not None:
        kind = "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else ""
        found.setdefault(path, set()).add(kind or type(value).__name__)


def test_one_field_keeps_one_type_over_all_datasets(content_of: Maker) -> None:
    found: dict[str, set[str]] = {}
    for name in NAMES:
        _kinds(_met(content_of(name)), "", found)
    assert not {path: kinds for path, kinds in found.items() if len(kinds) > 1}

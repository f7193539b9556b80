"""What is exported, others open: csv, GDAL, pystac, geopandas."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pystac
import pytest
import shapely
from shapely.geometry import shape

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.catalogue.embedded.exporting import (
    COLUMNS,
    export_csv,
    export_geojson,
    export_geoparquet,
    table_item,
)
from alos2.catalogue.embedded.staticstac import export_stac
from alos2.errors import NoResource, UsageError
from catalogue.embedded.items import write_dataset

Items = list[dict[str, Any]]
GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "dataset"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """The golden items: whole ones of ours, one across the antimeridian."""
    folder = tmp_path / "archive"
    for path in sorted(GOLDEN.glob("*.stac.json")):
        write_dataset(folder, json.loads(path.read_bytes()))
    return folder


@pytest.fixture
def items(archive: Path) -> Items:
    return [json.loads(path.read_bytes()) for path in sorted(archive.glob("*/*.stac.json"))]


def test_csv(catalogue: EmbeddedCatalogue, items: Items, tmp_path: Path) -> None:
    out = tmp_path / "a.csv"
    assert export_csv(catalogue, out) == len(items)
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["WKT", *COLUMNS]
    for row, item in zip(rows, items, strict=True):
        assert row["id"] == item["id"]
        assert shapely.from_wkt(row["WKT"]).equals(shape(item["geometry"]))
        assert row["path"] == str(item["properties"]["alos2:path"])
        assert row["polarizations"].split("/") == item["properties"]["sar:polarizations"]
        assert row["frame"] == item["properties"]["alos2:frame"], "with its zeros"
        assert Path(row["folder"]) == catalogue.archive / item["id"]


def test_geojson(catalogue: EmbeddedCatalogue, items: Items, tmp_path: Path) -> None:
    out = tmp_path / "a.geojson"
    assert export_geojson(catalogue, out) == len(items)
    features = json.loads(out.read_bytes())["features"]
    for feature, item in zip(features, items, strict=True):
        assert feature["geometry"] == item["geometry"]
        assert feature["bbox"] == item["bbox"]
        assert list(feature["properties"]) == list(COLUMNS)
        assert not any(isinstance(value, (dict, list)) for value in feature["properties"].values())


@pytest.mark.readers
@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="GDAL's ogrinfo is not installed")
@pytest.mark.parametrize("form", ["csv", "geojson"])
def test_gdal_opens_it(catalogue: EmbeddedCatalogue, tmp_path: Path, form: str) -> None:
    out = tmp_path / f"a.{form}"
    {"csv": export_csv, "geojson": export_geojson}[form](catalogue, out)
    said = subprocess.run(
        ["ogrinfo", "-ro", "-al", "-where", "mode = 'UBS'", str(out)],
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout  # fmt: skip
    assert "Feature Count: 1" in said
    assert "MULTIPOLYGON (((" in said
    assert "179.7" in said


def test_an_empty_catalogue_is_an_empty_table(tmp_path: Path) -> None:
    (tmp_path / "archive").mkdir()
    with EmbeddedCatalogue.open(tmp_path / "archive") as catalogue:
        assert export_geojson(catalogue, tmp_path / "a.geojson") == 0
        assert json.loads((tmp_path / "a.geojson").read_bytes())["features"] == []
        assert export_csv(catalogue, tmp_path / "a.csv") == 0
        assert export_stac(catalogue, tmp_path / "stac") == 0
        pystac.Catalog.from_file(str(tmp_path / "stac" / "catalog.json")).validate()


def test_what_cannot_be_written_leaves_nothing(
    catalogue: EmbeddedCatalogue, tmp_path: Path
) -> None:
    with pytest.raises(NoResource, match="cannot be written"):
        export_csv(catalogue, tmp_path / "nowhere" / "a.csv")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "x").touch()
    with pytest.raises(UsageError, match="not empty"):
        export_stac(catalogue, tmp_path / "taken")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["archive", "taken"]


def test_a_static_stac_catalogue(
    catalogue: EmbeddedCatalogue, items: Items, archive: Path, tmp_path: Path
) -> None:
    for item in items:
        for asset in item["assets"].values():
            path = archive / item["id"] / asset["href"].removeprefix("./")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    assert export_stac(catalogue, tmp_path / "stac") == len(items)
    root = pystac.Catalog.from_file(str(tmp_path / "stac" / "catalog.json"))
    root.validate()
    found = {}
    for collection in root.get_children():
        assert isinstance(collection, pystac.Collection)
        collection.validate()
        (start, end), *_ = collection.extent.temporal.intervals
        for item in collection.get_items():
            found[item.id] = item
            assert item.get_collection() is collection
            assert item.get_root() is root
            assert isinstance(item.datetime, datetime)
            assert start <= item.datetime <= end
            assert item.properties["sar:instrument_mode"] in (
                collection.summaries.get_list("sar:instrument_mode") or ()
            )
            for asset in item.assets.values():
                href = asset.get_absolute_href()
                assert href is not None
                assert os.path.exists(href), href  # noqa: PTH110  as pystac gives it
    assert sorted(found) == [item["id"] for item in items]
    tiles = next(link for link in found[items[3]["id"]].links if link.rel == "xyz")
    assert str(tiles.target).endswith(f"/archive/{items[3]['id']}/tiles/HH/{{z}}/{{x}}/{{-y}}.png")


def test_a_static_stac_catalogue_for_the_web(
    catalogue: EmbeddedCatalogue, items: Items, tmp_path: Path
) -> None:
    export_stac(catalogue, tmp_path / "stac", base_url="https://example.org/alos2/")
    name = items[0]["id"]
    (path,) = (tmp_path / "stac").glob(f"*/{name}/{name}.json")
    assets = json.loads(path.read_bytes())["assets"]
    assert assets["met"]["href"] == f"https://example.org/alos2/{name}/{name}.met.json"


def test_items_as_rows_of_a_table(items: Items, tmp_path: Path) -> None:
    for item in items:
        row = table_item(item, tmp_path / item["id"])
        assert row["collection"] == item["properties"]["alos2:dataset"]
        footprint = json.loads(row["properties"]["alos2:footprint"])
        assert footprint == item["properties"]["alos2:footprint"]
        own = {k: v for k, v in row["properties"].items() if k.startswith("alos2:")}
        assert not any(isinstance(value, dict) for value in own.values())
        lists = {name for name, value in own.items() if isinstance(value, list)}
        assert lists == {"alos2:tags", "alos2:beams", "alos2:stays_at"}, "in all items alike"
        assert row["links"][0]["href"].endswith(f"/{item['id']}.stac.json")


def test_geoparquet(catalogue: EmbeddedCatalogue, items: Items, tmp_path: Path) -> None:
    out = tmp_path / "a.parquet"
    try:
        import stac_geoparquet.arrow as tables  # noqa: PLC0415 - an extra
    except ImportError:
        with pytest.raises(UsageError, match=r"not installed.*alos2-ingest\[geoparquet\]"):
            export_geoparquet(catalogue, out)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["archive"]
        return
    import pyarrow.parquet  # noqa: PLC0415 - an extra

    cog = {"href": "./a.cog.tif", "bands": [{"name": "HH", "nodata": "nan"}]}
    items[0]["assets"]["cog"] = items[0]["assets"]["product"] | cog
    catalogue.put(items[0], catalogue.archive / items[0]["id"])
    assert export_geoparquet(catalogue, out) == len(items)
    back = list(tables.stac_table_to_items(pyarrow.parquet.read_table(out)))
    assert [item["id"] for item in back] == [item["id"] for item in items]
    assert back[0]["properties"]["alos2:path"] == items[0]["properties"]["alos2:path"]
    assert shape(back[0]["geometry"]).equals(shape(items[0]["geometry"]))

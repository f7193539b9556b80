"""What the item says, and the mistakes of others that it does not repeat."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from alos2.dataset.content import Content
from alos2.dataset.documents import make_documents
from alos2.dataset.jsontext import json_bytes, plain
from alos2.dataset.stac import build_stac
from alos2.errors import BadDocument, BadProduct
from alos2.product.model import Sensor

Maker = Callable[[str], Content]
NAMES = ["slc", "geotiff", "antimeridian", "scansar"]


def test_relative_orbit_is_the_path_and_not_the_absolute_orbit(content_of: Maker) -> None:
    properties = build_stac(content_of("geotiff"))["properties"]
    assert properties["sat:absolute_orbit"] == 14668
    assert properties["sat:relative_orbit"] == 32


def test_path_207_is_not_0(content_of: Maker) -> None:
    properties = build_stac(content_of("antimeridian"))["properties"]
    assert properties["sat:relative_orbit"] == 207


def test_shape_is_rows_before_columns_and_the_bbox_is_the_edge(content_of: Maker) -> None:
    properties = build_stac(content_of("geotiff"))["properties"]
    assert properties["proj:code"] == "EPSG:32719"
    assert properties["proj:shape"] == [13684, 14060]
    assert properties["proj:transform"] == [6.25, 0.0, 499996.875, 0.0, -6.25, 6984378.125]
    west, south, east, north = properties["proj:bbox"]
    assert (west, north) == (499996.875, 6984378.125)
    assert (east, south) == (499996.875 + 14060 * 6.25, 6984378.125 - 13684 * 6.25)


def test_a_crs_without_code_is_null_and_written_out(content_of: Maker) -> None:
    properties = build_stac(content_of("antimeridian"))["properties"]
    assert properties["proj:code"] is None
    assert properties["proj:wkt2"].startswith("PROJCRS[")
    # Rotated by the shear: the box holds all four corners.
    assert properties["proj:bbox"] == [1000.0, 8400.0, 1550.0, 9100.0]


def test_slant_range_has_no_crs(content_of: Maker) -> None:
    properties = build_stac(content_of("slc"))["properties"]
    assert properties["proj:code"] is None
    assert properties["proj:shape"] == [21220, 10170]
    assert "proj:transform" not in properties
    # Beams of different sizes have no common shape.
    assert "proj:shape" not in build_stac(content_of("scansar"))["properties"]


def test_times_keep_their_fractions(content_of: Maker) -> None:
    properties = build_stac(content_of("antimeridian"))["properties"]
    assert properties["end_datetime"] == "2014-08-01T12:00:10.000001Z"
    assert properties["datetime"] == "2014-08-01T12:00:05.000000Z"  # the middle: no centre time


@pytest.mark.parametrize(
    ("name", "kind"),
    [("slc", "SLC"), ("geotiff", "GTC"), ("antimeridian", "GRD"), ("scansar", "SLC")],
)
def test_product_type_is_no_mode(name: str, kind: str, content_of: Maker) -> None:
    properties = build_stac(content_of(name))["properties"]
    assert properties["product:type"] == kind
    assert "sar:product_type" not in properties


def test_radar_fields_of_the_leader(content_of: Maker) -> None:
    properties = build_stac(content_of("slc"))["properties"]
    assert properties["sar:center_frequency"] == pytest.approx(1.2364998, abs=1e-6)
    assert properties["sar:bandwidth"] == pytest.approx(0.0249)
    assert properties["sar:resolution_range"] == pytest.approx(6.02, abs=0.01)
    assert properties["sar:resolution_azimuth"] == pytest.approx(5.1, abs=0.2)
    assert properties["sar:beam_ids"] == ["7"]
    # Ascending and looking right: a little north of east.
    assert properties["view:azimuth"] == pytest.approx(77.486126)
    vectors = properties["sat:orbit_state_vectors"]
    assert len(vectors) == 8
    assert all(len(vector) == 6 for vector in vectors.values())
    assert "2015-03-15T15:10:00.000000Z" in vectors


def test_looking_left_turns_the_view_around(content_of: Maker) -> None:
    properties = build_stac(content_of("antimeridian"))["properties"]
    assert properties["view:azimuth"] == pytest.approx((-169.5 - 90) % 360)
    assert properties["sar:observation_direction"] == "left"


def test_what_is_not_known_is_left_out(content_of: Maker) -> None:
    content = content_of("geotiff")
    bare = replace(content.product, sensor=Sensor(off_nadir_deg=float("nan")))
    item = make_documents(replace(content, product=bare)).item
    assert not [key for key in item["properties"] if key.startswith("view:")]
    assert not [uri for uri in item["stac_extensions"] if "/view/" in uri]
    assert "sar:center_frequency" not in item["properties"]


def test_bbox_across_the_antimeridian(content_of: Maker) -> None:
    item = build_stac(content_of("antimeridian"))
    west, south, east, north = item["bbox"]
    assert (west, east) == (179.6, -179.7)
    assert (south, north) == (-17.6, -16.9)
    assert item["geometry"]["type"] == "MultiPolygon"
    longitudes = [p[0] for part in item["geometry"]["coordinates"] for p in part[0]]
    assert max(longitudes) == 180.0
    assert min(longitudes) == -180.0


def test_assets_are_what_is_there(content_of: Maker) -> None:
    content = content_of("geotiff")
    assets = make_documents(content).item["assets"]
    assert set(assets) == {
        "product", "overview-hh", "overview-hv", "thumbnail-hh", "thumbnail-hv", "dataset", "met",
        "sigma0-hh", "sigma0-hv", "tiles-hh", "tiles-hv", "tiles-rgb",
    }  # fmt: skip
    for asset in assets.values():
        assert asset["file:checksum"].startswith("1220")
        assert len(asset["file:checksum"]) == 4 + 64
        assert asset["href"].startswith("./")
    pictures = {browse.browse.name: browse.browse for browse in content.pictures.browse}
    overview = assets["overview-hh"]
    assert overview["file:size"] == pictures[overview["href"][2:]].stat().st_size
    bands = assets["product"]["bands"]
    assert [band["name"] for band in bands] == ["HH", "HV"]
    assert bands[0]["data_type"] == "uint16"
    assert bands[0]["nodata"] == 0
    assert bands[0]["raster:spatial_resolution"] == 6.25


def test_pictures_of_single_beams_are_assets_of_their_own(content_of: Maker) -> None:
    item = build_stac(content_of("scansar"))
    for name in ("hh", "hh-f1", "hh-f2", "hv-f1", "hv-f2"):
        for role in ("overview", "thumbnail"):
            asset = item["assets"][f"{role}-{name}"]
            assert asset["href"].startswith(f"./IMG-{name.upper()}-ALOS2")
            assert asset["title"].startswith(f"{name.upper()}, ")
            assert asset["sar:polarizations"] == [name[:2].upper()]
    hrefs = [link["href"] for link in item["links"]]
    assert "./tiles/HH-F1/{z}/{x}/{-y}.png" in hrefs
    assert "./tiles/HH-F1.tilejson.json" in hrefs
    beams = [browse["beam"] for browse in item["properties"]["alos2:browse"]]
    assert beams == [None, None, "F1", "F2", "F1", "F2"]


def test_bands_of_scansar_name_their_beams(content_of: Maker) -> None:
    bands = build_stac(content_of("scansar"))["assets"]["product"]["bands"]
    assert [band["name"] for band in bands] == ["HH-F1", "HH-F2", "HV-F1", "HV-F2"]
    assert {band["data_type"] for band in bands} == {"cfloat32"}


def test_tiles_are_linked(content_of: Maker) -> None:
    content = content_of("geotiff")
    item = build_stac(content)
    assert [(link["rel"], link["href"]) for link in item["links"]] == [
        ("xyz", "./tiles/HH/{z}/{x}/{-y}.png"),
        ("tilejson", "./tiles/HH.tilejson.json"),
        ("pmtiles", "./tiles/HH.pmtiles"),
        ("pmtiles", "./tiles/HV.pmtiles"),
        ("pmtiles", "./tiles/RGB.pmtiles"),
    ]
    layers = tuple(replace(layer, tms=False) for layer in content.pictures.layers)
    pictures = replace(content.pictures, layers=layers)
    item = build_stac(replace(content, pictures=pictures))
    assert item["links"][0]["href"] == "./tiles/HH/{z}/{x}/{y}.png"
    assert item["properties"]["alos2:tiles"][0]["scheme"] == "xyz"


def test_a_dataset_of_metadata_has_no_product_asset(content_of: Maker) -> None:
    content = content_of("slc")
    stays = tuple(f.path for f in content.product.files if f.path is not None)
    bare = replace(
        content,
        archive=None,
        pictures=type(content.pictures)(),
        stays_at=stays,
        metadata_only=True,
    )
    documents = make_documents(bare)
    assert documents.id.endswith("-md")
    assert set(documents.item["assets"]) == {"dataset", "met"}
    met = json.loads(documents.files[f"{documents.id}.met.json"])
    assert met["gekko_archive_files"] == [str(path) for path in stays]
    assert met["archive_filename"] is None
    assert met["dataset"] == "ALOS2-L1.1-SLC-MD"


def test_a_product_without_any_time_is_refused(content_of: Maker) -> None:
    content = content_of("slc")
    timeless = replace(content.product, center_time=None, start_time=None, end_time=None)
    with pytest.raises(BadProduct, match="when it was taken"):
        build_stac(replace(content, product=timeless))


def test_cogs_and_archives_are_assets(content_of: Maker) -> None:
    content = content_of("geotiff")
    item = make_documents(content).item
    for pol in ("HH", "HV"):
        cog = item["assets"][f"sigma0-{pol.lower()}"]
        assert cog["href"] == f"./{item['id']}_{pol}_sigma0_db.tif"
        assert "cloud-optimized" in cog["type"]
        assert cog["bands"][0]["unit"] == "dB"
        assert cog["file:size"] == len(f"COG {pol}")
    archive = item["assets"]["tiles-rgb"]
    assert archive["href"] == "./tiles/RGB.pmtiles"
    assert archive["file:size"] == len("PMTiles RGB")
    files = item["properties"]["alos2:tiles"]
    assert [(layer["layer"], layer["max_zoom"]) for layer in files] == [("HH", 12)]
    archives = item["properties"]["alos2:tile_archives"]
    assert [layer["path"] for layer in archives] == [
        f"tiles/{name}.pmtiles" for name in ("HH", "HV", "RGB")
    ]
    assert [channel["shows"] for channel in archives[-1]["channels"]] == ["HH", "HV", "HH/HV"]
    assert {layer["scheme"] for layer in archives} == {"xyz"}


@pytest.mark.parametrize("name", ["tiles/HV.pmtiles", "_HH_sigma0_db.tif"])
def test_an_archive_or_cog_that_is_not_there_is_named(content_of: Maker, name: str) -> None:
    content = content_of("geotiff")
    folder = content.pictures.browse[0].browse.parent
    path = folder / name if "/" in name else folder / f"{content.kind.id}{name}"
    path.unlink()
    with pytest.raises(BadDocument, match=path.name):
        build_stac(content)


def test_a_picture_that_is_not_there_is_named(content_of: Maker) -> None:
    content = content_of("slc")
    content.pictures.browse[0].browse.unlink()
    with pytest.raises(BadDocument, match=r"browse\.png"):
        build_stac(content)


@pytest.mark.parametrize("name", NAMES)
def test_same_content_same_bytes(name: str, content_of: Maker, tmp_path: Path) -> None:
    content = content_of(name)
    assert make_documents(content).files == make_documents(content).files


def test_numbers_that_json_has_no_word_for() -> None:
    assert plain({"a": float("inf"), "b": (1, 2.0)}) == {"a": None, "b": [1, 2.0]}
    with pytest.raises(BadDocument):
        json_bytes({"a": float("nan")})

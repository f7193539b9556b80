"""Which tiles a product gets: layers, files, archives, TileJSON, budget."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import mercantile
import numpy as np
import pytest
from PIL import Image as Pillow
from pmtiles.reader import MmapSource, Reader, all_tiles

from alos2.errors import Interrupted
from alos2.raster.mercator import native_zoom
from alos2.raster.pictures import PictureOptions, PictureReport, make_pictures
from alos2.raster.places import Places
from alos2.raster.sinks import ArchiveSink

FIXED = {"stretch_db": (-30.0, 0.0)}
LAYERS = ["HH", "HV", "RGB"]


@pytest.fixture(scope="module")
def dual(make_once: Any) -> Any:
    """Two polarisations, 15 km, with a rotated border of no data."""
    rng = np.random.default_rng(3)
    lines, pixels = np.mgrid[0:600, 0:600]
    inside = (lines + 0.2 * pixels > 120) & (lines - 0.2 * pixels < 480)
    images = []
    for pol, level in (("HH", -8.0), ("HV", -15.0)):
        power = 10 ** (level / 10) * rng.gamma(4, 0.25, inside.shape)
        dn = np.where(inside, make_once.dn(10 * np.log10(power)), 0).astype(np.uint16)
        grid = make_once.utm(dn.shape, spacing=25.0)
        images.append(make_once.mapped(dn, grid, pol=pol).images[0])
    return make_once.product(*images)


def draw(product: Any, out: Path, **options: Any) -> PictureReport:
    out.mkdir(exist_ok=True)
    chosen = PictureOptions(**{"max_zoom": 12, **options})
    return make_pictures(product, out, dataset_id="x", options=chosen)


def files_of(folder: Path, *, tms: bool = True) -> dict[mercantile.Tile, bytes]:
    found = {}
    for path in folder.rglob("*.png"):
        z, x, y = int(path.parts[-3]), int(path.parts[-2]), int(path.stem)
        found[mercantile.Tile(x, 2**z - 1 - y if tms else y, z)] = path.read_bytes()
    return found


def archive_of(path: Path) -> tuple[dict[str, Any], dict[str, Any], dict[Any, bytes]]:
    with path.open("rb") as file:
        source = MmapSource(file)
        reader = Reader(source)
        tiles = {mercantile.Tile(x, y, z): bytes(data) for (z, x, y), data in all_tiles(source)}
        return reader.header(), reader.metadata(), tiles


def pictures(tiles: Mapping[Any, bytes]) -> dict[Any, bytes]:
    """What the tiles show, decoded with every checksum.

    Not their bytes: ISA-L has been seen to pack the same pixels in two ways (once in thousands of
    runs; the checksums of the unpacked pixels were equal).
    """
    shown = {}
    for tile, data in tiles.items():
        with Pillow.open(BytesIO(data)) as picture:
            shown[tile] = picture.convert("RGBA").tobytes()
    return shown


@pytest.fixture(scope="module")
def as_files(dual: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("files")
    return draw(dual, out), out


def test_every_polarisation_and_the_composite_is_a_layer(as_files: Any) -> None:
    report, out = as_files
    assert [layer.name for layer in report.layers] == LAYERS
    assert report.archives == ()
    names = {path.name for path in (out / "tiles").iterdir()}
    assert names == {*LAYERS, *(f"{name}.tilejson.json" for name in LAYERS)}
    for layer in report.layers:
        tiles = files_of(out / "tiles" / layer.name)
        assert len(tiles) == layer.count
        assert sum(map(len, tiles.values())) == layer.bytes
        assert {tile.z for tile in tiles} == set(range(13))
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


def test_the_composite_shows_co_cross_and_ratio(as_files: Any) -> None:
    report, out = as_files
    rgb = report.layers[-1]
    assert [channel.shows for channel in rgb.channels] == ["HH", "HV", "HH/HV"]
    assert rgb.channels[0].stretch == report.layers[0].stretch
    assert rgb.channels[1].stretch == report.layers[1].stretch
    assert [channel.shows for channel in report.stretch] == ["HH", "HV", "ratio"]
    deepest = max(files_of(out / "tiles" / "RGB"), key=lambda tile: tile.z)
    row = 2**deepest.z - 1 - deepest.y
    pictures = []
    for name in LAYERS:
        with Pillow.open(out / f"tiles/{name}/{deepest.z}/{deepest.x}/{row}.png") as picture:
            pictures.append(np.asarray(picture.convert("RGBA" if name == "RGB" else "L")))
    hh, hv, rgba = pictures
    seen = rgba[..., 3] > 0
    np.testing.assert_array_equal(seen, (hh > 0) & (hv > 0))
    assert abs(rgba[..., 0].astype(int) - hh)[seen].max() <= 1
    assert abs(rgba[..., 1].astype(int) - hv)[seen].max() <= 1
    limits = [channel.stretch for channel in rgb.channels]

    def level(grey: Any, channel: int) -> Any:
        step = (limits[channel].high_db - limits[channel].low_db) / 254
        return limits[channel].low_db + (grey.astype(float) - 1) * step

    inner = seen & (hh > 1) & (hh < 255) & (hv > 1) & (hv < 255)
    inner &= (rgba[..., 2] > 1) & (rgba[..., 2] < 255)
    difference = level(hh, 0) - level(hv, 1) - level(rgba[..., 2], 2)
    assert inner.sum() > 1000
    assert abs(difference[inner]).max() < 0.25  # three roundings to grey


def test_tilejson_is_valid_and_true(as_files: Any) -> None:
    report, out = as_files
    for layer in report.layers:
        assert layer.tilejson == out / "tiles" / f"{layer.name}.tilejson.json"
        said = json.loads(layer.tilejson.read_text(encoding="utf-8"))
        assert said["tilejson"] == "3.0.0"
        assert said["tiles"] == [f"./{layer.name}/{{z}}/{{x}}/{{y}}.png"]
        assert said["scheme"] == "tms"
        assert (said["minzoom"], said["maxzoom"]) == (0, 12)
        west, south, east, north = said["bounds"]
        assert -180 <= west < east <= 180
        assert -85.06 < south < north < 85.06
        lon, lat, zoom = said["center"]
        assert west < lon < east
        assert south < lat < north
        assert 0 <= zoom <= 12
        assert said["alos2:native_zoom"] == layer.native_zoom == 12
        assert said["alos2:calibration"] == {"factor_db": -83.0, "source": "leader"}
        stretch = [(c["low_db"], c["high_db"]) for c in said["alos2:channels"]]
        assert stretch == [(c.stretch.low_db, c.stretch.high_db) for c in layer.channels]
        for tile in files_of(out / "tiles" / layer.name):
            box = mercantile.bounds(tile)
            assert box.west <= east
            assert box.east >= west
            assert box.south <= north
            assert box.north >= south


def test_pmtiles_hold_what_the_files_hold(as_files: Any, dual: Any, tmp_path: Path) -> None:
    report = draw(dual, tmp_path / "out", pmtiles=True)
    assert report.layers == ()
    names = {path.name for path in (tmp_path / "out" / "tiles").iterdir()}
    assert names == {f"{name}.pmtiles" for name in LAYERS}
    for layer, other in zip(report.archives, as_files[0].layers, strict=True):
        header, metadata, tiles = archive_of(layer.archive)
        assert pictures(tiles) == pictures(files_of(as_files[1] / "tiles" / layer.name))
        assert (layer.count, layer.bytes) == (other.count, other.bytes)
        assert header["version"] == 3
        assert (header["min_zoom"], header["max_zoom"]) == (0, 12)
        assert header["clustered"] is True
        assert header["tile_type"].name == "PNG"
        assert header["addressed_tiles_count"] == layer.count
        assert metadata["bounds"] == list(other.bounds)
        assert metadata["alos2:channels"][0]["low_db"] == layer.stretch.low_db
        assert layer.tms is False


def test_the_same_tiles_in_any_order_make_the_same_archive(as_files: Any, tmp_path: Path) -> None:
    tiles = list(files_of(as_files[1] / "tiles/HH").items())
    for name, order in (("a", tiles), ("b", tiles[::-1])):
        with ArchiveSink(tmp_path / name) as sink:
            for tile, data in order:
                sink.put(tile, data)
            sink.finish({"name": "same"}, as_files[0].layers[0].bounds)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_same_product_makes_the_same_pictures(dual: Any, tmp_path: Path) -> None:
    for name, threads in (("a", 1), ("b", 3)):
        draw(dual, tmp_path / name, composite=False, max_zoom=11, threads=threads)
    for pol in ("HH", "HV"):
        first, second = (files_of(tmp_path / n / f"tiles/{pol}") for n in ("a", "b"))
        assert pictures(first) == pictures(second)


def test_many_tiles_need_leaf_directories(tmp_path: Path) -> None:
    path = tmp_path / "many.pmtiles"
    tiles = [mercantile.Tile(x, y, 8) for x in range(256) for y in range(0, 256, 3)]

    def data(tile: mercantile.Tile) -> bytes:
        return f"{tile.x} {tile.y}".encode() * (1 + (tile.x * 7919 + tile.y * 104729) % 211)

    with ArchiveSink(path) as sink:
        for tile in reversed(tiles):
            sink.put(tile, data(tile))
        sink.finish({"name": "many"}, (-180.0, -85.0, 180.0, 85.0))
    header, metadata, found = archive_of(path)
    assert header["leaf_directory_length"] > 0
    assert metadata == {"name": "many"}
    assert found == {tile: data(tile) for tile in tiles}
    with path.open("rb") as file:
        assert Reader(MmapSource(file)).get(8, 100, 99) == data(mercantile.Tile(100, 99, 8))
    assert [p.name for p in tmp_path.iterdir()] == ["many.pmtiles"]


def test_within_the_budget_all_are_files(as_files: Any, dual: Any, tmp_path: Path) -> None:
    total = sum(layer.count for layer in as_files[0].layers)
    report = draw(dual, tmp_path / "out", tile_budget=2 * total)
    assert [layer.name for layer in report.layers] == LAYERS
    assert report.archives == report.notes == ()


def test_beyond_the_budget_only_the_co_layer_stays_as_files(
    as_files: Any, dual: Any, tmp_path: Path
) -> None:
    each = as_files[0].layers[0].count
    report = draw(dual, tmp_path / "out", tile_budget=2 * each)
    (layer,) = report.layers
    assert (layer.name, layer.max_zoom, layer.count) == ("HH", 12, each)
    assert [archive.name for archive in report.archives] == ["HV", "RGB"]
    as_file = {name: pictures(files_of(as_files[1] / "tiles" / name)) for name in LAYERS}
    assert pictures(files_of(tmp_path / "out/tiles/HH")) == as_file["HH"]
    for archive in report.archives:
        assert pictures(archive_of(archive.archive)[2]) == as_file[archive.name]
    (note,) = report.notes
    assert f"budget of {2 * each} files" in note
    assert "HH is there as files to zoom 12" in note
    assert "HV, RGB" in note


def test_a_smaller_budget_makes_the_co_layer_shallower(
    as_files: Any, dual: Any, tmp_path: Path
) -> None:
    all_tiles_of = files_of(as_files[1] / "tiles/HH")
    to_ten = {tile: data for tile, data in all_tiles_of.items() if tile.z <= 10}
    report = draw(dual, tmp_path / "out", tile_budget=len(to_ten) + 3)
    (layer,) = report.layers
    assert (layer.name, layer.max_zoom, layer.count) == ("HH", 10, len(to_ten))
    assert layer.bytes == sum(map(len, to_ten.values()))
    assert pictures(files_of(tmp_path / "out/tiles/HH")) == pictures(to_ten)
    said = json.loads(layer.tilejson.read_text())
    assert said["maxzoom"] == 10
    assert [archive.name for archive in report.archives] == LAYERS
    assert pictures(archive_of(report.archives[0].archive)[2]) == pictures(all_tiles_of)


def test_a_budget_of_nothing_much(dual: Any, tmp_path: Path) -> None:
    report = draw(dual, tmp_path / "out", tile_budget=2, min_zoom=11)
    assert report.layers == ()
    assert len(report.archives) == 3
    assert "no tiles are files" in report.notes[0]
    names = {path.name for path in (tmp_path / "out/tiles").iterdir()}
    assert names == {f"{name}.pmtiles" for name in LAYERS}


def test_rows_from_the_north(as_files: Any, dual: Any, tmp_path: Path) -> None:
    report = draw(dual, tmp_path / "out", tms=False, composite=False)
    assert [layer.name for layer in report.layers] == ["HH", "HV"]
    found = files_of(tmp_path / "out/tiles/HH", tms=False)
    assert pictures(found) == pictures(files_of(as_files[1] / "tiles/HH"))
    said = json.loads(report.layers[0].tilejson.read_text())
    assert said["scheme"] == "xyz"


def test_a_second_run_replaces_the_first(dual: Any, tmp_path: Path) -> None:
    draw(dual, tmp_path / "out", max_zoom=9)
    report = draw(dual, tmp_path / "out", max_zoom=8, pmtiles=True, composite=False)
    assert [archive.max_zoom for archive in report.archives] == [8, 8]
    names = {path.name for path in (tmp_path / "out/tiles").iterdir()}
    assert names == {"HH.pmtiles", "HV.pmtiles"}


@pytest.mark.parametrize("stage", ["browse HV", "tiles", "cog HH"])
def test_a_stop_leaves_nothing_half_made(dual: Any, tmp_path: Path, stage: str) -> None:
    stop = False

    def progress(now: str, done: int, total: int | None) -> None:
        nonlocal stop
        stop = stop or now == stage

    options = PictureOptions(max_zoom=12, pmtiles=True, cog="db")
    with pytest.raises(Interrupted):
        make_pictures(
            dual, tmp_path, dataset_id="x", options=options,
            progress=progress, cancelled=lambda: stop,
        )  # fmt: skip
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert all(name.endswith((".png", ".pmtiles")) for name in left)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert (tmp_path / "tiles").exists() == (stage == "cog HH")


@pytest.mark.parametrize(("spacing", "deepest"), [(25.0, 14), (6.25, 14), (3.0, 15), (0.625, 17)])
def test_tiles_go_to_14_or_the_native_zoom(make: Any, spacing: float, deepest: int) -> None:
    native = native_zoom(Places(make.utm((100, 100), spacing=spacing)))
    assert PictureOptions().deepest_zoom(native) == deepest
    assert PictureOptions(max_zoom=9).deepest_zoom(native) == 9


def test_fixed_limits_and_those_of_single_bands(dual: Any, tmp_path: Path) -> None:
    options = {"stretch_db": (-25.0, 0.0), "stretch_of": {"HV": (-30.0, -5.0)}}
    report = draw(dual, tmp_path, max_zoom=8, stretch_from="other", **options)
    found = {c.shows: (c.stretch.low_db, c.stretch.high_db) for c in report.stretch}
    assert found == {"HH": (-25.0, 0.0), "HV": (-30.0, -5.0), "ratio": (0.0, 15.0)}
    methods = [c.stretch.method for c in report.stretch]
    assert methods == ["fixed", "from other", "fixed"]
    assert report.browse[1].stretch == report.layers[1].stretch


def test_an_empty_polarisation_makes_no_layer_and_no_composite(make: Any, tmp_path: Path) -> None:
    dn = np.full((200, 200), make.dn(-10.0), np.uint16)
    grid = make.utm(dn.shape, spacing=25.0)
    full = make.mapped(dn, grid, pol="HH").images[0]
    empty = make.mapped(np.zeros_like(dn), grid, pol="HV").images[0]
    report = draw(make.product(full, empty), tmp_path / "out", max_zoom=9)
    assert [layer.name for layer in report.layers] == ["HH"]
    assert "no picture of HV" in report.notes[0]

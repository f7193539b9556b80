"""Finished stacks: their list and page, tiles out of COGs, the series of a place."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image
from pyproj import Transformer

from alos2.animation.colours import table
from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.errors import BadProduct
from alos2.types import LonLat
from alos2.web.answers import HttpError
from alos2.web.app import create_app
from alos2.web.archive import ArchiveFiles
from alos2.web.layers import Place
from alos2.web.options import ServeOptions
from alos2.web.stacks.keys import catalogue_keys, is_made_of
from alos2.web.stacks.model import product_of
from alos2.web.stacks.rasters import Rasters, Source
from alos2.web.stacks.sampling import Square
from alos2.web.stacks.series import Where, series
from fakes.finished import (
    DATES,
    DISC,
    EMPTY_PX,
    FLOODED,
    GAP_DATE,
    GAP_PX,
    Finished,
    item_of,
    make_finished,
)
from fakes.served import SLC, golden, lay, served, variant

SMALL = (200, 300)


@dataclass(frozen=True)
class Shelf:
    """A server of finished stacks and the scenes of one of them."""

    url: str
    archive: Path
    track: Finished
    coded: Finished
    mosaic: Finished

    def get(self, path: str, **more: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=30, **more)

    def page(self, stack: Finished) -> dict[str, Any]:
        answer = self.get(f"/api/stackproducts/{stack.id}")
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def series(self, stack: Finished, line: int, pixel: int, window: int = 1) -> dict[str, Any]:
        lon, lat = stack.lonlat(line, pixel)
        query = f"lon={lon}&lat={lat}&window={window}"
        told: dict[str, Any] = self.get(f"/api/stackproducts/{stack.id}/series?{query}").json()
        return told


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    archive = tmp_path_factory.mktemp("finished") / "archive"
    archive.mkdir()
    for number in range(3):
        lay(archive, variant(golden(SLC), number))
    made = (
        make_finished(archive),
        make_finished(archive, dtype="uint8", shape=SMALL, dates=DATES[:3], path=12),
        make_finished(archive, dtype="uint8", mosaic=True, shape=SMALL, dates=DATES[:2], path=13),
    )
    with EmbeddedCatalogue.open(archive) as catalogue:
        assert len(catalogue) == 6
    with served(create_app(archive, ServeOptions(port=0))) as url:
        yield Shelf(url, archive, *made)


def tile_at(stack: Finished, line: int, pixel: int, zoom: int) -> tuple[int, int, int, int]:
    """Column and row of the tile that holds a pixel, and of its place in the tile."""
    lon, lat = stack.lonlat(line, pixel)
    x, y = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform(lon, lat)
    half = math.pi * 6378137.0
    across, down = (x + half) / (2 * half) * 2**zoom, (half - y) / (2 * half) * 2**zoom
    return int(across), int(down), int(across % 1 * 256), int(down % 1 * 256)


def png(answer: requests.Response) -> Any:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (256, 256)
        return np.asarray(picture.convert("RGBA"))


def test_list_follows_the_search(shelf: Shelf) -> None:
    told = shelf.get("/api/stackproducts").json()
    assert {one["id"] for one in told["products"]} == {
        shelf.track.id, shelf.coded.id, shelf.mosaic.id,
    }  # fmt: skip
    one = next(one for one in told["products"] if one["id"] == shelf.track.id)
    assert (one["title"], one["dates"], one["kind"]) == ("Path 97 · frame 2900", 5, "track")
    assert one["metrics"] == ["avg", "max", "std", "count", "trend", "phase"] or one["metrics"] == [
        "avg", "max", "std", "count", "phase", "trend",
    ]  # fmt: skip
    assert (one["start"][:10], one["end"][:10]) == ("2020-06-15", "2020-10-05")
    assert shelf.get("/api/stackproducts?mode=UBS").json()["products"] == []
    body = {"intersects": {"type": "Point", "coordinates": shelf.track.lonlat(300, 500)}}
    posted = requests.post(f"{shelf.url}/api/stackproducts", json=body, timeout=20).json()
    assert [found["id"] for found in posted["products"]] == [shelf.track.id]
    # Elsewhere they are items like any other.
    assert shelf.get("/api/facets?facets=kind").json()["facets"]["kind"]["alos2_stack"] == 3
    item = shelf.get(f"/stac/collections/ALOS2-STACK/items/{shelf.track.id}").json()
    assert requests.head(item["assets"]["avg-hh"]["href"], timeout=20).status_code == 200
    assert shelf.get(f"/api/items/{shelf.track.id}").json()["kind"] == "alos2_stack"


def test_page_tells_dates_metrics_layers_and_how_it_was_made(shelf: Shelf) -> None:
    told = shelf.page(shelf.track)
    assert [date["title"] for date in told["dates"]] == [f"{when:%Y-%m-%d}" for when in DATES]
    assert told["dates"][0]["layers"] == {
        "RGB": "20200615-RGB", "HH": "20200615-HH", "HV": "20200615-HV",
    }  # fmt: skip
    assert told["dates"][0]["scenes"] == ["ALOS2043672900-200615-FBDR2.1GUA"]
    assert told["layers"][0]["name"] == "avg-RGB"
    assert len(told["layers"]) == 5 * 3 + 6 * 2 + 1
    assert told["without"] == ["20200520"]
    assert [one["kind"] for one in told["pictures"]] == ["animation", "pair", "blink", "overview"]
    for one in (*told["pictures"], *told["files"]):
        assert requests.head(one["href"], timeout=20).status_code == 200, one
    sizes = {one["name"]: one["size"] for one in told["files"]}
    assert sizes["Timescan/bs.HH.avg.tif"] > 0
    assert all(len(one["sha256"]) == 64 for one in told["files"])
    groups = {group["name"]: group["rows"] for group in told["groups"]}
    assert ["Pixel spacing", "25", "m"] in groups["Grid"]
    assert ["Product", "RTC-gamma0", None] in groups["Each acquisition"]
    assert ["Elevation model", "dem.tif", None] in groups["Each acquisition"]
    assert ["Multi-temporal speckle filter", "Lee, 5 x 5", None] in groups["Time series"]
    assert ["Outliers lie beyond", "2", "σ"] in groups["Metrics"]
    assert not any(row[0] == "Lowest code" for row in groups["Time series"])


def test_legends_have_the_colours_of_the_pictures_and_one_stretch(shelf: Shelf) -> None:
    layers = {one["name"]: one for one in shelf.page(shelf.track)["layers"]}
    ends = {
        (one["legend"]["low"], one["legend"]["high"])
        for name, one in layers.items()
        if name.startswith("2020") and name.endswith("HH")
    }
    assert len(ends) == 1
    every = np.concatenate([plane[np.isfinite(plane)] for plane in shelf.track.decibels["HH"]])
    assert np.allclose(ends.pop(), np.percentile(every, (2, 98)), atol=0.4)
    mean = layers["avg-HH"]["legend"]
    assert mean["colours"][0] == "#{:02x}{:02x}{:02x}".format(*table("sequential")[0])
    assert (mean["unit"], layers["max-HH"]["legend"]["low"]) == ("dB", mean["low"])
    assert mean["low"] < mean["ticks"][0][0] + 1e-9 <= mean["ticks"][-1][0] <= mean["high"]
    trend = layers["trend-HV"]["legend"]
    assert trend["low"] == -trend["high"]
    assert trend["colours"][8] == "#{:02x}{:02x}{:02x}".format(*table("diverging")[120])
    assert [text for _, text in layers["phase-HH"]["legend"]["ticks"]][2] == "Jan"
    assert [one["shows"] for one in layers["avg-RGB"]["channels"]] == ["HH", "HV", "HH/HV"]
    assert layers["20200615-RGB"]["channels"] == layers["avg-RGB"]["channels"]


@pytest.mark.parametrize("zoom", [11, 12, 13])
def test_tiles_show_the_files_values(shelf: Shelf, zoom: int) -> None:
    stack = shelf.track
    layer = next(o for o in shelf.page(stack)["layers"] if o["name"] == "20200810-HH")
    low, high = layer["legend"]["low"], layer["legend"]["high"]
    column, row, _, _ = tile_at(stack, DISC[0], DISC[1], zoom)
    address = layer["url"].replace("{z}/{x}/{y}", f"{zoom}/{column}/{row}")
    drawn = png(requests.get(address, timeout=30))
    there = Transformer.from_crs("EPSG:3857", stack.grid.crs_wkt, always_xy=True)
    half, centre = math.pi * 6378137.0, (np.arange(256) + 0.5) / 256
    xs, ys = np.meshgrid(-half + (column + centre) * 2 * half / 2**zoom,
                         half - (row + centre) * 2 * half / 2**zoom)  # fmt: skip
    easting, northing = there.transform(xs, ys)
    a, _, c, _, e, f = stack.grid.transform
    pixel, line = np.floor((easting - c) / a), np.floor((northing - f) / e)
    lines, pixels = stack.grid.shape
    inside = (pixel >= 2) & (pixel < pixels - 2) & (line >= 2) & (line < lines - 2)
    inside &= np.abs(pixel - EMPTY_PX) > 6
    inside &= np.abs(np.hypot(line - DISC[0], pixel - DISC[1]) - DISC[2]) > 6
    picked = np.where(inside, 1, 0).astype(bool)
    truth = stack.decibels["HH"][2][line[picked].astype(int), pixel[picked].astype(int)]
    known = np.isfinite(truth)
    assert np.array_equal(drawn[picked][:, 3] == 255, known)
    grey = drawn[picked][known][:, 0]
    expected = np.clip((truth[known] - low) / (high - low), 0, 1) * 255
    # Half a pixel of the slopes, an overview's mean of them, and a step of grey.
    assert np.abs(grey - expected).max() < 10
    assert np.abs(grey - expected).mean() < 2


def test_tiles_of_composites_metrics_and_codes(shelf: Shelf) -> None:
    for stack in (shelf.track, shelf.coded, shelf.mosaic):
        page = shelf.page(stack)
        middle = (stack.grid.shape[0] // 2, GAP_PX + 50)
        for layer in page["layers"]:
            zoom = layer["max_zoom"]
            column, row, x, y = tile_at(stack, *middle, zoom)
            address = layer["url"].replace("{z}/{x}/{y}", f"{zoom}/{column}/{row}")
            red, green, blue, alpha = png(requests.get(address, timeout=30))[y, x]
            assert alpha == 255, layer["name"]
            db = stack.decibels["HH"][0][middle]
            if layer["name"] == f"{stack.names[0]}-RGB":
                ends = [(c["low_db"], c["high_db"]) for c in layer["channels"]]
                wanted = [
                    np.clip((value - low) / (high - low), 0, 1) * 255
                    for value, (low, high) in zip((db, db - 7, 7.0), ends, strict=True)
                ]
                assert np.allclose([red, green, blue], wanted, atol=6), layer["name"]
            if layer["name"] == "count-HH":
                index = round(len(stack.names) / layer["legend"]["high"] * 255)
                assert tuple(table("sequential")[index]) == (red, green, blue)
            if layer["name"] == "trend-HH":
                share = stack.metrics["trend", "HH"][middle] / layer["legend"]["high"]
                nearby = table("diverging")[int(np.clip(127.5 * (1 + share), 0, 255))]
                assert np.abs(nearby.astype(int) - (red, green, blue)).max() < 8


def test_far_zooms_deep_zooms_and_places_without_data(shelf: Shelf) -> None:
    name = shelf.track.id
    for zoom in (5, 8, 11):
        column, row, x, y = tile_at(shelf.track, 280, 400, zoom)
        drawn = png(shelf.get(f"/stackproducts/{name}/tiles/avg-HH/{zoom}/{column}/{row}.png"))
        seen = np.argwhere(drawn[..., 3] > 0)
        assert len(seen) > 0
        # Nowhere else on the Earth.
        assert np.abs(seen - (y, x)).max() < max(3, 0.1 * 2**zoom)
    # A stack of 16 km is less than a pixel of the whole world.
    world = png(shelf.get(f"/stackproducts/{name}/tiles/avg-HH/0/0/0.png"))
    assert (world[..., 3] > 0).sum() <= 1
    column, row, _, _ = tile_at(shelf.track, 280, 400, 16)
    assert png(shelf.get(f"/stackproducts/{name}/tiles/avg-HH/16/{column}/{row}.png"))[..., 3].all()
    column, row, _, _ = tile_at(shelf.track, 280, 10, 13)
    left = png(shelf.get(f"/stackproducts/{name}/tiles/20200615-HH/13/{column}/{row}.png"))
    assert (left[:, 255, 3] >= left[:, 0, 3]).all()
    assert left[..., 3].min() == 0
    empty = png(shelf.get(f"/stackproducts/{name}/tiles/avg-HH/12/1/1.png"))
    assert not empty[..., 3].any()


def test_tiles_are_kept_by_clients_until_the_file_changes(shelf: Shelf, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(shelf.coded.folder, archive / shelf.coded.id)
    EmbeddedCatalogue.open(archive).close()
    column, row, _, _ = tile_at(shelf.coded, 100, 150, 12)
    path = f"/stackproducts/{shelf.coded.id}/tiles/avg-HH/12/{column}/{row}.png"
    with served(create_app(archive, ServeOptions(port=0))) as url:
        first = requests.get(f"{url}{path}?v=1", timeout=20)
        assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "must-revalidate" in requests.get(url + path, timeout=20).headers["cache-control"]
        known = {"If-None-Match": first.headers["etag"]}
        again = requests.get(url + path, headers=known, timeout=20)
        assert (again.status_code, again.content) == (304, b"")
        mean = archive / shelf.coded.id / "Timescan/bs.HH.avg.tif"
        other = mean.with_name("other.tif")
        shutil.copyfile(mean.with_name("bs.HH.max.tif"), other)
        other.replace(mean)
        changed = requests.get(url + path, headers=known, timeout=20)
        assert changed.status_code == 200
        assert changed.content != first.content


def test_what_is_not_there_is_refused_with_a_sentence(shelf: Shelf) -> None:
    name = shelf.track.id
    tiles = f"/stackproducts/{name}/tiles"
    for path in (
        f"{tiles}/avg-VV/3/1/1.png", f"{tiles}/..%2Favg-HH/3/1/1.png", f"{tiles}/avg-HH/3/9/1.png",
        f"{tiles}/avg-HH/99/1/1.png", "/stackproducts/nothing/tiles/avg-HH/3/1/1.png",
        f"/stackproducts/..%2F{name}/tiles/avg-HH/3/1/1.png", "/api/stackproducts/nothing",
        f"/api/stackproducts/{SLC}", f"/api/stackproducts/{SLC}/series?lon=1&lat=1",
    ):  # fmt: skip
        answer = shelf.get(path)
        assert answer.status_code == 404, path
        assert len(answer.json()["description"]) > 15
    for query in ("", "lon=139", "lon=x&lat=1", "lon=500&lat=1", "lon=nan&lat=1",
                  "lon=1&lat=1&window=4",
                  "lon=1&lat=1&window=x", "lon=1&lat=1&window=99"):  # fmt: skip
        answer = shelf.get(f"/api/stackproducts/{name}/series?{query}")
        assert answer.status_code == 400, query
        assert answer.json()["code"] == "InvalidParameterValue"
    assert requests.post(f"{shelf.url}{tiles}/avg-HH/3/1/1.png", timeout=20).status_code in (
        403,
        405,
    )


def test_series_of_a_place_are_the_files_numbers(shelf: Shelf) -> None:
    line, pixel = DISC[0], DISC[1]
    told = shelf.series(shelf.track, line, pixel)
    assert (told["unit"], told["window"], told["inside"]) == ("dB", 1, True)
    for number, date in enumerate(told["dates"]):
        for pol in ("HH", "HV"):
            truth = float(shelf.track.decibels[pol][number][line, pixel])
            assert date["values"][pol] == pytest.approx(truth, abs=6e-4)
    hh = [date["values"]["HH"] for date in told["dates"]]
    assert min(range(5), key=hh.__getitem__) in FLOODED
    mean, std = (float(shelf.track.metrics[name, "HH"][line, pixel]) for name in ("avg", "std"))
    assert told["metrics"]["avg"]["HH"] == pytest.approx(mean, abs=6e-4)
    assert told["metrics"]["std"]["HH"] == pytest.approx(std, rel=1e-5)
    assert told["metrics"]["count"]["HV"] == 5
    power = 10 ** (mean / 10)
    band = told["bands"]["HH"]
    assert band["high"] == pytest.approx(10 * math.log10(power + std), abs=2e-3)
    assert band["low"] == pytest.approx(10 * math.log10(power - std), abs=2e-3)
    # A gap is a gap, outside is outside.
    gap = shelf.series(shelf.track, 100, GAP_PX - 20)
    assert gap["dates"][GAP_DATE]["values"]["HV"] is None
    assert gap["dates"][GAP_DATE]["values"]["HH"] is not None
    empty = shelf.series(shelf.track, 100, 5)
    assert empty["inside"]
    assert {value for date in empty["dates"] for value in date["values"].values()} == {None}
    assert empty["bands"] == {}
    far = shelf.get(f"/api/stackproducts/{shelf.track.id}/series?lon=10&lat=-40").json()
    assert not far["inside"]


def test_windows_are_means_of_power_of_what_has_data(shelf: Shelf) -> None:
    line, pixel = 200, EMPTY_PX + 1
    told = shelf.series(shelf.track, line, pixel, 5)
    cut = shelf.track.decibels["HH"][0][line - 2 : line + 3, pixel - 2 : pixel + 3]
    assert np.isnan(cut).any()
    mean = 10 * math.log10(np.nanmean(10 ** (cut.astype(float) / 10)))
    assert told["dates"][0]["values"]["HH"] == pytest.approx(mean, abs=6e-4)
    edge = shelf.series(shelf.track, 0, shelf.track.grid.shape[1] - 1, 11)
    assert edge["dates"][0]["values"]["HH"] is not None


@pytest.mark.parametrize("which", ["coded", "mosaic"])
def test_series_of_codes(shelf: Shelf, which: str) -> None:
    stack: Finished = getattr(shelf, which)
    told = shelf.series(stack, 100, 150)
    step = 35 / 254
    for number, date in enumerate(told["dates"]):
        truth = float(stack.decibels["HH"][number][100, 150])
        assert date["values"]["HH"] == pytest.approx(truth, abs=step / 2 + 1e-3)
    assert told["metrics"]["avg"]["HV"] == pytest.approx(
        float(stack.metrics["avg", "HV"][100, 150]), abs=step / 2 + 1e-3
    )
    assert told["metrics"]["count"]["HH"] == len(stack.names)
    if which == "mosaic":
        first = told["dates"][0]
        assert first["name"] == f"{DATES[0]:%Y%m%d}-{DATES[0] + timedelta(days=5):%Y%m%d}"
        assert first["title"] == "2020-06-15 / 2020-06-20"
        assert first["time"].startswith("2020-06-17T14:40")


def test_csv(shelf: Shelf) -> None:
    lon, lat = shelf.track.lonlat(100, GAP_PX - 20)
    answer = shelf.get(f"/api/stackproducts/{shelf.track.id}/series.csv?lon={lon}&lat={lat}")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    head, *rows = csv.reader(io.StringIO(answer.text))
    assert head == ["date", "time_utc", "HH_dB", "HV_dB"]
    assert [row[0] for row in rows] == list(shelf.track.names)
    assert rows[GAP_DATE][3] == ""
    assert float(rows[0][2]) == pytest.approx(
        float(shelf.track.decibels["HH"][0][100, GAP_PX - 20]), abs=6e-4
    )


def test_readout_below_the_pointer(shelf: Shelf) -> None:
    lon, lat = shelf.track.lonlat(300, 500)

    def told(layer: str, place: str = f"lon={lon}&lat={lat}") -> dict[str, Any]:
        found = shelf.get(f"/api/pixel?dataset={shelf.track.id}&layer={layer}&{place}")
        assert found.status_code == 200, found.text
        return dict(found.json())

    truth = float(shelf.track.decibels["HH"][0][300, 500])
    assert told("20200615-HH")["db"] == pytest.approx(truth, abs=0.01)
    channels = told("20200615-RGB")["channels"]
    assert [one["db"] for one in channels] == pytest.approx([truth, truth - 7, 7], abs=0.02)
    trend = told("trend-HH")
    assert (trend["value"], trend["unit"]) == (pytest.approx(2.0, abs=1e-3), "dB a year")
    assert told("avg-HH", "lon=0&lat=0")["why"] == "outside"
    left = shelf.track.lonlat(300, 5)
    assert told("avg-HH", f"lon={left[0]}&lat={left[1]}")["why"] == "no data"
    assert shelf.get(f"/api/pixel?dataset={shelf.track.id}&layer=no&lon=1&lat=1").status_code == 404


def test_stacks_of_scenes_and_finished_ones_know_each_other(shelf: Shelf) -> None:
    (scenes,) = shelf.get("/api/stacks").json()["stacks"]
    assert scenes["count"] == 3
    key = scenes["key"]
    assert shelf.get(f"/api/stacks/{key}").json()["products"] == [shelf.track.id]
    assert [one["key"] for one in shelf.page(shelf.track)["stacks"]] == [key]
    assert shelf.page(shelf.coded)["stacks"] == []
    said = {"alos2:tracks": ["P126_F0680-0690_WBD_B12_L_D"], "alos2:frames": ["0680", "0690"]}
    assert catalogue_keys(said) == ["126_0680_WBD_L_D_1+2_x", "126_0690_WBD_L_D_1+2_x"]
    near = {"alos2:tracks": ["P126_F0680_FBD_28.6_R_A"]}
    assert is_made_of(near, "126_0680_FBD_R_A_x_28.9")
    assert not is_made_of(near, "126_0680_FBD_R_A_x_32.4")


def test_thumbnails_are_drawn_where_there_is_none(shelf: Shelf) -> None:
    own = shelf.get(f"/thumbnails/{shelf.track.id}")
    with Image.open(io.BytesIO(own.content)) as picture:
        assert picture.size == (60, 60)
    drawn = png(shelf.get(f"/thumbnails/{shelf.mosaic.id}"))
    assert drawn[128, 128, 3] == 255
    assert drawn[0, 0, 3] == 0


def test_nothing_leads_out_of_a_dataset(shelf: Shelf, tmp_path: Path) -> None:
    secret = tmp_path / "secret.tif"
    shutil.copyfile(shelf.coded.folder / "Timescan/bs.HH.avg.tif", secret)
    item = item_of(shelf.coded)
    base = tmp_path / "archive" / shelf.coded.id
    base.mkdir(parents=True)
    text = json.dumps(item)
    text = text.replace("./Timescan/bs.HH.avg.tif", f"./../../{secret.parent.name}/bs.HH.avg.tif")
    (base / f"{shelf.coded.id}.stac.json").write_text(text)
    folder = base / "Timescan"
    folder.mkdir()
    (folder / "bs.HV.avg.tif").symlink_to(secret)
    # A virtual raster may name any file of the machine.
    (folder / "bs.HH.max.tif").write_text(
        '<VRTDataset rasterXSize="300" rasterYSize="200"><VRTRasterBand dataType="Byte" band="1">'
        f"<SimpleSource><SourceFilename>{secret}</SourceFilename></SimpleSource>"
        "</VRTRasterBand></VRTDataset>"
    )
    product = product_of(json.loads(text), "x")
    rasters = Rasters(ArchiveFiles(tmp_path / "archive"))
    try:
        for path in (product.metrics["avg"]["HH"], "Timescan/bs.HV.avg.tif"):
            with (
                pytest.raises(HttpError, match="no such file"),
                rasters.lent(Source(product, path, "avg")),
            ):
                pass
        with (
            pytest.raises(BadProduct, match="no GeoTIFF"),
            rasters.lent(Source(product, "Timescan/bs.HH.max.tif", "max")),
        ):
            pass
    finally:
        rasters.close()


def test_open_files_are_bounded_and_lent_to_one_at_a_time(shelf: Shelf) -> None:
    product = product_of(item_of(shelf.track), "x")
    rasters = Rasters(ArchiveFiles(shelf.archive), most=3)
    sources = [Source(product, date.layers["HH"], None) for date in product.dates]
    try:
        with rasters.lent(sources[0]) as one, rasters.lent(sources[0]) as other:
            assert one is not other
        with ThreadPoolExecutor(4) as pool:
            lon, lat = shelf.track.lonlat(300, 500)
            told = list(
                pool.map(
                    lambda _: series(rasters, product, Where(LonLat(lon, lat))),
                    range(12),
                )
            )
        assert all(one == told[0] for one in told)
        assert rasters.idle <= 3
        assert told[0]["failures"] == []
    finally:
        rasters.close()


def test_a_missing_or_damaged_date_does_not_hide_the_others(shelf: Shelf, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    shutil.copytree(shelf.coded.folder, archive / shelf.coded.id)
    dates = archive / shelf.coded.id / "Timeseries"
    (dates / "20200615.bs.HH.tif").unlink()
    (dates / "20200713.bs.HH.tif").write_bytes(b"no tiff")
    product = product_of(item_of(shelf.coded), "x")
    rasters = Rasters(ArchiveFiles(archive))
    try:
        lon, lat = shelf.coded.lonlat(100, 150)
        told = series(rasters, product, Where(LonLat(lon, lat)))
    finally:
        rasters.close()
    assert [date["values"]["HH"] is None for date in told["dates"]] == [True, True, False]
    assert len(told["failures"]) == 2


def test_squares_hold_boxes() -> None:
    for box in ((138.0, 35.0, 139.0, 36.0), (179.5, -10.0, -179.5, -9.0), (0.0, 84.0, 20.0, 85.0)):
        square = Square.around(box)
        left = square.x * 360 - 180
        wide = (box[2] - box[0]) % 360
        assert left <= box[0]
        assert left + square.side * 360 >= box[0] + wide
    assert Square.of(Place(3, 5, 2)) == (5 / 8, 2 / 8, 1 / 8)


def test_thirty_dates_of_a_pixel_are_quick(shelf: Shelf) -> None:
    shelf.series(shelf.track, 200, 300)
    begun = time.perf_counter()
    for _ in range(3):
        shelf.series(shelf.track, 210, 310)
    # 22 files each; beside other tests on a busy machine, so with much room.
    assert (time.perf_counter() - begun) / 3 < 1.0

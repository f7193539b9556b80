"""Each ScanSAR beam as a picture of its own, beside that of all beams: simulated, against truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import mercantile
import numpy as np
import pytest
import rasterio
from PIL import Image as Pillow

from alos2.geometry.rangedoppler import rdr2geo
from alos2.product.recognise import recognise
from alos2.raster.mercator import pixel_m, to_world
from alos2.raster.pictures import PictureOptions, StretchLimits, make_pictures
from alos2.raster.quicklook import quicklook
from alos2.raster.stretch import grey_to_decibel
from alos2.simulate import SimulationSpec, simulate
from alos2.types import Window

LIMITS = StretchLimits(-60.0, 20.0, "fixed")
ID = "scansar"
POLS = ["HH", "HV"]
BEAMS = ["F1", "F2", "F3", "F4", "F5"]
NAMES = [f"{pol}-{beam}" for pol in POLS for beam in BEAMS]


@contextmanager
def opened(folder: Path) -> Iterator[Any]:
    with recognise(folder) as tree:
        yield tree.products[0]


@dataclass
class Drawn:
    """A simulated product, and the pictures of it."""

    folder: Path
    truth: Any
    out: Path
    report: Any
    stages: set[str]

    @property
    def zoom(self) -> int:
        return int(self.report.layers[0].max_zoom)

    def mosaic(self, layer: str) -> tuple[Any, int, int]:
        """DB of a layer's deepest zoom, and the world pixel of its first line and pixel."""
        paths = list((self.out / "tiles" / layer).glob(f"{self.zoom}/*/*.png"))
        assert paths
        tiles = [mercantile.Tile(int(p.parent.name), int(p.stem), self.zoom) for p in paths]
        all_tiles = [
            mercantile.Tile(int(p.parent.name), int(p.stem), self.zoom)
            for p in (self.out / "tiles" / layer[:2]).glob(f"{self.zoom}/*/*.png")
        ]
        left, top = min(t.x for t in all_tiles), min(t.y for t in all_tiles)
        width = 1 + max(t.x for t in all_tiles) - left
        height = 1 + max(t.y for t in all_tiles) - top
        whole = np.full((256 * height, 256 * width), np.nan, np.float32)
        for tile, path in zip(tiles, paths, strict=True):
            with Pillow.open(path) as picture:
                level = grey_to_decibel(np.asarray(picture), LIMITS)
            assert np.isfinite(level).any(), "an empty tile was written"
            y, x = 256 * (tile.y - top), 256 * (tile.x - left)
            whole[y : y + 256, x : x + 256] = level
        return whole, 256 * left, 256 * top

    def places(self, shape: tuple[int, int], left: int, top: int) -> tuple[Any, Any]:
        """Longitude and latitude of the pixels' centres of a mosaic."""
        size = 256 * 2**self.zoom
        rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
        x, y = (columns + left + 0.5) / size, (rows + top + 0.5) / size
        return x * 360 - 180, np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y))))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    folder = tmp_path_factory.mktemp("beams")
    spec = SimulationSpec(
        level="1.1", mode="WBD", pixels=260, lines=3000, polarizations=("HH", "HV")
    )
    made = simulate(spec, folder / "product")
    out = folder / "out"
    out.mkdir()
    stages = set()
    options = PictureOptions(stretch_db=(-60.0, 20.0), max_zoom=12, tms=False, cog="power")
    with opened(made.product_dir) as product:
        report = make_pictures(
            product, out, dataset_id=ID, options=options,
            progress=lambda stage, *_: stages.add(stage),
        )  # fmt: skip
    truth = json.loads(Path(made.truth_path).read_text())
    return Drawn(made.product_dir, truth, out, report, stages)


def test_every_beam_is_a_layer_behind_those_of_all(drawn: Drawn) -> None:
    assert [layer.name for layer in drawn.report.layers] == [*POLS, "RGB", *NAMES]
    assert [band.beam for band in drawn.report.browse] == [None, None, *BEAMS, *BEAMS]
    for layer in drawn.report.layers:
        files = list((drawn.out / "tiles" / layer.name).rglob("*.png"))
        assert len(files) == layer.count
        assert layer.native_zoom == 12
        said = json.loads(layer.tilejson.read_text())
        assert said["alos2:layer"] == layer.name
        assert said["bounds"] == list(layer.bounds)
    union = drawn.report.layers[0]
    for layer in drawn.report.layers[3:]:
        assert layer.count <= union.count
        assert layer.bytes < 0.5 * union.bytes
        assert [channel.shows for channel in layer.channels] == [layer.name]
        west, south, east, north = layer.bounds
        assert west >= union.bounds[0] - 1e-6
        assert south >= union.bounds[1] - 1e-6
        assert east <= union.bounds[2] + 1e-6
        assert north <= union.bounds[3] + 1e-6
        assert (east - west) * (north - south) < 0.6 * (union.bounds[2] - union.bounds[0]) * (
            union.bounds[3] - union.bounds[1]
        )
    assert {f"browse {name}" for name in (*POLS, *NAMES)} <= drawn.stages
    assert {stage for stage in drawn.stages if stage.startswith("looks")} == {
        f"looks {pol} {beam}" for pol in POLS for beam in BEAMS
    }


@pytest.mark.parametrize("name", ["HH-F1", "HH-F3", "HV-F5"])
def test_a_beam_is_valid_exactly_where_it_has_data(drawn: Drawn, name: str, tmp_path: Path) -> None:
    level, left, top = drawn.mosaic(name)
    lon, lat = (degrees[::2, ::2] for degrees in drawn.places(level.shape, left, top))
    level = level[::2, ::2]
    with opened(drawn.folder) as product, quicklook(product, name[:2], tmp_path) as look:
        beam = next(beam for beam in look.beams if beam.name == name[3:])
        lines, pixels = beam.source.shape
        held = beam.source.valid(Window(0, 0, lines, pixels))
        pixel, line = beam.surface.pixel_line(lon, lat)
        inside = (pixel >= 0) & (pixel < pixels) & (line >= 0) & (line < lines)
        expected = np.zeros_like(inside)
        expected[inside] = held[line[inside].astype(int), pixel[inside].astype(int)]
        # The mask is that of the union's cells, whose edges are not the beam's.
        near = (np.abs(pixel) < 1) | (np.abs(pixel - pixels) < 1)
        near |= (np.abs(line) < 1) | (np.abs(line - lines) < 1)
    assert expected.sum() > 1000
    assert (np.isfinite(level) != expected)[~near].mean() < 1e-4


def test_by_itself_a_beam_is_what_it_is_among_all(drawn: Drawn, tmp_path: Path) -> None:
    union, left, top = drawn.mosaic("HH")
    alone = {beam: drawn.mosaic(f"HH-{beam}")[0] for beam in BEAMS}
    count = sum(np.isfinite(level).astype(int) for level in alone.values())
    np.testing.assert_array_equal(count > 0, np.isfinite(union))
    assert (count == 2).any(), "neighbours overlap"
    lon, lat = drawn.places(union.shape, left, top)
    lon, lat, union = lon[::3, ::3], lat[::3, ::3], union[::3, ::3]
    alone = {name: level[::3, ::3] for name, level in alone.items()}
    compared = 0
    with opened(drawn.folder) as product, quicklook(product, "HH", tmp_path) as look:
        inner = {}
        for beam in look.beams:
            pixel, line = beam.surface.pixel_line(lon, lat)
            lines, pixels = beam.source.shape
            inner[beam.name] = (pixel > -3) & (pixel < pixels + 3)
            inner[beam.name] &= (line > -3) & (line < lines + 3)
    for beam, level in alone.items():
        others = np.logical_or.reduce([inner[name] for name in BEAMS if name != beam])
        only = np.isfinite(level) & ~others
        # A rounding to grey apart, where weights cancel but for the last bit.
        step = 80.0 / 254
        assert np.abs(level[only] - union[only]).max() <= step * 1.01
        assert (level[only] == union[only]).mean() > 0.999
        compared += int(only.sum())
    assert compared > 1000


def test_point_targets_lie_right_in_their_own_beam(drawn: Drawn) -> None:
    mosaics = {beam: drawn.mosaic(f"HH-{beam}") for beam in BEAMS}
    size = 256 * 2**drawn.zoom
    found = set()
    with opened(drawn.folder) as product:
        orbit = product.orbit
    step_m = pixel_m(drawn.zoom, drawn.truth["center"]["lat_deg"])
    frame = 1 + int(np.ceil(np.log2(16 * step_m / 100)))
    for target in drawn.truth["point_targets"]:
        if int(target["name"][1:3]) < frame:
            continue  # its dark parcel is smaller than what is looked at
        image = next(i for i in drawn.truth["images"] if i["beam"] == target["beam"])
        start = datetime.fromisoformat(image["first_line_time"].replace("Z", "+00:00"))
        lon, lat = rdr2geo(
            orbit,
            orbit.seconds(start) + target["line"] * image["line_interval_s"],
            image["near_range_m"] + target["pixel"] * image["range_spacing_m"],
            look=drawn.truth["spec"]["look"],
        )
        level, left, top = mosaics[target["beam"]]
        x, y = (float(v) * size for v in to_world(np.array(lon), np.array(lat)))
        x, y = x - left, y - top
        rows, columns = np.mgrid[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5]
        if rows.min() < 0 or columns.min() < 0:
            continue
        power = 10 ** (level[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5] / 10)
        background = np.median(power)
        if power.shape != (9, 9) or np.isnan(power).any() or power.max() < 15 * background:
            continue
        bright = np.where(power > 0.2 * power.max(), power - background, 0)
        at = (
            float((bright * (columns + 0.5)).sum() / bright.sum()),
            float((bright * (rows + 0.5)).sum() / bright.sum()),
        )
        assert at == pytest.approx((x, y), abs=0.5)
        found.add((target["beam"], target["name"]))
    assert len(found) >= 3


def test_all_beams_have_the_limits_of_their_polarisation(drawn: Drawn, tmp_path: Path) -> None:
    options = PictureOptions(max_zoom=9)
    with opened(drawn.folder) as product:
        report = make_pictures(product, tmp_path, dataset_id=ID, options=options)
    assert [channel.shows for channel in report.stretch] == [*POLS, "ratio"]
    limits = {channel.shows: channel.stretch for channel in report.stretch}
    assert limits["HH"] != limits["HV"]
    for layer in (*report.layers[:2], *report.layers[3:]):
        assert layer.stretch == limits[layer.name[:2]]
    for browse in report.browse:
        assert browse.stretch == limits[browse.polarization]


def test_browse_pictures_show_the_beam_alone_in_the_same_pixels(drawn: Drawn) -> None:
    union = drawn.report.browse[0]
    assert union.browse.name == f"IMG-HH-{ID}_disp.browse.png"
    assert union.beams == tuple(BEAMS)
    for browse, name in zip(drawn.report.browse[2:], NAMES, strict=True):
        assert browse.browse.name == f"IMG-{name}-{ID}_disp.browse.png"
        assert browse.small.name == f"IMG-{name}-{ID}_disp.browse_small.png"
        assert browse.beams == (browse.beam,)
        assert browse.polarization == name[:2]
        with Pillow.open(browse.browse) as picture:
            grey = np.asarray(picture)
            assert picture.size == browse.size
        edges = (grey[:3], grey[-3:], grey[:, :3], grey[:, -3:])
        assert all((edge > 0).any() for edge in edges), "it fills its frame"
        assert grey.size * browse.pixel_m**2 < 0.6 * np.prod(union.size) * union.pixel_m**2


def test_cogs_of_beams_lie_on_the_pixels_of_all(drawn: Drawn) -> None:
    assert [cog.path.name for cog in drawn.report.cogs] == [
        f"{ID}_{name}_sigma0_power.tif" for name in (*POLS, *NAMES)
    ]
    with rasterio.open(drawn.report.cogs[0].path) as file:
        union, grid, crs = file.read(1), file.transform, file.crs
    for cog in drawn.report.cogs[2:7]:
        with rasterio.open(cog.path) as file:
            alone = file.read(1)
            assert file.crs == crs
            assert file.transform.a == grid.a
            assert file.descriptions == (f"sigma0_HH-{cog.beam}_power",)
            assert file.tags()["beam"] == cog.beam
            column = (file.transform.c - grid.c) / grid.a
            row = (file.transform.f - grid.f) / grid.e
        assert (column, row) == (pytest.approx(round(column)), pytest.approx(round(row)))
        part = union[
            round(row) : round(row) + alone.shape[0], round(column) : round(column) + alone.shape[1]
        ]
        seen = np.isfinite(alone)
        # Nodes of coordinates are others, and a place on the very edge may fall beside it.
        assert np.isnan(part[seen]).mean() < 2e-4
        near = np.isclose(alone[seen], part[seen], rtol=0.01)
        assert near.mean() > 0.5, "where no other beam overlaps"


def test_beams_can_be_left_out(drawn: Drawn, tmp_path: Path) -> None:
    options = PictureOptions(beams=False, max_zoom=9)
    with opened(drawn.folder) as product:
        report = make_pictures(product, tmp_path, dataset_id=ID, options=options)
    assert [layer.name for layer in report.layers] == [*POLS, "RGB"]
    assert [browse.beam for browse in report.browse] == [None, None]
    names = {path.name for path in (tmp_path / "tiles").iterdir()}
    assert names == {*POLS, "RGB", *(f"{name}.tilejson.json" for name in (*POLS, "RGB"))}


def test_beyond_the_budget_beams_are_archives(drawn: Drawn, tmp_path: Path) -> None:
    options = PictureOptions(max_zoom=10, tile_budget=40, composite=False)
    with opened(drawn.folder) as product:
        report = make_pictures(product, tmp_path, dataset_id=ID, options=options)
    assert [layer.name for layer in report.layers] == ["HH"]
    assert [layer.name for layer in report.archives] == ["HV", *NAMES]
    assert "HV, HH-F1, HH-F2" in report.notes[0]


def test_one_beam_is_all_there_is(drawn: Drawn, tmp_path: Path) -> None:
    with opened(drawn.folder) as product:
        single = tuple(
            image
            for image in product.images
            if image.polarization == "HH" and str(image.beam) == "F2"
        )
        options = PictureOptions(max_zoom=8)
        report = make_pictures(
            replace(product, images=single), tmp_path, dataset_id=ID, options=options
        )
    assert [layer.name for layer in report.layers] == ["HH"]
    (browse,) = report.browse
    assert (browse.beam, browse.beams) == (None, ("F2",))

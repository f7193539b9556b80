"""Quicklooks of simulated level 1.1 products, drawn as tiles and on a map, against their truth."""

from __future__ import annotations

import io
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
from PIL import Image as Pillow
from pyproj import CRS, Transformer
from shapely import Polygon, contains_xy

from alos2.errors import BadProduct, Interrupted, UsageError
from alos2.geometry.rangedoppler import rdr2geo
from alos2.product.recognise import recognise
from alos2.raster import cells
from alos2.raster.geocode import map_grid, map_source, utm_or_ups
from alos2.raster.layers import Channel, Layer, draw_layers
from alos2.raster.mercator import native_zoom, pixel_m
from alos2.raster.pictures import StretchLimits
from alos2.raster.quicklook import QuicklookOptions, choose_looks, quicklook
from alos2.raster.stretch import grey_to_decibel
from alos2.simulate import SimulationSpec, simulate
from alos2.types import RasterShape, Window

LIMITS = StretchLimits(-60.0, 20.0, "fixed")
STEP_DB = 80.0 / 254

SPECS: dict[str, dict[str, Any]] = {
    "FBD right, ascending": {},
    "FBD left, descending, on a plateau": {
        "look": "L", "pass_direction": "D", "height_m": 1200.0, "lat_deg": -22.0, "lon_deg": -68.0,
    },
    "UBS left, ascending, antimeridian": {
        "mode": "UBS", "look": "L", "lat_deg": -17.0, "lon_deg": 180.0,
        "pixels": 900, "lines": 1400,
    },
    "UBS right, ascending": {"mode": "UBS", "lat_deg": 25.0, "pixels": 900, "lines": 1400},
    "HBQ right, descending, far north": {
        "mode": "HBQ", "pass_direction": "D", "lat_deg": 78.0, "lon_deg": 16.0,
    },
    "SBS spotlight": {"mode": "SBS", "pixels": 900, "lines": 2400},
    "WBD ScanSAR": {"mode": "WBD", "pixels": 260, "lines": 3000},
    "FBD GeoTIFF": {"format": "geotiff"},
}  # fmt: skip


class World:
    """`TileSink` whose tiles are looked at by world pixel."""

    def __init__(self) -> None:
        self.tiles: dict[mercantile.Tile, Any] = {}

    def put(self, tile: mercantile.Tile, data: bytes) -> None:
        assert tile not in self.tiles
        with Pillow.open(io.BytesIO(data)) as picture:
            self.tiles[tile] = grey_to_decibel(np.asarray(picture), LIMITS)

    def level(self, zoom: int, x: Any, y: Any) -> Any:
        found = np.full(x.shape, np.nan)
        columns, rows = (x // 256) % 2**zoom, y // 256
        for tile in {(c, r) for c, r in zip(columns.ravel(), rows.ravel(), strict=True)}:
            values = self.tiles.get(mercantile.Tile(int(tile[0]), int(tile[1]), zoom))
            if values is not None:
                here = (columns == tile[0]) & (rows == tile[1])
                found[here] = values[y[here] % 256, x[here] % 256]
        return found


@dataclass
class Looked:
    """A simulated product, its truth, its quicklook as tiles, and the quicklook on a map."""

    truth: Any
    zoom: int
    world: World
    report: Any
    look: Any
    """Shape, spacing, ... of the quicklook (closed)."""
    mapped: Any
    grid: Any

    def pixel(self, lon: Any, lat: Any) -> tuple[Any, Any]:
        """World pixel, continuous; longitudes unwrapped around that of the scene."""
        around = self.truth["center"]["lon_deg"]
        lon = around + (np.asarray(lon) - around + 180) % 360 - 180
        y = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2
        return (lon + 180) / 360 * 256 * 2**self.zoom, y * 256 * 2**self.zoom

    def drawn_at(self, target: Any) -> tuple[float, float]:
        """Where a target belongs on the quicklook's surface: seen as if at that height."""
        image = next(i for i in self.truth["images"] if i["beam"] == target["beam"])
        orbit = self.look["orbit"]
        start = datetime.fromisoformat(image["first_line_time"].replace("Z", "+00:00"))
        lon, lat = rdr2geo(
            orbit,
            orbit.seconds(start) + target["line"] * image["line_interval_s"],
            image["near_range_m"] + target["pixel"] * image["range_spacing_m"],
            look=self.truth["spec"]["look"],
            height_m=self.look["height_m"],
        )
        return float(lon), float(lat)


@contextmanager
def opened(spec: SimulationSpec, folder: Path) -> Iterator[Any]:
    made = simulate(spec, folder)
    with recognise(made.product_dir) as tree:
        assert tree.products[0].problems_for_ingest == ()
        yield tree.products[0], json.loads(Path(made.truth_path).read_text())


@pytest.fixture(scope="module", params=SPECS)
def looked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("looked")
    values = {"level": "1.1", "pixels": 800, "lines": 1300, **SPECS[request.param]}
    spec = SimulationSpec(**values)
    with opened(spec, folder / "product") as (product, truth):
        work = folder / "work"
        work.mkdir()
        options = QuicklookOptions(height_m=spec.height_m)
        with quicklook(product, "HH", work, options=options) as look:
            zoom = native_zoom(look.surface)
            world = World()
            layer = Layer("HH", (Channel(0),), (LIMITS,), 0, zoom, world)
            (report,) = draw_layers([look.source], look.surface, [layer])
            grid = map_grid(look.surface)
            source = map_source(look.source, look.surface, grid)
            mapped = source.power(Window(0, 0, *source.shape))
            kept = {
                "shape": look.source.shape,
                "spacing_m": look.spacing_m,
                "beams": [beam.name for beam in look.beams],
                "height_m": look.height_m,
                "surface_from": look.surface_from,
                "surface": look.surface,
                "orbit": product.orbit,
                "valid": np.isfinite(look.source.power(Window(0, 0, *look.source.shape))),
            }
        assert not list(work.iterdir())
    if kept["orbit"] is None:  # a GeoTIFF has none: the simulator's
        kept["orbit"] = orbit_of(truth)
    return Looked(truth, zoom, world, report, kept, mapped, grid)


def orbit_of(truth: Any) -> Any:
    from alos2.geometry.orbit import Orbit  # noqa: PLC0415

    said = truth["orbit"]
    return Orbit(
        datetime.fromisoformat(said["epoch"].replace("Z", "+00:00")),
        np.array(said["times_s"]),
        np.array(said["positions_m"]),
        np.array(said["velocities_m_s"]),
    )


def lonely(looked: Looked) -> list[Any]:
    """Targets whose dark parcel is wider than what is looked at around them."""
    step_m = pixel_m(looked.zoom, looked.truth["center"]["lat_deg"])
    frame = 1 + int(np.ceil(np.log2(16 * step_m / 100)))
    return [t for t in looked.truth["point_targets"] if int(t["name"][1:3]) >= frame]


def centroid(power: Any, columns: Any, rows: Any) -> tuple[float, float] | None:
    """Centre of the brightest thing, if it stands out from what is around it."""
    background = np.median(power)
    if np.isnan(power).any() or power.max() < 15 * background:
        return None
    bright = np.where(power > 0.2 * power.max(), power - background, 0)
    return (
        float((bright * (columns + 0.5)).sum() / bright.sum()),
        float((bright * (rows + 0.5)).sum() / bright.sum()),
    )


def test_point_targets_land_within_half_a_pixel(looked: Looked) -> None:
    found = standing = 0
    for target in lonely(looked):
        x, y = looked.pixel(*looked.drawn_at(target))
        rows, columns = np.mgrid[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5]
        at = centroid(10 ** (looked.world.level(looked.zoom, columns, rows) / 10), columns, rows)
        if at is None:
            continue
        assert at == pytest.approx((float(x), float(y)), abs=0.5)
        found += 1
        if target["height_m"] == looked.truth["ground_height_m"]:
            # It stands on the ground that the surface was told: at its own longitude and latitude.
            true = looked.pixel(target["lon_deg"], target["lat_deg"])
            assert at == pytest.approx(tuple(float(v) for v in true), abs=0.5)
            standing += 1
    assert found >= 5
    ground_m = looked.truth["ground_height_m"]
    assert standing or not any(t["height_m"] == ground_m for t in lonely(looked))


def test_point_targets_lie_right_on_the_map(looked: Looked) -> None:
    crs = CRS.from_epsg(looked.grid.epsg)
    to_map = Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
    a, _, c, _, e, f = looked.grid.transform
    found = 0
    for target in lonely(looked):
        x, y = to_map.transform(*looked.drawn_at(target))
        x, y = (x - c) / a, (y - f) / e
        top, left = int(y) - 4, int(x) - 4
        power = looked.mapped[max(top, 0) : top + 9, max(left, 0) : left + 9]
        if power.shape != (9, 9):
            continue
        rows, columns = np.mgrid[top : top + 9, left : left + 9]
        at = centroid(power, columns, rows)
        if at is not None:
            assert at == pytest.approx((x, y), abs=0.5)
            found += 1
    assert found >= 5


def patch_levels(looked: Looked, side_px: float = 14.0) -> Iterator[tuple[float, float, int]]:
    """True and found sigma nought of patches large enough to be told from speckle, and pixels."""
    for patch in looked.truth["patches"]:
        lon, lat = np.array(patch["polygon"]).T
        x, y = looked.pixel(lon, lat)
        if patch["has_target"] or np.ptp(x) < side_px:
            continue
        ring = Polygon(np.stack([x, y], axis=1))
        ring = ring.buffer(-2.0)
        west, north, east, south = ring.bounds
        half = 60
        rows, columns = np.mgrid[
            int(max(north, (north + south) / 2 - half)) : int(
                min(south, (north + south) / 2 + half)
            ),
            int(max(west, (west + east) / 2 - half)) : int(min(east, (west + east) / 2 + half)),
        ]
        level = looked.world.level(looked.zoom, columns, rows)
        inside = contains_xy(ring, columns + 0.5, rows + 0.5) & np.isfinite(level)
        if inside.sum() >= 100:
            power = (10 ** (level[inside] / 10)).mean()
            yield patch["sigma0_db"]["HH"], 10 * np.log10(power), int(inside.sum())


def test_patches_have_their_sigma_nought(looked: Looked) -> None:
    """Quantised in steps of 0.3 dB, whose means are exact; speckle of at least four looks."""
    compared = 0
    for true, found, pixels in patch_levels(looked):
        # Bilinear tiles share cells with their neighbours: a quarter counts as independent.
        speckle_db = 4.34 / np.sqrt(4 * pixels / 4)
        assert found == pytest.approx(true, abs=0.1 + 3.5 * speckle_db)
        compared += 1
    assert compared >= 4


def test_patches_on_the_whole_are_right_to_a_twentieth_of_a_decibel(looked: Looked) -> None:
    values = np.array([(found - true, pixels) for true, found, pixels in patch_levels(looked)])
    assert abs(np.average(values[:, 0], weights=values[:, 1])) < 0.1


def test_what_is_drawn_is_what_was_seen(looked: Looked) -> None:
    """The mask of the deepest zoom is the image's own, at pixel centres."""
    shape = looked.look["shape"]
    deepest = [item for item in looked.world.tiles.items() if item[0].z == looked.zoom]
    for tile, values in deepest[:: max(1, len(deepest) // 6)]:
        steps = (np.arange(256) + 0.5) / 256
        x, y = np.meshgrid((tile.x + steps) / 2**tile.z, (tile.y + steps) / 2**tile.z)
        lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y))))
        pixel, line = looked.look["surface"].pixel_line(x * 360 - 180, lat)
        inside = (pixel >= 0) & (pixel < shape.pixels) & (line >= 0) & (line < shape.lines)
        expected = np.zeros_like(inside)
        expected[inside] = looked.look["valid"][line[inside].astype(int), pixel[inside].astype(int)]
        wrong = np.isfinite(values) != expected
        # Between nodes coordinates are good to a hundredth of a pixel, no more.
        assert wrong.mean() < 2e-4


def test_every_zoom_is_there_and_nothing_empty(looked: Looked) -> None:
    zooms = {tile.z for tile in looked.world.tiles}
    assert zooms == set(range(looked.zoom + 1))
    assert looked.report.tiles == len(looked.world.tiles)
    assert all(np.isfinite(values).any() for values in looked.world.tiles.values())
    # A ghost on the other side of the track would be far away.
    around = looked.truth["center"]["lon_deg"], looked.truth["center"]["lat_deg"]
    for tile in looked.world.tiles:
        if tile.z == 5:
            lon, lat = (mercantile.ul(tile).lng + 5.6, mercantile.ul(tile).lat - 4)
            assert abs((lon - around[0] + 180) % 360 - 180) < 12
            assert abs(lat - around[1]) < 12


def test_the_map_is_north_up_and_full(looked: Looked) -> None:
    a, b, _, d, e, _ = looked.grid.transform
    assert (b, d, e) == (0.0, 0.0, -a)
    assert looked.mapped.shape == looked.grid.shape
    valid = np.isfinite(looked.mapped)
    for edge in (valid[:4], valid[-4:], valid[:, :4], valid[:, -4:]):
        assert edge.any()
    cells_area = looked.look["valid"].sum() * looked.look["surface"].line_m
    cells_area *= looked.look["surface"].pixel_m
    assert valid.sum() * a * a == pytest.approx(cells_area, rel=0.01)


def test_cells_are_about_square(looked: Looked) -> None:
    surface = looked.look["surface"]
    assert 0.75 < surface.line_m / surface.pixel_m < 1.33


def test_beams_and_origin_are_named(looked: Looked) -> None:
    scansar = looked.truth["spec"]["mode"] == "WBD"
    assert looked.look["beams"] == (["F1", "F2", "F3", "F4", "F5"] if scansar else [])
    tied = looked.truth["spec"]["format"] == "geotiff"
    assert looked.look["surface_from"] == ("tie points" if tied else "orbit and ellipsoid")
    assert looked.look["height_m"] == looked.truth["ground_height_m"]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("small")
    with opened(SimulationSpec(level="1.1", pixels=120, lines=200), folder) as found:
        yield found[0]


@pytest.fixture(scope="module")
def scansar(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("scansar")
    spec = SimulationSpec(
        level="1.1", mode="WBD", pixels=120, lines=900, polarizations=("HH", "HV")
    )
    with opened(spec, folder) as found:
        yield found[0]


def test_polarisations_share_shape_and_surface(scansar: Any, tmp_path: Path) -> None:
    with quicklook(scansar, "HH", tmp_path) as hh, quicklook(scansar, "HV", tmp_path) as hv:
        assert hh.source.shape == hv.source.shape == hh.surface.shape
        places = [look.surface.lonlat(np.array([3.0]), np.array([4.0])) for look in (hh, hv)]
        assert places[0] == places[1]


def test_beams_are_also_there_by_themselves(scansar: Any, tmp_path: Path) -> None:
    with quicklook(scansar, "HH", tmp_path) as look:
        whole = look.source.power(Window(0, 0, *look.source.shape))
        assert {beam.looks.pixels for beam in look.beams} == {2}
        assert len({beam.looks.lines for beam in look.beams}) > 1
        shares = []
        for beam in look.beams:
            lines, pixels = beam.source.shape
            line, pixel = np.mgrid[2 : lines - 2, 5 : pixels - 5] + 0.5
            u, v = look.surface.pixel_line(*beam.surface.lonlat(pixel, line))
            own = beam.source.power(Window(2, 5, lines - 4, pixels - 10))
            drawn = whole[v.astype(int), u.astype(int)]
            assert np.isfinite(drawn).all()
            shares.append(own.mean() / drawn.mean())
        assert np.allclose(shares, 1.0, atol=0.02)


def test_windows_of_the_union_agree(scansar: Any, tmp_path: Path) -> None:
    with quicklook(scansar, "HH", tmp_path) as look:
        lines, pixels = look.source.shape
        whole = look.source.power(Window(0, 0, lines, pixels))
        for window in (Window(3, 40, 20, 90), Window(lines - 1, 0, 1, pixels), Window(0, 7, 9, 1)):
            part = whole[
                window.line : window.line + window.lines,
                window.pixel : window.pixel + window.pixels,
            ]
            np.testing.assert_array_equal(look.source.power(window), part)
        with pytest.raises(ValueError, match="not within"):
            look.source.power(Window(0, 0, lines + 1, pixels))


def test_the_size_of_cells_can_be_chosen(small: Any, tmp_path: Path) -> None:
    with quicklook(small, "HH", tmp_path, options=QuicklookOptions(spacing_m=30.0)) as look:
        assert look.looks == (10, 5)
        assert 20 < look.spacing_m < 40
    assert choose_looks(3.2, 7.0, None, RasterShape(100, 100)) == (4, 2)
    assert choose_looks(1.0, 2.7, 2.0, RasterShape(100, 100)) == (3, 1)
    assert choose_looks(1.0, 2.7, 9000.0, RasterShape(100, 50)) == (100, 50)


def test_height_moves_the_picture_away_from_the_track(small: Any, tmp_path: Path) -> None:
    places = []
    for height in (0.0, 1000.0):
        options = QuicklookOptions(height_m=height)
        with quicklook(small, "HH", tmp_path, options=options) as look:
            assert look.height_m == height
            places.append(look.surface.lonlat(np.array([30.0]), np.array([25.0])))
    # Ascending and looking right: the same range is farther east on higher ground, by its
    # height over the tangent of the incidence (39 degrees).
    east_m = float(places[1][0][0] - places[0][0][0]) * 111_320 * np.cos(np.radians(35.2))
    assert east_m == pytest.approx(1000 / np.tan(np.radians(40.5)), rel=0.06)


def test_options_that_cannot_be_are_refused() -> None:
    for wrong in ({"spacing_m": 0.0}, {"height_m": 20_000.0}, {"threads": 0}):
        with pytest.raises(UsageError):
            QuicklookOptions(**wrong)


def test_no_geometry_is_a_named_error(small: Any, tmp_path: Path) -> None:
    with (
        pytest.raises(BadProduct, match="neither an orbit nor tie points") as caught,
        quicklook(replace(small, orbit=None), "HH", tmp_path),
    ):
        pass
    assert "leader" in str(caught.value)
    images = tuple(replace(image, timing=None) for image in small.images)
    with (
        pytest.raises(BadProduct, match="neither when nor how far"),
        quicklook(replace(small, images=images), "HH", tmp_path),
    ):
        pass
    with (
        pytest.raises(BadProduct, match=r"no level 1\.1 image VV"),
        quicklook(small, "VV", tmp_path),
    ):
        pass


def test_stopping_and_failing_leave_nothing(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, "IN_MEMORY_BYTES", 0)
    with (
        pytest.raises(Interrupted),
        quicklook(small, "HH", tmp_path, cancelled=lambda: True),
    ):
        pass
    with (
        pytest.raises(RuntimeError, match="of the caller"),
        quicklook(small, "HH", tmp_path),
    ):
        raise RuntimeError("of the caller")
    assert not list(tmp_path.iterdir())


def test_a_geotiff_with_a_leader_lies_by_its_orbit(tmp_path: Path) -> None:
    spec = SimulationSpec(level="1.1", format="geotiff", pixels=300, lines=400)
    with opened(spec, tmp_path / "tif") as (product, truth):
        given = replace(product, orbit=orbit_of(truth), leader_from="LED-x")
        with quicklook(given, "HH", tmp_path) as look:
            assert look.surface_from == "tie points and leader"
            for corner in truth["images"][0]["corners"]:
                pixel = np.array([(corner["pixel"] + 0.5) / look.looks.pixels])
                line = np.array([(corner["line"] + 0.5) / look.looks.lines])
                lon, lat = look.surface.lonlat(pixel, line)
                assert float(lon[0]) == pytest.approx(corner["lon_deg"], abs=1e-6)
                assert float(lat[0]) == pytest.approx(corner["lat_deg"], abs=1e-6)


def test_maps_by_place() -> None:
    assert utm_or_ups(138.6, 35.2) == 32654
    assert utm_or_ups(-68.0, -22.0) == 32719
    assert utm_or_ups(180.0, 10.0) == 32601
    assert utm_or_ups(179.99, -10.0) == 32760
    assert utm_or_ups(10.0, 84.5) == 5041
    assert utm_or_ups(10.0, -81.0) == 5042


@pytest.mark.parametrize("spacing_m", [None, 60.0])
def test_windows_of_the_map_agree(small: Any, tmp_path: Path, spacing_m: float | None) -> None:
    with quicklook(small, "HH", tmp_path) as look:
        grid = map_grid(look.surface, spacing_m)
        source = map_source(look.source, look.surface, grid)
        whole = source.power(Window(0, 0, *source.shape))
        lines, pixels = source.shape
        for window in (Window(1, 2, lines - 3, pixels - 5), Window(lines - 1, 0, 1, pixels)):
            part = whole[
                window.line : window.line + window.lines,
                window.pixel : window.pixel + window.pixels,
            ]
            np.testing.assert_allclose(source.power(window), part, rtol=1e-5)
        np.testing.assert_array_equal(source.valid(Window(0, 0, lines, pixels)), np.isfinite(whole))
        cells_mean = float(np.nanmean(look.source.power(Window(0, 0, *look.source.shape))))
        assert float(np.nanmean(whole)) == pytest.approx(cells_mean, rel=0.1)
        with pytest.raises(ValueError, match="not within"):
            source.power(Window(0, 0, lines + 1, pixels))

"""Map tiles: what is where, how bright, which rows, and which tiles there are at all."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import mercantile
import numpy as np
import pytest
from PIL import Image as Pillow
from pyproj import Transformer

from alos2.errors import BadProduct, Interrupted, UsageError
from alos2.product import crs
from alos2.raster.layers import Channel, Layer, LayerReport, draw_layers
from alos2.raster.mercator import cover, native_zoom
from alos2.raster.pictures import PictureOptions, StretchLimits
from alos2.raster.places import Places
from alos2.raster.sinks import FolderSink
from alos2.raster.source import open_source
from alos2.raster.stretch import grey_to_decibel
from alos2.raster.warp import Scale, subtree_nodes
from alos2.raster.warpkernels import row_coordinates

LOW_HIGH = (-30.0, 0.0)
STEP_DB = 30.0 / 254


def tile_paths(out: Path, layer: str = "HH") -> dict[mercantile.Tile, Path]:
    """Written tiles by XYZ address; files are in TMS rows."""
    found = {}
    for path in (out / "tiles" / layer).glob("*/*/*.png"):
        z, x, y = int(path.parts[-3]), int(path.parts[-2]), int(path.stem)
        found[mercantile.Tile(x, 2**z - 1 - y, z)] = path
    return found


def grey_of(path: Path) -> np.ndarray:
    with Pillow.open(path) as picture:
        assert picture.mode == "L"
        assert picture.size == (256, 256)
        assert picture.info["transparency"] == 0
        return np.asarray(picture)


class Mosaic:
    """All tiles of one zoom as one picture, around a place."""

    def __init__(self, paths: dict[mercantile.Tile, Path], zoom: int) -> None:
        tiles = {t: grey_of(p) for t, p in paths.items() if t.z == zoom}
        self.zoom = zoom
        self.x0, self.y0 = min(t.x for t in tiles), min(t.y for t in tiles)
        columns = max(t.x for t in tiles) - self.x0 + 1
        rows = max(t.y for t in tiles) - self.y0 + 1
        self.grey = np.zeros((rows * 256, columns * 256), np.uint8)
        for t, grey in tiles.items():
            y, x = (t.y - self.y0) * 256, (t.x - self.x0) * 256
            self.grey[y : y + 256, x : x + 256] = grey

    def position(self, lon: Any, lat: Any) -> tuple[Any, Any]:
        """Column and row, continuous, of a place."""
        scale = 256 * 2**self.zoom
        x = (np.asarray(lon) + 180) / 360 * scale - self.x0 * 256
        y = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * scale - self.y0 * 256
        return x, y

    def lonlat(self) -> tuple[np.ndarray, np.ndarray]:
        """Longitude and latitude of every pixel's centre."""
        scale = 256 * 2**self.zoom
        y, x = np.mgrid[0 : self.grey.shape[0], 0 : self.grey.shape[1]] + 0.5
        lon = (x + self.x0 * 256) / scale * 360 - 180
        lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (y + self.y0 * 256) / scale))))
        return lon, lat


def limits(low: float = LOW_HIGH[0], high: float = LOW_HIGH[1]) -> StretchLimits:
    return StretchLimits(low, high, "fixed")


def draw(
    product: Any,
    out: Path,
    *,
    db: tuple[float, float] = LOW_HIGH,
    zooms: tuple[int, int] = (0, 14),
    image: Any = None,
    **more: Any,
) -> LayerReport:
    """Draw the first image of a product as the layer HH."""
    image = image or product.images[0]
    sink = FolderSink(out / "tiles" / "HH", tms=True, deepest=zooms[1])
    layer = Layer("HH", (Channel(0),), (limits(*db),), *zooms, sink)
    with open_source(product, image) as source:
        (report,) = draw_layers([source], Places(image.grid), [layer], **more)
    return report


def expected_mask(mosaic: Mosaic, product: Any, dn: np.ndarray) -> np.ndarray:
    """Which pixels of the mosaic have their centre in a valid pixel, by PROJ alone."""
    grid = product.images[0].grid
    lon, lat = mosaic.lonlat()
    x, y = Transformer.from_crs(4326, grid.epsg, always_xy=True).transform(lon, lat)
    a, b, c, d, e, f = grid.transform
    inverse = np.linalg.inv([[a, b], [d, e]])
    pixel = np.floor(inverse[0, 0] * (x - c) + inverse[0, 1] * (y - f)).astype(int)
    line = np.floor(inverse[1, 0] * (x - c) + inverse[1, 1] * (y - f)).astype(int)
    inside = (pixel >= 0) & (line >= 0) & (pixel < dn.shape[1]) & (line < dn.shape[0])
    valid = np.zeros(pixel.shape, bool)
    valid[inside] = dn[line[inside], pixel[inside]] > 0
    return valid


def swath(shape: tuple[int, int], value: int) -> np.ndarray:
    """A slanted quadrilateral of data without holes, zeros around it."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] / np.array(shape)[:, None, None]
    inside = (x + 0.2 * y > 0.2) & (x + 0.2 * y < 1.0) & (y - 0.2 * x > 0) & (y - 0.2 * x < 0.8)
    return np.where(inside, value, 0).astype(np.uint16)


@pytest.mark.parametrize("form", ["geotiff", "ceos"])
@pytest.mark.parametrize("rotation", [0.0, -12.0, 100.0])
def test_mask_tile_set_and_level_on_upright_and_rotated_grids(
    make: Any, tmp_path: Path, form: str, rotation: float
) -> None:
    dn = swath((700, 900), make.dn(-12.0))
    dn[300:310, 400:420] = 0  # a hole
    dn[200:230, 450:480] = 1  # dark, -83 dB, and valid
    product = make.mapped(dn, make.utm(dn.shape, rotation_deg=rotation), form=form)
    layer = draw(product, tmp_path)
    paths = tile_paths(tmp_path)
    mosaic = Mosaic(paths, 14)
    truth = expected_mask(mosaic, product, dn)
    drawn = mosaic.grey > 0
    # PROJ and the interpolated nodes may round a centre on a pixel's border either way.
    assert (drawn != truth).mean() < 2e-4
    assert layer.tiles == len(paths)
    assert layer.bytes == sum(p.stat().st_size for p in paths.values())
    assert all(grey_of(p).any() for p in paths.values())
    assert {t.z for t in paths} == set(range(15))
    for z in range(14):
        assert {t for t in paths if t.z == z} == {
            mercantile.parent(t) for t in paths if t.z == z + 1
        }
    # Level: away from the dark patch and the hole.
    level = grey_to_decibel(mosaic.grey, StretchLimits(-30.0, 0.0, ""))
    assert np.nanmedian(level) == pytest.approx(-12.0, abs=STEP_DB / 2 + 0.01)
    assert (mosaic.grey == 1).sum() > 100


def test_the_tiles_at_the_deepest_zoom_are_those_that_the_data_touch(
    make: Any, tmp_path: Path
) -> None:
    dn = swath((900, 1200), make.dn(-12.0))
    product = make.mapped(dn, make.utm(dn.shape, spacing=20.0))
    draw(product, tmp_path)
    deepest = {t for t in tile_paths(tmp_path) if t.z == 14}
    lines, pixels = np.nonzero(dn)
    to_lonlat = Transformer.from_crs(32654, 4326, always_xy=True)
    touched = set()
    for dy, dx in ((0.02, 0.02), (0.02, 0.98), (0.98, 0.02), (0.98, 0.98)):
        lon, lat = to_lonlat.transform(400_000 + 20 * (pixels + dx), 4_000_000 - 20 * (lines + dy))
        x = (lon + 180) / 360 * 2**14
        y = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * 2**14
        touched |= set(zip(x.astype(int).tolist(), y.astype(int).tolist(), strict=True))
    assert {(t.x, t.y) for t in deepest} == touched


def test_patches_have_their_level_at_every_zoom(make: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    levels = np.array([[-22.0, -16.0], [-9.0, -3.0]])
    power = 10 ** (np.kron(levels, np.ones((1000, 1000))) / 10)
    power *= rng.gamma(4.0, 0.25, power.shape)
    dn = make.dn(10 * np.log10(power))
    grid = make.utm(dn.shape)
    draw(make.mapped(dn, grid), tmp_path)
    paths = tile_paths(tmp_path)
    to_lonlat = Transformer.from_crs(32654, 4326, always_xy=True)
    for zoom in (10, 11, 12):  # averaged enough that the mean of dB is nearly the dB of the mean
        mosaic = Mosaic(paths, zoom)
        level = grey_to_decibel(mosaic.grey, StretchLimits(-30.0, 0.0, ""))
        for row in range(2):
            for column in range(2):
                edges = np.array([0.2, 0.8]) * 1000
                lon, lat = to_lonlat.transform(
                    400_000 + 6.25 * (edges + 1000 * column),
                    4_000_000 - 6.25 * (edges + 1000 * row),
                )
                (x0, x1), (y0, y1) = mosaic.position(lon, lat)
                part = level[math.ceil(y0) : int(y1), math.ceil(x0) : int(x1)]
                truth = 10 * np.log10(power[row * 1000 :, column * 1000 :][200:800, 200:800].mean())
                found = 10 * np.log10((10 ** (part / 10)).mean())
                assert found == pytest.approx(truth, abs=0.1 + STEP_DB / 2)


@pytest.mark.parametrize(
    ("spacing", "zoom"), [(10.0, 14), (6.25, 14), (3.0, 14), (2.5, 13), (0.625, 14), (25.0, 14)]
)
@pytest.mark.parametrize("rotation", [0.0, 20.0])
def test_a_point_lands_where_it_is(
    make: Any, tmp_path: Path, spacing: float, zoom: int, rotation: float
) -> None:
    side = 801
    y, x = np.mgrid[0:side, 0:side]
    line, pixel = 377.0, 441.0
    width = max(1.5, 2 * 7.7 / spacing)
    bell = np.exp(-((y - line) ** 2 + (x - pixel) ** 2) / (2 * width**2))
    dn = make.dn(10 * np.log10(1e-3 + bell))
    product = make.mapped(dn, make.utm(dn.shape, spacing=spacing, rotation_deg=rotation))
    draw(product, tmp_path, db=(-30.0, 3.0), zooms=(0, zoom))
    mosaic = Mosaic(tile_paths(tmp_path), zoom)
    a, b, c, d, e, f = product.images[0].grid.transform
    east, north = a * (pixel + 0.5) + b * (line + 0.5) + c, d * (pixel + 0.5) + e * (line + 0.5) + f
    lon, lat = Transformer.from_crs(32654, 4326, always_xy=True).transform(east, north)
    column, row = mosaic.position(lon, lat)
    level = grey_to_decibel(mosaic.grey, StretchLimits(-30.0, 3.0, ""))
    power = np.where(np.isnan(level), 0, 10 ** (level / 10))
    power[power < 0.2] = 0
    rows, columns = np.mgrid[0 : power.shape[0], 0 : power.shape[1]] + 0.5
    assert (power * columns).sum() / power.sum() == pytest.approx(float(column), abs=0.2)
    assert (power * rows).sum() / power.sum() == pytest.approx(float(row), abs=0.2)


def between_nodes(nodes: np.ndarray, node_px: int) -> np.ndarray:
    """What the kernels take the 256 x 256 coordinates of a tile for."""
    origin = float(np.floor(nodes.min()))
    found = np.empty((256, 256), np.float32)
    for row in range(256):
        row_coordinates(nodes, row, node_px, origin, found[row])
    return found + origin


@pytest.mark.parametrize("zoom", [5, 9, 12, 14, 17])
def test_coordinates_between_nodes_are_exact_to_a_hundredth_of_a_pixel(
    make: Any, zoom: int
) -> None:
    grid = make.utm((8000, 8000), epsg=32633, corner=(250_000.0, 7_900_000.0), rotation_deg=10)
    places = Places(grid)
    scale = Scale.of(places, zoom)
    root_zoom = zoom - scale.levels
    lon, lat = places.lonlat(np.array(4000.0), np.array(4000.0))
    tile = mercantile.tile(float(lon), float(lat), zoom)
    root = mercantile.parent(tile, zoom=root_zoom) if scale.levels else tile
    nodes = subtree_nodes(places, root, scale)
    steps = 256 // scale.node_px
    down, across = (
        (at - corner * 2**scale.levels) * steps
        for at, corner in ((tile.y, root.y), (tile.x, root.x))
    )
    part = np.s_[down : down + steps + 1, across : across + steps + 1]
    pixel, line = (
        between_nodes(np.ascontiguousarray(values[part]), scale.node_px) for values in nodes
    )
    world = 256 * 2**zoom
    x = (tile.x * 256 + np.arange(256) + 0.5) / world
    y = (tile.y * 256 + np.arange(256) + 0.5) / world
    lons, lats = np.meshgrid(x * 360 - 180, np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y)))))
    to_map = Transformer.from_crs(4326, 32633, always_xy=True)
    east, north = to_map.transform(lons, lats)
    a, b, c, d, e, f = grid.transform
    inverse = np.linalg.inv([[a, b], [d, e]])
    exact_pixel = inverse[0, 0] * (east - c) + inverse[0, 1] * (north - f)
    exact_line = inverse[1, 0] * (east - c) + inverse[1, 1] * (north - f)
    near = np.hypot(exact_pixel - 4000, exact_line - 4000) < 8000
    tile_px = np.hypot(*(np.diff(exact_pixel[0])[0], np.diff(exact_line[0])[0]))
    stray = np.hypot(pixel - exact_pixel, line - exact_line)[near]
    assert near.any()
    assert stray.max() / max(1.0, tile_px) < 0.01


PROJECTIONS = {
    "utm": (crs.utm(54, south=False), (139.6, 36.0)),
    "utm 68 north": (crs.utm(33, south=False), (12.5, 68.0)),
    "utm 82 north": (crs.utm(33, south=False), (18.0, 82.0)),
    "utm south": (crs.utm(20, south=True), (-62.5, -11.0)),
    "polar": (crs.polar_stereographic(70.0, 135.0), (150.0, 75.0)),
    "polar south": (crs.polar_stereographic(-71.0, 0.0), (40.0, -77.0)),
    "mercator": (crs.mercator(140.0), (141.0, 30.0)),
    "lambert": (
        crs.lambert(30.0, 60.0, origin_latitude_deg=45.0, origin_longitude_deg=140.0),
        (143.0, 49.0),
    ),
}


def grid_at(make: Any, name: str, side: int, spacing: float, rotation: float) -> Any:
    """A grid in one of JAXA's projections whose middle is near a place."""
    found, (lon, lat) = PROJECTIONS[name]
    base = Places(replace(make.utm((1, 1), corner=(0, 0)), epsg=None, crs_wkt=found.wkt))
    a, b, _, d, e, _ = make.utm((1, 1), spacing=spacing, rotation_deg=rotation).transform
    x, y = base.pixel_line(np.array(lon), np.array(lat))  # steps of 6.25 m, south down
    east, north = float(x) * 6.25, -float(y) * 6.25
    half = side / 2
    transform = (a, b, east - (a + b) * half, d, e, north - (d + e) * half)
    grid = make.utm((side, side))
    return replace(grid, epsg=None, crs_wkt=found.wkt, transform=transform)


@pytest.mark.parametrize("rotation", [0.0, 12.0])
@pytest.mark.parametrize("name", PROJECTIONS)
def test_every_projection_is_exact_to_a_hundredth_of_a_pixel(
    make: Any, name: str, rotation: float
) -> None:
    places = Places(grid_at(make, name, 12_000, 6.25, rotation))
    scale = Scale.of(places, 14)
    lon, lat = places.lonlat(np.array([100.0, 6000.0, 11_900.0]), np.array([11_900.0, 6000.0, 50]))
    for place in zip(lon.tolist(), lat.tolist(), strict=True):
        tile = mercantile.tile(*place, 14)
        root = mercantile.parent(tile, zoom=14 - scale.levels)
        nodes = subtree_nodes(places, root, scale)
        side, steps = 2**scale.levels, 256 // scale.node_px
        down, across = (tile.y - root.y * side) * steps, (tile.x - root.x * side) * steps
        part = np.s_[down : down + steps + 1, across : across + steps + 1]
        x = (tile.x * 256 + np.arange(256) + 0.5) / (256 * 2**14)
        y = (tile.y * 256 + np.arange(256) + 0.5) / (256 * 2**14)
        lons, lats = np.meshgrid(x * 360 - 180, np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * y)))))
        for values, exact in zip(nodes, places.pixel_line(lons, lats), strict=True):
            found = between_nodes(np.ascontiguousarray(values[part]), scale.node_px)
            assert np.abs(found - exact).max() < 0.01


@pytest.mark.parametrize("form", ["geotiff", "ceos"])
@pytest.mark.parametrize("name", PROJECTIONS)
def test_every_pixel_has_the_level_of_its_place(
    make: Any, tmp_path: Path, name: str, form: str
) -> None:
    """A field without speckle, whose level in dB is known at every place."""
    side = 500

    def level(pixel: Any, line: Any) -> Any:
        return -14.0 + 5.0 * np.sin(pixel / 60.0) + 6.0 * np.cos(line / 75.0)

    line, pixel = np.mgrid[0:side, 0:side] + 0.5
    dn = make.dn(level(pixel, line))
    grid = grid_at(make, name, side, 6.25, -12.0)
    zoom = native_zoom(Places(grid))
    product = make.mapped(dn, grid, form=form)
    draw(product, tmp_path, zooms=(0, zoom))
    mosaic = Mosaic(tile_paths(tmp_path), zoom)
    found = grey_to_decibel(mosaic.grey, limits())
    u, v = Places(grid).pixel_line(*mosaic.lonlat())
    inside = (u > 1) & (v > 1) & (u < side - 1) & (v < side - 1)
    assert inside.sum() > 40_000
    stray = np.abs(found - level(u, v))[inside]
    assert not np.isnan(stray).any()
    assert stray.max() < 0.1 + STEP_DB / 2


@pytest.mark.parametrize("epsg", [32601, 32660])
def test_across_the_antimeridian_both_edges_of_the_map_are_drawn(
    make: Any, tmp_path: Path, epsg: int
) -> None:
    dn = np.full((600, 600), make.dn(-10.0), np.uint16)
    # 180 degrees lies 330 km from the zone's central meridian at this latitude.
    easting = 500_000 + (-330_000 if epsg == 32601 else 330_000) - 15_000
    product = make.mapped(
        dn, make.utm(dn.shape, epsg=epsg, corner=(easting, 1_000_000.0), spacing=50.0)
    )
    layer = draw(product, tmp_path, zooms=(0, 10))
    paths = tile_paths(tmp_path)
    columns = {t.x for t in paths if t.z == 10}
    assert columns == {0, 1023}
    pixels = 0
    for t, path in paths.items():
        grey = grey_of(path)
        if t.z == 10:
            pixels += (grey > 0).sum()
            assert set(np.unique(grey)) <= {0, 1 + round(20 / STEP_DB)}
    ground = 156_543.034 * math.cos(math.radians(8.9)) / 2**10
    assert pixels * ground**2 == pytest.approx(30_000**2, rel=0.02)
    assert {t for t in paths if t.z == 0} == {mercantile.Tile(0, 0, 0)}
    world = grey_of(paths[mercantile.Tile(0, 0, 0)])
    assert set(np.nonzero(world)[1]) <= {0, 255}
    assert not layer.beyond


def test_beyond_the_mercator_limit_is_said_and_the_rest_drawn(make: Any, tmp_path: Path) -> None:
    dn = np.full((400, 400), make.dn(-10.0), np.uint16)
    north = 9_440_000.0  # 85.05 degrees north lies at about 9,443 km + half the raster
    product = make.mapped(
        dn, make.utm(dn.shape, epsg=32633, corner=(480_000.0, north + 20_000), spacing=100.0)
    )
    layer = draw(product, tmp_path, zooms=(0, 8))
    assert layer.beyond
    assert min(t.y for t in tile_paths(tmp_path) if t.z == 8) == 0
    far = tmp_path / "far"
    far.mkdir()
    product = make.mapped(
        dn, make.utm(dn.shape, epsg=32633, corner=(480_000.0, 9_700_000.0), spacing=100.0)
    )
    report = draw(product, far, zooms=(0, 8))
    assert (report.tiles, report.bytes, report.beyond) == (0, 0, True)
    assert list(far.iterdir()) == []


def test_a_scene_round_the_pole_is_drawn_up_to_the_limit(make: Any, tmp_path: Path) -> None:
    dn = np.full((300, 300), make.dn(-10.0), np.uint16)
    grid = make.utm(dn.shape, corner=(-900_000.0, 900_000.0), spacing=6000.0)
    grid = replace(grid, epsg=3413, crs_wkt="EPSG:3413")
    places = Places(grid)
    tiles, beyond = cover(places, 4)
    assert beyond
    assert {t.x for t in tiles} == set(range(16))
    assert min(t.y for t in tiles) == 0
    product = make.mapped(dn, make.utm(dn.shape))
    image = replace(product.images[0], grid=grid)
    layer = draw(product, tmp_path, zooms=(0, 4), image=image)
    assert layer.beyond
    mosaic = Mosaic(tile_paths(tmp_path), 4)
    assert mosaic.grey.shape[1] == 16 * 256
    assert (mosaic.grey[0] > 0).all()


def test_nothing_valid_puts_nothing(make: Any, tmp_path: Path) -> None:
    product = make.mapped(np.zeros((50, 60), np.uint16), make.utm((50, 60)))
    assert draw(product, tmp_path).tiles == 0
    assert list(tmp_path.rglob("*.png")) == []


def test_a_stop_is_an_interruption(make: Any, tmp_path: Path) -> None:
    dn = np.full((800, 800), make.dn(-10.0), np.uint16)
    product = make.mapped(dn, make.utm(dn.shape, spacing=25.0))
    asked = iter([False] * 12)
    with pytest.raises(Interrupted):
        draw(product, tmp_path, cancelled=lambda: next(asked, True))


def test_what_a_sink_raises_is_raised(make: Any, tmp_path: Path) -> None:
    class Full:
        def put(self, tile: mercantile.Tile, data: bytes) -> None:
            raise BadProduct("full")

    dn = np.full((800, 800), make.dn(-10.0), np.uint16)
    product = make.mapped(dn, make.utm(dn.shape, spacing=25.0))
    layer = Layer("HH", (Channel(0),), (limits(),), 0, 14, Full())
    with (
        open_source(product, product.images[0]) as source,
        pytest.raises(BadProduct, match="full"),
    ):
        draw_layers([source], Places(source.grid), [layer])


def test_progress_ends_at_its_total_and_zooms_can_be_chosen(make: Any, tmp_path: Path) -> None:
    dn = np.full((800, 800), make.dn(-10.0), np.uint16)
    product = make.mapped(dn, make.utm(dn.shape, spacing=25.0))
    told = []
    layer = draw(
        product, tmp_path, zooms=(9, 12), stage="tiles HH", progress=lambda *a: told.append(a)
    )
    assert {t.z for t in tile_paths(tmp_path)} == {9, 10, 11, 12}
    assert (layer.min_zoom, layer.max_zoom) == (9, 12)
    assert {stage for stage, _, _ in told} == {"tiles HH"}
    assert [done for _, done, _ in told] == list(range(1, told[-1][2] + 1))


@pytest.mark.parametrize(("spacing", "zoom"), [(3.0, 15), (6.25, 14), (25.0, 12), (100.0, 10)])
def test_native_zoom(make: Any, spacing: float, zoom: int) -> None:
    assert native_zoom(Places(make.utm((100, 100), spacing=spacing))) == zoom


@pytest.mark.parametrize(
    "options",
    [
        {"max_zoom": 23},
        {"min_zoom": 5, "max_zoom": 4},
        {"min_zoom": -1},
        {"stretch_db": (0.0, -5.0)},
        {"stretch_percent": (98.0, 2.0)},
        {"threads": 0},
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        PictureOptions(**options)

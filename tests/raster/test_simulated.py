"""Tiles and polygon against the truth of simulated products."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mercantile
import numpy as np
import pytest
import shapely
from PIL import Image as Pillow
from pyproj import CRS, Transformer

from alos2.geometry.rings import area_ratio, footprint_geometry
from alos2.product.recognise import recognise
from alos2.raster.pictures import PictureOptions, StretchLimits, make_pictures
from alos2.raster.stretch import grey_to_decibel
from alos2.raster.valid import valid_polygon
from alos2.simulate import SimulationSpec, simulate
from alos2.types import LonLat

LIMITS = (-45.0, 15.0)
STEP_DB = 60.0 / 254
ZOOM = 14
SIZE = 256 * 2**ZOOM

SPECS = {
    "2.1 GeoTIFF": {"level": "2.1", "format": "geotiff"},
    "1.5 CEOS rotated": {"level": "1.5", "option": "R", "pass_direction": "D", "look": "L"},
    "1.5 GeoTIFF rotated": {"level": "1.5", "format": "geotiff", "option": "R"},
    "3.1 polar stereographic": {"level": "3.1", "projection": "P", "lat_deg": 74.0},
    "1.5 in the south": {"level": "1.5", "lat_deg": -33.0, "lon_deg": 151.2},
    "2.1 at the antimeridian": {"level": "2.1", "lat_deg": -17.0, "lon_deg": 180.0},
}


class World:
    """The deepest zoom of a layer, looked at by world pixel."""

    def __init__(self, folder: Path) -> None:
        self.tiles: dict[mercantile.Tile, np.ndarray] = {}
        for path in folder.glob(f"{ZOOM}/*/*.png"):
            with Pillow.open(path) as picture:
                grey = np.asarray(picture)
            tile = mercantile.Tile(int(path.parent.name), 2**ZOOM - 1 - int(path.stem), ZOOM)
            self.tiles[tile] = grey_to_decibel(grey, StretchLimits(*LIMITS, ""))

    def level(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """DB at whole world pixels, NaN where there is none."""
        found = np.full(x.shape, np.nan)
        columns, rows = (x % SIZE) // 256, y // 256
        for tile in self.tiles:
            if columns.min() <= tile.x <= columns.max() and rows.min() <= tile.y <= rows.max():
                here = (columns == tile.x) & (rows == tile.y)
                found[here] = self.tiles[tile][y[here] % 256, x[here] % 256]
        return found


def world_pixel(lon: Any, lat: Any, around: float) -> tuple[Any, Any]:
    """World pixel, continuous; longitudes unwrapped around that of the scene."""
    unwrapped = around + (np.asarray(lon) - around + 180) % 360 - 180
    y = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2
    return (unwrapped + 180) / 360 * SIZE, y * SIZE


@pytest.fixture(scope="module", params=SPECS)
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("simulated")
    spec = SimulationSpec(**{"pixels": 700, "lines": 800, **SPECS[request.param]})
    made = simulate(spec, folder / "product")
    truth = json.loads(Path(made.truth_path).read_text())
    out = folder / "out"
    out.mkdir()
    with recognise(made.product_dir) as tree:
        product = tree.products[0]
        assert product.problems_for_ingest == ()
        report = make_pictures(
            product, out, dataset_id="x", options=PictureOptions(stretch_db=LIMITS)
        )
        polygon = valid_polygon(product)
    return truth, report, out, polygon


def to_lonlat(truth: Any, line: Any, pixel: Any) -> tuple[Any, Any]:
    image = truth["images"][0]
    crs = CRS.from_wkt(image["crs_wkt"])
    a, b, c, d, e, f = image["transform"]
    pixel, line = np.asarray(pixel) + 0.5, np.asarray(line) + 0.5
    transformer = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    return transformer.transform(a * pixel + b * line + c, d * pixel + e * line + f)


def test_point_targets_land_within_a_quarter_of_a_pixel(drawn: Any) -> None:
    truth, _, out, _ = drawn
    world = World(out / "tiles" / "HH")
    around = truth["center"]["lon_deg"]
    found = 0
    for target in truth["point_targets"]:
        if target["peak_sigma0_db"]["HH"] < 2:  # no brighter than the city beside it
            continue
        lon, lat = to_lonlat(truth, target["line"], target["pixel"])
        x, y = world_pixel(lon, lat, around)
        rows, columns = np.mgrid[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5]
        power = 10 ** (world.level(columns, rows) / 10)
        if np.isnan(power).any():
            continue
        power = np.where(power > 0.2 * power.max(), power, 0)
        assert (power * (columns + 0.5)).sum() / power.sum() == pytest.approx(float(x), abs=0.25)
        assert (power * (rows + 0.5)).sum() / power.sum() == pytest.approx(float(y), abs=0.25)
        found += 1
    assert found >= 8


@pytest.mark.parametrize("pol", ["HH", "HV"])
def test_patches_have_their_sigma_nought(drawn: Any, pol: str) -> None:
    truth, _, out, _ = drawn
    world = World(out / "tiles" / pol)
    around = truth["center"]["lon_deg"]
    compared = 0
    for patch in truth["patches"]:
        if patch["has_target"] or not patch["inner"]:
            continue
        line, pixel = np.array(patch["inner"][0]["polygon"]).T
        x, y = world_pixel(*to_lonlat(truth, line, pixel), around)
        corners = shapely.Polygon(np.column_stack([x, y]))
        if corners.area < 8000:
            continue
        left, top, right, bottom = (int(v) for v in corners.bounds)
        rows, columns = np.mgrid[top : bottom + 1, left : right + 1]
        inside = shapely.contains_xy(corners, columns + 0.5, rows + 0.5)
        power = 10 ** (world.level(columns[inside], rows[inside]) / 10)
        power = power[np.isfinite(power)]
        if power.size < 8000:
            continue
        expected = patch["sigma0_db"][pol]
        assert 10 * np.log10(power.mean()) == pytest.approx(expected, abs=0.1 + STEP_DB / 2)
        compared += 1
    assert compared >= 2


def test_the_polygon_is_that_of_the_data(drawn: Any) -> None:
    truth, _, _, polygon = drawn
    corners = truth["data"]["map_corners"]
    names = ("left_top", "right_top", "right_bottom", "left_bottom")
    expected = footprint_geometry(
        [LonLat(corners[n]["lon_deg"], corners[n]["lat_deg"]) for n in names]
    )
    assert area_ratio(polygon, expected) > 0.985


def test_what_is_reported_is_what_is_there(drawn: Any) -> None:
    _, report, out, _ = drawn
    assert [layer.name for layer in report.layers] == ["HH", "HV", "RGB"]
    for layer in report.layers:
        files = list((out / "tiles" / layer.name).rglob("*.png"))
        assert len(files) == layer.count
        assert sum(f.stat().st_size for f in files) == layer.bytes
    for browse in report.browse:
        with Pillow.open(browse.browse) as picture:
            assert picture.size == browse.size

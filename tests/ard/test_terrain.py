"""Radar geometry at each cell, against the solver of `geometry` and plain vector algebra."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from alos2.ard.terrain.geometry import TerrainGeometry
from alos2.ard.terrain.lattice import MapGround
from alos2.ard.terrain.view import View
from alos2.errors import BadProduct
from alos2.geometry.ellipsoid import geodetic_to_ecef
from alos2.geometry.rangedoppler import geo2rdr, incidence_deg
from alos2.product.model import MapGrid
from alos2.types import RasterShape, Window
from ard.terrainfixtures import (
    EPSG,
    LAT,
    LON,
    HeightsOf,
    centres,
    lonlat,
    utm_grid,
    view_of_centre,
    whole,
)

HILLS = HeightsOf(lambda x, y: 4000.0 + 4000.0 * np.sin(x / 700.0) * np.cos(y / 900.0))


class Waves:
    """Heights from 0 to 8 km, by line and pixel of whatever map."""

    def heights(self, grid: MapGrid, window: Window) -> NDArray[np.float32]:
        j = np.arange(window.line, window.line + window.lines)[:, None]
        i = np.arange(window.pixel, window.pixel + window.pixels)[None]
        return (4000.0 + 4000.0 * np.sin(j / 17.0) * np.cos(i / 23.0)).astype(np.float32)


LEVEL = HeightsOf(lambda x, y: 0.0 * x * y)


def degrees_grid(cells: int, step: float) -> MapGrid:
    transform = (step, 0.0, LON - cells * step / 2, 0.0, -step, LAT + cells * step / 2)
    return MapGrid(CRS.from_epsg(4326).to_wkt(), 4326, transform, RasterShape(cells, cells))


def turned_grid(cells: int) -> MapGrid:
    """A georeferenced product's: lines along the track."""
    grid = utm_grid(cells)
    a, _, c, _, e, f = grid.transform
    s, k = np.sin(0.2), np.cos(0.2)
    return MapGrid(grid.crs_wkt, None, (a * k, -e * s, c, a * s, e * k, f), grid.shape)


@pytest.mark.parametrize(
    "grid",
    [utm_grid(300, 100.0), degrees_grid(250, 0.001), turned_grid(200), utm_grid(90, 2.5)],
    ids=["utm", "degrees", "turned", "fine"],
)
def test_as_exact_as_the_solver(grid: MapGrid) -> None:
    """Stated: 1e-6 s and 1 cm; found: a thousandth of that."""
    view = view_of_centre()
    geometry = TerrainGeometry(view, Waves(), grid)
    cells = geometry.window(whole(grid))
    chosen = np.random.default_rng(1).integers(0, grid.shape.lines, (2, 800))
    line, pixel = chosen
    lon, lat = MapGround(grid).lonlat(pixel + 0.5, line + 0.5)
    height = cells.height_m[line, pixel]
    assert np.ptp(height) > 7000.0
    t, slant = geo2rdr(view.orbit, lon, lat, height, look="R")
    assert np.abs(cells.time_s[line, pixel] - t).max() < 1e-8
    assert np.abs(cells.slant_range_m[line, pixel] - slant).max() < 1e-3
    at_cell = incidence_deg(view.orbit, t, slant, "R", height)
    assert np.abs(cells.incidence_deg[line, pixel] - at_cell).max() < 2e-5
    level = incidence_deg(view.orbit, t, slant, "R", 0.0)
    assert np.abs(cells.ellipsoid_incidence_deg[line, pixel] - level).max() < 2e-3


def test_local_incidence_is_the_angle_to_the_ground_s_normal() -> None:
    view, grid = view_of_centre("L", "D"), utm_grid(160)
    cells = TerrainGeometry(view, HILLS, grid).window(whole(grid))
    x, y = centres(grid)
    corner = [
        geodetic_to_ecef(*lonlat(xx, yy), HILLS.height(xx, yy))
        for xx, yy in ((x - 25, y), (x + 25, y), (x, y - 25), (x, y + 25), (x, y))
    ]
    normal = np.cross(corner[1] - corner[0], corner[3] - corner[2])
    position, _ = view.orbit.interpolate(cells.time_s)
    back = position - corner[4]
    cosine = (normal * back).sum(axis=-1) / np.linalg.norm(normal, axis=-1)
    wanted = np.degrees(np.arccos(cosine / np.linalg.norm(back, axis=-1)))
    assert np.abs(cells.local_incidence_deg - wanted).max() < 0.01
    assert wanted.max() > 90
    # The two slopes and the incidence say the same.
    theta, r, a = (
        np.radians(cells.incidence_deg), np.tan(cells.slope_range_rad),
        np.tan(cells.slope_azimuth_rad),
    )  # fmt: skip
    again = (np.cos(theta) + np.sin(theta) * r) / np.sqrt(1.0 + r * r + a * a)
    assert np.abs(np.degrees(np.arccos(again)) - wanted).max() < 0.01


def test_any_window_from_any_thread_is_the_same() -> None:
    grid = utm_grid(90, lines=330)
    geometry = TerrainGeometry(view_of_centre(), HILLS, grid)
    around = geometry.window(Window(-10, -10, 350, 110))
    cuts = [Window(0, 0, 330, 90), Window(-3, 7, 260, 19), Window(255, -10, 3, 110)] * 4
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(geometry.window, cuts))
    for cut, cells in zip(cuts, made, strict=True):
        top, left = cut.line + 10, cut.pixel + 10
        for one, all_of_it in zip(cells, around, strict=True):
            part = all_of_it[top : top + cut.lines, left : left + cut.pixels]
            np.testing.assert_array_equal(one, part)


def test_a_cell_beside_a_hole_uses_its_other_neighbour() -> None:
    tilted = HeightsOf(lambda x, y: np.where(np.abs(x) < 30.0, np.nan, 0.1 * x + 0.0 * y))
    grid = utm_grid(64)
    cells = TerrainGeometry(view_of_centre(), tilted, grid).window(whole(grid))
    hole = np.isnan(cells.height_m)
    assert hole.any(axis=0).sum() == 2
    for plane in cells:
        np.testing.assert_array_equal(np.isnan(plane), hole)
    assert np.ptp(cells.slope_range_rad[~hole]) < 1e-3


def test_behind_the_radar_nothing_is_seen() -> None:
    view = view_of_centre()
    cells = TerrainGeometry(View(view.orbit, "L"), LEVEL, utm_grid(64)).window(Window(0, 0, 5, 5))
    assert np.isnan(cells.incidence_deg).all()
    assert np.isfinite(cells.height_m).all()


def test_a_nominal_orbit_gives_angles_and_no_times() -> None:
    view = view_of_centre()
    nominal = View(view.orbit, view.look, nominal=True, incidence_error_deg=0.6)
    geometry = TerrainGeometry(nominal, LEVEL, utm_grid(64))
    assert geometry.incidence_error_deg == 0.6
    cells = geometry.window(Window(0, 0, 9, 7))
    assert cells.time_s is None
    assert cells.slant_range_m is None
    assert cells.incidence_deg.shape == (9, 7)
    assert np.isfinite(geometry.radar_window(Window(0, 0, 9, 7)).time_s).all()


def test_maps_that_cannot_be() -> None:
    grid = utm_grid(64)
    flat = MapGrid(grid.crs_wkt, EPSG, (25.0, 0.0, 0.0, 0.0, 0.0, 0.0), grid.shape)
    with pytest.raises(BadProduct, match="no inverse"):
        TerrainGeometry(view_of_centre(), LEVEL, flat)
    far_lon, far_lat = Transformer.from_crs(4326, EPSG, always_xy=True).transform(LON, -LAT)
    a, b, _, d, e, _ = grid.transform
    far = MapGrid(grid.crs_wkt, EPSG, (a, b, far_lon, d, e, far_lat), grid.shape)
    with pytest.raises(BadProduct, match="does not pass"):
        TerrainGeometry(view_of_centre(), LEVEL, far)

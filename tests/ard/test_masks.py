"""Layover and shadow, against rays that are followed one by one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alos2.ard.terrain.dem import Dem
from alos2.ard.terrain.geometry import TerrainGeometry
from alos2.ard.terrain.layovershadow import BOTH, LAYOVER, SHADOW, layover_shadow
from alos2.ard.terrain.view import View
from alos2.geometry.ellipsoid import geodetic_to_ecef
from alos2.types import LookSide, PassDirection
from ard.terrainfixtures import (
    Floats,
    Height,
    centres,
    grown,
    lonlat,
    ridge,
    utm_grid,
    view_of_centre,
    whole,
    write_dem,
)

HEIGHT: Height = ridge(1700.0, 1000.0)
STEP_M, REACH_M = 10.0, 6000.0


def followed(view: View, x: float, y: float) -> int:
    """The mask at one place: everything along its own line of range is compared with it."""
    orbit = view.orbit
    lon, lat = lonlat(x, y)
    place = geodetic_to_ecef(lon, lat, HEIGHT(x, y))
    t = 810.0
    for _ in range(20):
        position, velocity, _ = orbit.states(t)
        t += float((place - position) @ velocity) / float(velocity @ velocity)
    position, velocity, _ = orbit.states(t)
    # On the map, range runs along the trace of the zero-Doppler plane: where places keep the time.
    ahead = np.array([_along(velocity, x, y, dx, dy) for dx, dy in ((1.0, 0.0), (0.0, 1.0))])
    trace = np.array([-ahead[1], ahead[0]]) / np.hypot(*ahead)
    beam_out = _along(place - position, x, y, *trace)
    trace = trace if beam_out > 0 else -trace
    steps = np.arange(-REACH_M, REACH_M + STEP_M / 2, STEP_M)
    xs, ys = x + steps * trace[0], y + steps * trace[1]
    line = geodetic_to_ecef(*lonlat(xs, ys), HEIGHT(xs, ys))
    beam = line - position
    slant = np.linalg.norm(beam, axis=-1)
    down = -position / np.linalg.norm(position)
    angle = np.arccos(beam @ down / slant)
    here = steps.size // 2
    near, far = np.s_[: here - 2], np.s_[here + 3 :]
    shadow = bool((angle[near] > angle[here]).any())
    layover = bool((slant[near] >= slant[here]).any() or (slant[far] <= slant[here]).any())
    return LAYOVER * layover + SHADOW * shadow


def _along(vector: Floats, x: float, y: float, dx: float, dy: float) -> float:
    """Part of a vector along a level direction of the map."""
    ends = geodetic_to_ecef(*lonlat([x, x + 100.0 * dx], [y, y + 100.0 * dy]))
    way = ends[1] - ends[0]
    return float(vector @ way / np.linalg.norm(way))


@pytest.mark.parametrize(
    ("look", "direction", "off_nadir"), [("R", "A", 36.6), ("L", "A", 50.0), ("R", "D", 25.0)]
)
def test_the_mask_is_what_rays_say(
    look: LookSide, direction: PassDirection, off_nadir: float, tmp_path: Path
) -> None:
    view, grid = view_of_centre(look, direction, off_nadir), utm_grid(200)
    path = write_dem(tmp_path / "dem.tif", HEIGHT, 14000.0)
    with Dem.open(path, heights="ellipsoid") as dem, TerrainGeometry(view, dem, grid) as geometry:
        mask = layover_shadow(geometry, tmp_path).window(whole(grid))
        cells = geometry.window(whole(grid))
    x, y = centres(grid)
    chosen = np.random.default_rng(3).integers(0, 200, (150, 2))
    wanted = np.array([followed(view, x[j, i], y[j, i]) for j, i in chosen])
    found = mask[tuple(chosen.T)]
    edge = np.zeros(mask.shape, bool)
    for value in (0, LAYOVER, SHADOW, BOTH):
        edge |= grown(mask == value, 2) & (mask != value)
    inner = ~edge[tuple(chosen.T)]
    assert inner.sum() > 100
    np.testing.assert_array_equal(found[inner], wanted[inner])
    assert (found == wanted).mean() > 0.93, "and at edges mostly"
    # Passive ground is found too: it is level, or inclined the harmless way.
    level = np.abs(cells.slope_range_rad) < 0.02
    assert (mask[level] & LAYOVER).any()
    assert (mask[level] & SHADOW).any()
    active = cells.slope_range_rad >= np.radians(cells.incidence_deg)
    assert (mask[active & ~edge] & LAYOVER).all()
    averted = cells.local_incidence_deg > 90
    assert (mask[averted & ~edge] & SHADOW).all()


def test_a_nominal_orbit_serves_for_masks(tmp_path: Path) -> None:
    view, grid = view_of_centre(), utm_grid(64)
    path = write_dem(tmp_path / "dem.tif", HEIGHT, 9000.0)
    nominal = View(view.orbit, view.look, nominal=True, incidence_error_deg=0.6)
    with Dem.open(path, heights="ellipsoid") as dem:
        with TerrainGeometry(view, dem, grid) as geometry:
            own = layover_shadow(geometry, tmp_path).window(whole(grid))
        with TerrainGeometry(nominal, dem, grid) as geometry:
            found = layover_shadow(geometry, tmp_path).window(whole(grid))
    assert own.any()
    np.testing.assert_array_equal(found, own)


def test_ground_beyond_the_map_throws_its_shadow_into_it(tmp_path: Path) -> None:
    """The same cells have the same mask in a small map, beside the ridge, as in a large one."""
    view, large = view_of_centre("R", "A", 50.0), utm_grid(200)
    path = write_dem(tmp_path / "dem.tif", HEIGHT, 14000.0)
    a, b, c, d, e, f = large.transform
    left, top, cells = 150, 70, 48
    small = type(large)(
        large.crs_wkt, large.epsg, (a, b, c + left * a, d, e, f + top * e),
        type(large.shape)(cells, cells),
    )  # fmt: skip
    made = []
    with Dem.open(path, heights="ellipsoid") as dem:
        for grid in (large, small):
            with TerrainGeometry(view, dem, grid) as geometry:
                made.append(layover_shadow(geometry, tmp_path).window(whole(grid)))
    inside = made[0][top : top + cells, left : left + cells]
    assert (inside == SHADOW).sum() > 100
    assert (inside != made[1]).mean() < 0.03

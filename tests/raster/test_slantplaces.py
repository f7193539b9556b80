"""Places of slant-range images against the simulator's own geometry, and of tie points."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pyproj import Geod

from alos2.errors import BadProduct
from alos2.product.model import TiePoint
from alos2.raster.lookpass import Looks
from alos2.raster.places import OUTSIDE
from alos2.raster.slantplaces import RadarFrame, SlantRange, frame_from_tie_points
from alos2.raster.tieplaces import TiePlaces
from alos2.simulate import SimulationSpec
from alos2.simulate.scene import Scene, plan
from alos2.types import LonLat

EARTH = Geod(ellps="WGS84")
LOOKS = Looks(4, 2)

SPECS: dict[str, dict[str, Any]] = {
    "right, ascending": {},
    "left, ascending": {"look": "L"},
    "right, descending": {"pass_direction": "D", "lat_deg": -33.0, "lon_deg": 151.2},
    "left, descending": {"pass_direction": "D", "look": "L"},
    "antimeridian": {"lat_deg": -17.0, "lon_deg": 180.0},
    "far north": {"lat_deg": 80.0, "lon_deg": -40.0},
    "spotlight": {"mode": "SBS", "pixels": 13_000, "lines": 27_000},
    "ultra-fine": {"mode": "UBS", "pixels": 23_396, "lines": 32_515},
    "high-sensitive": {"mode": "HBQ", "pixels": 9_000, "lines": 25_000},
}


def scene_of(name: str) -> Scene:
    """A whole scene: only its geometry is made."""
    return plan(
        SimulationSpec(**{"level": "1.1", "pixels": 10_170, "lines": 21_220, **SPECS[name]})
    )


def frame_of(scene: Scene) -> RadarFrame:
    swath = scene.swaths[0]
    return RadarFrame(
        swath.first_line_s - swath.line_interval_s / 2,
        swath.line_interval_s,
        swath.near_range_m - swath.range_spacing_m / 2,
        swath.range_spacing_m,
        swath.shape,
    )


def grid(scene: Scene, height_m: float) -> tuple[Any, Any, Any, Any]:
    """Lines and pixels all over the image, and their places by the simulator."""
    swath = scene.swaths[0]
    line, pixel = np.meshgrid(
        np.linspace(0, swath.shape.lines - 1, 7), np.linspace(0, swath.shape.pixels - 1, 9)
    )
    return line, pixel, *swath.lonlat(line, pixel, height_m)


def image_of(scene: Scene) -> Any:
    """A GeoTIFF of it: corners as tie points, at height 0."""
    swath = scene.swaths[0]
    lon, lat = swath.lonlat(*np.array(swath.corners).T)
    ties = tuple(
        TiePoint(line, pixel, LonLat(float(x), float(y)))
        for (line, pixel), x, y in zip(swath.corners, lon, lat, strict=True)
    )
    return SimpleNamespace(shape=swath.shape, file=SimpleNamespace(name="x.tif"), tie_points=ties)


def product_of(scene: Scene) -> Any:
    return SimpleNamespace(
        mode=scene.spec.mode, sensor=SimpleNamespace(sampling_rate_hz=None), look=scene.spec.look
    )


def distance_m(a: Any, b: Any, c: Any, d: Any) -> Any:
    # Lists: some versions of pyproj take an array of one for a number.
    return np.array(EARTH.inv(*(np.ravel(v).tolist() for v in (a, b, c, d)))[2])


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("height_m", [0.0, 800.0])
def test_cells_lie_where_the_simulator_puts_them(name: str, height_m: float) -> None:
    scene = scene_of(name)
    surface = SlantRange(scene.orbit, scene.spec.look, frame_of(scene).averaged(LOOKS), height_m)
    line, pixel, lon, lat = grid(scene, height_m)
    u, v = surface.pixel_line(lon, lat)
    np.testing.assert_allclose(u, (pixel + 0.5) / LOOKS.pixels, atol=1e-4)
    np.testing.assert_allclose(v, (line + 0.5) / LOOKS.lines, atol=1e-4)
    back = surface.lonlat(u, v)
    assert distance_m(*back, lon, lat).max() < 0.01
    assert np.abs(back[0]).max() <= 180


@pytest.mark.parametrize("name", ["right, ascending", "left, descending", "far north"])
def test_nothing_else_on_earth_is_in_the_image(name: str) -> None:
    """The same ranges on the other side of the track are not, nor what lies behind the Earth."""
    scene = scene_of(name)
    surface = SlantRange(scene.orbit, scene.spec.look, frame_of(scene))
    lon, lat = np.meshgrid(np.arange(-180.0, 181.0, 2.0), np.arange(-90.0, 91.0, 2.0))
    pixel, line = surface.pixel_line(lon, lat)
    inside = (pixel > 0) & (pixel < surface.shape.pixels) & (line > 0)
    inside &= line < surface.shape.lines
    near = distance_m(lon, lat, *np.broadcast_arrays(*scene.center_lonlat, lon)[:2]) < 100e3
    assert not (inside.ravel() & ~near).any()
    assert (pixel == OUTSIDE).mean() > 0.5
    frame = frame_of(scene)
    mirror = SlantRange(scene.orbit, "L" if scene.spec.look == "R" else "R", frame)
    place = mirror.lonlat(np.array([5000.0]), np.array([5000.0]))
    assert surface.pixel_line(*place)[0] == OUTSIDE


def test_ground_size_of_cells() -> None:
    scene = scene_of("right, ascending")
    one, four = (
        SlantRange(scene.orbit, "R", frame_of(scene).averaged(looks))
        for looks in (Looks(1, 1), LOOKS)
    )
    assert one.line_m == pytest.approx(3.24, abs=0.05)
    assert one.pixel_m == pytest.approx(4.29 / np.sin(np.radians(scene.incidence_deg)), rel=0.01)
    assert four.line_m == pytest.approx(4 * one.line_m, rel=1e-3)
    assert four.pixel_m == pytest.approx(2 * one.pixel_m, rel=1e-3)


def test_a_frame_that_cannot_be_is_refused() -> None:
    scene = scene_of("right, ascending")
    with pytest.raises(BadProduct, match="must be positive"):
        replace(frame_of(scene), step_s=0.0)
    with pytest.raises(BadProduct, match="outside the arc"):
        SlantRange(scene.orbit, "R", replace(frame_of(scene), start_s=1e5))
    with pytest.raises(BadProduct, match="no ground"):
        SlantRange(scene.orbit, "R", replace(frame_of(scene), near_m=1e5))


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("height_m", [0.0, 800.0])
def test_tie_points_alone_are_good_for_thirty_metres(name: str, height_m: float) -> None:
    """Straight lines between the corners would be wrong by most of a kilometre in the middle."""
    scene = scene_of(name)
    surface = TiePlaces(product_of(scene), image_of(scene), LOOKS, height_m)
    assert surface.height_m == height_m
    line, pixel, lon, lat = grid(scene, height_m)
    found = surface.lonlat((pixel + 0.5) / LOOKS.pixels, (line + 0.5) / LOOKS.lines)
    assert distance_m(*found, lon, lat).max() < 30.0
    u, v = surface.pixel_line(*found)
    np.testing.assert_allclose(u, (pixel + 0.5) / LOOKS.pixels, atol=1e-5)
    np.testing.assert_allclose(v, (line + 0.5) / LOOKS.lines, atol=1e-5)


def test_tie_points_hold_at_the_corners_and_nowhere_else_on_earth() -> None:
    scene = scene_of("antimeridian")
    image = image_of(scene)
    surface = TiePlaces(product_of(scene), image, Looks(1, 1))
    for tie in image.tie_points:
        found = surface.lonlat(np.array([tie.pixel + 0.5]), np.array([tie.line + 0.5]))
        assert distance_m(*found, *([v] for v in tie.position))[0] < 0.5
    lon, lat = np.meshgrid(np.arange(-180.0, 181.0, 5.0), np.arange(-90.0, 91.0, 5.0))
    pixel, line = surface.pixel_line(lon, lat)
    inside = (pixel > 0) & (pixel < surface.shape.pixels) & (line > 0)
    assert not (inside & (line < surface.shape.lines)).any()


def test_tie_points_that_no_orbit_explains_are_taken_as_even() -> None:
    """Ground narrower than its slant range (a wrong mode): no triangle fits, no height is."""
    scene = scene_of("right, ascending")
    product = product_of(scene)
    product.mode = "WBD"
    surface = TiePlaces(product, image_of(scene), Looks(1, 1), 500.0)
    assert surface.triangle is None
    assert surface.height_m == 0.0
    middle = surface.lonlat(np.array([10_170 / 2]), np.array([21_220 / 2]))
    u, v = surface.pixel_line(*middle)
    assert (u[0], v[0]) == pytest.approx((10_170 / 2, 21_220 / 2), abs=1e-6)


def test_three_tie_points_ask_for_a_leader() -> None:
    scene = scene_of("right, ascending")
    image = image_of(scene)
    image.tie_points = image.tie_points[:3]
    with pytest.raises(BadProduct, match="not four corners") as caught:
        TiePlaces(product_of(scene), image, LOOKS)
    assert "--leader" in str(caught.value)


@pytest.mark.parametrize("name", ["right, ascending", "left, descending", "antimeridian"])
def test_a_leader_from_elsewhere_makes_tie_points_exact(name: str) -> None:
    scene = scene_of(name)
    found, true = (
        frame_from_tie_points(scene.orbit, image_of(scene), scene.spec.look),
        frame_of(scene),
    )
    assert found.start_s == pytest.approx(true.start_s, abs=1e-6)
    assert found.step_s == pytest.approx(true.step_s, rel=1e-8)
    assert found.near_m == pytest.approx(true.near_m, abs=0.01)
    assert found.step_m == pytest.approx(true.step_m, rel=1e-7)


def test_tie_points_of_another_scene_do_not_fit_an_orbit() -> None:
    scene, other = scene_of("right, ascending"), scene_of("antimeridian")
    with pytest.raises(BadProduct):
        frame_from_tie_points(other.orbit, image_of(scene), "R")
    image = image_of(scene)
    moved = image.tie_points[0]
    moved = replace(moved, position=LonLat(moved.position.lon_deg + 0.01, moved.position.lat_deg))
    image.tie_points = (moved, *image.tie_points[1:])
    with pytest.raises(BadProduct, match="stray"):
        frame_from_tie_points(scene.orbit, image, "R")

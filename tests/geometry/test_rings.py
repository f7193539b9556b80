"""Outlines as GeoJSON wants them, anywhere on the Earth, and their measures against pyproj."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import Point, shape
from shapely.geometry.polygon import LinearRing

from alos2.errors import BadProduct
from alos2.geometry.rings import (
    area_m2,
    area_ratio,
    bbox,
    centroid,
    distance_m,
    exteriors,
    footprint_geometry,
    simplified,
    split_antimeridian,
)
from alos2.types import Json, LonLat

EARTH = Geod(ellps="WGS84")
SCENE = [LonLat(10.0, 20.0), LonLat(10.2, 20.7), LonLat(10.9, 20.6), LonLat(10.7, 19.9)]


def around(lon: float, lat: float, radius_m: float, azimuths: list[float]) -> list[LonLat]:
    """Corners at a distance from a place, in given directions."""
    count = len(azimuths)
    lons, lats, _ = EARTH.fwd([lon] * count, [lat] * count, azimuths, [radius_m] * count)
    return [LonLat(x, y) for x, y in zip(lons, lats, strict=True)]


def require_good(geometry: Json) -> None:
    """Valid, closed, counter-clockwise, within the map."""
    assert shape(geometry).is_valid
    assert geometry["type"] in {"Polygon", "MultiPolygon"}
    for ring in exteriors(geometry):
        assert ring[0].tolist() == ring[-1].tolist()
        assert LinearRing(ring).is_ccw
        assert np.abs(ring[:, 0]).max() <= 180.0
        assert np.abs(ring[:, 1]).max() <= 90.0
        # No edge goes the long way round, save along a pole.
        jumps = np.abs(np.diff(ring[:, 0])) > 180.0
        assert (np.abs(ring[1:, 1][jumps]) == 90.0).all()


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("closed", [False, True])
def test_one_order_whatever_comes_in(turn: int, backward: bool, closed: bool) -> None:
    corners = SCENE[turn:] + SCENE[:turn]
    corners = corners[::-1] if backward else corners
    geometry = footprint_geometry([*corners, corners[0]] if closed else corners)
    north_west, south_west, south_east, north_east = SCENE[1], SCENE[0], SCENE[3], SCENE[2]
    expected = [north_west, south_west, south_east, north_east, north_west]
    assert geometry == {"type": "Polygon", "coordinates": [[list(c) for c in expected]]}
    require_good(geometry)


def test_repeated_corners_are_dropped() -> None:
    assert footprint_geometry([SCENE[0], *SCENE, SCENE[3]]) == footprint_geometry(SCENE)


def test_across_the_antimeridian() -> None:
    geometry = footprint_geometry([(179.5, 10.0), (-179.5, 10.1), (-179.6, 10.9), (179.4, 10.8)])
    require_good(geometry)
    assert geometry["type"] == "MultiPolygon"
    west, east = (np.array(polygon[0]) for polygon in geometry["coordinates"])
    assert west[:, 0].max() == 180.0
    assert east[:, 0].min() == -180.0
    assert west[:, 0].min() == 179.4
    assert np.isclose(west[west[:, 0] == 180.0, 1].min(), 10.05)
    assert bbox(geometry) == [179.4, 10.0, -179.5, 10.9]
    assert centroid(geometry).lon_deg == pytest.approx(179.95, abs=1e-3)


@pytest.mark.parametrize("edge", [180.0, -180.0])
def test_touching_the_antimeridian_is_one_polygon(edge: float) -> None:
    inner = edge - np.sign(edge)
    geometry = footprint_geometry([(inner, 1.0), (edge, 1.0), (edge, 2.0), (inner, 2.0)])
    require_good(geometry)
    assert geometry["type"] == "Polygon"
    assert bbox(geometry) == [min(inner, edge), 1.0, max(inner, edge), 2.0]


def test_steps_across_the_antimeridian() -> None:
    """A comb whose teeth reach over: one part on one side, three on the other."""
    comb = [
        (179.0, 0.0), (-179.9, 0.0), (-179.9, 0.2), (179.5, 0.2), (179.5, 0.4), (-179.9, 0.4),
        (-179.9, 0.6), (179.5, 0.6), (179.5, 0.8), (-179.9, 0.8), (-179.9, 1.0), (179.0, 1.0),
    ]  # fmt: skip
    geometry = footprint_geometry(comb)
    require_good(geometry)
    assert len(geometry["coordinates"]) == 4
    plain = footprint_geometry([((lon % 360.0) - 100.0, lat) for lon, lat in comb])
    assert area_m2(geometry) == pytest.approx(area_m2(plain), rel=1e-6)


def test_teeth_that_only_touch_the_antimeridian() -> None:
    geometry = footprint_geometry([(179.0, 0.0), (180.0, 0.5), (179.0, 1.0), (178.0, 0.5)])
    require_good(geometry)
    assert geometry["type"] == "Polygon"
    beyond = footprint_geometry([(-179.0, 0.0), (-180.0, 0.5), (-179.0, 1.0), (-178.0, 0.5)])
    require_good(beyond)
    assert beyond["type"] == "Polygon"


@settings(deadline=None, max_examples=200)
@given(
    lon=st.floats(-180.0, 180.0),
    lat=st.one_of(st.floats(-75.0, 75.0), st.floats(75.0, 90.0), st.floats(-90.0, -75.0)),
    radius_m=st.floats(20_000.0, 350_000.0),
    heading_deg=st.floats(0.0, 360.0),
    half_angle_deg=st.floats(20.0, 70.0),
)
def test_scenes_anywhere(
    lon: float, lat: float, radius_m: float, heading_deg: float, half_angle_deg: float
) -> None:
    """Rectangles anywhere, over poles and the antimeridian: valid, of the right area and place."""
    offsets = (-half_angle_deg, half_angle_deg, 180.0 - half_angle_deg, 180.0 + half_angle_deg)
    corners = around(lon, lat, radius_m, [heading_deg + offset for offset in offsets])
    geometry = footprint_geometry(corners)
    require_good(geometry)
    if abs(lat) > 80.0:
        truth, _ = EARTH.geometry_area_perimeter(LinearRing([*corners, corners[0]]))
        assert area_m2(geometry) == pytest.approx(abs(truth), rel=0.01)
    found = centroid(geometry)
    _, _, away = EARTH.inv(lon, lat, found.lon_deg, found.lat_deg)
    # Straight lines in degrees bend away from great circles towards the pole.
    assert away < max(200.0, 0.08 * radius_m)
    west, south, east, north = bbox(geometry)
    inside = west <= lon <= east if west <= east else (lon >= west or lon <= east)
    assert inside
    assert south <= lat <= north


@pytest.mark.parametrize("lat", [90.0, -90.0, 89.5, -89.7])
@pytest.mark.parametrize("lon", [0.0, 180.0, -123.0])
def test_a_pole_within(lat: float, lon: float) -> None:
    geometry = footprint_geometry(around(lon, lat, 150_000.0, [20.0, 110.0, 200.0, 290.0]))
    require_good(geometry)
    west, south, east, north = bbox(geometry)
    assert (west, east) == (-180.0, 180.0)
    assert (north if lat > 0 else south) == np.sign(lat) * 90.0
    drawn = shape(geometry)
    for around_pole in range(-180, 181, 30):
        assert drawn.covers(Point(around_pole, np.sign(lat) * 89.9))


def test_a_stepped_outline_round_a_pole_that_crosses_back_over_the_antimeridian() -> None:
    outline = [(lon, 88.0) for lon in range(-170, 171, 20)]
    outline += [(-175.0, 88.0), (-175.0, 87.5), (175.0, 87.5), (175.0, 87.0), (-172.0, 87.0)]
    parts = split_antimeridian(np.array(outline, dtype=float))
    assert all(shape({"type": "Polygon", "coordinates": [p.tolist()]}).is_valid for p in parts)
    assert max(np.abs(p[:, 0]).max() for p in parts) <= 180.0


def test_a_corner_at_the_pole() -> None:
    geometry = footprint_geometry([(10.0, 85.0), (100.0, 85.0), (55.0, 90.0)])
    require_good(geometry)
    assert bbox(geometry) == [10.0, 85.0, 100.0, 90.0]
    truth, _ = EARTH.geometry_area_perimeter(LinearRing([(10, 85), (100, 85), (55, 90), (10, 85)]))
    assert area_m2(geometry) == pytest.approx(abs(truth), rel=1e-3)


def test_a_side_through_the_pole() -> None:
    geometry = footprint_geometry([(0.0, 88.0), (180.0, 88.0), (140.0, 86.0), (40.0, 86.0)])
    require_good(geometry)
    truth, _ = EARTH.geometry_area_perimeter(
        LinearRing([(0, 88), (179.9999, 88), (140, 86), (40, 86)])
    )
    assert area_m2(geometry) == pytest.approx(abs(truth), rel=1e-3)


def test_near_a_pole_edges_follow_great_circles() -> None:
    start, stop = LonLat(0.0, 86.0), LonLat(90.0, 86.0)
    geometry = footprint_geometry([start, stop, LonLat(45.0, 84.0)])
    middle = EARTH.npts(*start, *stop, 1)[0]
    _, _, away = EARTH.inv(*middle, 45.0, 86.0)
    assert away > 50_000.0, "a line along the parallel would be this far off"
    ring = LinearRing(exteriors(geometry)[0])
    assert ring.distance(Point(middle)) * 111_320.0 < 110.0


@pytest.mark.parametrize(
    ("corners", "words"),
    [
        ([(0.0, 0.0), (1.0, 1.0)], "three different corners, these are 2"),
        ([(0.0, 0.0), (1.0, 1.0), (1.0, 1.0), (0.0, 0.0)], "three different corners"),
        ([(0.0, 0.0), (1.0, 1.0), (2.0, 2.0)], "no area"),
        ([(0.0, 0.0), (1.0, np.nan), (2.0, 0.0)], "not pairs of numbers"),
        ([(0.0, 0.0), (1.0, 91.0), (2.0, 0.0)], "beyond"),
        ([(0.0, 0.0), (4283.5, 1.0), (2.0, 0.0)], "beyond"),
        ([], "not pairs of numbers"),
    ],
)
def test_outlines_that_are_none(corners: list[tuple[float, float]], words: str) -> None:
    with pytest.raises(BadProduct, match=words):
        footprint_geometry(corners)


def test_area_against_pyproj() -> None:
    geometry = footprint_geometry(SCENE)
    ring = exteriors(geometry)[0]
    dense = np.concatenate([np.linspace(a, b, 200) for a, b in pairwise(ring)])
    truth, _ = EARTH.polygon_area_perimeter(*dense.T)
    assert area_m2(geometry) == pytest.approx(truth, rel=5e-6)


def square(lon: float, lat: float, size: float) -> Json:
    return footprint_geometry(
        [(lon, lat), (lon + size, lat), (lon + size, lat + size), (lon, lat + size)]
    )


def test_area_ratio() -> None:
    one = square(0.0, 0.0, 1.0)
    assert area_ratio(one, one) == pytest.approx(1.0)
    assert area_ratio(one, square(0.5, 0.0, 1.0)) == pytest.approx(1.0 / 3.0, abs=1e-4)
    assert area_ratio(one, square(0.0, 0.0, 2.0)) == pytest.approx(0.25, abs=1e-3)
    assert area_ratio(one, square(5.0, 5.0, 1.0)) == 0.0
    assert area_ratio(one, square(179.0, 0.0, 0.5)) == 0.0


def test_area_ratio_across_the_antimeridian() -> None:
    cut, whole = square(179.5, 0.0, 1.0), square(10.0, 0.0, 1.0)
    assert area_ratio(cut, cut) == pytest.approx(1.0)
    assert area_ratio(cut, square(180.0, 0.0, 1.0)) == pytest.approx(1.0 / 3.0, abs=1e-4)
    assert area_ratio(cut, whole) == 0.0


def test_area_ratio_round_a_pole() -> None:
    wide = footprint_geometry(around(0.0, 90.0, 200_000.0, [0.0, 90.0, 180.0, 270.0]))
    narrow = footprint_geometry(around(0.0, 90.0, 100_000.0, [0.0, 90.0, 180.0, 270.0]))
    assert area_ratio(wide, narrow) == pytest.approx(0.25, abs=2e-3)


def test_distance() -> None:
    one = square(0.0, 0.0, 1.0)
    assert distance_m(one, one) == 0.0
    _, _, east = EARTH.inv(1.0, 0.5, 1.3, 0.5)
    moved = square(0.3, 0.0, 1.0)
    assert distance_m(one, moved) == pytest.approx(east, rel=1e-3)
    assert distance_m(moved, one) == distance_m(one, moved)


def test_distance_is_of_outlines_not_of_corners() -> None:
    one = square(0.0, 0.0, 1.0)
    same = footprint_geometry([(0, 0), (0.3, 0), (1, 0), (1, 0.7), (1, 1), (0, 1)])
    assert distance_m(one, same) < 0.2
    bump = footprint_geometry([(0, 0), (0.5, -0.1), (1, 0), (1, 1), (0, 1)])
    _, _, expected = EARTH.inv(0.5, -0.1, 0.5, 0.0)
    assert distance_m(one, bump) == pytest.approx(expected, rel=1e-3)


def test_distance_does_not_see_the_cut() -> None:
    def scene(shift: float) -> Json:
        corners = [(179.5, 0.0), (180.5, 0.0), (180.5, 1.0), (179.5, 1.0)]
        return footprint_geometry([(lon + shift, lat) for lon, lat in corners])

    _, _, expected = EARTH.inv(0.0, 0.5, 0.01, 0.5)
    assert distance_m(scene(0.0), scene(0.01)) == pytest.approx(expected, rel=1e-3)
    wide = footprint_geometry(around(0.0, 90.0, 200_000.0, [0.0, 90.0, 180.0, 270.0]))
    turned = footprint_geometry(around(0.0, 90.0, 200_000.0, [1.0, 91.0, 181.0, 271.0]))
    assert distance_m(wide, turned) < 4000.0


def test_simplified_keeps_corners() -> None:
    dense = []
    for (a, b), (c, d) in zip(SCENE, SCENE[1:] + SCENE[:1], strict=True):
        dense += [LonLat(a + s * (c - a), b + s * (d - b)) for s in np.linspace(0, 1, 50)[:-1]]
    assert len(simplified(dense, 1.0)) in {4, 5}
    assert set(SCENE) <= set(simplified(dense, 1.0))


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [0, 0]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0], [0, 0]]]},
        {},
    ],
)
def test_geometries_that_are_none(geometry: Json) -> None:
    with pytest.raises(ValueError, match=r"footprint|ring"):
        exteriors(geometry)


def test_a_footprint_needs_neither_shapely_nor_pyproj() -> None:
    code = (
        "import sys, alos2.geometry.footprints as f; "
        "f.footprint_geometry([(0, 0), (1, 0), (1, 1)]); "
        "print([m for m in ('shapely', 'pyproj', 'rasterio', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

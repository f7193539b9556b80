"""Footprints of every kind against where single samples lie, anywhere on the Earth."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod
from shapely.geometry import Point, shape
from shapely.geometry.polygon import LinearRing

from alos2.errors import BadProduct
from alos2.geometry.footprints import (
    RadarGrid,
    Rectangle,
    fitted_rectangle,
    grid_footprint,
    slant_range_corners,
    slant_range_footprint,
    tie_point_footprint,
)
from alos2.geometry.orbit import Orbit
from alos2.geometry.rangedoppler import geo2rdr, rdr2geo
from alos2.geometry.rectangles import union_outlines
from alos2.geometry.rings import area_ratio, bbox, distance_m, exteriors, footprint_geometry
from alos2.types import Json, LonLat, RasterShape

EARTH = Geod(ellps="WGS84")
LOOKS: tuple[Literal["L", "R"], ...] = ("L", "R")
STRIP = RasterShape(21220, 10170)
SPOT = RasterShape(27000, 13000)


def strip(orbit: Orbit, t_s: float = 805.0, near_m: float = 790_357.0) -> RadarGrid:
    """A fine-beam scene: 10 s, 43.6 km in slant range."""
    return RadarGrid(orbit.time(t_s), 1.0 / 2122.318, near_m, 4.2912667, STRIP)


def scansar(orbit: Orbit, beams: tuple[int, ...] = (0, 1, 2, 3, 4)) -> list[RadarGrid]:
    """Five beams that overlap by 2 km and start 0.3 s after one another, 52 s long."""
    return [
        RadarGrid(
            orbit.time(790.0 + 0.3 * beam),
            1.0 / (2600.0 - 70.0 * beam),
            700_000.0 + 41_000.0 * beam,
            8.5825,
            RasterShape(int(52 * (2600 - 70 * beam)), 5010),
        )
        for beam in beams
    ]


def require_good(geometry: Json) -> None:
    assert shape(geometry).is_valid
    for ring in exteriors(geometry):
        assert LinearRing(ring).is_ccw
        assert ring[0].tolist() == ring[-1].tolist()
        assert np.abs(ring[:, 0]).max() <= 180.0


def require_covers(
    geometry: Json, orbit: Orbit, grid: RadarGrid, look: Literal["L", "R"], margin_m: float = 200.0
) -> None:
    """Samples a little within the image's limits are in the footprint, those without are not."""
    rng = np.random.default_rng(0)
    drawn = shape(geometry)
    lines, pixels = grid.shape
    line_m, pixel_m = 6900.0 * grid.line_interval_s, grid.range_spacing_m
    for inside in (True, False):
        off = margin_m if inside else -margin_m
        dl, dp = off / line_m, off / pixel_m
        share = rng.uniform(0.05, 0.95, 40)
        ends = rng.choice([0.0, 1.0], 40)
        along = np.where(ends > 0, lines - 1 - dl, dl), share * (pixels - 1)
        across = share * (lines - 1), np.where(ends > 0, pixels - 1 - dp, dp)
        for line, pixel in (along, across):
            lon, lat = rdr2geo(
                orbit, grid.time_s(orbit, line), grid.slant_range_m(pixel), look=look
            )
            found = [drawn.covers(Point(p)) for p in zip(lon, lat, strict=True)]
            assert all(found) if inside else not any(found)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("argument_deg", [10.0, 170.0, -50.0, -140.0])
def test_a_strip(circular: Any, look: Literal["L", "R"], argument_deg: float) -> None:
    """Both sides, both passes, both hemispheres."""
    orbit = circular(node_deg=77.0).starting_at(argument_deg).orbit()
    grid = strip(orbit)
    geometry = slant_range_footprint(orbit, [grid], look)
    require_good(geometry)
    require_covers(geometry, orbit, grid, look)
    assert len(geometry["coordinates"][0]) <= 9


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("argument_deg", [0.0, 180.0])
def test_low_latitudes_need_four_corners(
    circular: Any, look: Literal["L", "R"], argument_deg: float
) -> None:
    """From the north-western one: north-west, south-west, south-east, north-east."""
    orbit = circular().starting_at(argument_deg).orbit()
    ring = exteriors(slant_range_footprint(orbit, [strip(orbit)], look))[0]
    assert len(ring) == 5
    north_west, south_west, south_east, north_east = ring[:4]
    assert min(north_west[1], north_east[1]) > max(south_west[1], south_east[1])
    assert max(north_west[0], south_west[0]) < min(north_east[0], south_east[0])
    corners = slant_range_corners(orbit, strip(orbit), look)
    assert {tuple(np.round(c, 8)) for c in corners} == {tuple(c) for c in ring[:4]}


@settings(deadline=None, max_examples=60)
@given(
    argument_deg=st.floats(-180.0, 180.0),
    node_deg=st.floats(-180.0, 180.0),
    look=st.sampled_from(LOOKS),
    near_m=st.floats(660e3, 1_100e3),
)
def test_strips_anywhere(
    circular: Any,
    argument_deg: float,
    node_deg: float,
    look: Literal["L", "R"],
    near_m: float,
) -> None:
    orbit = circular(node_deg=node_deg).starting_at(argument_deg).orbit()
    grid = strip(orbit, near_m=near_m)
    geometry = slant_range_footprint(orbit, [grid], look)
    require_good(geometry)
    require_covers(geometry, orbit, grid, look)


@pytest.mark.parametrize("node_deg", np.arange(178.0, 180.0, 0.25))
def test_across_the_antimeridian(circular: Any, node_deg: float) -> None:
    orbit = circular(node_deg=node_deg).starting_at(0.0).orbit()
    grid = strip(orbit)
    geometry = slant_range_footprint(orbit, [grid], "R")
    require_good(geometry)
    require_covers(geometry, orbit, grid, "R")
    west, _, east, _ = bbox(geometry)
    assert (geometry["type"] == "MultiPolygon") == (west > east)


def test_some_strips_do_cross_it(circular: Any) -> None:
    orbit = circular(node_deg=179.0).starting_at(0.0).orbit()
    assert slant_range_footprint(orbit, [strip(orbit)], "R")["type"] == "MultiPolygon"


@pytest.mark.parametrize(("argument_deg", "look"), [(90.0, "R"), (-90.0, "L"), (-90.0, "R")])
@pytest.mark.parametrize("near_m", [700e3, 850e3, 960e3, 1_000e3, 1_040e3, 1_080e3])
def test_near_and_over_the_poles(
    circular: Any, argument_deg: float, look: Literal["L", "R"], near_m: float
) -> None:
    """The orbit reaches 82 degrees of latitude; a side look reaches the pole and beyond."""
    orbit = circular(node_deg=33.0).starting_at(argument_deg).orbit()
    grid = strip(orbit, near_m=near_m)
    geometry = slant_range_footprint(orbit, [grid], look)
    require_good(geometry)
    require_covers(geometry, orbit, grid, look)


def test_a_scene_with_the_pole_in_it(circular: Any) -> None:
    """Found by geometry: the pole's own radar coordinates, and a scene round them."""
    orbit = circular(node_deg=33.0).starting_at(-90.0).orbit()
    t, slant_range = geo2rdr(orbit, 0.0, -90.0)
    look: Literal["L", "R"] = "L"
    grid = strip(orbit, t_s=float(t) - 5.0, near_m=float(slant_range) - 20_000.0)
    geometry = slant_range_footprint(orbit, [grid], look)
    require_good(geometry)
    require_covers(geometry, orbit, grid, look)
    west, south, east, _ = bbox(geometry)
    assert (west, south, east) == (-180.0, -90.0, 180.0)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("argument_deg", [10.0, 130.0, -80.0])
def test_scansar_is_the_union_of_its_beams(
    circular: Any, look: Literal["L", "R"], argument_deg: float
) -> None:
    orbit = circular(node_deg=10.0).starting_at(argument_deg).orbit()
    beams = scansar(orbit)
    geometry = slant_range_footprint(orbit, beams, look)
    require_good(geometry)
    parts = [slant_range_footprint(orbit, [beam], look) for beam in beams]
    union = shape(parts[0])
    for part in parts[1:]:
        union = union.union(shape(part))
    drawn = shape(geometry)
    assert drawn.symmetric_difference(union).area < 2e-3 * union.area
    # The box in time and range, as some processors draw it, holds ground that no beam saw.
    start = beams[0].time_s(orbit, 0.0)
    end = max(float(b.time_s(orbit, b.shape.lines - 1)) for b in beams)
    lon, lat = rdr2geo(orbit, end - 0.05, 705_000.0, look=look)
    assert not drawn.covers(Point(float(lon), float(lat)))
    lon, lat = rdr2geo(orbit, float(start) + 0.05, 705_000.0, look=look)
    assert drawn.covers(Point(float(lon), float(lat)))


def test_polarisations_change_nothing(orbit: Orbit) -> None:
    one = slant_range_footprint(orbit, scansar(orbit), "R")
    assert slant_range_footprint(orbit, scansar(orbit) * 2, "R") == one


def test_a_missing_beam_leaves_a_gap(orbit: Orbit) -> None:
    geometry = slant_range_footprint(orbit, scansar(orbit, (0, 1, 3)), "R")
    require_good(geometry)
    assert geometry["type"] == "MultiPolygon"
    assert len(geometry["coordinates"]) == 2


def test_union_of_rectangles() -> None:
    outlines = union_outlines([Rectangle(0, 10, 0, 6), Rectangle(1, 11, 5, 9)])
    assert [o.tolist() for o in outlines] == [
        [[0, 0], [0, 6], [1, 6], [1, 9], [11, 9], [11, 5], [10, 5], [10, 0]]
    ]
    assert len(union_outlines([Rectangle(0, 1, 0, 1), Rectangle(0, 1, 1, 2)])) == 1
    assert len(union_outlines([Rectangle(0, 1, 0, 1), Rectangle(5, 6, 1, 2)])) == 2
    assert union_outlines([Rectangle(0, 4, 0, 4), Rectangle(1, 2, 1, 2)])[0].shape == (4, 2)


def test_spotlight_and_height(orbit: Orbit) -> None:
    grid = RadarGrid(orbit.time(805.0), 1.3e-4, 800_000.0, 1.4304, SPOT)
    low = slant_range_footprint(orbit, [grid], "R")
    high = slant_range_footprint(orbit, [grid], "R", 1000.0)
    # Higher ground at the same slant range lies farther from the track: height / tan(incidence).
    assert 800.0 < distance_m(low, high) < 1500.0
    assert bbox(high)[0] > bbox(low)[0]


def test_a_plain_tuple_will_do(orbit: Orbit) -> None:
    grid = strip(orbit)
    assert slant_range_footprint(orbit, [tuple(grid)], "R") == slant_range_footprint(
        orbit, [grid], "R"
    )


def test_across_midnight_and_a_leap_second(circular: Any) -> None:
    """The same arc at another time of the calendar gives the same footprint."""
    truth = circular()
    noon = truth.orbit()
    expected = slant_range_footprint(noon, [strip(noon)], "R")
    late = truth.orbit(epoch=datetime(2016, 12, 31, 23, 46, 30, tzinfo=timezone.utc))
    grid = strip(late)
    assert grid.first_line_time == datetime(2016, 12, 31, 23, 59, 55, tzinfo=timezone.utc)
    assert slant_range_footprint(late, [grid], "R") == expected
    after = strip(late, t_s=815.0)
    assert after.first_line_time == datetime(2017, 1, 1, 0, 0, 4, tzinfo=timezone.utc)
    assert slant_range_footprint(late, [after], "R") == slant_range_footprint(
        noon, [strip(noon, t_s=815.0)], "R"
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"line_interval_s": 0.0}, "must be positive"),
        ({"near_range_m": float("nan")}, "must be positive"),
        ({"range_spacing_m": -4.29}, "must be positive"),
        ({"shape": RasterShape(0, 100)}, "0 lines x 100 pixels is empty"),
        ({"near_range_m": 790.0}, "no ground is in sight"),
    ],
)
def test_timings_that_are_none(orbit: Orbit, change: dict[str, Any], words: str) -> None:
    with pytest.raises(BadProduct, match=words):
        slant_range_footprint(orbit, [strip(orbit)._replace(**change)], "R")


def test_an_image_off_the_arc(orbit: Orbit) -> None:
    later = strip(orbit)._replace(first_line_time=orbit.end - timedelta(seconds=5))
    with pytest.raises(BadProduct, match="outside the arc of LED-test"):
        slant_range_footprint(orbit, [later], "R")


def test_no_image(orbit: Orbit) -> None:
    with pytest.raises(BadProduct, match="no image"):
        slant_range_footprint(orbit, [], "R")


def test_image_positions(orbit: Orbit) -> None:
    grid = strip(orbit)
    assert grid.time_s(orbit, 2122.318) == pytest.approx(806.0)
    assert grid.slant_range_m(100.0) == pytest.approx(790_357.0 + 429.12667)
    line, pixel = grid.line_pixel(orbit, grid.time_s(orbit, 17.25), grid.slant_range_m(3.5))
    assert line == pytest.approx(17.25, abs=1e-6)
    assert pixel == pytest.approx(3.5, abs=1e-6)


def _corner(summary: dict[str, str], name: str) -> LonLat:
    key = f"Img_ImageScene{name}"
    return LonLat(float(summary[f"{key}Longitude"]), float(summary[f"{key}Latitude"]))


def test_real_corners_as_one_rectangle(real_orbit: Orbit, summary: dict[str, str]) -> None:
    """Within 55 m in latitude and longitude: half of what three decimals of a degree round away."""
    names = ("LeftTop", "RightTop", "RightBottom", "LeftBottom")
    corners = [_corner(summary, name) for name in names]
    box, misfit_m = fitted_rectangle(real_orbit, corners, "R")
    assert box.end_s - box.start_s == pytest.approx(10.0, abs=0.02)
    assert misfit_m < 60.0
    # Ascending, right-looking: the top is late and the left is near.
    lon, lat = rdr2geo(
        real_orbit,
        [box.end_s, box.end_s, box.start_s, box.start_s],
        [box.near_m, box.far_m, box.far_m, box.near_m],
        look="R",
    )
    north_m = (lat - [c.lat_deg for c in corners]) * 110_574.0
    east_m = (lon - [c.lon_deg for c in corners]) * 111_320.0 * np.cos(np.radians(lat))
    assert np.abs(north_m).max() < 55.0
    assert np.abs(east_m).max() < 55.0


def test_real_rectangle_as_a_footprint(real_orbit: Orbit, summary: dict[str, str]) -> None:
    corners = [_corner(summary, n) for n in ("LeftTop", "RightTop", "RightBottom", "LeftBottom")]
    box, _ = fitted_rectangle(real_orbit, corners, "R")
    shape_of = RasterShape(1001, 1001)
    image = (
        real_orbit.time(box.start_s),
        (box.end_s - box.start_s) / 1000.0,
        box.near_m,
        (box.far_m - box.near_m) / 1000.0,
        shape_of,
    )
    geometry = slant_range_footprint(real_orbit, [image], "R")
    said = footprint_geometry(corners)
    assert distance_m(geometry, said) < 60.0
    assert area_ratio(geometry, said) > 0.997
    middle = rdr2geo(
        real_orbit,
        real_orbit.seconds(datetime(2014, 9, 9, 4, 33, 47, 52000, tzinfo=timezone.utc)),
        0.5 * (box.near_m + box.far_m),
        look="R",
    )
    assert abs(float(middle[1]) + 11.050) < 2e-3


def test_corners_that_are_no_rectangle(real_orbit: Orbit, summary: dict[str, str]) -> None:
    corners = [_corner(summary, n) for n in ("LeftTop", "RightTop", "RightBottom", "LeftBottom")]
    with pytest.raises(BadProduct, match="four corners, not 3"):
        fitted_rectangle(real_orbit, corners[:3], "R")
    with pytest.raises(BadProduct, match="no rectangle"):
        fitted_rectangle(real_orbit, [*corners[:2], *corners[:2]], "R")
    with pytest.raises(BadProduct, match="antenna looks left"):
        fitted_rectangle(real_orbit, corners, "L")


UTM_20S = CRS.from_epsg(32720).to_wkt()


def test_grid_of_a_geocoded_raster(leader: Any) -> None:
    """The real scene's grid: its map projection record says where the corner pixels lie."""
    record = leader.map_projection
    transform = (6.25, 0.0, 510_879.0839 - 3.125, 0.0, -6.25, 8_819_462.993 + 3.125)
    geometry = grid_footprint(UTM_20S, transform, RasterShape(13161, 12870))
    ring = exteriors(geometry)[0]
    names = ("top_left", "bottom_left", "bottom_right", "top_right")
    expected = np.array([[record[f"{n}_lon_deg"], record[f"{n}_lat_deg"]] for n in names])
    assert np.abs(ring[:4] - expected).max() < 1e-7


def test_grid_turned(orbit: Orbit) -> None:
    """Georeferenced: the transform is rotated, the outline still runs round the samples."""
    angle = np.radians(12.0)
    a, b = 10.0 * np.cos(angle), 10.0 * np.sin(angle)
    transform = (a, b, 500_000.0, b, -a, 8_800_000.0)
    geometry = grid_footprint(UTM_20S, transform, RasterShape(5000, 4000))
    require_good(geometry)
    area, _ = EARTH.geometry_area_perimeter(shape(geometry))
    assert area == pytest.approx(4999 * 3999 * 100.0 / 0.9996**2, rel=1e-3)


def test_grid_across_the_antimeridian_and_at_the_pole() -> None:
    utm_1 = CRS.from_epsg(32701).to_wkt()
    geometry = grid_footprint(utm_1, (25.0, 0, 150_000.0, 0, -25.0, 8e6), RasterShape(4000, 4000))
    require_good(geometry)
    assert geometry["type"] == "MultiPolygon"
    polar = CRS.from_epsg(3413).to_wkt()
    around = grid_footprint(polar, (100.0, 0, -2e5, 0, -100.0, 2e5), RasterShape(4000, 4000))
    require_good(around)
    west, _, east, north = bbox(around)
    assert (west, east, north) == (-180.0, 180.0, 90.0)


@pytest.mark.parametrize(
    ("crs", "transform", "words"),
    [
        ("nonsense", (1, 0, 0, 0, -1, 0), "unknown"),
        (UTM_20S, (1e12, 0, 0, 0, -1e12, 0), "off the map|not lie on the Earth"),
    ],
)
def test_grids_that_are_none(crs: str, transform: tuple[float, ...], words: str) -> None:
    with pytest.raises(BadProduct, match=words):
        grid_footprint(crs, transform, RasterShape(10, 10))


def test_an_empty_grid() -> None:
    with pytest.raises(BadProduct, match="encloses no area"):
        grid_footprint(UTM_20S, (1, 0, 0, 0, -1, 0), RasterShape(10, 1))


def test_tie_points_in_any_order() -> None:
    places = [LonLat(1.0, 2.0), LonLat(2.0, 2.2), LonLat(1.2, 1.0), LonLat(2.2, 1.2)]
    points = [(0.0, 0.0, places[0]), (0.0, 99.0, places[1])]
    points += [(99.0, 0.0, places[2]), (99.0, 99.0, places[3])]
    expected = footprint_geometry([places[0], places[1], places[3], places[2]])
    assert tie_point_footprint(points) == expected
    assert tie_point_footprint(points[::-1]) == expected
    assert tie_point_footprint([*points, (50.0, 50.0, LonLat(7.0, 7.0))]) == expected


def test_tie_points_on_the_sides_are_used() -> None:
    grid = [
        (float(i), float(j), LonLat(j + 0.1 * i * (2 - i), -i)) for i in range(3) for j in (0, 2)
    ]
    ring = exteriors(tie_point_footprint(grid))[0]
    assert len(ring) == 7


@pytest.mark.parametrize("count", [0, 2])
def test_too_few_tie_points(count: int) -> None:
    points = [(float(i), 0.0, LonLat(i, i)) for i in range(count)]
    with pytest.raises(BadProduct, match=f"{count} tie points do not enclose"):
        tie_point_footprint(points)


def test_tie_points_in_a_row() -> None:
    points = [(float(i), 0.0, LonLat(i, i)) for i in range(5)]
    with pytest.raises(BadProduct, match="do not enclose"):
        tie_point_footprint(points)


def test_a_footprint_takes_milliseconds(orbit: Orbit) -> None:
    def once() -> float:
        start = time.perf_counter()
        fresh = Orbit(orbit.epoch, orbit.times_s, orbit.positions_m, orbit.velocities_m_s)
        slant_range_footprint(fresh, [strip(fresh)], "R")
        return time.perf_counter() - start

    assert min(once() for _ in range(7)) < 0.020

"""The polygon of the valid pixels: one simple polygon with few corners, whatever the pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from shapely.geometry import Polygon, shape

from alos2.errors import BadProduct, Interrupted
from alos2.raster.blocks import Extents
from alos2.raster.outline import MOST_CORNERS, outline
from alos2.raster.valid import corners_of, decimation, valid_polygon
from alos2.types import RasterShape

SIDE = 700
TOLERANCE = 1.5


def extents_of(mask: np.ndarray) -> Extents:
    lines = np.flatnonzero(mask.any(axis=1))
    last = mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)
    return Extents(lines, mask.argmax(axis=1)[lines], last[lines])


def polygon_of(mask: np.ndarray, tolerance: float = TOLERANCE) -> Polygon:
    return Polygon(outline(corners_of(extents_of(mask)), tolerance))


def rotated(angle_deg: float, width: float, height: float, side: int = SIDE) -> Polygon:
    box = shapely.box(-width / 2, -height / 2, width / 2, height / 2)
    turned = shapely.affinity.rotate(box, angle_deg, origin=(0, 0))
    return shapely.affinity.translate(turned, side / 2, side / 2)


def pixels_in(polygon: Polygon, side: int = SIDE) -> np.ndarray:
    y, x = np.mgrid[0:side, 0:side] + 0.5
    return np.asarray(shapely.contains_xy(polygon, x, y))


def share_inside(polygon: Polygon, mask: np.ndarray) -> float:
    y, x = np.nonzero(mask)
    return float(shapely.contains_xy(polygon, x + 0.5, y + 0.5).mean())


@pytest.mark.parametrize("angle", [0.0, 1.0, 12.5, 44.9, 45.0, 80.0, 89.7])
def test_a_rotated_quadrilateral_is_found_with_four_corners(angle: float) -> None:
    truth = rotated(angle, 460, 380)
    mask = pixels_in(truth)
    found = polygon_of(mask)
    assert 4 <= len(found.exterior.coords) - 1 <= 6
    assert share_inside(found, mask) == 1.0
    assert found.hausdorff_distance(truth) < 2.0


def test_a_slanted_quadrilateral_is_found_with_its_corners() -> None:
    truth = Polygon([(80, 60), (590, 140), (520, 640), (60, 540)])
    found = polygon_of(pixels_in(truth))
    assert found.hausdorff_distance(truth) < 2.5
    assert 4 <= len(found.exterior.coords) - 1 <= 6


def test_holes_of_shadow_and_bays_of_sea_are_closed() -> None:
    truth = rotated(12.0, 480, 420)
    mask = pixels_in(truth)
    rng = np.random.default_rng(1)
    for _ in range(60):
        y, x = rng.integers(180, 490, 2)
        mask[y : y + rng.integers(2, 40), x : x + rng.integers(2, 40)] = False
    mask[330:360, :330] = False  # a strait from the western border inwards
    found = polygon_of(mask)
    assert found.hausdorff_distance(truth) < 2.5
    assert len(found.interiors) == 0


def test_a_border_frayed_by_mountains_still_gives_few_corners() -> None:
    rng = np.random.default_rng(2)
    for angle in (3.0, 11.0, 23.0):
        truth = rotated(angle, 470, 430)
        y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5
        rough = np.zeros((SIDE, SIDE))
        for size in (6, 12, 40):
            coarse = rng.normal(size=(SIDE // size + 2, SIDE // size + 2))
            rough += np.kron(coarse, np.ones((size, size)))[:SIDE, :SIDE] * 1.5
        inside = shapely.distance(shapely.points(x, y), truth.exterior)
        inside = np.where(pixels_in(truth), inside, -inside)
        mask = inside + np.minimum(rough, 0) > 0  # frayed inwards
        found = polygon_of(mask)
        assert 4 <= len(found.exterior.coords) - 1 <= 8
        assert share_inside(found, mask) == 1.0
        overlap = found.intersection(truth).area / found.union(truth).area
        assert overlap > 0.98


def test_islands_are_one_polygon() -> None:
    mask = np.zeros((SIDE, SIDE), bool)
    truth = rotated(12.0, 480, 420)
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    for _ in range(25):
        cy, cx, r = rng.integers(100, 600), rng.integers(100, 600), rng.integers(3, 30)
        mask |= (y - cy) ** 2 + (x - cx) ** 2 < r * r
    mask &= pixels_in(truth)
    found = polygon_of(mask)
    assert found.is_valid
    assert share_inside(found, mask) == 1.0
    assert len(found.exterior.coords) - 1 <= MOST_CORNERS
    assert found.area < 1.1 * truth.area


@pytest.mark.parametrize("box", [(5, 5, 1, 1), (0, 0, 1, 40), (3, 0, 40, 1)])
def test_single_pixels_lines_and_columns_have_a_polygon(box: tuple[int, int, int, int]) -> None:
    mask = np.zeros((50, 50), bool)
    mask[box[0] : box[0] + box[2], box[1] : box[1] + box[3]] = True
    found = polygon_of(mask)
    assert found.is_valid
    assert found.area == pytest.approx(mask.sum())


@settings(max_examples=150, deadline=None)
@given(
    rectangles=st.lists(
        st.tuples(*[st.integers(0, 199)] * 2, *[st.integers(1, 120)] * 2), min_size=1, max_size=8
    ),
    holes=st.lists(st.tuples(*[st.integers(0, 199)] * 4), max_size=4),
    discs=st.lists(st.tuples(*[st.integers(0, 199)] * 2, st.integers(1, 90)), max_size=3),
    tolerance=st.floats(1.0, 12.0),
)
def test_any_shape_gives_one_simple_polygon_round_all_pixels(
    rectangles: list[tuple[int, int, int, int]],
    holes: list[tuple[int, int, int, int]],
    discs: list[tuple[int, int, int]],
    tolerance: float,
) -> None:
    mask = np.zeros((200, 200), bool)
    y, x = np.mgrid[0:200, 0:200]
    for top, left, height, width in rectangles:
        mask[top : top + height, left : left + width] = True
    for cy, cx, r in discs:
        mask |= (y - cy) ** 2 + (x - cx) ** 2 < r * r
    for top, left, height, width in holes:
        mask[top : top + height, left : left + width] = False
    if not mask.any():
        return
    found = polygon_of(mask, tolerance)
    assert found.is_valid
    assert found.geom_type == "Polygon"
    assert 3 <= len(found.exterior.coords) - 1 <= MOST_CORNERS
    hull = shapely.convex_hull(shapely.multipoints(corners_of(extents_of(mask))))
    assert found.buffer(1e-6).contains(hull)
    # Sixteen tangents round a circle enclose 1.3 % more; a chipped corner is worth its tolerance.
    assert found.area <= 1.08 * hull.area + 8 * tolerance**2


def data_of(polygon: Polygon, shape: tuple[int, int], make: Any) -> np.ndarray:
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    return np.where(shapely.contains_xy(polygon, x, y), make.dn(-10.0), 0).astype(np.uint16)


@pytest.mark.parametrize("form", ["geotiff", "ceos"])
def test_the_footprint_is_the_data_and_not_the_rasters_box(make: Any, form: str) -> None:
    truth = rotated(12.0, 480, 420)
    dn = data_of(truth, (SIDE, SIDE), make)
    grid = make.utm(dn.shape, spacing=100.0)
    product = make.mapped(dn, grid, form=form)
    told = []
    geometry = valid_polygon(product, progress=lambda *a: told.append(a))
    assert geometry is not None
    assert geometry["type"] == "Polygon"
    ring = np.array(geometry["coordinates"][0])
    assert 5 <= len(ring) <= 9
    assert shape(geometry).exterior.is_ccw
    to_map = Transformer.from_crs(4326, 32654, always_xy=True)
    x, y = to_map.transform(ring[:, 0], ring[:, 1])
    found = Polygon(np.column_stack([(x - 400_000) / 100, (4_000_000 - y) / 100]))
    assert found.hausdorff_distance(truth) < 2.5
    assert told[-1] == ("valid pixels", SIDE, SIDE)


def test_sides_that_bend_in_degrees_get_a_corner_more(make: Any) -> None:
    dn = np.full((400, 400), make.dn(-10.0), np.uint16)
    grid = make.utm(dn.shape, epsg=32633, corner=(300_000.0, 8_000_000.0), spacing=900.0)
    geometry = valid_polygon(make.mapped(dn, grid))
    assert geometry is not None
    ring = np.array(geometry["coordinates"][0])
    assert 6 <= len(ring) - 1 <= MOST_CORNERS
    to_map = Transformer.from_crs(4326, 32633, always_xy=True)
    dense = np.array(shapely.segmentize(shape(geometry).exterior, 0.01).coords)
    x, y = to_map.transform(dense[:, 0], dense[:, 1])
    truth = shapely.box(300_000, 8_000_000 - 360_000, 660_000, 8_000_000)
    assert Polygon(np.column_stack([x, y])).hausdorff_distance(truth) < 2 * 900


def test_a_rotated_grid_full_of_data_gives_its_four_corners(make: Any) -> None:
    dn = np.full((300, 200), make.dn(-10.0), np.uint16)
    grid = make.utm(dn.shape, rotation_deg=-13.0, spacing=25.0)
    geometry = valid_polygon(make.mapped(dn, grid))
    assert geometry is not None
    a, b, c, d, e, f = grid.transform
    corners = [
        (a * p + b * n + c, d * p + e * n + f) for p, n in ((0, 0), (200, 0), (200, 300), (0, 300))
    ]
    to_lonlat = Transformer.from_crs(32654, 4326, always_xy=True)
    expected = {tuple(np.round(to_lonlat.transform(*xy), 6)) for xy in corners}
    found = {tuple(np.round(xy, 6)) for xy in geometry["coordinates"][0]}
    assert found == expected


def test_across_the_antimeridian_it_is_cut(make: Any) -> None:
    dn = np.full((300, 300), make.dn(-10.0), np.uint16)
    grid = make.utm(dn.shape, epsg=32601, corner=(140_000.0, 1_000_000.0), spacing=200.0)
    geometry = valid_polygon(make.mapped(dn, grid))
    assert geometry is not None
    assert geometry["type"] == "MultiPolygon"
    parts = [shape({"type": "Polygon", "coordinates": p}) for p in geometry["coordinates"]]
    assert {part.bounds[0] for part in parts} & {part.bounds[2] for part in parts} == set()
    assert min(part.bounds[0] for part in parts) == -180.0
    assert max(part.bounds[2] for part in parts) == 180.0
    assert sum(part.area for part in parts) < 0.5


def test_without_a_valid_pixel_it_says_so(make: Any) -> None:
    product = make.mapped(np.zeros((20, 30), np.uint16), make.utm((20, 30)))
    with pytest.raises(BadProduct, match="no pixel of it is valid"):
        valid_polygon(product)


def test_without_an_image_it_says_so(make: Any) -> None:
    with pytest.raises(BadProduct, match="has no image"):
        valid_polygon(make.product())


def test_slant_range_images_have_none(make: Any) -> None:
    z = np.ones((4, 5), np.complex64)
    image = make.image(make.ceos("IMG-HH-slc", z), z.shape, "complex64")
    assert valid_polygon(make.product(image, name="FBDR1.1__A", form="ceos")) is None


def test_it_stops_when_asked_to(make: Any) -> None:
    product = make.mapped(np.ones((20, 30), np.uint16), make.utm((20, 30)))
    with pytest.raises(Interrupted):
        valid_polygon(product, cancelled=lambda: True)


def test_decimation_is_that_of_a_picture_of_2048() -> None:
    assert decimation(RasterShape(100, 2000)) == 1.0
    assert decimation(RasterShape(20_480, 100)) == 10.0

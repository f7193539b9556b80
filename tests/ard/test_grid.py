"""The snapped grid."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Transformer

from alos2.ard.grid import GridPlaces, is_snapped_to_mgrs, is_utm, snapped_grid
from alos2.errors import UsageError

BOX = (138.5, 35.1, 138.7, 35.3)


@pytest.mark.parametrize("spacing", [6.25, 10.0, 12.5, 25.0, 50.0, 100.0])
def test_corner_is_in_step_with_the_mgrs_squares(spacing: float) -> None:
    grid = snapped_grid(BOX, spacing)
    assert grid.epsg == 32654
    assert grid.transform[2] % spacing == grid.transform[5] % spacing == 0
    assert is_snapped_to_mgrs(grid)
    assert is_utm(grid)


def test_thirty_metres_are_snapped_but_not_to_the_mgrs() -> None:
    grid = snapped_grid(BOX, 30.0)
    assert grid.transform[2] % 30 == grid.transform[5] % 30 == 0
    assert not is_snapped_to_mgrs(grid)


def test_it_holds_the_area_and_no_line_more() -> None:
    grid = snapped_grid(BOX, 25.0)
    to_map = Transformer.from_crs(4326, 32654, always_xy=True)
    t = np.linspace(0, 1, 401)
    west, south, east, north = BOX
    lon = np.concatenate([west + t * (east - west)] * 2 + [np.full(401, west), np.full(401, east)])
    lat = np.concatenate([np.full(401, south), np.full(401, north)] + [south + t * 0.2] * 2)
    x, y = to_map.transform(lon, lat)
    a, _, c, _, e, f = grid.transform
    pixel, line = (x - c) / a, (y - f) / e
    assert pixel.min() >= -0.001
    assert line.min() >= -0.01
    assert pixel.max() <= grid.shape.pixels + 0.001
    assert line.max() <= grid.shape.lines + 0.01
    assert pixel.min() < 1
    assert line.min() < 1.01
    assert pixel.max() > grid.shape.pixels - 1
    assert line.max() > grid.shape.lines - 1.01


def test_spacings_nest() -> None:
    fine, coarse = snapped_grid(BOX, 12.5), snapped_grid(BOX, 100.0)
    for k in (2, 5):
        assert (coarse.transform[k] - fine.transform[k]) % 12.5 == 0


def test_overlapping_areas_share_their_pixels() -> None:
    one, other = snapped_grid(BOX, 25.0), snapped_grid((138.6, 35.2, 138.9, 35.4), 25.0)
    assert (one.transform[2] - other.transform[2]) % 25 == 0


def test_an_area_that_ends_on_the_grid_gets_no_pixel_more() -> None:
    grid = snapped_grid((10.0, 20.0, 10.5, 20.25), 0.05, "EPSG:4326")
    assert tuple(grid.shape) == (5, 10)
    assert grid.transform == (0.05, 0.0, 10.0, 0.0, -0.05, 20.25)


def test_geojson_of_every_kind() -> None:
    ring = [[138.5, 35.1], [138.7, 35.1], [138.7, 35.3], [138.5, 35.3], [138.5, 35.1]]
    polygon = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": {}, "geometry": polygon}
    expected = snapped_grid(BOX, 25.0)
    assert snapped_grid(polygon, 25.0) == expected
    assert snapped_grid(feature, 25.0) == expected
    assert snapped_grid({"type": "FeatureCollection", "features": [feature]}, 25.0) == expected
    assert snapped_grid({"type": "MultiPolygon", "coordinates": [[ring]]}, 25.0) == expected


@pytest.mark.parametrize("crs", [None, "EPSG:32601", "EPSG:4326"])
def test_across_the_antimeridian(crs: str | None) -> None:
    spacing = 0.01 if crs == "EPSG:4326" else 100.0
    box = snapped_grid((179.8, 10.0, -179.7, 10.2), spacing, crs)
    parts = {
        "type": "MultiPolygon",
        "coordinates": [
            [[[179.8, 10.0], [180, 10.0], [180, 10.2], [179.8, 10.2], [179.8, 10.0]]],
            [[[-180, 10.0], [-179.7, 10.0], [-179.7, 10.2], [-180, 10.2], [-180, 10.0]]],
        ],
    }
    cut = snapped_grid(parts, spacing, crs)
    assert cut.transform == pytest.approx(box.transform)
    assert cut.shape == box.shape
    places = GridPlaces(box)
    middle = np.array([box.shape.pixels / 2]), np.array([box.shape.lines / 2])
    lon, lat = places.lonlat(*middle)
    assert abs((lon[0] - -179.95 + 180) % 360 - 180) < 0.02
    back = places.pixel_line(lon, lat)
    np.testing.assert_allclose(back, middle, atol=1e-6)


@pytest.mark.parametrize(("lat", "epsg"), [(85.0, 5041), (-81.0, 5042), (-35.0, 32754)])
def test_which_map_is_taken(lat: float, epsg: int) -> None:
    assert snapped_grid((138.5, lat, 138.6, lat + 0.05), 25.0).epsg == epsg


def test_width_on_the_ground_of_a_grid_in_degrees() -> None:
    wide, high = GridPlaces(snapped_grid((10, 59.9, 10.2, 60.1), 0.001, "EPSG:4326")).spacing_m()
    assert wide == pytest.approx(55.8, rel=0.002)
    assert high == pytest.approx(111.4, rel=0.002)


@pytest.mark.parametrize(
    ("area", "spacing", "crs", "said"),
    [
        ((1, 2, 3), 25.0, None, "west, south, east, north"),
        ((10, 20, 11, 19), 25.0, None, "encloses nothing"),
        (BOX, 0.0, None, "not positive"),
        (BOX, float("nan"), None, "not positive"),
        (BOX, 25.0, "EPSG:999999", "no coordinate reference system"),
        (BOX, 25.0, "EPSG:4326", "degrees is too wide"),
        (BOX, 25.0, "EPSG:4978", "neither a map projection nor"),
        ((-170, -80, 170, 80), 1.0, "EPSG:3857", "too large"),
        ({"type": "Point", "coordinates": [1, 2]}, 25.0, None, "'Point'"),
        ({"type": "Polygon", "coordinates": [[[1], [2]]]}, 25.0, None, "polygon"),
        ({"type": "Polygon", "coordinates": []}, 25.0, None, "polygon"),
    ],
)
def test_what_cannot_be(area: object, spacing: float, crs: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        snapped_grid(area, spacing, crs)  # type: ignore[arg-type]


def test_a_crs_that_is_none_is_told_with_what_it_may_be() -> None:
    with pytest.raises(UsageError, match="'bananas' is no coordinate") as caught:
        snapped_grid((138.0, 35.0, 138.1, 35.1), 25.0, "bananas")
    assert "EPSG:32654" in (caught.value.hint or "")

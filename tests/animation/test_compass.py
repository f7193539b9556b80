"""Scale bars and north arrows tell the truth."""

from __future__ import annotations

import pytest
from pyproj import CRS

from alos2.animation.compass import compass_of, length_name, round_length
from alos2.product.model import MapGrid
from alos2.types import RasterShape


def grid(
    epsg: int, upper_left: tuple[float, float], spacing: float, *, turned: bool = False
) -> MapGrid:
    x, y = upper_left
    steps = (0.0, spacing, x, spacing, 0.0, y) if turned else (spacing, 0.0, x, 0.0, -spacing, y)
    return MapGrid(CRS.from_epsg(epsg).to_wkt(), epsg, steps, RasterShape(100, 200))


def test_in_the_middle_of_a_utm_zone_north_is_up() -> None:
    found = compass_of(grid(32654, (497_500, 4_000_000), 25.0))
    assert found is not None
    assert found.pixel_m == pytest.approx(25.0 / 0.9996, rel=1e-4)
    assert found.north_deg == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize(("epsg", "sign"), [(32654, -1), (32754, 1)])
def test_beside_it_meridians_lean(epsg: int, sign: int) -> None:
    """Convergence: (lon - central meridian) sin(lat)."""
    north = 6_653_000.0 if epsg == 32654 else 10_000_000 - 6_653_000.0
    found = compass_of(grid(epsg, (667_000, north), 25.0))
    assert found is not None
    assert found.north_deg == pytest.approx(sign * 3.0 * 0.866, abs=0.06)


def test_degrees_are_as_long_as_they_are_there() -> None:
    found = compass_of(grid(4326, (140.0, 60.0), 0.001))
    assert found is not None
    assert found.pixel_m == pytest.approx(111_320 * 0.501 * 0.001, rel=0.01)
    assert found.north_deg == pytest.approx(0, abs=1e-6)


def test_on_a_raster_that_lies_on_its_side() -> None:
    found = compass_of(grid(32654, (497_500, 4_000_000), 25.0, turned=True))
    assert found is not None
    assert abs(found.north_deg) == pytest.approx(90, abs=0.1)


def test_lengths_are_round() -> None:
    assert [round_length(m) for m in (1.0, 4.9, 5.0, 99, 2600)] == [1, 2, 5, 50, 2000]
    assert [length_name(m) for m in (500, 2000, 50_000)] == ["500 m", "2 km", "50 km"]

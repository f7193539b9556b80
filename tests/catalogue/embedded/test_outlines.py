"""An outline written by hand is what shapely would have written."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.errors import ShapelyError
from shapely.geometry import shape

from alos2.catalogue.embedded.outlines import outline_of

degrees = st.floats(-180, 180)
numbers = st.one_of(degrees, degrees, st.integers(-180, 180))
rings = st.lists(st.tuples(numbers, numbers).map(list), min_size=3, max_size=9).map(
    lambda ring: [*ring, ring[0]]
)
polygons = st.lists(rings, min_size=1, max_size=2)


@given(coordinates=polygons)
def test_the_same_as_shapely(coordinates: list[Any]) -> None:
    geometry = {"type": "Polygon", "coordinates": coordinates}
    binary, bounds = outline_of(geometry)
    assert binary == shapely.to_wkb(shape(geometry))
    assert tuple(bounds) == shape(geometry).bounds


@pytest.mark.parametrize(
    "coordinates",
    [[], [[]], [[[0.0, 0.0], [1.0, 1.0]]], [[["a", 1.0], [2.0, 2.0], [3.0, 1.0], ["a", 1.0]]]],
)
def test_what_is_no_outline(coordinates: Any) -> None:
    with pytest.raises((ValueError, TypeError, ShapelyError)):
        outline_of({"type": "Polygon", "coordinates": coordinates})


def test_other_geometries() -> None:
    point = {"type": "Point", "coordinates": [139.0, 35.0]}
    assert outline_of(point)[0] == shapely.to_wkb(shape(point))
    open_ring = {
        "type": "Polygon",
        "coordinates": [[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]],
    }
    assert outline_of(open_ring)[0] == shapely.to_wkb(shape(open_ring)), "closed by shapely"

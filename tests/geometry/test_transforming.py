from __future__ import annotations

import numpy as np
import pytest
from pyproj import Transformer

from alos2.geometry.transforming import transformed


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (3,), (2, 2)])
def test_any_shape_gives_its_own_and_nothing_is_warned_of(shape: tuple[int, ...]) -> None:
    way = Transformer.from_crs(4326, 32654, always_xy=True)
    x, y = transformed(way, np.full(shape, 141.0), np.full(shape, 35.0))
    assert x.shape == y.shape == shape
    assert np.allclose(x, 500_000.0)  # the zone's central meridian
    lon, lat = transformed(way, x, y, direction="INVERSE")
    assert lon.shape == shape
    assert np.allclose(lon, 141.0)
    assert np.allclose(lat, 35.0)


def test_a_place_that_is_nowhere_is_infinite() -> None:
    way = Transformer.from_crs(4326, 3395, always_xy=True)
    x, _ = transformed(way, np.array([0.0]), np.array([1e9]))
    assert np.isinf(x).all()

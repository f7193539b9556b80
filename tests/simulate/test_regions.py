"""Regions of the ground, against the definition."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from alos2.simulate.regions import disc, polygon


def star(corners: int, radius: float = 1000.0) -> tuple[tuple[float, float], ...]:
    turns = np.linspace(0.0, 2.0 * np.pi, corners, endpoint=False)
    away = radius * (0.7 + 0.3 * np.sin(5.0 * turns + 0.3))
    return tuple(zip((away * np.cos(turns)).tolist(), (away * np.sin(turns)).tolist(), strict=True))


def points(count: int = 60_000, reach: float = 1500.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-reach, reach, (2, 200, count // 200)).astype(np.float32)
    return x, y


@pytest.mark.parametrize("corners", [3, 12, 40, 300])
def test_a_polygon_holds_what_shapely_says(corners: int) -> None:
    x, y = points()
    ring = star(corners)
    expected = shapely.contains_xy(shapely.Polygon(ring), x, y)
    np.testing.assert_array_equal(polygon(ring)(x, y), expected)
    assert 0.05 < expected.mean() < 0.5


def test_a_ring_within_is_a_hole_and_bridges_have_no_width() -> None:
    outer, inner = star(60), star(60, 400.0)
    x, y = points()
    area = shapely.Polygon(outer, [inner])
    found = polygon((*outer, outer[0], *inner, inner[0]))(x, y)
    np.testing.assert_array_equal(found, shapely.contains_xy(area, x, y))


def test_it_does_not_hang_on_which_points_come_together() -> None:
    x, y = points()
    test = polygon(star(80))
    whole = test(x, y)
    np.testing.assert_array_equal(whole[50:60], test(x[50:60], y[50:60]))
    assert not test(x + np.float32(1e6), y).any()
    assert test(x[:0], y[:0]).shape == x[:0].shape


def test_a_disc() -> None:
    x, y = points()
    np.testing.assert_array_equal(
        disc(100.0, -50.0, 300.0)(x, y), np.hypot(x - 100.0, y + 50.0) <= 300.0
    )

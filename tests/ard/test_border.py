"""The edge of the valid area, taken off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from alos2.ard.border import Border, eroded
from alos2.types import RasterShape, Window


class _Image:
    """A `PixelSource` of which only the valid pixels matter."""

    name, grid = "image", None

    def __init__(self, valid: np.ndarray) -> None:
        self.shape = RasterShape(*valid.shape)
        self._valid = valid

    def valid(self, window: Window) -> np.ndarray:
        down = slice(window.line, window.line + window.lines)
        return self._valid[down, window.pixel : window.pixel + window.pixels]


def _kept(valid: np.ndarray, off: float) -> np.ndarray:
    image: Any = _Image(valid)
    border = Border.of(image, off, off)
    line, pixel = np.indices(valid.shape) + 0.5
    return valid & border.inside(pixel, line)


def _by_distance(valid: np.ndarray, off: float) -> np.ndarray:
    """Slow and obvious: pixels that have none outside of the area within `off`, centre to edge."""
    padded = np.pad(valid, 1)
    outside = np.argwhere(~padded)
    kept = np.zeros_like(padded)
    for line, pixel in np.argwhere(padded):
        away = np.maximum(np.abs(outside - (line, pixel)) - 0.5, 0.0)
        kept[line, pixel] = np.hypot(*away.T).min() >= off
    return kept[1:-1, 1:-1]


def _tilted() -> np.ndarray:
    """A scene within its raster, as geocoded products have it."""
    line, pixel = np.indices((60, 70))
    left, right = 12 - 0.2 * line, 62 - 0.2 * line
    top, bottom = 6 + 0.2 * (pixel - 35) * 0.5, 52 + 0.2 * (pixel - 35) * 0.5
    return (pixel > left) & (pixel < right) & (line > top) & (line < bottom)


def test_of_a_tilted_scene_the_edge_goes_and_nothing_else() -> None:
    valid = _tilted()
    kept, expected = _kept(valid, 4.0), _by_distance(valid, 4.0)
    # Stairs of pixels: the edge may lie a pixel off.
    assert not (kept & ~_by_distance(valid, 3.0)).any()
    assert not (_by_distance(valid, 5.0) & ~kept).any()
    assert abs(int(kept.sum()) - int(expected.sum())) < 0.06 * expected.sum()


def test_a_full_raster_loses_its_frame() -> None:
    kept = _kept(np.ones((20, 30), bool), 3.0)
    expected = np.zeros((20, 30), bool)
    expected[3:-3, 3:-3] = True
    np.testing.assert_array_equal(kept, expected)


def test_holes_keep_their_edges() -> None:
    valid = _tilted()
    holed = valid.copy()
    holed[25:32, 25:40] = False
    np.testing.assert_array_equal(_kept(holed, 4.0), _kept(valid, 4.0) & holed)


def test_a_bay_of_shadow_at_the_edge_is_no_edge() -> None:
    valid = _tilted()
    bay = valid.copy()
    bay[28:32, :22] = False
    inner = np.zeros_like(valid)
    inner[26:34, 22:26] = True
    np.testing.assert_array_equal(_kept(bay, 3.0)[inner], _kept(valid, 3.0)[inner])


def test_an_empty_image_has_nothing_inside() -> None:
    assert not _kept(np.zeros((5, 6), bool), 1.0).any()


@pytest.mark.parametrize("off", [(2.0, 2.0), (1.0, 4.0), (3.0, 0.5)])
def test_erosion_equals_the_slow_way(off: tuple[float, float]) -> None:
    rng = np.random.default_rng(3)
    edges = np.column_stack([rng.uniform(0, 8, 40), rng.uniform(20, 30, 40)])
    edges[17] = np.nan
    got = eroded(edges, *off)
    for line in range(40):
        left, right = -np.inf, np.inf
        for other in range(-5, 46):
            # From the middle of this line to the nearest edge of the other.
            share = max(0.0, abs(other - line) - 0.5) / off[0]
            if share > 1:
                continue
            wide = off[1] * np.sqrt(1 - share**2)
            if not 0 <= other < 40 or np.isnan(edges[other, 0]):
                left, right = np.inf, -np.inf
                break
            left, right = max(left, edges[other, 0] + wide), min(right, edges[other, 1] - wide)
        if left <= right:
            np.testing.assert_allclose(got[line], [left, right], rtol=1e-12)
        else:
            assert np.isnan(got[line]).all()


def test_off_nothing_is_nothing_off() -> None:
    edges = np.array([[1.0, 5.0], [np.nan, np.nan], [2.0, 4.0]])
    np.testing.assert_array_equal(eroded(edges, 0.0, 0.0), edges)

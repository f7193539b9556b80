"""The kernels against slow and obvious numpy."""

from __future__ import annotations

import numpy as np
import pytest

from alos2.mosaic.mosaickernels import (
    add_weighted,
    average_cells,
    distance_to_edge,
    feather_weights,
)


def test_distances_are_those_to_the_nearest_cell_outside() -> None:
    rng = np.random.default_rng(4)
    inside = rng.random((23, 31)) > 0.05
    inside[[0, -1]] = inside[:, [0, -1]] = False
    out = np.empty(inside.shape, np.float32)
    distance_to_edge(inside, out)
    holes = np.argwhere(~inside)
    for row in range(inside.shape[0]):
        for column in range(inside.shape[1]):
            nearest = np.hypot(*(holes - (row, column)).T).min()
            assert out[row, column] == pytest.approx(nearest, rel=1e-6)


@pytest.mark.parametrize(("top", "left"), [(0, 0), (5, 15), (15, 3)])
def test_cells_are_means_of_their_valid_pixels(top: int, left: int) -> None:
    rng = np.random.default_rng(1)
    values = rng.gamma(4, 0.1, (37, 50)).astype(np.float32)
    values[rng.random(values.shape) < 0.3] = np.nan
    values[:14, :14] = np.nan
    rows, columns = -(-(37 + top) // 16), -(-(50 + left) // 16)
    mean, count = np.empty((rows, columns), np.float32), np.empty((rows, columns), np.uint16)
    average_cells(values, top, left, 16, mean, count)
    whole = np.full((rows * 16, columns * 16), np.nan)
    whole[top : top + 37, left : left + 50] = values
    for row in range(rows):
        for column in range(columns):
            cell = whole[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16]
            known = cell[~np.isnan(cell)]
            assert count[row, column] == known.size
            if known.size:
                assert mean[row, column] == pytest.approx(known.mean(), rel=1e-6)
            else:
                assert np.isnan(mean[row, column])


def test_weights_are_bilinear_between_cells_and_nought_at_the_edge() -> None:
    distance = np.array([[0, 0, 0], [0, 1, 2], [0, 1, 3], [0, 1, 3]], np.float32)
    out = np.empty((40, 24), np.float32)
    feather_weights(distance, 8, 8, 16, np.inf, 1 / 64, out)
    for j in range(out.shape[0]):
        for i in range(out.shape[1]):
            y, x = (8 + j + 0.5) / 16 - 0.5, (8 + i + 0.5) / 16 - 0.5
            r, c = int(y), int(x)
            p, q = y - r, x - c
            corners = distance[r : r + 2, c : c + 2]
            at = np.array([1 - p, p]) @ corners @ np.array([1 - q, q])
            assert out[j, i] == pytest.approx(max(at - 0.5, 1 / 64), abs=1e-6)
    cut = np.empty_like(out)
    feather_weights(distance, 8, 8, 16, 1.5, 1 / 64, cut)
    np.testing.assert_array_equal(cut, np.minimum(out, np.float32(1.5)))


def test_running_means_are_weighted_means() -> None:
    rng = np.random.default_rng(2)
    values = rng.gamma(4, 0.1, (5, 8, 9)).astype(np.float32)
    values[rng.random(values.shape) < 0.4] = np.nan
    values[:, 0, 0] = np.nan
    weights = rng.random(values.shape).astype(np.float32)
    weights[1, 2:4] = 0
    weights[2, 5] = np.nan
    mean, total = np.zeros((8, 9), np.float32), np.zeros((8, 9), np.float32)
    for value, weight in zip(values, weights, strict=True):
        add_weighted(value, weight, 2.0, 0.5, mean, total)
    counted = np.where(np.isnan(values) | ~(weights > 0), 0, weights).astype(np.float64)
    with np.errstate(invalid="ignore"):
        expected = (np.nan_to_num(2.0 * values + 0.5) * counted).sum(axis=0) / counted.sum(axis=0)
    known = counted.sum(axis=0) > 0
    np.testing.assert_allclose(mean[known], expected[known], rtol=1e-6)
    np.testing.assert_allclose(total, counted.sum(axis=0), rtol=1e-6)


def test_one_value_stays_to_the_last_bit_and_so_do_equal_ones() -> None:
    rng = np.random.default_rng(3)
    value = rng.gamma(4, 0.1, (40, 40)).astype(np.float32)
    mean, total = np.zeros((40, 40), np.float32), np.zeros((40, 40), np.float32)
    for _ in range(3):
        add_weighted(value, rng.random((40, 40)).astype(np.float32) + 0.1, 1.0, 0.0, mean, total)
        np.testing.assert_array_equal(mean, value)

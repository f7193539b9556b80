"""The hot loops against plain numpy."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from alos2.raster import png
from alos2.raster.greykernels import clean, divide, halve, interleave, shade, sliding_means
from alos2.raster.loadkernels import TINY, load_patch
from alos2.raster.painter import Square, line_of
from alos2.raster.pictures import StretchLimits
from alos2.raster.png import encode_grey, encode_rows, new_rows
from alos2.raster.stretch import to_grey
from alos2.raster.warpkernels import (
    DRAWN,
    EMPTY,
    base_tile,
    keep_valid,
    sample_full,
    sample_masked,
)

RNG = np.random.default_rng(8)


def amplitude(shape: tuple[int, int]) -> np.ndarray:
    dn = RNG.integers(1, 65536, shape).astype(np.uint16)
    dn[RNG.random(shape) < 0.3] = 0
    return dn


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("cell", [(1, 1), (1, 3), (4, 1), (3, 5), (40, 50)])
@pytest.mark.parametrize("window", [(0, 0, 5, 6), (-1, -1, 60, 70), (2, 1, 3, 4), (50, 60, 2, 2)])
def test_a_patch_is_the_mean_power_of_the_valid_pixels(
    swapped: bool, cell: tuple[int, int], window: tuple[int, int, int, int]
) -> None:
    dn = amplitude((31, 47))
    gains = RNG.uniform(1e-9, 1e-8, 47).astype(np.float32)
    offset = np.float32(-30.0)
    # Lines anywhere in the file, with something between them.
    order = RNG.permutation(31)
    words = np.full(31 * 60, 7777, np.uint16)
    for line, place in enumerate(order):
        words[place * 60 + 5 : place * 60 + 52] = dn[line].byteswap() if swapped else dn[line]
    top, left, rows, columns = window
    patch = np.full(rows * columns + 3, -1, np.float32)
    count = load_patch(
        words, (order * 60 + 5).astype(np.int64), swapped, gains, offset, *cell, *window, patch
    )
    power = np.maximum((dn.astype(float) ** 2 + offset) * gains, TINY)
    expected = np.zeros((rows, columns))
    for r in range(rows):
        for c in range(columns):
            line, pixel = (top + r) * cell[0], (left + c) * cell[1]
            if line < 0 or pixel < 0:
                continue
            part = np.s_[line : line + cell[0], pixel : pixel + cell[1]]
            known = power[part][dn[part] > 0]
            expected[r, c] = known.mean() if known.size else 0
    np.testing.assert_allclose(patch[: rows * columns].reshape(rows, columns), expected, rtol=1e-5)
    assert count == (expected > 0).sum()
    assert (patch[rows * columns :] == -1).all()


def plane_nodes(u: Any, v: Any) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0:257:64, 0:257:64].astype(float)
    return u(x, y), v(x, y)


def bilinear(power: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """As the kernels' description says, in numpy and double precision."""
    column, row = np.floor(u).astype(int), np.floor(v).astype(int)
    x, y = u - column, v - row
    total, share = np.zeros(u.shape), np.zeros(u.shape)
    for down in (0, 1):
        for across in (0, 1):
            here = power[row + down, column + across]
            weight = (x if across else 1 - x) * (y if down else 1 - y)
            total += weight * here
            share += weight * (here > 0)
    own = power[np.floor(v + 0.5).astype(int), np.floor(u + 0.5).astype(int)]
    with np.errstate(invalid="ignore"):
        return np.where(own > 0, total / share, 0)


@pytest.mark.parametrize("holes", [False, True])
def test_resampling_is_bilinear_between_valid_neighbours(holes: bool) -> None:
    power = RNG.gamma(2.0, 1.0, (420, 430)).astype(np.float32)
    if holes:
        power[RNG.random(power.shape) < 0.2] = 0
    top, left = 1000, 2000

    def u(x: Any, y: Any) -> Any:
        return left + 3.2 + 1.21 * x + 0.23 * y

    def v(x: Any, y: Any) -> Any:
        return top + 70.4 - 0.25 * x + 1.2 * y

    un, vn = plane_nodes(u, v)
    y, x = np.mgrid[0:256, 0:256] + 0.5
    expected = bilinear(power, u(x, y) - left, v(x, y) - top)
    tile = np.empty((256, 256), np.float32)
    flat = power.reshape(-1)
    assert sample_masked(flat, *power.shape, un, vn, top, left, 64, tile)
    # Where a centre lies on the border of two pixels rounding decides which is its own.
    same = (tile > 0) == (expected > 0)
    assert same.mean() > 0.9999
    np.testing.assert_allclose(tile[same], expected[same], rtol=2e-3)
    if not holes:
        sample_full(flat, power.shape[1], un, vn, top, left, 64, tile)
        np.testing.assert_allclose(tile, expected, rtol=2e-3)


def draw_base(dn: np.ndarray, u: Any, v: Any, patch_size: int = 600 * 600) -> Any:
    un, vn = plane_nodes(u, v)
    tile = np.full((256, 256), -1, np.float32)
    starts = np.arange(dn.shape[0], dtype=np.int64) * dn.shape[1]
    gains = np.ones(dn.shape[1], np.float32)
    said = base_tile(
        dn.reshape(-1), starts, False, gains, np.float32(0), 1, 1, un, vn, 0, 0, 64,
        np.empty(patch_size, np.float32), tile,
    )  # fmt: skip
    return said, tile


def test_a_tile_on_the_edge_is_drawn_up_to_the_edge() -> None:
    dn = np.full((300, 400), 100, np.uint16)
    said, tile = draw_base(dn, lambda x, y: x - 100.0, lambda x, y: y + 200.0)
    assert said == DRAWN
    expected = np.zeros((256, 256))
    expected[:100, 100:] = 100.0**2
    np.testing.assert_allclose(tile, expected, rtol=1e-6)


def test_a_tile_beside_the_image_or_over_nothing_is_empty() -> None:
    dn = np.full((300, 400), 100, np.uint16)
    assert draw_base(dn, lambda x, y: x + 400.5, lambda x, y: y)[0] == EMPTY
    assert draw_base(dn, lambda x, y: x - 1e9, lambda x, y: y - 1e9)[0] == EMPTY
    dn[:] = 0
    assert draw_base(dn, lambda x, y: x + 10, lambda x, y: y + 10)[0] == EMPTY


def test_a_patch_too_small_says_what_it_needs() -> None:
    dn = np.full((300, 400), 100, np.uint16)
    said, _ = draw_base(dn, lambda x, y: x + 5.0, lambda x, y: y + 5.0, 100)
    assert said < -(256**2)
    assert draw_base(dn, lambda x, y: x + 5.0, lambda x, y: y + 5.0, -said)[0] == DRAWN


def test_what_the_surface_does_not_know_is_not_drawn() -> None:
    dn = np.full((300, 400), 100, np.uint16)

    def known(values: Any) -> Any:
        return lambda x, y: np.where(x < 200, values(x, y), -1e9)

    said, tile = draw_base(dn, known(lambda x, y: x + 5.0), known(lambda x, y: y + 5.0))
    assert said == DRAWN
    assert (tile[:, :128] > 0).all()
    assert (tile[:, 192:] == 0).all()


def test_halving_is_the_mean_of_the_valid() -> None:
    tile = RNG.gamma(2.0, 1.0, (256, 256)).astype(np.float32)
    tile[RNG.random(tile.shape) < 0.4] = 0
    parent = np.full((256, 256), -1, np.float32)
    halve(tile, parent, 128, 0)
    blocks = tile.reshape(128, 2, 128, 2).transpose(0, 2, 1, 3).reshape(128, 128, 4)
    expected = blocks.sum(-1) / np.maximum((blocks > 0).sum(-1), 1)
    np.testing.assert_allclose(parent[128:, :128], expected, rtol=1e-6)
    assert (parent[:128] == -1).all()
    assert (parent[128:, 128:] == -1).all()


@pytest.mark.parametrize(("lines", "pixels"), [(2, 2), (1, 2), (2, 1)])
def test_sliding_means_are_of_the_valid_ones(lines: int, pixels: int) -> None:
    power = RNG.gamma(1.0, 1.0, (23, 31)).astype(np.float32)
    power[RNG.random(power.shape) < 0.4] = 0
    padded = np.pad(power, ((0, 1), (0, 1)))
    parts = [padded[j : j + 23, i : i + 31] for j in range(lines) for i in range(pixels)]
    count = sum((part > 0).astype(int) for part in parts)
    expected = sum(parts) / np.maximum(count, 1)
    sliding_means(power, lines, pixels)
    np.testing.assert_allclose(power, expected, rtol=1e-5)


def test_what_lies_in_a_hole_is_emptied() -> None:
    """Cells of two by two that overlap, half as large as a tile's pixels."""
    valid = RNG.random((600, 600)) < 0.7
    line, pixel = np.mgrid[0:5, 0:5] * 64 * 2.0 + 30.25
    tile = np.ones((256, 256), np.float32)
    u, v = np.ascontiguousarray(pixel - 1.0), np.ascontiguousarray(line - 1.0)
    assert keep_valid(valid, u, v, -1, -1, 1.0, 1.0, 64, tile)
    at = (30.25 + 2.0 * (np.arange(256) + 0.5)).astype(int)
    np.testing.assert_array_equal(tile > 0, valid[1:, 1:][at][:, at])
    assert not keep_valid(np.zeros_like(valid), u, v, -1, -1, 1.0, 1.0, 64, tile)
    tile[:] = 1
    assert not keep_valid(valid, u - 900, v, -1, -1, 1.0, 1.0, 64, tile), "beside it is nothing"


def test_clean_leaves_only_what_is_positive() -> None:
    power = np.array([[np.nan, 0.0, 2.0], [-1.0, np.inf, 1e-20]], np.float32)
    assert clean(power)
    np.testing.assert_array_equal(power, np.array([[0, 0, 2], [0, np.inf, 1e-20]], np.float32))
    nothing = np.full((2, 2), np.nan, np.float32)
    assert not clean(nothing)
    assert (nothing == 0).all()


@pytest.mark.parametrize("low_high", [(-25.0, 0.0), (-3.5, 2.5), (-60.0, 40.0)])
def test_grey_is_the_stretch_of_the_decibels(low_high: tuple[float, float]) -> None:
    limits = StretchLimits(*low_high, "fixed")
    square = Square()
    square.power[:] = 10 ** RNG.uniform(-21, 6, (256, 256))
    square.power[:4] = 0
    square.power[4, :3] = (TINY, 1.0, np.float32(np.inf))
    rows = new_rows(256, 256, 1)
    shade(square.power, square.bits, *line_of(limits), rows)
    expected = to_grey(np.where(square.power > 0, square.power, np.nan), limits).astype(int)
    stray = np.abs(rows[:, 1:] - expected)
    assert stray.max() <= 1
    assert (stray > 0).mean() < 2e-3  # roundings
    assert (rows[:, 0] == 0).all()
    assert (rows[:5, 1:] == expected[:5]).all()


def test_a_ratio_is_valid_where_both_are() -> None:
    power, over = (np.where(RNG.random((9, 7)) < 0.3, 0, RNG.random((9, 7))) for _ in range(2))
    power, over = power.astype(np.float32), over.astype(np.float32)
    power[0, 0], over[0, 0] = 1e-20, 1e18
    ratio = np.empty((9, 7), np.float32)
    divide(power, over, ratio)
    both = (power > 0) & (over > 0)
    np.testing.assert_allclose(ratio[both], power[both] / over[both], rtol=1e-6)
    assert (ratio[~both] == 0).all()


@pytest.mark.parametrize("fallback", [False, True])
def test_grey_png_is_read_back(fallback: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if fallback:
        monkeypatch.setattr(png, "_deflate", png._stdlib_deflate)
    grey = RNG.integers(0, 256, (20, 31)).astype(np.uint8)
    with Pillow.open(io.BytesIO(encode_grey(grey))) as picture:
        assert (picture.mode, picture.info["transparency"]) == ("L", 0)
        np.testing.assert_array_equal(np.asarray(picture), grey)


def test_colours_are_valid_where_all_channels_are() -> None:
    planes = [RNG.integers(0, 3, (16, 16)).astype(np.uint8) for _ in range(3)]
    rows = new_rows(16, 16, 3)
    assert interleave(*planes, rows)
    with Pillow.open(io.BytesIO(encode_rows(rows, 3))) as picture:
        assert picture.mode == "RGB"
        assert picture.info["transparency"] == (0, 0, 0)
        found = np.asarray(picture)
        alpha = np.asarray(picture.convert("RGBA"))[..., 3]
    stack = np.dstack(planes)
    valid = (stack > 0).all(-1)
    np.testing.assert_array_equal(found, stack * valid[..., None])
    np.testing.assert_array_equal(alpha > 0, valid)
    planes[1][:] = 0
    assert not interleave(*planes, rows)

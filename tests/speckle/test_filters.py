"""Speckle filters against slow numpy references, on speckle with known looks, and in parts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from alos2.errors import UsageError
from alos2.speckle import (
    FILTERS,
    Speckle,
    SpeckleFilter,
    despeckle,
    despeckle_window,
    estimate_looks,
    halo,
    measure,
    needs_looks,
)
from alos2.speckle.filters import half_windows
from alos2.speckle.gammarange import sigma_range
from alos2.types import RasterShape, Window

LOOKS = 4.0
REAL = FILTERS[1:]


def speckle(shape: tuple[int, ...], looks: float = LOOKS, seed: int = 0) -> np.ndarray:
    return (0.05 * np.random.default_rng(seed).gamma(looks, 1 / looks, shape)).astype(np.float32)


@pytest.fixture(scope="module")
def holed() -> np.ndarray:
    """A bright and a dark side, a strong target, holes and an edge of no data."""
    power = speckle((30, 34), seed=3)
    power[:, 18:] *= 12
    power[12:15, 8:11] = 9.0
    power[4:7, 25] = np.nan
    power[20, 3] = np.nan
    power[:, :2] = np.nan
    power[28:] = np.nan
    return power


def around(power: np.ndarray, i: int, j: int, radius: int) -> np.ndarray:
    """The window of a pixel, NaN beyond the image."""
    padded = np.pad(power.astype(float), radius, constant_values=np.nan)
    return padded[i : i + 2 * radius + 1, j : j + 2 * radius + 1]


def mmse(z: float, samples: np.ndarray, noise: float) -> float:
    mean, variance = np.nanmean(samples), np.nanvar(samples)
    scatter = max(0.0, (variance - noise * mean**2) / (1 + noise))
    return mean + (scatter / variance if variance > 0 else 0.0) * (z - mean)


def refined(power: np.ndarray, i: int, j: int) -> float:
    window = around(power, i, j, 3)
    small = np.full((3, 3), np.nan)
    for a in range(3):
        for b in range(3):
            part = window[2 * a : 2 * a + 3, 2 * b : 2 * b + 3]
            if np.isfinite(part).any():
                small[a, b] = np.nanmean(part)
    row, column = np.mgrid[:7, :7]
    chosen = np.ones((7, 7), bool)
    if np.isfinite(small).all():
        (a, b, c), (d, e, f), (g, h, k) = small
        edges = [  # the strength of an edge; then both sides and their masks
            (c + f + k - a - d - g, (d, column <= 3), (f, column >= 3)),
            (g + h + k - a - b - c, (b, row <= 3), (h, row >= 3)),
            (b + c + f - d - g - h, (c, column >= row), (g, column <= row)),
            (a + b + d - f - h - k, (a, row + column <= 6), (k, row + column >= 6)),
        ]
        _, one, other = max(edges, key=lambda edge: abs(edge[0]))
        chosen = one[1] if abs(one[0] - e) <= abs(other[0] - e) else other[1]
    return mmse(power[i, j], window[chosen], 1 / LOOKS)


def sigma(power: np.ndarray, i: int, j: int, bright: float) -> float:
    def bright_at(y: int, x: int) -> np.ndarray:
        return around(power, y, x, 1) >= bright

    if power[i, j] >= bright:
        for y in range(max(0, i - 1), min(power.shape[0], i + 2)):
            for x in range(max(0, j - 1), min(power.shape[1], j + 2)):
                if power[y, x] >= bright and bright_at(y, x).sum() >= 5:
                    return float(power[i, j])
    guess = np.float32(mmse(power[i, j], around(power, i, j, 1), 1 / LOOKS))
    low, high, noise = sigma_range(LOOKS, 0.9)
    window = around(power, i, j, 3)
    within = window[(window >= low * guess) & (window <= high * guess)]
    return mmse(power[i, j], within, noise) if within.size else float(guess)


def frost(power: np.ndarray, i: int, j: int) -> float:
    window = around(power, i, j, 3)
    y, x = np.mgrid[-3:4, -3:4]
    spread = np.nanvar(window) / np.nanmean(window) ** 2
    weights = np.where(np.isnan(window), 0, np.exp(-2 * spread * np.hypot(y, x)))
    return float(np.nansum(weights * window) / weights.sum())


def gamma_map(power: np.ndarray, i: int, j: int) -> float:
    window, z = around(power, i, j, 3), float(power[i, j])
    mean = np.nanmean(window)
    c, cu = np.nanstd(window) / mean, 1 / math.sqrt(LOOKS)
    if c <= cu:
        return float(mean)
    if c >= math.sqrt(2) * cu:
        return z
    alpha = (1 + cu**2) / (c**2 - cu**2)
    b = alpha - LOOKS - 1
    return float(
        (b * mean + math.sqrt(mean**2 * b**2 + 4 * alpha * LOOKS * z * mean)) / (2 * alpha)
    )


BRIGHT = 3.0
REFERENCE: dict[str, Any] = {
    "Boxcar": lambda p, i, j: np.nanmean(around(p, i, j, 3)),
    "Median": lambda p, i, j: np.nanmedian(around(p, i, j, 3)),
    "Lee": lambda p, i, j: mmse(p[i, j], around(p, i, j, 3), 1 / LOOKS),
    "Refined Lee": refined,
    "Lee Sigma": lambda p, i, j: sigma(p, i, j, BRIGHT),
    "Frost": frost,
    "Gamma Map": gamma_map,
}


@pytest.mark.parametrize("name", REAL)
def test_every_pixel_is_the_references(holed: np.ndarray, name: Any) -> None:
    found = despeckle(holed, SpeckleFilter(name), LOOKS, bright=BRIGHT)
    wanted = np.full(holed.shape, np.nan)
    for i, j in np.argwhere(np.isfinite(holed)):
        wanted[i, j] = REFERENCE[name](holed, i, j)
    assert found.dtype == np.float32
    # float32 in between: means of 3 x 3 pixels, squared coefficients of variation.
    np.testing.assert_allclose(found, wanted, rtol=2e-5)


@pytest.mark.parametrize("name", FILTERS)
def test_parts_are_the_same_to_the_last_bit(name: Any) -> None:
    power = speckle((90, 100), seed=8)
    power[30:34, 40:50] = np.nan
    power[60:63, 60:63] = 3.0
    options, known = SpeckleFilter(name, window_size=9), Speckle(LOOKS, 0.3)
    whole = despeckle(power, options, LOOKS, bright=0.3)
    assert halo(options) == {"None": 0, "Refined Lee": 3}.get(name, 4)

    def read(window: Window) -> Any:
        line, pixel, lines, pixels = window
        assert min(line, pixel) >= 0
        assert line + lines <= 90
        assert pixel + pixels <= 100
        return power[line : line + lines, pixel : pixel + pixels]

    for size in (17, 64):
        for i in range(0, 90, size):
            for j in range(0, 100, size):
                place = Window(i, j, min(size, 90 - i), min(size, 100 - j))
                part = despeckle_window(read, place, RasterShape(90, 100), options, known)
                assert part.tobytes() == whole[i : i + size, j : j + size].tobytes()


@pytest.mark.parametrize(
    ("name", "looks", "within", "least_enl"),
    [
        ("Boxcar", 1, 0.003, 45),
        ("Lee", 1, 0.003, 30),
        ("Frost", 4, 0.003, 100),
        ("Refined Lee", 4, 0.005, 45),
        ("Lee Sigma", 4, 0.005, 50),
        ("Gamma Map", 16, 0.005, 300),
        ("Refined Lee", 16, 0.0025, 180),
    ],
)
def test_homogeneous_speckle_keeps_its_mean_and_gains_looks(
    name: Any, looks: float, within: float, least_enl: float
) -> None:
    power = speckle((600, 600), looks, seed=1)
    found = despeckle(power, SpeckleFilter(name), looks)[5:-5, 5:-5].astype(float)
    assert abs(found.mean() / power.mean(dtype=float) - 1) < within
    assert found.mean() ** 2 / found.var() > least_enl


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("slope", [0, 1])
def test_refined_lee_keeps_edges(turned: bool, slope: int) -> None:
    # An edge of 10 dB, upright, level or slanting.
    row, column = np.mgrid[:200, :200]
    bright = column - 100 + slope * (row - 100) >= 0
    if turned:
        bright = bright[::-1].T
    power = speckle((200, 200), seed=5) * np.where(bright, 10, 1).astype(np.float32)
    truth = 0.05 * np.where(bright, 10.0, 1.0)
    distance = np.abs(column - 100 + slope * (row - 100))
    near = (distance.T[:, ::-1] if turned else distance) <= 2
    near[:10] = near[-10:] = near[:, :10] = near[:, -10:] = False

    def error(name: Any) -> float:
        found = despeckle(power, SpeckleFilter(name), LOOKS)
        return float(np.sqrt(np.mean((found[near] / truth[near] - 1) ** 2)))

    assert error("Refined Lee") < 0.75 * error("Lee")
    assert error("Refined Lee") < 0.4 * error("Boxcar")


def test_lee_sigma_keeps_strong_targets() -> None:
    power = speckle((40, 40), seed=2)
    target = np.linspace(4, 7, 9, dtype=np.float32).reshape(3, 3)
    power[20:23, 20:23] = target
    power[30:32, 30:32] = target[:2, :2]  # four are not enough
    found = despeckle(power, SpeckleFilter("Lee Sigma"), LOOKS, bright=1.0)
    assert np.array_equal(found[20:23, 20:23], target)
    assert not (found[30:32, 30:32] == target[:2, :2]).any()
    unmarked = despeckle(power, SpeckleFilter("Lee Sigma"), LOOKS)
    assert (unmarked[20:23, 20:23] == target).sum() <= 1


def test_the_nine_windows_of_refined_lee() -> None:
    starts, lengths = half_windows()
    masks = np.zeros((9, 7, 7), bool)
    for number in range(9):
        for m in range(7):
            first = starts[number, m]
            masks[number, m, first : first + lengths[number, m]] = True
    assert masks.sum((1, 2)).tolist() == [28] * 8 + [49]
    assert masks[:8, 3, 3].all()
    for one in range(0, 8, 2):  # pairs of sides
        assert (masks[one] | masks[one + 1]).all()


@pytest.mark.parametrize(
    ("looks", "share", "low", "high"),
    # Lee et al. 2009, table of one to four looks: 1 look at 0.5 and 0.9.
    [(1, 0.5, 0.436, 1.920), (1, 0.9, 0.084, 3.941)],
)
def test_sigma_ranges_are_the_papers(looks: float, share: float, low: float, high: float) -> None:
    found = sigma_range(looks, share)
    assert found.low == pytest.approx(low, abs=2e-3)
    assert found.high == pytest.approx(high, abs=1.5e-2)


@pytest.mark.parametrize("looks", [1.0, 2.7, 40.0])
def test_sigma_ranges_hold_their_share_and_keep_the_mean(looks: float) -> None:
    low, high, variation = sigma_range(looks, 0.8)
    power = np.linspace(1e-6, 1 + 60 / math.sqrt(looks), 2_000_001)
    density = np.exp(
        looks * math.log(looks) + (looks - 1) * np.log(power) - looks * power - math.lgamma(looks)
    )
    within = (power >= low) & (power <= high)
    step = power[1] - power[0]
    share, first, second = (float((density * power**n)[within].sum() * step) for n in range(3))
    assert share == pytest.approx(0.8, abs=1e-3)
    assert first / share == pytest.approx(1.0, abs=1e-3)
    assert second / share - 1 == pytest.approx(variation, abs=1e-3)


@pytest.mark.parametrize("looks", [0.7, 1.0, 2.0, 4.0, 16.0, 50.0])
def test_estimated_looks_are_unbiased(looks: float) -> None:
    found = [estimate_looks(speckle((500, 500), looks, seed)) for seed in range(10, 16)]
    assert np.mean(found) == pytest.approx(looks, rel=0.012)


@pytest.mark.parametrize("looks", [1.0, 3.0, 16.0])
def test_looks_are_estimated_though_there_is_texture(looks: float) -> None:
    power = speckle((540, 540), looks, seed=4)
    assert estimate_looks(power) == pytest.approx(looks, rel=0.06)
    # Two fifths of the blocks are anything else.
    power[:, 400:] *= np.random.default_rng(1).gamma(2, 0.5, (540, 140)).astype(np.float32)
    power[400:, ::7] *= 3
    power[:40] = np.nan
    assert estimate_looks(power) == pytest.approx(looks, rel=0.1)


def test_looks_of_next_to_nothing() -> None:
    assert estimate_looks(np.full((100, 100), np.nan)) == 1.0
    assert measure(lambda w: np.full(w[2:], np.nan), RasterShape(50, 50)) == (1.0, math.inf)


def test_large_images_are_measured_by_samples() -> None:
    seen: list[Window] = []

    def read(window: Window) -> Any:
        seen.append(window)
        return speckle((window.lines, window.pixels), 5, seed=len(seen))

    found = measure(read, RasterShape(40_000, 1_000))
    assert found.looks == pytest.approx(5, rel=0.04)
    assert found.bright == pytest.approx(0.05 * 2.04, rel=0.05)
    assert sum(w.lines * w.pixels for w in seen) < 2_000_000
    assert max(w.line + w.lines for w in seen) == 40_000


def test_looks_of_the_options_are_used_first() -> None:
    power = speckle((40, 40))
    told = despeckle(power, SpeckleFilter("Lee", looks=16.0), 2.0)
    assert np.array_equal(told, despeckle(power, SpeckleFilter("Lee"), 16.0))
    assert [name for name in FILTERS if needs_looks(SpeckleFilter(name))] == [
        "Gamma Map", "Lee", "Refined Lee", "Lee Sigma",
    ]  # fmt: skip


def test_damaged_and_dark_pixels() -> None:
    power = speckle((20, 20))
    power[5, 5] = np.inf
    power[8:] = 0.0
    for name in REAL:
        found = despeckle(power, SpeckleFilter(name), LOOKS)
        assert np.isnan(found[5, 5])
        assert np.isfinite(found).sum() == 399
        assert (found[12:] == 0).all()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"filter": "IDAN"}, "no speckle filter 'IDAN'.*choose one of None, Boxcar"),
        ({"window_size": 4}, "window of 4"),
        ({"window_size": 33}, "window of 33"),
        ({"looks": 0.0}, "0 looks"),
        ({"sigma": 0.2}, "sigma of 0.2"),
        ({"target_window_size": 7}, "target window of 7"),
        ({"damping": -1.0}, "damping of -1"),
    ],
)
def test_choices_that_cannot_be(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        SpeckleFilter(**wrong)

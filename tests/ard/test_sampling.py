"""Pixels onto the grid: power kept, points in place, nothing negative, edges and holes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from alos2.ard.grid import GridPlaces, snapped_grid
from alos2.ard.sampling import Resampling, Sampler
from alos2.ard.sampling_places import EllipsoidPlaces, SurfacePlaces
from alos2.geometry.rangedoppler import geo2rdr, rdr2geo
from alos2.raster.pictures import CalibrationUsed
from alos2.raster.places import Places
from alos2.types import RasterShape, Window


class _Image:
    """A `PixelSource` over an array."""

    name, grid = "image", None
    calibration = CalibrationUsed(-83.0, "default")

    def __init__(self, power: np.ndarray) -> None:
        self.shape = RasterShape(*power.shape)
        self._power = power.astype(np.float32)
        self.largest = 0

    def power(self, window: Window) -> np.ndarray:
        assert window.line >= 0
        assert window.pixel >= 0
        assert window.line + window.lines <= self.shape.lines
        assert window.pixel + window.pixels <= self.shape.pixels
        self.largest = max(self.largest, window.lines * window.pixels)
        down = slice(window.line, window.line + window.lines)
        return self._power[down, window.pixel : window.pixel + window.pixels].copy()

    def valid(self, window: Window) -> np.ndarray:
        return np.isfinite(self.power(window))


class _Spacing:
    """One metre a pixel."""

    pixel_m = line_m = 1.0


def _positions(
    shape: tuple[int, int], cell: float, *, start: tuple[float, float], turn_deg: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Image coordinates of a grid's cells with their ring: turned, of a size, from a corner."""
    line, pixel = np.indices((shape[0] + 2, shape[1] + 2)) - 0.5
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    x, y = cell * pixel, cell * line
    return start[0] + c * x - s * y, start[1] + s * x + c * y


def _sampler(power: np.ndarray, cell: float) -> tuple[Sampler, Any]:
    image: Any = _Image(power)
    return Sampler(image, Resampling.between(cell, _Spacing())), image


@pytest.mark.parametrize(
    ("cell", "averaged", "parts"),
    [(0.4, 1, 1), (1.0, 1, 1), (1.3, 1, 2), (4.0, 1, 4), (12.0, 1, 12), (25.0, 4, 7), (80, 13, 7)],
)
def test_how_it_is_resampled(cell: float, averaged: int, parts: int) -> None:
    assert Resampling.between(cell, _Spacing()) == Resampling(averaged, parts)


@pytest.mark.parametrize("cell", [0.7, 1.0, 1.7, 3.2, 7.5, 20.0])
def test_mean_power_is_kept(cell: float) -> None:
    rng = np.random.default_rng(1)
    shape = 500 if cell < 5 else 900
    # Bright on the left, dark on the right: 20 dB; speckle of one look on a smooth ground.
    ground = 10 ** np.linspace(1, -1, shape)
    ground = np.broadcast_to(ground, (shape, shape))
    sampler, _ = _sampler(rng.exponential(size=(shape, shape)) * ground, cell)
    count = int(0.6 * shape / cell)
    pixel, line = _positions((count, count), cell, start=(shape * 0.15,) * 2, turn_deg=8.0)
    got = sampler.sample(pixel, line)
    assert np.isfinite(got).all()
    assert (got >= 0).all()
    smooth, _ = _sampler(ground, cell)
    expected = smooth.sample(pixel, line)
    # What speckle does to the mean, with the pixels that the cells really hold.
    looks = (0.6 * shape) ** 2
    spread = 4 * np.sqrt((expected.astype(float) ** 2).mean() / looks)
    assert abs(got.mean(dtype=float) - expected.mean(dtype=float)) < spread


@pytest.mark.parametrize("cell", [0.7, 1.0, 2.5, 4.0, 9.0, 30.0])
def test_mean_of_a_ground_without_speckle_is_kept_to_a_thousandth(cell: float) -> None:
    size = int(max(60, 20 * cell))
    line, pixel = np.indices((size, size))
    power = 1.0 + 0.5 * np.sin(pixel / 3.0) * np.cos(line / 5.0) + 0.01 * pixel
    sampler, _ = _sampler(power, cell)
    count = int((size - 4) / cell)
    got = sampler.sample(*_positions((count, count), cell, start=(2.0, 2.0)))
    end = 2 + count * cell
    # The same area, by integrating the pixels over it.
    weight = np.clip(np.minimum(np.arange(size) + 1, end) - np.maximum(np.arange(size), 2), 0, 1)
    expected = np.average(power, weights=np.outer(weight, weight))
    assert got.mean(dtype=float) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("turn_deg", [0.0, 12.0, 90.0])
@pytest.mark.parametrize("cell", [0.5, 1.0, 1.5, 3.5, 8.0, 25.0])
def test_a_point_stays_within_a_tenth_of_a_cell(cell: float, turn_deg: float) -> None:
    size = int(40 + 16 * cell)
    at = np.array([size / 2 + 0.37, size / 2 - 0.21])
    line, pixel = np.indices((size, size)) + 0.5
    # A sinc of the resolution that a product has beside its pixels.
    power = np.sinc((pixel - at[0]) / 1.4) ** 2 * np.sinc((line - at[1]) / 1.4) ** 2
    sampler, _ = _sampler(power, cell)
    count = int(0.7 * size / cell) // 2 * 2 + 1
    span = 0.5 * count * cell
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    start = (size / 2 - c * span + s * span, size / 2 - s * span - c * span)
    got = sampler.sample(*_positions((count, count), cell, start=start, turn_deg=turn_deg))
    got = np.nan_to_num(got.astype(float))
    rows, columns = np.indices(got.shape) + 0.5
    center = np.array([(got * columns).sum(), (got * rows).sum()]) / got.sum()
    away = at - start
    truth = np.array([c * away[0] + s * away[1], -s * away[0] + c * away[1]]) / cell
    assert np.abs(center - truth).max() < 0.1


def test_between_pixels_it_is_bilinear() -> None:
    rng = np.random.default_rng(2)
    power = rng.exponential(size=(20, 24)).astype(np.float32)
    sampler, _ = _sampler(power, 0.5)
    pixel, line = _positions((20, 20), 0.5, start=(4.2, 3.3))
    got = sampler.sample(pixel, line)
    for i, j in [(0, 0), (3, 17), (19, 19)]:
        x, y = pixel[i + 1, j + 1] - 0.5, line[i + 1, j + 1] - 0.5
        a, b = int(y), int(x)
        v, u = y - a, x - b
        expected = (1 - v) * ((1 - u) * power[a, b] + u * power[a, b + 1]) + v * (
            (1 - u) * power[a + 1, b] + u * power[a + 1, b + 1]
        )
        assert got[i, j] == pytest.approx(expected, rel=1e-6)


def test_no_data_have_no_weight_and_half_of_a_cell_is_enough() -> None:
    power = np.full((40, 40), 3.0)
    power[:, 20:] = np.nan
    power[0, 0] = np.nan
    sampler, _ = _sampler(power, 4.0)
    # The fifth cell ends at 21.5: less than half of it is beyond the last pixel with data.
    got = sampler.sample(*_positions((10, 10), 4.0, start=(1.5, 0.0)))
    np.testing.assert_allclose(got[:, :5], 3.0, rtol=1e-6)
    assert np.isnan(got[:, 5:]).all()


def test_beyond_the_image_and_at_unknown_places_there_is_nothing() -> None:
    sampler, image = _sampler(np.ones((30, 30)), 2.0)
    away = sampler.sample(*_positions((6, 6), 2.0, start=(100.0, 0.0)))
    assert np.isnan(away).all()
    assert image.largest == 0
    pixel, line = _positions((6, 6), 2.0, start=(8.0, 8.0))
    pixel[3, 3] = np.nan
    got = sampler.sample(pixel, line)
    assert np.isnan(got[2, 2])
    assert np.isfinite(got).sum() == 35
    assert np.isnan(sampler.sample(pixel * np.nan, line)).all()


def test_a_cell_is_the_same_wherever_the_block_is_cut() -> None:
    rng = np.random.default_rng(4)
    sampler, _ = _sampler(rng.exponential(size=(300, 300)), 3.3)
    pixel, line = _positions((60, 60), 3.3, start=(20.0, 60.0), turn_deg=-12.0)
    whole = sampler.sample(pixel, line)
    for top, left in [(0, 0), (17, 5), (40, 33)]:
        part = np.s_[top : top + 22, left : left + 29]
        some = sampler.sample(pixel[part], line[part])
        np.testing.assert_array_equal(some, whole[top : top + 20, left : left + 27])


def test_a_large_patch_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    power = rng.exponential(size=(400, 500))
    sampler, _ = _sampler(power, 5.0)
    positions = _positions((60, 70), 5.0, start=(30.0, 20.0), turn_deg=5.0)
    whole = sampler.sample(*positions)
    monkeypatch.setattr("alos2.ard.sampling._PATCH_PX", 5000)
    cut, image = _sampler(power, 5.0)
    np.testing.assert_array_equal(cut.sample(*positions), whole)
    assert image.largest <= 5000


def test_positions_on_another_map_are_exact(simulated: Any, around: Any) -> None:
    """Between nodes too: against pyproj at every cell."""
    product = simulated().product
    places = Places(product.grid)
    grid = GridPlaces(around(900.0, 20.0, "EPSG:32653"))
    image = SurfacePlaces(places, grid)
    window = Window(-1, 33, 70, 41)
    got = image.positions(window, None)
    line, pixel = np.indices((70, 41)) + 0.5
    expected = places.pixel_line(*grid.lonlat(pixel + 33, line - 1))
    np.testing.assert_allclose(got, expected, atol=2e-3)


def test_positions_of_a_projected_image_are_exact(simulated: Any) -> None:
    """Time and range of ground at 0 to 3000 m -> the pixel where JAXA drew it."""
    product = simulated(level="1.5").product
    image = EllipsoidPlaces(product)
    places = Places(product.grid)
    rng = np.random.default_rng(6)
    pixel, line = rng.uniform(10, 250, (2, 6, 7))
    height = rng.uniform(0, 3000, (6, 7))
    lon, lat = places.lonlat(pixel, line)
    time, slant_range = geo2rdr(product.orbit, lon, lat, look=product.look)
    # Ground at a height that has the same time and range: where it really is.
    true = rdr2geo(product.orbit, time, slant_range, look=product.look, height_m=height)
    seen_time, seen_range = geo2rdr(product.orbit, *true, height, look=product.look)

    class _Seen:
        time_s, slant_range_m = seen_time, seen_range

    got = image.positions(Window(0, 0, 6, 7), _Seen())
    np.testing.assert_allclose(got, (pixel, line), atol=0.02)


def test_a_grid_in_degrees_has_places_too() -> None:
    grid = GridPlaces(snapped_grid((138.5, 35.1, 138.6, 35.2), 0.001, "EPSG:4326"))
    lon, lat = grid.lonlat(np.array([0.0, 10.0]), np.array([0.0, 10.0]))
    np.testing.assert_allclose(lon, [138.5, 138.51])
    np.testing.assert_allclose(lat, [35.2, 35.19])

"""Reduced rasters are means of power, of angles, of numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alos2.animation.boxes import valid_box
from alos2.animation.decimate import overview_of, read_direction, read_power, read_values
from alos2.errors import BadProduct, UsageError
from alos2.product.model import MapGrid
from alos2.raster.gridfile import GridBand, GridFile
from alos2.raster.lean import rasterio
from alos2.timeseries.model import Encoding
from alos2.types import RasterShape, Window
from animation.conftest import GRID, write

LARGE = MapGrid(GRID.crs_wkt, GRID.epsg, GRID.transform, RasterShape(1536, 2048))


def test_cells_are_means_of_valid_power(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    power = rng.gamma(1, 0.1, GRID.shape).astype(np.float32)
    power[:30, :30] = np.nan
    power[30:33, 0] = np.nan
    for unit, values in (("linear power", power), ("dB", 10 * np.log10(power))):
        path = write(tmp_path / "p.tif", values.astype(np.float32), unit=unit)
        found = read_power(path, 40)
        assert found.values.shape == (30, 40)
        assert found.pixels_each == 3
        blocks = power.reshape(30, 3, 40, 3).swapaxes(1, 2).reshape(30, 40, 9)
        expected = np.full((30, 40), np.nan)
        known = np.isfinite(blocks).any(axis=-1)
        expected[known] = np.nanmean(blocks[known], axis=-1)
        np.testing.assert_array_equal(np.isnan(found.values), np.isnan(expected))
        # Smoothed between neighbours only where a picture's pixel is no whole cell.
        np.testing.assert_allclose(found.values, expected, rtol=1e-4)


def test_overviews_of_power_are_used_and_are_means(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    power = rng.gamma(1, 0.1, LARGE.shape).astype(np.float32)
    path = write(tmp_path / "p.tif", power, grid=LARGE)
    with rasterio.open(path) as dataset:
        assert dataset.overviews(1) == [2, 4]
    found = read_power(path, 128)
    assert found.values.shape == (96, 128)
    assert found.pixels_each == 16
    expected = power.reshape(96, 16, 128, 16).mean(axis=(1, 3))
    np.testing.assert_allclose(found.values, expected, rtol=1e-4)


def test_directions_are_means_of_vectors(tmp_path: Path) -> None:
    phase = np.full(GRID.shape, 3.0, np.float32)
    phase[:, ::2] = -3.0
    found = read_direction(write(tmp_path / "p.tif", phase), 60).values
    np.testing.assert_allclose(np.abs(found), np.pi, atol=1e-5)


def test_numbers_are_plain_means_with_holes(tmp_path: Path) -> None:
    count = np.full(GRID.shape, 7, np.uint16)
    count[:, :60] = 0
    found = read_values(write(tmp_path / "c.tif", count, unit=""), 60).values
    assert np.isnan(found[:, :30]).all()
    assert (found[:, 30:] == 7).all()


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    path.write_bytes(b"no raster")
    with pytest.raises(BadProduct, match=r"x\.tif: it cannot be read"):
        read_power(path, 40)


def test_the_box_of_what_is_valid(tmp_path: Path) -> None:
    first, second = (np.full(LARGE.shape, np.nan, np.float32) for _ in range(2))
    first[200:400, 300:700] = 0.1
    second[390:900, 100:310] = 0.1
    layers = [
        (write(tmp_path / f"{n}.tif", values, grid=LARGE), None)
        for n, values in enumerate((first, second))
    ]
    found = valid_box(layers)
    assert found is not None
    line, pixel, lines, pixels = found
    # The coarsest overview's pixels are 4 pixels.
    assert (line, pixel) == (200, 100)
    assert (lines, pixels) == (700, 600)
    part = read_power(layers[0][0], 100, window=found)
    assert part.values.shape == (100, 86)
    assert part.grid.transform[2] == GRID.transform[2] + 25.0 * 100
    assert np.isfinite(part.values).mean() == pytest.approx(200 * 400 / (700 * 600), abs=0.01)
    empty = write(tmp_path / "e.tif", np.full(GRID.shape, np.nan, np.float32))
    assert valid_box([(empty, None)]) is None
    with pytest.raises(UsageError, match="grid of the other dates"):
        valid_box([*layers, (empty, None)])


@pytest.mark.parametrize("dtype", ["float32", "uint8", "uint16"])
def test_overviews_of_decibels_are_used_where_they_are_means_of_power(
    tmp_path: Path, dtype: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    power = np.random.default_rng(4).gamma(1, 0.1, LARGE.shape).astype(np.float32)
    encoding = Encoding("db", dtype)
    path = tmp_path / "db.tif"
    with GridFile(
        path, LARGE, dtype=dtype, nodata=encoding.nodata, codec=encoding.overviews,
        bands=[GridBand("HH", "dB")],
    ) as file:  # fmt: skip
        file.write(Window(0, 0, *LARGE.shape), encoding.encode(power))
    levels: list[int] = []

    def seen(path: Path, level: int) -> Any:
        levels.append(level)
        return overview_of(path, level)

    monkeypatch.setattr("alos2.animation.decimate.overview_of", seen)
    found = read_power(path, 128, encoding.decode)
    assert levels == [1]
    expected = power.reshape(96, 16, 128, 16).mean(axis=(1, 3))
    np.testing.assert_allclose(found.values, expected, rtol=0.02 if dtype == "uint8" else 2e-3)
    if dtype == "float32":
        np.testing.assert_allclose(read_power(path, 128).values, found.values, rtol=1e-6)


def test_overviews_of_plain_numbers_are_used(tmp_path: Path) -> None:
    numbers = np.random.default_rng(5).normal(3, 1, LARGE.shape).astype(np.float32)
    found = read_values(write(tmp_path / "n.tif", numbers, unit="", grid=LARGE), 128)
    expected = numbers.reshape(96, 16, 128, 16).mean(axis=(1, 3))
    np.testing.assert_allclose(found.values, expected, rtol=1e-4)

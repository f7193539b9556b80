"""Layers of timescans: each kind is averaged as the table says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alos2.mosaic import METRIC_RULES, Gains, MosaicInput, MosaicOptions, mosaic, rule_of
from alos2.raster.gridfile import GridBand, GridFile
from alos2.timeseries.model import Encoding
from alos2.types import Window
from mosaic.conftest import grid_at, read, write

SHAPE = (40, 50)
FLAT = MosaicOptions(weighting="none")


def layers(folder: Path, *planes: Any, unit: str = "", nodata: float = np.nan) -> list[MosaicInput]:
    made = []
    for number, plane in enumerate(planes):
        path = folder / f"layer{number}.tif"
        bands = (GridBand("layer", unit),)
        grid = grid_at(0, 0, *SHAPE)
        with GridFile(path, grid, dtype=plane.dtype.name, nodata=nodata, bands=bands) as file:
            file.write(Window(0, 0, *SHAPE), plane)
        made.append(MosaicInput(path, f"t{number}"))
    return made


def drawn(seed: int, low: float, high: float) -> Any:
    values = np.random.default_rng(seed).uniform(low, high, SHAPE).astype(np.float32)
    values[seed, :] = np.nan
    return values


@pytest.mark.parametrize("metric", ["avg", "max", "min", "median", "p5", "p95"])
def test_decibels_are_averaged_in_power(metric: str, tmp_path: Path) -> None:
    one, two = drawn(1, -25, 0), drawn(2, -25, 0)
    inputs = layers(tmp_path, one, two, unit="dB")
    gains = Gains({"t0": 1.0, "t1": -1.0})
    made = read(mosaic(inputs, None, tmp_path / "m.tif", FLAT, metric=metric, gains=gains).path)
    both = np.array([10 ** ((one + 1) / 10), 10 ** ((two - 1) / 10)])
    np.testing.assert_allclose(made, 10 * np.log10(np.nanmean(both, axis=0)), atol=1e-4)


def test_amplitudes_in_decibels_are_not_powers(tmp_path: Path) -> None:
    one, two = drawn(1, 0, 5), drawn(2, 0, 5)
    inputs = layers(tmp_path, one, two, unit="dB")
    gains = Gains({"t0": 1.0, "t1": -1.0})
    for metric in ("amplitude", "residuals", "trend", "cov"):
        made = read(mosaic(inputs, None, tmp_path / "m.tif", FLAT, metric=metric, gains=gains).path)
        np.testing.assert_allclose(made, np.nanmean([one, two], axis=0), rtol=1e-6)
    made = read(mosaic(inputs, None, tmp_path / "m.tif", FLAT, metric="std", gains=gains).path)
    both = [one * 10**0.1, two * 10**-0.1]
    np.testing.assert_allclose(made, np.nanmean(both, axis=0), rtol=1e-5)
    path = mosaic(inputs, None, tmp_path / "m.tif", FLAT, metric="model_mean", gains=gains).path
    np.testing.assert_allclose(read(path), np.nanmean([one + 1, two - 1], axis=0), atol=1e-5)


def test_phases_are_directions(tmp_path: Path) -> None:
    one, two = drawn(1, 2.8, 3.1), drawn(2, -3.1, -2.8)
    made = read(
        mosaic(layers(tmp_path, one, two), None, tmp_path / "m.tif", FLAT, metric="phase").path
    )
    vector = np.nansum([np.exp(1j * one), np.exp(1j * two)], axis=0)
    np.testing.assert_allclose(np.exp(1j * made), vector / np.abs(vector), atol=1e-5)
    assert np.nanmin(np.abs(made)) > 2.7, "the mean of 179 and -179 degrees is not 0"


@pytest.mark.parametrize(("dtype", "nodata"), [("uint16", 0), ("float32", np.nan)])
def test_counts_are_added_up(dtype: str, nodata: float, tmp_path: Path) -> None:
    one = np.full(SHAPE, 12, dtype)
    two = np.full(SHAPE, 9, dtype)
    one[:5], two[3:9] = nodata, nodata
    inputs = layers(tmp_path, one, two, nodata=nodata)
    made = read(mosaic(inputs, None, tmp_path / "m.tif", MosaicOptions(), metric="count").path)
    assert made.dtype == dtype
    assert (made[:3] == 9).all()
    assert (made[5:9] == 12).all()
    assert (made[9:] == 21).all()
    np.testing.assert_array_equal(made[3:5], np.full((2, 50), nodata, dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_codes_of_a_series_are_averaged_in_power(dtype: Any, tmp_path: Path) -> None:
    encoding = Encoding("db", dtype)
    power = [10 ** (drawn(seed, -25, 0) / 10) for seed in (1, 2)]
    grid = grid_at(0, 0, *SHAPE)
    inputs = [
        MosaicInput(
            write(tmp_path / f"{n}.tif", grid, encoding.encode(plane), nodata=0),
            f"t{n}",
            codec=encoding,
        )
        for n, plane in enumerate(power)
    ]
    made = read(mosaic(inputs, None, tmp_path / "m.tif", FLAT).path)
    decoded = [encoding.decode(encoding.encode(plane)) for plane in power]
    expected = encoding.encode(np.nanmean(decoded, axis=0))
    assert made.dtype == np.dtype(dtype)
    # A mean half-way between two codes may fall to either side.
    assert np.abs(made.astype(int) - expected.astype(int)).max() <= 1
    assert (made == expected).mean() > 0.99


def test_every_metric_of_the_table_has_a_rule_and_power_is_the_default() -> None:
    assert rule_of(None) == rule_of("avg")
    assert {rule.quantity for rule in METRIC_RULES.values()} == {"power", "plain"}
    assert set(METRIC_RULES) >= {
        *("avg", "max", "min", "median", "std", "cov", "p5", "p95", "count"),
        *("amplitude", "phase", "trend", "model_mean", "residuals"),
    }

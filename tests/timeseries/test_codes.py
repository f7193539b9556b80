"""Codes of one and two bytes, and what the numbers of a series mean."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alos2.errors import UsageError
from alos2.product.model import MapGrid
from alos2.timeseries.codes import from_codes, step, to_codes, value_table
from alos2.timeseries.model import Encoding, Layer, Series
from alos2.types import RasterShape

GRID = MapGrid("", 32654, (25.0, 0.0, 4e5, 0.0, -25.0, 4e6), RasterShape(10, 20))
DAY = datetime(2020, 6, 15, 4, 33, tzinfo=timezone.utc)


def opensartoolkit_scaled(values: Any, dtype: str, low: float, high: float) -> Any:
    """OST's formula, as its facts have it: (clip - min) / s + 1, s = (max - min) / (D - 1)."""
    most = {"uint8": 255, "uint16": 65535}[dtype]
    clipped = np.clip(values, low, high)
    return np.round((clipped - low) / ((high - low) / (most - 1)) + 1).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("limits", [(-30.0, 5.0), (1e-5, 1.0), (-math.pi, math.pi)])
def test_codes_are_osts_and_the_inverse_is_exact(dtype: Any, limits: tuple[float, float]) -> None:
    most = {"uint8": 255, "uint16": 65535}[dtype]
    codes = np.arange(most + 1).astype(dtype)
    values = value_table(dtype, *limits)
    assert math.isnan(values[0])
    assert values[1] == limits[0]
    assert values[most] == pytest.approx(limits[1], rel=1e-12)
    assert np.array_equal(to_codes(values, dtype, *limits), codes)
    some = np.random.default_rng(1).uniform(limits[0] - 1, limits[1] + 1, 5000)
    found = to_codes(some, dtype, *limits)
    assert found.dtype == dtype
    assert np.array_equal(found, opensartoolkit_scaled(some, dtype, *limits))
    back = from_codes(found, dtype, *limits)
    half = step(dtype, *limits) / 2
    assert np.abs(back - np.clip(some, *limits)).max() <= half * (1 + 1e-3) + 1e-6


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_every_code_survives_power(dtype: Any) -> None:
    encoding = Encoding("db", dtype)
    codes = np.arange({"uint8": 256, "uint16": 65536}[dtype]).astype(dtype)
    power = encoding.decode(codes)
    assert power.dtype == np.float32
    assert math.isnan(power[0])
    assert np.array_equal(encoding.encode(power), codes)
    decibel = encoding.scale * codes[1:].astype(float) + encoding.offset
    np.testing.assert_allclose(power[1:], 10 ** (decibel / 10), rtol=1e-6)
    assert np.array_equal(encoding.power_table(), power, equal_nan=True)


def test_what_cannot_be_a_code() -> None:
    encoding = Encoding("db", "uint8")
    power = np.array([np.nan, -1.0, 0.0, 1e-3, 1e9, np.inf], np.float32)
    assert encoding.encode(power).tolist() == [0, 1, 1, 1, 255, 255]


def test_float_encodings() -> None:
    power = np.array([[0.1, np.nan, 2.0]], np.float32)
    as_power, as_db = Encoding(), Encoding("db")
    assert np.array_equal(as_power.encode(power), power, equal_nan=True)
    np.testing.assert_allclose(as_db.encode(power), [[-10, np.nan, 3.0103]], rtol=1e-5)
    for encoding in (as_power, as_db, Encoding("power", nodata=0.0), Encoding("db", nodata=0.0)):
        numbers = encoding.encode(power)
        assert numbers.dtype == np.float32
        assert np.array_equal(encoding.decode(numbers), power, equal_nan=True) or (
            np.allclose(encoding.decode(numbers), power, rtol=1e-6, equal_nan=True)
        )
    # OpenSarToolkit's 0 is no data, and not 0 dB.
    assert np.isnan(Encoding("db", nodata=0.0).decode(np.zeros(1, np.float32)))[0]
    assert (as_db.unit, as_power.unit, as_db.scale, as_db.offset) == ("dB", "linear power", 1, 0)
    with pytest.raises(UsageError, match="no table"):
        as_db.power_table()


def test_encodings_are_compared_though_nan_is_not_itself() -> None:
    assert Encoding("db", nodata=math.nan) == Encoding("db", nodata=-math.nan)
    assert len({Encoding(), Encoding(), Encoding("db"), Encoding("db", "uint8")}) == 3
    assert Encoding("db", "uint8").nodata == 0
    assert Encoding() != "power"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (("power", "uint8"), "uint8 takes decibels only"),
        (("db", "int16"), "db cannot be written as int16"),
        (("dB",), "dB cannot be written"),
        (("db", "uint8", 5.0, -30.0), "from 5 to -30"),
    ],
)
def test_encodings_that_cannot_be(wrong: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Encoding(*wrong)


def test_a_series_is_in_order() -> None:
    layers = tuple(Layer(Path(f"{n}.tif"), DAY + timedelta(n)) for n in range(3))
    assert Series("HH", layers, GRID, Encoding()).dates[1] == DAY + timedelta(1)
    with pytest.raises(UsageError, match="not in order"):
        Series("HH", layers[::-1], GRID, Encoding())
    with pytest.raises(UsageError, match="no dates"):
        Series("HH", (), GRID, Encoding())
    naive = Layer(Path("x.tif"), DAY.replace(tzinfo=None))
    with pytest.raises(UsageError, match="no time zone"):
        Series("HH", (naive,), GRID, Encoding())

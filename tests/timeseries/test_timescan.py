"""Timescans of files, against the definitions in `slowly`."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest

from alos2.errors import BadProduct, Interrupted, UsageError
from alos2.product.model import MapGrid
from alos2.raster.lean import rasterio
from alos2.raster.strips import strip_ranges
from alos2.timeseries.codes import from_codes
from alos2.timeseries.metrics import METRICS, TABLE
from alos2.timeseries.model import Encoding, Layer, Series
from alos2.timeseries.timescan import Timescan, assemble_timescan, metric_path, timescan
from alos2.timeseries.timescanoptions import TimescanOptions
from alos2.types import RasterShape
from timeseries.slowly import is_close_call, planes

Power = npt.NDArray[np.float64]
Type = Literal["float32", "uint8", "uint16"]

FIRST = datetime(2016, 2, 3, 15, 40, tzinfo=timezone.utc)
DB = Encoding("db")
POWER = Encoding("power")
OST_FLOATS = Encoding("db", nodata=0.0)
CODES_8 = Encoding("db", "uint8")
CODES_16 = Encoding("db", "uint16")
RELATIVE = {"std": 3e-6, "cov": 3e-6}
ABSOLUTE = {"trend": 2e-5, "model_mean": 1e-3, "phase": 2e-5}


def dates_of(count: int, days: int = 42) -> list[datetime]:
    return [FIRST + timedelta(days=days * number + number % 5) for number in range(count)]


def backscatter(shape: tuple[int, int, int], *, gaps: bool = False, seed: int = 1) -> Power:
    """Speckle of four looks over a slope, with some bright dates; NaN where gaps are."""
    chance = np.random.default_rng(seed)
    level = 10 ** (np.linspace(-20, -4, shape[2]) / 10)
    power = chance.gamma(4, 0.25, shape) * level
    power[chance.random(shape) < 0.03] *= 30
    if gaps:
        power[chance.random(shape) < 0.3] = np.nan
        power[:, 0, :2] = np.nan
        power[1:, 0, 2:4] = np.nan
        power[4:, 0, 4:6] = np.nan
        power[5:, 0, 6:8] = np.nan
    return power


def write(
    folder: Path, power: Power, encoding: Encoding, *, tile: int = 64, compress: str = "NONE"
) -> Series:
    """Write a file a date as others do, not with the code that is tested."""
    folder.mkdir(parents=True, exist_ok=True)
    transform = (25.0, 0.0, 3e5, 0.0, -25.0, 4e6)
    profile = {
        "driver": "GTiff", "height": power.shape[1], "width": power.shape[2], "count": 1,
        "dtype": encoding.dtype, "nodata": encoding.nodata, "crs": "EPSG:32654",
        "transform": rasterio.Affine(*transform), "tiled": True, "blockxsize": tile,
        "blockysize": tile, "compress": compress,
    }  # fmt: skip
    layers = []
    for number, (date, when) in enumerate(zip(power, dates_of(len(power)), strict=True)):
        path = folder / f"{number:03d}.tif"
        with rasterio.open(path, "w", **profile) as file:
            file.write(encoding.encode(date), 1)
            wkt = file.crs.to_wkt()
        layers.append(Layer(path, when))
    grid = MapGrid(wkt, 32654, transform, RasterShape(*power.shape[1:]))
    return Series("HV", tuple(layers), grid, encoding)


def read(made: Timescan) -> dict[str, npt.NDArray[Any]]:
    planes = {}
    for metric, path in made.paths.items():
        with rasterio.open(path) as file:
            planes[metric] = file.read(1)
    return planes


def decoded(series: Series) -> Power:
    stack = []
    for layer in series.layers:
        with rasterio.open(layer.path) as file:
            stack.append(series.encoding.decode(file.read(1)))
    return np.stack(stack).astype(np.float64)


def plain(**more: Any) -> TimescanOptions:
    return TimescanOptions(**{"layout": "tiled", "compress": None, "metrics": METRICS, **more})


@pytest.fixture
def made_of(tmp_path: Path) -> Callable[..., tuple[Series, Timescan]]:
    """Write a series and make its timescan."""

    def make(
        power: Power, encoding: Encoding, options: TimescanOptions, **how: Any
    ) -> tuple[Series, Timescan]:
        series = write(tmp_path / "series", power, encoding, **how)
        return series, timescan(series, tmp_path / "out", options)

    return make


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "gaps"])
@pytest.mark.parametrize("outliers", [False, True], ids=["plain", "outliers"])
@pytest.mark.parametrize("encoding", [DB, POWER, OST_FLOATS, CODES_8, CODES_16], ids=str)
def test_metrics_are_what_they_are_defined_to_be(
    made_of: Callable[..., tuple[Series, Timescan]],
    encoding: Encoding,
    *,
    outliers: bool,
    gaps: bool,
) -> None:
    power = backscatter((17, 5, 67), gaps=gaps)
    series, made = made_of(power, encoding, plain(remove_outliers=outliers))
    z = 2.0 if outliers else None
    stored = decoded(series)
    expected = planes(stored, series.dates, z, METRICS)
    found = read(made)
    sure = np.ones(power.shape[1:], bool)
    if outliers:
        for place in np.ndindex(*power.shape[1:]):
            sure[place] = not is_close_call(stored[(slice(None), *place)], 2.0)
    assert sure.mean() > 0.98
    for metric in METRICS:
        mine, truth = found[metric].astype(np.float64)[sure], expected[metric][sure]
        if metric == "phase":  # an angle: -pi is pi
            mine = np.angle(np.exp(1j * (mine - truth))) + truth
        np.testing.assert_allclose(
            mine, truth, RELATIVE.get(metric, 1e-6), ABSOLUTE.get(metric, 3e-6), err_msg=metric
        )


@pytest.mark.parametrize("count", [1, 2, 4, 5, 6, 20, 21, 22, 41, 61])
def test_any_number_of_dates(made_of: Callable[..., tuple[Series, Timescan]], count: int) -> None:
    metrics = ("avg", "max", "min", "median", "std", "p5", "p95", "count")
    power = backscatter((count, 3, 70), gaps=count > 2, seed=count)
    series, made = made_of(power, POWER, plain(metrics=metrics))
    expected = planes(decoded(series), series.dates, 2.0, metrics)
    found = read(made)
    for metric in metrics:
        np.testing.assert_allclose(
            found[metric], expected[metric], 1e-5, 5e-6, equal_nan=True, err_msg=metric
        )


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_integer_files_hold_the_values_in_their_ranges(tmp_path: Path, dtype: Type) -> None:
    series = write(tmp_path, backscatter((12, 8, 70), gaps=True), CODES_16)
    floats = read(timescan(series, tmp_path / "f", plain()))
    made = timescan(series, tmp_path / "i", plain(dtype=dtype))
    codes = read(made)
    top = 255 if dtype == "uint8" else 65535
    for metric in METRICS:
        low, high = TABLE[metric].limits(dtype)
        assert codes[metric].dtype == dtype
        missing = np.isnan(floats[metric]) | ((metric == "count") & (floats[metric] == 0))
        assert ((codes[metric] == 0) == missing).all(), metric
        values = from_codes(codes[metric], dtype, low, high)
        half = 0.501 * (high - low) / (top - 1)
        inside = ~missing
        np.testing.assert_allclose(
            values[inside], np.clip(floats[metric][inside], low, high), 1e-6, half
        )
    with rasterio.open(made.paths["std"]) as file:
        assert file.nodata == 0
        assert float(file.tags()["code_minimum"]) == 1e-5


def test_averages_in_power_where_asked(made_of: Callable[..., tuple[Series, Timescan]]) -> None:
    power = backscatter((7, 4, 66))
    metrics = ("avg", "max", "median", "p5")
    _, made = made_of(power, DB, plain(metrics=metrics, to_db=False, remove_outliers=False))
    found = read(made)
    np.testing.assert_allclose(found["avg"], power.mean(0), 2e-6)
    np.testing.assert_allclose(found["max"], power.max(0), 2e-6)
    np.testing.assert_allclose(found["median"], np.median(power, 0), 2e-6)
    np.testing.assert_allclose(found["p5"], np.percentile(power, 5, 0), 2e-6)
    with rasterio.open(made.paths["avg"]) as file:
        assert file.units == ("linear power",)
        assert np.isnan(file.nodata)


def test_a_constant_series_has_no_spread_and_no_outliers(
    made_of: Callable[..., tuple[Series, Timescan]],
) -> None:
    power = np.full((11, 2, 65), 0.037)
    power[3, 1] = 0.9
    _, made = made_of(power, POWER, plain(metrics=("avg", "std", "count")))
    found = read(made)
    assert (found["count"][0] == 11).all()
    assert (found["count"][1] == 10).all()
    assert (found["std"] == 0).all()
    np.testing.assert_allclose(found["avg"], 10 * np.log10(0.037), 1e-6)


def test_zero_and_infinite_power(made_of: Callable[..., tuple[Series, Timescan]]) -> None:
    power = backscatter((6, 1, 64))
    power[0] = 0.0
    power[1] = np.inf
    series = made_of(power, POWER, plain(metrics=("min", "count"), remove_outliers=False))[1]
    found = read(series)
    assert (found["count"] == 5).all()
    np.testing.assert_allclose(found["min"], -130.0)


@pytest.mark.parametrize("compress", ["NONE", "DEFLATE"])
def test_same_bytes_with_any_threads_memory_and_strips(tmp_path: Path, compress: str) -> None:
    power = backscatter((6, 1100, 130), gaps=True)
    series = write(tmp_path / "series", power, CODES_8, tile=128, compress=compress)
    options = TimescanOptions(metrics=("avg", "cov", "harmonics"), dtype="uint16")
    whole = timescan(series, tmp_path / "whole", options)
    other = timescan(
        series, tmp_path / "other",
        TimescanOptions(metrics=options.metrics, dtype="uint16", threads=5, memory_mb=256),
    )  # fmt: skip
    strips = [
        timescan(series, tmp_path / "strips", options, lines=lines)
        for lines in reversed(strip_ranges(series.grid, 3))
    ]
    assert len(strips) == 3
    assert all(strip.vrt is None for strip in strips)
    together = assemble_timescan(strips, series, tmp_path / "together", options)
    for metric, path in whole.paths.items():
        assert path.read_bytes() == other.paths[metric].read_bytes(), metric
        assert path.read_bytes() == together.paths[metric].read_bytes(), metric
    assert whole.vrt is not None
    assert together.vrt is not None
    assert whole.vrt.read_bytes() == together.vrt.read_bytes()


@pytest.mark.parametrize("dtype", ["float32", "uint16"])
def test_overviews_are_of_power_where_metrics_are_decibels_of_it(
    tmp_path: Path, dtype: Type
) -> None:
    series = write(tmp_path / "series", backscatter((6, 600, 530)), DB)
    made = timescan(series, tmp_path, TimescanOptions(metrics=METRICS, dtype=dtype))
    said = {}
    for metric, path in made.paths.items():
        with rasterio.open(path) as file:
            said[metric] = file.tags().get("overviews", "")
            assert file.overviews(1) == [2]
    of_power = {"avg", "max", "min", "median", "p5", "p95"}
    assert {name for name, words in said.items() if "power" in words} == of_power
    assert [name for name, words in said.items() if not words] == ["phase"]
    with rasterio.open(made.paths["max"]) as file:
        full = file.read(1)
    with rasterio.open(made.paths["max"], overview_level=0) as file:
        half = file.read(1)
    codec = Encoding("db", dtype)
    means = codec.decode(full).reshape(300, 2, 265, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(codec.decode(half), means, rtol=1e-4)


def test_the_way_of_reading_makes_no_difference(tmp_path: Path) -> None:
    power = backscatter((5, 200, 333), gaps=True)
    seen = set()
    for number, how in enumerate(
        ({"tile": 64}, {"tile": 512}, {"tile": 80}, {"tile": 64, "compress": "DEFLATE"})
    ):
        series = write(tmp_path / str(number), power, CODES_16, **how)  # type: ignore[arg-type]
        made = timescan(series, tmp_path / f"out{number}", plain(block=64))
        seen.add(b"".join(path.read_bytes() for path in made.paths.values()))
    assert len(seen) == 1


def test_the_virtual_dataset_has_all_metrics_of_all_polarizations(tmp_path: Path) -> None:
    series = write(tmp_path / "s", backscatter((6, 20, 70)), DB)
    timescan(series, tmp_path, plain(metrics=("harmonics", "avg")))
    other = Series("HH", series.layers, series.grid, series.encoding)
    made = timescan(other, tmp_path, plain(metrics=("count",)))
    assert made.vrt == tmp_path / "Timescan.vrt"
    with rasterio.open(made.vrt) as file:
        assert file.descriptions == (
            "bs.HH.count", "bs.HV.avg", "bs.HV.amplitude", "bs.HV.phase", "bs.HV.trend",
            "bs.HV.model_mean", "bs.HV.residuals",
        )  # fmt: skip
        assert file.crs.to_epsg() == 32654
        assert tuple(file.transform[:6]) == series.grid.transform
        trend = file.read(5)
    with rasterio.open(metric_path(tmp_path, "HV", "trend")) as file:
        np.testing.assert_array_equal(file.read(1), trend)
        assert file.units == ("dB/year",)
        assert file.tags()["first_date"] == "2016-02-03T15:40:00Z"


def test_a_file_that_ends_early_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    series = write(tmp_path / "s", backscatter((6, 300, 70)), POWER)
    path = series.layers[3].path
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(BadProduct, match=r"003\.tif"):
        timescan(series, tmp_path / "out", plain())
    assert list((tmp_path / "out").glob("**/*")) == []


def test_files_that_are_not_as_the_series_says(tmp_path: Path) -> None:
    series = write(tmp_path / "s", backscatter((6, 30, 70)), CODES_8)
    wrong = Series("HV", series.layers, series.grid, DB)
    with pytest.raises(BadProduct, match="uint8, and the series says float32"):
        timescan(wrong, tmp_path / "out", plain())
    with pytest.raises(UsageError, match="no strip"):
        timescan(series, tmp_path / "out", plain(), lines=range(10, 20))
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_it_can_be_stopped_and_leaves_what_was_there(tmp_path: Path) -> None:
    series = write(tmp_path / "s", backscatter((6, 1500, 70)), CODES_8)
    before = timescan(series, tmp_path / "out", plain(metrics=("avg",)))
    kept = before.paths["avg"].read_bytes()
    told: list[int] = []

    def progress(stage: str, done: int, total: int | None) -> None:
        assert (stage, total) == ("timescan", 1500)
        told.append(done)

    with pytest.raises(Interrupted):
        timescan(series, tmp_path / "out", plain(), progress=progress, cancelled=lambda: bool(told))
    assert told[0] == 512
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["Timescan.vrt", "bs.HV.avg.tif"]
    assert before.paths["avg"].read_bytes() == kept


@pytest.mark.parametrize(
    "choice",
    [
        {"metrics": ()},
        {"metrics": ("mean",)},
        {"z_threshold": 0.0},
        {"dtype": "int16"},
        {"dtype": "uint8", "to_db": False},
        {"block": 100},
        {"threads": 0},
        {"memory_mb": 16},
    ],
    ids=str,
)
def test_impossible_choices(choice: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        TimescanOptions(**choice)


def test_a_strip_has_the_lines_of_its_part(tmp_path: Path) -> None:
    series = write(tmp_path / "s", backscatter((5, 700, 64)), CODES_8)
    strip = timescan(series, tmp_path / "out", plain(metrics=("max",)), lines=range(512, 700))
    assert [path.name for path in strip.paths.values()] == ["bs.HV.max.L000512.tif"]
    whole = timescan(series, tmp_path / "out", plain(metrics=("max",)))
    assert (read(strip)["max"] == read(whole)["max"][512:]).all()

"""Overviews of decibels and of their codes are means of power, wherever the image was cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from alos2.product.model import MapGrid
from alos2.raster.gridfile import GridBand, GridFile
from alos2.raster.overviews import MEANS, POWER_MEANS, TAG
from alos2.raster.powercodes import Decibels, quick
from alos2.raster.strips import assemble_strips, strip_grid, strip_path, strip_ranges
from alos2.timeseries.model import Encoding
from alos2.types import RasterShape, Window

GRID = MapGrid(
    rasterio.crs.CRS.from_epsg(32654).to_wkt(),
    32654,
    (25.0, 0.0, 400_000.0, 0.0, -25.0, 4_000_000.0),
    RasterShape(1301, 1099),
)
TYPES = ("float32", "uint8", "uint16")


def speckle() -> np.ndarray:
    """One look of 0.1, with holes."""
    power = np.random.default_rng(3).gamma(1.0, 0.1, GRID.shape).astype(np.float32)
    power[:70, :90] = np.nan
    power[1::9, ::7] = np.nan
    return power


def write(path: Path, encoding: Encoding, values: np.ndarray, lines: int, **more: Any) -> None:
    with GridFile(
        path, GRID, dtype=encoding.dtype, nodata=encoding.nodata, codec=encoding.overviews,
        bands=[GridBand("HH & co", "dB")], tags={"when": '<"2020">'}, **more,
    ) as file:  # fmt: skip
        for line in reversed(range(0, GRID.shape.lines, lines)):
            part = values[line : line + lines]
            file.write(Window(line, 0, *part.shape), part)


@pytest.mark.parametrize("dtype", TYPES)
def test_they_are_means_of_power_over_the_valid_pixels(tmp_path: Path, dtype: Any) -> None:
    encoding = Encoding("db", dtype)
    values = encoding.encode(speckle())
    path = tmp_path / "x.tif"
    write(path, encoding, values, 512)
    assert [found.name for found in tmp_path.iterdir()] == ["x.tif"]
    power = encoding.decode(values).astype(float)
    with rasterio.open(path) as file:
        assert file.tags()[TAG] == POWER_MEANS
        assert (file.tags()["when"], file.descriptions[0]) == ('<"2020">', "HH & co")
        assert (file.units[0], file.crs.to_epsg()) == ("dB", 32654)
        assert tuple(file.transform[:6]) == GRID.transform
        assert file.overviews(1) == [2, 4]
        assert np.array_equal(file.read(1), values, equal_nan=dtype == "float32")
    for level, factor in enumerate((2, 4)):
        with rasterio.open(path, overview_level=level) as file:
            found = file.read(1)
        lines, pixels = -(-1301 // factor), -(-1099 // factor)
        padded = np.full((lines * factor, pixels * factor), np.nan)
        padded[:1301, :1099] = power
        cells = padded.reshape(lines, factor, pixels, factor)
        with np.errstate(all="ignore"):
            mean = np.nansum(cells, (1, 3)) / np.isfinite(cells).sum((1, 3))
        known = np.isfinite(mean)
        np.testing.assert_array_equal(np.isfinite(encoding.decode(found)), known)
        expected = 10 * np.log10(mean[known])
        error = 10 * np.log10(encoding.decode(found)[known]) - np.clip(expected, -30, 5)
        step = encoding.scale if encoding.codes else 0.0
        inside = slice(None) if encoding.codes else expected > -30
        assert np.abs(error[inside]).max() <= step / 2 + 2e-4
        # A mean of decibels would be 2.5 dB below.
        assert abs(10 * np.log10(np.nanmean(encoding.decode(found)) / np.nanmean(power))) < 0.03


@pytest.mark.parametrize("dtype", TYPES)
def test_the_same_bytes_in_other_windows_and_from_strips(tmp_path: Path, dtype: Any) -> None:
    encoding = Encoding("db", dtype)
    values = encoding.encode(speckle())
    whole, other, joined = (tmp_path / f"{name}.tif" for name in ("whole", "other", "joined"))
    write(whole, encoding, values, 512)
    write(other, encoding, values, 333)
    strips = []
    for lines in strip_ranges(GRID, 2):
        strips.append(strip_path(joined, lines))
        with GridFile(
            strips[-1], strip_grid(GRID, lines), dtype=dtype, nodata=encoding.nodata,
            codec=encoding.overviews, layout="tiled", compress=None,
            bands=[GridBand("HH & co", "dB")], tags={"when": '<"2020">'},
        ) as file:  # fmt: skip
            file.write(Window(0, 0, len(lines), 1099), values[lines.start : lines.stop])
    assemble_strips(strips, joined, GRID, codec=encoding.overviews)
    assert whole.read_bytes() == other.read_bytes() == joined.read_bytes()


def test_other_numbers_are_averaged_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    power = speckle()
    with GridFile(path, GRID, dtype="float32", nodata=np.nan) as file:
        file.write(Window(0, 0, *GRID.shape), power)
    with rasterio.open(path) as file:
        assert file.tags()[TAG] == MEANS
    with GridFile(path, GRID, dtype="float32", nodata=np.nan, layout="tiled") as file:
        file.write(Window(0, 0, *GRID.shape), power)
    with rasterio.open(path) as file:
        assert TAG not in file.tags()


@pytest.mark.parametrize("dtype", TYPES)
def test_quick_decibels_are_what_the_codec_says(dtype: Any) -> None:
    encoding = Encoding("db", dtype, -25.0, 2.0)
    found = quick(encoding, dtype, encoding.nodata)
    assert isinstance(found, Decibels)
    power = np.geomspace(10**-2.5, 10**0.2, 3000, dtype=np.float32)
    power[7] = np.nan
    codes = encoding.encode(power)
    np.testing.assert_allclose(found.decode(codes), encoding.decode(codes), rtol=2e-6)
    mine = found.encode(power)
    assert mine.dtype == codes.dtype
    assert np.isnan(found.decode(mine)[7])
    tolerance = 1 if encoding.codes else 2e-5
    np.testing.assert_allclose(mine.astype(float), codes.astype(float), atol=tolerance)


def test_power_needs_no_codec_and_unknown_codes_keep_theirs() -> None:
    assert quick(Encoding(), "float32", np.nan) is None
    of_zero = Encoding("db", nodata=0.0)
    assert quick(of_zero, "float32", 0.0) is of_zero
    assert of_zero.overviews is of_zero

    class Squares:
        def decode(self, values: np.ndarray) -> np.ndarray:
            power = values.astype(np.float32) ** 2
            power[values == 0] = np.nan
            return power

        def encode(self, power: np.ndarray) -> np.ndarray:
            return np.asarray(np.sqrt(np.nan_to_num(power)), np.uint8)

    squares = Squares()
    assert quick(squares, "uint8", 0) is squares

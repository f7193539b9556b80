"""Cubes: opened lazily by xarray, equal values, readable coordinate systems, all or nothing."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from pyproj import CRS

from alos2.errors import BadProduct, Interrupted, NoResource, UsageError
from alos2.product.model import MapGrid
from alos2.raster.gridfile import GridFile
from alos2.timeseries import cube
from alos2.timeseries.cube import write_cube
from alos2.timeseries.model import Encoding, Layer, Series
from alos2.types import RasterShape, Window

WKT = rasterio.crs.CRS.from_epsg(32654).to_wkt()
GRID = MapGrid(WKT, 32654, (25.0, 0.0, 4e5, 0.0, -25.0, 4e6), RasterShape(300, 530))
DAY = datetime(2020, 6, 15, 4, 33, 42, 123456, tzinfo=timezone.utc)
FORMATS = ["zarr", "netcdf"]


def numbers(encoding: Encoding, dates: int, seed: int, grid: MapGrid = GRID) -> np.ndarray:
    """What a file holds, with holes."""
    power = np.random.default_rng(seed).gamma(4, 0.02, (dates, *grid.shape)).astype(np.float32)
    power[0, :60] = np.nan
    power[-1, 100:110, 500:] = np.nan
    return encoding.encode(power)


def make(
    folder: Path, polarization: str, encoding: Encoding, days: list[int], grid: MapGrid = GRID
) -> tuple[Series, np.ndarray]:
    values = numbers(encoding, len(days), len(polarization) + days[0], grid)
    layers = []
    for day, plane in zip(days, values, strict=True):
        path = folder / f"{day}.{polarization}.{encoding.dtype}.tif"
        with GridFile(
            path, grid, dtype=encoding.dtype, nodata=encoding.nodata, overviews="none"
        ) as file:
            file.write(Window(0, 0, *grid.shape), plane)
        layers.append(Layer(path, DAY + timedelta(day)))
    return Series(polarization, tuple(layers), grid, encoding, "P126"), values


def opened(path: Path) -> Any:
    xarray = pytest.importorskip("xarray")
    if path.suffix == ".nc":
        return xarray.open_dataset(path, engine="h5netcdf", chunks=None)
    pytest.importorskip("zarr")
    return xarray.open_dataset(path, engine="zarr", chunks=None, decode_coords="all")


def decoded(encoding: Encoding, values: np.ndarray) -> np.ndarray:
    """Decibels or power as the series means them."""
    if encoding.codes:
        found = values.astype(float) * encoding.scale + encoding.offset
        found[values == 0] = np.nan
        return found
    return values


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("dtype", ["float32", "uint8", "uint16"])
def test_xarray_opens_it_lazily_and_has_the_same_values(
    tmp_path: Path, kind: Any, dtype: Any
) -> None:
    encoding = Encoding("db", dtype)
    series, values = make(tmp_path, "HH", encoding, [0, 14, 28])
    path = write_cube([series], tmp_path / "new" / f"x{cube.SUFFIX[kind]}", kind)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    with opened(path) as found:
        data = found["HH"]
        assert not data.variable._in_memory
        assert data.dims == ("time", "y", "x")
        assert found.sizes == {"time": 3, "y": 300, "x": 530}
        np.testing.assert_allclose(data.values, decoded(encoding, values), rtol=1e-5)
        # One pixel's series, one date's corner.
        assert np.array_equal(data[:, 150, 520].values, data.values[:, 150, 520], equal_nan=True)
        assert data.attrs["units"] == "dB"
        assert data.encoding["dtype"] == np.dtype(dtype)
        if dtype != "float32":
            assert data.encoding["_FillValue"] == 0


@pytest.mark.parametrize("kind", FORMATS)
def test_coordinates_and_coordinate_system(tmp_path: Path, kind: Any) -> None:
    series, _ = make(tmp_path, "HH", Encoding(), [0, 14])
    path = write_cube([series], tmp_path / "x", kind)
    with opened(path.rename(path.with_suffix(cube.SUFFIX[kind]))) as found:
        assert found.attrs["Conventions"] == "CF-1.10"
        wanted = [DAY.replace(tzinfo=None) + timedelta(n) for n in (0, 14)]
        assert np.array_equal(found["time"].values, np.array(wanted, "datetime64[ns]"))
        assert found["x"].values[0] == 4e5 + 12.5
        assert found["y"].values[-1] == 4e6 - 299.5 * 25
        assert found["x"].attrs["standard_name"] == "projection_x_coordinate"
        assert (found["y"].attrs["units"], found["y"].attrs["axis"]) == ("metre", "Y")
        mapping = found[
            found["HH"].encoding.get("grid_mapping") or found["HH"].attrs["grid_mapping"]
        ].attrs
        assert CRS.from_cf(mapping).to_epsg() == 32654
        assert mapping["grid_mapping_name"] == "transverse_mercator"
        assert [float(v) for v in mapping["GeoTransform"].split()] == [4e5, 25, 0, 4e6, 0, -25]
        assert found["HH"].attrs["units"] == "1"


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_gdal_reads_it_too(tmp_path: Path) -> None:
    series, values = make(tmp_path, "HH", Encoding("db", "uint8"), [0, 14])
    path = write_cube([series], tmp_path / "x.zarr")
    try:
        with rasterio.open(f'ZARR:"{path}":/HH:1') as found:
            assert np.array_equal(found.read(1), values[1])
    except rasterio.errors.RasterioError as error:
        pytest.skip(f"GDAL without Zarr: {error}")


def test_degrees(tmp_path: Path) -> None:
    grid = MapGrid(CRS.from_epsg(4326).to_wkt(), 4326, (0.1, 0.0, 139.0, 0.0, -0.1, 36.0),
                   RasterShape(20, 30))  # fmt: skip
    series, _ = make(tmp_path, "HH", Encoding(), [0], grid)
    with opened(write_cube([series], tmp_path / "x.zarr")) as found:
        assert found["x"].attrs["standard_name"] == "longitude"
        assert found["y"].attrs["units"] == "degrees_north"
        assert found["y"].values[0] == pytest.approx(35.95)


@pytest.mark.parametrize("kind", FORMATS)
def test_dates_that_a_polarisation_has_not(tmp_path: Path, kind: Any) -> None:
    first, hh = make(tmp_path, "HH", Encoding("power", "float32"), [0, 14, 28])
    other, hv = make(tmp_path, "HV", Encoding("db", "uint16"), [14])
    path = write_cube([first, other], tmp_path / f"x{cube.SUFFIX[kind]}", kind)
    with opened(path) as found:
        assert np.array_equal(found["HH"].values, hh, equal_nan=True)
        assert np.isnan(found["HV"].values[[0, 2]]).all()
        np.testing.assert_allclose(found["HV"].values[1], decoded(other.encoding, hv)[0], rtol=1e-5)


@pytest.mark.parametrize("kind", FORMATS)
def test_more_dates_and_pixels_than_a_chunk_and_a_window(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    monkeypatch.setattr(cube, "_CHUNK", (2, 64, 32))
    monkeypatch.setattr(cube, "_WINDOW", (128, 64))
    series, values = make(tmp_path, "HH", Encoding("power", nodata=0.0), [0, 1, 2, 3, 4])
    told: list[Any] = []
    path = write_cube(
        [series], tmp_path / f"x{cube.SUFFIX[kind]}", kind,
        progress=lambda *said: told.append(said),
    )  # fmt: skip
    assert told[-1] == ("cube", 81, 81)
    with opened(path) as found:
        wanted = np.where(values == 0, np.nan, values)
        assert np.array_equal(found["HH"].values, wanted, equal_nan=True)
    again = write_cube([series], tmp_path / "again", kind, threads=1)
    for one in [path, *path.rglob("*")]:
        if one.is_file():
            twin = again / one.relative_to(path) if path.is_dir() else again
            assert twin.read_bytes() == one.read_bytes()


def test_chunks_without_data_take_no_room(tmp_path: Path) -> None:
    grid = replace(GRID, shape=RasterShape(600, 300))
    path = tmp_path / "0.tif"
    with GridFile(path, grid, dtype="float32", nodata=np.nan, overviews="none") as file:
        file.write(Window(300, 0, 10, 300), np.ones((10, 300), np.float32))
    series = Series("HH", (Layer(path, DAY),), grid, Encoding())
    made = write_cube([series], tmp_path / "x.zarr")
    assert sorted(p.name for p in (made / "HH").iterdir()) == [
        ".zarray", ".zattrs", "0.1.0", "0.1.1",
    ]  # fmt: skip
    said = json.loads((made / ".zmetadata").read_text())["metadata"]["HH/.zarray"]
    assert (said["shape"], said["chunks"]) == ([1, 600, 300], [1, 256, 256])


@pytest.mark.parametrize("kind", FORMATS)
def test_all_or_nothing(tmp_path: Path, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.mkdir()
    series, _ = make(source, "HH", Encoding(), [0, 14])
    path = tmp_path / "out" / f"x{cube.SUFFIX[kind]}"
    write_cube([series], path, kind)
    before = sorted((p, p.stat().st_mtime_ns) for p in [path, *path.rglob("*")])
    with pytest.raises(Interrupted):
        write_cube([series], path, kind, cancelled=lambda: True)
    damaged = series.layers[1].path
    damaged.write_bytes(damaged.read_bytes()[:3000])
    with pytest.raises(BadProduct, match=damaged.name):
        write_cube([series], path, kind)
    assert sorted((p, p.stat().st_mtime_ns) for p in [path, *path.rglob("*")]) == before
    assert list(path.parent.iterdir()) == [path]
    # A new one takes the older's place.
    other, values = make(source, "HH", Encoding("db"), [3])
    write_cube([other], path, kind)
    with opened(path) as found:
        assert np.array_equal(found["HH"].values, values, equal_nan=True)
    assert list(path.parent.iterdir()) == [path]
    (tmp_path / "file").write_text("")
    with pytest.raises(NoResource):
        write_cube([other], tmp_path / "file" / "x", kind)


def test_netcdf_without_its_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    series, _ = make(tmp_path, "HH", Encoding(), [0])
    monkeypatch.setitem(sys.modules, "h5netcdf", None)
    with pytest.raises(UsageError, match=r"pip install 'alos2-ingest\[cube\]'"):
        write_cube([series], tmp_path / "x.nc", "netcdf")
    assert not list(tmp_path.glob("*x.nc*"))


def test_series_that_make_no_cube(tmp_path: Path) -> None:
    series, _ = make(tmp_path, "HH", Encoding(), [0])
    small = replace(GRID, shape=RasterShape(300, 500))
    turned = replace(GRID, transform=(25.0, 1.0, 4e5, 1.0, -25.0, 4e6))
    out = tmp_path / "x"
    with pytest.raises(UsageError, match="no series"):
        write_cube([], out)
    with pytest.raises(UsageError, match="HH, HH"):
        write_cube([series, series], out)
    with pytest.raises(UsageError, match="HV lies on another grid"):
        write_cube([series, replace(series, polarization="HV", grid=small)], out)
    with pytest.raises(UsageError, match="rotated"):
        write_cube([replace(series, grid=turned)], out)
    with pytest.raises(UsageError, match="'grib'"):
        write_cube([series], out, "grib")  # type: ignore[arg-type]
    assert not out.exists()

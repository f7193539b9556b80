"""Files of a grid: layout, values, bytes, what is left after an error; many files; strips."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from alos2.errors import BadProduct, Interrupted, NoResource, NoSpace, UsageError
from alos2.product.model import MapGrid
from alos2.raster import gridfile
from alos2.raster.gridfile import GridBand, GridFile, read_grid
from alos2.raster.manyfiles import ManyFiles
from alos2.raster.rawtiles import TileLayout
from alos2.raster.rawwrite import TileWriter, say_nan
from alos2.raster.strips import assemble_strips, strip_grid, strip_path, strip_ranges
from alos2.types import RasterShape, Window

WKT = rasterio.crs.CRS.from_epsg(32654).to_wkt()


def grid_of(lines: int, pixels: int) -> MapGrid:
    return MapGrid(
        WKT, 32654, (25.0, 0.0, 400_000.0, 0.0, -25.0, 4_000_000.0), RasterShape(lines, pixels)
    )


def windows(grid: MapGrid, lines: int = 512) -> list[Window]:
    return [
        Window(line, 0, min(lines, grid.shape.lines - line), grid.shape.pixels)
        for line in range(0, grid.shape.lines, lines)
    ]


def put(file: GridFile, values: np.ndarray, places: list[Window]) -> None:
    for w in places:
        file.write(w, values[..., w.line : w.line + w.lines, w.pixel : w.pixel + w.pixels])


def some(shape: tuple[int, ...], dtype: str = "float32", seed: int = 1) -> np.ndarray:
    values = np.random.default_rng(seed).gamma(4.0, 0.02, shape)
    if dtype == "float32":
        values = values.astype(np.float32)
        values[..., :40, :60] = np.nan
        return values
    return np.minimum(values * 1000, 255).astype(dtype)


@pytest.mark.parametrize(
    ("dtype", "nodata", "compress"),
    [("float32", np.nan, "DEFLATE"), ("uint8", 0, None), ("uint16", 0, "ZSTD")],
)
def test_a_valid_cog_of_the_values_that_were_written(
    tmp_path: Path, dtype: str, nodata: Any, compress: str | None
) -> None:
    grid = grid_of(1300, 1100)
    values = some((2, *grid.shape), dtype)
    bands = (GridBand("HH", "linear power"), GridBand("HV", "linear power"))
    path = tmp_path / "new" / "x.tif"
    with GridFile(
        path, grid, dtype=dtype, nodata=nodata, bands=bands, tags={"when": "2020"},
        compress=compress,
    ) as file:  # fmt: skip
        put(file, values, windows(grid, 500))
        assert not path.exists()
    assert [p.name for p in path.parent.iterdir()] == ["x.tif"]
    with rasterio.open(path) as found:
        assert found.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert found.tags()["when"] == "2020"
        assert found.descriptions == ("HH", "HV")
        assert found.units == ("linear power", "linear power")
        assert found.block_shapes == [(512, 512)] * 2
        assert found.overviews(1) == [2, 4]
        assert np.array_equal(found.nodata, nodata, equal_nan=True)
        assert np.array_equal(found.read(), values, equal_nan=dtype == "float32")
        half = found.read(1, out_shape=(650, 550))
    blocks = values[0].astype(float).reshape(650, 2, 550, 2)
    if dtype == "float32":
        with np.errstate(all="ignore"):
            mean = np.nansum(blocks, (1, 3)) / np.isfinite(blocks).sum((1, 3))
        np.testing.assert_allclose(half, mean, rtol=1e-5)
    assert read_grid(path) == grid


@pytest.mark.parametrize("layout", ["cog", "tiled"])
def test_the_same_bytes_in_whatever_order_and_windows(tmp_path: Path, layout: Any) -> None:
    grid = grid_of(1100, 600)
    values = some(grid.shape)
    one, other = tmp_path / "one.tif", tmp_path / "other.tif"
    with GridFile(one, grid, dtype="float32", nodata=np.nan, layout=layout) as file:
        put(file, values, windows(grid))
    with GridFile(other, grid, dtype="float32", nodata=np.nan, layout=layout) as file:
        put(file, values, windows(grid, 333)[::-1])
    assert one.read_bytes() == other.read_bytes()


def test_all_nans_are_written_alike(tmp_path: Path) -> None:
    grid = grid_of(10, 10)
    for name, nan in (("plus", np.nan), ("minus", -np.nan)):
        values = np.full((10, 10), nan, np.float32)
        values.flags.writeable = False
        with GridFile(tmp_path / name, grid, dtype="float32", nodata=np.nan) as file:
            file.write(Window(0, 0, 10, 10), values)
    assert (tmp_path / "plus").read_bytes() == (tmp_path / "minus").read_bytes()


def test_what_is_never_written_is_no_data(tmp_path: Path) -> None:
    grid = grid_of(700, 600)
    path = tmp_path / "x.tif"
    with GridFile(path, grid, dtype="float32", nodata=np.nan, layout="tiled") as file:
        file.write(Window(512, 0, 10, 600), np.ones((10, 600), np.float32))
    with rasterio.open(path) as found:
        assert found.overviews(1) == []
        values = found.read(1)
    assert np.isfinite(values).sum() == 6000
    assert (values[512:522] == 1).all()


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    grid = grid_of(100, 100)
    path = tmp_path / "x.tif"
    path.write_bytes(b"older")
    broken = GridFile(path, grid, dtype="float32", nodata=None)

    def fail() -> None:
        with broken as file:
            file.write(Window(0, 0, 100, 100), np.zeros((100, 100), np.float32))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_bytes() == b"older"
    assert [p.name for p in tmp_path.iterdir()] == ["x.tif"]


def test_wrong_values_are_refused(tmp_path: Path) -> None:
    file = GridFile(tmp_path / "x.tif", grid_of(100, 100), dtype="float32", nodata=None)
    with pytest.raises(ValueError, match="float64"), file:
        file.write(Window(0, 0, 10, 10), np.zeros((10, 10)))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = grid_of(600, 600)
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(NoResource),
        GridFile(tmp_path / "file" / "x.tif", grid, dtype="uint8", nodata=0),
    ):
        pass

    def full(*args: Any, **options: Any) -> None:
        raise rasterio.errors.RasterioIOError("No space left")

    monkeypatch.setattr(gridfile.rasterio.shutil, "copy", full)
    folder = tmp_path / "folder"
    with (
        pytest.raises(NoResource, match=r"x\.tif cannot be written: No space"),
        GridFile(folder / "x.tif", grid, dtype="uint8", nodata=0),
    ):
        pass
    assert list(folder.iterdir()) == []


def test_tiles_that_gdal_could_not_write_are_noticed(tmp_path: Path) -> None:
    grid = grid_of(600, 600)
    file = GridFile(tmp_path / "x.tif", grid, dtype="uint8", nodata=0)
    file._scratch.write_bytes(b"too short")
    with pytest.raises(NoSpace):
        file._finish()


def test_no_grid(tmp_path: Path) -> None:
    (tmp_path / "x.tif").write_bytes(b"not a TIFF")
    with pytest.raises(BadProduct, match=r"x\.tif"):
        read_grid(tmp_path / "x.tif")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], np.ndarray]:
    folder = tmp_path_factory.mktemp("many")
    grid = grid_of(600, 700)
    values = np.stack([some(grid.shape, "uint16", seed) for seed in range(5)])
    paths = [folder / f"{number}.tif" for number in range(5)]
    for path, plane in zip(paths, values, strict=True):
        with GridFile(path, grid, dtype="uint16", nodata=0, overviews="none") as file:
            put(file, plane, windows(grid))
    return paths, values


@pytest.mark.parametrize("threads", [1, 3])
def test_many_files(stack: tuple[list[Path], np.ndarray], threads: int) -> None:
    paths, values = stack
    with ManyFiles([(path, 1) for path in paths], threads=threads) as files:
        assert len(files) == 5
        assert (files.dtype, files.nodata, files.grid) == (np.uint16, 0, grid_of(600, 700))
        room = np.empty((5, 200, 300), np.uint16)
        found = files.read(Window(450, 60, 100, 300))
        assert np.array_equal(found, values[:, 450:550, 60:360])
        assert files.read(Window(400, 50, 200, 300), out=room) is room
        assert np.array_equal(room, values[:, 400:600, 50:350])
        with pytest.raises(ValueError, match="cannot take"):
            files.read(Window(0, 0, 10, 10), out=room)


def test_many_windows_at_a_time(stack: tuple[list[Path], np.ndarray]) -> None:
    paths, values = stack
    places = [Window(line, 0, 20, 700) for line in range(0, 600, 20)]
    with (
        ManyFiles([(path, 1) for path in paths], threads=2) as files,
        ThreadPoolExecutor(4) as pool,
    ):
        parts = list(pool.map(files.read, places))
    assert np.array_equal(np.concatenate(parts, 1), values)


def test_a_band_of_a_file_of_several(tmp_path: Path) -> None:
    grid = grid_of(50, 60)
    values = some((3, 50, 60), "uint8")
    path = tmp_path / "x.tif"
    with GridFile(
        path, grid, dtype="uint8", nodata=0, bands=[GridBand(name) for name in "abc"]
    ) as file:
        put(file, values, windows(grid))
    with ManyFiles([(path, 3), (path, 1)]) as files:
        assert np.array_equal(files.read(Window(0, 0, 50, 60)), values[[2, 0]])
    with pytest.raises(BadProduct, match="no band 4"):
        ManyFiles([(path, 1), (path, 4)])


@pytest.mark.parametrize(
    "case",
    [
        ("uint8", 0, grid_of(600, 700), "pixels are uint8, not uint16"),
        ("uint16", 9, grid_of(600, 700), "no-data value is 9"),
        ("uint16", None, grid_of(600, 700), "no-data value is None"),
        ("uint16", 0, grid_of(600, 701), "size is 600 x 701, not 600 x 700"),
        ("uint16", 0, strip_grid(grid_of(1112, 700), range(512, 1112)), "lies elsewhere"),
    ],
)
def test_the_file_that_differs_is_named(
    stack: tuple[list[Path], np.ndarray], tmp_path: Path, case: Any
) -> None:
    dtype, nodata, grid, words = case
    odd = tmp_path / "odd.tif"
    with GridFile(odd, grid, dtype=dtype, nodata=nodata, overviews="none"):
        pass
    with pytest.raises(BadProduct, match=rf"odd\.tif: .*{words}.*0\.tif"):
        ManyFiles([(stack[0][0], 1), (stack[0][1], 1), (odd, 1)])


def test_the_file_that_cannot_be_read_is_named(
    stack: tuple[list[Path], np.ndarray], tmp_path: Path
) -> None:
    short = tmp_path / "short.tif"
    data = stack[0][1].read_bytes()
    short.write_bytes(data[: len(data) // 2])
    layers = [(stack[0][0], 1), (short, 1)]
    with ManyFiles(layers) as files, pytest.raises(BadProduct, match=r"short\.tif: lines 512"):
        files.read(Window(512, 0, 88, 700))
    with pytest.raises(BadProduct, match=r"absent\.tif"):
        ManyFiles([(stack[0][0], 1), (tmp_path / "absent.tif", 1)])


@pytest.mark.parametrize(("layout", "count"), [("cog", 2), ("cog", 9), ("tiled", 3)])
def test_strips_make_the_same_bytes(tmp_path: Path, layout: Any, count: int) -> None:
    grid = grid_of(1500, 640)
    values = some(grid.shape)
    settings: Any = {
        "dtype": "float32",
        "nodata": np.nan,
        "bands": [GridBand("avg", "dB")],
        "tags": {"metric": "avg"},
    }
    whole = tmp_path / "whole.tif"
    with GridFile(whole, grid, layout=layout, **settings) as file:
        put(file, values, windows(grid, 300))
    ranges = strip_ranges(grid, count)
    assert [line for lines in ranges for line in lines] == list(range(1500))
    assert len(ranges) == min(count, 3)
    paths = []
    for lines in ranges:
        part = strip_grid(grid, lines)
        paths.append(strip_path(tmp_path / "part.tif", lines))
        with GridFile(paths[-1], part, layout="tiled", **settings) as file:
            put(file, values[lines.start : lines.stop], windows(part))
    assert sorted(paths) == paths
    together = tmp_path / "together.tif"
    assemble_strips(paths[::-1], together, grid, layout=layout)
    assert together.read_bytes() == whole.read_bytes()
    assert all(path.exists() for path in paths)


def test_strips_that_do_not_fit(tmp_path: Path) -> None:
    grid = grid_of(1100, 64)
    paths = []
    for lines in strip_ranges(grid, 3):
        paths.append(strip_path(tmp_path / "x.tif", lines))
        with GridFile(paths[-1], strip_grid(grid, lines), dtype="uint8", nodata=0, layout="tiled"):
            pass
    out = tmp_path / "out" / "x.tif"
    with pytest.raises(BadProduct, match="begins at line 1024 where line 512"):
        assemble_strips([paths[0], paths[2]], out, grid)
    with pytest.raises(BadProduct, match="end at line 1024 of 1100"):
        assemble_strips(paths[:2], out, grid)
    with pytest.raises(BadProduct, match="begins at line 0 where line 512"):
        assemble_strips([*paths, paths[0]], out, grid)
    with pytest.raises(BadProduct, match="no strip of the grid"):
        assemble_strips(paths, out, grid_of(1100, 65))
    with pytest.raises(BadProduct, match="absent"):
        assemble_strips([tmp_path / "absent.tif"], out, grid)
    with pytest.raises(Interrupted):
        assemble_strips(paths, out, grid, cancelled=lambda: True)
    assert not out.exists()
    for lines in (range(100, 1100), range(600), range(2000), range(0)):
        with pytest.raises(UsageError, match="no strip"):
            strip_grid(grid, lines)


def test_a_file_that_gdal_could_not_write_is_a_full_disk(tmp_path: Path) -> None:
    # GDAL says nothing when it closes a file of which nothing reached the disk.
    for half in (b"", b"II*\0\x08\0\0\0", b"II*\0\x08\0\0\0\1\0" + bytes(16)):
        file = tmp_path / "scratch.tif"
        file.write_bytes(half)
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            say_nan(file)
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            TileWriter(file, TileLayout(64, 64, 64, 64), np.dtype("f4"), 0.0)

"""Tiles straight from files, and straight into them."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alos2.errors import BadProduct
from alos2.product.model import MapGrid
from alos2.raster.gridfile import GridFile
from alos2.raster.lean import RasterioWindow, rasterio
from alos2.raster.rawtiles import open_raw_tiles
from alos2.types import RasterShape, Window

GRID = MapGrid("", 32654, (25.0, 0.0, 3e5, 0.0, -25.0, 4e6), RasterShape(150, 200))
NUMBERS = np.random.default_rng(2).normal(size=(150, 200)).astype(np.float32)


def write(path: Path, **more: Any) -> Path:
    profile = {
        "driver": "GTiff", "height": 150, "width": 200, "count": 1, "dtype": "float32",
        "tiled": True, "blockxsize": 64, "blockysize": 32, "nodata": np.nan,
        "crs": "EPSG:32654", "transform": rasterio.Affine(*GRID.transform),
    }  # fmt: skip
    with rasterio.open(path, "w", **{**profile, **more}) as file:
        file.write(NUMBERS.astype(file.dtypes[0]), 1)
    return path


@pytest.mark.parametrize("more", [{}, {"BIGTIFF": "YES"}, {"dtype": "uint16"}], ids=str)
def test_tiles_are_what_gdal_reads(tmp_path: Path, more: dict[str, Any]) -> None:
    if "dtype" in more:
        more = {**more, "nodata": 0}
    path = write(tmp_path / "a.tif", **more)
    with open_raw_tiles([(path, 1), (path, 1)]) as files:
        assert files is not None
        rows, columns = range(3, 5), range(1, 4)
        stack = np.empty((2, 6 * 32 * 64), files.dtype)
        files.read(rows, columns, stack)
        for plane in stack:
            found = files.lines_of(plane, rows, columns)
            assert (found == NUMBERS.astype(files.dtype)[96:150, 64:200]).all()


def test_tiles_that_were_never_written_are_no_data(tmp_path: Path) -> None:
    path = tmp_path / "sparse.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=150, width=200, count=1, dtype="float32", nodata=-5,
        tiled=True, blockxsize=64, blockysize=64, SPARSE_OK=True, crs="EPSG:32654",
        transform=rasterio.Affine(*GRID.transform),
    ) as file:  # fmt: skip
        file.write(NUMBERS[:64, :64], 1, window=RasterioWindow(64, 0, 64, 64))
    with open_raw_tiles([(path, 1)]) as files:
        assert files is not None
        stack = np.empty((1, 12 * 64 * 64), np.float32)
        files.read(range(3), range(4), stack)
        lines = files.lines_of(stack[0], range(3), range(4))
    assert (lines[:64, 64:128] == NUMBERS[:64, :64]).all()
    assert (lines == -5).sum() == 150 * 200 - 64 * 64


@pytest.mark.parametrize(
    "more", [{"compress": "DEFLATE"}, {"tiled": False, "blockysize": 16}, {"count": 2}], ids=str
)
def test_other_files_are_left_to_gdal(tmp_path: Path, more: dict[str, Any]) -> None:
    path = write(tmp_path / "a.tif", **more)
    with open_raw_tiles([(path, 1)]) as files:
        assert files is None
    with open_raw_tiles([(tmp_path / "none.tif", 1)]) as files:
        assert files is None


def test_files_cut_short_while_open_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "short.tif")
    with open_raw_tiles([(path, 1)]) as files:
        assert files is not None
        os.truncate(path, 20_000)
        with pytest.raises(BadProduct, match=r"short\.tif: it ends at byte"):
            files.read(range(5), range(4), np.empty((1, 20 * 32 * 64), np.float32))


@pytest.mark.parametrize("nodata", [None, 0, -7, np.nan], ids=str)
def test_the_same_bytes_by_any_windows(tmp_path: Path, nodata: float | None) -> None:
    cuts = ([0, 150], [0, 64, 128, 150], [0, 13, 64, 100, 150])
    seen = []
    for number, edges in enumerate(cuts):
        path = tmp_path / f"{number}.tif"
        with GridFile(
            path, GRID, dtype="float32", nodata=nodata, layout="tiled", compress=None, block=64
        ) as file:
            for top, bottom in list(itertools.pairwise(edges))[::-1]:
                for left, right in ((0, 33), (33, 90)):
                    window = Window(top, left, bottom - top, right - left)
                    file.write(window, NUMBERS[top:bottom, left:right])
        seen.append(path.read_bytes())
        with rasterio.open(path) as made:
            found = made.read(1)
            np.testing.assert_equal(made.nodata, nodata)
        assert (found[:, :90] == NUMBERS[:, :90]).all()
        np.testing.assert_array_equal(found[:, 90:], 0.0 if nodata is None else nodata)
    assert seen[0] == seen[1] == seen[2]

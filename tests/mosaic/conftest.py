"""Small tracks cut from one known field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from pyproj import CRS

from alos2.product.model import MapGrid
from alos2.raster.lean import rasterio
from alos2.types import RasterShape

Plane = npt.NDArray[np.float32]

SPACING = 25.0
WEST, NORTH = 400_000.0, 4_000_000.0


def grid_at(line: int, pixel: int, lines: int, pixels: int, **changed: Any) -> MapGrid:
    """The part of the field's grid that begins at a line and a pixel."""
    spacing = changed.pop("spacing", SPACING)
    epsg = changed.pop("epsg", 32654)
    transform = (spacing, 0.0, WEST + pixel * SPACING, 0.0, -spacing, NORTH - line * SPACING)
    return MapGrid(CRS.from_epsg(epsg).to_wkt(), epsg, transform, RasterShape(lines, pixels))


def write(path: Path, grid: MapGrid, values: Any, *, nodata: float | None = np.nan) -> Path:
    """Write one band as it is."""
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=grid.shape.lines,
        width=grid.shape.pixels,
        count=1,
        dtype=values.dtype.name,
        nodata=nodata,
        crs=f"EPSG:{grid.epsg}",
        transform=rasterio.Affine(*grid.transform),
        tiled=True,
        blockxsize=128,
        blockysize=128,
    ) as file:
        file.write(values, 1)
    return path


def read(path: Path) -> Any:
    with rasterio.open(path) as dataset:
        return dataset.read(1)


class Field(NamedTuple):
    """Backscatter that is known, and the tracks that are cut from it."""

    power: Plane
    folder: Path

    def cut(
        self,
        name: str,
        box: tuple[int, int, int, int],
        *,
        gain_db: float = 0.0,
        change: Callable[[Plane], None] = lambda values: None,
    ) -> Path:
        line, pixel, lines, pixels = box
        values = self.power[line : line + lines, pixel : pixel + pixels] * np.float32(
            10 ** (gain_db / 10)
        )
        change(values)
        return write(self.folder / f"{name}.tif", grid_at(*box), values.astype(np.float32))


@pytest.fixture(scope="session")
def known_power() -> Plane:
    """-20 to -5 dB, smooth, with edges: 700 x 900."""
    y, x = np.mgrid[0:700, 0:900] / 100.0
    level = -12.0 + 3.0 * np.sin(2.1 * x) * np.cos(1.3 * y) + 2.0 * ((x.astype(int) + 1) % 3)
    return (10 ** (level / 10)).astype(np.float32)


@pytest.fixture
def field(known_power: Plane, tmp_path: Path) -> Field:
    return Field(known_power, tmp_path)

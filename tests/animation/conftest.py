"""A small stack with a flood on its third date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import CRS

from alos2.animation import Frame
from alos2.product.model import MapGrid
from alos2.raster.gridfile import GridBand, GridFile
from alos2.types import RasterShape, Window

GRID = MapGrid(
    CRS.from_epsg(32654).to_wkt(),
    32654,
    (25.0, 0.0, 400_000.0, 0.0, -25.0, 4_000_000.0),
    RasterShape(90, 120),
)
LAND, FLOOD = {"HH": 0.08, "HV": 0.02, "VV": 0.07}, {"HH": 0.006, "HV": 0.002, "VV": 0.006}
"""Linear power."""


def write(path: Path, values: Any, *, unit: str = "linear power", grid: MapGrid = GRID) -> Path:
    nodata = float("nan") if values.dtype.kind == "f" else 0
    bands = (GridBand("layer", unit),)
    with GridFile(path, grid, dtype=values.dtype.name, nodata=nodata, bands=bands) as file:
        file.write(Window(0, 0, *grid.shape), values)
    return path


def day(number: int) -> datetime:
    return datetime(2020, 6, 1, 3, 4, tzinfo=timezone.utc) + timedelta(days=14 * number)


MakeStack = Callable[..., list[Frame]]


@pytest.fixture
def make_stack(tmp_path: Path) -> MakeStack:
    def make(pols: tuple[Any, ...] = ("HH", "HV"), dates: int = 3) -> list[Frame]:
        frames = []
        for number in range(dates):
            layers = {}
            for pol in pols:
                rng = np.random.default_rng(7 * number + len(pol) + ord(pol[1]))
                power = np.full(GRID.shape, LAND[pol])
                power[:, 80:] *= 4
                if number == 2:
                    power[30:60, 20:70] = FLOOD[pol]
                power = power * rng.gamma(16, 1 / 16, power.shape)
                power[:10, :15] = np.nan
                layers[pol] = write(tmp_path / f"{number}.{pol}.tif", power.astype(np.float32))
            frames.append(Frame(day(number), layers))
        return frames

    return make

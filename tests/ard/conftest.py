"""Small simulated scenes with known backscatter, flat and on a roof, made once a session."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import rasterio
import rasterio.features
from pyproj import Transformer
from shapely.geometry import Polygon

from alos2.ard.grid import snapped_grid
from alos2.product.model import MapGrid, Product
from alos2.product.recognise import recognise
from alos2.simulate import SimulationSpec, Terrain, simulate

CENTER = (138.6, 35.2)


@dataclass(frozen=True)
class Simulated:
    """A simulated product with what is true of it."""

    folder: Path
    product: Product
    truth: dict[str, Any]
    dem_path: Path | None

    def again(self, **changes: Any) -> Product:
        """Recognise it anew, e.g. with a leader."""
        with recognise(self.folder, **changes) as tree:
            return tree.products[0]


Simulate = Callable[..., Simulated]


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulate:
    """Make products, each once a session."""
    kept: dict[str, Simulated] = {}

    def make(**changes: Any) -> Simulated:
        key = repr(sorted(changes.items()))
        if key not in kept:
            usual: dict[str, Any] = {
                "level": "2.1",
                "mode": "FBS",
                "pixels": 220,
                "lines": 220,
                "seed": 5,
                "lon_deg": CENTER[0],
                "lat_deg": CENTER[1],
            }
            where = tmp_path_factory.mktemp("simulated")
            result = simulate(SimulationSpec(**(usual | changes)), where)
            with recognise(result.product_dir) as tree:
                (product,) = tree.products
            truth = json.loads(result.truth_path.read_text("utf-8"))
            kept[key] = Simulated(result.product_dir, product, truth, result.dem_path)
        return kept[key]

    return make


@pytest.fixture(scope="session")
def roof(simulated: Simulate) -> Callable[..., Simulated]:
    """Products of one roof of two planes (slopes of 11 degrees along range), with its true DEM."""

    def make(level: str, **changes: Any) -> Simulated:
        lines = 480 if level == "1.1" else 220
        terrain = Terrain("roof", height_m=200.0, width_m=2000.0, azimuth_deg=-12.0)
        usual = {"level": level, "lines": lines, "terrain": terrain, "height_m": 100.0}
        return simulated(**(usual | {"dem": True, "dem_spacing_m": 8.0} | changes))

    return make


@pytest.fixture(scope="session")
def around() -> Callable[..., MapGrid]:
    """A snapped grid around the simulated scenes' centre."""

    def make(half_m: float, spacing: float, crs: str | None = None) -> MapGrid:
        north = half_m / 111_000.0
        east = north / np.cos(np.radians(CENTER[1]))
        lon, lat = CENTER
        return snapped_grid((lon - east, lat - north, lon + east, lat + north), spacing, crs)

    return make


def read(path: Path) -> npt.NDArray[Any]:
    """All of a raster's first band."""
    with rasterio.open(path) as dataset:
        return np.asarray(dataset.read(1))


def on_grid(grid: MapGrid, lon: Any, lat: Any) -> tuple[Any, Any]:
    """Grid coordinates (pixel, line; corner of the first = 0) by pyproj alone."""
    x, y = Transformer.from_crs(4326, grid.epsg, always_xy=True).transform(lon, lat)
    a, _, c, _, e, f = grid.transform
    return (np.asarray(x) - c) / a, (np.asarray(y) - f) / e


def parcel_masks(grid: MapGrid, truth: dict[str, Any], off_px: float) -> list[npt.NDArray[Any]]:
    """Cells that lie wholly within each parcel of the truth, `off_px` away from its edge."""
    masks = []
    for patch in truth["patches"]:
        lon, lat = np.array(patch["polygon"]).T
        inner = Polygon(np.column_stack(on_grid(grid, lon, lat))).buffer(-off_px)
        if inner.is_empty:
            masks.append(np.zeros(grid.shape, bool))
            continue
        masks.append(
            rasterio.features.rasterize(
                [(inner, 1)], out_shape=tuple(grid.shape), dtype="uint8"
            ).astype(bool)
        )
    return masks

"""The set of tiles against gdal2tiles -x on the product's mask."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import mercantile
import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from alos2.raster.layers import Channel, Layer, draw_layers
from alos2.raster.pictures import StretchLimits
from alos2.raster.places import Places
from alos2.raster.sinks import FolderSink
from alos2.raster.source import open_source

GDAL2TILES = shutil.which("gdal2tiles.py") or shutil.which("gdal2tiles")
ZOOM = 14
FEW = 4
"""Tiles with fewer valid pixels than this may be there or not."""


def tiles_below(folder: Path) -> set[mercantile.Tile]:
    found = set()
    for path in folder.glob("*/*/*.png"):
        z, x, y = int(path.parts[-3]), int(path.parts[-2]), int(path.stem)
        found.add(mercantile.Tile(x, 2**z - 1 - y, z))
    return found


def pixels_in_tiles(product: Any, dn: np.ndarray) -> Counter[mercantile.Tile]:
    """How many valid pixels have their centre in each tile of every zoom."""
    grid = product.images[0].grid
    lines, pixels = np.nonzero(dn)
    a, b, c, d, e, f = grid.transform
    u, v = pixels + 0.5, lines + 0.5
    lon, lat = Transformer.from_crs(grid.epsg, 4326, always_xy=True).transform(
        a * u + b * v + c, d * u + e * v + f
    )
    x = (lon + 180) / 360 * 2**ZOOM
    y = (1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * 2**ZOOM
    deepest = Counter(zip(x.astype(int).tolist(), y.astype(int).tolist(), strict=True))
    found: Counter[mercantile.Tile] = Counter()
    for (column, row), count in deepest.items():
        for up in range(ZOOM + 1):
            found[mercantile.Tile(column >> up, row >> up, ZOOM - up)] += count
    return found


@pytest.mark.skipif(GDAL2TILES is None, reason="gdal2tiles.py is not installed")
@pytest.mark.parametrize(
    ("spacing", "rotation", "corner"),
    [
        (6.25, 0.0, (400_000.0, 4_000_000.0)),
        (10.0, -12.0, (400_000.0, 4_000_000.0)),
        (2.5, 30.0, (400_000.0, 4_000_000.0)),
        (7.0, 0.0, (450_000.0, 7_700_000.0)),
    ],
    ids=["upright", "rotated", "finer than the tiles", "69 degrees north"],
)
def test_the_tiles_are_those_of_gdal2tiles(
    make: Any, tmp_path: Path, spacing: float, rotation: float, corner: tuple[float, float]
) -> None:
    y, x = np.mgrid[0:1400, 0:1500] / 1400
    inside = (x + 0.2 * y > 0.25) & (x + 0.2 * y < 1.0) & (y - 0.2 * x > 0) & (y - 0.2 * x < 0.7)
    dn = np.where(inside, make.dn(-12.0), 0).astype(np.uint16)
    dn[:60, 700:760] = 50  # an island of data, dark
    dn[600:700, 600:900] = 0
    grid = make.utm(dn.shape, spacing=spacing, rotation_deg=rotation, corner=corner)
    product = make.mapped(dn, grid)
    mask = make.geotiff(
        "mask.tif",
        np.where(dn > 0, 255, 0).astype(np.uint8),
        crs=grid.crs_wkt,
        transform=rasterio.Affine(*grid.transform),
        nodata=0,
    )
    command = [str(GDAL2TILES), "-x", "-z", f"0-{ZOOM}", "-w", "none", "-q", str(mask)]
    subprocess.run([*command, str(tmp_path / "theirs")], check=True, capture_output=True)
    sink = FolderSink(tmp_path / "ours", tms=True, deepest=ZOOM)
    layer = Layer("HH", (Channel(0),), (StretchLimits(-30, 0, "fixed"),), 0, ZOOM, sink)
    with open_source(product, product.images[0]) as source:
        draw_layers([source], Places(grid), [layer])
    ours, theirs = tiles_below(tmp_path / "ours"), tiles_below(tmp_path / "theirs")
    assert len(ours) > 20
    count = pixels_in_tiles(product, dn)
    differing = {tile: count[tile] for tile in ours ^ theirs if count[tile] >= FEW}
    assert differing == {}
    assert {tile for tile in count if count[tile] >= FEW} <= ours

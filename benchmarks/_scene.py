"""A made-up detected scene for benchmarks: uint16 in UTM with a rotated swath, as GeoTIFF.

Speckled power (3 looks) over a ground of hills and fields from -30 to 0 dB; the swath is a square
rotated by 12 degrees, which fills 71 % of the raster, with zeros outside of it; strips of one
line, uncompressed, as in JAXA's GeoTIFFs. Pixels are 6.25 m: a larger scene covers more ground.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from alos2.archive.members import FileMember
from alos2.naming import ProductId, SceneId
from alos2.product.model import Calibration, Image, MapGrid, Product, ProductFile
from alos2.types import RasterShape

SPACING_M = 6.25
EPSG = 32654
CORNER = (400_000.0, 4_000_000.0)
ROTATION_DEG = 12.0
FACTOR_DB = -83.0
_OCTAVES = (5, 17, 65, 257, 1025)
_SPECKLE = 1 << 22


def _stretched(coarse: Any, at: Any) -> Any:
    """Interpolate along the first axis at places from 0 to 1."""
    place = at * (len(coarse) - 1)
    first = np.minimum(place.astype(int), len(coarse) - 2)
    share = (place - first)[:, None].astype(np.float32)
    return coarse[first] * (1 - share) + coarse[first + 1] * share


def _swath(x: Any, y: Any) -> Any:
    """Whether places (0 to 1) are within the inscribed rotated square."""
    c, s = np.cos(np.radians(ROTATION_DEG)), np.sin(np.radians(ROTATION_DEG))
    half = 0.5 / (c + s)
    u, v = (x - 0.5) * c + (y - 0.5) * s, (y - 0.5) * c - (x - 0.5) * s
    return (np.abs(u) < half) & (np.abs(v) < half)


def make_scene(path: Path, size: int) -> None:
    """Write a scene of `size` x `size` pixels."""
    import rasterio  # noqa: PLC0415  not for who only describes it
    from rasterio.windows import Window  # noqa: PLC0415

    rng = np.random.default_rng(3)
    coarse = [rng.random((n, n), np.float32) - 0.5 for n in _OCTAVES]
    speckle = np.sqrt(rng.gamma(3.0, 1.0 / 3.0, _SPECKLE)).astype(np.float32)
    across = (np.arange(size) + 0.5) / size
    wide = [_stretched(octave.T, across).T for octave in coarse]
    profile = {
        "driver": "GTiff", "width": size, "height": size, "count": 1, "dtype": "uint16",
        "crs": f"EPSG:{EPSG}", "blockysize": 1, "BIGTIFF": "IF_SAFER",
        "transform": rasterio.Affine(SPACING_M, 0, CORNER[0], 0, -SPACING_M, CORNER[1]),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as dataset:
        for top in range(0, size, 250):
            down = (np.arange(top, min(top + 250, size)) + 0.5) / size
            level = sum(
                _stretched(octave, down) * np.float32(30.0 * 0.75**number)
                for number, octave in enumerate(wide)
            )
            amplitude = 10.0 ** ((np.clip(level - 15.0, -30.0, 0.0) - FACTOR_DB) / 20.0)
            begin = int(rng.integers(_SPECKLE))
            amplitude *= np.resize(np.roll(speckle, begin), amplitude.shape)
            numbers = np.clip(amplitude + 0.5, 1, 65535).astype(np.uint16)
            numbers *= _swath(across[None, :], down[:, None])
            dataset.write(numbers, 1, window=Window(0, top, size, len(down)))


def scene_product(path: Path, size: int) -> Product:
    """Describe the scene as a product of level 2.1 with one polarisation."""
    shape = RasterShape(size, size)
    transform = (SPACING_M, 0.0, CORNER[0], 0.0, -SPACING_M, CORNER[1])
    grid = MapGrid(f"EPSG:{EPSG}", EPSG, transform, shape)
    length = path.stat().st_size
    file = ProductFile(path.name, "IMG", length, FileMember(path, length), "HH")
    image = Image(file, "HH", None, shape, "uint16", grid=grid)
    return Product(
        scene=SceneId.parse("ALOS2015976960-140909"),
        product=ProductId.parse("FBDR2.1GUA"),
        level="2.1",
        format="geotiff",
        files=(file,),
        images=(image,),
        grid=grid,
        calibration=Calibration(FACTOR_DB, "leader"),
    )

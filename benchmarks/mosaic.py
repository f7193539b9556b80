"""Mosaics of two overlapping tracks, beside GDAL's and rasterio's.

All make the same kind of file of the same two: a COG, DEFLATE, with overviews.

* mosaic plain: every track counts the same. Peers lay one track over the other.
* mosaic feathered: gains by the overlap, weights by the distance to the edge, for which ours reads
  the tracks twice. No peer does the same: they do as above, and show what it costs.

In a fresh process each time, imports and compiled code loaded before the clock starts.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pge"))

from pyproj import CRS
from rasterio.merge import merge

from _bench import Case, compare, note, parse_arguments, show
from alos2.mosaic import MosaicInput, MosaicOptions, mosaic
from alos2.product.model import MapGrid
from alos2.raster.gridfile import GridFile
from alos2.raster.lean import rasterio
from alos2.types import RasterShape, Window

THREADS = 2
_COG = ["-of", "COG", "-co", "COMPRESS=DEFLATE", "-co", "PREDICTOR=YES", "-co", "NUM_THREADS=2"]
_TILED = ["-co", "TILED=YES", "-co", "COMPRESS=DEFLATE", "-co", "PREDICTOR=3"]


def write_tracks(folder: Path, size: int) -> None:
    """Two tracks of speckle, a third of them in common, 1.5 dB apart; slanting borders."""
    block = np.random.default_rng(1).gamma(4, 0.02, (1024, 1024)).astype(np.float32)
    crs = CRS.from_epsg(32654).to_wkt()
    for name, first, gain in (("left", 0, 1.0), ("right", size - size // 3, 1.41)):
        steps = (25.0, 0.0, 400_000.0 + 25.0 * first, 0.0, -25.0, 4_000_000.0)
        grid = MapGrid(crs, 32654, steps, RasterShape(size, size))
        with GridFile(folder / f"{name}.tif", grid, dtype="float32", nodata=float("nan")) as file:
            for line in range(0, size, 512):
                lines = min(512, size - line)
                values = np.tile(block[:lines], (1, -(-size // 1024)))[:, :size] * np.float32(gain)
                slant = (line + np.arange(lines)[:, None]) * size // 12 // size
                column = np.arange(size)
                values[(column < slant) | (column > size - size // 12 + slant)] = np.nan
                file.write(Window(line, 0, lines, size), values)


def ours(folder: Path, feathered: bool) -> None:
    inputs = [MosaicInput(folder / f"{name}.tif", name) for name in ("left", "right")]
    options = MosaicOptions(
        harmonization=feathered, weighting="feather" if feathered else "none", threads=THREADS
    )
    mosaic(inputs, None, folder / "ours.tif", options)


def warm_up(folder: Path, feathered: bool) -> None:
    """Load compiled code, by small tracks."""
    ours(folder / "small", feathered)


def tracks(folder: Path) -> list[str]:
    return [str(folder / f"{name}.tif") for name in ("left", "right")]


def gdalwarp(folder: Path) -> None:
    out = folder / "gdalwarp.tif"
    threads = ["-multi", "-wo", "NUM_THREADS=2"]
    said = ["gdalwarp", "-q", "-overwrite", *threads, *_COG, *tracks(folder), str(out)]
    subprocess.run(said, check=True)


def gdal_merge(folder: Path) -> None:
    flat, out = folder / "flat.tif", folder / "merged.tif"
    flat.unlink(missing_ok=True)
    nodata = ["-n", "nan", "-a_nodata", "nan", "-init", "nan"]
    said = ["gdal_merge.py", "-q", *nodata, *_TILED, "-o", str(flat), *tracks(folder)]
    subprocess.run(said, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["gdal_translate", "-q", *_COG, str(flat), str(out)], check=True)


def rasterio_merge(folder: Path) -> None:
    flat, out = folder / "flat.tif", folder / "rasterio.tif"
    kept: dict[str, Any] = {"driver": "GTiff", "tiled": True, "blockxsize": 512, "blockysize": 512}
    merge(tracks(folder), dst_path=str(flat), dst_kwds=kept)
    rasterio.shutil.copy(
        flat, out, driver="COG", compress="DEFLATE", predictor="YES", num_threads=THREADS
    )


def peers() -> dict[str, Callable[..., object]]:
    """Those that are here."""
    found: dict[str, Callable[..., object]] = {"rasterio.merge, then COG": rasterio_merge}
    for name, program, run in (
        ("gdalwarp -of COG", "gdalwarp", gdalwarp),
        ("gdal_merge.py, then COG", "gdal_merge.py", gdal_merge),
    ):
        if shutil.which(program):
            found[name] = run
        else:
            note(f"{program} is not on the PATH and left out")
    return found


def main() -> None:
    arguments = parse_arguments(__doc__.splitlines()[0])
    runs = arguments.runs or (3 if arguments.quick else 5)
    size = 2_000 if arguments.quick else 8_000
    rows = []
    with tempfile.TemporaryDirectory(prefix="mosaic-") as name:
        folder = Path(name)
        (folder / "small").mkdir()
        write_tracks(folder / "small", 600)
        write_tracks(folder, size)
        cases = {peer: Case(run, (folder,)) for peer, run in peers().items()}
        for title, feathered in (("mosaic plain", False), ("mosaic feathered", True)):
            mine = Case(ours, (folder, feathered), warm_up)
            rows += compare(title, f"2x{size}^2", mine, cases, runs=runs)
    show(rows, as_json=arguments.json)


if __name__ == "__main__":
    main()

"""Terrain geometry and the area model, beside sarsen on the same DEM, orbit and map.

``geocoding``: heights from the DEM's file, zero-Doppler time and slant range of every cell (ours:
all angles as well). ``area model``: the scattering area of every cell (Small 2011), given the
geocoding (ours: heights and geocoding made again, shadows looked for, the ratio read back window by
window). Radar cells are as large for both. The peer is sarsen 0.9.6; ``--peer-python`` (or the
environment's ``ALOS2_BENCH_SARSEN``) names a Python that has it; without, no peer is run. It is run
on the DEM as it is, and on the DEM resampled twice as fine, which is as fine as ours works. Both
use one thread.

Further keys: ``difference_db`` and ``spread_db`` are the median and the standard deviation of ours
over the peer's area outside of layover and shadow and two cells beside them; ``time_error_s`` and
``range_error_m`` the largest differences of the geocoding; ``peer_peak_rss_mb`` its memory.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pge"))

import numpy as np
from pyproj import CRS, Transformer

from _bench import Case, Row, note, run_once, show
from alos2.ard.terrain.arearatio import area_ratio
from alos2.ard.terrain.dem import Dem
from alos2.ard.terrain.geometry import TerrainGeometry
from alos2.ard.terrain.layovershadow import layover_shadow
from alos2.ard.terrain.sweepground import LOOKS
from alos2.ard.terrain.view import View
from alos2.product.model import MapGrid
from alos2.raster.lean import rasterio
from alos2.simulate.orbit import find_orbit
from alos2.types import RasterShape, Window

CELLS = {True: 300, False: 1500}
SPACING_M = 25.0
LON, LAT, EPSG = 138.6, 35.2, 32654
STRIP = 512
PEER = Path(__file__).with_name("_sarsen.py")
PEERS = {"sarsen 0.9.6": 1, "sarsen 0.9.6, DEM twice as fine": 2}


def the_view() -> View:
    orbit = find_orbit(
        LON, LAT, date(2020, 6, 15), look="R", pass_direction="A", off_nadir_deg=36.6
    ).orbit
    return View(orbit, "R")


def the_grid(cells: int) -> MapGrid:
    east, north = Transformer.from_crs(4326, EPSG, always_xy=True).transform(LON, LAT)
    left = SPACING_M * round(east / SPACING_M - cells / 2)
    top = SPACING_M * round(north / SPACING_M + cells / 2)
    transform = (SPACING_M, 0.0, left, 0.0, -SPACING_M, top)
    return MapGrid(CRS.from_epsg(EPSG).to_wkt(), EPSG, transform, RasterShape(cells, cells))


def write_dem(path: Path, cells: int) -> None:
    """Hills of 0 to 900 m, with slopes up to 40 degrees, on the map's own grid."""
    grid = the_grid(cells)
    x = (np.arange(cells) + 0.5) * SPACING_M
    across, down = np.meshgrid(x, x)
    heights = 450.0 + 250.0 * np.sin(across / 750.0) * np.cos(down / 900.0)
    heights += 200.0 * np.sin(across / 410.0 + down / 1700.0)
    with rasterio.open(
        path, "w", driver="GTiff", width=cells, height=cells, count=1, dtype="float32",
        crs=f"EPSG:{EPSG}", transform=rasterio.Affine(*grid.transform), tiled=True,
        blockxsize=256, blockysize=256, compress="DEFLATE",
    ) as file:  # fmt: skip
        file.write(heights.astype(np.float32), 1)


def strips(cells: int) -> list[Window]:
    return [Window(n, 0, min(STRIP, cells - n), cells) for n in range(0, cells, STRIP)]


def geocode(path: Path, cells: int) -> None:
    with Dem.open(path, heights="ellipsoid") as dem:
        geometry = TerrainGeometry(the_view(), dem, the_grid(cells))
        for window in strips(cells):
            geometry.window(window)


def flatten(path: Path, cells: int) -> None:
    with (
        Dem.open(path, heights="ellipsoid") as dem,
        TerrainGeometry(the_view(), dem, the_grid(cells)) as geometry,
    ):
        ratio = area_ratio(geometry, path.parent, threads=1)
        for window in strips(cells):
            ratio.window(window)


def warm(path: Path, cells: int) -> None:
    """Load what is compiled."""
    del cells
    geocode(path, 64)
    flatten(path, 64)


def result(path: Path, cells: int) -> dict[str, Any]:
    """Everything of ours, to compare with, and the radar cells that the peer shall use."""
    view, grid = the_view(), the_grid(cells)
    whole = Window(0, 0, cells, cells)
    with (
        Dem.open(path, heights="ellipsoid") as dem,
        TerrainGeometry(view, dem, grid) as geometry,
    ):
        area = area_ratio(geometry, path.parent).window(whole)
        mask = layover_shadow(geometry, path.parent).window(whole)
        radar = geometry.radar_window(whole)
        frame = geometry.sweep(path.parent, threads=1, cancelled=lambda: False).frame
    centre = np.s_[cells // 2 : cells // 2 + 2, cells // 2]
    pace = SPACING_M / LOOKS / frame.line_s
    assert np.isfinite(radar.time_s[centre]).all()
    return {
        "area": area, "clear": clear_of(mask), "time_s": radar.time_s,
        "slant_m": radar.slant_range_m,
        "radar": {
            "range0_m": frame.near_m + 0.5 * frame.cell_m,
            "range_m": frame.cell_m,
            "time0_s": frame.start_s + 0.5 * LOOKS * frame.line_s,
            "time_s": LOOKS * frame.line_s,
            "azimuth_m": LOOKS * frame.line_s * pace,
        },
    }  # fmt: skip


def clear_of(mask: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Cells neither masked nor within two of one that is, nor at the map's edge."""
    out = np.zeros(mask.shape, bool)
    out[10:-10, 10:-10] = True
    for down in range(-2, 3):
        for across in range(-2, 3):
            out &= np.roll(mask, (down, across), (0, 1)) == 0
    return out


def peer_run(python: str, given: Path, made: Path) -> dict[str, Any]:
    subprocess.run([python, str(PEER), str(given), str(made)], check=True, stdout=sys.stderr)
    with np.load(made) as found:
        return {key: found[key] for key in found.files}


def write_given(path: Path, dem: Path, cells: int, radar: dict[str, float], finer: int) -> None:
    orbit, (a, _, c, _, e, f) = the_view().orbit, the_grid(cells).transform
    with rasterio.open(dem) as file:
        heights = file.read(1)
    middle = orbit.times_s.size // 2
    near = slice(middle - 3, middle + 4)  # its polynomial has degree 5
    numbers = np.arange(cells) + 0.5
    np.savez(
        path, heights=heights, x=a * numbers + c, y=e * numbers + f, crs=f"EPSG:{EPSG}",
        times_s=orbit.times_s[near], positions_m=orbit.positions_m[near], finer=finer, **radar,
    )  # fmt: skip


def agreement(ours: dict[str, Any], theirs: dict[str, Any], finer: int) -> list[dict[str, Any]]:
    """Further keys of the rows of geocoding and area."""
    memory = {"peer_peak_rss_mb": round(float(theirs["peak_mb"]), 1)}
    shape = ours["area"].shape
    area = theirs["area"].reshape(shape[0], finer, shape[1], finer).mean(axis=(1, 3))
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = 10.0 * np.log10(ours["area"] / area)[ours["clear"]]
    apart = apart[np.isfinite(apart)]
    radiometry = {
        "difference_db": round(float(np.median(apart)), 4),
        "spread_db": round(float(apart.std()), 4),
    }
    geometry = {}
    if finer == 1:
        geometry = {
            "time_error_s": float(f"{np.nanmax(np.abs(ours['time_s'] - theirs['time_s'])):.2g}"),
            "range_error_m": float(f"{np.nanmax(np.abs(ours['slant_m'] - theirs['slant_m'])):.2g}"),
        }
    return [geometry | memory, radiometry | memory]


def measure(folder: Path, cells: int, python: str | None, runs: int) -> Iterator[Row]:
    dem, size = folder / "dem.tif", f"{cells} x {cells}"
    write_dem(dem, cells)
    cases = {
        "geocoding": Case(geocode, (dem, cells), warm),
        "area model": Case(flatten, (dem, cells), warm),
    }
    ours = result(dem, cells)
    samples: dict[str, list[Any]] = {name: [] for name in cases}
    peers: dict[str, list[dict[str, Any]]] = {name: [] for name in PEERS if python is not None}
    for _ in range(runs):
        for name, case in cases.items():
            samples[name].append(run_once(case))
        for name, found in peers.items():
            given = folder / "given.npz"
            write_given(given, dem, cells, ours["radar"], PEERS[name])
            found.append(peer_run(str(python), given, folder / "made.npz"))
    for number, name in enumerate(cases):
        seconds = statistics.median(sample.seconds for sample in samples[name])
        memory = round(max(sample.peak_rss_mb for sample in samples[name]), 1)
        if not peers:
            yield Row(name, size, round(seconds, 4), None, None, None, memory, runs)
        for peer, found in peers.items():
            key = ("geocoding_s", "area_s")[number]
            theirs = statistics.median(float(one[key]) for one in found)
            yield Row(
                name, size, round(seconds, 4), peer, round(theirs, 4), round(theirs / seconds, 2),
                memory, runs, agreement(ours, found[-1], PEERS[peer])[number],
            )  # fmt: skip


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true", help="one JSON object a row")
    arguments.add_argument("--quick", action="store_true", help="a smaller case, for a first look")
    arguments.add_argument("--runs", type=int, default=3, help="runs of each (median is taken)")
    arguments.add_argument("--peer-python", help="a Python that has sarsen")
    options = arguments.parse_args()
    python = options.peer_python or os.environ.get("ALOS2_BENCH_SARSEN")
    if python is None:
        note("sarsen is left out: --peer-python names no Python that has it")
    with tempfile.TemporaryDirectory() as folder:
        rows = list(measure(Path(folder), CELLS[options.quick], python, options.runs))
    show(rows, as_json=options.json)


if __name__ == "__main__":
    main()

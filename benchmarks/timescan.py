"""Timescans: five metrics of 30 dates, beside OpenSarToolkit's own ``mt_metrics``.

The same files go in (uncompressed tiles of 128 x 128, as OpenSarToolkit writes them, dB as uint8 or
uint16 codes or float32), and the same come out: ``outliers`` with its outlier removal (its
default), ``plain`` without. Peers: ``OST``, and ``read+write``, which reads the same pieces of
the same files with the same threads and writes as many files of the same form, and computes
nothing: there the inputs are dropped from the system's cache before every run of either (``cold_s``
says how long ours takes then), while OST and ours beside it find them there. ``COG`` is what
``alos2 stack`` writes and reads; ``dates`` and ``pixels`` are shares of the first sizes, of which
``linear`` says how long they took for what a date or pixel takes in the largest.

``--peer-python`` (or ``ALOS2_BENCH_OST``) names a Python that has opensartoolkit and osgeo; without
it that peer is left out. ``--compare`` instead: are the values those of OpenSarToolkit where it is
right, and differ as expected, and as the definitions say, where it has a known defect?
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pge"))

import numpy as np

from _bench import Case, Row, Sample, alone, note, run_once, show
from alos2.raster.gridfile import read_grid
from alos2.raster.lean import RasterioWindow, rasterio
from alos2.timeseries.model import Encoding, Layer, Series
from alos2.timeseries.timescan import timescan
from alos2.timeseries.timescanoptions import TimescanOptions

HELPER = Path(__file__).with_name("_ost.py")
METRICS = ("avg", "max", "min", "std", "cov")
TYPES = ("uint8", "uint16", "float32")
DATES = 30
TILE = 128
SIZES = (2000, 5000)
SHARES = {
    "dates": ((10, 2000), (20, 2000), (30, 2000)),
    "pixels": ((30, 1000), (30, 2000), (30, 4000)),
}
NOISE = 1 << 18


@dataclass(frozen=True)
class Stack:
    """Files of one series."""

    folder: Path
    dates: int
    size: int
    dtype: str

    @property
    def paths(self) -> list[Path]:
        """By date."""
        return [self.folder / f"{number:02d}.tif" for number in range(self.dates)]

    @property
    def label(self) -> str:
        """What the table calls it."""
        return f"{self.dates} x {self.size}^2 {self.dtype}"

    @property
    def when(self) -> list[datetime]:
        """Every two weeks."""
        first = datetime(2015, 1, 4, tzinfo=timezone.utc)
        return [first + timedelta(days=14 * number) for number in range(self.dates)]


def codes_of(db: Any, dtype: str) -> Any:
    if dtype == "float32":
        return db.astype(np.float32)
    top = np.iinfo(dtype).max
    return np.rint((np.clip(db, -30, 5) + 30) / (35 / (top - 1)) + 1).astype(dtype)


def make(stack: Stack, *, layout: str = "GTiff", gaps: bool = False) -> Stack:
    """Write speckle of eight looks over hills; every eleventh date has bright spots."""
    stack.folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(5)
    noise = 10 * np.log10(chance.gamma(8, 1 / 8, NOISE + stack.size))
    x = np.arange(stack.size)
    ground = -14 + 6 * np.sin(x / 37)[:, np.newaxis] + 3 * np.cos(x / 53)
    profile: dict[str, Any] = {
        "height": stack.size, "width": stack.size, "count": 1, "dtype": stack.dtype, "nodata": 0,
        "crs": "EPSG:32654", "transform": rasterio.Affine(25, 0, 3e5, 0, -25, 4e6),
    }  # fmt: skip
    if layout == "COG":
        profile |= {"driver": "COG", "blocksize": 512, "compress": "DEFLATE", "predictor": "YES"}
    else:
        profile |= {"driver": "GTiff", "tiled": True, "blockxsize": TILE, "blockysize": TILE}
    for number, path in enumerate(stack.paths):
        with rasterio.open(path, "w", **profile) as file:
            for line in range(0, stack.size, TILE):
                lines = min(TILE, stack.size - line)
                starts = chance.integers(0, NOISE, lines)
                db = ground[line : line + lines] + noise[starts[:, np.newaxis] + x]
                if number % 11 == 5:
                    db[:, : stack.size // 7] += 9
                values = codes_of(db, stack.dtype)
                if gaps:
                    first = number * stack.size // stack.dates
                    values[:, first : first + stack.size // 10] = 0
                file.write(values, 1, window=RasterioWindow(0, line, stack.size, lines))
    return stack


def virtual(stack: Stack) -> Path:
    """Write the stack as one virtual dataset, as OpenSarToolkit reads it."""
    kind = {"uint8": "Byte", "uint16": "UInt16", "float32": "Float32"}[stack.dtype]
    with rasterio.open(stack.paths[0]) as file:
        head = f"<SRS>{file.crs.to_wkt().replace('<', '')}</SRS>"
        numbers = ", ".join(map(str, file.transform.to_gdal()))
    size = f'xOff="0" yOff="0" xSize="{stack.size}" ySize="{stack.size}"'
    bands = "".join(
        f'<VRTRasterBand dataType="{kind}" band="{number}"><NoDataValue>0</NoDataValue>'
        f'<ComplexSource><SourceFilename relativeToVRT="1">{path.name}</SourceFilename>'
        f"<SourceBand>1</SourceBand><SrcRect {size}/><DstRect {size}/><NODATA>0</NODATA>"
        "</ComplexSource></VRTRasterBand>"
        for number, path in enumerate(stack.paths, 1)
    )
    path = stack.folder / "stack.vrt"
    path.write_text(
        f'<VRTDataset rasterXSize="{stack.size}" rasterYSize="{stack.size}">{head}'
        f"<GeoTransform>{numbers}</GeoTransform>{bands}</VRTDataset>"
    )
    return path


def series_of(stack: Stack) -> Series:
    layers = tuple(Layer(path, when) for path, when in zip(stack.paths, stack.when, strict=True))
    encoding = Encoding("db", stack.dtype, nodata=0.0)  # type: ignore[arg-type]
    return Series("HH", layers, read_grid(stack.paths[0]), encoding)


def options_of(stack: Stack, *, outliers: bool, cog: bool = False) -> TimescanOptions:
    same = TimescanOptions(METRICS, remove_outliers=outliers, dtype=stack.dtype)  # type: ignore[arg-type]
    return same if cog else replace(same, layout="tiled", compress=None, block=TILE)


def drop(stack: Stack, *_: Any) -> None:
    """Take the inputs out of the system's cache."""
    if not hasattr(os, "posix_fadvise"):
        return
    for path in stack.paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def ours(stack: Stack, out: Path, outliers: bool, cog: bool = False) -> None:
    timescan(series_of(stack), out, options_of(stack, outliers=outliers, cog=cog))


def fill(stack: Stack) -> None:
    """Bring the inputs into the system's cache."""
    for path in stack.paths:
        with path.open("rb") as file:
            while file.read(1 << 22):
                pass


def load_kernels(stack: Stack, out: Path, outliers: bool, cog: bool = False) -> None:
    small = replace(stack, folder=stack.folder / "small", size=64)
    if not small.folder.exists():
        make(small)
    ours(small, out / "small", outliers, cog)


def warm(stack: Stack, out: Path, outliers: bool, cog: bool = False) -> None:
    load_kernels(stack, out, outliers, cog)
    fill(stack)


def cold(stack: Stack, out: Path, outliers: bool, cog: bool = False) -> None:
    load_kernels(stack, out, outliers, cog)
    drop(stack)


def nothing_of(_series: Series, _options: TimescanOptions) -> Any:
    planes = len(METRICS)

    def compute(numbers: Any) -> list[Any]:
        return [numbers[index] for index in range(planes)]

    return compute


def read_and_write(stack: Stack, out: Path, outliers: bool, cog: bool = False) -> None:
    """Do all that a timescan does but compute."""
    from alos2.timeseries import timescan as module  # noqa: PLC0415

    module.Values = lambda *_: nothing_of(*_[:2])  # type: ignore[misc, assignment]
    ours(stack, out, outliers, cog)


def run_ost(
    python: str, stack: Stack, out: Path, *, outliers: bool, metrics: Sequence[str] = METRICS
) -> Sample:
    out.mkdir(parents=True, exist_ok=True)
    fill(stack)
    names = ",".join(f"{when:%y%m%d}" for when in stack.when)
    ended = subprocess.run(
        [
            python, str(HELPER), str(virtual(stack)), str(out / "bs.HH"), str(int(outliers)),
            ",".join(metrics), names,
        ],
        check=True,
        capture_output=True,
        text=True,
    )  # fmt: skip
    return Sample(**json.loads(ended.stdout.splitlines()[-1]))


def measure(stack: Stack, out: Path, python: str | None, runs: int, ost_runs: int) -> Iterator[Row]:
    """Ours and the peers in turn."""
    for outliers in (True, False):
        taken: dict[str, list[Sample]] = {key: [] for key in ("warm", "cold", "OST", "read+write")}
        for run in range(runs):
            arguments = (stack, out / "ours", outliers)
            taken["warm"].append(run_once(Case(ours, arguments, warm)))
            if python and run < ost_runs:
                taken["OST"].append(run_ost(python, stack, out / "ost", outliers=outliers))
            taken["cold"].append(run_once(Case(ours, arguments, cold)))
            taken["read+write"].append(run_once(Case(read_and_write, arguments, cold)))
        for peer, beside in (("OST", "warm"), ("read+write", "cold")):
            if taken[peer]:
                yield _row("outliers" if outliers else "plain", stack, taken, peer, beside)


def _row(name: str, stack: Stack, taken: dict[str, list[Sample]], peer: str, beside: str) -> Row:
    median = {
        key: statistics.median(sample.seconds for sample in samples)
        for key, samples in taken.items()
        if samples
    }
    mine = [sample.seconds for sample in taken[beside]]
    return Row(
        name, stack.label, round(median[beside], 4), peer, round(median[peer], 4),
        round(median[peer] / median[beside], 2),
        round(max(sample.peak_rss_mb for sample in taken[beside]), 1), len(mine),
        {
            "cold_s": round(median["cold"], 3),
            "fastest_s": round(min(mine), 3),
            "slowest_s": round(max(mine), 3),
            "peer_fastest_s": round(min(sample.seconds for sample in taken[peer]), 3),
            "peer_rss_mb": round(max(sample.peak_rss_mb for sample in taken[peer]), 1),
        },
    )  # fmt: skip


def linear(folder: Path, runs: int) -> Iterator[Row]:
    """Shares of one size."""
    for name, sizes in SHARES.items():
        rows: list[tuple[int, Row]] = []
        for dates, size in sizes:
            stack = make(Stack(folder / f"{name}{dates}-{size}", dates, size, "uint16"))
            case = Case(ours, (stack, folder / "out", True), cold)
            rows.append((dates * size * size, alone(name, stack.label, case, runs=runs)))
            shutil.rmtree(stack.folder)
        most, longest = rows[-1][0], rows[-1][1].ours_s
        for samples, row in rows:
            yield replace(row, more={"linear": round(row.ours_s / (longest * samples / most), 2)})


def cog(folder: Path, size: int, runs: int) -> Iterator[Row]:
    """COGs in and out, as ``alos2 stack`` has them."""
    for dtype in ("uint16", "float32"):
        stack = make(Stack(folder / f"cog-{dtype}", DATES, size, dtype), layout="COG")
        read = sum(path.stat().st_size for path in stack.paths)
        case = Case(ours, (stack, folder / "out", True, True), cold)
        yield alone("COG", stack.label, case, runs=runs, more={"read_mb": round(read / 1e6)})
        shutil.rmtree(stack.folder)


def rows_of(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    quick = options.quick
    for size in (500,) if quick else options.sizes:
        for dtype in ("uint8",) if quick else TYPES:
            stack = make(Stack(folder / f"{size}-{dtype}", DATES, size, dtype))
            few = 1 if size > min(SIZES) else options.runs
            yield from measure(stack, folder / "out", options.peer_python, options.runs, few)
            shutil.rmtree(stack.folder)
    if not quick:
        yield from linear(folder, options.runs)
        yield from cog(folder, min(options.sizes), options.runs)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", action="store_true", help="one JSON object a row")
    arguments.add_argument("--quick", action="store_true", help="a smaller case, for a first look")
    arguments.add_argument("--runs", type=int, default=3, help="runs of each (median is taken)")
    arguments.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="pixels a side")
    arguments.add_argument(
        "--peer-python",
        default=os.environ.get("ALOS2_BENCH_OST"),
        help="a Python that has opensartoolkit",
    )
    arguments.add_argument("--compare", action="store_true", help="compare values, not times")
    options = arguments.parse_args()
    if not options.peer_python:
        note("no OST: --peer-python names no Python that has opensartoolkit")
    with tempfile.TemporaryDirectory() as name:
        if options.compare:
            from _timescanvalues import compare  # noqa: PLC0415

            return compare(Path(name), options.peer_python)
        show(rows_of(options, Path(name)), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())

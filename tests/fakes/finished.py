"""Finished stacks whose numbers are known, written as `alos2 stack run` leaves them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from pyproj import CRS, Transformer

from alos2.product.model import MapGrid
from alos2.raster.gridfile import GridBand, GridFile
from alos2.stack.planning.model import Track
from alos2.stack.result.item import StackContent, dataset_id, documents
from alos2.timeseries.metrics import TABLE
from alos2.timeseries.model import Encoding
from alos2.types import RasterShape, Window

Plane = npt.NDArray[np.float32]
SHAPE = (560, 640)
EMPTY_PX = 40
"""Columns at the left that no date has."""
GAP_DATE, GAP_PX = 1, 200
"""HV of this date has nothing left of this column."""
FLOODED = (2, 3)
"""Numbers of the dates with water in the disc."""
DISC = (280, 400, 90)
"""Line, pixel and radius of it."""
CORNER = (320_000.0, 3_930_000.0)
SPACING_M = 25.0
DATES = tuple(datetime(2020, 6, 15, 2, 40, 12, tzinfo=timezone.utc) + timedelta(days=28 * n)
              for n in range(5))  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """A finished stack, and what is true of it."""

    id: str
    folder: Path
    grid: MapGrid
    decibels: Mapping[str, Sequence[Plane]] = field(repr=False)
    """By polarisation, of each date."""
    metrics: Mapping[tuple[str, str], Plane] = field(repr=False)
    names: tuple[str, ...] = ()
    """Of the dates."""

    def lonlat(self, line: float, pixel: float) -> tuple[float, float]:
        """The place of a pixel's centre."""
        a, _, c, _, e, f = self.grid.transform
        there = Transformer.from_crs(self.grid.crs_wkt, "EPSG:4326", always_xy=True)
        lon, lat = there.transform(c + a * (pixel + 0.5), f + e * (line + 0.5))
        return float(lon), float(lat)


def truth(shape: tuple[int, int], number: int, pol: str) -> Plane:
    """The backscatter of a date, dB; NaN = no data."""
    line, pixel = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    db = -12 + 4 * np.sin(pixel / 40) + 2 * np.cos(line / 55) + 0.2 * number
    if number in FLOODED:
        db = np.where(np.hypot(line - DISC[0], pixel - DISC[1]) < DISC[2], db - 9, db)
    if pol == "HV":
        db = db - 7
        if number == GAP_DATE:
            db = np.where(pixel < GAP_PX, np.nan, db)
    return np.where(pixel < EMPTY_PX, np.nan, db).astype(np.float32)


def make_finished(
    archive: Path,
    *,
    dtype: str = "float32",
    mosaic: bool = False,
    shape: tuple[int, int] = SHAPE,
    dates: Sequence[datetime] = DATES,
    metrics: Sequence[str] = ("avg", "max", "std", "count", "phase", "trend"),
    path: int = 97,
) -> Finished:
    """Write a stack of HH and HV into an archive."""
    grid = MapGrid(
        CRS.from_epsg(32654).to_wkt(), 32654,
        (SPACING_M, 0.0, CORNER[0], 0.0, -SPACING_M, CORNER[1]), RasterShape(*shape),
    )  # fmt: skip
    work = archive / f".making-{dtype}-{mosaic}"
    decibels = {
        pol: [truth(shape, number, pol) for number in range(len(dates))] for pol in ("HH", "HV")
    }
    names = tuple(f"{when:%Y%m%d}" for when in dates)
    if mosaic:
        names = tuple(f"{when:%Y%m%d}-{when + timedelta(days=5):%Y%m%d}" for when in dates)
    encoding = Encoding("db", dtype)  # type: ignore[arg-type]
    for pol, planes in decibels.items():
        for when, name, plane in zip(dates, names, planes, strict=True):
            tags = {} if mosaic else _tags(when, pol, encoding)
            _write(work / f"Timeseries/{name}.bs.{pol}.tif", grid, plane, encoding, pol, tags=tags)
    made = {(m, pol): _metric(m, planes) for pol, planes in decibels.items() for m in metrics}
    for (metric, pol), plane in made.items():
        _write_metric(
            work / f"Timescan/bs.{pol}.{metric}.tif", grid, plane, metric, dtype, tagged=not mosaic
        )
    if not mosaic:
        _pictures(work)
    track = Track(
        f"P{path:03}_F2900_FBD_36.6_R_A", path, ("2900",), "FBD", "R", "A", (), 36.6,
        ("HH", "HV"), (),
    )  # fmt: skip
    all_dates = sorted({*dates, *(when + timedelta(days=5) for when in dates if mosaic)})
    content = StackContent(
        (track,), mosaic, tuple(all_dates),
        tuple(f"ALOS2043672900-{when:%y%m%d}-FBDR2.1GUA" for when in dates),
        ("20200520",), ("HH", "HV"), _footprint(grid), grid, _PARAMETERS, _sums(work),
        datetime(2021, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
    )  # fmt: skip
    name = dataset_id(content)
    if not mosaic:
        for end, size in (("browse", 300), ("browse_small", 60)):
            Image.new("RGB", (size, size), (20, 90, 120)).save(work / f"{name}.{end}.png")
        content = StackContent(**{**content.__dict__, "files": _sums(work)})
    for file, data in documents(content).items():
        (work / file).write_bytes(data)
    return Finished(name, work.rename(archive / name), grid, decibels, made, names)


_PARAMETERS: dict[str, Any] = {
    "steps": {
        "ard": {"version": 1, "heights": "egm96",
                "options": {"resolution_m": 25.0, "product_type": "RTC-gamma0", "border_px": 0,
                            "speckle_filter": {"filter": "Lee"}}},
        "series": {"version": 1, "options": {
            "remove_mt_speckle": True, "minimum_db": -30.0, "dtype_output": "float32",
            "mt_speckle_filter": {"filter": "Lee", "window_size": 5}}},
        "timescan": {"version": 1, "options": {"metrics": ["avg"], "z_threshold": 2.0}},
    },
    "dem": "dem.tif",
}  # fmt: skip


def _tags(when: datetime, pol: str, encoding: Encoding) -> dict[str, str]:
    return {
        "acquired": f"{when:%Y-%m-%dT%H:%M:%S.%fZ}",
        "polarization": pol,
        "quantity": encoding.quantity,
        "minimum_db": repr(encoding.minimum),
        "maximum_db": repr(encoding.maximum),
    }


def _write(
    path: Path, grid: MapGrid, db: Plane, encoding: Encoding, pol: str, *, tags: Mapping[str, str]
) -> None:
    numbers = encoding.encode((10.0 ** (db.astype(np.float64) / 10)).astype(np.float32))
    path.parent.mkdir(parents=True, exist_ok=True)
    with GridFile(path, grid, dtype=encoding.dtype, nodata=encoding.nodata,
                  bands=(GridBand(pol, "dB"),), tags=tags) as file:  # fmt: skip
        file.write(Window(0, 0, *grid.shape), numbers)


def _write_metric(
    path: Path, grid: MapGrid, plane: Plane, metric: str, dtype: str, *, tagged: bool
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tags, numbers, nodata = {"metric": metric}, plane, math.nan
    if dtype != "float32":
        low, high = TABLE[metric].limits(dtype)  # type: ignore[arg-type]
        codes = np.rint((np.clip(plane, low, high) - low) / ((high - low) / 254) + 1)
        numbers, nodata = np.nan_to_num(codes, nan=0).astype(dtype), 0
        tags |= {} if not tagged else {"code_minimum": f"{low:.9g}", "code_maximum": f"{high:.9g}"}
    with GridFile(path, grid, dtype=dtype, nodata=nodata, tags=tags,
                  overviews=TABLE[metric].overviews,
                  bands=(GridBand(metric, TABLE[metric].unit),)) as file:  # fmt: skip
        file.write(Window(0, 0, *grid.shape), numbers)


def _metric(metric: str, planes: Sequence[Plane]) -> Plane:
    """A metric by numpy; those of the yearly cycle are made up."""
    power = 10.0 ** (np.stack(planes).astype(np.float64) / 10)
    known = np.isfinite(power).sum(axis=0)
    held = np.where(np.isfinite(power), power, 0.0)
    mean = held.sum(axis=0) / np.where(known == 0, np.nan, known)
    made = {
        "avg": lambda: 10 * np.log10(mean),
        "max": lambda: 10 * np.log10(np.where(known == 0, np.nan, held.max(axis=0))),
        "std": lambda: np.sqrt(np.maximum((held**2).sum(axis=0) / known - mean**2, 0)),
        "count": lambda: np.where(known == 0, np.nan, known),
        "phase": lambda: np.where(known == 0, np.nan, (np.arange(mean.shape[1]) % 60) / 10 - 3),
        "trend": lambda: np.where(known == 0, np.nan, (np.arange(mean.shape[1]) - 300) / 100),
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(made[metric](), np.float32)


def _pictures(work: Path) -> None:
    folder = work / "Animation"
    folder.mkdir()
    frames = [Image.new("P", (160, 140), 30 * n) for n in range(3)]
    for name in ("track.gif", "track.blink.gif"):
        frames[0].save(folder / name, save_all=True, append_images=frames[1:], duration=1000)
    for name in ("track.before-after.png", "bs.HH.avg.png"):
        Image.new("RGB", (160, 140), (20, 90, 120)).save(folder / name)


def _footprint(grid: MapGrid) -> dict[str, Any]:
    a, _, c, _, e, f = grid.transform
    lines, pixels = grid.shape
    there = Transformer.from_crs(grid.crs_wkt, "EPSG:4326", always_xy=True)
    corners = ((0, EMPTY_PX), (lines, EMPTY_PX), (lines, pixels), (0, pixels), (0, EMPTY_PX))
    ring = [list(there.transform(c + a * pixel, f + e * line)) for line, pixel in corners]
    return {"type": "Polygon", "coordinates": [ring]}


def _sums(work: Path) -> dict[str, tuple[int, str]]:
    found = {}
    for path in sorted(work.rglob("*")):
        if path.is_file() and not path.name.endswith(".json"):
            data = path.read_bytes()
            name = path.relative_to(work).as_posix()
            found[name] = (len(data), hashlib.sha256(data).hexdigest())
    return found


def item_of(stack: Finished) -> dict[str, Any]:
    """Its STAC item."""
    item: dict[str, Any] = json.loads((stack.folder / f"{stack.id}.stac.json").read_text("utf-8"))
    return item

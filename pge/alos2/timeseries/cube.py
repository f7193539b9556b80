"""Time series as one cube of time, y and x, by the CF conventions, that xarray opens lazily.

A variable a polarisation, in the numbers that the series has: float32, or codes with
``scale_factor`` and ``add_offset``, which readers turn into decibels themselves.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from alos2.errors import UsageError
from alos2.raster.control import check
from alos2.raster.files import make_folder, refusal
from alos2.raster.leftovers import hidden_stem, remove_leftovers
from alos2.raster.manyfiles import ManyFiles
from alos2.raster.pictures import Cancelled, Progress, never, silent
from alos2.timeseries.cfnames import GRID_MAPPING, axes, crs_attributes, times, value_attributes
from alos2.timeseries.model import Series
from alos2.timeseries.netcdfstore import NetcdfStore
from alos2.timeseries.zarrstore import ZarrStore
from alos2.types import Json, RasterShape, Window

CubeFormat: TypeAlias = Literal["zarr", "netcdf"]

SUFFIX: Final[dict[str, str]] = {"zarr": ".zarr", "netcdf": ".nc"}
_CHUNK: Final = (32, 256, 256)
"""Dates, lines, pixels: 8 MB of float32; a pixel's series of a year is one chunk."""
_WINDOW: Final = (512, 2048)
"""Lines and pixels that are read at a time, multiples of a chunk's: 128 MB of 32 dates."""


class CubeStore(Protocol):
    """Where a cube is written; a context manager."""

    def attributes(self, said: Json) -> None:
        """Say what concerns the whole."""

    def coordinate(
        self, name: str, values: npt.NDArray[Any], dimensions: Sequence[str], said: Json
    ) -> None:
        """Write a coordinate, or with no dimensions a scalar."""

    def values(
        self,
        name: str,
        layout: tuple[tuple[int, ...], tuple[int, ...]],
        kind: tuple[str, float | int],
        said: Json,
    ) -> None:
        """Declare a variable of time, y, x: shape and chunks, type and fill value."""

    def put(self, name: str, place: Sequence[int], values: npt.NDArray[Any]) -> None:
        """Write a part that begins where a chunk begins."""


def write_cube(
    series: Sequence[Series],
    path: Path,
    format: CubeFormat = "zarr",  # noqa: A002  xarray's word too
    *,
    threads: int = 2,
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> Path:
    """Write series of one grid, one a polarisation, as a cube.

    Parameters
    ----------
    series
        Their dates may differ: a date that one has not is no data there.
    path
        Of the cube: a folder (zarr) or a file (netcdf). What was there is replaced, and only when
        all went well.
    format
        ``zarr`` (version 2) or ``netcdf`` (netCDF-4).
    progress
        Told the stage ``cube``, in windows.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    UsageError
        Series that do not belong together, a rotated grid, or netCDF without its packages.
    BadProduct
        A file cannot be read.
    NoSpace, NoResource
        The cube cannot be written.
    Interrupted
        `cancelled` said so.
    """
    _require_together(series)
    if format not in SUFFIX:
        raise UsageError(f"a cube is zarr or netcdf, not {format!r}")
    make_folder(path.parent)
    remove_leftovers(path)
    unfinished = path.with_name(f"{hidden_stem(path)}.part")
    try:
        if format == "zarr":
            with ZarrStore(unfinished, threads) as store:
                _write(series, store, threads, progress, cancelled)
        else:
            with NetcdfStore(unfinished) as file:
                _write(series, file, threads, progress, cancelled)
        _take_place(unfinished, path)
    finally:
        _remove(unfinished)
    return path


def _require_together(series: Sequence[Series]) -> None:
    if not series:
        raise UsageError("there is no series to make a cube of")
    names = [one.polarization for one in series]
    if len(set(names)) < len(names):
        raise UsageError(f"a cube has each polarisation once, not {', '.join(names)}")
    for one in series:
        if one.grid != series[0].grid:
            raise UsageError(
                f"the series of {one.polarization} lies on another grid than that of {names[0]}",
                hint="make a cube of each",
            )


def _write(
    series: Sequence[Series],
    store: CubeStore,
    threads: int,
    progress: Progress,
    cancelled: Cancelled,
) -> None:
    grid = series[0].grid
    dates = sorted({when for one in series for when in one.dates})
    where = {when: number for number, when in enumerate(dates)}
    store.attributes(
        {
            "Conventions": "CF-1.10",
            "title": f"Radar backscatter of {series[0].name or 'a track'} over time",
            "source": "ALOS-2 PALSAR-2",
        }
    )
    values, said = times(dates)
    store.coordinate("time", values, ("time",), said)
    for name, (places, about) in axes(grid).items():
        store.coordinate(name, places, (name,), about)
    store.coordinate(GRID_MAPPING, np.array(0, np.int32), (), crs_attributes(grid))
    shape = (len(dates), *grid.shape)
    layout = shape, tuple(min(sizes) for sizes in zip(_CHUNK, shape, strict=True))
    work = [(one, first) for one in series for first in range(0, len(dates), _CHUNK[0])]
    for one in series:
        store.values(
            one.polarization,
            layout,
            (one.encoding.dtype, _fill(one)),
            value_attributes(one.polarization, one.encoding),
        )
    windows = list(_windows(grid.shape))
    done = 0
    for one, first in work:
        part = range(first, min(first + _CHUNK[0], len(dates)))
        chosen = [layer for layer in one.layers if where[layer.when] in part]
        if not chosen:
            done += len(windows)
            continue
        rows = [where[layer.when] - first for layer in chosen]
        with ManyFiles([(layer.path, layer.band) for layer in chosen], threads=threads) as files:
            for window in windows:
                check(cancelled)
                block = _block(one, files, window, rows, len(part))
                store.put(one.polarization, (first, window.line, window.pixel), block)
                done += 1
                progress("cube", done, len(work) * len(windows))


def _block(
    series: Series, files: ManyFiles, window: Window, rows: list[int], dates: int
) -> npt.NDArray[Any]:
    """Return a window of some dates, what is missing filled."""
    fill = _fill(series)
    found = files.read(window)
    if series.encoding.codes is None and not math.isnan(series.encoding.nodata):
        found[found == series.encoding.nodata] = fill
    if rows == list(range(dates)):
        return found
    block = np.full((dates, window.lines, window.pixels), fill, found.dtype)
    block[rows] = found
    return block


def _fill(series: Series) -> float | int:
    return 0 if series.encoding.codes else float("nan")


def _windows(shape: RasterShape) -> Iterator[Window]:
    down, across = _WINDOW
    for line in range(0, shape.lines, down):
        for pixel in range(0, shape.pixels, across):
            yield Window(
                line, pixel, min(down, shape.lines - line), min(across, shape.pixels - pixel)
            )


def _take_place(finished: Path, path: Path) -> None:
    """Rename, in place of an older cube."""
    older = path.with_name(f".{path.name}.{os.getpid()}.older")
    try:
        if path.is_dir():
            path.replace(older)
        finished.replace(path)
    except OSError as error:
        if older.exists() and not path.exists():
            older.replace(path)
        raise refusal(path, error) from error
    _remove(older)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)

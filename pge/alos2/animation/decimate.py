"""Rasters at the size of a picture: means over cells of what the numbers mean, bounded memory.

Overviews are used where they are means of it, as this project's files say; else the full image is
averaged, for a mean of decibels of speckle is too dark.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from alos2.animation.model import Decode, Plane
from alos2.errors import BadProduct, UsageError
from alos2.product.model import MapGrid
from alos2.raster.blocks import multilook
from alos2.raster.canvas import canvas_of
from alos2.raster.gridfile import grid_of
from alos2.raster.lean import RasterioError, RasterioWindow, rasterio
from alos2.raster.overviews import MEANS, POWER_MEANS, TAG
from alos2.raster.pictures import Cancelled, never
from alos2.raster.reports import CalibrationUsed
from alos2.types import RasterShape, Window

_LEAST_CELL: Final = 4
"""Pixels of an overview that a pixel of a picture is at least made of: enough to choose its size
freely, and to smooth the overview's edges."""


class Reduced(NamedTuple):
    """A raster at the size of a picture."""

    values: Plane
    """Shape (height, width), NaN = no data."""
    grid: MapGrid
    """Of what was read, in pixels of the raster."""
    pixels_each: float
    """Pixels of the raster along a pixel of the picture."""


class RasterSource:
    """An open raster as `raster.blocks` wants it."""

    def __init__(self, dataset: Any, decode: Decode) -> None:
        self.name = Path(dataset.name).name
        self.shape = RasterShape(dataset.height, dataset.width)
        self.grid: MapGrid | None = None
        self.calibration = CalibrationUsed(None, "none")
        self._dataset = dataset
        self._decode = decode

    def power(self, window: Window) -> Plane:
        """Return what the numbers of a window mean."""
        place = RasterioWindow(window.pixel, window.line, window.pixels, window.lines)
        try:
            return self._decode(self._dataset.read(1, window=place))
        except (RasterioError, OSError) as error:
            raise BadProduct(f"{self._dataset.name}: it cannot be read: {error}") from error

    def valid(self, window: Window) -> npt.NDArray[np.bool_]:
        """Return which of them mean anything."""
        return np.isfinite(self.power(window))


def plain(nodata: float | None) -> Decode:
    """Return how floating-point numbers are taken as they are."""

    def decode(values: npt.NDArray[Any]) -> Plane:
        numbers = values.astype(np.float32)
        if nodata is not None and not np.isnan(nodata):
            numbers[values == nodata] = np.nan
        numbers[~np.isfinite(numbers)] = np.nan
        return numbers

    return decode


def from_decibels(nodata: float | None) -> Decode:
    """Return how decibels become power."""
    numbers = plain(nodata)

    def decode(values: npt.NDArray[Any]) -> Plane:
        return np.asarray(np.power(np.float32(10), numbers(values) * np.float32(0.1)))

    return decode


def in_decibels(dataset: Any) -> bool:
    """Whether an open raster says that its numbers are dB."""
    return (dataset.units[0] or "").strip().lower() == "db"


def read_power(
    path: Path,
    max_px: int,
    decode: Decode | None = None,
    *,
    window: Window | None = None,
    cancelled: Cancelled = never,
) -> Reduced:
    """Read backscatter at the size of a picture.

    Parameters
    ----------
    path
        GeoTIFF; its first band.
    max_px
        Long side of the picture, at most.
    decode
        From the file's numbers to power; None: as it says of itself.
    window
        What is drawn; None: all of it.

    Raises
    ------
    BadProduct
        It cannot be read.
    UsageError
        It holds codes, and nobody says of what.
    Interrupted
        `cancelled` said so.
    """
    with opened(path) as dataset:
        nodata = dataset.nodatavals[0]
        of_power = dataset.tags().get(TAG) == POWER_MEANS
        if decode is None:
            _check_floats(dataset)
            decode = from_decibels(nodata) if in_decibels(dataset) else plain(nodata)
            of_power |= not in_decibels(dataset)
        job = _Job(max_px, decode, window, cancelled)
        return _by_overview(path, dataset, job) if of_power else _reduce(dataset, dataset, job)


def read_values(
    path: Path,
    max_px: int,
    decode: Decode | None = None,
    *,
    window: Window | None = None,
    cancelled: Cancelled = never,
) -> Reduced:
    """Read any quantity that may be averaged as it is, at the size of a picture.

    Parameters and errors are those of `read_power`.
    """
    with opened(path) as dataset:
        if decode is None and dataset.dtypes[0] not in {"uint8", "uint16", "int16", "int32"}:
            _check_floats(dataset)
        job = _Job(max_px, decode or plain(dataset.nodatavals[0]), window, cancelled)
        means = dataset.tags().get(TAG) == MEANS
        return _by_overview(path, dataset, job) if means else _reduce(dataset, dataset, job)


def opened(path: Path) -> Any:
    """Open a raster.

    Raises
    ------
    BadProduct
        It cannot be read.
    """
    try:
        return rasterio.open(path)
    except (RasterioError, OSError) as error:
        raise BadProduct(f"{path}: it cannot be read as a raster: {error}") from error


def nodata_of(path: Path) -> float | None:
    """Return the number that means no data in a raster, or None.

    Raises
    ------
    BadProduct
        It cannot be read.
    """
    with opened(path) as dataset:
        found: float | None = dataset.nodatavals[0]
    return found


def _check_floats(dataset: Any) -> None:
    if np.dtype(dataset.dtypes[0]).kind != "f":
        raise UsageError(
            f"{dataset.name}: {dataset.dtypes[0]} numbers are codes, and nothing says of what",
            hint="give the encoding with which the series was written",
        )


class _Job(NamedTuple):
    """What is wanted of a raster."""

    max_px: int
    decode: Decode
    window: Window | None
    cancelled: Cancelled


def _by_overview(path: Path, dataset: Any, job: _Job) -> Reduced:
    longest = max(job.window[2:]) if job.window is not None else max(dataset.shape)
    wanted = longest / job.max_px
    levels = [n for n, each in enumerate(dataset.overviews(1)) if each * _LEAST_CELL <= wanted]
    if not levels:
        return _reduce(dataset, dataset, job)
    with overview_of(path, levels[-1]) as overview:
        return _reduce(dataset, overview, job)


def overview_of(path: Path, level: int) -> Any:
    """Open an overview of a raster; 0 is the finest.

    Raises
    ------
    BadProduct
        It cannot be read.
    """
    try:
        return rasterio.open(path, overview_level=level)
    except RasterioError as error:
        raise BadProduct(f"{path}: its overviews cannot be read: {error}") from error


def _reduce(dataset: Any, read: Any, job: _Job) -> Reduced:
    whole = Window(0, 0, dataset.height, dataset.width)
    down, across = dataset.height / read.height, dataset.width / read.width
    wanted = job.window or whole
    top, left = int(wanted.line / down), int(wanted.pixel / across)
    bottom = min(read.height, -int(-(wanted.line + wanted.lines) // down))
    right = min(read.width, -int(-(wanted.pixel + wanted.pixels) // across))
    part = Window(top, left, bottom - top, right - left)
    scale = min(1.0, job.max_px / max(part.lines, part.pixels))
    cell = max(1, int(1 / scale))
    looks = multilook(
        RasterSource(read, job.decode), cell, cell, window=part, cancelled=job.cancelled
    )
    canvas = canvas_of(looks, part[2:], part.lines * scale, part.pixels * scale)
    each = part.pixels * across / canvas.weight.shape[1]
    return Reduced(canvas.power, grid_of(dataset).part(wanted), each)


def read_direction(
    path: Path,
    max_px: int,
    decode: Decode | None = None,
    *,
    window: Window | None = None,
    cancelled: Cancelled = never,
) -> Reduced:
    """Read angles (rad) at the size of a picture: directions of the means of unit vectors.

    Parameters and errors are those of `read_power`.
    """
    with opened(path) as dataset:
        if decode is None:
            _check_floats(dataset)
        angles = decode or plain(dataset.nodatavals[0])
        cosine, sine = (
            _reduce(dataset, dataset, _Job(max_px, part, window, cancelled))
            for part in (lambda v: np.cos(angles(v)), lambda v: np.sin(angles(v)))
        )
        values: Plane = np.arctan2(sine.values, cosine.values).astype(np.float32)
        return cosine._replace(values=values)

"""Many rasters of one grid, such as the dates of a time series, read window by window together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from alos2.errors import BadProduct
from alos2.product.model import MapGrid
from alos2.raster.gridfile import grid_of
from alos2.raster.lean import RasterioError, RasterioWindow, rasterio
from alos2.raster.openfiles import OpenFile, the_pool
from alos2.types import Window

_SAME_PLACE_PX: Final = 1e-3
"""Grids whose corners differ by less, in pixels, are one grid."""


class _File(NamedTuple):
    path: Path
    band: int
    file: OpenFile[Any]
    lock: Lock
    """GDAL's datasets serve one thread at a time."""


class _Form(NamedTuple):
    grid: MapGrid
    crs: Any
    dtype: str
    nodata: float | None


class ManyFiles:
    """Bands of N rasters of one grid, type and no-data value; a context manager.

    As many are kept open as the system allows (`alos2.raster.openfiles`). Windows may be read from
    several threads at a time.

    Parameters
    ----------
    layers
        Path and band number (from 1); the same file may be there with several bands.
    threads
        Files that are read at a time.

    Raises
    ------
    BadProduct
        A file cannot be opened, or differs from the first one; it is named.
    """

    grid: MapGrid
    dtype: np.dtype[Any]
    nodata: float | None

    def __init__(self, layers: Sequence[tuple[Path, int]], *, threads: int = 2) -> None:
        if not layers:
            raise ValueError("no files to read")
        self._layers = tuple(layers)
        self._stack = ExitStack()
        self._pool: ThreadPoolExecutor | None = None
        with ExitStack() as stack:
            self._files = [_file_of(path, band) for path, band in self._layers]
            for file in self._files:
                stack.callback(file.file.close)
            self.grid, self.dtype, self.nodata = self._checked()
            if threads > 1 and len(self._files) > 1:
                self._pool = ThreadPoolExecutor(min(threads, len(self._files)))
                stack.callback(self._pool.shutdown, cancel_futures=True)
            self._stack = stack.pop_all()

    def __len__(self) -> int:
        return len(self._layers)

    def __enter__(self) -> ManyFiles:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all files; nothing can be read afterwards."""
        self._stack.close()

    def read(self, window: Window, out: npt.NDArray[Any] | None = None) -> npt.NDArray[Any]:
        """Read one window of every file.

        Parameters
        ----------
        window
            Within the grid.
        out
            Where to put it: C-contiguous, of the files' type; None: a new array.

        Returns
        -------
        ndarray
            Shape (n, lines, pixels), the files' type.

        Raises
        ------
        BadProduct
            A file cannot be read there; it is named.
        """
        shape = (len(self._files), window.lines, window.pixels)
        stack = np.empty(shape, self.dtype) if out is None else out
        if stack.shape != shape or stack.dtype != self.dtype:
            raise ValueError(f"{stack.dtype} of {stack.shape} cannot take {self.dtype} of {shape}")
        place = RasterioWindow(window.pixel, window.line, window.pixels, window.lines)

        def read_one(number: int) -> None:
            _read(self._files[number], place, stack[number])

        if self._pool is None:
            for number in range(len(self._files)):
                read_one(number)
        else:
            for _ in self._pool.map(read_one, range(len(self._files))):
                pass
        return stack

    def _checked(self) -> tuple[MapGrid, np.dtype[Any], float | None]:
        """Return what all files share."""
        first, *others = self._files
        form = _form_of(first)
        for other in others:
            its = _form_of(other)
            if its.dtype != form.dtype:
                raise _differs(other, first, f"its pixels are {its.dtype}, not {form.dtype}")
            if not _equal(its.nodata, form.nodata):
                said = f"its no-data value is {its.nodata}, not {form.nodata}"
                raise _differs(other, first, said)
            if its.grid.shape != form.grid.shape:
                size = f"{its.grid.shape.lines} x {its.grid.shape.pixels}"
                wanted = f"{form.grid.shape.lines} x {form.grid.shape.pixels}"
                raise _differs(other, first, f"its size is {size}, not {wanted}")
            if not _same_place(its.grid.transform, form.grid) or its.crs != form.crs:
                raise _differs(other, first, "it lies elsewhere or in another projection")
        return form.grid, np.dtype(form.dtype), form.nodata


def _file_of(path: Path, band: int) -> _File:
    def opened() -> Any:
        try:
            dataset = rasterio.open(path)
        except (RasterioError, OSError) as error:
            raise BadProduct(f"{path}: it cannot be opened as a raster: {error}") from error
        if not 1 <= band <= dataset.count:
            dataset.close()
            raise BadProduct(f"{path}: it has no band {band}, only {dataset.count}")
        return dataset

    return _File(path, band, the_pool().file(opened, lambda dataset: dataset.close()), Lock())


def _form_of(file: _File) -> _Form:
    with file.file.use() as dataset:
        band = file.band - 1
        return _Form(grid_of(dataset), dataset.crs, dataset.dtypes[band], dataset.nodatavals[band])


def _read(file: _File, place: Any, out: npt.NDArray[Any]) -> None:
    try:
        with file.file.use() as dataset, file.lock:
            dataset.read(file.band, window=place, out=out)
    except (RasterioError, OSError) as error:
        raise BadProduct(
            f"{file.path}: lines {place.row_off} to {place.row_off + place.height - 1} cannot be "
            f"read: {error}",
            hint="make the file again",
        ) from error


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or (math.isnan(one) and math.isnan(other))


def _same_place(transform: Any, grid: MapGrid) -> bool:
    """Whether all corners lie at the same places."""
    a, b, c, d, e, f = grid.transform
    pixel = min(math.hypot(a, d), math.hypot(b, e))
    lines, pixels = grid.shape
    difference = [mine - its for mine, its in zip((a, b, c, d, e, f), transform[:6], strict=True)]
    da, db, dc, dd, de, df = difference
    return all(
        math.hypot(da * x + db * y + dc, dd * x + de * y + df) < _SAME_PLACE_PX * pixel
        for x in (0, pixels)
        for y in (0, lines)
    )


def _differs(file: _File, first: _File, how: str) -> BadProduct:
    return BadProduct(
        f"{file.path}: {how}, as {first.path.name} has it",
        hint="bring all files onto one grid and into one form first",
    )

"""Windows of the rasters of a mosaic, read by several threads at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from alos2.errors import BadProduct, UsageError
from alos2.mosaic.align import Place, places
from alos2.mosaic.codecs import codec_of
from alos2.mosaic.metrics import Rule
from alos2.mosaic.model import Codec, MosaicInput, Plane
from alos2.product.model import MapGrid
from alos2.raster.gridfile import grid_of
from alos2.raster.lean import RasterioError, RasterioWindow, rasterio
from alos2.types import Window

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Layer(NamedTuple):
    """An input that was looked into."""

    input: MosaicInput
    grid: MapGrid
    place: Place
    codec: Codec


class Rasters:
    """The files of the inputs; a context manager. Each thread has handles of its own."""

    def __init__(self) -> None:
        self._own = threading.local()
        self._stack = ExitStack()
        self._lock = threading.Lock()

    def __enter__(self) -> Rasters:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def open(self, path: Path) -> Any:
        """Return the rasterio dataset of a file, of this thread.

        Raises
        ------
        BadProduct
            It cannot be opened.
        """
        handles: dict[Path, Any] = self._own.__dict__.setdefault("handles", {})
        if path not in handles:
            try:
                made = rasterio.open(path)
            except (RasterioError, OSError) as error:
                raise BadProduct(f"{path}: it cannot be read as a raster: {error}") from error
            with self._lock:
                self._stack.callback(made.close)
            handles[path] = made
        return handles[path]

    def read(self, path: Path, band: int, window: Window) -> npt.NDArray[Any]:
        """Return a window as it lies in the file.

        Raises
        ------
        BadProduct
            It cannot be read there.
        """
        place = RasterioWindow(window.pixel, window.line, window.pixels, window.lines)
        try:
            return np.asarray(self.open(path).read(band, window=place))
        except (RasterioError, OSError) as error:
            raise BadProduct(f"{path}: it cannot be read: {error}") from error

    def values(self, layer: Layer, window: Window) -> Plane:
        """Return what a window of an input stands for; float32, NaN = no data."""
        source = layer.input
        return layer.codec.decode(self.read(source.path, source.band, window))

    def area(self, layer: Layer, window: Window) -> Plane:
        """Return the scattering area of a window of an input; NaN where there is none."""
        path = layer.input.area
        if path is None:
            raise ValueError(f"{layer.input.path.name} has no scattering area")
        area = self.read(path, 1, window).astype(np.float32)
        nodata = self.open(path).nodatavals[0]
        if nodata is not None and not np.isnan(nodata):
            area[area == np.float32(nodata)] = np.nan
        return area

    def look_into(
        self, inputs: Iterable[MosaicInput], rule: Rule, family: MapGrid | None
    ) -> tuple[list[Layer], Place | None]:
        """Find where the inputs lie, and how they are read.

        Parameters
        ----------
        inputs
            Each track once.
        rule
            What their numbers are wanted as.
        family
            The grid of the mosaic, if there is one.

        Returns
        -------
        layers, place
            `place` is that of `family`.

        Raises
        ------
        BadProduct
            A file cannot be read, or has no such band.
        UsageError
            They do not share their pixels, a track is named twice, or an area lies on another grid.
        """
        found: dict[str, tuple[MosaicInput, MapGrid]] = {}
        for source in inputs:
            if source.track in found:
                raise UsageError(f"track {source.track} is in one mosaic twice")
            dataset = self.open(source.path)
            if not 1 <= source.band <= dataset.count:
                raise BadProduct(f"{source.path}: it has no band {source.band}", hint="")
            found[source.track] = (source, grid_of(dataset))
        if not found:
            raise UsageError("there is nothing to mosaic")
        grids = {str(source.path): grid for source, grid in found.values()}
        where = places(({"the mosaic's grid": family} if family is not None else {}) | grids)
        layers = []
        for source, grid in found.values():
            place = where[str(source.path)]
            if source.area is not None:
                self._check_area(source.area, source.path, grid, place)
            codec = source.codec or codec_of(self.open(source.path), source.band, rule)
            layers.append(Layer(source, grid, place, codec))
        return layers, where.get("the mosaic's grid")

    def _check_area(self, area: Path, path: Path, grid: MapGrid, place: Place) -> None:
        own = grid_of(self.open(area))
        if places({str(path): grid, str(area): own})[str(area)] != place:
            raise UsageError(f"{area} does not lie on the grid of {path}")


def in_order(
    pool: ThreadPoolExecutor, work: Callable[[_In], _Out], items: Iterable[_In], ahead: int
) -> Iterator[_Out]:
    """Do the work of all items by a pool, at most `ahead` of what is taken; results in order."""
    waiting: list[Future[_Out]] = []
    source = iter(items)
    try:
        waiting += [pool.submit(work, item) for item in islice(source, ahead)]
        while waiting:
            done = waiting.pop(0).result()
            waiting += [pool.submit(work, item) for item in islice(source, 1)]
            yield done
    finally:
        for left in waiting:
            left.cancel()

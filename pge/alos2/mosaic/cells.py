"""What one pass over a raster finds out for the mosaic: means and valid pixels of cells.

Cells are 16 x 16 pixels and lie at fixed places of the projection, so that those of two tracks
cover the same ground, and nothing depends on where a raster begins or a mosaic is cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from alos2.mosaic.align import Place
from alos2.mosaic.model import Plane
from alos2.mosaic.reading import Layer, Rasters, in_order
from alos2.raster.control import check
from alos2.raster.pictures import Cancelled, Progress
from alos2.types import Window

CELL: Final = 16
FULL: Final = CELL * CELL
_WINDOW: Final = (512, 4096)
"""Lines and pixels that are read at once; multiples of `CELL`."""
_LEAST_WEIGHT: Final = 1.0 / 64
"""Of a pixel at the edge, in cells: it counts where it is alone, and next to nothing elsewhere."""


@dataclass(frozen=True)
class Cells:
    """A raster in cells."""

    row: int
    column: int
    """Of the first cell, counted from the projection's origin."""
    mean: Plane
    """Mean of the valid pixels, shape (rows, columns); NaN: none."""
    count: npt.NDArray[np.uint16]
    """Number of valid pixels."""

    def feather(self) -> Feather:
        """Return the distances to the edge of the data; a cell is inside if half of it is valid.

        Holes of a few pixels (layover, a bad line) therefore leave the weights around them alone.
        """
        from alos2.mosaic.mosaickernels import distance_to_edge  # noqa: PLC0415  loads numba

        inside = np.zeros((self.count.shape[0] + 2, self.count.shape[1] + 2), np.bool_)
        inside[1:-1, 1:-1] = self.count >= FULL // 2
        distance = np.empty(inside.shape, np.float32)
        distance_to_edge(inside, distance)
        return Feather((self.row - 1) * CELL, (self.column - 1) * CELL, distance)


@dataclass(frozen=True)
class Feather:
    """Distances to the edge of a raster's data."""

    line: int
    pixel: int
    """Of the first cell's first pixel, counted from the projection's origin."""
    distance: Plane

    def weights(self, place: Place, feather_px: float | None) -> Plane:
        """Return the weights of the pixels of a rectangle of the raster, float32, above 0."""
        from alos2.mosaic.mosaickernels import feather_weights  # noqa: PLC0415  loads numba

        weights = np.empty(place.shape, np.float32)
        limit = np.inf if feather_px is None else max(feather_px / CELL, _LEAST_WEIGHT)
        top, left = place.line - self.line, place.pixel - self.pixel
        feather_weights(self.distance, top, left, CELL, limit, _LEAST_WEIGHT, weights)
        return weights


def _windows(place: Place) -> Iterator[Window]:
    """Cut a raster at multiples of `_WINDOW` from the projection's origin on."""
    lines, pixels = _WINDOW
    for line in range(place.line // lines * lines, place.line + place.lines, lines):
        for pixel in range(place.pixel // pixels * pixels, place.pixel + place.pixels, pixels):
            window = place.within(Place(line, pixel, lines, pixels))
            if window is not None:
                yield window


def read_cells(
    rasters: Rasters,
    layer: Layer,
    pool: ThreadPoolExecutor,
    threads: int,
    *,
    progress: Progress,
    cancelled: Cancelled,
) -> Cells:
    """Read a raster once, and average it over cells.

    Raises
    ------
    BadProduct
        It cannot be read.
    Interrupted
        `cancelled` said so.
    """
    from alos2.mosaic.mosaickernels import average_cells  # noqa: PLC0415  loads numba

    place = layer.place
    row, column = place.line // CELL, place.pixel // CELL
    rows = -(-(place.line + place.lines) // CELL) - row
    columns = -(-(place.pixel + place.pixels) // CELL) - column
    cells = Cells(
        row,
        column,
        np.full((rows, columns), np.nan, np.float32),
        np.zeros((rows, columns), np.uint16),
    )

    def average(window: Window) -> int:
        check(cancelled)
        values = rasters.values(layer, window)
        line, pixel = place.line + window.line, place.pixel + window.pixel
        down = slice(line // CELL - row, -(-(line + window.lines) // CELL) - row)
        across = slice(pixel // CELL - column, -(-(pixel + window.pixels) // CELL) - column)
        average_cells(
            values,
            line % CELL,
            pixel % CELL,
            CELL,
            cells.mean[down, across],
            cells.count[down, across],
        )
        return window.line + window.lines

    stage = f"mosaic: {layer.input.track}"
    for done in in_order(pool, average, _windows(place), 2 * threads):
        progress(stage, done, place.lines)
    return cells

"""The part of a grid that a scene may have cells in, and readers that know that part only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alos2.product.model import MapGrid
from alos2.types import RasterShape, Window


class PartOfGrid:
    """A reader of a part of a grid, asked in windows of the whole grid.

    Parameters
    ----------
    reader
        Anything with ``window(window)``.
    part
        Where it lies in the grid.
    """

    def __init__(self, reader: Any, part: Window) -> None:
        self.reader = reader
        self._part = part

    @property
    def incidence_error_deg(self) -> float | None:
        """Of a radar geometry: its error where it comes from nominal values."""
        error: float | None = getattr(self.reader, "incidence_error_deg", None)
        return error

    def window(self, window: Window) -> Any:
        """Return a window."""
        return self.reader.window(
            window._replace(
                line=window.line - self._part.line, pixel=window.pixel - self._part.pixel
            )
        )


@dataclass(frozen=True)
class GridPart:
    """A part of a grid."""

    window: Window
    grid: MapGrid
    """The part as a grid of its own."""

    def shifted(self, reader: Any) -> PartOfGrid:
        """Return a reader of this part, asked in windows of the whole grid."""
        return PartOfGrid(reader, self.window)

    def coarse(self, spacing_m: float, own_m: float) -> MapGrid:
        """Return a grid over the same area of wider pixels."""
        factor = max(1, round(spacing_m / own_m))
        a, b, c, d, e, f = self.grid.transform
        shape = RasterShape(*(-(-size // factor) for size in self.grid.shape))
        return MapGrid(
            self.grid.crs_wkt, self.grid.epsg, (a * factor, b, c, d, e * factor, f), shape
        )


def part_around(boxes: Sequence[Window], grid: MapGrid) -> GridPart:
    """Return the part of a grid that holds some windows; empty ones are no matter."""
    kept = [box for box in boxes if box.lines]
    top, left = min(box.line for box in kept), min(box.pixel for box in kept)
    bottom = max(box.line + box.lines for box in kept)
    right = max(box.pixel + box.pixels for box in kept)
    window = Window(top, left, bottom - top, right - left)
    a, b, c, d, e, f = grid.transform
    moved = (a, b, c + left * a + top * b, d, e, f + left * d + top * e)
    return GridPart(
        window, MapGrid(grid.crs_wkt, grid.epsg, moved, RasterShape(window.lines, window.pixels))
    )

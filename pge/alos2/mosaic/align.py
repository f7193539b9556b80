"""Rasters of one grid family: the same projection and spacing, whole pixels apart.

Snapped grids of one CRS and spacing are such a family whatever their extents, so that a mosaic
copies pixels and never resamples them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from alos2.errors import UsageError
from alos2.product.model import MapGrid
from alos2.types import RasterShape, Window

_TOLERANCE_PX: Final = 1e-3
"""How far from a whole pixel grids may lie: what rounding of coordinates does."""


class Place(NamedTuple):
    """A raster's rectangle in the pixels that count on from the projection's origin."""

    line: int
    pixel: int
    lines: int
    pixels: int

    @property
    def shape(self) -> RasterShape:
        """Lines and pixels."""
        return RasterShape(self.lines, self.pixels)

    def within(self, other: Place) -> Window | None:
        """Return the part of this rectangle that lies in `other`, in the pixels of this one."""
        top, left = max(self.line, other.line), max(self.pixel, other.pixel)
        bottom = min(self.line + self.lines, other.line + other.lines)
        right = min(self.pixel + self.pixels, other.pixel + other.pixels)
        if bottom <= top or right <= left:
            return None
        return Window(top - self.line, left - self.pixel, bottom - top, right - left)

    def part(self, window: Window) -> Place:
        """Return the rectangle of a window of this one."""
        return Place(
            self.line + window.line, self.pixel + window.pixel, window.lines, window.pixels
        )


def _pixel_of(grid: MapGrid, x: float, y: float) -> tuple[float, float]:
    """Return the line and pixel, from the origin of the coordinates on, of a place on the map."""
    a, b, _, d, e, _ = grid.transform
    area = a * e - b * d
    return (a * y - d * x) / area, (e * x - b * y) / area


def _same_crs(one: MapGrid, other: MapGrid) -> bool:
    if one.crs_wkt == other.crs_wkt:
        return True
    if one.epsg is not None and other.epsg is not None:
        return one.epsg == other.epsg
    try:
        return bool(CRS.from_wkt(one.crs_wkt) == CRS.from_wkt(other.crs_wkt))
    except CRSError:
        return False


def _named(grid: MapGrid) -> str:
    a, _, c, _, e, f = grid.transform
    crs = f"EPSG:{grid.epsg}" if grid.epsg is not None else "a CRS without EPSG code"
    return f"{crs}, pixels of {a:g} x {-e:g}, upper left at {c:.10g}, {f:.10g}"


def places(grids: Mapping[str, MapGrid]) -> dict[str, Place]:
    """Return where rasters lie in the pixels that they share.

    Parameters
    ----------
    grids
        By a name for messages; the first one says what family it is.

    Raises
    ------
    UsageError
        One is of another projection or spacing, or lies between the pixels of the first.
    """
    first_name, first = next(iter(grids.items()))
    line, pixel = _pixel_of(first, first.transform[2], first.transform[5])
    origin = (int(np.floor(line + 0.5)), int(np.floor(pixel + 0.5)))
    found = {}
    for name, grid in grids.items():
        linear, expected = _linear(grid), _linear(first)
        # The far corner of the largest raster must still be right to a small part of a pixel.
        most = _TOLERANCE_PX * np.abs(expected).max() / max(*grid.shape, 1)
        if not (_same_crs(grid, first) and np.abs(linear - expected).max() <= most):
            raise _other_family(name, grid, first_name, first)
        east = grid.transform[2] - first.transform[2]
        north = grid.transform[5] - first.transform[5]
        down, across = _pixel_of(first, east, north)
        apart = max(abs(down - round(down)), abs(across - round(across)))
        if apart > _TOLERANCE_PX:
            raise _other_family(name, grid, first_name, first)
        found[name] = Place(origin[0] + round(down), origin[1] + round(across), *grid.shape)
    return found


def _linear(grid: MapGrid) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    a, b, _, d, e, _ = grid.transform
    return np.array([a, b, d, e])


def _other_family(name: str, grid: MapGrid, first_name: str, first: MapGrid) -> UsageError:
    return UsageError(
        f"{name} ({_named(grid)}) and {first_name} ({_named(first)}) do not share their pixels",
        hint="make all tracks on snapped grids of one CRS and spacing",
    )


def union_grid(grids: Sequence[MapGrid]) -> MapGrid:
    """Return the smallest grid that covers all of a family.

    Raises
    ------
    UsageError
        There is none, or they are no family.
    """
    if not grids:
        raise UsageError("there is nothing to mosaic")
    where = list(places({f"raster {n}": grid for n, grid in enumerate(grids, 1)}).values())
    union, start = union_place(where), where[0]
    window = Window(union.line - start.line, union.pixel - start.pixel, union.lines, union.pixels)
    return grids[0].part(window)


def union_place(where: Sequence[Place]) -> Place:
    """Return the smallest rectangle that holds all of `where`, at least one."""
    top, left = min(p.line for p in where), min(p.pixel for p in where)
    bottom = max(p.line + p.lines for p in where)
    right = max(p.pixel + p.pixels for p in where)
    return Place(top, left, bottom - top, right - left)

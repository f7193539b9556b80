"""Cutting a mosaic to an area of interest: a smaller grid, and no data outside of the area."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import shapely
import shapely.geometry
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from alos2.errors import UsageError
from alos2.product.model import MapGrid
from alos2.raster.lean import rasterio
from alos2.types import Json, Window

_LONGEST_DEG: Final = 0.05
"""Edges are cut into pieces of that length: straight in longitude and latitude is not straight on
a map; over 5 km a UTM edge bends by less than half a metre."""


class Area:
    """An area of interest on a map grid.

    Parameters
    ----------
    geometry
        GeoJSON Polygon or MultiPolygon, or a Feature of one; longitude and latitude, degrees.
    grid
        What is cut.

    Raises
    ------
    UsageError
        It is no such geometry, or does not touch the grid.
    """

    def __init__(self, geometry: Json, grid: MapGrid) -> None:
        self._on_map = _on_map(_polygon(geometry), grid)
        self.window = _window_of(self._on_map, grid)
        self.grid = grid.part(self.window)

    def inside(self, window: Window) -> npt.NDArray[np.bool_]:
        """Return which pixel centres of a window of `grid` (the cut one) lie in the area."""
        from rasterio.features import rasterize  # noqa: PLC0415  for who cuts

        part = self.grid.part(window)
        burnt = rasterize(
            [(self._on_map, 1)],
            out_shape=tuple(part.shape),
            transform=rasterio.Affine(*part.transform),
            dtype="uint8",
        )
        return np.asarray(burnt == 1)


def _polygon(geometry: Json) -> Any:
    try:
        shape = shapely.geometry.shape(geometry.get("geometry", geometry))
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError) as error:
        raise UsageError(f"the area of interest is no GeoJSON geometry: {error}") from error
    if shape.geom_type not in {"Polygon", "MultiPolygon"} or shape.is_empty:
        raise UsageError(f"the area of interest is a {shape.geom_type}, and must be a Polygon")
    return shape if shape.is_valid else shapely.make_valid(shape)


def _on_map(shape: Any, grid: MapGrid) -> Any:
    """Return the area in the grid's projection."""
    try:
        to_map = Transformer.from_crs(
            CRS.from_epsg(4326), CRS.from_wkt(grid.crs_wkt), always_xy=True
        )
        fine = shapely.segmentize(shape, _LONGEST_DEG)
        moved = shapely.transform(
            fine, lambda at: np.column_stack(to_map.transform(at[:, 0], at[:, 1], errcheck=True))
        )
    except (CRSError, ProjError) as error:
        raise UsageError(
            f"the area of interest cannot be brought to the mosaic's map: {error}"
        ) from error
    return moved if moved.is_valid else shapely.make_valid(moved)


def _window_of(area: Any, grid: MapGrid) -> Window:
    a, b, c, d, e, f = grid.transform
    corners = np.array(area.minimum_rotated_rectangle.exterior.coords if b or d else _box(area))
    x, y = corners[:, 0] - c, corners[:, 1] - f
    size = a * e - b * d
    pixels, lines = (e * x - b * y) / size, (a * y - d * x) / size
    top, left = max(0, int(np.floor(lines.min()))), max(0, int(np.floor(pixels.min())))
    bottom = min(grid.shape.lines, int(np.ceil(lines.max())))
    right = min(grid.shape.pixels, int(np.ceil(pixels.max())))
    if bottom <= top or right <= left:
        raise UsageError("the area of interest does not touch the mosaic")
    return Window(top, left, bottom - top, right - left)


def _box(area: Any) -> list[tuple[float, float]]:
    left, bottom, right, top = area.bounds
    return [(left, bottom), (right, bottom), (right, top), (left, top)]

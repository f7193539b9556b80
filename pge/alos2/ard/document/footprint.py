"""Where a product lies before any pixel is read, and where a finished scene has valid cells."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from alos2.ard.grid import GridPlaces
from alos2.ard.sampling_places import image_edge
from alos2.errors import BadProduct
from alos2.geometry.rangedoppler import rdr2geo
from alos2.geometry.rings import footprint_geometry
from alos2.product.model import Image, Product
from alos2.raster.blocks import Extents
from alos2.raster.outline import outline
from alos2.raster.places import OUTSIDE, Places, Values
from alos2.raster.slantplaces import RadarFrame
from alos2.raster.valid import corners_of, decimation, straighten
from alos2.types import Json, LonLat, RasterShape, Window

_TOLERANCE: Final = 1.5
"""Of the footprint, in pixels of the decimated grid."""
_SAME_PLACE_DEG: Final = 1e-3


def outline_of(product: Product, height_m: float = 0.0) -> tuple[Values, Values]:
    """Return longitude and latitude, degrees, along the edges of a product's images.

    Parameters
    ----------
    product
        Any.
    height_m
        Of the ground above the ellipsoid, where that moves the edges (level 1.1).

    Raises
    ------
    BadProduct
        Nothing says where it lies.
    """
    if product.grid is not None:
        return Places(product.grid).lonlat(*image_edge(product.grid.shape))
    edges = [_slant_edge(product, image, height_m) for image in product.images]
    return np.concatenate([lon for lon, _ in edges]), np.concatenate([lat for _, lat in edges])


def _slant_edge(product: Product, image: Image, height_m: float) -> tuple[Values, Values]:
    if product.orbit is not None and image.timing is not None:
        frame = RadarFrame.of_samples(product.orbit, image.timing, image.shape)
        pixel, line = image_edge(image.shape)
        return rdr2geo(
            product.orbit,
            frame.start_s + frame.step_s * line,
            frame.near_m + frame.step_m * pixel,
            look=product.look,
            height_m=height_m,
        )
    if image.tie_points:
        places = np.array([tie.position for tie in image.tie_points], np.float64)
        return places[:, 0], places[:, 1]
    raise BadProduct(
        f"nothing says where {image.file.name} lies: it has neither an orbit nor tie points",
        hint="a leader (LED file) of the same scene is needed",
    )


def box_of(lon_deg: Values, lat_deg: Values, grid: GridPlaces, margin_m: float) -> Window | None:
    """Return the part of a grid around some places; None where they are not on it at all."""
    pixel, line = grid.pixel_line(lon_deg, lat_deg)
    known = (pixel > OUTSIDE) & (line > OUTSIDE)
    if known.any():
        # Some projections show the other side of the Earth as if it were here.
        lon, lat = grid.lonlat(pixel[known], line[known])
        away = np.abs((lon - lon_deg[known] + 180.0) % 360.0 - 180.0) * np.cos(np.radians(lat))
        known[known] = np.hypot(away, lat - lat_deg[known]) < _SAME_PLACE_DEG
    if not known.any():
        return None
    wide_m, high_m = grid.spacing_m()
    across, down = margin_m / wide_m, margin_m / high_m
    lines, pixels = grid.grid.shape
    top = max(0, math.floor(float(line[known].min()) - down))
    left = max(0, math.floor(float(pixel[known].min()) - across))
    bottom = min(lines, math.ceil(float(line[known].max()) + down))
    right = min(pixels, math.ceil(float(pixel[known].max()) + across))
    if top >= bottom or left >= right:
        return None
    return Window(top, left, bottom - top, right - left)


class ValidArea:
    """First and last valid cell of every line of a grid, gathered block by block."""

    def __init__(self, shape: RasterShape) -> None:
        self._shape = shape
        self._first = np.full(shape.lines, shape.pixels, np.int64)
        self._last = np.full(shape.lines, -1, np.int64)
        self.count = 0
        """Valid cells."""

    def add(self, window: Window, valid: npt.NDArray[np.bool_]) -> None:
        """Take a window."""
        found = np.flatnonzero(valid.any(axis=1))
        self.count += int(np.count_nonzero(valid))
        rows = window.line + found
        first = window.pixel + valid.argmax(axis=1)[found]
        last = window.pixel + window.pixels - 1 - valid[:, ::-1].argmax(axis=1)[found]
        self._first[rows] = np.minimum(self._first[rows], first)
        self._last[rows] = np.maximum(self._last[rows], last)

    def polygon(self, grid: GridPlaces) -> Json:
        """Return a convex polygon of few corners around all valid cells, as GeoJSON, degrees."""
        rows = np.flatnonzero(self._last >= 0)
        corners = corners_of(Extents(rows, self._first[rows], self._last[rows]))
        tolerance = _TOLERANCE * decimation(self._shape)
        places: Any = grid  # the same two functions, also for grids in degrees
        ring = straighten(outline(corners, tolerance), places, tolerance * max(grid.spacing_m()))
        lon, lat = grid.lonlat(ring[:, 0], ring[:, 1])
        return footprint_geometry(
            [LonLat(float(x), float(y)) for x, y in zip(lon, lat, strict=True)]
        )

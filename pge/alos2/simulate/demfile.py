"""DEMs of the simulator: heights read from a GeoTIFF, and the true surface written as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from alos2.errors import UsageError
from alos2.geometry.orbit import Floats
from alos2.geometry.transforming import transformed
from alos2.product.model import MapGrid
from alos2.raster.gridfile import GridBand, GridFile
from alos2.raster.lean import RasterioError, rasterio
from alos2.simulate.ground import TangentPlane
from alos2.simulate.maps import frame_for
from alos2.simulate.nodes import NodeGrid
from alos2.types import RasterShape, Window

_NODE_M: Final = 250.0
"""Spacing of the places that are projected exactly; between them bilinear, to a millimetre."""
_LARGEST_PIXELS: Final = 100_000_000
_ROWS: Final = 512


class DemHeights:
    """Heights of a DEM, bilinear between its pixels' centres.

    Parameters
    ----------
    path
        GeoTIFF (or what else GDAL reads) of one band of ellipsoidal heights, m.
    plane
        In which places are asked for.
    base_m
        Added to the heights.

    Raises
    ------
    UsageError
        If it cannot be read, has no CRS, or is larger than is kept in memory.
    """

    def __init__(self, path: Path, plane: TangentPlane, base_m: float) -> None:
        self._path, self._plane = path, plane
        try:
            with rasterio.open(path) as dataset:
                if dataset.crs is None:
                    raise UsageError(f"the DEM {path} has no coordinate reference system")
                if dataset.width * dataset.height > _LARGEST_PIXELS:
                    raise UsageError(
                        f"the DEM {path} has {dataset.width} x {dataset.height} pixels: at most "
                        f"{_LARGEST_PIXELS:,} are read",
                        hint="cut out the scene and a margin first",
                    )
                read = dataset.read(1, masked=True)
                self._transform = ~dataset.transform
                crs = CRS.from_user_input(dataset.crs)
        except RasterioError as error:
            raise UsageError(f"the DEM {path} cannot be read: {error}") from error
        self._heights = np.where(np.ma.getmaskarray(read), np.nan, read.data).astype(np.float32)
        self._heights += np.float32(base_m)
        if not np.isfinite(self._heights).any():
            raise UsageError(f"the DEM {path} has no height at all")
        self.lowest_m = float(np.nanmin(self._heights))
        self.highest_m = float(np.nanmax(self._heights))
        flat = crs.to_2d() if crs.is_compound or len(crs.axis_info) > 2 else crs
        self._to_map = Transformer.from_crs("EPSG:4326", flat, always_xy=True)

    def __call__(self, x_m: Floats, y_m: Floats) -> Floats:
        """Heights, m; raises where the DEM has none."""
        x, y = np.broadcast_arrays(np.asarray(x_m, np.float64), np.asarray(y_m, np.float64))
        if x.size == 0:
            return np.zeros(x.shape)
        column, row = self._image_places(x, y)
        left, top = np.floor(column).astype(np.intp), np.floor(row).astype(np.intp)
        lines, pixels = self._heights.shape
        inside = (left >= 0) & (top >= 0) & (left < pixels - 1) & (top < lines - 1)
        if not inside.all():
            raise self._hole(x, y, ~inside)
        across, down = column - left, row - top
        grid = self._heights
        upper = grid[top, left] * (1.0 - across) + grid[top, left + 1] * across
        lower = grid[top + 1, left] * (1.0 - across) + grid[top + 1, left + 1] * across
        out = upper * (1.0 - down) + lower * down
        if np.isnan(out).any():
            raise self._hole(x, y, np.isnan(out))
        return np.asarray(out)

    def _image_places(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Columns and rows of the DEM, exact at nodes of the plane and bilinear between."""
        nodes_x, nodes_y = _nodes(x), _nodes(y)
        lon, lat = self._plane.lonlat(*np.meshgrid(nodes_x, nodes_y))
        try:
            east, north = transformed(self._to_map, lon, lat)
        except ProjError as error:
            raise UsageError(f"the DEM {self._path} lies elsewhere: {error}") from error
        a, b, c, d, e, f = tuple(self._transform)[:6]
        columns, rows = a * east + b * north + c, d * east + e * north + f
        u, v = (x - nodes_x[0]) / _NODE_M, (y - nodes_y[0]) / _NODE_M
        i = np.minimum(u.astype(np.intp), nodes_x.size - 2)
        j = np.minimum(v.astype(np.intp), nodes_y.size - 2)
        u, v = u - i, v - j
        places = []
        for values in (columns, rows):
            upper = values[j, i] * (1.0 - u) + values[j, i + 1] * u
            lower = values[j + 1, i] * (1.0 - u) + values[j + 1, i + 1] * u
            places.append(upper * (1.0 - v) + lower * v - 0.5)
        return places[0], places[1]

    def _hole(self, x: Floats, y: Floats, where: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
              ) -> UsageError:  # fmt: skip
        lon, lat = self._plane.lonlat(x[where][:1], y[where][:1])
        return UsageError(
            f"the DEM {self._path} has no height at {float(lon[0]):.5f} degrees east, "
            f"{float(lat[0]):.5f} degrees north",
            hint="the ground that throws shadow or layover into the scene has to be in it too",
        )


def _nodes(values: Floats) -> Floats:
    """Places of the nodes along one axis: at multiples, so that they do not hang on the block."""
    first = np.floor(values.min() / _NODE_M)
    last = np.floor(values.max() / _NODE_M) + 1.0
    return np.arange(first, last + 1.0) * _NODE_M


def write_dem(
    path: Path,
    heights: Callable[[Floats, Floats], Floats],
    plane: TangentPlane,
    *,
    box_m: tuple[float, float, float, float],
    spacing_m: float,
) -> MapGrid:
    """Write heights as a GeoTIFF in the UTM zone of the plane's centre (polar: stereographic).

    Parameters
    ----------
    path
        Of the file.
    heights
        By metres east and north on the plane.
    plane
        Of the ground.
    box_m
        West, south, east and north of what has to be covered, m on the plane.
    spacing_m
        Of the pixels; the first pixel's corner is at whole multiples of it.

    Returns
    -------
    MapGrid
        Of the file.

    Raises
    ------
    UsageError
        If it would have more pixels than make sense.
    NoSpace, NoResource
        If it cannot be written.
    """
    frame = frame_for("U" if abs(plane.lat_deg) < 84.0 else "P", plane.lon_deg, plane.lat_deg)
    west, south, east, north = box_m
    edge = np.linspace(0.0, 1.0, 33)
    low, high = np.zeros_like(edge), np.ones_like(edge)
    u, v = np.concatenate([edge, edge, low, high]), np.concatenate([low, high, edge, edge])
    around = frame.forward(*plane.lonlat(west + u * (east - west), south + v * (north - south)))
    first = [float(np.floor(side.min() / spacing_m) - 1.0) * spacing_m for side in around]
    last = [float(np.ceil(side.max() / spacing_m) + 1.0) * spacing_m for side in around]
    shape = RasterShape(
        round((last[1] - first[1]) / spacing_m), round((last[0] - first[0]) / spacing_m)
    )
    if shape.lines * shape.pixels > _LARGEST_PIXELS:
        raise UsageError(
            f"a DEM of {shape.lines} x {shape.pixels} pixels of {spacing_m:g} m is not written",
            hint="ask for a coarser DEM",
        )
    code = None if frame.zone is None else (32700 if frame.south else 32600) + frame.zone
    wkt = frame.wkt if code is None else CRS.from_epsg(code).to_wkt()
    grid = MapGrid(wkt, code, (spacing_m, 0.0, first[0], 0.0, -spacing_m, last[1]), shape)

    def places(line: Floats, pixel: Floats) -> tuple[Floats, Floats]:
        easting = first[0] + spacing_m * (pixel + 0.5)
        northing = last[1] - spacing_m * (line + 0.5)
        return plane.xy(*frame.inverse(easting, northing))

    nodes = NodeGrid(shape, places)
    tags = {"HEIGHTS": "above the ellipsoid (WGS 84), m"}
    with GridFile(
        path, grid, dtype="float32", nodata=float("nan"), bands=(GridBand("height", "m"),),
        tags=tags, overviews="none", layout="tiled",
    ) as file:  # fmt: skip
        for line in range(0, shape.lines, _ROWS):
            count = min(_ROWS, shape.lines - line)
            x, y = nodes.strip(line, count).astype(np.float64)
            file.write(Window(line, 0, count, shape.pixels), heights(x, y).astype(np.float32))
    return grid

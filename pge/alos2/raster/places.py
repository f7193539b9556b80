"""Where the pixels of a map-projected image lie, both ways, on the ellipsoid.

Image coordinates here are continuous and count from the image's upper left corner, so the centre
of the first pixel is (0.5, 0.5). JAXA's ITRF97 on GRS 80 and WGS 84 are taken as one (they differ
by less than a decimetre): longitudes and latitudes are those of the map's own datum.
"""

from __future__ import annotations

import math
import threading
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from alos2.errors import BadProduct
from alos2.geometry.transforming import transformed
from alos2.product.model import MapGrid

Values: TypeAlias = npt.NDArray[np.float64]

OUTSIDE: Final = -1e9
"""Image coordinate of places that the map projection cannot show."""


class Places:
    """Both ways between image coordinates and longitude and latitude; safe between threads.

    Raises
    ------
    BadProduct
        The map grid cannot be understood or turned round.
    """

    def __init__(self, grid: MapGrid) -> None:
        a, b, _, d, e, _ = grid.transform
        area = a * e - b * d
        if not (math.isfinite(area) and area != 0):
            raise BadProduct(f"map grid: the transform {grid.transform} has no inverse")
        try:
            crs = CRS.from_user_input(grid.epsg if grid.epsg is not None else grid.crs_wkt)
            base = crs.geodetic_crs
            if base is None or not crs.is_projected:
                raise BadProduct(f"map grid: {crs.name!r} is no map projection of the Earth")
            self._to_map = Transformer.from_crs(base, crs, always_xy=True)
        except (CRSError, ProjError) as error:
            raise BadProduct(f"map grid: its projection cannot be used: {error}") from error
        self.shape = grid.shape
        self.pixel_m = math.hypot(a, d)
        self.line_m = math.hypot(b, e)
        self._transform = grid.transform
        self._lock = threading.Lock()  # a Transformer serves one thread at a time

    def lonlat(self, pixel: Values, line: Values) -> tuple[Values, Values]:
        """Return longitude (-180 to 180) and latitude, degrees, of image coordinates.

        Raises
        ------
        BadProduct
            The map projection has no such place: the grid is not on the Earth.
        """
        a, b, c, d, e, f = self._transform
        x, y = a * pixel + b * line + c, d * pixel + e * line + f
        with self._lock:
            lon, lat = transformed(self._to_map, x, y, direction="INVERSE")
        if not (np.isfinite(lon) & np.isfinite(lat)).all():
            raise BadProduct(
                f"map grid: the image begins at ({c:.0f}, {f:.0f}) m, which is outside of what "
                "its projection can show"
            )
        return lon, lat

    def pixel_line(self, lon_deg: Values, lat_deg: Values) -> tuple[Values, Values]:
        """Return image coordinates of places; `OUTSIDE` where the projection has no answer."""
        with self._lock:
            x, y = transformed(self._to_map, lon_deg, lat_deg)
        known = np.isfinite(x) & np.isfinite(y)
        a, b, c, d, e, f = self._transform
        east, north = np.where(known, x, c) - c, np.where(known, y, f) - f
        area = a * e - b * d
        pixel, line = (e * east - b * north) / area, (a * north - d * east) / area
        return np.where(known, pixel, OUTSIDE), np.where(known, line, OUTSIDE)

"""What a cube says of itself: coordinates, coordinate system and values by the CF conventions.

NetCDF Climate and Forecast Metadata Conventions 1.10: sections 4 (coordinates), 4.4 (time), 5.6
(grid mappings; ``crs_wkt`` is 5.6.1) and 8.1 (packed values). ``GeoTransform`` and ``spatial_ref``
are GDAL's, which rioxarray reads too.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Final

import numpy as np
import numpy.typing as npt
from pyproj import CRS
from pyproj.exceptions import CRSError

from alos2.errors import BadProduct, UsageError
from alos2.product.model import MapGrid
from alos2.timeseries.model import Encoding
from alos2.types import Json

GRID_MAPPING: Final = "spatial_ref"
"""rioxarray's name of the variable."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_COPIED: Final = ("standard_name", "long_name", "units", "axis")


def crs_attributes(grid: MapGrid) -> Json:
    """Return the attributes of the grid mapping variable.

    Raises
    ------
    BadProduct
        The coordinate system cannot be understood.
    """
    a, b, c, d, e, f = grid.transform
    crs = _crs(grid)
    wkt = crs.to_wkt()
    transform = " ".join(repr(value) for value in (c, a, b, f, d, e))
    said = {key: value for key, value in crs.to_cf().items() if value is not None}
    return {**said, "crs_wkt": wkt, "spatial_ref": wkt, "GeoTransform": transform}


def axes(grid: MapGrid) -> dict[str, tuple[npt.NDArray[np.float64], Json]]:
    """Return values (pixel centres) and attributes of ``y`` and ``x``.

    Raises
    ------
    UsageError
        The grid is rotated: it has no coordinates of lines and pixels.
    """
    a, b, c, d, e, f = grid.transform
    if b or d:
        raise UsageError(
            "a cube cannot be made on a rotated grid", hint="make the scenes on a snapped grid"
        )
    said = {item.get("axis"): item for item in _crs(grid).cs_to_cf()}
    x = np.asarray(c + a * (np.arange(grid.shape.pixels) + 0.5), np.float64)
    y = np.asarray(f + e * (np.arange(grid.shape.lines) + 0.5), np.float64)
    return {
        name: (values, {key: said[axis][key] for key in _COPIED if key in said.get(axis, {})})
        for name, axis, values in (("y", "Y", y), ("x", "X", x))
    }


def times(dates: list[datetime]) -> tuple[npt.NDArray[np.int64], Json]:
    """Return values and attributes of ``time``."""
    values = [round((when - _EPOCH).total_seconds() * 1_000_000) for when in dates]
    return np.array(values, np.int64), {
        "standard_name": "time",
        "long_name": "time of acquisition (UTC)",
        "units": "microseconds since 1970-01-01 00:00:00",
        "calendar": "proleptic_gregorian",
        "axis": "T",
    }


def value_attributes(polarization: str, encoding: Encoding) -> Json:
    """Return the attributes of a polarisation's variable, but for its fill value."""
    said: Json = {
        "long_name": f"radar backscatter {polarization}",
        "units": "dB" if encoding.quantity == "db" else "1",
        "polarization": polarization,
        "grid_mapping": GRID_MAPPING,
    }
    if encoding.codes:
        said |= {"scale_factor": encoding.scale, "add_offset": encoding.offset}
    return said


def _crs(grid: MapGrid) -> CRS:
    try:
        return CRS.from_user_input(grid.epsg if grid.epsg is not None else grid.crs_wkt)
    except CRSError as error:
        raise BadProduct(f"map grid: its projection cannot be used: {error}") from error

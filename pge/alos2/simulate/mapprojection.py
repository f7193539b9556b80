"""The leader's map projection record from the scene's grid."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from alos2.constants import WGS84_SEMI_MAJOR_M
from alos2.geometry.orbit import Floats
from alos2.geometry.polynomials import wrap_lon
from alos2.product.crs import (
    UTM_FALSE_EASTING_M,
    UTM_FALSE_NORTHING_SOUTH_M,
    UTM_SCALE,
)
from alos2.simulate.maps import Grid
from alos2.simulate.platform import platform
from alos2.simulate.scene import Scene
from alos2.simulate.summaryrecord import SEMI_MINOR_M

DESIGNATORS: Final = {
    "U": "UTM-PROJECTION",
    "P": "UPS-PROJECTION",
    "M": "MER-PROJECTION",
    "L": "LCC-PROJECTION",
}
_CORNERS: Final = ("top_left", "top_right", "bottom_right", "bottom_left")
"""As the record names them, in the order of ``Grid.corners``."""


def map_projection_values(scene: Scene, grid: Grid) -> dict[str, Any]:
    """Fill what the real leader fills; the blocks of the other projections by what readers know."""
    now = platform(scene.orbit, scene.flight.center_s)
    turned = math.degrees(math.atan2(-grid.down_m[0], -grid.down_m[1]))
    return {
        "kind": "GEOCODED" if scene.spec.option == "G" else "GEOREFERENCED",
        "pixel_count": grid.shape.pixels,
        "line_count": grid.shape.lines,
        "line_spacing_m": scene.spec.spacing,
        "pixel_spacing_m": scene.spec.spacing,
        "angle_to_north_deg": math.nan if scene.spec.option == "G" else turned,
        "inclination_deg": 0.0,
        "ascending_node_deg": 0.0,
        "geocentre_distance_m": _earth_radius_m(math.radians(scene.center_lonlat[1])),
        "platform_altitude_m": float(now.altitude_m),
        "ground_speed_m_s": float(now.ground_speed_m_s),
        "platform_heading_deg": float(now.heading_deg),
        "semi_major_m": WGS84_SEMI_MAJOR_M,
        "semi_minor_m": SEMI_MINOR_M,
        "datum_shift_m": [0.0] * 3,
        "datum_rotation_deg": [0.0] * 3,
        "datum_scale": 0.0,
        "projection": DESIGNATORS[scene.spec.projection],
        **_projection(scene, grid),
        **_corners(grid),
    }


def _earth_radius_m(lat_rad: float) -> float:
    """Distance of the ellipsoid's surface from its centre at a geodetic latitude."""
    cosine, sine = math.cos(lat_rad), math.sin(lat_rad)
    a, b = WGS84_SEMI_MAJOR_M, SEMI_MINOR_M
    above = (a * a * cosine) ** 2 + (b * b * sine) ** 2
    return math.sqrt(above / ((a * cosine) ** 2 + (b * sine) ** 2))


def _projection(scene: Scene, grid: Grid) -> dict[str, Any]:
    """Fill the block of the product's projection."""
    frame = grid.frame
    lon, lat = scene.center_lonlat
    if frame.letter == "U":
        return {
            "utm_name": "UNIVERSAL TRANSVERSE MERCATOR",
            "utm_zone": frame.zone,
            "utm_false_easting_m": UTM_FALSE_EASTING_M,
            "utm_false_northing_m": UTM_FALSE_NORTHING_SOUTH_M if frame.south else 0.0,
            "utm_center_lon_deg": lon,
            "utm_center_lat_deg": lat,
            "utm_scale": UTM_SCALE,
        }
    if frame.letter == "P":
        return {
            "ups_name": "UNIVERSAL POLAR STEREOGRAPHIC",
            "ups_center_lon_deg": frame.reference_lon_deg,
            "ups_center_lat_deg": frame.reference_lat_deg,
            "ups_scale": 1.0,
        }
    national = {
        "national_false_easting_m": 0.0,
        "national_false_northing_m": 0.0,
        "national_center_lon_deg": frame.reference_lon_deg,
        "national_center_lat_deg": frame.reference_lat_deg,
        "central_meridian_deg": [frame.reference_lon_deg, None, None],
    }
    if frame.letter == "M":
        return {
            "national_name": "MERCATOR",
            "standard_parallel_deg": [0.0, None, None, None],
            **national,
        }
    return {
        "national_name": "LAMBERT CONFORMAL CONIC",
        "standard_parallel_deg": [*frame.parallels_deg, None, None],
        **national,
    }


def _corners(grid: Grid) -> dict[str, Any]:
    """Corner pixels' centres on the map and on the ground, and the bilinear forms through them."""
    rows, columns = np.array(grid.corners).T
    easting, northing = grid.map_xy(rows, columns)
    lon, lat = grid.lonlat(rows, columns)
    values: dict[str, Any] = {}
    for k, name in enumerate(_CORNERS):
        values[f"{name}_northing_km"] = float(northing[k]) / 1000.0
        values[f"{name}_easting_km"] = float(easting[k]) / 1000.0
        values[f"{name}_lat_deg"] = float(lat[k])
        values[f"{name}_lon_deg"] = float(lon[k])
    # Rows and columns count from 1 here; longitudes run on across the antimeridian.
    lon = lon[0] + wrap_lon(lon - lon[0])
    values["row_column_to_map"] = [
        *_bilinear(rows + 1.0, columns + 1.0, lon),
        *_bilinear(rows + 1.0, columns + 1.0, lat),
    ]
    values["map_to_row_column"] = [
        *_bilinear(lon, lat, rows + 1.0),
        *_bilinear(lon, lat, columns + 1.0),
    ]
    return values


def _bilinear(x: Floats, y: Floats, z: Floats) -> list[float]:
    """Coefficients of z = c1 + c2 x + c3 y + c4 x y through four points."""
    x0, y0 = float(x.mean()), float(y.mean())
    dx, dy = x - x0, y - y0
    c1, c2, c3, c4 = np.linalg.solve(np.stack([np.ones(4), dx, dy, dx * dy], axis=1), z)
    return [
        float(c1 - c2 * x0 - c3 * y0 + c4 * x0 * y0),
        float(c2 - c4 * y0),
        float(c3 - c4 * x0),
        float(c4),
    ]

"""Footprints of images: in slant range, on a map grid, by polynomials, by tie points.

All run along the centres of the outermost samples, as InSAR processors draw them, and all come
back as ``rings.footprint_geometry`` gives them: closed, counter-clockwise from the north-western
corner, cut at the antimeridian. Sides get more positions only where the straight line that GeoJSON
draws would be off by more than the tolerance: at ALOS-2's scenes of 70 km below 50 degrees of
latitude the four corners do, ScanSAR's 350 km need more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

import numpy as np

from alos2.errors import BadProduct
from alos2.geometry.drawing import drawn
from alos2.geometry.imagefootprints import (
    grid_footprint,
    polynomial_footprint,
    tie_point_footprint,
)
from alos2.geometry.orbit import Floats, Orbit
from alos2.geometry.radargrid import RadarGrid
from alos2.geometry.rangedoppler import geo2rdr, rdr2geo
from alos2.geometry.rectangles import Rectangle, union_outlines
from alos2.geometry.rings import TOLERANCE_M, footprint_geometry
from alos2.types import Json, LonLat, LookSide, RasterShape

__all__ = [
    "RadarGrid",
    "Rectangle",
    "fitted_rectangle",
    "grid_footprint",
    "polynomial_footprint",
    "slant_range_corners",
    "slant_range_footprint",
    "tie_point_footprint",
]

RadarImage: TypeAlias = RadarGrid | tuple[datetime, float, float, float, RasterShape]
"""First line's time, line interval (s), near range (m), range spacing (m), shape."""


def slant_range_footprint(
    orbit: Orbit,
    images: Sequence[RadarImage],
    look: LookSide,
    height_m: float = 0.0,
    *,
    tolerance_m: float = TOLERANCE_M,
) -> Json:
    """Footprint of images in slant range: one of stripmap or spotlight, the beams of ScanSAR.

    Parameters
    ----------
    orbit : Orbit
        State vectors whose arc holds all lines.
    images : sequence of RadarGrid
        Timing and size of each image; of several polarisations one is enough.
    look : {"L", "R"}
        Side of the track.
    height_m : float
        Height of the ground above the ellipsoid, m.
    tolerance_m : float
        Largest deviation of a drawn edge from the true one, m.

    Returns
    -------
    dict
        GeoJSON. Of beams the union with its steps, not a box round them; a MultiPolygon too where
        a beam between two others is missing.

    Raises
    ------
    BadProduct
        If there is no image, a timing is impossible, or lies outside the orbit's arc.
    """
    if not images:
        raise BadProduct("there is no image to draw a footprint of")

    def locate(t: Floats, slant_range: Floats) -> tuple[Floats, Floats]:
        return rdr2geo(orbit, t, slant_range, look=look, height_m=height_m)

    rectangles = [_rectangle(orbit, RadarGrid(*image).checked()) for image in images]
    parts = [drawn(locate, corners, tolerance_m) for corners in union_outlines(rectangles)]
    return _joined([footprint_geometry(part, tolerance_m=tolerance_m) for part in parts])


def slant_range_corners(
    orbit: Orbit, image: RadarImage, look: LookSide, height_m: float = 0.0
) -> tuple[LonLat, LonLat, LonLat, LonLat]:
    """Four corners of one image in slant range.

    Parameters
    ----------
    orbit, image, look, height_m
        As for ``slant_range_footprint``.

    Returns
    -------
    tuple of LonLat
        Early near, early far, late far, late near: centres of the image's corner samples.

    Raises
    ------
    BadProduct
        If the timing is impossible or lies outside the orbit's arc.
    """
    box = _rectangle(orbit, RadarGrid(*image).checked())
    lon, lat = rdr2geo(
        orbit,
        [box.start_s, box.start_s, box.end_s, box.end_s],
        [box.near_m, box.far_m, box.far_m, box.near_m],
        look=look,
        height_m=height_m,
    )
    first, second, third, fourth = (
        LonLat(float(x), float(y)) for x, y in zip(lon, lat, strict=True)
    )
    return first, second, third, fourth


def fitted_rectangle(
    orbit: Orbit, corners: Sequence[LonLat], look: LookSide, height_m: float = 0.0
) -> tuple[Rectangle, float]:
    """Rectangle of azimuth time and slant range whose corners four places are, rounded.

    Parameters
    ----------
    orbit : Orbit
        State vectors.
    corners : sequence of 4 LonLat
        Going round the scene, either sense, e.g. the summary's data corners.
    look : {"L", "R"}
        Side of the track.
    height_m : float
        Height of the corners above the ellipsoid, m; JAXA's are at 0.

    Returns
    -------
    rectangle : Rectangle
        Means of the two earlier, later, nearer and farther corners.
    misfit_m : float
        Largest distance of a corner from the rectangle's, in slant range or along the orbit, m.

    Raises
    ------
    BadProduct
        If there are not four corners, they are not one of each kind, or lie elsewhere.
    """
    if len(corners) != 4:
        raise BadProduct(f"a rectangle has four corners, not {len(corners)}")
    lon, lat = np.array(corners, dtype=np.float64).T
    t, slant_range = geo2rdr(orbit, lon, lat, height_m, look=look)
    late, far = (np.argsort(np.argsort(values)) >= 2 for values in (t, slant_range))
    if len({(bool(a), bool(b)) for a, b in zip(late, far, strict=True)}) != 4:
        raise BadProduct("four corners are no rectangle in azimuth time and slant range")
    box = Rectangle(
        float(t[~late].mean()),
        float(t[late].mean()),
        float(slant_range[~far].mean()),
        float(slant_range[far].mean()),
    )
    _, velocity = orbit.interpolate(t)
    along = np.abs(t - np.where(late, box.end_s, box.start_s)) * np.linalg.norm(velocity, axis=1)
    across = np.abs(slant_range - np.where(far, box.far_m, box.near_m))
    return box, float(max(along.max(), across.max()))


def _rectangle(orbit: Orbit, image: RadarGrid) -> Rectangle:
    """Extent of an image in radar coordinates, from centre to centre of its outermost samples."""
    start, end = image.time_s(orbit, [0.0, image.shape[0] - 1.0])
    near, far = image.slant_range_m([0.0, image.shape[1] - 1.0])
    return Rectangle(float(start), float(end), float(near), float(far))


def _joined(geometries: list[Json]) -> Json:
    """One geometry of several."""
    if len(geometries) == 1:
        return geometries[0]
    polygons = [
        polygon
        for g in geometries
        for polygon in ([g["coordinates"]] if g["type"] == "Polygon" else g["coordinates"])
    ]
    return {"type": "MultiPolygon", "coordinates": polygons}

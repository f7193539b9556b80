"""Footprints of whole images: on a map grid, by the leader's polynomials, by tie points.

They run along the centres of the outermost samples; see ``footprints`` for what they return.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alos2.errors import BadProduct
from alos2.geometry.drawing import drawn
from alos2.geometry.orbit import Floats
from alos2.geometry.polynomials import GeolocationPolynomials
from alos2.geometry.rings import TOLERANCE_M, footprint_geometry
from alos2.types import Json, LonLat, RasterShape


def polynomial_footprint(
    polynomials: GeolocationPolynomials, shape: RasterShape, *, tolerance_m: float = TOLERANCE_M
) -> Json:
    """Footprint of a whole image by the leader's polynomials.

    Parameters
    ----------
    polynomials : GeolocationPolynomials
        Facility 5 of the image's own leader.
    shape : RasterShape
        Size of the image.
    tolerance_m : float
        Largest deviation of a drawn edge from the true one, m.

    Returns
    -------
    dict
        GeoJSON. Of a geocoded image the raster's box, which is larger than its data.

    Raises
    ------
    BadProduct
        If the polynomials are all zero, lead off the Earth, or the image is empty.
    """
    if polynomials.is_blank:
        raise BadProduct("the leader's geolocation polynomials (facility 5) are all zero")
    return footprint_geometry(
        drawn(polynomials.lonlat, _image_corners(shape), tolerance_m), tolerance_m=tolerance_m
    )


def grid_footprint(
    crs_wkt: str,
    transform: Sequence[float],
    shape: RasterShape,
    *,
    tolerance_m: float = TOLERANCE_M,
) -> Json:
    """Footprint of a whole raster on a map.

    Parameters
    ----------
    crs_wkt : str
        Its coordinate reference system.
    transform : sequence of 6 float
        GDAL's and rasterio's affine (a, b, c, d, e, f): x = a pixel + b line + c, y = d pixel +
        e line + f, with (c, f) the outer corner of the first pixel. May be rotated.
    shape : RasterShape
        Size of the raster.
    tolerance_m : float
        Largest deviation of a drawn edge from the true one, m.

    Returns
    -------
    dict
        GeoJSON. Of a geocoded image the raster's box, which is larger than its data.

    Raises
    ------
    BadProduct
        If the system is unknown, or the raster empty or off the map.
    """
    from pyproj import CRS, Transformer  # noqa: PLC0415  costs 0.1 s where it is not needed
    from pyproj.exceptions import ProjError  # noqa: PLC0415

    a, b, c, d, e, f = (float(v) for v in tuple(transform)[:6])
    try:
        crs = CRS.from_user_input(crs_wkt)
        # To its own degrees: ITRF97 and WGS 84 agree to a metre, and no datum shift may creep in.
        inverse = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    except ProjError as error:
        raise BadProduct(f"the raster's coordinate reference system is unknown: {error}") from error

    def locate(line: Floats, pixel: Floats) -> tuple[Floats, Floats]:
        x, y = pixel + 0.5, line + 0.5
        try:
            lon, lat = inverse.transform(a * x + b * y + c, d * x + e * y + f, errcheck=True)
        except ProjError as error:
            raise BadProduct(f"the raster lies off the map: {error}") from error
        return np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)

    return footprint_geometry(
        drawn(locate, _image_corners(shape), tolerance_m), tolerance_m=tolerance_m
    )


def tie_point_footprint(points: Sequence[tuple[float, float, LonLat]]) -> Json:
    """Footprint of an image that is known by tie points only, as level 1.1 GeoTIFF.

    Parameters
    ----------
    points : sequence of (line, pixel, LonLat)
        0-based image positions and their places, in any order. The outermost ones in the image
        are used: all that lie on the convex hull of the lines and pixels.

    Returns
    -------
    dict
        GeoJSON, straight between the tie points.

    Raises
    ------
    BadProduct
        If there are fewer than three, they lie in one line, or are not numbers.
    """
    places = {(float(line), float(pixel)): place for line, pixel, place in points}
    if not np.isfinite(np.array(list(places), dtype=np.float64)).all():
        raise BadProduct("the image positions of the tie points are not numbers")
    hull = _convex_hull(sorted(places))
    if len(hull) < 3:
        raise BadProduct(f"{len(points)} tie points do not enclose an image")
    return footprint_geometry([places[position] for position in hull])


def _image_corners(shape: RasterShape) -> Floats:
    """Corner samples of an image: line and pixel."""
    if shape[0] < 2 or shape[1] < 2:
        raise BadProduct(f"an image of {shape[0]} lines x {shape[1]} pixels encloses no area")
    line, pixel = shape[0] - 1.0, shape[1] - 1.0
    return np.array([[0.0, 0.0], [line, 0.0], [line, pixel], [0.0, pixel]])


def _convex_hull(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Hull of sorted points, those on its sides kept (Andrew's monotone chain)."""

    def half(ordered: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        chain: list[tuple[float, float]] = []
        for point in ordered:
            while len(chain) >= 2 and _turn(chain[-2], chain[-1], point) < 0.0:
                chain.pop()
            chain.append(point)
        return chain

    lower, upper = half(points), half(points[::-1])
    inner = {p for p in lower[1:-1] if p in upper[1:-1]}
    return [] if inner else lower[:-1] + upper[:-1]


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    """Positive for a left turn."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

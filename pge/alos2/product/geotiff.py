"""GeoTIFF deliveries: the header of an IMG-...tif becomes an :class:`Image`. Never pixels.

JAXA's files say ITRF97 on GRS 80, user-defined projection (ProjectedCSType 32767), no EPSG code;
so the projection is taken from the keys themselves: the UTM zone from ProjectionGeoKey (160zz
north, 161zz south), the hemisphere also from the false northing, others from ProjCoordTrans and
its parameters. Tie points are at (0.5, 0.5) in PixelIsArea, which is the *centre* of the first
pixel. Source: ALOS-2/PALSAR-2 GeoTIFF product format description Rev. A (2014); OGC 19-008r4.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from alos2.archive.members import is_seekable_cheaply
from alos2.errors import BadName, BadProduct
from alos2.naming import FileName
from alos2.product.crs import (
    UTM_FALSE_NORTHING_SOUTH_M,
    MapCrs,
    check_transform,
    lambert,
    mercator,
    polar_stereographic,
    utm,
)
from alos2.product.model import (
    Image,
    MapGrid,
    Problem,
    ProblemCode,
    ProductFile,
    TiePoint,
)
from alos2.product.tiff import TiffHeader, read_tiff_header
from alos2.types import POLARIZATIONS, LonLat, RasterShape

ARCHIVE_REACH_BYTES: Final = 32 << 20
"""How much of a compressed archive member may be inflated to reach a TIFF directory."""

RASTER_TYPE: Final = 1025
PROJECTED_CS: Final = 3072
PROJECTION: Final = 3074
COORD_TRANS: Final = 3075
_CT_MERCATOR: Final = 7
_CT_LAMBERT: Final = 8
_CT_POLAR: Final = 15
_USER_DEFINED: Final = 32767

GeoKeys = Mapping[int, "int | float | str"]


def _value(keys: GeoKeys, *names: int, default: float | None = None) -> float:
    for name in names:
        value = keys.get(name)
        if isinstance(value, (int, float)):
            return float(value)
    if default is None:
        raise BadProduct(f"its GeoTIFF keys have none of {names}")
    return default


def _is_number(value: int | float | str) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def crs_from_keys(keys: GeoKeys) -> MapCrs:
    """Projection of a geocoded or georeferenced image.

    Raises
    ------
    BadProduct
        The keys name no projection that JAXA uses, or lack a parameter.
    """
    strange = [key for key, value in keys.items() if not _is_number(value)]
    if strange:
        raise BadProduct(f"its GeoTIFF key {strange[0]} is {keys[strange[0]]}, which is no number")
    utm_zone = _utm_from_keys(keys)
    if utm_zone is not None:
        return utm_zone
    method = int(_value(keys, COORD_TRANS, default=0))
    offsets = {
        "false_easting_m": _value(keys, 3082, 3086, 3090, default=0.0),
        "false_northing_m": _value(keys, 3083, 3087, 3091, default=0.0),
    }
    if method == _CT_POLAR:
        latitude, longitude = _value(keys, 3081, 3089), _value(keys, 3095, 3080, 3088)
        return polar_stereographic(
            latitude, longitude, scale=_value(keys, 3092, default=1.0), **offsets
        )
    if method == _CT_MERCATOR:
        return _mercator_from_keys(keys, offsets)
    if method == _CT_LAMBERT:
        return lambert(
            _value(keys, 3078),
            _value(keys, 3079, 3078),
            origin_latitude_deg=_value(keys, 3085, 3081, 3089),
            origin_longitude_deg=_value(keys, 3084, 3080, 3088),
            **offsets,
        )
    raise BadProduct(
        "its GeoTIFF keys name no projection of JAXA's (ProjectionGeoKey "
        f"{keys.get(PROJECTION)}, ProjectedCSType {keys.get(PROJECTED_CS)}, "
        f"ProjCoordTrans {keys.get(COORD_TRANS)})"
    )


def _utm_from_keys(keys: GeoKeys) -> MapCrs | None:
    projection = int(_value(keys, PROJECTION, default=_USER_DEFINED))
    projected = int(_value(keys, PROJECTED_CS, default=_USER_DEFINED))
    for base, south in ((16000, False), (16100, True)):
        if 1 <= projection - base <= 60:
            northing = _value(keys, 3083, default=UTM_FALSE_NORTHING_SOUTH_M * south)
            return utm(projection - base, south=northing > 0)
    for base, south in ((32600, False), (32700, True)):  # WGS 84 / UTM, as other tools rewrite it
        if 1 <= projected - base <= 60:
            return utm(projected - base, south=south)
    return None


def _mercator_from_keys(keys: GeoKeys, offsets: dict[str, float]) -> MapCrs:
    longitude = _value(keys, 3080, 3088)
    if 3078 in keys:
        return mercator(longitude, latitude_deg=_value(keys, 3078), **offsets)
    scale = _value(keys, 3092, default=1.0)
    latitude = _value(keys, 3081, 3089, default=0.0)
    # An origin off the equator with scale 1 is how "true to scale at that latitude" is written.
    if latitude and scale == 1.0:
        return mercator(longitude, latitude_deg=latitude, **offsets)
    return mercator(longitude, latitude_deg=latitude, scale=scale, **offsets)


def transform_of(header: TiffHeader) -> tuple[float, float, float, float, float, float]:
    """Affine (a, b, c, d, e, f) of the upper left corners of the pixels.

    Where a file has both a transformation matrix and a tie point, the matrix gives the rotation
    and scale and the tie point the place: right whether the matrix counts from the corner or
    from the centre of the first pixel.

    Raises
    ------
    BadProduct
        The header has neither a matrix nor a scale with a tie point.
    """
    tie = header.tie_points[0] if header.tie_points else None
    scale, matrix = header.pixel_scale, header.matrix
    if len(matrix) == 16:
        a, b, c, d, e, f = (matrix[i] for i in (0, 1, 3, 4, 5, 7))
    elif len(scale) >= 2 and tie is not None:
        a, b, c, d, e, f = scale[0], 0.0, 0.0, 0.0, -scale[1], 0.0
    else:
        raise BadProduct("its GeoTIFF tags have no transformation, and no scale with a tie point")
    # PixelIsPoint: whole numbers are centres, so that corners lie half a pixel before.
    half = 0.5 if header.geo_keys.get(RASTER_TYPE) == 2 else 0.0
    if tie is not None:
        column, row = tie[0] + half, tie[1] + half
        c, f = tie[3] - a * column - b * row, tie[4] - d * column - e * row
    else:
        c, f = c - half * (a + b), f - half * (d + e)
    return (a, b, c, d, e, f)


def _tie_points(header: TiffHeader) -> tuple[TiePoint, ...]:
    """Raster positions are of corners (PixelIsArea): centres lie half a pixel on."""
    shift = 0.0 if header.geo_keys.get(RASTER_TYPE) == 2 else 0.5
    points = []
    for column, row, _, x, y, _ in header.tie_points:
        if not (abs(x) <= 360.0 and abs(y) <= 90.0):
            raise BadProduct(f"its tie point ({x:g}, {y:g}) is not a longitude and latitude")
        if not (0.0 <= column <= header.width and 0.0 <= row <= header.height):
            raise BadProduct(f"its tie point at pixel {column:g}, line {row:g} is not in the image")
        points.append(TiePoint(row - shift, column - shift, LonLat(x, y)))
    if len(points) != 4:
        raise BadProduct(f"it has {len(points)} tie points instead of four")
    return tuple(points)


def _pixel_type(header: TiffHeader) -> Literal["complex_int16", "uint16"] | None:
    if header.samples == 1 and header.bits[0] == 16 and header.sample_format == 1:
        return "uint16"
    two_shorts = header.samples == 2 and set(header.bits) == {16} and header.sample_format == 2
    one_complex = header.samples == 1 and header.bits[0] == 32 and header.sample_format == 5
    return "complex_int16" if two_shorts or one_complex else None


def read_geotiff_image(
    file: ProductFile, name: FileName, fallback: RasterShape | None
) -> tuple[Image | None, list[Problem]]:
    """Read the header of one image; what is wrong with it becomes problems.

    Parameters
    ----------
    file : ProductFile
        The IMG-...tif, on disk or in an archive.
    name : FileName
        Its parsed name.
    fallback : RasterShape or None
        Size by the summary, taken where the header cannot be read.

    Returns
    -------
    image : Image or None
        None where neither the header nor the summary gives a size.
    problems : list of Problem
    """
    if name.polarization is None or name.product is None:
        raise BadName(f"{file.name} is not the name of an image")
    reach = None if is_seekable_cheaply(file.member) else ARCHIVE_REACH_BYTES
    base = Image(
        file=file,
        polarization=name.polarization,
        beam=name.beam,
        shape=fallback or RasterShape(0, 0),
        dtype="complex_int16" if name.product.level == "1.1" else "uint16",
    )
    try:
        with file.member.open() as opened:
            header = read_tiff_header(opened, file.size_bytes, file.name, reach=reach)
    except BadProduct as error:
        code: ProblemCode = "bad_image" if file.size_bytes else "empty_image"
        return (base if fallback else None), [Problem(code, error.message, file.name)]
    if header is None:
        message = (
            f"{file.name}: its TIFF directory lies behind more than "
            f"{ARCHIVE_REACH_BYTES >> 20} MiB of compressed pixels; its georeferencing is read "
            "once it is unpacked"
        )
        problem = Problem("bad_image", message, file.name, blocks_ingest=False)
        return (base if fallback else None), [problem]
    return _fill(replace(base, shape=RasterShape(header.height, header.width)), header)


def _fill(image: Image, header: TiffHeader) -> tuple[Image, list[Problem]]:
    """Add the georeferencing; compare the header with the file's size and the name."""
    name, problems = image.file.name, []
    found = _pixel_type(header)
    if found != image.dtype:
        message = (
            f"{name}: samples are {header.samples} x {header.bits} bits of TIFF sample format "
            f"{header.sample_format}, expected {image.dtype}"
        )
        problems.append(Problem("bad_image", message, name))
    if header.data_end > image.file.size_bytes:
        message = (
            f"{name} is shorter than its header says: {header.data_end} bytes expected, "
            f"{image.file.size_bytes} found ({image.shape.lines} lines)"
        )
        problems.append(Problem("short_image", message, name))
    tagged = header.description.strip()
    if tagged in POLARIZATIONS and tagged != image.polarization:
        message = f"{name}: ImageDescription says {tagged}, the name {image.polarization}"
        problems.append(Problem("contradiction", message, name))
    try:
        if image.dtype == "complex_int16":
            image = replace(image, tie_points=_tie_points(header))
        else:
            crs = crs_from_keys(header.geo_keys)
            transform = transform_of(header)
            check_transform(crs, transform)
            grid = MapGrid(crs.wkt, crs.epsg, transform, image.shape)
            image = replace(image, grid=grid)
    except BadProduct as error:
        problems.append(Problem("bad_image", f"{name}: {error.message}", name))
    return image, problems

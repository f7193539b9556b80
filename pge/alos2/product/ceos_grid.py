"""The map grid of a CEOS image, from the leader's map projection record.

The record gives the projected corners in km as pixel *centres* (checked on the real leader:
EPSG:32720 turns them into its geographic corners to 3-7 mm), in the order top left, top right,
bottom right, bottom left; a grid's transform needs the upper left *corner* of the first pixel,
half a pixel before. Georeferenced products are rotated: then the corners alone say how.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from alos2.errors import BadProduct
from alos2.product.crs import MapCrs, check_transform, lambert, mercator, polar_stereographic, utm
from alos2.product.model import MapGrid
from alos2.product.summary import Summary
from alos2.types import RasterShape

CORNERS_TOLERANCE_M: Final = 1.0
"""How far the fourth corner may be from where the other three put it."""

_SNAP_M: Final = 0.01
"""Corners are printed to 0.1 mm: less than this over the whole image is rounding."""


def grid_from_map_projection(
    record: Mapping[str, Any], shape: RasterShape, summary: Summary | None, *, name: str
) -> MapGrid:
    """Make the grid of the images of a CEOS product.

    Parameters
    ----------
    record : Mapping
        Decoded map projection record.
    shape : RasterShape
        Of the images, by their own descriptors.
    summary : Summary or None
        Gives the parameters that the record leaves blank (Lambert, polar stereographic).
    name : str
        The leader's file name, for messages.

    Raises
    ------
    BadProduct
        Unknown projection, missing parameters, or corners that make no grid of `shape`.
    """
    try:
        crs = _crs(record, summary, name)
    except BadProduct as error:
        where = "" if error.message.startswith(name) else f"{name}: "
        raise BadProduct(f"{where}{error.message}") from None
    top_left, top_right = _corner(record, "top_left", name), _corner(record, "top_right", name)
    bottom_left = _corner(record, "bottom_left", name)
    bottom_right = _corner(record, "bottom_right", name)
    misfit = math.dist(
        bottom_right,
        (
            top_right[0] + bottom_left[0] - top_left[0],
            top_right[1] + bottom_left[1] - top_left[1],
        ),
    )
    if misfit > CORNERS_TOLERANCE_M:
        raise BadProduct(f"{name}: the map corners miss a parallelogram by {misfit:.1f} m")
    if (shape.pixels == 1 or shape.lines == 1) and top_left == bottom_right:
        step_x, step_y = record.get("pixel_spacing_m") or 0.0, record.get("line_spacing_m") or 0.0
        across, down = (step_x, 0.0), (0.0, -step_y)
    else:
        across = _step(top_left, top_right, shape.pixels)
        down = _step(top_left, bottom_left, shape.lines)
    across, down = _snapped(across, down, record, shape)
    _check_spacing(across, down, record, name)
    left = top_left[0] - 0.5 * (across[0] + down[0])
    top = top_left[1] - 0.5 * (across[1] + down[1])
    transform = (across[0], down[0], left, across[1], down[1], top)
    try:
        check_transform(crs, transform)
    except BadProduct as error:
        raise BadProduct(f"{name}: {error.message}") from None
    return MapGrid(crs.wkt, crs.epsg, transform, shape)


def misplaced_corners_m(grid: MapGrid, record: Mapping[str, Any]) -> float | None:
    """Distance between the record's projected corners and its geographic ones, projected.

    Only for projections other than UTM, which no real leader has shown: how their parameters
    are meant is known from readers, and this proves or refutes it in each product.

    Returns
    -------
    float or None
        Metres, the worst corner; None for UTM, and where the geographic corners are blank.
    """
    if grid.epsg is not None:
        return None
    corners = ("top_left", "top_right", "bottom_right", "bottom_left")
    places = [(record.get(f"{c}_lon_deg"), record.get(f"{c}_lat_deg")) for c in corners]
    if any(lon is None or lat is None for lon, lat in places) or not any(map(any, places)):
        return None
    from pyproj import CRS, Transformer  # noqa: PLC0415 - slow to import, and rarely needed

    crs = CRS.from_wkt(grid.crs_wkt)
    to_map = Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True)
    distances = []
    for corner, (lon, lat) in zip(corners, places, strict=True):
        easting, northing = to_map.transform(lon, lat)
        said = _corner(record, corner, "")
        distances.append(math.dist(said, (easting, northing)))
    return max(distances)


def _corner(record: Mapping[str, Any], corner: str, name: str) -> tuple[float, float]:
    """Easting and northing of a corner pixel's centre, m."""
    easting, northing = record.get(f"{corner}_easting_km"), record.get(f"{corner}_northing_km")
    if easting is None or northing is None:
        raise BadProduct(f"{name}: the map projection record has no {corner.replace('_', ' ')}")
    return 1000.0 * easting, 1000.0 * northing


def _step(first: tuple[float, float], last: tuple[float, float], count: int) -> tuple[float, float]:
    steps = max(count - 1, 1)
    return (last[0] - first[0]) / steps, (last[1] - first[1]) / steps


def _snapped(
    across: tuple[float, float],
    down: tuple[float, float],
    record: Mapping[str, Any],
    shape: RasterShape,
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Take the nominal spacing where the corners differ from it by their rounding only."""
    pixel, line = record.get("pixel_spacing_m"), record.get("line_spacing_m")
    if not pixel or not line:
        return across, down
    off_x = math.dist(across, (pixel, 0.0)) * shape.pixels
    off_y = math.dist(down, (0.0, -line)) * shape.lines
    return ((pixel, 0.0), (0.0, -line)) if max(off_x, off_y) < _SNAP_M else (across, down)


def _check_spacing(
    across: tuple[float, float], down: tuple[float, float], record: Mapping[str, Any], name: str
) -> None:
    for what, step in (("pixel", across), ("line", down)):
        said, found = record.get(f"{what}_spacing_m"), math.hypot(*step)
        if said and abs(found / said - 1.0) > 0.01:
            raise BadProduct(
                f"{name}: the map corners make a {what} spacing of {found:.4f} m over the image, "
                f"the map projection record says {said:.4f} m"
            )


def _number(record: Mapping[str, Any], key: str, name: str) -> float:
    value = record.get(key)
    if value is None:
        raise BadProduct(f"{name}: the map projection record leaves {key} blank")
    return float(value)


def _given(record: Mapping[str, Any], key: str) -> list[float]:
    """Values of a repeated field that are not blank."""
    return [float(value) for value in record.get(key) or () if value is not None]


def _crs(record: Mapping[str, Any], summary: Summary | None, name: str) -> MapCrs:
    designator = str(record.get("projection") or "").strip().upper()
    if designator.startswith("UTM"):
        zone = int(_number(record, "utm_zone", name))
        return utm(zone, south=_number(record, "utm_false_northing_m", name) > 0.0)
    if designator.startswith("UPS"):
        return _polar(record, summary, name)
    offsets = {
        "false_easting_m": float(record.get("national_false_easting_m") or 0.0),
        "false_northing_m": float(record.get("national_false_northing_m") or 0.0),
    }
    if designator.startswith("MER"):
        parallels, meridians = (
            _given(record, "standard_parallel_deg"),
            _given(record, "central_meridian_deg"),
        )
        longitude = meridians[0] if meridians else _number(record, "national_center_lon_deg", name)
        return mercator(longitude, latitude_deg=parallels[0] if parallels else 0.0, **offsets)
    if designator.startswith("LCC"):
        return _lambert(record, summary, name, offsets)
    raise BadProduct(f"{name}: unknown map projection {designator!r} (UTM, UPS, MER or LCC)")


def _polar(record: Mapping[str, Any], summary: Summary | None, name: str) -> MapCrs:
    """Polar stereographic: the summary says where it is true to scale, the record the pole."""
    latitude = summary.number("Pds_PS_ReferenceLatitude") if summary else None
    longitude = summary.number("Pds_PS_ReferenceLongitude") if summary else None
    if latitude is None:
        latitude = _number(record, "ups_center_lat_deg", name)
    if longitude is None:
        longitude = _number(record, "ups_center_lon_deg", name)
    return polar_stereographic(latitude, longitude, scale=record.get("ups_scale") or 1.0)


def _lambert(
    record: Mapping[str, Any],
    summary: Summary | None,
    name: str,
    offsets: dict[str, float],
) -> MapCrs:
    parallels = _given(record, "standard_parallel_deg")
    meridians = _given(record, "central_meridian_deg")
    if len(parallels) < 2 and summary is not None:
        lines = [summary.number(f"Pds_LCC_ReferenceLatitudinalLine{n}") for n in (1, 2)]
        parallels = [value for value in lines if value is not None]
    if not parallels:
        raise BadProduct(f"{name}: the map projection record leaves the standard parallels blank")
    latitude = summary.number("Pds_LCC_OriginLatitude") if summary else None
    longitude = summary.number("Pds_LCC_OriginLongitude") if summary else None
    if latitude is None:
        latitude = _number(record, "national_center_lat_deg", name)
    if longitude is None:
        longitude = meridians[0] if meridians else _number(record, "national_center_lon_deg", name)
    return lambert(
        parallels[0],
        parallels[1] if len(parallels) > 1 else parallels[0],
        origin_latitude_deg=latitude,
        origin_longitude_deg=longitude,
        **offsets,
    )

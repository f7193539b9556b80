"""Map projections of ALOS-2 products as WKT, made without PROJ.

JAXA's maps stand on ITRF97 and the GRS 80 ellipsoid, for which no projected EPSG code exists.
The WKT here (WKT2:2019, ISO 19162) says exactly that, so coordinates are right to a fraction of
a millimetre; WGS 84 differs from it by less than a tenth of a millimetre on the ellipsoid, which
is why ``epsg`` names the WGS 84 / UTM zone as an equivalent. Methods and parameters are those of
the EPSG guidance note 7-2 (IOGP 373-07-02).

Text rather than ``pyproj`` because ``alos2 info`` needs no projection arithmetic, and importing
PROJ takes longer than everything else that it does.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from alos2.errors import BadProduct

UTM_SCALE: Final = 0.9996
UTM_FALSE_EASTING_M: Final = 500_000.0
UTM_FALSE_NORTHING_SOUTH_M: Final = 10_000_000.0

_SPACING_M: Final = (0.1, 10_000.0)
"""JAXA's pixels have 2.5 to 100 m: what lies beyond these is a damaged number."""
_FARTHEST_M: Final = 2.5e7
"""No map of the Earth has a place as far from its origin."""
_UTM_EASTINGS_M: Final = (-1e6, 2e6)
_UTM_NORTHINGS_M: Final = (-1e6, 1.1e7)
"""A zone and a ScanSAR scene's width beside it; beyond lies another part of the Earth."""
_MOST_SKEW: Final = 0.5
"""Least sine of the angle between lines and pixels, which are at right angles in JAXA's grids."""

_DEGREE: Final = 'ANGLEUNIT["degree",0.0174532925199433]'
_METRE: Final = 'LENGTHUNIT["metre",1]'
_BASE: Final = (
    'BASEGEOGCRS["ITRF97",DATUM["International Terrestrial Reference Frame 1997",'
    f'ELLIPSOID["GRS 1980",6378137,298.257222101,{_METRE}]],'
    f'PRIMEM["Greenwich",0,{_DEGREE}]]'
)
_AXES: Final = (
    "CS[Cartesian,2],"
    f'AXIS["easting",east,ORDER[1],{_METRE}],AXIS["northing",north,ORDER[2],{_METRE}]'
)
_POLAR_AXES: Final = (
    "CS[Cartesian,2],"
    'AXIS["easting",{direction},MERIDIAN[{east},{degree}],ORDER[1],{metre}],'
    'AXIS["northing",{direction},MERIDIAN[{north},{degree}],ORDER[2],{metre}]'
)

_ANGLE_PARAMETERS: Final = {
    "Latitude of natural origin": 8801,
    "Longitude of natural origin": 8802,
    "Latitude of false origin": 8821,
    "Longitude of false origin": 8822,
    "Latitude of 1st standard parallel": 8823,
    "Latitude of 2nd standard parallel": 8824,
    "Latitude of standard parallel": 8832,
    "Longitude of origin": 8833,
}
_LENGTH_PARAMETERS: Final = {
    "False easting": 8806,
    "False northing": 8807,
    "Easting at false origin": 8826,
    "Northing at false origin": 8827,
}
_SCALE_PARAMETERS: Final = {"Scale factor at natural origin": 8805}


class MapCrs(NamedTuple):
    """A projected coordinate reference system."""

    wkt: str
    """WKT2:2019; easting, northing in metres."""
    epsg: int | None
    """The equivalent WGS 84 / UTM code, None for other projections."""


def _parameter(name: str, value: float) -> str:
    if name in _ANGLE_PARAMETERS:
        unit, code = _DEGREE, _ANGLE_PARAMETERS[name]
    elif name in _LENGTH_PARAMETERS:
        unit, code = _METRE, _LENGTH_PARAMETERS[name]
    else:
        unit, code = 'SCALEUNIT["unity",1]', _SCALE_PARAMETERS[name]
    return f'PARAMETER["{name}",{value:.15g},{unit},ID["EPSG",{code}]]'


def _projected(
    name: str, method: str, code: int, parameters: dict[str, float], axes: str = _AXES
) -> str:
    for key in _LENGTH_PARAMETERS.keys() & parameters.keys():
        _check(key.lower(), parameters[key], -_FARTHEST_M, _FARTHEST_M)
    listed = ",".join(_parameter(key, value) for key, value in parameters.items())
    return (
        f'PROJCRS["ITRF97 / {name}",{_BASE},'
        f'CONVERSION["{name}",METHOD["{method}",ID["EPSG",{code}]],{listed}],{axes}]'
    )


def _check(what: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also refuses NaN
        raise BadProduct(f"map projection: {what} {value:g} is not between {low:g} and {high:g}")


def check_transform(
    crs: MapCrs, transform: tuple[float, float, float, float, float, float]
) -> None:
    """Refuse a grid that no image of the Earth has, before somebody divides by it.

    Parameters
    ----------
    crs : MapCrs
        Its projection.
    transform : tuple of float
        Affine (a, b, c, d, e, f), m; see `alos2.product.model.MapGrid`.

    Raises
    ------
    BadProduct
        A pixel or line spacing is not within 0.1 m to 10 km, lines and pixels are nearly
        parallel, or the first pixel lies outside of the map.
    """
    a, b, c, d, e, f = transform
    for what, spacing in (("pixel", math.hypot(a, d)), ("line", math.hypot(b, e))):
        if not _SPACING_M[0] <= spacing <= _SPACING_M[1]:
            raise BadProduct(f"its map grid has a {what} spacing of {spacing:g} m, which cannot be")
    if not abs(a * e - b * d) >= _MOST_SKEW * math.hypot(a, d) * math.hypot(b, e):
        raise BadProduct(f"its map grid {transform[:2] + transform[3:5]} has no right angles")
    eastings = northings = (-_FARTHEST_M, _FARTHEST_M)
    if crs.epsg is not None:
        eastings, northings = _UTM_EASTINGS_M, _UTM_NORTHINGS_M
    if not (eastings[0] <= c <= eastings[1] and northings[0] <= f <= northings[1]):
        raise BadProduct(f"its map grid begins at ({c:g}, {f:g}) m, which is on no map")


def utm(zone: int, *, south: bool) -> MapCrs:
    """Universal Transverse Mercator on ITRF97/GRS 80.

    Raises
    ------
    BadProduct
        There is no such zone.
    """
    _check("UTM zone", zone, 1, 60)
    name = f"UTM zone {zone}{'S' if south else 'N'}"
    wkt = _projected(
        name,
        "Transverse Mercator",
        9807,
        {
            "Latitude of natural origin": 0.0,
            "Longitude of natural origin": zone * 6.0 - 183.0,
            "Scale factor at natural origin": UTM_SCALE,
            "False easting": UTM_FALSE_EASTING_M,
            "False northing": UTM_FALSE_NORTHING_SOUTH_M if south else 0.0,
        },
    )
    return MapCrs(wkt, (32700 if south else 32600) + zone)


def polar_stereographic(
    latitude_deg: float,
    longitude_deg: float,
    *,
    scale: float = 1.0,
    false_easting_m: float = 0.0,
    false_northing_m: float = 0.0,
) -> MapCrs:
    """Polar stereographic: `latitude_deg` is the pole (then `scale` counts) or true to scale.

    Raises
    ------
    BadProduct
        A latitude, longitude or scale that cannot be.
    """
    _check("reference latitude", abs(latitude_deg), 1.0, 90.0)
    _check("reference longitude", longitude_deg, -360.0, 360.0)
    _check("scale factor", scale, 0.5, 1.5)
    south = latitude_deg < 0
    axes = _POLAR_AXES.format(
        direction="north" if south else "south",
        east="90",
        north="0" if south else "180",
        degree=_DEGREE,
        metre=_METRE,
    )
    offsets = {"False easting": false_easting_m, "False northing": false_northing_m}
    if abs(latitude_deg) == 90.0:
        method, code = "Polar Stereographic (variant A)", 9810
        parameters = {
            "Latitude of natural origin": latitude_deg,
            "Longitude of natural origin": longitude_deg,
            "Scale factor at natural origin": scale,
        }
    else:
        method, code = "Polar Stereographic (variant B)", 9829
        parameters = {
            "Latitude of standard parallel": latitude_deg,
            "Longitude of origin": longitude_deg,
        }
    wkt = _projected("polar stereographic", method, code, {**parameters, **offsets}, axes)
    return MapCrs(wkt, None)


def mercator(
    longitude_deg: float,
    *,
    latitude_deg: float = 0.0,
    scale: float | None = None,
    false_easting_m: float = 0.0,
    false_northing_m: float = 0.0,
) -> MapCrs:
    """Mercator; without `scale`, `latitude_deg` is where it is true to scale.

    Raises
    ------
    BadProduct
        A latitude, longitude or scale that cannot be.
    """
    _check("origin longitude", longitude_deg, -360.0, 360.0)
    _check("reference latitude", latitude_deg, -89.0, 89.0)
    offsets = {"False easting": false_easting_m, "False northing": false_northing_m}
    if scale is None:
        method, code = "Mercator (variant B)", 9805
        parameters = {
            "Latitude of 1st standard parallel": latitude_deg,
            "Longitude of natural origin": longitude_deg,
        }
    else:
        _check("scale factor", scale, 0.1, 1.5)
        _check("origin latitude of a Mercator projection with a scale factor", latitude_deg, 0, 0)
        method, code = "Mercator (variant A)", 9804
        parameters = {
            "Latitude of natural origin": 0.0,
            "Longitude of natural origin": longitude_deg,
            "Scale factor at natural origin": scale,
        }
    return MapCrs(_projected("Mercator", method, code, {**parameters, **offsets}), None)


def lambert(
    parallel_1_deg: float,
    parallel_2_deg: float,
    *,
    origin_latitude_deg: float,
    origin_longitude_deg: float,
    false_easting_m: float = 0.0,
    false_northing_m: float = 0.0,
) -> MapCrs:
    """Lambert conformal conic with two standard parallels.

    Raises
    ------
    BadProduct
        A latitude or longitude that cannot be, or parallels on opposite sides of the equator.
    """
    for value in (parallel_1_deg, parallel_2_deg, origin_latitude_deg):
        _check("latitude", value, -89.9, 89.9)
    _check("origin longitude", origin_longitude_deg, -360.0, 360.0)
    if abs(parallel_1_deg + parallel_2_deg) < 1e-9:
        raise BadProduct(
            f"map projection: standard parallels {parallel_1_deg:g} and {parallel_2_deg:g} "
            "make no cone"
        )
    wkt = _projected(
        "Lambert conformal conic",
        "Lambert Conic Conformal (2SP)",
        9802,
        {
            "Latitude of false origin": origin_latitude_deg,
            "Longitude of false origin": origin_longitude_deg,
            "Latitude of 1st standard parallel": parallel_1_deg,
            "Latitude of 2nd standard parallel": parallel_2_deg,
            "Easting at false origin": false_easting_m,
            "Northing at false origin": false_northing_m,
        },
    )
    return MapCrs(wkt, None)

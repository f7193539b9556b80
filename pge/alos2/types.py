"""Small value types that every floor shares."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

Polarization: TypeAlias = Literal["HH", "HV", "VH", "VV"]
"""Transmit, then receive."""

Level: TypeAlias = Literal["1.1", "1.5", "2.1", "3.1"]
"""JAXA's processing level."""

ProductFormat: TypeAlias = Literal["ceos", "geotiff"]

LookSide: TypeAlias = Literal["L", "R"]

PassDirection: TypeAlias = Literal["A", "D"]
"""Ascending or descending."""

FootprintSource: TypeAlias = Literal["bos_sarcat", "geometry", "raster", "summary", "isce"]

Json: TypeAlias = dict[str, Any]
"""A JSON object."""

POLARIZATIONS: tuple[Polarization, ...] = ("HH", "HV", "VH", "VV")
"""In the order in which documents list them."""


class LonLat(NamedTuple):
    """A place on the ellipsoid: GeoJSON's order, degrees."""

    lon_deg: float
    lat_deg: float


class RasterShape(NamedTuple):
    """Size of an image: rows first, as numpy has it."""

    lines: int
    pixels: int


class Window(NamedTuple):
    """A rectangle of an image, in whole lines and pixels, 0-based."""

    line: int
    pixel: int
    lines: int
    pixels: int

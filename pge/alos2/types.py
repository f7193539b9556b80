"""Small value types that every floor shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

Polarization: TypeAlias = Literal["HH", "HV", "VH", "VV"]
"""Transmit, then receive."""

Level: TypeAlias = Literal["1.1", "1.5", "2.1", "2.2", "3.1"]
"""JAXA's processing level; 2.2 is analysis-ready ScanSAR, delivered in a layout of its own."""

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


class Password(Protocol):
    """A password that does not show itself."""

    def reveal(self) -> str:
        """Return it."""


class Login(Protocol):
    """Who we are for a server."""

    @property
    def username(self) -> str:
        """Name of the account."""

    @property
    def password(self) -> Password | None:
        """Its password."""


Logins: TypeAlias = "Callable[[str], Login | None]"
"""Gives the login for a host, with its port where it has one; None where there is none."""


def no_login(host: str) -> None:
    """Know no login for any host."""

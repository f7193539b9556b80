"""The summary.xml of level 2.2: what its source was, and what was made of it.

Source: a real one (CARD4L Normalised Radar Backscatter 5.5). Its numbers of lines and of pixels
are exchanged, and its bounding box is of the centres of the corner pixels; so sizes and places are
taken from the rasters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from alos2.errors import BadProduct
from alos2.naming import ProductId, SceneId
from alos2.product.model import Problem, SummaryCorners
from alos2.product.safexml import parse_xml
from alos2.types import LonLat

if TYPE_CHECKING:
    from lxml.etree import _Element

_EQUATION_RE: Final = re.compile(r"\s*10\s*\*\s*log10\(\s*DN\s*\^\s*2\s*\)\s*([-+]\s*[0-9.]+)\s*")
_GAMMA: Final = "gamma-0"


@dataclass(frozen=True)
class Card4l:
    """What it says; None where it does not."""

    name: str
    start_time: datetime | None = None
    end_time: datetime | None = None
    processed_time: datetime | None = None
    path: int | None = None
    mode: str | None = None
    frequency_hz: float | None = None
    beam_number: int | None = None
    orbit_source: str | None = None
    facility: str | None = None
    software: str | None = None
    spacing_m: float | None = None
    factor_db: float | None = None
    """What is added to 10 log10(DN^2)."""
    measurement: str | None = None
    """``Gamma-0``."""
    dem: str | None = None
    corners: SummaryCorners | None = None
    """Of the data."""

    @property
    def center_time(self) -> datetime | None:
        """The middle of start and end."""
        if self.start_time is None or self.end_time is None:
            return None
        return self.start_time + (self.end_time - self.start_time) / 2


def read_card4l(data: bytes, name: str) -> Card4l:
    """Read a summary.xml, with entities and network off.

    Raises
    ------
    BadProduct
        It is too long, not well-formed, has a document type, or is no CARD4L summary.
    """
    root = _parse(data, name)

    def text(path: str) -> str | None:
        found = root.findtext(path)
        return found.strip() or None if found else None

    acquired = "SourceAttributes/SourceDataAcquisitionParameters"
    equation = _EQUATION_RE.fullmatch(
        text("CARD4LProductAttributes/BackscatterMeasurementData/BackscatterConversionEq") or ""
    )
    frequency_ghz = _number(text(f"{acquired}/RadarCenterFrequency"))
    beam = re.fullmatch(r"[A-Z]*([0-9]{1,2})", text(f"{acquired}/BeamID") or "", re.ASCII)
    path_number = _number(text(f"{acquired}/RSP_Path_Number"))
    made = "CARD4LProductAttributes/"
    times = "SourceAttributes/SourceDataAcquisitionTime"
    return Card4l(
        name=name,
        start_time=_time(text(f"{times}/StartTime")),
        end_time=_time(text(f"{times}/EndTime")),
        processed_time=_time(text(made + "DataAccess/ProcessingTime")),
        path=None if path_number is None else int(path_number),
        mode=text(f"{acquired}/ObservationMode"),
        frequency_hz=None if frequency_ghz is None else frequency_ghz * 1e9,
        beam_number=int(beam[1]) if beam else None,
        orbit_source=text("SourceAttributes/OrbitInformation/OrbitDataSource"),
        facility=text(made + "DataAccess/ProcessingFacility"),
        software=text(made + "DataAccess/SoftwareVersion"),
        spacing_m=_number(text(made + "ProductSampleSpacing/ProductColumnSpacing")),
        factor_db=_number(equation[1].replace(" ", "")) if equation else None,
        measurement=text(made + "BackscatterMeasurementData/BackscatterMeasurement"),
        dem=text(made + "GeometricCorrections/DigitalElevationModel/DEMReference"),
        corners=_corners(text("SourceAttributes/SourceDataImageAttributes/SourceDataGeometry")),
    )


def compare_card4l(said: Card4l, scene: SceneId, product: ProductId) -> list[Problem]:
    """Return where the summary contradicts the files' names, or is not of gamma nought."""
    problems = []
    for what, value, expected in (
        ("mode", said.mode, product.mode),
        ("path", said.path, scene.path),
        ("backscatter", (said.measurement or _GAMMA).lower(), _GAMMA),
    ):
        if value is not None and value != expected:
            message = f"{what}: {said.name} says {value}, the file names say {expected}"
            problems.append(Problem("contradiction", message, said.name))
    return problems


def _parse(data: bytes, name: str) -> _Element:
    root = parse_xml(data, name, "CARD4L summary")
    if root.tag != "Product" or root.find("CARD4LProductAttributes") is None:
        raise BadProduct(f"{name} is not a CARD4L summary: its root is <{root.tag}>")
    return root


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
    except ValueError:
        return None


def _corners(text: str | None) -> SummaryCorners | None:
    """Polygon ((lon lat, ...)): left top, left bottom, right bottom, right top."""
    inner = re.fullmatch(r"Polygon\s*\(\((.*)\)\)", text or "", re.IGNORECASE | re.DOTALL)
    if inner is None:
        return None
    places = []
    for pair in inner[1].split(","):
        words = pair.split()
        lon, lat = (_number(word) for word in words) if len(words) == 2 else (None, None)
        if lon is None or lat is None or not (abs(lon) <= 360.0 and abs(lat) <= 90.0):
            return None
        places.append(LonLat(lon, lat))
    if len(places) != 5 or places[0] != places[-1]:
        return None
    left_top, left_bottom, right_bottom, right_top = places[:4]
    return SummaryCorners(left_top, right_top, right_bottom, left_bottom)

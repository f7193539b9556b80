"""JAXA's KML of a scene: ids, path, frame, times and the corner ring.

A KML is a convenience for Google Earth, and level 2.2 deliveries are known whose KML names
another scene; so what it says is compared with the other files and never believed against them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from alos2.errors import BadProduct
from alos2.product.model import SummaryCorners
from alos2.product.safexml import parse_xml
from alos2.product.summary_values import parse_time
from alos2.types import LonLat

if TYPE_CHECKING:
    from lxml.etree import _Element

_RING_FOLDER: Final = "Scene Rectangle"


@dataclass(frozen=True)
class SceneKml:
    """What a KML says; None where it does not."""

    scene_id: str | None = None
    product_id: str | None = None
    path: int | None = None
    frame: str | None = None
    """With its zeros, as written."""
    scene_shift: int | None = None
    off_nadir_deg: float | None = None
    center_time: datetime | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    corners: SummaryCorners | None = None
    """Of the ring: left top, left bottom, right bottom, right top."""
    placemarks: tuple[str, ...] = ()
    """Names of all placemarks: each should be the scene id."""


def read_kml(data: bytes, name: str) -> SceneKml:
    """Read a KML, with entities and network off.

    Raises
    ------
    BadProduct
        It is too long, not well-formed, has a document type (JAXA's have none) or is no KML.
    """
    root = _parse(data, name)
    rows: dict[str, str] = {}
    placemarks: list[str] = []
    ring = None
    for placemark in root.iter("{*}Placemark"):
        placemarks.append((placemark.findtext("{*}name") or "").strip())
        rows = rows or _description_rows(placemark.findtext("{*}description") or "")
        coordinates = placemark.findtext(
            "{*}Polygon/{*}outerBoundaryIs/{*}LinearRing/{*}coordinates"
        )
        if ring is None and coordinates:
            ring = _ring(coordinates, name)
    return SceneKml(
        scene_id=rows.get("Scene ID"),
        product_id=rows.get("Product ID"),
        path=_whole(rows.get("Path No")),
        frame=rows.get("Frame(center)"),
        scene_shift=_whole(rows.get("SceneShift")),
        off_nadir_deg=_number(rows.get("Offnadir Angle")),
        center_time=_time(rows, "Center"),
        start_time=_time(rows, "Start"),
        end_time=_time(rows, "End"),
        corners=_corners(ring, rows),
        placemarks=tuple(placemarks),
    )


def _parse(data: bytes, name: str) -> _Element:
    from lxml import etree  # noqa: PLC0415 - slow to import, and not every product has a KML

    root = parse_xml(data, name, "KML")
    if etree.QName(root).localname != "kml":
        raise BadProduct(f"{name} is not a KML: its root is <{etree.QName(root).localname}>")
    return root


def _description_rows(description: str) -> dict[str, str]:
    """Rows of the table (HTML inside the KML's text), first cell to second."""
    from lxml import etree  # noqa: PLC0415 - as above

    if "<tr" not in description.lower():
        return {}
    try:
        page = etree.fromstring(description, etree.HTMLParser(no_network=True))
    except (etree.XMLSyntaxError, ValueError):
        return {}  # a description is free text: nothing is lost that another file does not say
    if page is None:
        return {}
    rows = {}
    for row in page.iter("tr"):
        cells = ["".join(map(str, cell.itertext())).strip() for cell in row.iter("td")]
        if len(cells) == 2 and cells[1]:
            rows[cells[0]] = cells[1]
    return rows


def _ring(coordinates: str, name: str) -> list[LonLat]:
    places = []
    for triple in coordinates.split():
        try:
            lon, lat = (float(text) for text in triple.split(",")[:2])
        except ValueError:
            raise BadProduct(f"{name}: {triple[:40]!r} in a ring is not lon,lat,height") from None
        if not (abs(lat) <= 90.0 and abs(lon) <= 360.0):
            raise BadProduct(f"{name}: {triple[:40]!r} in a ring is not a place on Earth")
        places.append(LonLat(lon, lat))
    return places


def _corners(ring: list[LonLat] | None, rows: dict[str, str]) -> SummaryCorners | None:
    if ring is None or len(ring) != 5 or ring[0] != ring[-1]:
        return None
    left_top, left_bottom, right_bottom, right_top = ring[:4]
    center = None
    lat, _, lon = rows.get("Lat/Long(center)", "").partition("/")
    lat_deg, lon_deg = _number(lat), _number(lon)
    if lat_deg is not None and lon_deg is not None:
        center = LonLat(lon_deg, lat_deg)
    return SummaryCorners(left_top, right_top, right_bottom, left_bottom, center)


def _whole(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[+-]?\d{1,9}", text) else None


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"[+-]?\d{1,9}(\.\d*)?", text.strip()) else None


def _time(rows: dict[str, str], which: str) -> datetime | None:
    """``Scene Time(...)`` has no day; the observation date is that of the centre."""
    day, clock = rows.get("Observation Date", ""), rows.get(f"Scene Time({which})", "")
    middle = rows.get("Scene Time(Center)", clock)
    try:
        when, _ = parse_time(f"{day.replace('-', '')} {clock}")
        center, _ = parse_time(f"{day.replace('-', '')} {middle}")
    except ValueError:
        return None
    # A scene lasts a minute at most: half a day apart means that midnight lies between.
    hours = (when - center).total_seconds() / 3600.0
    if abs(hours) < 12.0:
        return when
    return when - timedelta(days=1) if hours > 0 else when + timedelta(days=1)

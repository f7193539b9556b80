"""What BOS SARCAT's answers mean: untrusted rows are checked, measured against the product, ranked.

The catalogue is made of plans that are edited later: an "archived" row may have been written days
before its scene was taken, integers have lost their zeros, one identifier may have several rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any, Final

import shapely.geometry

from alos2.errors import BadProduct
from alos2.footprint.provider import NoAnswer
from alos2.geometry.rings import footprint_geometry
from alos2.product.model import Product
from alos2.types import Json, LonLat

_TAKEN: Final = frozenset({"archived", "acquired"})
_MAX_VERTICES: Final = 500
_MAX_PARTS: Final = 4
_MAX_TEXT: Final = 100
_EPOCH: Final = datetime.min.replace(tzinfo=timezone.utc)
_ISO: Final = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<minutes>\d\d:\d\d):(?P<seconds>\d\d)(?:\.(?P<fraction>\d+))?"
    r"(?P<zone>[Zz]|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
_RECORDED: Final = (
    "status", "identifier", "absolute_orbit", "relative_orbit", "frame", "beam_mode",
    "beam_swath", "flight_direction", "look_direction", "polarization", "start_time",
    "stop_time", "bos_ingest",
)  # fmt: skip
"""Properties that go to met.json with the answer."""


@dataclass(frozen=True)
class Row:
    """One row of the catalogue that is about the scene."""

    geometry: Json | None
    """As `footprint_geometry` makes it; None if the row has none that is one."""
    geometry_problem: str
    disagreements: tuple[str, ...]
    """In which of look side, pass and date it differs from the product, in words."""
    taken: bool
    """Archived or acquired, not planned."""
    orbit_agrees: bool
    ingested: datetime
    details: Json

    @property
    def rank(self) -> tuple[bool, int, bool, bool, datetime]:
        """Larger is better."""
        return (
            self.geometry is not None,
            -len(self.disagreements),
            self.taken,
            self.orbit_agrees,
            self.ingested,
        )


def parse_answer(body: bytes, content_type: str) -> list[Any] | NoAnswer:
    """Return the features of a WFS answer.

    GeoServer answers a bad request with 200 and an XML ``ServiceExceptionReport``; proxies answer
    with HTML.
    """
    text = body.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text[:1] == b"<":
        lowered = text[:4096].lower()
        if b"exception" in lowered:
            return NoAnswer("the catalogue refused the question (a ServiceException in XML)")
        what = "a web page" if b"<html" in lowered else "XML"
        return NoAnswer(f"the catalogue sent {what} instead of JSON")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        kind = _text(content_type.partition(";")[0]) or "no content type"
        return NoAnswer(
            f"the catalogue's answer is not JSON, or cut off ({len(body)} bytes, {kind})"
        )
    features = answer.get("features") if isinstance(answer, dict) else None
    if not isinstance(features, list):
        return NoAnswer("the catalogue's answer is JSON without features")
    return features


def rows_about(features: Sequence[Any], product: Product) -> list[Row]:
    """Return the rows whose identifier is the product's scene, best first."""
    rows = []
    for feature in features:
        if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
            continue
        properties = feature["properties"]
        if properties.get("identifier") == str(product.scene):
            rows.append(_row(feature.get("geometry"), properties, product))
    return sorted(rows, key=lambda row: row.rank, reverse=True)


def _row(geometry: Any, properties: Json, product: Product) -> Row:
    shape = clean_geometry(geometry)
    problem = shape.reason if isinstance(shape, NoAnswer) else ""
    status = properties.get("status")
    return Row(
        geometry=None if isinstance(shape, NoAnswer) else shape,
        geometry_problem=problem,
        disagreements=tuple(_disagreements(properties, product)),
        taken=isinstance(status, str) and status.lower() in _TAKEN,
        orbit_agrees=_integer(properties.get("absolute_orbit")) == int(product.scene.orbit),
        ingested=_moment(properties.get("bos_ingest")) or _EPOCH,
        details={k: v for k in _RECORDED if (v := _plain(properties.get(k))) is not None},
    )


def _disagreements(properties: Json, product: Product) -> list[str]:
    """Compare look side, pass and date; what the row does not say does not agree."""
    found = []
    look, flight = (_letter(properties.get(k)) for k in ("look_direction", "flight_direction"))
    if look != product.look:
        found.append(f"look side {look or 'unknown'}, not {product.look}")
    if flight != product.pass_direction:
        found.append(f"pass {flight or 'unknown'}, not {product.pass_direction}")
    days = _days(properties)
    if product.scene.date not in days:
        shown = days[0].isoformat() if days else "unknown"
        found.append(f"date {shown}, not {product.scene.date.isoformat()}")
    return found


def _days(properties: Json) -> list[date]:
    moments = (_moment(properties.get(k)) for k in ("start_time", "stop_time"))
    return [moment.date() for moment in moments if moment is not None]


def _letter(value: Any) -> str:
    """Return ``R`` of ``R``, ``right`` or ``RIGHT``; empty if it is no text."""
    return value.strip()[:1].upper() if isinstance(value, str) else ""


def _moment(value: Any) -> datetime | None:
    """Parse ISO 8601 with or without a zone (then UTC); None if it is not a moment."""
    found = _ISO.fullmatch(value.strip()) if isinstance(value, str) and len(value) < 64 else None
    if found is None:
        return None
    zone = (found["zone"] or "Z").upper().replace("Z", "+0000").replace(":", "")
    seconds = f"{found['seconds']}.{(found['fraction'] or '0')[:6]}"
    try:
        moment = datetime.strptime(
            f"{found['day']} {found['minutes']}:{seconds} {zone}", "%Y-%m-%d %H:%M:%S.%f %z"
        )
        return moment.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value.strip()[:9])
    return value if isinstance(value, int) else None


def _text(value: str) -> str:
    return "".join(c for c in value if c.isprintable())[:_MAX_TEXT]


def _plain(value: Any) -> str | int | float | None:
    """Return what may go into a document: short text, a number; else None."""
    if isinstance(value, str):
        return _text(value) or None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if abs(value) < 1e15 else None  # no NaN either


def clean_geometry(geometry: Any) -> Json | NoAnswer:
    """Return a server's Polygon or MultiPolygon as our footprints are, or what is wrong with it.

    Outer rings only; longitudes are brought to -180..180, what crosses the antimeridian is cut
    there.
    """
    parts = _parts(geometry)
    if isinstance(parts, NoAnswer):
        return parts
    polygons: list[Any] = []
    for part in parts:
        ring = _outer_ring(part)
        if isinstance(ring, NoAnswer):
            return ring
        try:
            made = footprint_geometry(ring)
        except (BadProduct, ValueError) as error:
            return NoAnswer(f"its geometry spans no area: {_text(str(error))}")
        more = [made["coordinates"]] if made["type"] == "Polygon" else made["coordinates"]
        polygons.extend(more)
    cleaned: Json = {"type": "MultiPolygon", "coordinates": polygons}
    if len(polygons) == 1:
        cleaned = {"type": "Polygon", "coordinates": polygons[0]}
    if not shapely.geometry.shape(cleaned).is_valid:
        return NoAnswer("its geometry crosses itself")
    return cleaned


def _parts(geometry: Any) -> list[Any] | NoAnswer:
    """Return the polygons of a geometry, each as GeoJSON's list of rings."""
    if geometry is None:
        return NoAnswer("its geometry is null")
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        return NoAnswer(f"its geometry is no polygon ({_plain(kind) or 'no type'})")
    coordinates = geometry.get("coordinates")
    parts = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(parts, list) or not 1 <= len(parts) <= _MAX_PARTS:
        return NoAnswer("its geometry has no usable number of parts")
    return parts


def _outer_ring(part: Any) -> list[LonLat] | NoAnswer:
    """Return the distinct corners of a polygon's outer ring."""
    ring = part[0] if isinstance(part, list) and part else None
    if not isinstance(ring, list) or not 4 <= len(ring) <= _MAX_VERTICES:
        return NoAnswer("its ring has no usable number of corners")
    corners: list[LonLat] = []
    for position in ring:
        corner = _corner(position)
        if corner is None:
            return NoAnswer("a corner of its ring is not a longitude and latitude")
        if not corners or corner != corners[-1]:
            corners.append(corner)
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()
    if len(corners) < 3:
        return NoAnswer("its ring has fewer than three different corners")
    return corners


def _corner(position: Any) -> LonLat | None:
    if not isinstance(position, list) or len(position) not in (2, 3):
        return None
    numbers = [v for v in position[:2] if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if len(numbers) != 2:
        return None
    # Compared before they are made floats: JSON knows integers that are none. Refuses NaN, too.
    if not (abs(numbers[0]) <= 360 and abs(numbers[1]) <= 90):
        return None
    lon, lat = float(numbers[0]), float(numbers[1])
    return LonLat(lon if abs(lon) <= 180.0 else (lon + 180.0) % 360.0 - 180.0, lat)

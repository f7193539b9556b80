"""Rows as lists and maps show them (`model.ROW`), from columns or from items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry import shape

from alos2.catalogue.search.times import instant, unix_us
from alos2.types import POLARIZATIONS, Json

COLUMNS: Final = tuple(
    f"i.{name}"
    for name in (
        "id", "time_us", "level", "mode", "pass", "look", "path", "frame", "orbit", "off_nadir",
        "polarizations", "type", "beams", "west", "south", "east", "north", "outline",
    )
)  # fmt: skip
"""Of the embedded catalogue, in the order of `model.ROW`."""

_DECIMALS: Final = 5
"""A metre on the ground."""
_SIMPLER_DEG: Final = 2e-4
_POLS: Final = tuple(
    " ".join(name for number, name in enumerate(POLARIZATIONS) if bits >> number & 1)
    for bits in range(1 << len(POLARIZATIONS))
)


def shown(found: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return rows of `COLUMNS` as `model.ROW` has them."""
    if not found:
        return []
    outlines = shapely.from_wkb(np.array([row[-1] for row in found], dtype=object))
    rings = _rings(shapely.simplify(outlines, _SIMPLER_DEG))
    return [[*_before(row), outline] for row, outline in zip(found, rings, strict=True)]


def _before(row: Sequence[Any]) -> list[Any]:
    """Return all of a row but its outline."""
    name, time_us, *said, bits, kind, beams, west, south, east, north, _ = row
    words = [_POLS[bits], kind, scan_beams(beams)]
    return [name, time_us // 1000, *said, *words, west, south, east, north]


def shown_item(item: Json) -> list[Any]:
    """Return the row of a STAC item, of whatever catalogue."""
    said = item.get("properties") or {}
    geometry: Json = item.get("geometry") or {"type": "Point", "coordinates": []}
    box = [float(side) for side in item.get("bbox") or shape(geometry).bounds]
    if len(box) == 6:
        box = [*box[:2], *box[3:5]]
    when = said.get("datetime") or said.get("start_datetime")
    outline = next(_rings(np.array([shape(geometry)], dtype=object)), [])
    level = said.get("alos2:level") or str(said.get("processing:level") or "").lstrip("L") or None
    return [
        item.get("id"),
        None if when is None else unix_us(instant(when)) // 1000,
        level,
        said.get("sar:instrument_mode"),
        _letter(said, "alos2:pass", "sat:orbit_state"),
        _letter(said, "alos2:look", "sar:observation_direction"),
        said.get("sat:relative_orbit"),
        said.get("alos2:frame"),
        said.get("sat:absolute_orbit"),
        said.get("view:off_nadir"),
        " ".join(said.get("sar:polarizations") or ()),
        said.get("alos2:type") or item.get("collection"),
        list(said.get("alos2:beams") or ()),
        *box,
        outline,
    ]


def scan_beams(beams: str | None) -> list[str]:
    """Return the beams of ScanSAR level 1.1; a number is the one beam of another mode."""
    return [beam for beam in (beams or "").split() if not beam.isdigit()]


def _letter(said: Json, own: str, other: str) -> str | None:
    word = said.get(own) or said.get(other)
    return str(word)[:1].upper() if word else None


def _rings(outlines: Any) -> Iterator[list[list[float]]]:
    """Yield the outer rings of each geometry; a line or a point counts as a ring of its own."""
    parts, of_which = shapely.get_parts(outlines, return_index=True)
    is_area = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    lines = np.where(is_area, shapely.get_exterior_ring(parts), parts)
    places, of_line = shapely.get_coordinates(lines, return_index=True)
    flat = np.round(places, _DECIMALS).ravel().tolist()
    ends = np.searchsorted(of_line, np.arange(len(lines)), side="right") * 2
    rings: list[list[list[float]]] = [[] for _ in range(len(outlines))]
    start = 0
    for which, end in zip(of_which.tolist(), ends.tolist(), strict=True):
        rings[which].append(flat[start:end])
        start = end
    yield from rings

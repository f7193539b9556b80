"""Which columns of the embedded catalogue hold which properties of a STAC item.

All others are read from the item itself, which is slower and finds the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from alos2.types import POLARIZATIONS

Kind: TypeAlias = Literal["text", "number", "bool", "time", "geometry", "array", "any"]
"""``any``: what the item has, known only when it is read."""


@dataclass(frozen=True)
class Column:
    """Where a property is."""

    sql: str
    kind: Kind
    meaning: str
    sort: str | None = None
    """What the catalogue calls the order by it."""
    values: tuple[str, ...] = ()
    """All that it can be, where these are few."""


_DIRECTION: Final = "(CASE i.pass WHEN 'A' THEN 'ascending' WHEN 'D' THEN 'descending' END)"
_SIDE: Final = "(CASE i.look WHEN 'L' THEN 'left' WHEN 'R' THEN 'right' END)"

COLUMNS: Final[dict[str, Column]] = {
    "id": Column("i.id", "text", "Id of the item", "id"),
    "collection": Column("i.dataset", "text", "Id of the collection", "dataset"),
    "geometry": Column("i.outline", "geometry", "Footprint"),
    "datetime": Column("i.time_us", "time", "Time of the scene's centre", "time"),
    "start_datetime": Column("i.start_us", "time", "First line"),
    "end_datetime": Column("i.end_us", "time", "Last line"),
    "sar:instrument_mode": Column("i.mode", "text", "Observation mode, e.g. FBD", "mode"),
    "sar:polarizations": Column(
        "i.polarizations", "array", "Polarisations that have an image", values=POLARIZATIONS
    ),
    "sar:observation_direction": Column(
        _SIDE, "text", "Side that the antenna looks to", values=("left", "right")
    ),
    "sat:orbit_state": Column(
        _DIRECTION, "text", "Ascending or descending pass", values=("ascending", "descending")
    ),
    "sat:relative_orbit": Column("i.path", "number", "JAXA's path, 1 to 207", "path"),
    "sat:absolute_orbit": Column("i.orbit", "number", "Orbit", "orbit"),
    "view:off_nadir": Column("i.off_nadir", "number", "Off-nadir angle, degrees", "off_nadir"),
    "processing:level": Column("('L' || i.level)", "text", "Level with an L, e.g. L1.1", "level"),
    "alos2:level": Column(
        "i.level", "text", "JAXA's processing level", "level", ("1.1", "1.5", "2.1", "3.1")
    ),
    "alos2:format": Column("i.format", "text", "Format", values=("ceos", "geotiff")),
    "alos2:pass": Column("i.pass", "text", "A or D", values=("A", "D")),
    "alos2:look": Column("i.look", "text", "L or R", values=("L", "R")),
    "alos2:path": Column("i.path", "number", "JAXA's path, 1 to 207", "path"),
    "alos2:frame": Column("i.frame", "text", "Frame, four digits", "frame"),
    "alos2:type": Column("i.type", "text", "Type of dataset, e.g. alos2_slc"),
    "alos2:dataset": Column("i.dataset", "text", "Name of dataset, e.g. ALOS2-L1.1-SLC", "dataset"),
}
OTHERS: Final[dict[str, tuple[Kind, str]]] = {
    "created": ("time", "When the dataset was made"),
    "view:incidence_angle": ("number", "Incidence angle at the scene's centre, degrees"),
    "gsd": ("number", "Distance between samples on the ground, m"),
    "platform": ("text", "alos-2"),
    "product:type": ("text", "SLC, GRD, GEC or GTC"),
    "sar:beam_ids": ("array", "Beams"),
    "alos2:tags": ("array", "Words that people gave it"),
    "proj:code": ("text", "Coordinate reference system of the raster"),
}
"""Properties that are worth naming, and are read from the item."""
SORTS: Final = {
    **{name: column.sort for name, column in COLUMNS.items() if column.sort},
    "created": "created",
}
"""By what can be sorted, and what the catalogue calls it."""


def plain_name(name: str) -> str:
    """Return the name of a property without ``properties.``, which some clients put before it."""
    return name.removeprefix("properties.")

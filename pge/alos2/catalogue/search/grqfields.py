"""Where GRQ's documents hold what a STAC item says, and an item made of such a document.

docs/dataset.md lists the keys of met.json, which GRQ keeps under ``metadata``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shapely.geometry import shape

from alos2.catalogue.search.properties import plain_name
from alos2.errors import UsageError
from alos2.types import Json


@dataclass(frozen=True)
class Field:
    """A field of GRQ's documents."""

    path: str
    """In a document."""
    is_text: bool = False
    """Text is asked by its ``.keyword``."""
    is_time: bool = False
    words: Mapping[str, str] | None = None
    """What is stored for what the item says, where that is not the same."""
    prefix: str = ""
    """Stands before what the item says."""

    @property
    def name(self) -> str:
        """To ask by, and to sort and count by."""
        return f"{self.path}.keyword" if self.is_text else self.path

    @property
    def exists(self) -> str:
        """To ask whether it is there."""
        return self.path

    def stored(self, said: Any) -> Any:
        """Return what is stored for a value of the item."""
        if not isinstance(said, str):
            return said
        return f"{self.prefix}{(self.words or {}).get(said, said)}"

    def said(self, stored: Any) -> Any:
        """Return what the item says for what is stored."""
        if not isinstance(stored, str):
            return stored
        back = {value: key for key, value in (self.words or {}).items()}
        return back.get(stored, stored.removeprefix(self.prefix))


_PASS: Final = {"A": "ascending", "D": "descending"}

FIELDS: Final[dict[str, Field]] = {
    "id": Field("id", is_text=True),
    "collection": Field("dataset", is_text=True),
    "alos2:dataset": Field("dataset", is_text=True),
    "datetime": Field("metadata.center_time", is_time=True),
    "start_datetime": Field("starttime", is_time=True),
    "end_datetime": Field("endtime", is_time=True),
    "created": Field("creation_timestamp", is_time=True),
    "sar:instrument_mode": Field("metadata.mode", is_text=True),
    "sar:polarizations": Field("metadata.polarizations", is_text=True),
    "sar:beam_ids": Field("metadata.beams", is_text=True),
    "sar:observation_direction": Field("metadata.lookDirection", is_text=True),
    "alos2:look": Field("metadata.dfdn.LookSide", is_text=True),
    "sat:orbit_state": Field("metadata.direction", is_text=True),
    "alos2:pass": Field("metadata.direction", is_text=True, words=_PASS),
    "sat:relative_orbit": Field("metadata.path"),
    "alos2:path": Field("metadata.path"),
    "sat:absolute_orbit": Field("metadata.orbitNumber"),
    "alos2:frame": Field("metadata.frame", is_text=True),
    "view:off_nadir": Field("metadata.off_nadir_deg"),
    "view:incidence_angle": Field("metadata.incidence_deg"),
    "processing:level": Field("metadata.level", is_text=True),
    "alos2:level": Field("metadata.level", is_text=True, prefix="L"),
    "alos2:format": Field("metadata.format", is_text=True),
    "alos2:type": Field("metadata.type", is_text=True),
    "alos2:tags": Field("metadata.tags", is_text=True),
    "product:type": Field("metadata.product_type", is_text=True),
}
FACET_FIELDS: Final = {
    "level": "alos2:level", "mode": "sar:instrument_mode", "pol": "sar:polarizations",
    "pass": "alos2:pass", "look": "alos2:look", "path": "alos2:path", "frame": "alos2:frame",
    "off_nadir": "view:off_nadir", "kind": "alos2:type", "tag": "alos2:tags",
}  # fmt: skip

_TYPES: Final[dict[str, str]] = {
    kind.lower(): kind for kind in ("Polygon", "MultiPolygon", "Point", "MultiPoint", "LineString")
}
_KEPT: Final = (
    "scene", "product", "orbit", "files", "footprint", "calibration", "source", "problems",
)  # fmt: skip
"""Keys of met.json that the item has under ``alos2:`` as they are."""


def field_of(name: str) -> Field:
    """Return the field of a property.

    Raises
    ------
    UsageError
        GRQ has none for it.
    """
    found = FIELDS.get(plain_name(name))
    if found is None:
        raise UsageError(f"GRQ has no field for {name[:60]!r}", hint=f"it has {', '.join(FIELDS)}")
    return found


def item_of(document: Json) -> Json:
    """Return a STAC item of a document of GRQ's, without assets: GRQ tells only where they lie."""
    geometry = dict(document["location"])
    geometry["type"] = _TYPES.get(str(geometry.get("type")).lower(), geometry.get("type"))
    bounds = shape(geometry).bounds
    properties: Json = {"title": document["id"]}
    for name, field in FIELDS.items():
        if name in ("id", "collection"):
            continue
        value = _at(document, field.path)
        if value is not None and value != []:
            properties[name] = _all(field.said, value)
    properties.setdefault("datetime", document.get("starttime"))
    met = document.get("metadata") or {}
    properties |= {f"alos2:{name}": met[name] for name in _KEPT if met.get(name) is not None}
    properties |= {"platform": "alos-2", "constellation": "alos", "instruments": ["palsar-2"]}
    links = [
        {"rel": "alternate", "href": url, "title": "Where GRQ has it"}
        for url in document.get("urls") or ()
        if isinstance(url, str) and url.startswith(("http://", "https://"))
    ]
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": document["id"],
        "geometry": geometry,
        "bbox": list(bounds),
        "properties": properties,
        "links": links,
        "assets": {},
    }


def _all(said: Callable[[Any], Any], value: Any) -> Any:
    return [said(one) for one in value] if isinstance(value, list) else said(value)


def _at(document: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(document, dict):
            return None
        document = document.get(part)
    return document

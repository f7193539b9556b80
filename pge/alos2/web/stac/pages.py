"""Landing page, collections and queryables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from alos2.catalogue.search.model import Collected
from alos2.catalogue.search.properties import COLUMNS, OTHERS, Kind
from alos2.catalogue.search.times import utc_text
from alos2.types import Json
from alos2.web.answers import GEOJSON, JSON, SCHEMA
from alos2.web.stac.conformance import CONFORMANCE
from alos2.web.stac.links import QUERYABLES, Links, link

STAC_VERSION: Final = "1.1.0"
_DRAFT: Final = "https://json-schema.org/draft/2019-09/schema"
_GEOMETRY: Final = "https://geojson.org/schema/Geometry.json"
_PROVIDER: Final = {
    "name": "Japan Aerospace Exploration Agency (JAXA)",
    "roles": ["producer", "processor", "licensor"],
    "url": "https://www.eorc.jaxa.jp/ALOS-2/en/",
}
_SENTENCES: Final = {
    "ALOS2-L1.1-SLC": "Level 1.1: single look complex data in slant range, CEOS",
    "ALOS2-L1.1-GeoTIFF": "Level 1.1: single look complex data in slant range, GeoTIFF",
    "ALOS2_GeoTIFF": "Levels 1.5, 2.1 and 3.1: amplitude on a map, GeoTIFF",
    "ALOS2_CEOS": "Levels 1.5, 2.1 and 3.1: amplitude in ground range or on a map, CEOS",
}
_JSON_TYPES: Final[dict[Kind, Json]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "bool": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "array": {"type": "array", "items": {"type": "string"}},
    "geometry": {"$ref": _GEOMETRY},
    "any": {},
}


def landing(title: str, collections: Sequence[Collected], links: Links) -> Json:
    """Return the landing page, which is a STAC catalogue."""
    return {
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": "alos2-archive",
        "title": title,
        "description": f"{title}: ALOS-2 PALSAR-2 datasets made by alos2-ingest",
        "conformsTo": list(CONFORMANCE),
        "links": [
            *links.of_landing(title),
            *(link("child", links.collection(one.id), JSON, one.id) for one in collections),
        ],
    }


def collection(one: Collected, links: Links) -> Json:
    """Return a STAC collection."""
    home = links.collection(one.id)
    base = one.id.removesuffix("-MD")
    sentence = _SENTENCES.get(base, f"Datasets of the kind {base}")
    if base != one.id:
        sentence += "; metadata only, the files stay where they are"
    times = [None if when is None else utc_text(when) for when in (one.start, one.end)]
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "id": one.id,
        "title": one.id,
        "description": f"ALOS-2 PALSAR-2. {sentence}.",
        "keywords": ["ALOS-2", "PALSAR-2", "SAR", "L-band"],
        "license": "other",
        "providers": [dict(_PROVIDER)],
        "extent": {
            "spatial": {"bbox": [list(one.bbox)]},
            "temporal": {"interval": [times]},
        },
        "summaries": {
            "platform": ["alos-2"],
            "instruments": ["palsar-2"],
            "sar:frequency_band": ["L"],
            **{name: list(values) for name, values in one.summaries.items()},
        },
        "itemType": "feature",
        "crs": ["http://www.opengis.net/def/crs/OGC/1.3/CRS84"],
        "links": [
            link("self", home, JSON),
            link("root", links.root, JSON),
            link("parent", links.root, JSON),
            link("items", links.items(one.id), GEOJSON, f"Items of {one.id}"),
            link(QUERYABLES, f"{home}/queryables", SCHEMA, "Properties to filter by"),
        ],
    }


def queryables(address: str, title: str) -> Json:
    """Return the properties to filter by, as a JSON schema whose id is its address."""
    return {
        "$schema": _DRAFT,
        "$id": address,
        "type": "object",
        "title": title,
        "description": "Other properties of the items can be filtered by too, only more slowly.",
        "properties": {
            **{
                name: _queryable(name, column.kind, column.meaning, column.values)
                for name, column in COLUMNS.items()
            },
            **{name: _queryable(name, kind, meaning) for name, (kind, meaning) in OTHERS.items()},
        },
        "additionalProperties": True,
    }


def _queryable(name: str, kind: Kind, meaning: str, values: Sequence[str] = ()) -> Json:
    made: dict[str, Any] = {"title": name, "description": meaning}
    if kind == "array" and values:
        return {**made, "type": "array", "items": {"type": "string", "enum": list(values)}}
    made |= _JSON_TYPES[kind]
    if values:
        made["enum"] = list(values)
    return made

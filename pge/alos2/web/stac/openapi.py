"""The API's definition: OpenAPI 3.0 for programs, a short page for people."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from alos2 import __version__
from alos2.types import Json
from alos2.web.answers import GEOJSON, JSON, SCHEMA

_TEXT: Final[Json] = {"type": "string"}
_TEXTS: Final[Json] = {"type": "array", "items": _TEXT}
_NUMBERS: Final[Json] = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
_LIMIT: Final[Json] = {"type": "integer", "minimum": 1, "maximum": 10000, "default": 10}
_WORDS: Final[Json] = {"type": "array", "items": _TEXT}

_SEARCH: Final[dict[str, tuple[Json, str]]] = {
    "bbox": (_NUMBERS, "West, south, east, north; west > east crosses the antimeridian"),
    "datetime": (_TEXT, "RFC 3339 instant, or an interval with open ends: 2018-01-01T00:00:00Z/.."),
    "limit": (_LIMIT, "Items of a page; at most 1000 are sent"),
    "token": (_TEXT, "Of the next page, from its link"),
    "filter": (_TEXT, "CQL2"),
    "filter-lang": ({"type": "string", "enum": ["cql2-text", "cql2-json"]}, "Language of filter"),
    "filter-crs": (_TEXT, "CRS84 is the only one"),
    "sortby": (_TEXTS, "Properties; a minus before one turns it round"),
    "fields": (_TEXTS, "Fields of items; a minus before one leaves it out"),
    "q": (_TEXT, "Words, or beginnings of words"),
    "level": (_WORDS, "Processing levels: 1.1, 1.5, 2.1, 3.1"),
    "mode": (_WORDS, "Observation modes, e.g. FBD"),
    "pol": (_WORDS, "Polarisations that are all there"),
    "pass": (_WORDS, "A or D"),
    "look": (_WORDS, "L or R"),
    "path": (_WORDS, "JAXA's paths"),
    "frame": (_WORDS, "Frames"),
    "off_nadir": (_TEXT, "Least/most off-nadir angle, degrees"),
    "tag": (_WORDS, "Tags that are all there"),
    "kind": (_WORDS, "Names or types of datasets"),
}
_ONLY_SEARCH: Final[dict[str, tuple[Json, str]]] = {
    "ids": (_TEXTS, "Ids of items"),
    "collections": (_TEXTS, "Ids of collections"),
    "intersects": ({"type": "object"}, "GeoJSON geometry; not together with bbox"),
}


def openapi(title: str, root: str) -> Json:
    """Return the OpenAPI 3.0 definition of the API whose landing page is at `root`."""
    item_search = {**_SEARCH, **_ONLY_SEARCH}
    here = {"in": "path", "required": True, "schema": _TEXT}
    home, name = {"name": "collectionId", **here}, {"name": "featureId", **here}
    return {
        "openapi": "3.0.3",
        "info": {
            "title": title,
            "version": __version__,
            "description": "STAC API and OGC API - Features of an archive of ALOS-2 datasets",
            "license": {"name": "Apache-2.0"},
        },
        "servers": [{"url": root}],
        "paths": {
            "/": _get("landingPage", "Landing page", JSON),
            "/conformance": _get("conformance", "What this conforms to", JSON),
            "/collections": _get("collections", "Collections", JSON),
            "/collections/{collectionId}": _get("collection", "A collection", JSON, [home]),
            "/collections/{collectionId}/queryables": _get(
                "collectionQueryables", "Properties to filter by", SCHEMA, [home]
            ),
            "/collections/{collectionId}/items": _get(
                "items", "Items of a collection", GEOJSON, [home, *_parameters(_SEARCH)]
            ),
            "/collections/{collectionId}/items/{featureId}": _get(
                "item", "An item", GEOJSON, [home, name]
            ),
            "/queryables": _get("queryables", "Properties to filter by", SCHEMA),
            "/search": {
                **_get("search", "Search", GEOJSON, _parameters(item_search)),
                "post": _post_search(item_search),
            },
        },
        "components": {
            "schemas": {
                "exception": {
                    "type": "object",
                    "required": ["code"],
                    "properties": {"code": _TEXT, "description": _TEXT},
                }
            }
        },
    }


def api_page(title: str, root: str) -> str:
    """Return the definition as a page without any script or style."""
    name = escape(title)
    rows = "".join(
        f"<tr><th scope=row><code>{escape(key)}</code><td>{escape(meaning)}"
        for key, (_, meaning) in {**_ONLY_SEARCH, **_SEARCH}.items()
    )
    address = escape(root)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{name}: STAC API</title>"
        '<meta name=viewport content="width=device-width">'
        f"<main><h1>{name}: STAC API</h1><p>Landing page: <a href='{address}'>{address}</a>. "
        f"Definition: <a href='{address}/api'>OpenAPI 3.0</a>.<h2>Parameters of "
        f"<code>{address}/search</code></h2><table><tbody>{rows}</table></main></html>"
    )


def _parameters(known: dict[str, tuple[Json, str]]) -> list[Json]:
    made = []
    for name, (schema, meaning) in known.items():
        one: Json = {"name": name, "in": "query", "description": meaning, "schema": schema}
        if schema.get("type") == "array":
            one |= {"style": "form", "explode": False}
        made.append(one)
    return made


def _post_search(known: dict[str, tuple[Json, str]]) -> Json:
    properties: dict[str, Any] = {name: schema for name, (schema, _) in known.items()}
    properties["filter"] = {"type": "object"}
    properties["sortby"] = {"type": "array", "items": {"type": "object"}}
    properties["fields"] = {"type": "object"}
    schema = {"type": "object", "properties": properties}
    return {
        "operationId": "postSearch",
        "summary": "Search",
        "requestBody": {"content": {JSON: {"schema": schema}}},
        "responses": _responses(GEOJSON),
    }


def _get(name: str, summary: str, media_type: str, parameters: list[Json] | None = None) -> Json:
    made: Json = {"operationId": name, "summary": summary, "responses": _responses(media_type)}
    if parameters:
        made["parameters"] = parameters
    return {"get": made}


def _responses(media_type: str) -> Json:
    fault = {"schema": {"$ref": "#/components/schemas/exception"}}
    return {
        "200": {"description": "OK", "content": {media_type: {"schema": {"type": "object"}}}},
        "default": {"description": "What is wrong", "content": {JSON: fault}},
    }

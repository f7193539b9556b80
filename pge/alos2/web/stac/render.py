"""Items as the API gives them out: with their collection, their links, and addresses of files.

A stored item is text, and stays text: its links and addresses are put in where they belong,
without reading the JSON and writing it again. In JSON a quotation mark inside a text is always
preceded by a backslash, so ``"links":[`` can only be a key. Where that key is not there exactly
once, or the item has links of its own to a collection, the item is read and written after all.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from alos2.types import Json
from alos2.web.answers import GEOJSON, JSON, to_json
from alos2.web.filters import Fields
from alos2.web.stac.links import Links, link

_LINKS: Final = b'"links":['
_RELATIVE: Final = b'"href":"./'
_OWN_KEYS: Final = (b'"collection":', b'"rel":"self"', b'"rel":"root"', b'"rel":"parent"')
_DATASET: Final = re.compile(rb'"alos2:dataset":"([A-Za-z0-9._-]+)"')
_OTHER: Final = "other"
_BASIC: Final = ("id", "type", "stac_version", "geometry", "bbox", "links", "assets", "collection")
_ALWAYS: Final = ("id", "type", "collection", "links")
_BASIC_PROPERTIES: Final = ("datetime", "start_datetime", "end_datetime")


def rendered(name: str, text: bytes, links: Links) -> bytes:
    """Return an item as the API gives it out.

    Parameters
    ----------
    name : str
        Its id.
    text : bytes
        As it is stored: JSON without white space.
    links : Links
    """
    found = _DATASET.search(text)
    quick = (
        text.startswith(b'{"')
        and text.count(_LINKS) == 1
        and not any(key in text for key in _OWN_KEYS)
    )
    if found is None or not quick:
        return to_json(full(json.loads(text), links))
    collection = found[1].decode("ascii")
    head, tail = text.split(_LINKS)
    more = to_json(item_links(name, collection, links))[1:-1]
    comma = b"" if tail.startswith(b"]") else b","
    whole = b"".join((b'{"collection":"', found[1], b'",', head[1:], _LINKS, more, comma, tail))
    return whole.replace(_RELATIVE, b'"href":"' + links.files(name).encode("ascii"))


def full(item: Json, links: Links) -> Json:
    """Return an item that has been read, as the API gives it out."""
    name = str(item.get("id"))
    collection = collection_of(item)
    replaced = ("self", "root", "parent", "collection", "items", "item")
    kept = [one for one in item.get("links") or [] if one.get("rel") not in replaced]
    item = {
        **item,
        "collection": collection,
        "links": [*item_links(name, collection, links), *kept],
    }
    files = links.files(name)
    for one in (*item["links"], *(item.get("assets") or {}).values()):
        href = one.get("href")
        if isinstance(href, str) and href.startswith("./"):
            one["href"] = f"{files}{href[2:]}"
    return item


def collection_of(item: Json) -> str:
    """Return the collection of an item: its own, else its dataset's name."""
    properties = item.get("properties") or {}
    return str(properties.get("alos2:dataset") or item.get("collection") or _OTHER)


def item_links(name: str, collection: str, links: Links) -> list[Json]:
    """Return the links that every item has."""
    home = links.collection(collection)
    return [
        link("self", links.item(collection, name), GEOJSON),
        link("root", links.root, JSON),
        link("parent", home, JSON),
        link("collection", home, JSON),
    ]


def chosen(item: Json, fields: Fields) -> Json:
    """Return the fields of an item that are wanted (STAC API extension Fields).

    With includes it is these and what says which item it is; with excludes alone all but these;
    with neither, or an empty list of includes, what an item must have. What is included by its
    name is not excluded by that of an object around it.
    """
    include = {_full_name(name, item) for name in fields.include or ()}
    exclude = {_full_name(name, item) for name in fields.exclude}
    if include:
        wanted = include | set(_ALWAYS)
    elif fields.include is None and exclude:
        wanted = set(item)
    else:
        wanted = {*_BASIC, *(f"properties.{name}" for name in _BASIC_PROPERTIES)}
    result: Json = {}
    for path in sorted(wanted, key=lambda one: one.count(".")):
        _copy(item, result, path.split("."))
    for path in exclude:
        if not any(one == path or one.startswith(f"{path}.") for one in include):
            _drop(result, path.split("."))
    return result


def _full_name(name: str, item: Json) -> str:
    """Return where a field is; properties may be named without ``properties.``."""
    head = name.split(".", maxsplit=1)[0]
    return f"properties.{name}" if head not in item and head != "properties" else name


def _copy(source: Any, target: Json, path: list[str]) -> None:
    head, *rest = path
    if not isinstance(source, dict) or head not in source:
        return
    if not rest:
        value = source[head]
        target[head] = dict(value) if isinstance(value, dict) else value
    else:
        inner = target.setdefault(head, {})
        if isinstance(inner, dict):
            _copy(source[head], inner, rest)


def _drop(target: Any, path: list[str]) -> None:
    head, *rest = path
    if not isinstance(target, dict) or head not in target:
        return
    if rest:
        _drop(target[head], rest)
    else:
        del target[head]

"""What a request asks for: the parameters of STAC API and of the page, under the same names.

STAC API v1.0.0, Item Search; OGC API - Features part 1, section 7.15; extensions Sort, Fields,
Filter. The page's own (``level``, ``mode``, ...) become a CQL2 filter, so that every catalogue
that can be searched knows them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import QueryParams

from alos2.catalogue.search import cql2
from alos2.catalogue.search.model import (
    DEFAULT_ITEMS,
    MOST_ITEMS,
    NEWEST_FIRST,
    Box,
    Search,
    SortKey,
)
from alos2.catalogue.search.times import interval
from alos2.errors import UsageError
from alos2.types import Json

STAC: Final = frozenset(
    {"ids", "collections", "bbox", "bbox-crs", "intersects", "datetime", "limit", "token", "sortby",
     "fields", "filter", "filter-lang", "filter-crs", "q"}
)  # fmt: skip
OWN: Final = frozenset(
    {"level", "mode", "pol", "pass", "look", "path", "frame", "off_nadir", "tag", "kind"}
)
KNOWN: Final = STAC | OWN
LISTS: Final = frozenset(
    {"ids", "collections", "sortby", "level", "mode", "pol", "pass", "look", "path", "frame", "tag",
     "kind"}
)  # fmt: skip
"""In a query they are written with commas."""
CRS84: Final = ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "OGC:CRS84")
_WORDS: Final = {
    "ascending": "A", "descending": "D", "asc": "A", "dsc": "D", "desc": "D",
    "left": "L", "right": "R",
}  # fmt: skip


@dataclass(frozen=True)
class Fields:
    """Which fields of items are wanted (extension Fields)."""

    include: tuple[str, ...] | None = None
    """None: not said; empty: as little as an item must have."""
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A search, and what is to be shown of what it finds."""

    search: Search
    fields: Fields | None
    """None: all of each item."""


def from_query(
    query: QueryParams, *, strict: bool = False, dates: bool = False, also: Sequence[str] = ()
) -> Asked:
    """Return what the parameters of a GET ask.

    Parameters
    ----------
    query : QueryParams
    strict : bool, optional
        Refuse parameters that nobody knows (OGC API - Features, requirement query-param-unknown).
    dates : bool, optional
        Whether times may be bare dates.
    also : sequence of str, optional
        Further parameters that are known.

    Raises
    ------
    UsageError
        One of them cannot be understood.
    """
    if strict:
        strange = sorted(set(query.keys()) - KNOWN - set(also))
        if strange:
            raise UsageError(f"there is no parameter {strange[0][:60]!r} here")
    return asked(given_in_query(query), dates=dates)


def from_body(body: bytes) -> Asked:
    """Return what the JSON of a POST asks.

    Raises
    ------
    UsageError
        It is no JSON object, or something in it cannot be understood.
    """
    return asked(given_in_body(body))


def given_in_query(query: QueryParams) -> Json:
    """Return the parameters of a query as a body would have them.

    Raises
    ------
    UsageError
        One of them cannot be understood.
    """
    given: Json = {}
    for name in KNOWN & set(query.keys()):
        values = query.getlist(name)
        if name in LISTS:
            given[name] = [part for value in values for part in value.split(",") if part]
        else:
            given[name] = values[-1]
    if "bbox" in given:
        given["bbox"] = _numbers(given["bbox"])
    if given.get("intersects"):
        given["intersects"] = _json(given["intersects"], "intersects")
    if "limit" in given:
        given["limit"] = _whole(given["limit"], "limit")
    if "sortby" in given:
        given["sortby"] = [_sort_of_text(text) for text in given["sortby"]]
    if "fields" in given:
        given["fields"] = _fields_of_text(given["fields"])
    if "filter" in given and not given["filter"]:
        del given["filter"]
    return given


def given_in_body(body: bytes) -> Json:
    """Return the parameters of a body.

    Raises
    ------
    UsageError
        It is no JSON object.
    """
    given = _json(body.decode("utf-8", "replace"), "the body") if body.strip() else {}
    if not isinstance(given, dict):
        raise UsageError("the body is no JSON object")
    given = {name: value for name, value in given.items() if value is not None or name == "fields"}
    if given.get("filter") is not None:
        given.setdefault("filter-lang", "cql2-json")
    if isinstance(given.get("bbox"), str):
        raise UsageError("bbox is a list of numbers in a body")
    return given


def asked(given: Json, *, dates: bool = False, most: int = MOST_ITEMS) -> Asked:
    """Return what parameters ask.

    Parameters
    ----------
    given : Json
        As `given_in_query` or `given_in_body` gives them.
    dates : bool, optional
        Whether times may be bare dates.
    most : int, optional
        Items of a page.

    Raises
    ------
    UsageError
        One of them cannot be understood.
    """
    for name in ("bbox-crs", "filter-crs"):
        if given.get(name) not in (None, *CRS84):
            raise UsageError(f"{name} can only be {CRS84[0]}")
    bbox, intersects = given.get("bbox"), given.get("intersects")
    if bbox and intersects:
        raise UsageError("bbox and intersects exclude each other")
    if intersects is not None and not isinstance(intersects, dict):
        raise UsageError("intersects is a GeoJSON geometry")
    when = given.get("datetime")
    span = (None, None) if when in (None, "") else interval(_text(when, "datetime"), dates=dates)
    token = given.get("token")
    search = Search(
        ids=_texts(given, "ids"),
        collections=_texts(given, "collections"),
        bbox=None if bbox is None else _box(bbox),
        intersects=intersects,
        start=span[0],
        end=span[1],
        text=_text(given["q"], "q") if given.get("q") else None,
        tags=_texts(given, "tag"),
        filter=cql2.together(own_filter(given), _cql2(given)),
        sort=_sort(given.get("sortby")),
        limit=_limit(given.get("limit"), most),
        token=None if token is None else _text(token, "token"),
    )
    return Asked(search, _fields(given["fields"]) if "fields" in given else None)


def _cql2(given: Json) -> Json | bool | None:
    if given.get("filter") is None:
        return None
    language = given.get("filter-lang")
    if language not in (None, "cql2-text", "cql2-json"):
        raise UsageError(f"filter-lang is cql2-text or cql2-json, not {str(language)[:40]!r}")
    return cql2.parse(given["filter"], language)


def own_filter(given: Mapping[str, Any]) -> Json | bool | None:
    """Return the page's own parameters as CQL2.

    Raises
    ------
    UsageError
        One of them cannot be understood.
    """
    pols = [pol.upper() for pol in _texts(given, "pol")]
    frames = [frame.zfill(4) for frame in _texts(given, "frame")]
    off_nadir = None
    if given.get("off_nadir"):
        low, high = _range(given["off_nadir"])
        off_nadir = {"op": "between", "args": [cql2.prop("view:off_nadir"), low, high]}
    kinds = _texts(given, "kind")
    kind = None
    if kinds:
        lower = [value.lower() for value in kinds]
        either = [
            {"op": "in", "args": [{"op": "casei", "args": [cql2.prop(name)]}, lower]}
            for name in ("alos2:dataset", "alos2:type")
        ]
        kind = {"op": "or", "args": either}
    return cql2.together(
        cql2.one_of("alos2:level", [v.upper().lstrip("L") for v in _texts(given, "level")]),
        cql2.one_of("sar:instrument_mode", [v.upper() for v in _texts(given, "mode")]),
        {"op": "a_contains", "args": [cql2.prop("sar:polarizations"), pols]} if pols else None,
        cql2.one_of("alos2:pass", [_letter(v) for v in _texts(given, "pass")]),
        cql2.one_of("alos2:look", [_letter(v) for v in _texts(given, "look")]),
        cql2.one_of("alos2:path", [_whole(v, "path") for v in _texts(given, "path")]),
        cql2.one_of("alos2:frame", frames),
        off_nadir,
        kind,
    )


def _letter(word: str) -> str:
    return _WORDS.get(word.lower(), word.upper())


def _range(text: Any) -> tuple[float, float]:
    parts = str(text).split("/")
    try:
        low, high = (float(part) for part in (parts * 2 if len(parts) == 1 else parts))
    except ValueError as error:
        raise UsageError(f"off_nadir is LEAST/MOST in degrees, not {str(text)[:40]!r}") from error
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UsageError("off_nadir is LEAST/MOST in degrees")
    # A single angle means what is shown as that angle.
    return (low - 0.05, high + 0.05) if len(parts) == 1 else (low, high)


def _box(given: Any) -> Box:
    if not isinstance(given, list) or len(given) not in (4, 6):
        raise UsageError("bbox has 4 or 6 numbers: west, south, east, north")
    if len(given) == 6:
        given = [*given[:2], *given[3:5]]
    for side in given:
        if isinstance(side, bool) or not isinstance(side, (int, float)) or not math.isfinite(side):
            raise UsageError("bbox has 4 or 6 numbers: west, south, east, north")
    west, south, east, north = (float(side) for side in given)
    if south > north:
        raise UsageError("bbox: south lies north of north")
    return (west, south, east, north)


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"bbox has 4 or 6 numbers with commas, not {text[:60]!r}") from error


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is no JSON: {error}") from error


def _whole(value: Any, name: str) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"{name} is a whole number, not {str(value)[:40]!r}") from error
    if isinstance(value, (bool, float)) or abs(number) > 2**31:
        raise UsageError(f"{name} is a whole number, not {str(value)[:40]!r}")
    return number


def _limit(given: Any, most: int) -> int:
    if given is None:
        return min(DEFAULT_ITEMS, most)
    limit = _whole(given, "limit")
    if limit < 1:
        raise UsageError("limit is 1 or more")
    return min(limit, most)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise UsageError(f"{name} is text without a NUL in it")
    return value


def _texts(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a list of texts; a single one, or a number, counts as a list of one."""
    value = given.get(name)
    if value is None:
        return ()
    values = value if isinstance(value, list) else [value]
    if len(values) > MOST_ITEMS:
        raise UsageError(f"{name} has over {MOST_ITEMS} values")
    return tuple(_text(str(v) if type(v) is int else v, name) for v in values)


def _sort(given: Any) -> tuple[SortKey, ...]:
    if not given:
        return NEWEST_FIRST
    if not isinstance(given, list) or len(given) > 8:
        raise UsageError("sortby is a list of up to 8 fields")
    keys = []
    for one in given:
        key = _sort_of_text(one) if isinstance(one, str) else one
        if not isinstance(key, dict) or key.get("direction", "asc") not in ("asc", "desc"):
            raise UsageError("sortby has objects of field and direction (asc or desc)")
        name = _text(key.get("field"), "sortby")
        keys.append(SortKey(name, descending=key.get("direction") == "desc"))
    return tuple(keys)


def _sort_of_text(text: str) -> Json:
    # A plus in a query is a space once it is decoded.
    plain = text.strip()
    direction = "desc" if plain.startswith("-") else "asc"
    return {"field": plain.lstrip("+- "), "direction": direction}


def _fields_of_text(text: str) -> Json:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    include = [part.lstrip("+") for part in parts if not part.startswith("-")]
    exclude = [part[1:] for part in parts if part.startswith("-")]
    return {**({"include": include} if include else {}), "exclude": exclude}


def _fields(given: Any) -> Fields:
    if isinstance(given, list):
        given = _fields_of_text(",".join(str(one) for one in given))
    if not isinstance(given, dict):
        raise UsageError("fields has include and exclude")
    # A list that is there and empty is not the same as none.
    said = "include" in given or not given.get("exclude")
    return Fields(_texts(given, "include") if said else None, _texts(given, "exclude"))

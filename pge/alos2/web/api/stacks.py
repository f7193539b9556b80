"""Stacks: scenes of one track that can be compared, listed by columns, told by their items."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from alos2.catalogue.embedded.stacks import Stack, stacks
from alos2.catalogue.search import cql2
from alos2.catalogue.search.model import MOST_ITEMS, ROW, Search, Searchable
from alos2.catalogue.search.times import from_unix_us, utc_text
from alos2.errors import UsageError
from alos2.types import Json
from alos2.web.answers import not_found
from alos2.web.stacks.shelf import TYPE

_ANY = "x"
"""Stands in a key for what is not known."""
_SCENE_LETTERS = 21
"""Of an id: ``ALOS2015976960-140909``."""


def key_of(stack: Stack) -> str:
    """Return what names a stack in an address."""
    angle = _ANY if stack.off_nadir_deg is None else f"{stack.off_nadir_deg:.1f}"
    words = (
        stack.path, stack.frame, stack.mode, stack.look, stack.pass_direction,
        "+".join(stack.beams) or _ANY, angle,
    )  # fmt: skip
    return "_".join(_ANY if word is None else str(word) for word in words)


def key_of_item(item: Json) -> str | None:
    """Return the key of the stack that an item belongs to; None where it says too little."""
    found = stacks([item], least=1)
    return key_of(found[0]) if found and found[0].path is not None else None


def listed(rows: Iterable[Sequence[Any]]) -> list[Json]:
    """Return the stacks among rows (`model.ROW`) with their numbers of scenes."""
    return [
        {
            "key": key_of(stack),
            "path": stack.path,
            "frame": stack.frame,
            "mode": stack.mode,
            "look": stack.look,
            "pass": stack.pass_direction,
            "beams": list(stack.beams),
            "off_nadir_deg": stack.off_nadir_deg,
            "count": len(stack.members),
            "start": utc_text(stack.members[0].time),
            "end": utc_text(stack.members[-1].time),
        }
        for stack in stacks(_as_items(rows))
    ]


def told(key: str, catalogue: Searchable) -> Json:
    """Return a stack with its scenes and baselines.

    Raises
    ------
    HttpError
        404: there is none of this key.
    """
    words = key.split("_")
    if len(words) != 7:
        raise not_found(f"there is no stack {key[:80]!r}")
    try:
        search = Search(filter=_track(words[:5]), limit=MOST_ITEMS)
    except ValueError as error:
        raise not_found(f"there is no stack {key[:80]!r}") from error
    items = [json.loads(text) for text in catalogue.search(search).documents]
    beams = "" if words[5] == _ANY else words[5]
    alike = [one for one in stacks(items, least=1) if "+".join(one.beams) == beams]
    found = _nearest(alike, words[6])
    if found is None:
        raise not_found(f"there is no stack {key[:80]!r}")
    return {"key": key_of(found), **found.to_json()}


def _nearest(alike: Sequence[Stack], angle: str) -> Stack | None:
    """Return the stack of this off-nadir angle: which of its scenes is the reference may change."""
    if angle == _ANY:
        return next((one for one in alike if one.off_nadir_deg is None), None)
    try:
        wanted = float(angle)
    except ValueError:
        return None
    known = [
        (abs(one.off_nadir_deg - wanted), one) for one in alike if one.off_nadir_deg is not None
    ]
    near = min(known, key=lambda pair: pair[0], default=None)
    return near[1] if near is not None and near[0] < 1.0 else None


def _track(words: Sequence[str]) -> Any:
    names = ("alos2:path", "alos2:frame", "sar:instrument_mode", "alos2:look", "alos2:pass")
    parts = []
    for name, word in zip(names, words, strict=True):
        if word == _ANY:
            parts.append({"op": "isNull", "args": [cql2.prop(name)]})
        else:
            value: Any = int(word) if name == "alos2:path" else word
            parts.append({"op": "=", "args": [cql2.prop(name), value]})
    return cql2.together(*parts)


def _as_items(rows: Iterable[Sequence[Any]]) -> Iterable[Json]:
    """Yield rows as items that say as much as grouping needs, without orbits."""
    for values in rows:
        row = dict(zip(ROW, values, strict=True))
        if row["t"] is None or row["kind"] == TYPE:
            continue
        west, south, east, north = (row[side] for side in "wsen")
        yield {
            "id": row["id"],
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[west, south], [east, south], [east, north], [west, north], [west, south]]
                ],
            },
            "properties": {
                "datetime": utc_text(from_unix_us(row["t"] * 1000)),
                "alos2:scene": str(row["id"])[:_SCENE_LETTERS],
                "alos2:path": row["path"],
                "alos2:frame": row["frame"],
                "sar:instrument_mode": row["mode"],
                "alos2:look": row["look"],
                "alos2:pass": row["pass"],
                "alos2:beams": row["beams"],
                "view:off_nadir": row["off_nadir"],
            },
        }


def checked_number(text: str | None, name: str) -> float:
    """Return a number of a query.

    Raises
    ------
    UsageError
        It is none.
    """
    try:
        return float(text or "")
    except ValueError as error:
        raise UsageError(f"{name} is a number") from error

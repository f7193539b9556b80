"""What of a STAC item the catalogue's tables hold."""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from types import ModuleType
from typing import Any, Final

from shapely.errors import ShapelyError

from alos2.catalogue.embedded.outlines import outline_of
from alos2.catalogue.embedded.schema import EPOCH_S
from alos2.errors import BadDocument
from alos2.types import POLARIZATIONS, Json

_packer: ModuleType = zlib
_faults: Any = (zlib.error,)
try:
    from isal import isal_zlib
except ImportError:  # no wheel on some platforms; the format is the same
    pass
else:
    _packer = isal_zlib
    _faults = (zlib.error, isal_zlib.error)

_HINT: Final = "make the dataset again"
_BAD: Final = (
    KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError, ShapelyError,
)  # fmt: skip
_BITS: Final[dict[str, int]] = {name: 1 << number for number, name in enumerate(POLARIZATIONS)}
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False,
                                  check_circular=False)  # fmt: skip
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Row:
    """One item, as it is stored."""

    columns: dict[str, Any]
    """By the names of table ``items``, all but ``rid`` and ``folder``."""
    boxes: tuple[tuple[float, ...], ...]
    """West, east, south, north, start and end (s since 2014) of each part."""
    tags: tuple[str, ...]
    document: bytes
    """The item, packed."""


def row_of(item: Json) -> Row:
    """Return the row of a STAC item.

    Raises
    ------
    BadDocument
        It has no id, outline or time, or is no item at all.
    """
    try:
        return _row(item)
    except _BAD as error:
        name = item.get("id") if isinstance(item, dict) else None
        raise BadDocument(
            f"the STAC item {name or 'without an id'} cannot be catalogued: "
            f"{type(error).__name__}: {error}",
            hint=_HINT,
        ) from error


def _row(item: Json) -> Row:
    if not isinstance(item["id"], str) or not item["id"]:
        raise ValueError("its id is no text")
    text = plain_text(item)
    properties = item["properties"]
    outline, bounds = outline_of(item["geometry"])
    boxes = _boxes(item, bounds)
    time_us, start_us, end_us = _times_us(properties)
    columns = {
        "id": item["id"],
        "digest": digest_of(text),
        **_said(properties),
        "time_us": time_us,
        "start_us": start_us,
        "end_us": end_us,
        "created": properties.get("created"),
        "west": boxes[0][0],
        "east": boxes[-1][1],
        "south": boxes[0][2],
        "north": boxes[0][3],
        "outline": outline,
        "words": " ".join(_words(item)),
    }
    seconds = (start_us / 1e6 - EPOCH_S, end_us / 1e6 - EPOCH_S)
    tags = tuple(sorted({str(tag) for tag in properties.get("alos2:tags") or ()}))
    return Row(columns, tuple((*box, *seconds) for box in boxes), tags, pack(text))


def plain_text(item: Json) -> bytes:
    """Return the item as the catalogue keeps it: JSON in UTF-8 without white space."""
    return _ENCODER.encode(item).encode("utf-8", "backslashreplace")


def digest_of(text: bytes) -> bytes:
    """Return what tells one document from another."""
    return hashlib.sha256(text, usedforsecurity=False).digest()


def pack(text: bytes) -> bytes:
    """Return `text` deflated (RFC 1950): a third of its size."""
    packed: bytes = _packer.compress(text, 1)
    return packed


def unpack(document: bytes) -> bytes:
    """Return what `pack` was given.

    Raises
    ------
    BadDocument
        The document is damaged.
    """
    try:
        text: bytes = _packer.decompress(document)
    except _faults as error:
        raise BadDocument(
            f"a document of the catalogue is damaged: {error}", hint="alos2 catalog rebuild"
        ) from error
    return text


def polarization_bits(names: Iterable[str]) -> int:
    """Return polarisations as one number, a bit each; other words count for nothing."""
    bits = 0
    for name in names:
        bits |= _BITS.get(name, 0)
    return bits


def _said(properties: Json) -> Json:
    """Return the columns that are as the item says, None where it does not."""
    orbit, frame = properties.get("alos2:orbit"), properties.get("alos2:frame")
    beams = properties.get("sar:beam_ids") or []
    return {
        "dataset": properties.get("alos2:dataset"),
        "type": properties.get("alos2:type"),
        "level": properties.get("alos2:level"),
        "format": properties.get("alos2:format"),
        "mode": properties.get("sar:instrument_mode"),
        "polarizations": polarization_bits(properties.get("sar:polarizations") or []),
        "look": properties.get("alos2:look"),
        "pass": properties.get("alos2:pass"),
        "path": properties.get("alos2:path"),
        "frame": None if frame is None else str(frame),
        "orbit": None if orbit is None else int(orbit),
        "beams": " ".join(str(beam) for beam in beams) or None,
        "off_nadir": _number(properties.get("view:off_nadir")),
    }


def _number(value: Any) -> float | None:
    number = None if value is None else float(value)
    return number if number is not None and math.isfinite(number) else None


def _boxes(item: Json, bounds: Sequence[float]) -> list[tuple[float, float, float, float]]:
    """Return west, east, south, north of the item: of either side of the antimeridian."""
    box = [float(side) for side in item.get("bbox") or ()]
    if len(box) == 6:  # with heights
        box = [*box[:2], *box[3:5]]
    if len(box) != 4:
        box = list(bounds)
    west, south, east, north = box
    if not all(math.isfinite(side) for side in box) or south > north:
        raise ValueError(f"its bbox is {box}")
    if west <= east:
        return [(west, east, south, north)]
    return [(west, 180.0, south, north), (-180.0, east, south, north)]


def _times_us(properties: Json) -> tuple[int, int, int]:
    """Return centre, start and end, microseconds of Unix time."""
    start, end = (properties.get(f"{name}_datetime") for name in ("start", "end"))
    centre = str(properties.get("datetime") or start)
    first, last = unix_us(start or centre), unix_us(end or centre)
    return unix_us(centre), min(first, last), max(first, last)


def unix_us(when: str | datetime) -> int:
    """Return a time of RFC 3339, or a timezone-aware one, in microseconds of Unix time.

    Raises
    ------
    ValueError
        It is none.
    """
    if isinstance(when, str):
        # Python 3.10 reads neither Z nor two digits of a second's fraction.
        text = when.strip().upper()
        text = f"{text[:-1]}+00:00" if text.endswith("Z") else text
        head, dot, rest = text.partition(".")
        if dot:
            digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
            text = f"{head}.{digits[:6]:0<6}{rest[len(digits) :]}"
        when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        when = when.replace(tzinfo=timezone.utc)
    since = when - _EPOCH
    return (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds


def _words(item: Json) -> Iterator[str]:
    """Yield what a person may type to find the item."""
    properties = item["properties"]
    yield str(item["id"])
    for name in ("title", "description", "sar:instrument_mode", "sat:orbit_state", "product:type"):
        yield str(properties.get(name) or "")
    for name in ("scene", "product", "dataset", "type", "format", "mapped_by"):
        yield str(properties.get(f"alos2:{name}") or "")
    yield from (str(word) for word in properties.get("keywords") or ())
    yield from (str(word) for word in properties.get("alos2:tags") or ())
    source = properties.get("alos2:source") or {}
    for name in ("provider", "order_id", "eor_id", "data_id", "title"):
        yield str(source.get(name) or "")
    yield from (str(file.get("name") or "") for file in properties.get("alos2:files") or ())
    yield from (
        str(problem.get("code") or "") for problem in properties.get("alos2:problems") or ()
    )

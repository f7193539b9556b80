"""The catalogue of G-Portal, which needs no login: CSW 3.0 GetRecords, answered as JSON.

Source: public clients of the catalogue (gportal 0.4.0 on PyPI; a downloader that recorded its
calls of the new site in October 2026). Every property is text, ``size`` may be ``"0"``, a geometry
may be null, and an answer with status 200 may be no JSON at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from typing import Any, Final, TypeAlias

from alos2.errors import TransferFailed
from alos2.types import Json

PAGE: Final = 100
"""Records a request; the catalogue gives up to 3000."""

Box: TypeAlias = tuple[float, float, float, float]
"""West, south, east, north, degrees; west <= east."""

GetText: TypeAlias = Callable[[Mapping[str, str]], str]
"""Gives the text of the catalogue's answer to a query; retries passing faults by itself."""

_FIXED: Final = {
    "service": "CSW",
    "version": "3.0.0",
    "request": "GetRecords",
    "outputFormat": "application/json",
}
_MAY_BE_MENDED: Final = "the catalogue may be under maintenance: try again later"


@dataclass(frozen=True)
class Wanted:
    """A query that the catalogue can answer."""

    datasets: tuple[str, ...]
    boxes: tuple[Box, ...] = ()
    """Any of them; none: the whole earth. Two where the query crosses the antimeridian."""
    start: date | None = None
    end: date | None = None
    """Its last day, that day included."""


@dataclass(frozen=True)
class Record:
    """What the catalogue knows of a product."""

    identifier: str
    dataset: str
    platform: str
    begin: datetime | None
    end: datetime | None
    file_name: str
    """``product.fileName`` as it is: a URL (old site), or neither URL nor path (new site)."""
    size: int | None
    """Bytes; None where it is not told, or told as 0."""
    geometry: Json | None
    properties: Mapping[str, str] = field(default_factory=dict)
    """The rest, with dots between levels: ``gpp.datasetId``."""


def split_box(box: Box) -> tuple[Box, ...]:
    """Return `box` in parts that do not cross the antimeridian.

    Parameters
    ----------
    box : tuple of float
        West, south, east, north, degrees; west > east where it crosses.
    """
    west, south, east, north = box
    if west <= east:
        return (box,)
    parts = ((west, south, 180.0, north), (-180.0, south, east, north))
    return tuple(part for part in parts if part[0] < part[2])


class Catalogue:
    """Asks page after page.

    Parameters
    ----------
    get_text : callable
        Sends a query.
    where : str
        Who answers, for messages.
    """

    def __init__(self, get_text: GetText, where: str) -> None:
        self._get_text = get_text
        self._where = where

    def count(self, wanted: Wanted) -> int:
        """Return how many records there are; of a query across the antimeridian an upper bound.

        Raises
        ------
        TransferFailed
            The catalogue does not answer as it should.
        """
        total = 0
        for query in _queries(wanted):
            matched, _ = self._page({**query, "count": "0"})
            total += matched
        return total

    def records(self, wanted: Wanted) -> Iterator[Record]:
        """Yield each record once, in the catalogue's order.

        Raises
        ------
        TransferFailed
            The catalogue does not answer as it should.
        """
        seen: set[str] = set()
        for query in _queries(wanted):
            for feature in self._features(query):
                record = _record(feature)
                if record is None:
                    raise TransferFailed(
                        f"{self._where} lists a record without an identifier", hint=_MAY_BE_MENDED
                    )
                if record.identifier not in seen:
                    seen.add(record.identifier)
                    yield record

    def _features(self, query: Mapping[str, str]) -> Iterator[Json]:
        index = 1
        first_of_last: object = None
        while True:
            matched, features = self._page({**query, "count": str(PAGE), "startIndex": str(index)})
            if features and features[0] == first_of_last:
                raise TransferFailed(
                    f"{self._where} gives the same page again and again", hint=_MAY_BE_MENDED
                )
            yield from features
            index += len(features)
            # An empty page before the end: records went away since the first page was made.
            if not features or index > matched:
                return
            first_of_last = features[0]

    def _page(self, query: Mapping[str, str]) -> tuple[int, list[Json]]:
        """Return how many records match, and those of this page."""
        text = self._get_text({**_FIXED, **query})
        try:
            answer = json.loads(text)
        except (ValueError, RecursionError):
            raise TransferFailed(
                f"{self._where} answered with something that is not JSON{_titled(text)}",
                hint=_MAY_BE_MENDED,
            ) from None
        found = _matched(answer)
        if found is None:
            raise TransferFailed(
                f"{self._where} answered with JSON that is no list of records", hint=_MAY_BE_MENDED
            )
        return found


def _matched(answer: Any) -> tuple[int, list[Json]] | None:
    """Return how many records match, and those of this page; None if it is no such answer."""
    if not isinstance(answer, dict) or not isinstance(answer.get("properties"), dict):
        return None
    matched = _whole(answer["properties"].get("numberOfRecordsMatched"))
    features = answer.get("features", [])
    if matched is None or not isinstance(features, list):
        return None
    return (matched, features) if all(isinstance(one, dict) for one in features) else None


def _titled(text: str) -> str:
    """Say what a page or an OWS exception is about, as far as it says so."""
    found = re.search(r"<(title|(?:ows:)?ExceptionText)[^>]*>([^<]{1,200})<", text[:65536], re.I)
    said = " ".join(found[2].split()) if found else ""
    return f": {said[:120]!r}" if said else ""


def _queries(wanted: Wanted) -> Iterator[dict[str, str]]:
    base = {"datasetId": ",".join(wanted.datasets)}
    if wanted.start is not None:
        base["startTime"] = f"{wanted.start.isoformat()}T00:00:00Z"
    if wanted.end is not None:
        base["endTime"] = f"{wanted.end.isoformat()}T23:59:59Z"
    if not wanted.boxes:
        yield base
    for box in wanted.boxes:
        yield {**base, "bbox": ",".join(f"{side:.6f}" for side in box)}


def _whole(value: object) -> int | None:
    """Return a count or size that may be written as text; None for what is neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    text = value.strip() if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() else None


def _time(text: str) -> datetime | None:
    """Read an ISO 8601 time; without a zone it is UTC."""
    text = re.sub(r"[Zz]$", "+00:00", text.strip())
    # Before Python 3.11 only three or six decimals are understood.
    text = re.sub(r"\.(\d{1,9})", lambda found: f".{found[1][:6]:0<6}", text)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (
        when.replace(tzinfo=timezone.utc) if when.tzinfo is None else when.astimezone(timezone.utc)
    )


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{prefix}{name}.")
        elif isinstance(inner, (str, int, float)):
            yield f"{prefix}{name}", str(inner)


def _geometry(feature: Json) -> Json | None:
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict) or not isinstance(geometry.get("coordinates"), list):
        return None
    return geometry if isinstance(geometry.get("type"), str) else None


def _record(feature: Json) -> Record | None:
    properties = feature.get("properties")
    flat = dict(_flat(properties)) if isinstance(properties, dict) else {}
    identifier = flat.get("identifier", "").strip()
    if not identifier:
        return None
    return Record(
        identifier=identifier,
        dataset=flat.get("gpp.datasetId", ""),
        platform=flat.get("platformShortName", ""),
        begin=_time(flat.get("beginPosition", "")),
        end=_time(flat.get("endPosition", "")),
        file_name=flat.get("product.fileName", "").strip(),
        size=_whole(flat.get("product.size")) or None,
        geometry=_geometry(feature),
        properties=flat,
    )

"""What may be asked of any catalogue, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias

from alos2.types import Json

Box: TypeAlias = tuple[float, float, float, float]
"""West, south, east, north, degrees; west > east across the antimeridian."""

MOST_ITEMS: Final = 1_000
"""Of one page."""
MOST_ROWS: Final = 20_000
"""Of one page of a list."""
DEFAULT_ITEMS: Final = 10
FACETS: Final = (
    "level", "mode", "pol", "pass", "look", "path", "frame", "off_nadir", "kind", "tag", "month",
)  # fmt: skip
"""By what items are counted. ``month`` is ``YYYY-MM``."""
ROW: Final = (
    "id", "t", "level", "mode", "pass", "look", "path", "frame", "orbit", "off_nadir", "pols",
    "kind", "beams", "w", "s", "e", "n", "outline",
)  # fmt: skip
"""What a list, a map and a timeline show of an item: ``t`` is Unix time in ms, ``pols`` words with
blanks, ``kind`` the type of dataset, ``beams`` a list of those of
ScanSAR level 1.1, ``outline`` the outer rings, each a flat list of longitudes
and latitudes. Null where it is not known."""


@dataclass(frozen=True)
class SortKey:
    """A property that is sorted by."""

    name: str
    """As CQL2 names it: ``datetime``, ``id``, ``sar:instrument_mode``."""
    descending: bool = False


NEWEST_FIRST: Final = (SortKey("datetime", descending=True),)


@dataclass(frozen=True)
class Search:
    """What is looked for: all conditions hold; of several values of one, any."""

    ids: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    bbox: Box | None = None
    intersects: Json | None = None
    """GeoJSON geometry."""
    start: datetime | None = None
    end: datetime | None = None
    """Both included."""
    text: str | None = None
    """Words, or beginnings of words; all are there."""
    tags: tuple[str, ...] = ()
    """All are there, in any case."""
    filter: Json | bool | None = None
    """CQL2 as JSON, as `cql2.parse` gives it."""
    sort: tuple[SortKey, ...] = NEWEST_FIRST
    limit: int = DEFAULT_ITEMS
    token: str | None = None
    """Of the page before."""


@dataclass(frozen=True)
class Page:
    """Some items, and where the next ones begin."""

    ids: tuple[str, ...]
    documents: tuple[bytes, ...] = field(repr=False)
    """STAC items, JSON in UTF-8 without white space; in the order of `ids`."""
    next: str | None = None
    """Token of the next page; None on the last."""
    matched: int | None = None
    """How many match in all, where that is known."""


@dataclass(frozen=True)
class Rows:
    """Items as `ROW` lists them."""

    rows: Sequence[Sequence[Any]]
    next: str | None


@dataclass(frozen=True)
class Collected:
    """A collection: the items of one kind of dataset."""

    id: str
    count: int
    bbox: Box
    start: datetime | None
    end: datetime | None
    summaries: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Values of properties, e.g. ``sar:instrument_mode``."""


@dataclass(frozen=True)
class Counted:
    """How many items match, and how many of each value."""

    total: int
    facets: Mapping[str, Mapping[str, int]]


class Searchable(Protocol):
    """A catalogue that can be searched. An object is for one thread at a time."""

    def search(self, search: Search) -> Page:
        """Return a page of what matches.

        Raises
        ------
        UsageError
            The search cannot be understood, or is not possible here.
        PublishFailed, NoResource, LoginFailed
            The catalogue cannot be asked.
        """

    def get(self, item_id: str) -> bytes | None:
        """Return the item with an id, or None."""

    def rows(self, search: Search) -> Rows:
        """Return what a list shows of what matches; its page may be much longer."""

    def folder_of(self, item_id: str) -> str | None:
        """Return a dataset's folder, relative to the archive, with ``/``; None: not known here."""

    def collections(self) -> Sequence[Collected]:
        """Return the collections, in the order of their ids."""

    def count(self, search: Search, facets: Sequence[str]) -> Counted:
        """Count what matches, by values of `facets` (see `FACETS`)."""

    def close(self) -> None:
        """Let go of files and connections."""

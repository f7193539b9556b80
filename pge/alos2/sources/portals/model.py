"""What a portal is: items that one can search for, and a remote object for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from alos2.sources.remote import Remote
from alos2.types import Json

if TYPE_CHECKING:
    from alos2.sources.doctor import Check


@dataclass(frozen=True)
class Item:
    """One file that a portal can deliver.

    Parameters
    ----------
    provider
        The portal's name, e.g. ``sentinel-asia``.
    id
        Unique at the provider.
    title
        The provider's words about it.
    name
        File name it is delivered under; empty where it is not known before.
    size
        Bytes; None: unknown.
    when
        Time of the observation, or of the request; timezone-aware.
    footprint
        GeoJSON geometry as the provider has it.
    order_id, eor_id, data_id
        What ``source`` of the dataset says, each None where the portal has no such thing.
    properties
        What else the portal says.
    skip
        Why it cannot be ingested; empty if it can.
    """

    provider: str
    id: str
    title: str = ""
    name: str = ""
    size: int | None = None
    when: datetime | None = None
    footprint: Json | None = None
    order_id: str | None = None
    eor_id: str | None = None
    data_id: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    skip: str = ""


@dataclass(frozen=True)
class Query:
    """What is looked for; a portal refuses what it cannot search by."""

    ids: tuple[str, ...] = ()
    eor_id: str | None = None
    start: date | None = None
    end: date | None = None
    """The last day, which is part of the window."""
    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees; west > east crosses the antimeridian."""
    mode: str | None = None
    limit: int | None = None


@dataclass(frozen=True)
class PortalProfile:
    """Where a portal is and how it is spoken to: configuration, not constants."""

    name: str
    base_url: str
    settings: Mapping[str, str] = field(default_factory=dict)


class Portal(Protocol):
    """A place that lists products and delivers them, usually after a login."""

    name: str
    title: str
    experimental: bool

    def search(self, query: Query) -> Iterator[Item]:
        """Yield what is there; what cannot be ingested comes too, with the reason.

        Raises
        ------
        NothingFound
            Nothing of the kind is there.
        UsageError
            The portal cannot be searched by this.
        LoginFailed, TransferFailed
            It cannot be asked at all.
        """
        ...

    def remote(self, item: Item) -> Remote:
        """Return what delivers `item`. Logs in when first needed, once; may be called by threads.

        Raises
        ------
        LoginFailed, NothingFound, TransferFailed
            It cannot be delivered.
        """
        ...

    def checks(self) -> Iterator[Check]:
        """Yield what ``alos2 doctor`` says; logs in at most once."""
        ...

    def close(self) -> None:
        """Let go of connections; may be called twice."""
        ...

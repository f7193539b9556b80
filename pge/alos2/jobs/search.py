"""One search for every place that can be searched: portals now, catalogues as they come.

A place is a portal of `alos2.sources.portals`, or an entry point of the group ``alos2.search``: its
name is what people write behind ``--source``, its value a callable that takes a `SearchOptions` and
returns a context manager, which gives something with ``search(query) -> Iterator[Item]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timezone
from importlib.metadata import EntryPoint, entry_points
from typing import Final, Protocol, TypeAlias, cast

from alos2.errors import NothingFound, UsageError
from alos2.sources.model import TransferOptions
from alos2.sources.portals import registry
from alos2.sources.portals.model import Item, PortalProfile, Query
from alos2.types import Json

ENTRY_POINT_GROUP: Final = "alos2.search"


@dataclass(frozen=True)
class SearchOptions:
    """What a place may be told besides the query."""

    profile: PortalProfile | None = None
    """Where a portal is; None: its own default."""
    credential: str | None = None
    """Name of a credential; None: the usual places are looked at."""
    transfer: TransferOptions = field(default_factory=TransferOptions)
    """Patience."""


class Searchable(Protocol):
    """A place that can be searched."""

    def search(self, query: Query) -> Iterator[Item]:
        """Yield what is there.

        Raises
        ------
        NothingFound
            Nothing of the kind is there.
        UsageError
            This place cannot be searched by this.
        LoginFailed, TransferFailed, PublishFailed
            It cannot be asked.
        """
        ...


SearchFactory: TypeAlias = Callable[[SearchOptions], AbstractContextManager[Searchable]]


def _plugins() -> dict[str, EntryPoint]:
    """Return the entry points by name; a portal's name cannot be taken over."""
    portals = registry.names()
    found = entry_points(group=ENTRY_POINT_GROUP)
    return {e.name: e for e in found if e.name not in portals}


def search_names() -> tuple[str, ...]:
    """Return the names of all places that can be searched, portals first."""
    return (*registry.names(), *sorted(_plugins()))


@contextmanager
def open_search(name: str, options: SearchOptions) -> Iterator[Searchable]:
    """Open a place for searching.

    Raises
    ------
    UsageError
        There is none of that name, or its plugin cannot be loaded.
    """
    if name in registry.names():
        with registry.open_portal(
            name,
            profile=options.profile,
            credential=options.credential,
            options=options.transfer,
        ) as portal:
            yield portal
        return
    plugin = _plugins().get(name)
    if plugin is None:
        raise UsageError(
            f"there is no source {name!r} to search", hint=f"one of {', '.join(search_names())}"
        )
    try:
        factory = cast(SearchFactory, plugin.load())
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"the plugin {plugin.value!r} for {name} cannot be loaded: {error}",
            hint="install it again, or remove it",
        ) from error
    with factory(options) as place:
        yield place


@dataclass(frozen=True)
class Found:
    """The items of a search."""

    items: tuple[Item, ...]
    more: bool
    """Whether there are more than the limit let through."""


def search(place: Searchable, query: Query) -> Found:
    """Ask a place; of what it has at most ``query.limit`` items.

    Raises
    ------
    NothingFound
        Nothing of the kind is there.
    UsageError, LoginFailed, TransferFailed, PublishFailed
        It cannot be asked.
    """
    limit = query.limit
    # One more than wanted, to know whether there is more.
    asked = replace(query, limit=None if limit is None else limit + 1)
    items: list[Item] = []
    for item in place.search(asked):
        if limit is not None and len(items) == limit:
            return Found(tuple(items), more=True)
        items.append(item)
    if not items:
        raise NothingFound(
            "nothing is there of the kind", hint="try a larger box, other days or another mode"
        )
    return Found(tuple(items), more=False)


def feature(item: Item) -> Json:
    """Return an item as a GeoJSON Feature; what the place says besides is under ``provider:*``."""
    when = None
    if item.when is not None:
        when = item.when.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    return {
        "type": "Feature",
        "id": item.id,
        "geometry": item.footprint,
        "properties": {
            "provider": item.provider,
            "title": item.title or None,
            "name": item.name or None,
            "size": item.size,
            "datetime": when,
            "order_id": item.order_id,
            "eor_id": item.eor_id,
            "data_id": item.data_id,
            "skip": item.skip or None,
            **{f"{item.provider}:{name}": text for name, text in item.properties.items()},
        },
    }


def collection(found: Found) -> Json:
    """Return all items as one GeoJSON FeatureCollection."""
    return {
        "type": "FeatureCollection",
        "features": [feature(item) for item in found.items],
        "more": found.more,
    }

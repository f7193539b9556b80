"""From a question to a portal to datasets: search, leave out, then ingest, submit or list.

The same for every portal. Each file gets a job of its own where something runs jobs
(`alos2.jobs.fanout`); else they are ingested here, where several downloads run at once and the
datasets are built one after the other (`alos2.jobs.pool`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from typing import Final

from alos2.dataset.provenance import Source
from alos2.errors import Alos2Error, Interrupted, LoginFailed, NothingFound, NotSupported
from alos2.jobs.fanout import FanOut
from alos2.jobs.held import ArchiveCatalogue, Catalogue
from alos2.jobs.ingest import Ingested
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from alos2.jobs.pool import Caps, Wanted, ingest_several
from alos2.jobs.portaloutcome import Listed, Outcome, Skipped, Submitted
from alos2.sources.portals.model import Item, Portal, Query

log = logging.getLogger(__name__)

_EXPERIMENTAL: Final = (
    "{} is experimental: who wrote this has never seen its answers; please report what goes wrong"
)


def ingest_portal(
    portal: Portal,
    query: Query,
    options: IngestOptions,
    *,
    catalogue: Catalogue | None = None,
    fan_out: FanOut | None = None,
    queue: str | None = None,
    list_only: bool = False,
    caps: Caps = Caps(),  # noqa: B008  (frozen)
) -> Iterator[Outcome]:
    """Ingest what a portal finds for a query.

    One file's failure does not keep the others from being tried; an interruption ends all, and
    what has been downloaded of the unfinished ones is resumed by the next run.

    Parameters
    ----------
    portal : Portal
        Whom to ask; it stays open.
    query : Query
        What for. What was asked for by ``query.ids`` and is no product is a `Failed`, where it
        would be a `Skipped` of a wider query.
    options : IngestOptions
        How, and where to; with ``force`` what is held already is ingested again.
    catalogue : Catalogue, optional
        Knows what is held; default: the datasets in ``options.out``.
    fan_out : FanOut, optional
        Runs a job for each file; None: they are ingested here.
    queue : str, optional
        Handed to `fan_out`.
    list_only : bool
        Yield a `Listed` for each file and do nothing.
    caps : Caps
        How many downloads run at once.

    Yields
    ------
    Ingested, Failed, Skipped, Submitted or Listed
        `Ingested` once for each dataset, the others once for each file.

    Raises
    ------
    NothingFound
        Nothing of the kind is there: no file at all, or none that is a product.
    UsageError, LoginFailed, TransferFailed
        The portal cannot be asked this, or not at all.
    Interrupted
        Somebody stopped it.
    """
    if portal.experimental:
        log.warning("%s", _EXPERIMENTAL.format(portal.title))
    archive = ArchiveCatalogue(options.out)
    catalogue = catalogue or archive
    found = _Search(portal, query, catalogue)
    if list_only:
        yield from found
        yield from found.failures()
        return
    wanted: list[Item] = []
    for listed in found:
        if listed.item.skip and query.ids:
            yield Failed(listed.item.id, NotSupported(listed.item.skip, hint="ask for another"))
        elif listed.item.skip or (listed.held and not options.force):
            yield Skipped(listed.item, listed.reason, listed.held)
        else:
            wanted.append(listed.item)
    yield from found.failures()
    if fan_out is not None:
        yield from _submitted(wanted, fan_out, queue)
    else:
        yield from _ingested(portal, wanted, options, caps, archive)


class _Search:
    """The files that a portal finds, each once; iterate over it, then ask for its failures."""

    def __init__(self, portal: Portal, query: Query, catalogue: Catalogue) -> None:
        self._portal = portal
        self._query = query
        self._catalogue = catalogue
        self._failed: Alos2Error | None = None

    def __iter__(self) -> Iterator[Listed]:
        seen: set[str] = set()
        possible = 0
        for item in self._items():
            if item.id in seen:
                continue
            seen.add(item.id)
            possible += not item.skip
            held = self._catalogue.holds(item.data_id) if item.data_id else None
            yield Listed(item, held)
        if possible == 0 and self._failed is None and not (seen and self._query.ids):
            raise self._nothing(len(seen))

    def _items(self) -> Iterator[Item]:
        """Yield what the portal finds; what it fails with after the first comes at the end."""
        found = 0
        try:
            for item in self._portal.search(self._query):
                found += 1
                yield item
        except Interrupted:
            raise
        except Alos2Error as error:
            if not found or isinstance(error, LoginFailed):
                raise
            self._failed = error

    def failures(self) -> Iterator[Failed]:
        """Yield what the search failed with, after it had found something."""
        if self._failed is not None:
            yield Failed(f"search of {self._portal.name}", self._failed)

    def _nothing(self, others: int) -> NothingFound:
        title = self._portal.title
        if others:
            return NothingFound(
                f"{title} has no product among the {others} files found",
                hint="--list shows them with the reasons",
            )
        return NothingFound(f"{title} has nothing of the kind", hint="check the ids and dates")


def source_of(item: Item) -> Source:
    """Return what a dataset made of `item` says of its origin before the transfer."""
    return Source(
        provider=item.provider,
        order_id=item.order_id,
        eor_id=item.eor_id,
        data_id=item.data_id,
        title=item.title or item.name or None,
    )


def _submitted(
    items: list[Item], fan_out: FanOut, queue: str | None
) -> Iterator[Submitted | Failed]:
    for item in items:
        try:
            line = fan_out.submit(item, queue=queue)
        except Interrupted:
            raise
        except Alos2Error as error:
            yield Failed(item.id, error)
        else:
            yield Submitted(item, line)


def _ingested(
    portal: Portal,
    items: list[Item],
    options: IngestOptions,
    caps: Caps,
    archive: ArchiveCatalogue,
) -> Iterator[Ingested | Failed]:
    """Ingest here; a delivery that ends half-way is marked so that the next run takes it up."""
    wanted = [
        Wanted(item.id, partial(portal.remote, item), source_of(item), item.name or None)
        for item in items
    ]
    ids = {item.id: item.data_id for item in items}
    for delivery in ingest_several(wanted, options, caps):
        data_id = ids[delivery.wanted.what]
        datasets: list[str] = []
        whole = True
        if data_id:
            archive.begin(data_id)
        for outcome in delivery.outcomes:
            if isinstance(outcome, Ingested):
                datasets.append(outcome.line["id"])
            else:
                whole = False
            yield outcome
        if data_id and (whole or not datasets):
            archive.finish(data_id, datasets)

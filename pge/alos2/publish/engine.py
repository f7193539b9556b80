"""Publish one dataset: to all the places that its rule names, or to none of them."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from alos2.errors import Alos2Error
from alos2.publish.model import (
    Catalogue,
    DocumentMaker,
    Entry,
    Place,
    Published,
    PublishOptions,
    Store,
    Transaction,
)
from alos2.publish.package import Package, read_documents, read_package
from alos2.publish.registry import store_for
from alos2.publish.target import Target

log = logging.getLogger(__name__)


def publish(
    folder: Path,
    target: Target,
    options: PublishOptions,
    *,
    catalogue: Catalogue | None = None,
    document: DocumentMaker | None = None,
) -> Published:
    """Publish the dataset in `folder`; nothing in it changes.

    Its files go to the rule's ``publish`` location and its small browse pictures to the ``browse``
    location besides, as HySDS does it. All are there and verified when this returns. If anything
    fails, what this run had sent is taken away again and what was there before stays.

    Parameters
    ----------
    folder : Path
        A whole dataset, under its own name.
    target : Target
        Where it goes.
    options : PublishOptions
        How.
    catalogue : Catalogue, optional
        Where it is made known afterwards, also if it was published before.
    document : callable, optional
        Makes what the catalogue takes.

    Raises
    ------
    UsageError
        `folder` is no dataset, or the target cannot take it.
    BadProduct
        The dataset is damaged.
    DatasetDiffers
        Another dataset of this id is there.
    PublishFailed
        It could not be published, or not be catalogued; in the second case it stays published.
    NoSpace, NoResource
        There is no room, or no access.
    Interrupted
        The caller wanted to stop; nothing is left.
    """
    begun = time.monotonic()
    folder = folder.absolute()
    options = replace(options, stop=threading.Event())
    documents = read_documents(folder)
    placement = target.placement(folder, dataset=documents["dataset"], met=documents["met"])
    store = store_for(placement.publish.location, options)
    package = read_package(folder, documents, part_bytes=store.part_bytes, options=options)
    with ExitStack() as stack:
        steps: list[Transaction] = []
        for place_store, files, place in _places(
            package, store, placement.publish, placement.browse, options
        ):
            steps.append(stack.enter_context(place_store.begin(files, package.id, place)))
        for step in steps:
            step.stage()
        for step in steps:
            step.commit()
        # The dataset itself last: it is what the next publisher looks at first.
        for step in reversed(steps):
            step.finish()
        status = steps[0].status
    published = Published(
        package.id,
        folder,
        status,
        placement,
        documents,
        package.browse,
        len(package.entries),
        package.size_bytes,
        time.monotonic() - begun,
    )
    log.info("%s: %s at %s", package.id, status, placement.publish.location)
    if catalogue is not None and document is not None:
        _file(published, catalogue, document)
    return published


def _file(published: Published, catalogue: Catalogue, document: DocumentMaker) -> None:
    """File what is published; where that fails, say that it stays published."""
    try:
        catalogue.ingest(document(published))
    except Alos2Error:
        log.warning(
            "%s stays published at %s, and is not in the catalogue; the same command files it",
            published.id,
            published.placement.publish.location,
        )
        raise


def _places(
    package: Package,
    store: Store,
    publish_at: Place,
    browse_at: Place | None,
    options: PublishOptions,
) -> list[tuple[Store, tuple[Entry, ...], Place]]:
    """Return what goes where: the dataset, and its small pictures where the rule wants them."""
    places = [(store, package.entries, publish_at)]
    if browse_at is not None and package.small_browse:
        browse_store = store_for(browse_at.location, options)
        places.append((browse_store, package.small_browse, browse_at))
    return places

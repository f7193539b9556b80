"""The one pipeline: fetch → unpack → recognise → describe → picture → package → publish."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

from alos2.archive.unpack import InnerArchive, Unpacked, unpack
from alos2.dataset.identity import dataset_id
from alos2.dataset.provenance import Source, public_url
from alos2.errors import Alos2Error, Interrupted
from alos2.hysds.workdir import Download
from alos2.jobs import context
from alos2.jobs.build import Built, Delivery, build
from alos2.jobs.catalogued import catalogued
from alos2.jobs.downloads import DownloadPlace, download_place
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from alos2.jobs.workfolder import work_folder
from alos2.product.recognise import file_sha256, hash_files, recognise, require_complete
from alos2.sources import Fetched, TransferOptions, fetch
from alos2.sources.registry import scheme_of
from alos2.sources.remote import Remote
from alos2.sources.transfer import Check, transfer, zip_check
from alos2.types import Json

log = logging.getLogger(__name__)

UNPACKED_ROOM: Final = 2.0
"""Disk that an ingest needs, as a multiple of its delivery: the zip itself and what is in it.

SAR samples hardly compress: zips of products hold 1.05 to 1.13 times their own size.
"""


@dataclass(frozen=True)
class Ingested:
    """One dataset that is there now."""

    line: Json
    """What ``ingest --json`` prints about it."""
    downloads: tuple[Download, ...] = ()
    """The transfer that brought it, the same for all datasets of a delivery."""
    uncatalogued: Alos2Error | None = None
    """Why the archive's catalogue does not know it; None: it does, or there is none to keep."""


def ingest_all(targets: Sequence[str], options: IngestOptions) -> Iterator[Ingested | Failed]:
    """Ingest several URLs or paths, one after the other.

    A failure of one does not keep the others from being tried; only an interruption ends all.

    Parameters
    ----------
    targets : sequence of str
        URLs, zips, folders.
    options : IngestOptions
        How, and where to.

    Yields
    ------
    Ingested or Failed
        One for each dataset, as soon as it is there, or for each failure.

    Raises
    ------
    Interrupted
        Somebody stopped it.
    """
    for target in targets:
        try:
            yield from ingest(target, options)
        except Interrupted:
            raise
        except Alos2Error as error:
            yield Failed(public_url(target), error)


def ingest(target: str, options: IngestOptions) -> Iterator[Ingested | Failed]:
    """Ingest one URL or path: every scene that it holds.

    Raises
    ------
    Alos2Error
        Nothing of it can be ingested: not found, not fetched, not unpacked, not recognised.
    """
    public = public_url(target)
    log.info("fetching %s", public)
    if scheme_of(target) in (None, "file"):
        yield from ingest_fetched(_fetch(target, options.out, options), Source(), options)
        return
    with download_place(options, public) as place:
        fetched = _fetch(target, place.folder, options)
        yield from place.watch(ingest_fetched(fetched, Source(provider="url"), options))


def ingest_remote(
    remote: Remote,
    source: Source,
    options: IngestOptions,
    *,
    name: str | None = None,
    check: Check | None = zip_check,
) -> Iterator[Ingested | Failed]:
    """Ingest what a portal or another opened source delivers: transferred, resumed if it can be.

    Parameters
    ----------
    remote : Remote
        What to transfer; its public URL finds what an earlier run has transferred of it.
    source : Source
        What the datasets shall say of where they come from; what is None in it (title, url,
        sha256, retrieved) is filled in from the transfer.
    options : IngestOptions
        How, and where to.
    name : str, optional
        File name of the delivery; else what the remote suggests.
    check : Check, optional
        What the delivery must be.

    Raises
    ------
    Alos2Error
        Nothing of it can be ingested.
    """
    with fetched_remote(remote, options, name=name, check=check) as (place, fetched):
        yield from place.watch(ingest_fetched(fetched, source, options))


@contextmanager
def fetched_remote(
    remote: Remote,
    options: IngestOptions,
    *,
    name: str | None = None,
    check: Check | None = zip_check,
) -> Iterator[tuple[DownloadPlace, Fetched]]:
    """Have a delivery on this disk: the first half of `ingest_remote`, for who does it elsewhere.

    Gives the place that the download has, and the download; at the end the place is left.
    """
    with download_place(options, remote.url) as place:
        log.info("fetching %s", remote.url)
        fetched = transfer(
            remote,
            place.folder,
            name=name,
            progress=_told(options, "download"),
            cancel=options.cancelled,
            options=_with_room(options.transfer),
            check=check,
        )
        yield place, fetched


def ingest_fetched(
    fetched: Fetched, source: Source, options: IngestOptions
) -> Iterator[Ingested | Failed]:
    """Ingest a delivery that is on this disk.

    Parameters
    ----------
    fetched : Fetched
        A zip or folder; it stays where it is.
    source : Source
        See `ingest_remote`.
    options : IngestOptions
        How, and where to.

    Raises
    ------
    Alos2Error
        Nothing of it can be ingested: not unpacked, not recognised.
    """
    with work_folder(options.out) as work:
        delivery = _delivery(fetched, source, work, options)
        downloads = (_download(fetched, options.out),) if fetched.downloaded else ()
        with recognise(delivery.folder, leader=options.leader) as recognised:
            for sentence in recognised.refused:
                log.warning("%s", sentence)
            for product in recognised.products:
                what = f"{product.scene}-{product.product}"
                with context.about(context.product, what):
                    try:
                        require_complete(product)
                        hashed = hash_files(product, delivery.sha256)
                        with catalogued(options, dataset_id(hashed)) as kept:
                            built = build(hashed, delivery, options)
                    except Interrupted:
                        raise
                    except Alos2Error as error:
                        yield Failed(what, error)
                    else:
                        yield _ingested(built, downloads, kept.failure)


def _ingested(
    built: Built, downloads: tuple[Download, ...], uncatalogued: Alos2Error | None
) -> Ingested:
    log.info("%s: %s", built.folder, built.status)
    return Ingested(built.line, downloads, uncatalogued)


def _fetch(target: str, into: Path, options: IngestOptions) -> Fetched:
    return fetch(
        target,
        into,
        progress=_told(options, "download"),
        cancel=options.cancelled,
        options=_with_room(options.transfer),
        credential=options.credential,
    )


def _told(options: IngestOptions, stage: str) -> Callable[[int, int | None], None]:
    def progress(done: int, total: int | None) -> None:
        options.progress(stage, done, total)

    return progress


def _with_room(options: TransferOptions) -> TransferOptions:
    """Ask for the room that unpacking will need as well, before the first byte is transferred."""
    return replace(options, room=max(options.room, UNPACKED_ROOM))


def _delivery(fetched: Fetched, source: Source, work: Path, options: IngestOptions) -> Delivery:
    """Unpack what was fetched, unless it is a folder already."""
    if fetched.path.is_dir():
        return Delivery(folder=fetched.path, source=_source(fetched, source, None))
    log.info("unpacking %s", fetched.path.name)
    unpacked = unpack(
        fetched.path,
        work / "unpacked",
        limits=options.limits,
        keep_inner=True,
        progress=_told(options, "unpack"),
    )
    sha256 = fetched.sha256 or file_sha256(fetched.path)
    return Delivery(
        folder=unpacked.folder,
        source=_source(fetched, source, sha256),
        sha256={file.path: file.sha256 for file in unpacked.files},
        crc32={file.path: file.crc32 for file in unpacked.files},
        archives=_archives(fetched, unpacked, sha256),
        work=work,
    )


def _source(fetched: Fetched, known: Source, sha256: str | None) -> Source:
    """Return `known`, completed by what the transfer knows."""
    return replace(
        known,
        provider=known.provider or ("url" if fetched.downloaded else "file"),
        title=known.title or fetched.path.name,
        url=known.url or fetched.url,
        sha256=known.sha256 or sha256,
        retrieved=known.retrieved or fetched.retrieved,
    )


def _archives(fetched: Fetched, unpacked: Unpacked, sha256: str) -> tuple[InnerArchive, ...]:
    """Return the zips of the delivery that may be a product's own zip: inner ones, or itself."""
    if unpacked.inner_archives:
        return unpacked.inner_archives
    names = tuple(file.path.relative_to(unpacked.folder).as_posix() for file in unpacked.files)
    itself = InnerArchive(fetched.path, unpacked.folder, names, fetched.size, sha256)
    return (itself,)


def _download(fetched: Fetched, out: Path) -> Download:
    end = fetched.retrieved or datetime.now(timezone.utc)
    return Download(
        url=fetched.url or "",
        path=out / fetched.path.name,
        size_bytes=fetched.size,
        start=end - timedelta(seconds=fetched.seconds),
        end=end,
    )

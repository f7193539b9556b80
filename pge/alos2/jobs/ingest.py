"""The one pipeline: fetch → unpack → recognise → describe → picture → package → publish."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from alos2.archive.unpack import InnerArchive, Unpacked, unpack
from alos2.dataset.provenance import Source, public_url
from alos2.errors import Alos2Error, Interrupted
from alos2.hysds.workdir import Download
from alos2.jobs import context
from alos2.jobs.build import Built, Delivery, build
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from alos2.jobs.workfolder import work_folder
from alos2.product.recognise import file_sha256, hash_files, recognise, require_complete
from alos2.sources import Fetched, fetch
from alos2.types import Json

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ingested:
    """One dataset that is there now."""

    line: Json
    """What ``ingest --json`` prints about it."""
    downloads: tuple[Download, ...] = ()
    """The transfer that brought it, the same for all datasets of a delivery."""


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
    with work_folder(options.out) as work:
        log.info("fetching %s", public_url(target))
        fetched = _fetch(target, work, options)
        delivery = _delivery(fetched, work, options)
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
                        built = build(hashed, delivery, options)
                    except Interrupted:
                        raise
                    except Alos2Error as error:
                        yield Failed(what, error)
                    else:
                        yield _ingested(built, downloads)


def _ingested(built: Built, downloads: tuple[Download, ...]) -> Ingested:
    log.info("%s: %s", built.folder, built.status)
    return Ingested(built.line, downloads)


def _fetch(target: str, work: Path, options: IngestOptions) -> Fetched:
    into = work / "download"
    into.mkdir()

    def progress(done: int, total: int | None) -> None:
        options.progress("download", done, total)

    return fetch(
        target, into, progress=progress, cancel=options.cancelled, options=options.transfer
    )


def _delivery(fetched: Fetched, work: Path, options: IngestOptions) -> Delivery:
    """Unpack what was fetched, unless it is a folder already."""
    if fetched.path.is_dir():
        return Delivery(folder=fetched.path, source=_source(fetched, None))
    log.info("unpacking %s", fetched.path.name)

    def progress(done: int, total: int) -> None:
        options.progress("unpack", done, total)

    unpacked = unpack(
        fetched.path,
        work / "unpacked",
        limits=options.limits,
        keep_inner=True,
        progress=progress,
    )
    sha256 = fetched.sha256 or file_sha256(fetched.path)
    return Delivery(
        folder=unpacked.folder,
        source=_source(fetched, sha256),
        sha256={file.path: file.sha256 for file in unpacked.files},
        crc32={file.path: file.crc32 for file in unpacked.files},
        archives=_archives(fetched, unpacked, sha256),
        work=work,
    )


def _source(fetched: Fetched, sha256: str | None) -> Source:
    return Source(
        provider="url" if fetched.downloaded else "file",
        title=fetched.path.name,
        url=fetched.url,
        sha256=sha256,
        retrieved=fetched.retrieved,
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

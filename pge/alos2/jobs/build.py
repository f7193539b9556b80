"""One product of an unpacked delivery becomes a dataset: describe → picture → package → publish."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from alos2.archive.unpack import InnerArchive
from alos2.dataset.content import Content
from alos2.dataset.documents import make_documents
from alos2.dataset.footprint_report import FootprintReport
from alos2.dataset.line import product_line
from alos2.dataset.package import package_product
from alos2.dataset.provenance import Source
from alos2.dataset.write import DatasetWriter, Status
from alos2.footprint import footprint_report
from alos2.jobs.options import IngestOptions
from alos2.product.model import Product
from alos2.raster.pictures import make_pictures
from alos2.raster.valid import valid_polygon
from alos2.types import Json

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """A delivery that is on this disk, unpacked."""

    folder: Path
    """Where its files are."""
    source: Source
    """Where it came from."""
    sha256: Mapping[Path, str] = field(default_factory=dict)
    """What unpacking computed: hexadecimal, by path."""
    crc32: Mapping[Path, int] = field(default_factory=dict)
    """What unpacking checked, by path."""
    archives: tuple[InnerArchive, ...] = ()
    """Zips of which each may be the main product as it is."""
    work: Path | None = None
    """Folder whose files are ours, to be linked; others are copied."""


@dataclass(frozen=True)
class Built:
    """A dataset that is in its place."""

    folder: Path
    status: Status
    line: Json


def build(product: Product, delivery: Delivery, options: IngestOptions) -> Built:
    """Make the dataset of `product`, whole or not at all.

    Parameters
    ----------
    product : Product
        Complete, with the SHA-256 of its files.
    delivery : Delivery
        What it is part of.
    options : IngestOptions
        How, and where to.

    Raises
    ------
    BadProduct
        Its pixels cannot be read, it has no footprint, or the dataset is there with other content.
    NoSpace, NoResource
        The disk is full, or another run is writing this dataset.
    Interrupted
        The caller wanted to stop; nothing is left.
    """
    with DatasetWriter(options.out, product, force=options.force) as writer:
        if writer.unchanged:
            log.info("%s is there already, made from the same product", writer.folder)
            footprint = writer.footprint
        else:
            report = describe(product, options)
            footprint = report.chosen
            log.info("footprint by %s", footprint.source)
            pictures = make_pictures(
                product,
                writer.staging,
                dataset_id=writer.id,
                options=options.pictures,
                progress=options.progress,
                cancelled=options.cancelled,
            )
            packed = package_product(
                product,
                writer.staging,
                ready=delivery.archives,
                owned=delivery.work,
                crc32=delivery.crc32,
                progress=lambda done, total: options.progress("package", done, total),
            )
            content = Content(
                product,
                report,
                created=datetime.now(timezone.utc),
                source=delivery.source,
                pictures=pictures,
                archive=packed,
            )
            writer.commit(make_documents(content))
    status = writer.status or "unchanged"
    line = product_line(product, footprint=footprint, dataset_dir=writer.folder, status=status)
    return Built(writer.folder, status, line)


def describe(product: Product, options: IngestOptions) -> FootprintReport:
    """Find out where `product` lies; raises what `footprint_report` does."""
    return footprint_report(
        product,
        choice=options.footprint,
        options=options.footprint_options,
        raster_polygon=lambda p: valid_polygon(
            p, progress=options.progress, cancelled=options.cancelled
        ),
    )

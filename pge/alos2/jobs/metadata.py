"""Datasets of metadata: products that stay where they lie, described without being touched.

The archive may be read-only: nothing is written there, copied or hashed (sizes and times say what
the files are; a SHA-256 of a group's archive would read it whole).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Final, NamedTuple

from alos2.dataset.content import Content
from alos2.dataset.documents import make_documents
from alos2.dataset.line import product_line
from alos2.dataset.provenance import Source
from alos2.dataset.write import DatasetWriter
from alos2.errors import Alos2Error, Interrupted, NothingFound, UsageError
from alos2.jobs import context
from alos2.jobs.build import describe
from alos2.jobs.ingest import Ingested
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from alos2.product.model import Product
from alos2.product.recognise import recognise, require_complete

log = logging.getLogger(__name__)

_FRAME_DATE: Final = re.compile(r"(?P<frame>[0-9]{4})[-_](?P<date>[0-9]{6})")


class FrameDate(NamedTuple):
    """Which scenes of a folder are meant: ``FFFF-YYMMDD`` or ``FFFF_YYMMDD``."""

    frame: str
    date: str

    @classmethod
    def parse(cls, text: str) -> FrameDate:
        """Read it.

        Raises
        ------
        UsageError
            It has another form.
        """
        found = _FRAME_DATE.fullmatch(text.strip())
        if found is None:
            raise UsageError(f"{text!r} is no frame and date", hint="FFFF-YYMMDD, e.g. 0700-180905")
        return cls(found["frame"], found["date"])

    def means(self, product: Product) -> bool:
        """Whether `product` is one of them."""
        return str(product.scene).endswith(f"{self.frame}-{self.date}")


def describe_in_place(
    folder: Path,
    options: IngestOptions,
    *,
    only: FrameDate | None = None,
    tags: Sequence[str] = (),
) -> Iterator[Ingested | Failed]:
    """Make a dataset of metadata of every product in `folder`, a folder or a zip.

    Parameters
    ----------
    folder : Path
        Is only read.
    options : IngestOptions
        ``out``, ``footprint``, ``force`` are heeded.
    only : FrameDate, optional
        Leave out all other scenes.
    tags : sequence of str, optional
        Words to find the datasets by.

    Yields
    ------
    Ingested or Failed
        One for each product, as soon as it is there.

    Raises
    ------
    NothingFound
        There is no such folder, or no such scene in it.
    NoProduct, BadArchive
        It holds no ALOS-2 product, or cannot be read.
    """
    if not folder.exists():
        raise NothingFound(f"{folder} does not exist", hint="check the path, and what is mounted")
    met = False
    with recognise(folder.absolute()) as recognised:
        for sentence in recognised.refused:
            log.warning("%s", sentence)
        for product in recognised.products:
            if only is not None and not only.means(product):
                continue
            met = True
            what = f"{product.scene}-{product.product}"
            with context.about(context.product, what):
                try:
                    require_complete(product)
                    yield _describe(product, options, tags)
                except Interrupted:
                    raise
                except Alos2Error as error:
                    yield Failed(what, error)
    if not met and only is not None:
        raise NothingFound(f"{folder} holds no scene {only.frame}-{only.date}")


def _describe(product: Product, options: IngestOptions, tags: Sequence[str]) -> Ingested:
    with DatasetWriter(options.out, product, metadata_only=True, force=options.force) as writer:
        footprint = writer.footprint
        if not writer.unchanged:
            report = describe(product, options)
            footprint = report.chosen
            content = Content(
                product,
                report,
                created=datetime.now(timezone.utc),
                source=Source(provider="archive"),
                tags=tuple(tags),
                stays_at=_places(product),
                metadata_only=True,
            )
            writer.commit(make_documents(content))
    status = writer.status or "unchanged"
    line = product_line(
        product,
        footprint=footprint,
        dataset_dir=writer.folder,
        status=status,
        metadata_only=True,
    )
    log.info("%s: %s", writer.folder, status)
    return Ingested(line)


def _places(product: Product) -> tuple[Path, ...]:
    """Return where the files lie; within a zip ``outer.zip!inner/name``, once each."""
    return tuple(file.member.local_path or Path(file.member.path) for file in product.files)

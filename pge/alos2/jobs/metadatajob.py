"""One product that stays where it lies becomes a dataset of metadata, which is filed."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

from alos2.dataset.content import Content
from alos2.dataset.documents import STAC_SUFFIX, make_documents
from alos2.dataset.identity import dataset_id
from alos2.dataset.line import product_line
from alos2.dataset.provenance import Source
from alos2.dataset.write import DatasetWriter, Status
from alos2.jobs.build import describe
from alos2.jobs.catalogued import catalogued
from alos2.jobs.ingest import Ingested
from alos2.jobs.options import IngestOptions
from alos2.product.model import Problem, Product
from alos2.product.recognise import require_complete
from alos2.types import Json

log = logging.getLogger(__name__)

Filed: TypeAlias = Literal["created", "unchanged", "updated", "present"]
"""What became of a dataset in a catalogue; ``present``: another one of its id is there."""

_PATIENCE_S: Final = 60.0
"""Another node that has met the same scene needs far less than this to describe it."""


class Filing(Protocol):
    """A catalogue that is told of datasets."""

    def holds(self, dataset_id: str) -> bool:
        """Return whether a dataset is there; raises PublishFailed or LoginFailed."""

    def file(self, folder: Path, status: Status) -> Filed:
        """File the dataset in `folder`; raises PublishFailed or LoginFailed."""


@dataclass(frozen=True)
class MetadataJob:
    """How products are described where they lie."""

    options: IngestOptions
    """``out``, ``footprint``, ``force``, ``catalogue`` are heeded."""
    tags: Sequence[str] = ()
    """Words to find the datasets by."""
    filing: Filing | None = None
    """Where they are filed besides."""

    def held(self, dataset_id: str) -> bool:
        """Return whether the catalogue has it, and nothing is to be made here.

        A dataset that lies in our folder is compared with its files again: it is quick, and tells
        when they have changed.

        Raises
        ------
        PublishFailed, LoginFailed
            The catalogue does not say.
        """
        if self.filing is None or self.options.force or (self.options.out / dataset_id).exists():
            return False
        return self.filing.holds(dataset_id)

    def of(self, product: Product) -> Ingested:
        """Describe `product` unless the catalogue has it.

        Returns
        -------
        Ingested
            Its line has ``status`` ``catalogued`` if nothing was made, and with a catalogue a
            further key, ``catalogue``: see `Filed`.

        Raises
        ------
        BadProduct
            It is incomplete, nobody knows where it lies, or another one of its id is there.
        PublishFailed, LoginFailed
            The catalogue does not take it; the dataset lies in its folder.
        NoResource
            The disk is full, or somebody else goes on writing this dataset.
        """
        if self.held(dataset_id(product, metadata_only=True)):
            line = product_line(product, status="catalogued", metadata_only=True)
            log.info("the catalogue has %s", line["id"])
            return Ingested({**line, "catalogue": "present"})
        return self.make(product)

    def make(self, product: Product) -> Ingested:
        """Describe `product` without asking the catalogue first; raises as `of`."""
        product = without_need_of_summary(product)
        require_complete(product)
        with catalogued(self.options, dataset_id(product, metadata_only=True)) as kept:
            line = self._described(product)
        if self.filing is None:
            return Ingested(line, uncatalogued=kept.failure)
        filed = self.filing.file(Path(line["dataset_dir"]), line["status"])
        log.info("%s in the catalogue: %s", line["id"], filed)
        return Ingested({**line, "catalogue": filed}, uncatalogued=kept.failure)

    def _described(self, product: Product) -> Json:
        writer = self._write(product, force=self.options.force)
        if writer.unchanged and _has_moved(writer.folder, product):
            log.info("%s: its files have been moved", writer.folder)
            writer = self._write(product, force=True)
        status = writer.status or "unchanged"
        log.info("%s: %s", writer.folder, status)
        return product_line(
            product,
            footprint=writer.footprint,
            dataset_dir=writer.folder,
            status=status,
            metadata_only=True,
        )

    def _write(self, product: Product, *, force: bool) -> DatasetWriter:
        options = self.options
        with DatasetWriter(
            options.out, product, metadata_only=True, force=force, patience_s=_PATIENCE_S
        ) as writer:
            if not writer.unchanged:
                report = describe(product, options)
                writer.footprint = report.chosen
                content = Content(
                    product,
                    report,
                    created=datetime.now(timezone.utc),
                    source=Source(provider="archive"),
                    tags=tuple(self.tags),
                    stays_at=_places(product),
                    metadata_only=True,
                )
                writer.commit(make_documents(content))
        return writer


def _has_moved(folder: Path, product: Product) -> bool:
    """Whether the dataset names files that are there no more, and `product` lies elsewhere.

    A second copy of a scene whose first is still there is not described anew: the first place wins.
    """
    item: Json = json.loads((folder / f"{folder.name}{STAC_SUFFIX}").read_bytes())
    there, here = item["properties"]["alos2:stays_at"], [str(path) for path in _places(product)]
    if there == here:
        return False
    if any(_is_there(place) for place in there):
        log.warning("%s is described where it lies first, at %s", folder.name, there[0])
        return False
    return True


def _is_there(place: str) -> bool:
    """Whether a file, or the zip that it lies in, is there."""
    outer = place
    while not Path(outer).exists():
        outer, inside, _ = outer.rpartition("!")
        if not inside:
            return False
    return True


def without_need_of_summary(product: Product) -> Product:
    """Return `product` such that a missing summary.txt does not block it, where that is right.

    Archives of groups keep the files of many scenes in one folder, where there is one summary.txt
    or none. Leader and images of level 1.1 CEOS say all that a description needs.
    """
    said = product.level == "1.1" and product.format == "ceos" and product.orbit is not None
    if not said or product.start_time is None or product.end_time is None:
        return product
    return replace(product, problems=tuple(_not_blocking(problem) for problem in product.problems))


def _not_blocking(problem: Problem) -> Problem:
    return replace(problem, blocks_ingest=False) if problem.code == "missing_summary" else problem


def _places(product: Product) -> tuple[Path, ...]:
    """Return where the files lie; within a zip ``outer.zip!inner/name``, once each."""
    return tuple(file.member.local_path or Path(file.member.path) for file in product.files)

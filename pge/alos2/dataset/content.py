"""Everything that a dataset's documents are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from alos2.dataset.footprint_report import FootprintReport
from alos2.dataset.identity import Kind, dataset_kind
from alos2.dataset.provenance import Source
from alos2.product.model import Product
from alos2.raster.pictures import PictureReport


@dataclass(frozen=True)
class PackedProduct:
    """The main product, ``<id>.zip``."""

    name: str
    size_bytes: int
    sha256: str
    """Hexadecimal, of the zip itself."""
    repacked: bool = True
    """False when a zip of the delivery was this already, and was only verified and moved."""


@dataclass(frozen=True)
class Content:
    """What there is to say about one dataset.

    Parameters
    ----------
    product
        With the SHA-256 of its files, as far as somebody has read them.
    footprint
        Where it lies, and who says so.
    created
        When the dataset was made, timezone-aware UTC: the one thing that differs from run to run.
    source
        Where the delivery came from.
    tags
        Words to find it by.
    pictures
        The pictures that were really made.
    archive
        The main product; None where the files stay where they are.
    stays_at
        Paths of the files that stay where they are; only of datasets of metadata.
    metadata_only
        Whether it is a dataset of metadata.
    """

    product: Product
    footprint: FootprintReport
    created: datetime
    source: Source = field(default_factory=Source)
    tags: tuple[str, ...] = ()
    pictures: PictureReport = field(default_factory=PictureReport)
    archive: PackedProduct | None = None
    stays_at: tuple[Path, ...] = ()
    metadata_only: bool = False

    @property
    def kind(self) -> Kind:
        """Id, type and dataset."""
        return dataset_kind(self.product, metadata_only=self.metadata_only)

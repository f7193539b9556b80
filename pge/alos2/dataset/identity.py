"""What a product is called as a dataset: its id, and the type and dataset that HySDS files it as.

HySDS knows a dataset by the name of its folder alone, so one name never means two things: the
table is in DESIGN.md, "Dataset id and kind". The plain names are those of the reference suite.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from alos2.naming import ProductId, SceneId
from alos2.types import Level, ProductFormat

DATASET_VERSION: Final = "v1.0"
"""Version of the documents' layout: ``version`` of dataset.json, part of HySDS's index name.

It differs from every version of the reference suite, so that documents of both never share an
index, where a field must keep one type.
"""

METADATA_SUFFIX: Final = "-md"
"""End of the id of a dataset that describes files which stay where they are."""


class Named(Protocol):
    """What the name of a dataset is made of: a Product, or what a file's name says of one."""

    @property
    def scene(self) -> SceneId: ...  # noqa: D102
    @property
    def product(self) -> ProductId: ...  # noqa: D102
    @property
    def level(self) -> Level: ...  # noqa: D102
    @property
    def format(self) -> ProductFormat: ...  # noqa: D102


@dataclass(frozen=True)
class Kind:
    """How a product is named and filed as a dataset."""

    id: str
    """Dataset id, the name of its folder."""
    type: str
    """Dataset type, e.g. ``alos2_slc``, ``L2.1_geotiff``."""
    dataset: str
    """Dataset collection, e.g. ``ALOS2_GeoTIFF``; with the version it names HySDS's index."""


def dataset_kind(product: Named, *, metadata_only: bool = False) -> Kind:
    """Return id, type and dataset of `product`.

    Parameters
    ----------
    product : Product
        Any product, or anything that says as much of itself as `Named`.
    metadata_only : bool, optional
        Whether the dataset only describes files that stay where they are.
    """
    name = f"{product.scene}-{product.product}"
    if product.level == "1.1":
        if product.format == "ceos":
            kind = Kind(name, "alos2_slc", "ALOS2-L1.1-SLC")
        else:
            kind = Kind(f"{name}-geotiff", "L1.1_geotiff", "ALOS2-L1.1-GeoTIFF")
    elif product.format == "geotiff":
        kind = Kind(name, f"L{product.level}_geotiff", "ALOS2_GeoTIFF")
    else:
        kind = Kind(f"{name}-ceos", f"L{product.level}_ceos", "ALOS2_CEOS")
    if not metadata_only:
        return kind
    return Kind(f"{kind.id}{METADATA_SUFFIX}", f"{kind.type}_md", f"{kind.dataset}-MD")


def dataset_id(product: Named, *, metadata_only: bool = False) -> str:
    """Return the dataset id of `product`; see `dataset_kind`."""
    return dataset_kind(product, metadata_only=metadata_only).id

"""What a provider of footprints is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from alos2.dataset.footprint_report import FootprintAnswer
from alos2.footprint.options import FootprintOptions
from alos2.product.model import Product
from alos2.types import FootprintSource, Json

RasterPolygon: TypeAlias = Callable[[Product], "Json | None"]
"""Reads the pixels of a product and returns the outline of its valid ones (GeoJSON, degrees)."""


@dataclass(frozen=True)
class NoAnswer:
    """Why a provider has nothing to say: one sentence, for met.json."""

    reason: str


@dataclass(frozen=True)
class Question:
    """What a provider is told."""

    product: Product
    options: FootprintOptions
    raster_polygon: RasterPolygon | None = None
    """None where pixels are not to be read."""
    own: FootprintAnswer | None = None
    """The best answer of the product itself: what a catalogue is measured by."""


class Provider(Protocol):
    """Somebody who may know where a product lies.

    It never raises for what a product, a server or a program does: it says `NoAnswer`.
    """

    def __call__(self, question: Question) -> FootprintAnswer | NoAnswer:
        """Answer, or say why not."""


ALL_SOURCES: tuple[FootprintSource, ...] = ("bos_sarcat", "geometry", "raster", "summary", "isce")

"""What is mosaicked, how, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from alos2.product.model import MapGrid
from alos2.types import Json

Plane: TypeAlias = npt.NDArray[np.float32]

Weighting: TypeAlias = Literal["feather", "area", "none"]
"""By the distance to the edge of the data, by local resolution, or all the same."""


class Codec(Protocol):
    """How the numbers of a file stand for what is averaged: power, or a metric's own quantity."""

    @property
    def dtype(self) -> str:
        """Type of the file's samples, as numpy names it."""

    @property
    def nodata(self) -> float | int | None:
        """The file's value that means no data."""

    def decode(self, values: npt.NDArray[Any]) -> Plane:
        """Return the quantity, float32, NaN = no data."""

    def encode(self, power: Plane) -> npt.NDArray[Any]:
        """Return the file's numbers of the quantity (float32, NaN = no data)."""


@dataclass(frozen=True)
class MosaicInput:
    """One raster of one track."""

    path: Path
    track: str
    """By which it is told apart and its gain is named; each once in a mosaic."""
    band: int = 1
    area: Path | None = None
    """Its scattering area (float32, any constant times A of Small 2011), on the same grid."""
    codec: Codec | None = None
    """None: floating-point numbers as they lie in the file."""


@dataclass(frozen=True)
class MosaicOptions:
    """How tracks are brought together."""

    harmonization: bool = True
    """Whether a gain for each track levels the differences that the overlaps show."""
    weighting: Weighting = "feather"
    feather_px: float | None = None
    """From this distance to the edge on, in pixels, all weights are the same; None: never, so that
    the whole overlap is one slow passage from track to track."""
    cut_to_aoi: Json | None = None
    """GeoJSON geometry (longitude, latitude) outside of which nothing is kept."""
    threads: int = 2


@dataclass(frozen=True)
class Overlap:
    """What two tracks show of the same ground."""

    first: str
    second: str
    cells: int
    """Cells of 16 x 16 pixels that are whole in both."""
    ratio_db: float | None
    """Robust mean over the cells of the first's power over the second's; None: too few cells."""
    spread_db: float | None
    """Median absolute deviation of the cells' ratios."""
    left_db: float | None = None
    """The ratio that the gains leave."""


@dataclass(frozen=True)
class Gains:
    """The gains that level the tracks."""

    decibels: Mapping[str, float]
    """Of each track, added to its dB; their mean over tracks that hang together is 0."""
    overlaps: tuple[Overlap, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> Json:
        """Return it as a JSON object."""
        return {
            "gains_db": dict(self.decibels),
            "overlaps": [vars(overlap) for overlap in self.overlaps],
            "notes": list(self.notes),
        }


@dataclass(frozen=True)
class MosaicResult:
    """A mosaic that was made."""

    path: Path
    grid: MapGrid
    gains: Gains
    notes: tuple[str, ...] = field(default=())
    """For people: what did not go as asked for."""

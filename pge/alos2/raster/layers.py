"""The seam of the tile engine: bands, the ground they lie on, layers drawn from them, sinks.

A *source* is one band of calibrated power. All sources of a walk have the same shape and lie on
the same `Surface`, so that coordinates are computed once for all of them. A *layer* is what a map
shows: one grey channel, or three for red, green and blue; each channel is a band or the ratio of
two. Its tiles go into a *sink*: a folder, one file, whatever.

Importing this module loads no raster library and compiles nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy.typing as npt

from alos2.errors import UsageError
from alos2.raster.pictures import (
    DEEPEST_ZOOM,
    Cancelled,
    Progress,
    StretchLimits,
    never,
    silent,
)
from alos2.types import RasterShape

if TYPE_CHECKING:
    import mercantile
    import numpy as np

    from alos2.raster.source import PixelSource

    Values: TypeAlias = npt.NDArray[np.float64]
else:
    Values = Any


class TileSink(Protocol):
    """Takes the finished tiles of one layer; called from several threads at once."""

    def put(self, tile: mercantile.Tile, data: bytes) -> None:
        """Keep one tile: its XYZ address (rows from the north), and its PNG file.

        Every address comes once at most, in no order that may be relied upon.

        Raises
        ------
        NoSpace, NoResource
            It cannot be written.
        """


class Surface(Protocol):
    """Where the pixels of an image lie on the ellipsoid; safe between threads.

    Image coordinates are continuous and count from the upper left corner: the centre of the first
    pixel is (0.5, 0.5). `alos2.raster.places.Places` is one for map grids.
    """

    @property
    def shape(self) -> RasterShape:
        """Lines and pixels."""

    @property
    def pixel_m(self) -> float:
        """Distance of two pixels of a line on the ground, m."""

    @property
    def line_m(self) -> float:
        """Distance of two lines on the ground, m."""

    def lonlat(self, pixel: Values, line: Values) -> tuple[Values, Values]:
        """Return longitude (-180 to 180) and latitude, degrees, of image coordinates."""

    def pixel_line(self, lon_deg: Values, lat_deg: Values) -> tuple[Values, Values]:
        """Return image coordinates of places, `places.OUTSIDE` where there are none.

        Asked at nodes only, at most 2 km and 32 tile pixels apart; between them coordinates are
        bilinear.
        """


@dataclass(frozen=True)
class Channel:
    """What one channel of a layer shows: a band, or the ratio of two."""

    band: int
    """Index into the sources."""
    over: int | None = None
    """Index of the band it is divided by (in power: a difference in dB); None: of none."""


@dataclass(frozen=True)
class Layer:
    """One layer of map tiles.

    Raises
    ------
    UsageError
        Channels, limits or zooms that cannot be.
    """

    name: str
    """For messages: ``HH``, ``RGB``."""
    channels: tuple[Channel, ...]
    """One (grey) or three (red, green, blue)."""
    limits: tuple[StretchLimits, ...]
    """Of each channel, dB."""
    min_zoom: int
    max_zoom: int
    sink: TileSink

    def __post_init__(self) -> None:
        if len(self.channels) not in (1, 3) or len(self.limits) != len(self.channels):
            raise UsageError(
                f"layer {self.name}: {len(self.channels)} channels with {len(self.limits)} "
                "limits are neither grey nor red, green and blue"
            )
        if not 0 <= self.min_zoom <= self.max_zoom <= DEEPEST_ZOOM:
            raise UsageError(
                f"layer {self.name}: zooms {self.min_zoom} to {self.max_zoom} are not within 0 "
                f"to {DEEPEST_ZOOM}"
            )


@dataclass(frozen=True)
class LayerReport:
    """What was put into the sink of one layer."""

    name: str
    tiles: int
    bytes: int
    min_zoom: int
    max_zoom: int
    beyond: bool
    """Whether a part of the image lies beyond the map's edge (85.05 degrees) and is not drawn."""


def draw_layers(
    sources: Sequence[PixelSource],
    surface: Surface,
    layers: Sequence[Layer],
    *,
    threads: int = 2,
    stage: str = "tiles",
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> tuple[LayerReport, ...]:
    """Draw all `layers` in one walk over the ground.

    Parameters
    ----------
    sources
        The bands; of `surface`'s shape. A pixel of a composite is valid where those of all of its
        bands are.
    surface
        Where the pixels lie.
    layers
        With their sinks. Empty tiles are not put.
    threads
        That draw; the caller's waits.
    stage, progress
        Progress is told in subtrees of this stage.
    cancelled
        Asked between tiles.

    Returns
    -------
    tuple of LayerReport
        In the order of `layers`; ``tiles`` is 0 where nothing is valid or within the map.

    Raises
    ------
    BadProduct
        A source cannot be read.
    UsageError
        Sources of other shapes than the surface, or a channel of a band that is not there.
    NoSpace, NoResource
        What a sink raises.
    Interrupted
        `cancelled` said so. What is in the sinks then is theirs to remove.
    """
    from alos2.raster.pyramid import Pyramid  # noqa: PLC0415  numba only to draw

    pyramid = Pyramid(sources, surface, layers, threads=threads, cancelled=cancelled)
    return pyramid.draw(stage, progress)

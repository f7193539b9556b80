"""What pictures were really made: plain facts for the dataset's documents."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from alos2.types import Polarization

CogQuantity: TypeAlias = Literal["db", "power", "amplitude"]
"""What a Cloud-Optimised GeoTIFF holds: sigma nought in dB, linear, or its square root."""


@dataclass(frozen=True)
class StretchLimits:
    """How dB sigma nought became grey: linear, `low_db` is 1, `high_db` is 255, 0 is no data."""

    low_db: float
    high_db: float
    method: str
    """``fixed``, ``from <where>``, or which percentiles of what, e.g. ``2-98 percent of ...``."""


@dataclass(frozen=True)
class CalibrationUsed:
    """How digital numbers became sigma nought in a picture."""

    factor_db: float | None
    """The constant that was added, dB; None when a LUT with a gain for each column was used."""
    source: str
    """``leader``, ``lut``, ``exception: ...``, or ``default`` where the delivery does not say."""


@dataclass(frozen=True)
class BrowseReport:
    """The browse pictures of one polarisation, or of one beam of it."""

    polarization: Polarization
    browse: Path
    small: Path
    size: tuple[int, int]
    """Width and height of `browse`, px."""
    small_size: tuple[int, int]
    pixel_m: float
    """Ground size of a pixel of `browse`, m; about square."""
    geometry: Literal["map", "georeferenced"]
    """North up, or along the track as the product is."""
    flipped_lines: bool
    """Whether the first line lies at the bottom (so that north is up, as far as a flip can)."""
    flipped_pixels: bool
    """Whether the first pixel lies at the right (so that east is right)."""
    beams: tuple[str, ...]
    """ScanSAR beams that were put together, e.g. ``F1``; empty otherwise."""
    stretch: StretchLimits
    calibration: CalibrationUsed
    beam: str | None = None
    """The one that it shows by itself; its limits are those of all beams together."""


@dataclass(frozen=True)
class ShownChannel:
    """What one channel of a layer shows."""

    shows: str
    """A polarisation, a beam of it, e.g. ``HH-F1``, or the ratio of two polarisations, e.g.
    ``HH/HV`` (in power; a difference in dB)."""
    stretch: StretchLimits


@dataclass(frozen=True)
class TileLayer:
    """One set of map tiles: a folder of files, or one PMTiles archive."""

    name: str
    """The polarisation, ``RGB`` for the composite, or a beam such as ``HH-F1``."""
    min_zoom: int
    max_zoom: int
    native_zoom: int
    """First zoom at which a tile's pixel is not larger than the product's."""
    count: int
    """Tiles written; empty ones are not."""
    bytes: int
    tms: bool
    """Rows count from the south (else from the north). Within PMTiles always from the north."""
    stretch: StretchLimits
    """Of the first channel."""
    calibration: CalibrationUsed
    notes: tuple[str, ...] = ()
    """What is not drawn, a sentence each."""
    channels: tuple[ShownChannel, ...] = ()
    """One for grey, three for red, green and blue."""
    bounds: tuple[float, float, float, float] | None = None
    """West, south, east, north, degrees; the whole circle across the antimeridian."""
    archive: Path | None = None
    """The PMTiles file; None for a folder of files."""
    tilejson: Path | None = None
    """The TileJSON of a folder of files."""


@dataclass(frozen=True)
class CogReport:
    """One Cloud-Optimised GeoTIFF of calibrated data."""

    polarization: Polarization
    path: Path
    quantity: CogQuantity
    epsg: int | None
    shape: tuple[int, int]
    """Lines, pixels."""
    pixel_m: float
    overviews: tuple[int, ...]
    """Factors, e.g. 2, 4, 8; each pixel is the mean power of the valid ones below it."""
    calibration: CalibrationUsed
    beam: str | None = None
    """The one that it holds by itself."""


@dataclass(frozen=True)
class PictureReport:
    """Every picture that was really made."""

    browse: tuple[BrowseReport, ...] = ()
    layers: tuple[TileLayer, ...] = ()
    """Layers of files, ``tiles/<name>/{z}/{x}/{y}.png``."""
    notes: tuple[str, ...] = ()
    """What was not drawn and why, a sentence each."""
    archives: tuple[TileLayer, ...] = ()
    """Layers in PMTiles, ``tiles/<name>.pmtiles``; a layer may be there in both ways."""
    cogs: tuple[CogReport, ...] = ()
    stretch: tuple[ShownChannel, ...] = ()
    """The limits of every polarisation, and of the composite's ratio (``ratio``)."""
    height_m: float | None = None
    """Level 1.1: height above the ellipsoid that it was brought to the map with, m."""
    mapped_by: str | None = None
    """Level 1.1: what said where it lies, e.g. ``orbit and ellipsoid``."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The browse pictures (tiles are known by their layers)."""
        return tuple(path for b in self.browse for path in (b.browse, b.small))

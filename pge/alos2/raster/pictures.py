"""What may be chosen about pictures, and the one function that a pipeline calls for them.

Nothing here knows how pixels are read or resampled, and importing it loads no raster library and
compiles nothing. What was made is told in the words of `alos2.raster.reports`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeAlias, get_args

from alos2.errors import UsageError
from alos2.product.model import Image, Product
from alos2.raster.reports import (
    BrowseReport,
    CalibrationUsed,
    CogQuantity,
    CogReport,
    PictureReport,
    ShownChannel,
    StretchLimits,
    TileLayer,
)
from alos2.types import Polarization

__all__ = [
    "COMPOSITE",
    "DEEPEST_ZOOM",
    "RATIO",
    "TILE_PX",
    "BrowseReport",
    "CalibrationUsed",
    "Cancelled",
    "CogQuantity",
    "CogReport",
    "PictureOptions",
    "PictureReport",
    "Progress",
    "ShownChannel",
    "StretchLimits",
    "TileLayer",
    "band_name",
    "browse_stem",
    "cog_name",
    "first_images",
    "make_pictures",
    "never",
    "silent",
]

TILE_PX: Final = 256
"""Width and height of a map tile."""

DEEPEST_ZOOM: Final = 22
"""Deeper tiles would be finer than a hand's breadth."""

LEAST_MAX_ZOOM: Final = 14
"""Tiles go as deep as this, and deeper where the product is finer."""

AUTOMATIC_MAX_ZOOM: Final = 17
"""As deep as tiles go unless asked: the spotlight mode's 1 m."""

COMPOSITE: Final = "RGB"
"""Name of the colour composite's layer and folder."""

RATIO: Final = "ratio"
"""Name of the composite's third channel among the stretch limits."""

Cancelled: TypeAlias = Callable[[], bool]
"""Asked between blocks of work; once it says True the work ends with ``Interrupted``."""


class Progress(Protocol):
    """Told how far a stage is; may be called often, from one thread at a time."""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Report `done` of `total` (None: unknown) units of `stage`."""


def silent(stage: str, done: int, total: int | None) -> None:
    """Tell nobody."""


def never() -> bool:
    """Say that nobody wants to stop."""
    return False


@dataclass(frozen=True)
class PictureOptions:
    """What may be chosen about pictures.

    Raises
    ------
    UsageError
        Zooms, limits, percentiles or numbers that cannot be.
    """

    tiles: bool = True
    """Whether map tiles are made at all."""
    min_zoom: int = 0
    max_zoom: int | None = None
    """Deepest zoom; None: 14, or the product's native one where that is deeper (to 17)."""
    tms: bool = True
    """Tile rows count from the south (TMS, as HySDS's map wants) and not from the north (XYZ)."""
    composite: bool = True
    """Whether two polarisations or more get a colour composite too."""
    beams: bool = True
    """Whether each beam of ScanSAR level 1.1 gets pictures of its own, beside those of all."""
    pmtiles: bool = False
    """All tiles into PMTiles archives, one a layer, instead of files."""
    tile_budget: int = 0
    """Most tile files of a dataset; 0: any number. What is beyond it goes into PMTiles."""
    stretch_db: tuple[float, float] | None = None
    """Fixed limits of every polarisation, dB sigma nought; None: the percentiles below."""
    stretch_of: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Fixed limits, dB, of single polarisations and of the composite's ``ratio``."""
    stretch_from: str = ""
    """Where `stretch_of` was taken from, in words; empty: from the user."""
    stretch_percent: tuple[float, float] = (2.0, 98.0)
    """Percentiles of the browse picture's dB values that become darkest and brightest."""
    cog: CogQuantity | None = None
    """Make a Cloud-Optimised GeoTIFF of each polarisation, in this quantity."""
    height_m: float = 0.0
    """Level 1.1 is brought to the map at this height above the ellipsoid, m."""
    threads: int = 2

    def __post_init__(self) -> None:
        deepest = DEEPEST_ZOOM if self.max_zoom is None else self.max_zoom
        if not 0 <= self.min_zoom <= deepest <= DEEPEST_ZOOM:
            raise UsageError(f"zooms {self.min_zoom} to {deepest} are not within 0 to 22")
        for limits in filter(None, (self.stretch_db, *self.stretch_of.values())):
            if not limits[0] < limits[1]:
                raise UsageError(f"stretch limits {limits} dB are not a low and a high one")
        low, high = self.stretch_percent
        if not 0 <= low < high <= 100:
            raise UsageError(f"stretch percentiles {low} and {high} are not within 0 to 100")
        if self.threads < 1:
            raise UsageError(f"{self.threads} threads cannot work")
        if self.tile_budget < 0:
            raise UsageError(f"a tile budget of {self.tile_budget} files cannot be; 0 means none")
        if self.cog is not None and self.cog not in get_args(CogQuantity):
            raise UsageError(f"a COG holds db, power or amplitude, not {self.cog!r}")
        if not -1000.0 <= self.height_m <= 10_000.0:
            raise UsageError(f"a height of {self.height_m:g} m is none of the Earth's surface")

    def deepest_zoom(self, native_zoom: int) -> int:
        """Return the zoom to draw to, of a product whose own zoom is `native_zoom`."""
        if self.max_zoom is not None:
            return self.max_zoom
        automatic = min(max(LEAST_MAX_ZOOM, native_zoom), AUTOMATIC_MAX_ZOOM)
        return max(automatic, self.min_zoom)


def band_name(polarization: Polarization, beam: str | None) -> str:
    """Return what pictures of a polarisation, or of one beam of it, are called: ``HH-F1``."""
    return polarization if beam is None else f"{polarization}-{beam}"


def browse_stem(band: str, dataset_id: str) -> str:
    """Return the browse pictures' name without its endings: ``IMG-HH-<id>_disp``.

    Of a beam ``IMG-HH-F1-<id>_disp``: where names are sorted, behind the picture of all beams.
    JAXA's own way, ``<id>-F1``, would put it before.
    """
    return f"IMG-{band}-{dataset_id}_disp"


def cog_name(band: str, dataset_id: str, quantity: CogQuantity) -> str:
    """Return a COG's name, one that nobody takes for a product's: ``<id>_HH_sigma0_db.tif``."""
    return f"{dataset_id}_{band}_sigma0_{quantity}.tif"


def make_pictures(
    product: Product,
    out_dir: Path,
    *,
    dataset_id: str,
    options: PictureOptions | None = None,
    progress: Progress = silent,
    cancelled: Cancelled | None = None,
) -> PictureReport:
    """Draw all pictures of `product` into `out_dir`: browse, tiles, and COGs where asked for.

    Parameters
    ----------
    product
        With its images unpacked on disk.
    out_dir
        An existing folder, the dataset's.
    dataset_id
        Part of the pictures' names.
    progress
        Told the stages ``looks HH`` (level 1.1), ``browse HH``, ``tiles``, ``cog HH``, ...
    cancelled
        Asked between blocks.

    Raises
    ------
    BadProduct
        An image cannot be read.
    NoSpace, NoResource
        A picture cannot be written.
    Interrupted
        `cancelled` said so; nothing half-made is left.
    """
    from alos2.raster.engine import draw_pictures  # noqa: PLC0415  rasterio only to draw

    return draw_pictures(
        product,
        out_dir,
        dataset_id=dataset_id,
        options=options or PictureOptions(),
        progress=progress,
        cancelled=cancelled or never,
    )


def first_images(product: Product) -> Sequence[Image]:
    """Return one image of each polarisation, in the product's order."""
    return list({image.polarization: image for image in reversed(product.images)}.values())[::-1]

"""What pictures there are, what may be chosen about them, and who draws them.

This is the interface that an engine stands behind: nothing here knows how pixels are read or
resampled, and importing it loads no raster library. `make_pictures` is what a pipeline calls;
`default_engine` is the engine that it uses unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

from alos2.errors import UsageError
from alos2.product.model import Image, Product
from alos2.types import Polarization

TILE_PX: Final = 256
"""Width and height of a map tile."""

DEEPEST_ZOOM: Final = 22
"""Deeper tiles would be finer than a hand's breadth."""

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
        Zooms, limits or percentiles that cannot be.
    """

    tiles: bool = True
    """Whether map tiles are made at all."""
    min_zoom: int = 0
    max_zoom: int = 14
    tms: bool = True
    """Tile rows count from the south (TMS, as HySDS's map wants) and not from the north (XYZ)."""
    stretch_db: tuple[float, float] | None = None
    """Fixed limits in dB sigma nought; None: the percentiles below."""
    stretch_percent: tuple[float, float] = (2.0, 98.0)
    """Percentiles of the browse picture's dB values that become darkest and brightest."""
    threads: int = 2

    def __post_init__(self) -> None:
        if not 0 <= self.min_zoom <= self.max_zoom <= DEEPEST_ZOOM:
            raise UsageError(
                f"zooms {self.min_zoom} to {self.max_zoom} are not within 0 to {DEEPEST_ZOOM}"
            )
        if self.stretch_db is not None and not self.stretch_db[0] < self.stretch_db[1]:
            raise UsageError(f"stretch limits {self.stretch_db} dB are not a low and a high one")
        low, high = self.stretch_percent
        if not 0 <= low < high <= 100:
            raise UsageError(f"stretch percentiles {low} and {high} are not within 0 to 100")
        if self.threads < 1:
            raise UsageError(f"{self.threads} threads cannot work")


@dataclass(frozen=True)
class StretchLimits:
    """How dB sigma nought became grey: linear, `low_db` is 1, `high_db` is 255, 0 is no data."""

    low_db: float
    high_db: float
    method: str
    """``fixed``, or which percentiles of what, e.g. ``2-98 percent of the browse picture``."""


@dataclass(frozen=True)
class CalibrationUsed:
    """How digital numbers became sigma nought in a picture."""

    factor_db: float | None
    """The constant that was added, dB; None when a LUT with a gain for each column was used."""
    source: str
    """``leader``, ``lut``, or ``default`` where the delivery does not say."""


@dataclass(frozen=True)
class BrowseReport:
    """One polarisation's browse pictures."""

    polarization: Polarization
    browse: Path
    small: Path
    size: tuple[int, int]
    """Width and height of `browse`, px."""
    small_size: tuple[int, int]
    pixel_m: float
    """Ground size of a pixel of `browse`, m; about square."""
    geometry: Literal["map", "georeferenced", "slant range"]
    """``slant range``: equal steps of slant range, as wide as they are on average on the ground."""
    spacing_from: str
    """Where the ground size of the pixels comes from."""
    flipped_lines: bool
    """Whether the first line lies at the bottom (so that north is up, as far as a flip can)."""
    flipped_pixels: bool
    """Whether the first pixel lies at the right (so that east is right)."""
    beams: tuple[str, ...]
    """ScanSAR beams that were put together, e.g. ``F1``; empty otherwise."""
    stretch: StretchLimits
    calibration: CalibrationUsed


@dataclass(frozen=True)
class TileLayer:
    """One layer of map tiles, ``tiles/<name>/{z}/{x}/{y}.png``."""

    name: str
    """Folder below ``tiles``: the polarisation."""
    min_zoom: int
    max_zoom: int
    native_zoom: int
    """First zoom at which a tile's pixel is not larger than the product's."""
    count: int
    """Tiles written; empty ones are not."""
    bytes: int
    tms: bool
    """Rows count from the south (else from the north)."""
    stretch: StretchLimits
    calibration: CalibrationUsed
    notes: tuple[str, ...] = ()
    """What is not drawn, a sentence each."""


@dataclass(frozen=True)
class PictureReport:
    """Every picture that was really made."""

    browse: tuple[BrowseReport, ...] = ()
    layers: tuple[TileLayer, ...] = ()
    notes: tuple[str, ...] = ()
    """What was not drawn and why, a sentence each."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The browse pictures (tiles are known by their layers)."""
        return tuple(path for b in self.browse for path in (b.browse, b.small))


class PictureEngine(Protocol):
    """Draws pictures; has no opinion on which."""

    def browse(
        self,
        product: Product,
        image: Image,
        out_dir: Path,
        *,
        stem: str,
        options: PictureOptions = ...,
        progress: Progress = ...,
        cancelled: Cancelled = ...,
    ) -> BrowseReport | None:
        """Write ``<stem>.browse.png`` and ``<stem>.browse_small.png`` into `out_dir`.

        Of a ScanSAR level 1.1 all beams of `image`'s polarisation are drawn, whichever of them
        `image` is. Returns None when the image holds nothing but no data.

        Raises
        ------
        BadProduct
            The image cannot be read.
        Interrupted
            `cancelled` said so; nothing is left behind.
        """

    def tiles(
        self,
        product: Product,
        image: Image,
        out_dir: Path,
        options: PictureOptions = ...,
        *,
        progress: Progress = ...,
        cancelled: Cancelled = ...,
    ) -> TileLayer | None:
        """Write ``tiles/<polarisation>/{z}/{x}/{y}.png`` below `out_dir`; all of them or none.

        Returns None when there is nothing to draw: no map grid, no valid pixel, or all of them
        beyond the map's edge. Raises as `browse` does.
        """


def default_engine() -> PictureEngine:
    """Return the engine that is used when nobody chose one."""
    from alos2.raster.engine import NumpyEngine  # noqa: PLC0415  rasterio only to draw

    return NumpyEngine()


def browse_stem(polarization: Polarization, dataset_id: str) -> str:
    """Return the browse pictures' name without its endings: ``IMG-HH-<id>_disp``."""
    return f"IMG-{polarization}-{dataset_id}_disp"


@dataclass
class _Album:
    browse: list[BrowseReport] = field(default_factory=list)
    layers: list[TileLayer] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def make_pictures(
    product: Product,
    out_dir: Path,
    *,
    dataset_id: str,
    options: PictureOptions | None = None,
    engine: PictureEngine | None = None,
    progress: Progress = silent,
    cancelled: Cancelled | None = None,
) -> PictureReport:
    """Draw all pictures of `product` into `out_dir`: browse and tiles of every polarisation.

    Parameters
    ----------
    product
        With its images unpacked on disk.
    out_dir
        An existing folder, the dataset's.
    dataset_id
        Part of the browse pictures' names.
    progress
        Told the stages ``browse HH``, ``tiles HH``, ...
    cancelled
        Asked between blocks.

    Raises
    ------
    BadProduct
        An image cannot be read.
    Interrupted
        `cancelled` said so.
    """
    options = options or PictureOptions()
    engine = engine or default_engine()
    asked = cancelled or never
    album = _Album()
    for image in first_images(product):
        pol = image.polarization
        browse = engine.browse(
            product,
            image,
            out_dir,
            stem=browse_stem(pol, dataset_id),
            options=options,
            progress=progress,
            cancelled=asked,
        )
        if browse is None:
            album.notes.append(f"no picture of {pol}: {image.file.name} holds no valid pixel")
            continue
        album.browse.append(browse)
        if not options.tiles:
            continue
        if image.grid is None:
            album.notes.append(f"no map tiles of {pol}: level {product.level} has no map grid")
            continue
        layer = engine.tiles(product, image, out_dir, options, progress=progress, cancelled=asked)
        if layer is None:
            album.notes.append(
                f"no map tiles of {pol}: all of it lies beyond the Web Mercator limit of 85.05 "
                "degrees latitude"
            )
        else:
            album.layers.append(layer)
            album.notes.extend(f"{pol}: {note}" for note in layer.notes)
    return PictureReport(tuple(album.browse), tuple(album.layers), tuple(album.notes))


def first_images(product: Product) -> Sequence[Image]:
    """Return one image of each polarisation, in the product's order."""
    return list({image.polarization: image for image in reversed(product.images)}.values())[::-1]

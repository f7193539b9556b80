"""Level 1.1 at a glance: multilooked in one pass over its files, on its own surface.

Each image is averaged in power over cells that are about square on the ground, by default twice as
wide as its pixels (fine mode 14 m, high-sensitive 11 m, ultra-fine and spotlight 5 m, ScanSAR
28 m; eight looks or so): read once, in order. What comes out is a `PixelSource` (the cells,
calibrated) and a `Surface` (where they lie), from which tiles are drawn as from any image, and
which `alos2.raster.geocode` brings to a map.

Where the cells lie follows from the leader's orbit and the times and ranges of the image; of a
GeoTIFF from its tie points, through the orbit of a leader from elsewhere if there is one. The
beams of ScanSAR are averaged each on its own, and shown as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alos2.errors import BadProduct, UsageError
from alos2.product.model import Image, Product
from alos2.raster.beams import BeamUnion, union_frame
from alos2.raster.cells import CellSource, CellStore
from alos2.raster.layers import Surface
from alos2.raster.lookpass import Looks, fill_cells
from alos2.raster.pictures import CalibrationUsed, Cancelled, Progress, never, silent
from alos2.raster.rawlines import open_lines
from alos2.raster.slantplaces import RadarFrame, SlantRange, frame_from_tie_points
from alos2.raster.source import PixelSource, sample_gains
from alos2.raster.tieplaces import TiePlaces
from alos2.types import Polarization, RasterShape

_PIXELS: Final = 2
"""Pixels to a cell where nothing else is asked for."""
_FINEST_M: Final = 0.1
_COARSEST_M: Final = 10_000.0


@dataclass(frozen=True)
class QuicklookOptions:
    """What may be chosen about a quicklook.

    Raises
    ------
    UsageError
        What cannot be.
    """

    spacing_m: float | None = None
    """Side of a cell on the ground, about; None: two pixels of slant range."""
    height_m: float = 0.0
    """Height above the ellipsoid that all of the ground is taken to have."""
    threads: int = 2

    def __post_init__(self) -> None:
        if self.spacing_m is not None and not _FINEST_M <= self.spacing_m <= _COARSEST_M:
            raise UsageError(
                f"a quicklook of {self.spacing_m:g} m is not within {_FINEST_M:g} to "
                f"{_COARSEST_M:g} m"
            )
        if not -1000.0 <= self.height_m <= 10_000.0:
            raise UsageError(f"a height of {self.height_m:g} m is not within -1000 to 10000 m")
        if self.threads < 1:
            raise UsageError(f"{self.threads} threads cannot work")


@dataclass(frozen=True)
class BeamLook:
    """One beam of ScanSAR by itself."""

    name: str
    """E.g. ``F1``."""
    source: PixelSource
    surface: Surface
    looks: Looks
    placed: PixelSource
    """The beam as it lies among all: of the shape and on the surface of their union."""


@dataclass(frozen=True)
class Quicklook:
    """One polarisation, multilooked; of use while its context is open."""

    source: PixelSource
    """Sigma nought of the cells, of all beams together; NaN = no data."""
    surface: Surface
    """Where the cells lie."""
    looks: Looks
    """Of ScanSAR those of the middle beam."""
    spacing_m: float
    """Side of a cell on the ground, about: the larger of the two."""
    height_m: float
    """Of the ground, as it was taken."""
    surface_from: str
    """``orbit and ellipsoid``, ``tie points and leader``, or ``tie points``."""
    beams: tuple[BeamLook, ...]
    """Of ScanSAR, in order; else none."""

    @property
    def calibration(self) -> CalibrationUsed:
        """How digital numbers became sigma nought."""
        return self.source.calibration


@contextmanager
def quicklook(
    product: Product,
    polarization: Polarization,
    work_dir: Path,
    *,
    options: QuicklookOptions = QuicklookOptions(),
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> Iterator[Quicklook]:
    """Average all of a polarisation of a level 1.1 product.

    The quicklooks of all polarisations of a product have the same shape and surface.

    Parameters
    ----------
    product
        With its images unpacked on disk.
    polarization
        One that it has.
    work_dir
        An existing folder, where what does not fit in memory goes to a file without a name, gone
        with the context.
    options
        Size of the cells, height of the ground, threads.
    progress
        Told the stage ``looks HH`` (``looks HH F1``), in lines.
    cancelled
        Asked between blocks.

    Raises
    ------
    BadProduct
        An image cannot be read, or nothing says where it lies.
    NoSpace, NoResource
        `work_dir` takes no more.
    Interrupted
        `cancelled` said so.
    """
    images = [image for image in product.images if image.polarization == polarization]
    if product.level != "1.1" or not images:
        raise BadProduct(f"{product.scene}-{product.product} has no level 1.1 image {polarization}")
    ground = _ground(product, images, options)
    with ExitStack() as stack:
        sources = []
        for image, looks in zip(images, ground.looks, strict=True):
            store = stack.enter_context(CellStore(looks.cells(image.shape), work_dir))
            name = f"looks {polarization}" + (f" {image.beam}" if image.beam else "")
            gains, used = sample_gains(product, image)
            with open_lines(image) as lines:
                fill_cells(
                    lines, store, looks, gains, threads=options.threads, stage=name,
                    progress=progress, cancelled=cancelled,
                )  # fmt: skip
            sources.append(CellSource(image.file.name, store, used))
        yield _assembled(ground, images, sources)


@dataclass(frozen=True)
class _Ground:
    """How the images of a polarisation are averaged, and where they lie."""

    looks: tuple[Looks, ...]
    surfaces: tuple[Surface, ...]
    frames: tuple[RadarFrame, ...]
    """Of the cells; none where there is no orbit."""
    union: Surface
    union_frame: RadarFrame | None
    """None where one image is all."""
    height_m: float
    origin: str


def _ground(product: Product, images: list[Image], options: QuicklookOptions) -> _Ground:
    if product.orbit is None and images[0].tie_points and len(images) == 1:
        single = TiePlaces(product, images[0], Looks(1, 1))
        if not (single.line_m > 0 and single.pixel_m > 0):  # neither is NaN
            raise BadProduct(f"{images[0].file.name}: its tie points span no ground")
        looks = choose_looks(single.line_m, single.pixel_m, options.spacing_m, images[0].shape)
        places = TiePlaces(product, images[0], looks, options.height_m)
        return _Ground((looks,), (places,), (), places, None, places.height_m, "tie points")
    orbit = product.orbit
    if orbit is None:
        raise BadProduct(
            f"nothing says where {images[0].file.name} lies: it has neither an orbit nor tie "
            "points",
            hint="a leader (LED file) of the same scene is needed",
        )
    height, origin = options.height_m, "orbit and ellipsoid"
    frames = []
    for image in images:
        if image.timing is not None:
            frames.append(RadarFrame.of_samples(orbit, image.timing, image.shape))
        elif image.tie_points:
            frames.append(frame_from_tie_points(orbit, image, product.look))
            origin = "tie points and leader"
        else:
            raise BadProduct(f"{image.file.name} says neither when nor how far away its lines are")
    middle = SlantRange(orbit, product.look, frames[len(frames) // 2], height)
    all_looks = []
    for image, frame in zip(images, frames, strict=True):
        own = SlantRange(orbit, product.look, frame, height)
        # All beams get the same pixels to a cell: they share their range spacing.
        all_looks.append(choose_looks(own.line_m, middle.pixel_m, options.spacing_m, image.shape))
    averaged = tuple(f.averaged(n) for f, n in zip(frames, all_looks, strict=True))
    surfaces = tuple(SlantRange(orbit, product.look, f, height) for f in averaged)
    together = union_frame(averaged) if len(images) > 1 else None
    union = SlantRange(orbit, product.look, together, height) if together else surfaces[0]
    return _Ground(tuple(all_looks), surfaces, averaged, union, together, height, origin)


def choose_looks(
    line_m: float, pixel_m: float, spacing_m: float | None, shape: RasterShape
) -> Looks:
    """Choose how many samples make a cell that is about square.

    Parameters
    ----------
    line_m, pixel_m
        Distances of lines and of pixels on the ground.
    spacing_m
        Wanted side of a cell; None: two pixels.
    shape
        Of the image: a cell is never larger.
    """
    pixels = _PIXELS if spacing_m is None else max(1, round(spacing_m / pixel_m))
    lines = max(1, round(pixels * pixel_m / line_m))
    return Looks(min(lines, shape.lines), min(pixels, shape.pixels))


def _assembled(ground: _Ground, images: list[Image], sources: list[CellSource]) -> Quicklook:
    source: PixelSource = sources[0]
    beams: tuple[BeamLook, ...] = ()
    placed: list[PixelSource] = list(sources)
    if ground.union_frame is not None:
        name = images[0].file.name.rsplit("-", 1)[0]
        parts = list(zip(sources, ground.frames, strict=True))
        source = BeamUnion(name, ground.union_frame, parts)
        placed = [BeamUnion(part[0].name, ground.union_frame, [part]) for part in parts]
    if images[0].beam is not None:
        beams = tuple(
            BeamLook(str(i.beam), s, surface, looks, alone)
            for i, s, surface, looks, alone in zip(
                images, sources, ground.surfaces, ground.looks, placed, strict=True
            )
        )
    return Quicklook(
        source=source,
        surface=ground.union,
        looks=ground.looks[len(images) // 2],
        spacing_m=max(ground.union.line_m, ground.union.pixel_m),
        height_m=ground.height_m,
        surface_from=ground.origin,
        beams=beams,
    )

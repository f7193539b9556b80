"""One frame, opened: its images as samplers, and where the cells of the grid lie in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alos2.ard.border import Border
from alos2.ard.grid import GridPlaces
from alos2.ard.options import ArdOptions
from alos2.ard.sampling import Resampling, Sampler
from alos2.ard.sampling_places import (
    EllipsoidPlaces,
    ImagePlaces,
    SlantPlaces,
    SurfacePlaces,
    places_on,
)
from alos2.errors import BadProduct
from alos2.product.model import Image, Product
from alos2.raster.control import check
from alos2.raster.pictures import Cancelled, Progress
from alos2.raster.quicklook import QuicklookOptions, quicklook
from alos2.raster.slantplaces import SlantRange
from alos2.raster.source import PixelSource, open_source
from alos2.types import Polarization

_CELLS_ACROSS: Final = 3.0
"""Cells of level 1.1 to a pixel of the grid: a point stays within a sixth of it, mostly less."""
_FINEST_CELL_M: Final = 0.1
_COARSEST_CELL_M: Final = 10_000.0


@dataclass(frozen=True)
class Frame:
    """One frame; of use while its context is open."""

    product: Product
    places: ImagePlaces
    samplers: Mapping[Polarization, Sampler]
    resampling: Resampling


@contextmanager
def open_frame(
    product: Product,
    polarizations: Sequence[Polarization],
    grid: GridPlaces,
    options: ArdOptions,
    work_dir: Path,
    *,
    terrain: bool,
    progress: Progress,
    cancelled: Cancelled,
) -> Iterator[Frame]:
    """Open the images of a product; those of level 1.1 are averaged in slant range first.

    Parameters
    ----------
    product
        With its images unpacked on disk.
    polarizations
        Which.
    grid
        That they are to be brought to.
    work_dir
        An existing folder for what does not fit in memory.
    terrain
        Whether heights are known: else images lie as they were drawn.

    Raises
    ------
    BadProduct
        An image cannot be read, or nothing says where it lies.
    NoSpace, NoResource
        `work_dir` takes no more.
    Interrupted
        `cancelled` said so.
    """
    cell_m = min(grid.spacing_m())
    with ExitStack() as stack:
        opened: dict[Polarization, tuple[PixelSource, ImagePlaces]] = {}
        for polarization in polarizations:
            check(cancelled)
            if product.level == "1.1":
                looked = quicklook(
                    product,
                    polarization,
                    work_dir,
                    options=_looks(cell_m, options),
                    progress=progress,
                    cancelled=cancelled,
                )
                look = stack.enter_context(looked)
                surface = look.surface
                places: ImagePlaces
                if isinstance(surface, SlantRange):
                    places = SlantPlaces(surface.frame, surface)
                else:
                    places = SurfacePlaces(surface, grid)
                opened[polarization] = (look.source, places)
            else:
                source = stack.enter_context(open_source(product, _image(product, polarization)))
                opened[polarization] = (source, _detected(product, source, grid, terrain, opened))
        _, places = next(iter(opened.values()))
        resampling = Resampling.between(cell_m, places)
        samplers = {
            polarization: Sampler(
                source,
                resampling,
                _border(source, places, options.border_px * cell_m, progress, cancelled)
                if options.border_px
                else None,
            )
            for polarization, (source, _) in opened.items()
        }
        yield Frame(product, places, samplers, resampling)


def _looks(cell_m: float, options: ArdOptions) -> QuicklookOptions:
    spacing = min(max(cell_m / _CELLS_ACROSS, _FINEST_CELL_M), _COARSEST_CELL_M)
    return QuicklookOptions(spacing_m=spacing, height_m=options.height_m, threads=options.threads)


def _image(product: Product, polarization: Polarization) -> Image:
    return next(image for image in product.images if image.polarization == polarization)


def _detected(
    product: Product,
    source: PixelSource,
    grid: GridPlaces,
    terrain: bool,
    opened: Mapping[Polarization, tuple[PixelSource, ImagePlaces]],
) -> ImagePlaces:
    """Places of a detected image; all polarisations of a product share them."""
    if source.grid is None:
        raise BadProduct(f"{source.name} lies on no map")
    for other, places in opened.values():
        if other.grid == source.grid:
            return places
        raise BadProduct(f"{source.name} does not lie on the same map as {other.name}")
    if product.level == "1.5" and product.orbit is not None and terrain:
        return EllipsoidPlaces(product)
    return SurfacePlaces(places_on(source.grid), grid)


def _border(
    source: PixelSource,
    places: ImagePlaces,
    off_m: float,
    progress: Progress,
    cancelled: Cancelled,
) -> Border:
    return Border.of(
        source,
        off_m / places.line_m,
        off_m / places.pixel_m,
        stage=f"border {source.name}",
        progress=progress,
        cancelled=cancelled,
    )

"""A product's polarisations as bands on one surface, and on one map: what pictures are drawn from.

Detected images lie on a map already. Level 1.1 is multilooked once, in one pass over each file
(`alos2.raster.quicklook`); tiles are drawn from that on its own surface, browse pictures and COGs
from it as it lies on the map (`alos2.raster.geocode`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from alos2.product.model import Image, MapGrid, Product
from alos2.raster.layers import Surface
from alos2.raster.pictures import first_images
from alos2.raster.places import Places
from alos2.raster.source import PixelSource, open_source
from alos2.raster.task import Task
from alos2.types import Polarization


@dataclass(frozen=True)
class Band:
    """One polarisation."""

    polarization: Polarization
    images: tuple[Image, ...]
    """What it was made of: one image, or the beams."""
    source: PixelSource
    """On the ground's surface."""
    mapped: PixelSource
    """On the ground's map; the same one where the surface is a map."""


@dataclass(frozen=True)
class Ground:
    """All polarisations of a product, of one size and at one place."""

    bands: tuple[Band, ...]
    surface: Surface
    grid: MapGrid
    places: Places
    """Of `grid`."""
    height_m: float | None = None
    """Level 1.1: height above the ellipsoid of the surface, m."""
    mapped_by: str | None = None
    """Level 1.1: what says where it lies."""


@contextmanager
def open_ground(product: Product, work_dir: Path, task: Task) -> Iterator[Ground]:
    """Open what the pictures of `product` are drawn from; it has images.

    Parameters
    ----------
    work_dir
        Takes what level 1.1 is multilooked to; nothing of it stays.

    Raises
    ------
    BadProduct
        An image cannot be read, or nothing says where it lies.
    NoSpace, NoResource
        `work_dir` cannot be written to.
    Interrupted
        The task was cancelled.
    """
    images = first_images(product)
    with ExitStack() as stack:
        if images[0].grid is None:
            yield _from_slant_range(product, work_dir, task, stack)
            return
        opened = [stack.enter_context(open_source(product, image)) for image in images]
        bands = tuple(
            Band(image.polarization, (image,), source, source)
            for image, source in zip(images, opened, strict=True)
        )
        places = Places(images[0].grid)
        yield Ground(bands, places, images[0].grid, places)


def _from_slant_range(product: Product, work_dir: Path, task: Task, stack: ExitStack) -> Ground:
    # Level 1.1 only: its kernels take a while to load.
    from alos2.raster.geocode import map_grid, map_source  # noqa: PLC0415
    from alos2.raster.quicklook import QuicklookOptions, quicklook  # noqa: PLC0415

    options = QuicklookOptions(height_m=task.options.height_m, threads=task.options.threads)
    looks = {
        pol: stack.enter_context(
            quicklook(
                product,
                pol,
                work_dir,
                options=options,
                progress=task.progress,
                cancelled=task.cancelled,
            )
        )
        for pol in product.polarizations
    }
    first = next(iter(looks.values()))
    grid = map_grid(first.surface)
    bands = tuple(
        Band(
            pol,
            tuple(image for image in product.images if image.polarization == pol),
            look.source,
            map_source(look.source, first.surface, grid),
        )
        for pol, look in looks.items()
    )
    places = Places(grid)
    return Ground(bands, first.surface, grid, places, first.height_m, first.surface_from)

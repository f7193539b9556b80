"""A product's polarisations as bands on one surface, and on one map: what pictures are drawn from.

Detected images lie on a map already. Level 1.1 is multilooked once, in one pass over each file
(`alos2.raster.quicklook`); tiles are drawn from that on its own surface, browse pictures and COGs
from it as it lies on the map (`alos2.raster.geocode`). The beams of ScanSAR are bands too, beside
those of all of them together: on the same surface, so that one walk draws them all, and for browse
pictures and COGs on the part of the map where they lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alos2.errors import BadProduct
from alos2.product.model import Image, MapGrid, Product
from alos2.raster.layers import Surface
from alos2.raster.pictures import band_name, first_images
from alos2.raster.places import Places
from alos2.raster.source import PixelSource, open_source
from alos2.raster.task import Task
from alos2.types import Polarization

if TYPE_CHECKING:
    from alos2.raster.quicklook import Quicklook


@dataclass(frozen=True)
class Band:
    """One polarisation, or one beam of it."""

    polarization: Polarization
    images: tuple[Image, ...]
    """What it was made of: one image, or the beams."""
    source: PixelSource
    """On the ground's surface."""
    mapped: PixelSource
    """On the ground's map; the same one where the surface is a map. A beam has a part of the map,
    in the same pixels."""
    beam: str | None = None
    """Of one beam by itself, e.g. ``F1``."""
    surface: Surface | None = None
    """Of one beam: its own, which the ground's holds."""

    @property
    def name(self) -> str:
        """What pictures of it are called: ``HH``, ``HH-F1``."""
        return band_name(self.polarization, self.beam)


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
    beams: tuple[Band, ...] = ()
    """ScanSAR level 1.1: each beam of each polarisation by itself, where they are wanted."""


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
    from alos2.raster.geocode import map_grid  # noqa: PLC0415
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
    for pol, look in looks.items():
        _require_same_place(product, pol, look, first)
    grid = map_grid(first.surface)
    bands = _unions(product, looks, grid)
    beams = _beams(product, looks, grid) if task.options.beams else ()
    places = Places(grid)
    return Ground(
        bands, first.surface, grid, places, first.height_m, first.surface_from, beams=beams
    )


def _require_same_place(
    product: Product, pol: Polarization, look: Quicklook, first: Quicklook
) -> None:
    """Refuse polarisations that are not of one scene: a damaged time or range makes them so.

    Raises
    ------
    BadProduct
        Their sizes differ, or their corners by more than a cell.
    """
    same = look.surface.shape == first.surface.shape
    if same:
        lines, pixels = first.surface.shape
        pixel, line = np.array([0.0, pixels, 0.0, pixels]), np.array([0.0, 0.0, lines, lines])
        there = first.surface.pixel_line(*look.surface.lonlat(pixel, line))
        same = bool((np.hypot(there[0] - pixel, there[1] - line) < 1.0).all())
    if not same:
        names = ", ".join(i.file.name for i in product.images if i.polarization == pol)
        raise BadProduct(
            f"{names}: its lines begin at other times or ranges than those of "
            f"{product.polarizations[0]}, as if it were of another scene"
        )


def _unions(
    product: Product, looks: Mapping[Polarization, Quicklook], grid: MapGrid
) -> tuple[Band, ...]:
    from alos2.raster.geocode import map_source  # noqa: PLC0415

    first = next(iter(looks.values()))
    return tuple(
        Band(
            pol,
            tuple(image for image in product.images if image.polarization == pol),
            look.source,
            map_source(look.source, first.surface, grid),
        )
        for pol, look in looks.items()
    )


def _beams(
    product: Product, looks: Mapping[Polarization, Quicklook], grid: MapGrid
) -> tuple[Band, ...]:
    """Return each beam of each polarisation; none where one beam is all there is."""
    from alos2.raster.geocode import map_part, map_source  # noqa: PLC0415

    together = next(iter(looks.values())).surface
    found: dict[tuple[Polarization, str], Band] = {}
    names = dict.fromkeys(beam.name for look in looks.values() for beam in look.beams)
    for name in names:  # outside: all polarisations of a beam share the nodes of its map
        part: MapGrid | None = None
        for pol, look in looks.items():
            beam = next((beam for beam in look.beams if beam.name == name), None)
            if beam is None or len(look.beams) < 2:
                continue
            part = part or map_part(grid, beam.surface)
            image = next(i for i in product.images if i.polarization == pol and str(i.beam) == name)
            mapped = map_source(beam.placed, together, part)
            found[pol, name] = Band(pol, (image,), beam.placed, mapped, name, beam.surface)
    return tuple(band for pol in looks for (own, _), band in found.items() if own == pol)

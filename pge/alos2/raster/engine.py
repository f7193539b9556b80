"""All pictures of a product: browse pictures first, whose levels give the limits of the tiles."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from alos2.product.model import Product
from alos2.raster.browse import Drawn, draw, write_browse
from alos2.raster.cog import write_cog
from alos2.raster.composite import composite_pair, ratio
from alos2.raster.files import refusal
from alos2.raster.ground import Band, Ground, open_ground
from alos2.raster.pictures import (
    RATIO,
    BrowseReport,
    Cancelled,
    CogQuantity,
    CogReport,
    PictureOptions,
    PictureReport,
    Progress,
    ShownChannel,
    StretchLimits,
    browse_stem,
    cog_name,
)
from alos2.raster.stretch import find_limits
from alos2.raster.task import Task
from alos2.raster.tilesets import TileSets, make_tiles
from alos2.types import Polarization

_Power = npt.NDArray[np.float32]


@dataclass
class _Album:
    """What has been drawn so far."""

    browse: list[BrowseReport] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)
    """Those that hold data."""
    limits: dict[str, StretchLimits] = field(default_factory=dict)
    small: dict[Polarization, _Power] = field(default_factory=dict)
    """The bands that the composite needs, as large as a browse picture, first line first."""
    valid: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    """Where each band holds data, in the pixels of its browse picture, first line first."""
    cogs: list[CogReport] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def shown(self) -> tuple[ShownChannel, ...]:
        """The limits by name."""
        return tuple(ShownChannel(name, limits) for name, limits in self.limits.items())


def draw_pictures(
    product: Product,
    out_dir: Path,
    *,
    dataset_id: str,
    options: PictureOptions,
    progress: Progress,
    cancelled: Cancelled,
) -> PictureReport:
    """See `alos2.raster.pictures.make_pictures`."""
    if not product.images:
        return PictureReport(notes=("no pictures: the product has no image",))
    task = Task(out_dir, dataset_id, options, progress, cancelled)
    with _work_folder(out_dir) as work, open_ground(product, work, task) as ground:
        album = _browse(ground, task)
        tiles = TileSets()
        if options.tiles and album.bands:
            tiles = make_tiles(ground, album.bands, album.limits, album.valid, task)
        if options.cog is not None:
            album.cogs.extend(_cog(band, options.cog, work, task) for band in album.bands)
    return PictureReport(
        browse=tuple(album.browse),
        layers=tiles.layers,
        notes=(*album.notes, *tiles.notes),
        archives=tiles.archives,
        cogs=tuple(album.cogs),
        stretch=album.shown,
        height_m=ground.height_m,
        mapped_by=ground.mapped_by,
    )


def _browse(ground: Ground, task: Task) -> _Album:
    """Draw the browse pictures, and find the limits of all channels by them."""
    album = _Album()
    pair = composite_pair([band.polarization for band in ground.bands])
    for band in ground.bands:
        pol = band.polarization
        power = _draw_band(band, album, task)
        if power is not None and pair is not None and pol in pair:
            album.small[pol] = power
    if pair is not None and set(pair) <= album.small.keys():
        quotient = ratio(album.small[pair[0]], album.small[pair[1]])
        if np.isfinite(quotient).any():
            album.limits[RATIO] = find_limits(quotient, task.options, RATIO)
    album.small.clear()
    for beam in ground.beams:
        if beam.polarization in album.limits:  # else all of them are empty
            _draw_band(beam, album, task)
    return album


def _draw_band(band: Band, album: _Album, task: Task) -> _Power | None:
    """Write a band's browse pictures; its power, first line first, or None if it has no data."""
    pol = band.polarization
    drawn = draw(
        band.mapped,
        band.images,
        stage=f"browse {band.name}",
        progress=task.progress,
        cancelled=task.cancelled,
    )
    stem = browse_stem(band.name, task.dataset_id)
    limits = None if band.beam is None else album.limits[pol]
    report = write_browse(drawn, task.out_dir, stem, task.options, beam=band.beam, limits=limits)
    if report is None:
        names = ", ".join(image.file.name for image in drawn.images)
        album.notes.append(f"no picture of {band.name}: {names} holds no valid pixel")
        return None
    album.browse.append(report)
    album.bands.append(band)
    if band.beam is None:
        album.limits[pol] = report.stretch
    power = _first_line_first(drawn)
    album.valid[band.name] = np.isfinite(power)
    return power


def _first_line_first(drawn: Drawn) -> _Power:
    view = drawn.view
    lines, pixels = (-1 if flip else 1 for flip in (view.flip_lines, view.flip_pixels))
    return drawn.canvas.power[::lines, ::pixels]


def _cog(band: Band, quantity: CogQuantity, work: Path, task: Task) -> CogReport:
    pol = band.polarization
    return write_cog(
        band.mapped,
        pol,
        task.out_dir / cog_name(band.name, task.dataset_id, quantity),
        quantity,
        work,
        beam=band.beam,
        stage=f"cog {band.name}",
        progress=task.progress,
        cancelled=task.cancelled,
    )


@contextmanager
def _work_folder(out_dir: Path) -> Iterator[Path]:
    """Make a hidden folder on the dataset's file system, and take it away again."""
    try:
        folder = tempfile.TemporaryDirectory(prefix=".pictures-", dir=out_dir)
    except OSError as error:
        raise refusal(out_dir, error) from error
    with folder as path:
        yield Path(path)

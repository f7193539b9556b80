"""Browse pictures: a whole image small, calibrated, as it lies on the map.

About a tenth of the image, its long side clamped to 1024 to 2048 pixels and never larger than the
image; ground pixels about square. Detected images keep their own map projection (those along the
track stay along the track), level 1.1 is drawn on the map that it was brought to, north up: all
ScanSAR beams of a polarisation in one picture, and each in one of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from alos2.product.model import Image
from alos2.raster.blocks import multilook
from alos2.raster.canvas import SMALL_SIDE, Canvas, browse_long_side, canvas_of, flipped, reduced
from alos2.raster.files import write_file
from alos2.raster.pictures import (
    BrowseReport,
    CalibrationUsed,
    Cancelled,
    PictureOptions,
    Progress,
    StretchLimits,
)
from alos2.raster.png import encode_grey
from alos2.raster.source import PixelSource
from alos2.raster.stretch import find_limits, to_grey
from alos2.raster.view import View, view_of


class Drawn(NamedTuple):
    """An image in power, at the size of a browse picture, as seen from above."""

    canvas: Canvas
    view: View
    pixel_m: float
    images: tuple[Image, ...]
    """What it was made of: one, or the beams."""
    calibration: CalibrationUsed


def draw(
    source: PixelSource,
    images: tuple[Image, ...],
    *,
    stage: str,
    progress: Progress,
    cancelled: Cancelled,
) -> Drawn:
    """Average an image on a map to the size of a browse picture.

    Parameters
    ----------
    source
        With a grid.
    images
        What it was made of: one image, or the beams of a polarisation.
    stage
        What `progress` is told; lines are its unit.

    Raises
    ------
    BadProduct
        It cannot be read.
    Interrupted
        `cancelled` said so.
    """
    if source.grid is None:
        raise ValueError(f"{source.name} lies on no map")
    view = view_of(source.grid)
    height_m, width_m = source.shape.lines * view.line_m, source.shape.pixels * view.pixel_m
    finest = max(view.line_m, view.pixel_m)
    pixel_m = max(height_m, width_m) / browse_long_side(height_m / finest, width_m / finest)
    height, width = height_m / pixel_m, width_m / pixel_m
    looks = multilook(
        source,
        max(1, int(source.shape.lines / height)),
        max(1, int(source.shape.pixels / width)),
        stage=stage,
        progress=progress,
        cancelled=cancelled,
    )
    canvas = canvas_of(looks, source.shape, height, width)
    seen = flipped(canvas, lines=view.flip_lines, pixels=view.flip_pixels)
    return Drawn(seen, view, pixel_m, images, source.calibration)


def write_browse(
    drawn: Drawn,
    out_dir: Path,
    stem: str,
    options: PictureOptions,
    *,
    beam: str | None = None,
    limits: StretchLimits | None = None,
) -> BrowseReport | None:
    """Write both browse pictures; None when there is no valid pixel.

    Parameters
    ----------
    drawn
        The picture in power.
    stem
        Of the files' names.
    options
        By which limits are found.
    beam
        The one that is shown by itself.
    limits
        Another picture's, to be taken as they are.

    Raises
    ------
    NoSpace, NoResource
        The system refuses to write.
    """
    power = drawn.canvas.power
    if not np.isfinite(power).any():
        return None
    polarization = drawn.images[0].polarization
    if limits is None:
        limits = find_limits(power, options, polarization)
    browse, small = out_dir / f"{stem}.browse.png", out_dir / f"{stem}.browse_small.png"
    little = reduced(drawn.canvas, SMALL_SIDE).power
    write_file(browse, encode_grey(to_grey(power, limits)))
    write_file(small, encode_grey(to_grey(little, limits)))
    return BrowseReport(
        polarization=polarization,
        browse=browse,
        small=small,
        size=(power.shape[1], power.shape[0]),
        small_size=(little.shape[1], little.shape[0]),
        pixel_m=drawn.pixel_m,
        geometry=drawn.view.geometry,
        flipped_lines=drawn.view.flip_lines,
        flipped_pixels=drawn.view.flip_pixels,
        beams=tuple(str(i.beam) for i in drawn.images if i.beam is not None),
        stretch=limits,
        calibration=drawn.calibration,
        beam=beam,
    )

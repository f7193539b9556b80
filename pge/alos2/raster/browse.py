"""Browse pictures: a whole image small, calibrated, as seen from above.

About a tenth of the image, its long side clamped to 1024 to 2048 pixels and never larger than the
image; ground pixels about square. ScanSAR level 1.1 has one picture of all beams of a
polarisation (see `alos2.raster.canvas`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from alos2.product.model import Image, Product, SlantRangeTiming
from alos2.raster.blocks import multilook
from alos2.raster.canvas import (
    SMALL_SIDE,
    Canvas,
    Frame,
    Size,
    browse_long_side,
    empty_canvas,
    flipped,
    place,
    reduced,
)
from alos2.raster.files import write_file
from alos2.raster.pictures import BrowseReport, CalibrationUsed, Cancelled, PictureOptions, Progress
from alos2.raster.png import encode_grey
from alos2.raster.source import open_source
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


def images_to_draw(product: Product, image: Image) -> tuple[Image, ...]:
    """Return what makes up the picture of `image`'s polarisation.

    All beams of a ScanSAR level 1.1; of these only the middle one where the leader is missing,
    without which nothing says how they lie to each other.
    """
    beams = tuple(i for i in product.images if i.polarization == image.polarization)
    if image.beam is None or len(beams) < 2:
        return (image,)
    if any(beam.timing is None for beam in beams):
        return (beams[len(beams) // 2],)
    return beams


class _Layout(NamedTuple):
    """Where images lie, in ground-square metres from the canvas's corner."""

    tops_m: list[float]
    lefts_m: list[float]
    heights_m: list[float]
    widths_m: list[float]

    @property
    def height_m(self) -> float:
        return max(t + h for t, h in zip(self.tops_m, self.heights_m, strict=True))

    @property
    def width_m(self) -> float:
        return max(left + w for left, w in zip(self.lefts_m, self.widths_m, strict=True))


def _layout(images: Sequence[Image], view: View, middle: Image) -> _Layout:
    timings = [image.timing for image in images]
    known = [t for t in timings if t is not None]
    if len(images) == 1 or len(known) < len(images) or middle.timing is None:
        shape = images[0].shape
        return _Layout([0.0], [0.0], [shape.lines * view.line_m], [shape.pixels * view.pixel_m])
    speed = view.line_m / middle.timing.line_interval_s
    stretch = view.pixel_m / middle.timing.range_spacing_m
    start = min(t.first_line_time for t in known)
    near = min(t.near_range_m for t in known)

    def top(t: SlantRangeTiming) -> float:
        return (t.first_line_time - start).total_seconds() * speed

    return _Layout(
        [top(t) for t in known],
        [(t.near_range_m - near) * stretch for t in known],
        [i.shape.lines * t.line_interval_s * speed for i, t in zip(images, known, strict=True)],
        [i.shape.pixels * t.range_spacing_m * stretch for i, t in zip(images, known, strict=True)],
    )


def draw(
    product: Product, image: Image, *, stage: str, progress: Progress, cancelled: Cancelled
) -> Drawn:
    """Average `image`, or the beams it belongs to, to the size of a browse picture.

    Raises
    ------
    BadProduct
        An image cannot be read.
    Interrupted
        `cancelled` said so.
    """
    images = images_to_draw(product, image)
    middle = images[len(images) // 2]
    view = view_of(product, middle)
    layout = _layout(images, view, middle)
    finest = max(view.line_m, view.pixel_m)
    long_side = browse_long_side(layout.height_m / finest, layout.width_m / finest)
    pixel_m = max(layout.height_m, layout.width_m) / long_side
    size = Size(max(1, round(layout.width_m / pixel_m)), max(1, round(layout.height_m / pixel_m)))
    canvas = empty_canvas(size)
    calibration = None
    for number, part in enumerate(images):
        height, width = layout.heights_m[number] / pixel_m, layout.widths_m[number] / pixel_m
        top, left = layout.tops_m[number] / pixel_m, layout.lefts_m[number] / pixel_m
        with open_source(product, part) as source:
            calibration = calibration or source.calibration
            looks = multilook(
                source,
                max(1, int(part.shape.lines / height)),
                max(1, int(part.shape.pixels / width)),
                stage=stage if part.beam is None else f"{stage} {part.beam}",
                progress=progress,
                cancelled=cancelled,
            )
        place(canvas, looks, Frame(top, left, top + height, left + width), part.shape)
    if calibration is None:
        raise ValueError("no image to draw")
    seen = flipped(canvas, lines=view.flip_lines, pixels=view.flip_pixels)
    return Drawn(seen, view, pixel_m, images, calibration)


def write_browse(
    drawn: Drawn, out_dir: Path, stem: str, options: PictureOptions
) -> BrowseReport | None:
    """Write both browse pictures; None when there is no valid pixel.

    Raises
    ------
    NoSpace, NoResource
        The system refuses to write.
    """
    power = drawn.canvas.power
    if not np.isfinite(power).any():
        return None
    limits = find_limits(power, options)
    browse, small = out_dir / f"{stem}.browse.png", out_dir / f"{stem}.browse_small.png"
    little = reduced(drawn.canvas, SMALL_SIDE).power
    write_file(browse, encode_grey(to_grey(power, limits)))
    write_file(small, encode_grey(to_grey(little, limits)))
    return BrowseReport(
        polarization=drawn.images[0].polarization,
        browse=browse,
        small=small,
        size=(power.shape[1], power.shape[0]),
        small_size=(little.shape[1], little.shape[0]),
        pixel_m=drawn.pixel_m,
        geometry=drawn.view.geometry,
        spacing_from=drawn.view.spacing_from,
        flipped_lines=drawn.view.flip_lines,
        flipped_pixels=drawn.view.flip_pixels,
        beams=tuple(str(i.beam) for i in drawn.images if i.beam is not None),
        stretch=limits,
        calibration=drawn.calibration,
    )

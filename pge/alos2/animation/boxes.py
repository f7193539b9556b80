"""What part of a grid a stack covers: pictures leave out what no date has."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

from alos2.animation.decimate import RasterSource, opened, overview_of, plain
from alos2.animation.model import Decode
from alos2.errors import UsageError
from alos2.raster.blocks import valid_extents
from alos2.raster.pictures import Cancelled, never
from alos2.types import Window


def valid_box(
    layers: Iterable[tuple[Path, Decode | None]], *, cancelled: Cancelled = never
) -> Window | None:
    """Return the box of the valid pixels of rasters of one grid together; None: there are none.

    Grids reach beyond what was imaged, and a picture need not. Found from the coarsest overviews,
    so it may be larger by one of their pixels.

    Raises
    ------
    BadProduct
        A raster cannot be read.
    UsageError
        One is of another size than the first.
    Interrupted
        `cancelled` said so.
    """
    boxes: list[tuple[float, float, float, float]] = []
    shape: tuple[int, int] | None = None
    for path, decode in layers:
        with opened(path) as dataset:
            shape = shape or dataset.shape
            if dataset.shape != shape:
                raise other_grid(path)
            levels = dataset.overviews(1)
            chosen = decode or plain(dataset.nodatavals[0])
            with overview_of(path, len(levels) - 1) if levels else nullcontext(dataset) as read:
                box = _box_of(RasterSource(read, chosen), cancelled)
                down, across = shape[0] / read.height, shape[1] / read.width
        if box is not None:
            top, left, bottom, right = box
            boxes.append((top * down, left * across, bottom * down, right * across))
    if not boxes or shape is None:
        return None
    top, left = int(min(box[0] for box in boxes)), int(min(box[1] for box in boxes))
    bottom = min(shape[0], math.ceil(max(box[2] for box in boxes)))
    right = min(shape[1], math.ceil(max(box[3] for box in boxes)))
    return Window(top, left, bottom - top, right - left)


def _box_of(source: RasterSource, cancelled: Cancelled) -> tuple[int, int, int, int] | None:
    found = valid_extents(source, cancelled=cancelled)
    if not found.lines.size:
        return None
    first, last = int(found.lines[0]), int(found.lines[-1])
    return first, int(found.first.min()), last + 1, int(found.last.max()) + 1


def other_grid(path: Path) -> UsageError:
    """Make the error for a raster that does not fit the others."""
    return UsageError(
        f"{path} does not lie on the grid of the other dates",
        hint="take the files of one time series",
    )

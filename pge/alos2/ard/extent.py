"""Which part of the grid a scene may have cells in; before any pixel is read."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np

from alos2.ard.document.footprint import box_of, outline_of
from alos2.ard.part import part_around
from alos2.ard.task import Task
from alos2.errors import NothingFound
from alos2.product.model import Product
from alos2.types import Window

_REACH_M: Final = 1000.0
"""Around a product's outline, for what is not exact about it."""
_HIGHEST_M: Final = 9000.0
_STEEPEST_DEG: Final = 20.0
_COARSE_M: Final = 1000.0


class Box(NamedTuple):
    """Parts of the grid, empty ones where there is nothing."""

    core: Window
    """Where a frame lies with all ground at height 0."""
    all: Window
    """Where it may have cells, as ground stands higher."""


_NOWHERE: Final = Window(0, 0, 0, 0)


def boxes_of(task: Task) -> tuple[Box, ...]:
    """Return the parts of the grid that each frame may have cells in, in the order of frames.

    Raises
    ------
    NothingFound
        None has any.
    """
    boxes = []
    for product in task.frames:
        height = 0.0 if task.dem is not None else task.options.height_m
        edge = outline_of(product, height)
        core = box_of(*edge, task.places, 0.0)
        whole = box_of(*edge, task.places, _margin_m(task, product, edge))
        boxes.append(Box(core or _NOWHERE, whole or _NOWHERE))
    if not any(box.all.lines for box in boxes):
        names = ", ".join(f"{product.scene}-{product.product}" for product in task.frames)
        raise NothingFound(
            f"{names}: nothing of it lies in the area",
            hint="look where it lies with alos2 info",
        )
    return tuple(boxes)


def _margin_m(task: Task, product: Product, edge: tuple[Any, Any]) -> float:
    """How far from its outline at height 0 a frame may show ground, as that stands higher."""
    if task.dem is None or product.level in ("2.1", "2.2"):
        return _REACH_M
    incidence = max(product.sensor.off_nadir_deg or _STEEPEST_DEG, _STEEPEST_DEG)
    farthest = _HIGHEST_M / math.tan(math.radians(incidence))
    around = box_of(*edge, task.places, farthest)
    if around is None:
        return _REACH_M
    coarse = part_around((around,), task.grid).coarse(_COARSE_M, min(task.places.spacing_m()))
    heights = task.dem.heights(coarse, Window(0, 0, *coarse.shape))
    highest = float(np.nanmax(np.abs(heights))) if np.isfinite(heights).any() else 0.0
    # Peaks stand out of what is averaged to a kilometre.
    return _REACH_M + min(1.3 * highest + 200.0, _HIGHEST_M) / math.tan(math.radians(incidence))

"""Everything that blocks are made of, opened: images, radar geometry, areas, masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from alos2.ard.blocks import FrameOnGrid, Scene
from alos2.ard.delivered import DeliveredLayer, layer_file
from alos2.ard.extent import Box
from alos2.ard.frames import Frame, open_frame
from alos2.ard.options import workers
from alos2.ard.part import GridPart, PartOfGrid, part_around
from alos2.ard.task import Task
from alos2.ard.terrain.arearatio import area_ratio
from alos2.ard.terrain.dem import Dem
from alos2.ard.terrain.geometry import TerrainGeometry
from alos2.ard.terrain.layovershadow import layover_shadow
from alos2.ard.terrain.view import view_of
from alos2.product.model import MapGrid, Product
from alos2.types import Window

_SWEEP_COLUMN_BYTES: Final = 800
"""Of a band of the sweep: heights, mask and areas of its lines, and what they are made of."""


class FilledCells:
    """Cells of a grid whose height fills a hole of the DEM, window by window."""

    def __init__(self, dem: Dem, grid: MapGrid) -> None:
        self._dem, self._grid = dem, grid

    def window(self, window: Window) -> npt.NDArray[np.bool_]:
        """Return them in a window."""
        return self._dem.filled(self._grid, window)


class ConstantHeight:
    """All of the ground at one height, where there is no DEM."""

    def __init__(self, height_m: float) -> None:
        self.height_m = height_m

    def heights(self, grid: MapGrid, window: Window) -> npt.NDArray[np.float32]:
        """Return the height of every cell, m."""
        del grid
        return np.full((window.lines, window.pixels), self.height_m, np.float32)


@contextmanager
def opened(task: Task, boxes: tuple[Box, ...], work: Path) -> Iterator[Scene]:
    """Open everything that blocks of a scene are made of.

    Parameters
    ----------
    task
        What is wanted.
    boxes
        As of `extent.boxes_of`.
    work
        An existing folder for scratch files.

    Raises
    ------
    BadProduct
        An image cannot be read, or the DEM has holes where the scene is.
    NoSpace, NoResource
        `work` takes no more.
    Interrupted
        The task was cancelled.
    """
    part = part_around([box.all for box in boxes], task.grid)
    cores = [box.core for box in boxes if box.core.lines]
    if task.dem is not None and cores:
        # What is around the scene may be missing: there is no ground to be seen, most likely.
        task.dem.require_covered(part_around(cores, task.grid).grid)
    heights = task.dem or ConstantHeight(task.options.height_m)
    options = replace(task.options, threads=workers(task.options))
    with ExitStack() as stack:

        def geometry_of(product: Product) -> PartOfGrid:
            geometry = TerrainGeometry(view_of(product), heights, part.grid)
            return part.shifted(stack.enter_context(geometry))

        frames = [
            stack.enter_context(
                open_frame(
                    product,
                    task.polarizations,
                    task.places,
                    options,
                    work,
                    terrain=task.dem is not None,
                    progress=task.progress,
                    cancelled=task.cancelled,
                )
            )
            for product, box in zip(task.frames, boxes, strict=True)
            if box.all.lines
        ]
        seen = [box.all for box in boxes if box.all.lines]
        reference = frames[len(frames) // 2]
        recipe = task.recipe
        geometry = geometry_of(reference.product) if recipe.radar_geometry else None
        on_grid = [
            _on_grid(
                frame,
                box,
                geometry if frame is reference and geometry is not None else None,
                geometry_of,
                stack,
            )
            for frame, box in zip(frames, seen, strict=True)
        ]
        needs_heights = geometry is not None or any(each.geometry for each in on_grid)
        filled = None
        if task.dem is not None and needs_heights:
            if task.dem.fill_m is not None:
                filled = part.shifted(FilledCells(task.dem, part.grid))
            recipe = replace(recipe, notes=(*recipe.notes, *_beyond(task, task.dem, part)))
        area = flags = None
        sweeping = workers(options, _sweep_mb(part))
        if geometry is not None and (recipe.correction == "area" or "area" in recipe.layers):
            area = part.shifted(
                area_ratio(geometry.reader, work, threads=sweeping, cancelled=task.cancelled)
            )
        if geometry is not None and recipe.layover_shadow == "sweep":
            flags = part.shifted(
                layover_shadow(geometry.reader, work, threads=sweeping, cancelled=task.cancelled)
            )
        yield Scene(
            part.window,
            on_grid,
            geometry,
            area,
            flags,
            recipe,
            task.options,
            task.polarizations,
            has_heights=task.dem is not None,
            filled=filled,
        )


def _sweep_mb(part: GridPart) -> int:
    """Return what a thread that sweeps takes: a band of lines across all of the scene."""
    columns = 2 * int(np.hypot(*part.grid.shape))
    return 16 + columns * _SWEEP_COLUMN_BYTES // (1 << 20)


def _beyond(task: Task, dem: Dem, part: GridPart) -> tuple[str, ...]:
    """Say how much of the scene's surroundings, where its ground may lie, has no height."""
    survey = dem.survey(part.grid, task.cancelled)
    if not survey.holes or survey.box is None:
        return ()
    share = 100.0 * survey.holes / survey.cells
    west, south, east, north = survey.box
    note = (
        f"the DEM has no height in {share:.2g} % of the box around the scene (within longitude "
        f"{west:.4f} to {east:.4f}, latitude {south:.4f} to {north:.4f}): high ground of the "
        "scene that lies there is no data"
    )
    return (note,)


def _on_grid(
    frame: Frame,
    box: Window,
    geometry: PartOfGrid | None,
    geometry_of: Callable[[Product], PartOfGrid],
    stack: ExitStack,
) -> FrameOnGrid:
    product = frame.product
    if not frame.places.needs_terrain:
        geometry = None
    elif geometry is None:
        geometry = geometry_of(product)

    def delivered(kind: str) -> DeliveredLayer | None:
        file = layer_file(product, kind)
        return None if file is None else stack.enter_context(DeliveredLayer(product, file))

    return FrameOnGrid(frame, geometry, box, delivered("MSK"), delivered("LIN"))

"""One scene, or several frames of one pass, becomes analysis-ready layers on a grid.

Blocks of 512 x 512 cells at fixed places of the grid are calculated by threads and written in
order: what is in memory depends on neither the scene's size nor the grid's, and the files' bytes
depend on neither threads nor memory. All is made in a hidden folder beside its place and renamed in
one step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from alos2.ard.blocks import BLOCK, Scene, make_block, with_speckle_known
from alos2.ard.document.footprint import ValidArea
from alos2.ard.document.item import build_item
from alos2.ard.document.made import Made
from alos2.ard.extent import Box, boxes_of
from alos2.ard.grid import GridPlaces
from alos2.ard.joining import chosen_polarizations, gaps, one_pass
from alos2.ard.layers import LayerFiles
from alos2.ard.opening import opened
from alos2.ard.options import ArdOptions, workers
from alos2.ard.recipe import choose_recipe
from alos2.ard.stored import ArdScene, Staging, checked_name, item_path, load_ard, staged
from alos2.ard.task import Task
from alos2.ard.terrain.dem import Dem
from alos2.dataset.jsontext import json_bytes
from alos2.errors import Interrupted, NothingFound
from alos2.product.model import MapGrid, Product
from alos2.raster.files import write_file
from alos2.raster.pictures import Cancelled, Progress, never, silent
from alos2.types import Window

__all__ = ["ArdScene", "load_ard", "make_ard"]


def make_ard(
    products: Sequence[Product],
    grid: MapGrid,
    options: ArdOptions,
    out: Path,
    *,
    name: str,
    dem: Dem | None,
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> ArdScene:
    """Make the analysis-ready layers of a scene.

    Parameters
    ----------
    products
        Consecutive frames of one pass, in any order, unpacked on disk: as of
        `alos2.product.recognise.recognise`, which also takes the CEOS leader that gives a GeoTIFF
        delivery an orbit.
    grid
        As of `grid.snapped_grid`.
    options
        What is made.
    out
        Folder to make; it does not exist, or is empty.
    name
        What the files are called: letters, digits, ``.``, ``_`` and ``-``.
    dem
        Heights; None: all of the ground is taken to be at ``options.height_m``.
    progress
        Told the stages ``looks HH`` (level 1.1), ``border HH`` and ``ard``.
    cancelled
        Asked between blocks.

    Returns
    -------
    ArdScene

    Raises
    ------
    UsageError
        The frames are not of one pass, `out` is there already, or what is wanted cannot be made of
        the frames: the message says what is missing.
    NotSupported
        A level that is no calibrated backscatter.
    BadProduct
        An image cannot be read, or the DEM has holes where the scene is.
    NothingFound
        The grid and the scene have no valid pixel in common.
    NoSpace, NoResource
        The disk is full, or another run makes the same folder.
    Interrupted
        `cancelled` said so. Whatever is raised, nothing is left behind.
    """
    checked_name(name)
    frames = one_pass(products)
    polarizations = chosen_polarizations(frames, options.polarizations)
    recipe = choose_recipe(frames, options, dem=dem is not None)
    recipe = replace(recipe, notes=(*recipe.notes, *gaps(frames)))
    task = Task(
        frames, grid, GridPlaces(grid), options, recipe, polarizations, dem, progress, cancelled
    )
    boxes = boxes_of(task)
    with staged(out) as staging:
        made = _make_layers(task, boxes, staging, name)
        write_file(item_path(staging.folder, name), json_bytes(build_item(made)))
        staging.commit()
    return load_ard(staging.out)


def _make_layers(task: Task, boxes: tuple[Box, ...], staging: Staging, name: str) -> Made:
    """Write all layers into the staging folder."""
    area = ValidArea(task.grid.shape)
    with opened(task, boxes, staging.work) as plain:
        scene = with_speckle_known(plain)
        files = LayerFiles(staging.folder, name, task.grid, task.recipe, task.polarizations)
        with files:
            _write_blocks(scene, files, area, task)
            if not area.count:
                names = ", ".join(f"{product.scene}-{product.product}" for product in task.frames)
                raise NothingFound(f"{names}: no valid pixel of it lies in the area")
        return Made(
            name=name,
            frames=task.frames,
            grid=task.grid,
            options=task.options,
            recipe=scene.recipe,
            polarizations=task.polarizations,
            layers=files.paths,
            geometry=area.polygon(task.places),
            dem=task.dem,
            calibrations={
                pol: scene.frames[0].frame.samplers[pol].calibration for pol in task.polarizations
            },
            resampling=scene.frames[0].frame.resampling,
            incidence_error_deg=getattr(scene.geometry, "incidence_error_deg", None),
            speckle=scene.speckle,
        )


def _write_blocks(scene: Scene, files: LayerFiles, area: ValidArea, task: Task) -> None:
    """Calculate the blocks by threads, and write them in order."""
    windows = list(_windows(scene.part))
    threads = workers(task.options)
    waiting: deque[tuple[Window, Future[dict[str, npt.NDArray[Any]]]]] = deque()
    done = 0

    def write_first() -> None:
        nonlocal done
        window, future = waiting.popleft()
        planes = future.result()
        files.write(window, planes)
        area.add(window, planes["mask"] > 0)
        done += 1
        task.progress("ard", done, len(windows))

    with ThreadPoolExecutor(threads) as pool:
        try:
            for window in windows:
                _check(task.cancelled)
                waiting.append((window, pool.submit(make_block, scene, window)))
                if len(waiting) > threads:
                    write_first()
            while waiting:
                _check(task.cancelled)
                write_first()
        finally:
            for _, future in waiting:
                future.cancel()


def _check(cancelled: Cancelled) -> None:
    if cancelled():
        raise Interrupted("making the analysis-ready data was stopped")


def _windows(part: Window) -> Iterator[Window]:
    """Blocks at fixed places of the grid."""
    for line in range(part.line // BLOCK * BLOCK, part.line + part.lines, BLOCK):
        for pixel in range(part.pixel // BLOCK * BLOCK, part.pixel + part.pixels, BLOCK):
            top, left = max(line, part.line), max(pixel, part.pixel)
            bottom = min(line + BLOCK, part.line + part.lines)
            right = min(pixel + BLOCK, part.pixel + part.pixels)
            yield Window(top, left, bottom - top, right - left)

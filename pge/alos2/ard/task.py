"""What is wanted of a scene, decided and checked."""

from __future__ import annotations

from dataclasses import dataclass

from alos2.ard.grid import GridPlaces
from alos2.ard.options import ArdOptions
from alos2.ard.recipe import Recipe
from alos2.ard.terrain.dem import Dem
from alos2.product.model import MapGrid, Product
from alos2.raster.pictures import Cancelled, Progress
from alos2.types import Polarization


@dataclass(frozen=True)
class Task:
    """What `scene.make_ard` was asked for."""

    frames: tuple[Product, ...]
    grid: MapGrid
    places: GridPlaces
    options: ArdOptions
    recipe: Recipe
    polarizations: tuple[Polarization, ...]
    dem: Dem | None
    progress: Progress
    cancelled: Cancelled

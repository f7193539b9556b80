"""What a scene was made of, and how: all that its documents say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alos2.ard.options import ArdOptions
from alos2.ard.recipe import Recipe
from alos2.ard.sampling import Resampling
from alos2.ard.terrain.dem import Dem
from alos2.product.model import MapGrid, Product
from alos2.raster.pictures import CalibrationUsed
from alos2.speckle import Speckle
from alos2.types import Json, Polarization


@dataclass(frozen=True)
class Made:
    """A scene whose layers are written."""

    name: str
    frames: tuple[Product, ...]
    """In the order of time."""
    grid: MapGrid
    options: ArdOptions
    recipe: Recipe
    polarizations: tuple[Polarization, ...]
    layers: Mapping[str, Path]
    geometry: Json
    """Polygon of the valid cells."""
    dem: Dem | None
    calibrations: Mapping[Polarization, CalibrationUsed]
    resampling: Resampling
    incidence_error_deg: float | None
    """Stated error of angles that come from nominal values; None with an orbit."""
    speckle: Mapping[Polarization, Speckle]
    """What was measured for the speckle filter."""

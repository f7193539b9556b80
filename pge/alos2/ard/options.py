"""What may be chosen about the analysis-ready data of one scene.

Importing this loads no raster library and compiles nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from alos2.errors import UsageError
from alos2.speckle import SpeckleFilter
from alos2.types import POLARIZATIONS, Polarization

ProductType: TypeAlias = Literal["GTC-sigma0", "GTC-gamma0", "RTC-gamma0"]
"""OpenSarToolkit's words: geocoded, terrain-corrected or not in geometry only; or flattened too."""
Flattening: TypeAlias = Literal["auto", "area", "angular"]
AngularModel: TypeAlias = Literal["volume", "surface"]
LayerName: TypeAlias = Literal["lia", "ei", "area", "gs"]

EXTRA_LAYERS: Final[tuple[LayerName, ...]] = get_args(LayerName)
LEAST_MEMORY_MB: Final = 128
_THREAD_MB: Final = 160
"""What a thread takes: the pixels that it reads, and some twenty arrays over a block."""
_BASE_MB: Final = 200
"""What the program takes without any."""


@dataclass(frozen=True)
class ArdOptions:
    """What may be chosen; the docs (``docs/ard.md``) have OpenSarToolkit's names beside.

    Raises
    ------
    UsageError
        What cannot be, or does not go together.
    """

    resolution_m: float = 25.0
    """Spacing of the grid, m; in degrees for a grid in degrees."""
    product_type: ProductType = "RTC-gamma0"
    flattening: Flattening = "auto"
    """How RTC-gamma0 is flattened; ``auto``: by area where there is an orbit, else by angles."""
    angular_model: AngularModel = "volume"
    """What scatters, for the angular model: a volume (forest) or a surface (bare ground)."""
    create_ls_mask: bool = True
    """Find layover and shadow, and say so in the mask."""
    apply_ls_mask: bool = False
    """Make backscatter in layover and shadow no data as well."""
    remove_speckle: bool = False
    speckle_filter: SpeckleFilter = field(default_factory=SpeckleFilter)
    border_px: int = 0
    """Pixels of the grid that are taken off along the edge of each image's valid area."""
    polarizations: tuple[Polarization, ...] | None = None
    """Which, of those that there are; None: all."""
    layers: tuple[LayerName, ...] = EXTRA_LAYERS
    """Written beside backscatter and mask, where they can be had."""
    height_m: float = 0.0
    """Height of all the ground above the ellipsoid, where no DEM is given, m."""
    threads: int = 2
    memory_mb: int = 1024

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("product type", self.product_type, get_args(ProductType)),
            ("flattening", self.flattening, get_args(Flattening)),
            ("angular model", self.angular_model, get_args(AngularModel)),
            *(("layer", layer, EXTRA_LAYERS) for layer in self.layers),
            *(("polarisation", pol, POLARIZATIONS) for pol in self.polarizations or ()),
        ):
            if value not in allowed:
                raise UsageError(f"{name} {value!r} is not one of {', '.join(allowed)}")
        self._check_numbers()
        if self.apply_ls_mask and not self.create_ls_mask:
            raise UsageError(
                "a layover and shadow mask that is not made cannot be applied",
                hint="set create_ls_mask too",
            )
        if self.polarizations == ():
            raise UsageError("no polarisation is asked for")

    def _check_numbers(self) -> None:
        if not (math.isfinite(self.resolution_m) and self.resolution_m > 0):
            raise UsageError(f"a resolution of {self.resolution_m:g} is not positive")
        if not 0 <= self.border_px <= 1000:
            raise UsageError(f"a border of {self.border_px} pixels is not within 0 to 1000")
        if not -1000.0 <= self.height_m <= 10_000.0:
            raise UsageError(f"a height of {self.height_m:g} m is not within -1000 to 10000 m")
        if self.threads < 1:
            raise UsageError(f"{self.threads} threads cannot work")
        if self.memory_mb < LEAST_MEMORY_MB:
            raise UsageError(f"{self.memory_mb} MB is too little, {LEAST_MEMORY_MB} are needed")


def workers(options: ArdOptions, thread_mb: int = _THREAD_MB) -> int:
    """Return how many threads may work at a time, each of which takes some megabytes."""
    return max(1, min(options.threads, (options.memory_mb - _BASE_MB) // thread_mb))

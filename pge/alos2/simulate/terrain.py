"""The relief of the simulated ground: heights by metres east and north of its centre.

Heights are metres above the ellipsoid under the place (geodetic, not above the tangent plane), so
a DEM of them is a plain GeoTIFF of ellipsoidal heights. Ridges and hills are formulas: what a
processor reads from the DEM is a sample of them, and whatever it interpolates is its own error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np

from alos2.errors import UsageError
from alos2.geometry.orbit import Floats
from alos2.simulate.ground import Heights, TangentPlane

TerrainKind = Literal["ridge", "roof", "hills", "file"]

HIGHEST_M: Final = 9000.0
STEEPEST_DEG: Final = 80.0
_WAVES: Final = 6
"""Cosines of the hills."""
_WAVE_SEED: Final = 7_301
"""The hills are the same for all seeds of the ground."""


@dataclass(frozen=True)
class Terrain:
    """What the ground rises to, above the spec's `height_m`.

    Raises
    ------
    UsageError
        If a number cannot be, or a file is missing.
    """

    kind: TerrainKind = "ridge"
    """``ridge``: a cosine bell across, endless along; ``roof``: two planes that meet in the crest;
    ``hills``: a sum of cosines in six directions; ``file``: a DEM of ellipsoidal heights."""
    height_m: float = 600.0
    """Of the crest, or from the lowest to the highest that the hills could reach."""
    width_m: float = 4000.0
    """From foot to foot; of hills: the shortest wavelength."""
    azimuth_deg: float = 0.0
    """Direction in which the crest runs, clockwise from north."""
    path: Path | None = None
    """Of the DEM (kind ``file``)."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(TerrainKind):
            known = ", ".join(get_args(TerrainKind))
            raise UsageError(f"terrain {self.kind!r} is not one of {known}")
        if (self.kind == "file") != (self.path is not None):
            raise UsageError("a terrain of kind 'file' needs a path, the others have none")
        numbers = (self.height_m, self.width_m, self.azimuth_deg)
        if not all(math.isfinite(number) for number in numbers):
            raise UsageError(f"terrain of height, width and azimuth {numbers}: not all are numbers")
        if not -HIGHEST_M <= self.height_m <= HIGHEST_M:
            raise UsageError(f"terrain of {self.height_m:g} m: at most {HIGHEST_M:g} m")
        if self.kind != "file" and self.width_m <= 0.0:
            raise UsageError(f"terrain of width {self.width_m:g} m: it has to be positive")
        if self.kind != "file" and self.steepest_deg > STEEPEST_DEG:
            raise UsageError(
                f"terrain with slopes of {self.steepest_deg:.0f} degrees: at most {STEEPEST_DEG:g}",
                hint="make it lower or wider",
            )

    @property
    def steepest_deg(self) -> float:
        """Steepest slope, degrees (of hills: a bound; of a file: 0, nobody knows)."""
        if self.kind == "file":
            return 0.0
        factor = {"ridge": math.pi, "roof": 2.0, "hills": math.pi}[self.kind]
        return math.degrees(math.atan(factor * abs(self.height_m) / self.width_m))


def heights_of(terrain: Terrain, plane: TangentPlane, base_m: float) -> Heights:
    """Make the function that gives the heights.

    Parameters
    ----------
    terrain
        What is asked for.
    plane
        In which the function's metres are.
    base_m
        Height above the ellipsoid of what the terrain stands on.

    Raises
    ------
    UsageError
        If a DEM cannot be read.
    """
    if terrain.path is not None:
        from alos2.simulate.demfile import DemHeights  # noqa: PLC0415  only here GDAL is needed

        return DemHeights(terrain.path, plane, base_m)
    if terrain.kind == "hills":
        return _Hills(terrain, base_m)
    return _Ridge(terrain, base_m)


class _Ridge:
    """A straight ridge through the centre."""

    def __init__(self, terrain: Terrain, base_m: float) -> None:
        self._terrain, self._base_m = terrain, base_m
        self.lowest_m = base_m + min(terrain.height_m, 0.0)
        self.highest_m = base_m + max(terrain.height_m, 0.0)

    def __call__(self, x_m: Floats, y_m: Floats) -> Floats:
        terrain = self._terrain
        azimuth = math.radians(terrain.azimuth_deg)
        # Distance from the crest as part of the half width: 1 at the foot.
        away = np.abs(x_m * math.cos(azimuth) - y_m * math.sin(azimuth)) / (0.5 * terrain.width_m)
        away = np.minimum(away, 1.0)
        part = 1.0 - away if terrain.kind == "roof" else 0.5 + 0.5 * np.cos(np.pi * away)
        return np.asarray(self._base_m + terrain.height_m * part)


class _Hills:
    """Cosines of `width_m` to three times it, in six directions, between 0 and `height_m`."""

    def __init__(self, terrain: Terrain, base_m: float) -> None:
        rng = np.random.default_rng(_WAVE_SEED)
        angles = math.radians(terrain.azimuth_deg) + np.pi * (
            (np.arange(_WAVES) + rng.uniform(-0.3, 0.3, _WAVES)) / _WAVES
        )
        lengths = terrain.width_m * np.linspace(1.0, 3.0, _WAVES)
        # Amplitudes like wavelengths: all waves are equally steep.
        self._amplitudes = 0.5 * terrain.height_m * lengths / lengths.sum()
        self._east = 2.0 * np.pi * np.cos(angles) / lengths
        self._north = 2.0 * np.pi * np.sin(angles) / lengths
        self._phases = rng.uniform(0.0, 2.0 * np.pi, _WAVES)
        self._middle_m = base_m + 0.5 * terrain.height_m
        self.lowest_m = base_m + min(terrain.height_m, 0.0)
        self.highest_m = base_m + max(terrain.height_m, 0.0)

    def __call__(self, x_m: Floats, y_m: Floats) -> Floats:
        out = np.full(np.broadcast(x_m, y_m).shape, self._middle_m)
        waves = zip(self._amplitudes, self._east, self._north, self._phases, strict=True)
        for amplitude, east, north, phase in waves:
            out += amplitude * np.cos(east * x_m + north * y_m + phase)
        return out

"""The layers of a scene: their names, their files, and how a block of each is calculated.

| layer | file | what |
|---|---|---|
| ``HH`` ... | ``-HH.tif`` | backscatter, linear power, NaN = no data |
| ``mask`` | ``-dm.tif`` | data mask, see `MASK_VALUES` |
| ``lia`` | ``-li.tif`` | local angle of incidence, degrees |
| ``ei`` | ``-ei.tif`` | angle of incidence on the ellipsoid, degrees |
| ``area`` | ``-lc.tif`` | local contributing area: A_gamma / A_beta |
| ``gs`` | ``-gs.tif`` | gamma-to-sigma ratio: A_gamma / A_sigma |

Suffixes are those that CEOS-ARD products of other sensors have. gamma nought from sigma nought and
beta nought: Raney et al., "A plea for radar brightness" (IGARSS 1994); the area model: Small,
"Flattening gamma", IEEE TGRS 49(8):3081 (2011), doi 10.1109/TGRS.2011.2120616; the angular model:
Vollrath, Mullissa and Reiche, Remote Sensing 12(11):1867 (2020), doi 10.3390/rs12111867. The
gamma-to-sigma ratio is taken as the cosine of the local angle of incidence, which it is exactly
for a single facet.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from alos2.ard.options import AngularModel, LayerName
from alos2.ard.recipe import Recipe
from alos2.product.model import MapGrid
from alos2.raster.cog import in_quantity
from alos2.raster.gridfile import GridBand, GridFile
from alos2.types import Polarization, Window

Plane = npt.NDArray[np.float32]

SUFFIXES: Final = {"mask": "dm", "lia": "li", "ei": "ei", "area": "lc", "gs": "gs"}
MASK_VALUES: Final = {
    0: "no data",
    1: "valid",
    2: "layover",
    3: "shadow",
    4: "layover and shadow",
    5: "gap of the DEM",
}
NO_DATA, VALID, LAYOVER, SHADOW, BOTH, DEM_GAP = MASK_VALUES
TITLES: Final = {
    "mask": "Data mask",
    "lia": "Local angle of incidence",
    "ei": "Angle of incidence on the ellipsoid",
    "area": "Local contributing area, A_gamma / A_beta",
    "gs": "Gamma-to-sigma ratio",
}
UNITS: Final = {"mask": "", "lia": "degree", "ei": "degree", "area": "1", "gs": "1"}
_LEAST: Final = 1e-3
"""Cosines and ratios below are of grazing sight: no backscatter is calculated there."""


def layer_path(folder: Path, name: str, layer: str) -> Path:
    """Return where a layer of the scene `name` lies."""
    return folder / f"{name}-{SUFFIXES.get(layer, layer)}.tif"


class LayerFiles:
    """The files of a scene that is being made; a context manager, all or none."""

    def __init__(
        self,
        folder: Path,
        name: str,
        grid: MapGrid,
        recipe: Recipe,
        polarizations: tuple[Polarization, ...],
    ) -> None:
        self.paths = {
            layer: layer_path(folder, name, layer)
            for layer in (*polarizations, "mask", *recipe.layers)
        }
        self._files = {
            layer: _file(path, layer, grid, recipe) for layer, path in self.paths.items()
        }
        self._stack = ExitStack()

    def __enter__(self) -> LayerFiles:
        with self._stack as stack:
            for file in self._files.values():
                stack.enter_context(file)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, window: Window, planes: dict[str, npt.NDArray[Any]]) -> None:
        """Write a window of all layers; floats keep 13 bits behind the leading one."""
        for layer, plane in planes.items():
            rounded = plane if plane.dtype == np.uint8 else in_quantity(plane, "power")
            self._files[layer].write(window, rounded)


def _file(path: Path, layer: str, grid: MapGrid, recipe: Recipe) -> GridFile:
    if layer == "mask":
        values = ", ".join(f"{value} {words}" for value, words in MASK_VALUES.items())
        return GridFile(
            path,
            grid,
            dtype="uint8",
            nodata=NO_DATA,
            bands=(GridBand("mask"),),
            tags={"values": values},
            overviews="nearest",
        )
    if layer in SUFFIXES:
        band, tags = GridBand(layer, UNITS[layer]), {"quantity": TITLES[layer]}
    else:
        kind = "sigma0" if recipe.correction == "none" else "gamma0"
        band = GridBand(f"{kind}_{layer}", "linear power")
        tags = {"quantity": f"{recipe.quantity}, linear power", "polarization": layer}
    return GridFile(path, grid, dtype="float32", nodata=float("nan"), bands=(band,), tags=tags)


def correction_factor(
    recipe: Recipe, seen: Any, area: Plane | None, model: AngularModel
) -> npt.NDArray[np.float64] | None:
    """Return what calibrated power is multiplied by to become the product; None: by nothing.

    Parameters
    ----------
    recipe
        Which correction.
    seen
        The radar geometry of the window (`alos2.ard.terrain.geometry.TerrainWindow`).
    area
        A_gamma / A_beta of the area model, where that is used.
    model
        Of the angular model.

    Returns
    -------
    ndarray, float64
        NaN where it cannot be told: the facet is not in sight.
    """
    if recipe.correction in ("none", "delivered"):
        return None
    theta = np.radians(seen.ellipsoid_incidence_deg.astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        if recipe.correction == "ellipsoid":
            return np.asarray(1.0 / np.cos(theta))
        to_beta = 1.0 / np.sin(theta)
        if recipe.correction == "area":
            if area is None:
                raise ValueError("the area model needs the contributing area")
            wide = area.astype(np.float64)
            return np.asarray(np.where(wide > _LEAST, to_beta / wide, np.nan))
        from alos2.ard.terrain.angular import angular_factor  # noqa: PLC0415  only where it is used

        local = np.radians(seen.incidence_deg.astype(np.float64))
        factor = angular_factor(local, seen.slope_range_rad, seen.slope_azimuth_rad, model)
        return np.asarray(np.where(factor > _LEAST, to_beta * np.tan(local) / factor, np.nan))


def angle_layers(
    wanted: tuple[LayerName, ...], seen: Any, area: Plane | None
) -> dict[LayerName, Plane]:
    """Return the layers that the radar geometry of a window gives."""
    made: dict[LayerName, Plane] = {}
    if "lia" in wanted:
        made["lia"] = seen.local_incidence_deg.astype(np.float32)
    if "ei" in wanted:
        made["ei"] = seen.ellipsoid_incidence_deg.astype(np.float32)
    if "gs" in wanted:
        made["gs"] = ratio_of(seen.local_incidence_deg)
    if "area" in wanted and area is not None:
        made["area"] = area.astype(np.float32)
    return made


def ratio_of(local_incidence_deg: npt.NDArray[Any]) -> Plane:
    """Return the gamma-to-sigma ratio of local angles of incidence; NaN from 90 degrees on."""
    cosine = np.cos(np.radians(local_incidence_deg.astype(np.float64)))
    return np.where(cosine > _LEAST, cosine, np.nan).astype(np.float32)


def mask_of(
    valid: npt.NDArray[np.bool_],
    flags: npt.NDArray[np.uint8] | None,
    unknown_height: npt.NDArray[np.bool_] | None,
    filled_height: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.uint8]:
    """Return the mask of a window.

    Parameters
    ----------
    valid : ndarray of bool
        Where all polarisations have data.
    flags : ndarray of uint8, optional
        1 layover, 2 shadow, 3 both.
    unknown_height : ndarray of bool, optional
        Where the DEM has no height though one is needed.
    filled_height : ndarray of bool, optional
        Where a height was put into a hole of the DEM. What is laid over or in shadow by it stays
        so marked.
    """
    mask = valid.astype(np.uint8)
    if flags is not None:
        mask = np.where(valid, np.uint8(VALID) + flags, mask).astype(np.uint8)
    if filled_height is not None:
        mask[filled_height & (mask == VALID)] = DEM_GAP
    if unknown_height is not None:
        mask[unknown_height] = DEM_GAP
    return mask

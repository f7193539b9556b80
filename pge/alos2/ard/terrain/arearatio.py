"""The area model: terrain flattening by the area that each radar cell illuminates.

Gamma nought of terrain is beta nought over A_gamma / A_beta: A_gamma is the sum of all facets of
the ground in the same cell of slant range and azimuth, each projected on the plane across the look
direction, those in shadow left out; A_beta is the cell's own area in the plane of slant range and
azimuth (Small, "Flattening Gamma", IEEE TGRS 49(8):3081, 2011). Unlike models of angles it counts
what leans over into the same cell.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from alos2.ard.terrain.geometry import TerrainGeometry
from alos2.ard.terrain.sweep import Sweep
from alos2.ard.terrain.sweepground import LOOKS
from alos2.errors import UsageError
from alos2.raster.pictures import Cancelled, never
from alos2.types import Window

LEAST: Final = 1e-3
"""Ratio below which nothing is in sight: -30 dB, as of NASA OPERA's RTC products."""

_BLOCK: Final = 512


class AreaRatio:
    """A_gamma / A_beta at the cells of a map, window by window; safe between threads."""

    def __init__(self, geometry: TerrainGeometry, swept: Sweep) -> None:
        self._geometry, self._sweep = geometry, swept

    def window(self, window: Window) -> npt.NDArray[np.float32]:
        """Return the ratio in a window.

        Returns
        -------
        ndarray, float32, shape (window.lines, window.pixels)
            On level ground 1 / tan(incidence). NaN where there is no height, and where nothing is
            in sight.
        """
        out = np.empty((window.lines, window.pixels), np.float32)
        radar = self._geometry.radar_window(window)
        frame = self._sweep.frame
        at = np.stack(
            [
                (radar.time_s - frame.start_s) / (LOOKS * frame.line_s),
                (radar.slant_range_m - frame.near_m) / frame.cell_m,
            ]
        )
        for line in range(0, window.lines, _BLOCK):
            for pixel in range(0, window.pixels, _BLOCK):
                part = np.s_[line : line + _BLOCK, pixel : pixel + _BLOCK]
                out[part] = self._block(np.ascontiguousarray(at[:, part[0], part[1]]))
        return out

    def _block(self, at: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        from alos2.ard.terrain.sweepkernels import read_area  # noqa: PLC0415  numba comes late

        out = np.full(at.shape[1:], np.nan, np.float32)
        low, high = np.fmin.reduce(at, axis=(1, 2)), np.fmax.reduce(at, axis=(1, 2))
        if np.isnan(low).any():
            return out
        shape = self._sweep.area.shape
        top, left = (max(0, math.floor(v) - 1) for v in low)
        bottom = min(shape.lines, math.ceil(high[0]) + 2)
        right = min(shape.pixels, math.ceil(high[1]) + 2)
        if bottom - top >= 2 and right - left >= 2:
            area = self._sweep.area.read(Window(top, left, bottom - top, right - left))
            read_area(area, top, left, at, LEAST, out)
        return out


def area_ratio(
    geometry: TerrainGeometry, work_dir: Path, *, threads: int = 2, cancelled: Cancelled = never
) -> AreaRatio:
    """Sum up the areas of all facets that a map's cells share their radar cells with.

    Parameters
    ----------
    geometry
        With a product's own orbit and a DEM.
    work_dir
        Folder for scratch files, which have no names and are gone with the geometry.
    threads
        That work; the result does not depend on it.
    cancelled
        Asked now and then.

    Raises
    ------
    UsageError
        There is no orbit or no DEM, or the antenna does not look at the map.
    BadProduct, NoSpace, NoResource, Interrupted
        The DEM cannot be read; the disk is full; `cancelled` said so.
    """
    if geometry.view.nominal:
        raise UsageError(
            "the area model needs an orbit, and the product brings none",
            hint="use the angular model, or give the CEOS leader of the same scene",
        )
    return AreaRatio(geometry, geometry.sweep(work_dir, threads=threads, cancelled=cancelled))

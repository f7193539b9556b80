"""Layover and shadow, active and passive, at the cells of a map.

In shadow is what something nearer along the same line of range hides (seen at a greater angle off
nadir). In layover is what has the slant range of another place along that line: the slope that
leans over, and the ground before and behind it that falls into the same cells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from alos2.ard.terrain.geometry import TerrainGeometry
from alos2.ard.terrain.sweep import Sweep
from alos2.raster.pictures import Cancelled, never
from alos2.types import Window

CLEAR: Final = 0
LAYOVER: Final = 1
SHADOW: Final = 2
BOTH: Final = 3

_BLOCK: Final = 512


class LayoverShadow:
    """The mask, window by window; safe between threads."""

    def __init__(self, geometry: TerrainGeometry, swept: Sweep) -> None:
        self._geometry, self._sweep = geometry, swept

    def window(self, window: Window) -> npt.NDArray[np.uint8]:
        """Return the mask in a window.

        Returns
        -------
        ndarray, uint8, shape (window.lines, window.pixels)
            0 clear, 1 layover, 2 shadow, 3 both; 0 also where there is no height.
        """
        out = np.zeros((window.lines, window.pixels), np.uint8)
        radar = self._geometry.radar_window(window)
        frame = self._sweep.frame
        with np.errstate(invalid="ignore"):
            line = (radar.time_s - frame.start_s) / frame.line_s
            reach = frame.ground_range_m(radar.level_range_m)
            column = (reach - frame.first_m) / frame.column_m
        for top in range(0, window.lines, _BLOCK):
            for left in range(0, window.pixels, _BLOCK):
                part = np.s_[top : top + _BLOCK, left : left + _BLOCK]
                self._block(line[part], column[part], out[part])
        return out

    def _block(
        self,
        line: npt.NDArray[np.float64],
        column: npt.NDArray[np.float64],
        out: npt.NDArray[np.uint8],
    ) -> None:
        shape = self._sweep.mask.shape
        with np.errstate(invalid="ignore"):
            known = (line >= 0) & (line < shape.lines) & (column >= 0) & (column < shape.pixels)
        if not known.any():
            return
        a, b = line[known].astype(np.intp), column[known].astype(np.intp)
        top, left = int(a.min()), int(b.min())
        window = Window(top, left, int(a.max()) - top + 1, int(b.max()) - left + 1)
        out[known] = self._sweep.mask.read(window)[a - top, b - left]


def layover_shadow(
    geometry: TerrainGeometry, work_dir: Path, *, threads: int = 2, cancelled: Cancelled = never
) -> LayoverShadow:
    """Find layover and shadow on a map.

    Parameters
    ----------
    geometry
        With a DEM; a nominal orbit will do, and then angles are as wrong as it says.
    work_dir, threads, cancelled
        As of `alos2.ard.terrain.arearatio.area_ratio`, with which it shares one sweep.

    Raises
    ------
    UsageError
        There is no DEM, or the antenna does not look at the map.
    BadProduct, NoSpace, NoResource, Interrupted
        The DEM cannot be read; the disk is full; `cancelled` said so.
    """
    return LayoverShadow(geometry, geometry.sweep(work_dir, threads=threads, cancelled=cancelled))

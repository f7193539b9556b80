"""One sweep over the ground as the radar sees it: scattering areas, layover and shadow.

The ground is sampled on a grid of its own: lines of one zero-Doppler time each, columns at equal
steps of ground range, twice as fine as the map. Every line is a cut through the terrain in one
zero-Doppler plane (a place that a height lifts is looked up again where it leaves that plane), and
is swept along range by itself: nothing depends on how lines are shared out among threads.

What comes out lies in two scratch files without names, which are gone whatever happens: the
image of areas, rows of azimuth time and cells of slant range as large on the ground as the map's,
and the mask of layover and shadow on the sweep's own grid. The sweep reaches beyond the map as far
as the highest ground could throw its shadow or lean over.

Sources: Small, "Flattening Gamma", IEEE TGRS 49(8):3081 (2011), sections II and III; layover and
shadow by slant range and off-nadir angle along range: Kropatsch and Strobl, IEEE TGRS 28(1) (1990).
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from alos2.ard.terrain.dem import Dem
from alos2.ard.terrain.lattice import Lattice
from alos2.ard.terrain.scratch import Scratch
from alos2.ard.terrain.sweepground import LOOKS, RadarFrame, SweepGround, radar_frame, surroundings
from alos2.errors import UsageError
from alos2.geometry.orbit import Floats, Orbit
from alos2.geometry.solver import dot
from alos2.raster.control import check
from alos2.raster.pictures import Cancelled
from alos2.types import LookSide, RasterShape, Window

if TYPE_CHECKING:
    from alos2.ard.terrain.geometry import TerrainGeometry

_BAND_ROWS: Final = 64
_CHUNK_COLUMNS: Final = 1024
_PLACE_ERROR: Final = 1e-4
"""Allowed error of positions, in columns,"""
_WAY_ERROR: Final = 1e-7
"""and of their way per metre of height."""


class Sweep(NamedTuple):
    """What a sweep has found."""

    frame: RadarFrame
    area: Scratch
    """float32: area across the look direction over area in slant range and azimuth."""
    mask: Scratch
    """uint8: 1 layover, 2 shadow, added up."""

    def close(self) -> None:
        """Give the disk back."""
        self.area.close()
        self.mask.close()


def sweep(
    geometry: TerrainGeometry, work_dir: Path, *, threads: int, cancelled: Cancelled
) -> Sweep:
    """Sweep over the ground of a map.

    Parameters
    ----------
    geometry
        Of the map; its heights are a `Dem`.
    work_dir
        Folder of the scratch files: about 10 bytes for each cell of the map.
    threads
        That sweep, at least 1; the result does not depend on it.
    cancelled
        Asked before each band of lines.

    Raises
    ------
    UsageError
        The heights are not a `Dem`, or the antenna does not look at the map.
    BadProduct
        The DEM cannot be read.
    NoSpace, NoResource
        The scratch files cannot be written.
    Interrupted
        `cancelled` said so.
    """
    dem = geometry.heights
    if not isinstance(dem, Dem):
        raise UsageError(
            "areas, layover and shadow need a DEM", hint="give one, or leave these layers out"
        )
    survey = dem.survey(geometry.grid, cancelled)
    own = (0.0, 0.0) if math.isnan(survey.lowest_m) else survey[:2]
    around = dem.survey(surroundings(geometry.grid, geometry.ground.spacing_m), cancelled)
    low, high = (float(np.fmin(own[0], around[0])), float(np.fmax(own[1], around[1])))
    frame = radar_frame(geometry, own, high - low)
    view = geometry.view
    ground = SweepGround(
        view.orbit, view.look, frame, geometry.ground.spacing_m / LOOKS,
        geometry.ground.centre.lon_deg,
    )  # fmt: skip
    tolerances = (_PLACE_ERROR * ground.spacing_m,) * 3 + (_WAY_ERROR,) * 3
    lattice = Lattice(ground.functions, ground.shape, ground.spacing_m, tolerances, ground.border)
    area = Scratch(RasterShape(frame.rows, frame.cells), np.float32, work_dir)
    found = Sweep(frame, area, Scratch(ground.shape, np.uint8, work_dir))

    def band(first_row: int) -> None:
        check(cancelled)
        rows = min(_BAND_ROWS, frame.rows - first_row)
        areas, mask = _band(dem, ground, lattice, first_row, rows)
        found.area.write(first_row, areas)
        found.mask.write(first_row * LOOKS, mask)

    try:
        with ThreadPoolExecutor(max(1, threads)) as pool:
            waiting = [pool.submit(band, row) for row in range(0, frame.rows, _BAND_ROWS)]
            try:
                for one in waiting:
                    one.result()
            finally:
                for one in waiting:
                    one.cancel()
    except BaseException:
        found.close()
        raise
    return found


def _band(
    dem: Dem, ground: SweepGround, lattice: Lattice, first_row: int, rows: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]]:
    """Areas (rows, cells) and mask (lines, columns) of some rows."""
    from alos2.ard.terrain.sweepkernels import sweep_line  # noqa: PLC0415  numba comes late

    frame, line, lines = ground.frame, first_row * LOOKS, rows * LOOKS
    heights = np.empty((lines + 2, frame.columns), np.float32)
    for column in range(0, frame.columns, _CHUNK_COLUMNS):
        width = min(_CHUNK_COLUMNS, frame.columns - column)
        heights[:, column : column + width] = dem.sample(
            ground, Window(line - 1, column, lines + 2, width), moved=True
        )

    def points(number: int) -> Floats:
        values = lattice.window(Window(line - 1 + number, 0, 1, frame.columns))[:, 0]
        lifted: Floats = values[:3] + heights[number] * values[3:]
        return lifted

    states = _states(
        ground.orbit,
        ground.look,
        frame.start_s + (line + np.arange(lines, dtype=np.float64) + 0.5) * frame.line_s,
    )
    areas, total = np.empty((rows, frame.cells), np.float32), np.zeros(frame.cells)
    mask = np.empty((lines, frame.columns), np.uint8)
    before, here = points(0), points(1)
    for j in range(lines):
        after = points(j + 2)
        sweep_line(
            before, here, after, states[j], LOOKS * frame.line_s, frame.near_m, frame.cell_m,
            total, mask[j],
        )  # fmt: skip
        before, here = here, after
        if (j + 1) % LOOKS == 0:
            areas[j // LOOKS] = total
            total[:] = 0.0
    return areas, mask


def _states(orbit: Orbit, look: LookSide, times_s: Floats) -> Floats:
    """Position, velocity, acceleration, down and aside, shape (n, 15)."""
    position, velocity, acceleration = orbit.states(times_s)
    ahead = velocity / np.linalg.norm(velocity, axis=-1)[:, np.newaxis]
    down = -position + dot(position, ahead)[:, np.newaxis] * ahead
    down /= np.linalg.norm(down, axis=-1)[:, np.newaxis]
    aside = np.cross(down, ahead) if look == "R" else np.cross(ahead, down)
    return np.concatenate([position, velocity, acceleration, down, aside], axis=1)

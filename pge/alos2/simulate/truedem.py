"""The true surface of simulated scenes as a DEM, with a margin round them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from alos2.errors import UsageError
from alos2.product.model import MapGrid
from alos2.simulate.scene import Scene, line_spacing_m

_FINEST_M: Final = 4.0
_MARGIN_M: Final = 2000.0
"""Besides what relief asks for: grids of analysis-ready data reach beyond the scene."""


def write_scene_dem(path: Path, scenes: Sequence[Scene]) -> MapGrid:
    """Write the surface under (and round) some scenes of one ground.

    The margin holds what may be laid over the scenes or throw a shadow into them.

    Parameters
    ----------
    path
        Of the GeoTIFF: float32, m above the ellipsoid, UTM.
    scenes
        As planned.

    Returns
    -------
    MapGrid
        Of the file.

    Raises
    ------
    UsageError
        If it would be too large.
    NoSpace, NoResource
        If it cannot be written.
    """
    # Imported late: without a DEM, GDAL is not needed.
    from alos2.simulate.demfile import write_dem  # noqa: PLC0415

    first = scenes[0]
    heights = first.ground.heights
    if heights is None:
        raise UsageError("there is no DEM without a terrain", hint="give a terrain")
    spacing = first.spec.dem_spacing_m or max(_FINEST_M, round(0.5 * _pixel_m(first), 1))
    margin = 2.0 * (heights.highest_m - heights.lowest_m) + 20.0 * spacing + _MARGIN_M
    places = np.concatenate([_corners(scene) for scene in scenes])
    west, south = places.min(axis=0) - margin
    east, north = places.max(axis=0) + margin
    box = (float(west), float(south), float(east), float(north))
    return write_dem(path, heights, first.ground.plane, box_m=box, spacing_m=spacing)


def _pixel_m(scene: Scene) -> float:
    if scene.grid is not None:
        return scene.spec.spacing
    return max(line_spacing_m(scene.swaths[0]), scene.swaths[0].range_spacing_m)


def _corners(scene: Scene) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Metres east and north of the corners of data and raster."""
    lonlat = np.array(list(scene.data_corners.values()))
    if scene.grid is not None:
        rows, columns = np.array(scene.grid.corners).T
        lonlat = np.concatenate([lonlat, np.stack(scene.grid.lonlat(rows, columns), axis=-1)])
    return np.stack(scene.ground.plane.xy(lonlat[:, 0], lonlat[:, 1]), axis=-1)

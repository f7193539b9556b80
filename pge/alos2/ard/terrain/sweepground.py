"""The grid of the sweep: lines of one zero-Doppler time each, columns at equal ground range."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from alos2.ard.terrain.lattice import Values, wrapped
from alos2.errors import UsageError
from alos2.geometry.ellipsoid import ecef_to_geodetic, up_vector
from alos2.geometry.orbit import Floats, Orbit
from alos2.geometry.solver import dot, locate, pass_times
from alos2.product.model import MapGrid
from alos2.types import LookSide, RasterShape

if TYPE_CHECKING:
    from alos2.ard.terrain.geometry import TerrainGeometry

LOOKS: Final = 2
"""Lines and columns of the sweep for each line and pixel of the map."""

_REACH_M: Final = 15_000.0
"""How far beyond the map ground is looked at, at most."""
_NEAREST_DEG: Final = 5.0
_FARTHEST_DEG: Final = 75.0
"""Incidence of ground that a radar could look at."""
_COARSE_M: Final = 200.0
"""Cells in which the surroundings are looked through for their lowest and highest ground."""
_HIGHER_M: Final = 300.0
"""What peaks may stand out of such a cell."""


class RadarFrame(NamedTuple):
    """Where the rows and cells of the image of areas, and the sweep's lines and columns, lie."""

    start_s: float
    """Time of the upper edge of both, seconds since the orbit's epoch."""
    line_s: float
    """Time of a line of the sweep; a row has `LOOKS` of them."""
    rows: int
    near_m: float
    """Slant range of the near edge of the image of areas."""
    cell_m: float
    """Its cells, in slant range."""
    cells: int
    first_m: float
    """Ground range of the near edge of the sweep."""
    column_m: float
    """Its columns, in ground range."""
    columns: int
    satellite_m: float
    """Distance of the satellite from the Earth's centre,"""
    earth_m: float
    """and of the ground: what ground range is defined by, at height 0."""

    def ground_range_m(self, slant_range_m: Values) -> Values:
        """Ground range of slant ranges at height 0, on a sphere."""
        s, e = self.satellite_m, self.earth_m
        cosine = (s * s + e * e - slant_range_m**2) / (2.0 * s * e)
        return e * np.arccos(np.minimum(cosine, 1.0))

    def slant_range_m(self, ground_range_m: Values) -> Values:
        """Slant range of ground ranges at height 0, on a sphere."""
        s, e = self.satellite_m, self.earth_m
        return np.sqrt(s * s + e * e - 2.0 * s * e * np.cos(ground_range_m / e))


@dataclass(frozen=True, eq=False)
class SweepGround:
    """The sweep's grid as a `Ground`: a height moves a place within its zero-Doppler plane."""

    orbit: Orbit
    look: LookSide
    frame: RadarFrame
    spacing_m: float
    middle_deg: float
    border: int = 1

    @property
    def shape(self) -> RasterShape:
        """Lines and columns."""
        return RasterShape(self.frame.rows * LOOKS, self.frame.columns)

    def places(self, pixel: Values, line: Values) -> tuple[Floats, Floats]:
        """Earth-fixed positions at height 0, and their way per metre of height."""
        frame = self.frame
        t = frame.start_s + line * frame.line_s
        reach = frame.slant_range_m(frame.first_m + pixel * frame.column_m)
        place = locate(self.orbit, self.look, t_s=t, slant_range_m=reach, height_m=0.0)
        lon, lat, _ = ecef_to_geodetic(place)
        up = up_vector(lon, lat)
        _, velocity = self.orbit.interpolate(t)
        ahead = velocity / np.linalg.norm(velocity, axis=-1)[..., np.newaxis]
        way = up - dot(up, ahead)[..., np.newaxis] * ahead
        return place, way / dot(way, up)[..., np.newaxis]

    def lonlat(self, pixel: Values, line: Values, height_m: float) -> tuple[Values, Values]:
        """See `Ground.lonlat`."""
        place, way = self.places(pixel, line)
        lon, lat, _ = ecef_to_geodetic(place + height_m * way)
        return wrapped(lon, self.middle_deg), lat

    def functions(self, pixel: Values, line: Values) -> Sequence[Values]:
        """Return the six functions of the kernel's lattice."""
        place, way = self.places(pixel, line)
        return (*np.moveaxis(place, -1, 0), *np.moveaxis(way, -1, 0))


def surroundings(grid: MapGrid, spacing_m: float) -> MapGrid:
    """Return a coarse map of all that lies within reach of one."""
    cell = max(1, round(_COARSE_M / spacing_m))
    border = math.ceil(_REACH_M / (cell * spacing_m))
    a, b, c, d, e, f = (
        v * (cell if n % 3 < 2 else 1) for n, v in enumerate(grid.transform)
    )  # fmt: skip
    lines, pixels = (-(-n // cell) + 2 * border for n in grid.shape)
    corner = c - border * (a + b), f - border * (d + e)
    return MapGrid(
        grid.crs_wkt, grid.epsg, (a, b, corner[0], d, e, corner[1]), RasterShape(lines, pixels)
    )


def radar_frame(
    geometry: TerrainGeometry, heights_m: tuple[float, float], relief_m: float
) -> RadarFrame:
    """Lay the grids of the sweep round all ground that could matter to a map.

    Parameters
    ----------
    geometry
        Of the map.
    heights_m
        Of its lowest and highest ground.
    relief_m
        Between the lowest and the highest ground within reach of it.

    Raises
    ------
    UsageError
        The antenna does not look at the map.
    """
    lowest_m, highest_m = heights_m
    orbit, spacing = geometry.view.orbit, geometry.ground.spacing_m
    place, up = geometry.nodes()
    points = np.stack([place + h * up for h in (lowest_m, 0.0, highest_m)])
    times = pass_times(orbit, points, np.zeros(()))
    position, velocity, acceleration = orbit.states(times)
    beam = points - position
    ranges = np.linalg.norm(beam, axis=-1)
    right = dot(np.cross(velocity, position), beam) > 0.0
    angle = np.degrees(np.arccos(np.clip(-dot(beam, up[np.newaxis]) / ranges, -1.0, 1.0)))
    # A map may reach beyond nadir or the horizon; the sweep does not.
    seen = (right == (geometry.view.look == "R")) & (angle > _NEAREST_DEG) & (angle < _FARTHEST_DEG)
    if not seen.all(axis=0).any():
        raise UsageError("the antenna looks away from all of the map")
    seen &= seen[1]
    level = seen[1]
    incidence = np.radians(angle[1][level])
    speed = np.linalg.norm(velocity, axis=-1)
    pace = float(np.mean(((speed**2 - dot(beam, acceleration)) / speed)[1][level]))
    line_s = spacing / LOOKS / pace
    start = float(times[seen].min()) - 4.0 * LOOKS * line_s
    rows = math.ceil((float(times[seen].max()) - start) / (LOOKS * line_s)) + 4
    cell_m = spacing * math.sin(float(np.mean(incidence)))
    near = float(ranges[seen].min()) - 4.0 * cell_m
    cells = math.ceil((float(ranges[seen].max()) - near) / cell_m) + 4
    satellite = float(np.mean(np.linalg.norm(position[1][level], axis=-1)))
    earth = float(np.mean(np.linalg.norm(place[level], axis=-1)))
    frame = RadarFrame(
        start, line_s, rows, near, cell_m, cells, 0.0, spacing / LOOKS, 1, satellite, earth
    )
    across = frame.ground_range_m(ranges[1][level])
    steepest = max(1.0 / math.tan(float(incidence.min())), math.tan(float(incidence.max())))
    reach = min(_REACH_M, (relief_m + _HIGHER_M) * steepest) + 8.0 * spacing
    first = max(float(across.min()) - reach, 0.8 * float(across.min()))
    columns = math.ceil((float(across.max()) + reach - first) / frame.column_m)
    return frame._replace(first_m=first, columns=columns)

"""Radar geometry at each cell of a map: where it lies in the image, and how it is inclined to it.

Earth-fixed positions of cells are linear in height and smooth over the map: they are exact at
nodes, biquadratic between (error below a millimetre, measured as the lattice is made). The
zero-Doppler time is then solved at every cell on the orbit's polynomial. Against
``geometry.geo2rdr``: 1e-8 s in time and 1 mm in slant range, whatever the heights.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from alos2.ard.terrain.dem import Heights
from alos2.ard.terrain.lattice import Lattice, MapGround, Values
from alos2.ard.terrain.view import View
from alos2.constants import WGS84_SEMI_MAJOR_M
from alos2.geometry.ellipsoid import ECCENTRICITY_SQUARED, geodetic_to_ecef, up_vector
from alos2.geometry.orbit import Floats, Orbit
from alos2.geometry.solver import pass_times
from alos2.product.model import MapGrid
from alos2.raster.pictures import Cancelled
from alos2.types import Window

if TYPE_CHECKING:
    from alos2.ard.terrain.sweep import Sweep

Plane = npt.NDArray[np.float32]

_TOLERANCES: Final = (1e-3, 1e-3, 1e-3, 1e-7, 1e-7, 1e-7, 1e-3)
"""Of positions, m; of normals (10 km high: 1 mm); of the first guess of time, s."""
_DEGREE: Final = 9
_ARC_MARGIN_S: Final = 20.0
_KEPT_CELLS: Final = 1 << 19
_BLOCK_LINES: Final = 256
_BLOCK_PIXELS: Final = 1024


class TerrainWindow(NamedTuple):
    """Geometry of the cells of a window, each of shape (lines, pixels); NaN where not known."""

    height_m: Plane
    """Above the ellipsoid."""
    time_s: Values | None
    """Zero-Doppler time, seconds since the orbit's epoch; None with a nominal orbit."""
    slant_range_m: Values | None
    """None with a nominal orbit."""
    ellipsoid_incidence_deg: Plane
    """At height 0 at the cell's slant range: what JAXA's sigma nought refers to."""
    incidence_deg: Plane
    """At the cell: between the ellipsoid's normal and the direction to the radar."""
    local_incidence_deg: Plane
    """Between the ground's normal and the direction to the radar; above 90: turned away."""
    slope_range_rad: Plane
    """Slope in range, positive where the ground rises away from the radar (and faces it)."""
    slope_azimuth_rad: Plane
    """Slope in azimuth, positive where the ground rises along the flight."""


class RadarWindow(NamedTuple):
    """Where cells lie for the radar, float64 (lines, pixels); NaN where not known."""

    time_s: Values
    slant_range_m: Values
    level_range_m: Values
    """Slant range of the place at height 0 straight below, in the zero-Doppler plane."""


class TerrainGeometry:
    """Geometry of a view of the ground on a map, window by window; safe between threads.

    Parameters
    ----------
    view
        The radar.
    heights
        The ground; a `Dem`, or anything that gives heights (then without areas and masks).
    grid
        The map.

    Raises
    ------
    BadProduct
        The orbit's arc does not pass the map, or the map is none of the Earth.
    """

    def __init__(self, view: View, heights: Heights, grid: MapGrid) -> None:
        self.view, self.heights, self.grid = view, heights, grid
        self.incidence_error_deg = view.incidence_error_deg
        """Stated error of all angles of incidence; None with the product's own orbit."""
        self.ground = MapGround(grid)
        orbit = view.orbit

        def functions(pixel: Values, line: Values) -> Sequence[Values]:
            lon, lat = self.ground.lonlat(pixel, line)
            place, up = geodetic_to_ecef(lon, lat), up_vector(lon, lat)
            time = pass_times(orbit, place, np.zeros(()))
            return (*np.moveaxis(place, -1, 0), *np.moveaxis(up, -1, 0), time)

        self._lattice = Lattice(functions, grid.shape, self.ground.spacing_m, _TOLERANCES)
        times = self._lattice.nodes[6]
        self.polynomial = orbit_polynomial(
            orbit, float(times.min()) - _ARC_MARGIN_S, float(times.max()) + _ARC_MARGIN_S
        )
        self.radius_m = curvature_m(self.ground.centre.lat_deg)
        self._lock = threading.Lock()
        self._last = threading.local()
        self._sweep: Sweep | None = None

    def __enter__(self) -> TerrainGeometry:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the scratch files of areas and masks."""
        with self._lock:
            sweep, self._sweep = self._sweep, None
        if sweep is not None:
            sweep.close()

    def window(self, window: Window) -> TerrainWindow:
        """Geometry of the cells of a window.

        Parameters
        ----------
        window
            May reach beyond the map by up to 63 lines and pixels.

        Raises
        ------
        BadProduct
            The heights cannot be read.
        """
        height, radar, angles = self._solve(window)
        degrees = np.degrees(angles[:3])
        own = not self.view.nominal
        return TerrainWindow(
            height, radar[0] if own else None, radar[1] if own else None,
            degrees[0], degrees[1], degrees[2], angles[3], angles[4],
        )  # fmt: skip

    def radar_window(self, window: Window) -> RadarWindow:
        """Where the cells of a window lie for the radar, also with a nominal orbit."""
        return RadarWindow(*self._solve(window)[1])

    def _solve(self, window: Window) -> tuple[Plane, Values, Plane]:
        """Heights, radar coordinates (3, ...) and angles (5, ...) of a window.

        A thread's last window of moderate size is kept: areas and masks are asked for right after.
        """
        if getattr(self._last, "window", None) == window:
            kept: tuple[Plane, Values, Plane] = self._last.solved
            return kept
        from alos2.ard.terrain.terrainkernels import solve_cells  # noqa: PLC0415  numba comes late

        shape = (window.lines, window.pixels)
        height = np.empty(shape, np.float32)
        radar, angles = np.empty((3, *shape)), np.empty((5, *shape), np.float32)
        side = 1.0 if self.view.look == "R" else -1.0
        for line in range(0, window.lines, _BLOCK_LINES):
            for pixel in range(0, window.pixels, _BLOCK_PIXELS):
                part = np.s_[line : line + _BLOCK_LINES, pixel : pixel + _BLOCK_PIXELS]
                lines, pixels = height[part].shape
                wider = Window(
                    window.line + line - 1, window.pixel + pixel - 1, lines + 2, pixels + 2
                )
                around = self.heights.heights(self.grid, wider)
                height[part] = around[1:-1, 1:-1]
                some = np.empty((3, lines, pixels)), np.empty((5, lines, pixels), np.float32)
                solve_cells(
                    self._lattice.window(wider), around, *self.polynomial, side, self.radius_m,
                    *some,
                )  # fmt: skip
                radar[:, part[0], part[1]], angles[:, part[0], part[1]] = some
        solved = height, radar, angles
        if height.size <= _KEPT_CELLS:
            for array in solved:
                array.setflags(write=False)
            self._last.window, self._last.solved = window, solved
        return solved

    def sweep(self, work_dir: Path, *, threads: int, cancelled: Cancelled) -> Sweep:
        """Return the one sweep over the ground, made when it is first asked for.

        Parameters
        ----------
        work_dir
            Folder of its scratch files.
        threads, cancelled
            As of `alos2.ard.terrain.arearatio.area_ratio`.

        Raises
        ------
        UsageError
            The heights are not a `Dem`, or the antenna does not look at the map.
        """
        from alos2.ard.terrain.sweep import sweep  # noqa: PLC0415  which knows this module

        with self._lock:
            if self._sweep is None:
                self._sweep = sweep(self, work_dir, threads=threads, cancelled=cancelled)
            return self._sweep

    def nodes(self) -> tuple[Floats, Floats]:
        """Positions at height 0 and normals at the lattice's nodes within the map.

        Returns
        -------
        place, up : ndarray, shape (n, 3), float64
            Those of the map's cells and of half a block around them.
        """
        step, first, (lines, pixels) = self._lattice.step, self._lattice.first, self.grid.shape
        half, before = step // 2, 2 * first // step
        rows = slice(before, before + -(-lines // half) + 1)
        columns = slice(before, before + -(-pixels // half) + 1)
        inside = self._lattice.nodes[:6, rows, columns].reshape(6, -1).T
        return inside[:, :3], inside[:, 3:]


class OrbitPolynomial(NamedTuple):
    """Positions of an orbit over a short arc, as one polynomial."""

    coefficients: Floats
    """Shape (n, 3): of rising powers of (t - centre) / scale, m."""
    centre_s: float
    scale_s: float


def orbit_polynomial(orbit: Orbit, first_s: float, last_s: float) -> OrbitPolynomial:
    """Interpolate an orbit at Chebyshev's points between two times, within its arc.

    The orbit's own polynomials are of degree 7 and join at its state vectors within 0.1 mm; one of
    degree 9 over a minute or two follows them as closely.
    """
    first, last = max(first_s, float(orbit.times_s[0])), min(last_s, float(orbit.times_s[-1]))
    centre, scale = 0.5 * (first + last), 0.5 * (last - first)
    chebyshev = np.polynomial.chebyshev
    points = chebyshev.chebpts1(_DEGREE + 1)
    position, _ = orbit.interpolate(centre + scale * points)
    columns = [
        chebyshev.cheb2poly(np.linalg.solve(chebyshev.chebvander(points, _DEGREE), position[:, k]))
        for k in range(3)
    ]
    return OrbitPolynomial(np.ascontiguousarray(np.stack(columns, axis=1)), centre, scale)


def curvature_m(lat_deg: float) -> float:
    """Mean radius of the ellipsoid's curvature at a latitude, m."""
    sine2 = math.sin(math.radians(lat_deg)) ** 2
    return (
        WGS84_SEMI_MAJOR_M
        * math.sqrt(1.0 - ECCENTRICITY_SQUARED)
        / (1.0 - ECCENTRICITY_SQUARED * sine2)
    )

"""Smooth functions on a raster grid: exact at a few nodes, biquadratic between them.

Where a cell lies on the Earth, and where in a raster of heights, are smooth functions of line and
pixel. They are calculated exactly at nodes some kilometres apart, and between these interpolated
with an error that is measured when the lattice is made: blocks are halved until it is small
enough. Nodes lie at fixed places of the grid, whatever window is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from alos2.errors import BadProduct, UsageError
from alos2.geometry.ellipsoid import geodetic_to_ecef
from alos2.geometry.transforming import transformed
from alos2.product.model import MapGrid
from alos2.types import LonLat, RasterShape, Window

Values: TypeAlias = npt.NDArray[np.float64]
Functions: TypeAlias = Callable[[Values, Values], Sequence[Values]]
"""Values of some functions at pixels and lines (continuous, from the corner of the grid)."""

BORDER: Final = 64
"""Lines and pixels beyond the grid that a lattice serves, at least."""

_LARGEST: Final = 256
_SMALLEST: Final = 2
_BLOCK_M: Final = 4000.0
_CHECKED: Final = 24
"""Blocks along each side whose error is measured, at most."""


class Ground(Protocol):
    """A raster grid whose cells lie somewhere on the Earth."""

    @property
    def shape(self) -> RasterShape:
        """Lines and pixels."""

    @property
    def spacing_m(self) -> float:
        """Between its lines and pixels, about."""

    @property
    def border(self) -> int:
        """Lines and pixels around it that may be asked for too."""

    def lonlat(self, pixel: Values, line: Values, height_m: float) -> tuple[Values, Values]:
        """Longitude (continuous, also across the antimeridian) and latitude, degrees."""


class MapGround:
    """The cells of a map grid; a height does not move them.

    ``shape``, ``spacing_m`` and ``border`` are those of `Ground`; ``centre`` is a place.

    Raises
    ------
    BadProduct
        The grid's projection or transform cannot be used.
    """

    def __init__(self, grid: MapGrid) -> None:
        a, b, _, d, e, _ = grid.transform
        if not (math.isfinite(a * e - b * d) and a * e - b * d != 0.0):
            raise BadProduct(f"map grid: the transform {grid.transform} has no inverse")
        try:
            crs = CRS.from_user_input(grid.epsg if grid.epsg is not None else grid.crs_wkt)
            if crs.geodetic_crs is None:
                raise BadProduct(f"map grid: {crs.name!r} is no map of the Earth")
            self._way = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
        except (CRSError, ProjError) as error:
            raise BadProduct(f"map grid: its projection cannot be used: {error}") from error
        self.grid = grid
        self.shape = grid.shape
        self.border = BORDER
        centre = np.array([grid.shape.pixels / 2]), np.array([grid.shape.lines / 2])
        self._middle_deg = 0.0
        lon, lat = (float(v[0]) for v in self.lonlat(*centre))
        self._middle_deg = lon
        self.centre = LonLat(lon, lat)
        self.spacing_m = self._spacing(*centre)

    def _spacing(self, pixel: Values, line: Values) -> float:
        """Geometric mean of the cells' sides at the centre, m."""
        lon, lat = self.lonlat(
            np.concatenate([pixel, pixel + 1, pixel]), np.concatenate([line, line, line + 1]), 0.0
        )
        place = geodetic_to_ecef(lon, lat)
        across = float(np.linalg.norm(place[1] - place[0]))
        return math.sqrt(across * float(np.linalg.norm(place[2] - place[0])))

    def lonlat(self, pixel: Values, line: Values, height_m: float = 0.0) -> tuple[Values, Values]:
        """See `Ground.lonlat`."""
        del height_m
        a, b, c, d, e, f = self.grid.transform
        lon, lat = transformed(self._way, a * pixel + b * line + c, d * pixel + e * line + f)
        if not (np.isfinite(lon) & np.isfinite(lat)).all():
            raise BadProduct(
                f"map grid: it begins at ({c:.6g}, {f:.6g}), and reaches beyond what its "
                "projection can show"
            )
        return wrapped(lon, self._middle_deg), lat


def wrapped(lon_deg: Values, middle_deg: float) -> Values:
    """Longitudes as those within half a turn of one."""
    return (lon_deg - middle_deg + 180.0) % 360.0 - 180.0 + middle_deg


class Lattice:
    """Some smooth functions on a grid.

    Parameters
    ----------
    functions
        What they are, exactly.
    shape, spacing_m
        Of the grid.
    tolerances
        Allowed error of each function, in its unit.
    border
        Lines and pixels around the grid that are served too.

    Raises
    ------
    UsageError
        A function is not smooth enough, as longitudes are at a pole.
    """

    def __init__(
        self,
        functions: Functions,
        shape: RasterShape,
        spacing_m: float,
        tolerances: Sequence[float],
        border: int = BORDER,
    ) -> None:
        allowed = np.asarray(tolerances, np.float64)
        start = 2.0 ** math.floor(math.log2(max(1.0, _BLOCK_M / spacing_m)))
        step = int(min(_LARGEST, max(_SMALLEST, start)))
        while True:
            self._lay(functions, shape, step, border)
            self.errors = self._measure(functions)
            if (self.errors <= allowed).all():
                break
            if step == _SMALLEST:
                raise UsageError(
                    "places on this grid cannot be followed: it, or the DEM, has a pole or the "
                    "edge of its map projection there",
                    hint="use a DEM in a projection that suits the place, e.g. polar stereographic",
                )
            step //= 2

    def _lay(self, functions: Functions, shape: RasterShape, step: int, border: int) -> None:
        self.step = step
        self.first = -(-border // step) * step
        """Lines and pixels of the lattice before those of the grid."""
        rows, columns = (-(-(self.first + n + border) // step) for n in shape)
        line = (np.arange(2 * rows + 1) * 0.5) * step - self.first
        pixel = (np.arange(2 * columns + 1) * 0.5) * step - self.first
        across, down = np.meshgrid(pixel, line)
        self.nodes: Values = np.ascontiguousarray(
            np.stack([np.asarray(v, np.float64) for v in functions(across, down)])
        )

    def _measure(self, functions: Functions) -> Values:
        """Largest error of each function halfway between nodes."""
        rows, columns = (n // 2 for n in self.nodes.shape[1:])
        a = np.unique(np.linspace(0, rows - 1, min(rows, _CHECKED)).astype(int))
        b = np.unique(np.linspace(0, columns - 1, min(columns, _CHECKED)).astype(int))
        worst = np.zeros(self.nodes.shape[0])
        for p, q in ((0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)):
            across, down = np.meshgrid((b + p) * self.step, (a + q) * self.step)
            exact = np.stack(list(functions(across - self.first, down - self.first)))
            there = self._between(a, b, p, q)
            worst = np.maximum(worst, np.abs(exact - there).max(axis=(1, 2)))
        return worst

    def _between(self, a: npt.NDArray[Any], b: npt.NDArray[Any], p: float, q: float) -> Values:
        """Biquadratic values at (p, q) of the blocks a x b."""
        u = 2.0 * (q - 0.5) * (q - 1.0), 4.0 * q * (1.0 - q), 2.0 * q * (q - 0.5)
        w = 2.0 * (p - 0.5) * (p - 1.0), 4.0 * p * (1.0 - p), 2.0 * p * (p - 0.5)
        total = np.zeros((self.nodes.shape[0], a.size, b.size))
        for k in range(3):
            for m in range(3):
                total += u[k] * w[m] * self.nodes[:, 2 * a[:, None] + k, 2 * b + m]
        return total

    def window(self, window: Window) -> Values:
        """Values at the cells of a window, shape (functions, lines, pixels), float64.

        Raises
        ------
        ValueError
            The window reaches beyond the grid's border.
        """
        from alos2.ard.terrain.terrainkernels import lattice_window  # noqa: PLC0415  numba comes late

        line, pixel = window.line + self.first, window.pixel + self.first
        rows, columns = (self.step * (n // 2) for n in self.nodes.shape[1:])
        if line < 0 or pixel < 0 or line + window.lines > rows or pixel + window.pixels > columns:
            raise ValueError(f"{window} reaches too far beyond the grid")
        out = np.empty((self.nodes.shape[0], window.lines, window.pixels))
        lattice_window(self.nodes, self.step, line, pixel, out)
        return out

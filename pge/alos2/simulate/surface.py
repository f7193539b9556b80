"""The relief over a slant-range image: where each point of the surface is seen.

Points are named by the line and pixel at which the ellipsoid at a reference height below (or
above) them is seen. Whatever depends smoothly on line and pixel is computed exactly at nodes, some
200 m apart, at three heights, and is bilinear between nodes and quadratic in height: to a
hundredth of a metre.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alos2.geometry.ellipsoid import geodetic_to_ecef, up_vector
from alos2.geometry.orbit import Floats
from alos2.geometry.rangedoppler import incidence_deg, rdr2geo
from alos2.simulate.ground import Ground, Heights
from alos2.simulate.scene import Swath

_NODE_M: Final = 200.0


class Points(NamedTuple):
    """Points of the surface; arrays of shape (lines, pixels)."""

    east_m: Floats
    """On the ground's plane."""
    north_m: Floats
    height_m: Floats
    line: Floats
    """Where the point is seen."""
    pixel: Floats
    position_m: tuple[Floats, Floats, Floats]
    """Earth-fixed x, y, z from the origin of the surface."""


class Surface:
    """Points of a relief, as a slant-range image names and sees them.

    Parameters
    ----------
    swath
        The image.
    ground
        Whose plane the heights are on.
    heights
        Of the surface above the ellipsoid.
    """

    def __init__(self, swath: Swath, ground: Ground, heights: Heights) -> None:
        self.swath = swath
        self._heights = heights
        self._base_m = 0.5 * (heights.lowest_m + heights.highest_m)
        self._reach_m = max(0.5 * (heights.highest_m - heights.lowest_m), 1.0)
        line, pixel = swath.middle
        along, across = _steps_m(swath, line, pixel)
        theta = math.radians(float(
            incidence_deg(swath.orbit, swath.time_s(line), swath.range_m(pixel), swath.look)
        ))  # fmt: skip
        # What is this far away by range may be laid over the image or throw a shadow into it.
        margin_m = 1.2 * 2.0 * self._reach_m / math.cos(min(theta, 1.3))
        self.margin_pixels = math.ceil(margin_m / swath.range_spacing_m) + 2
        self.margin_lines = math.ceil(0.02 * self._reach_m / along) + 2
        self._rows = _axis(-self.margin_lines, swath.shape.lines - 1 + self.margin_lines, along)
        self._columns = _axis(
            -self.margin_pixels, swath.shape.pixels - 1 + self.margin_pixels, across
        )
        self._fields = self._at_nodes(ground)

    def _at_nodes(self, ground: Ground) -> Floats:
        """Plane, position, upwards, and by how much height shifts line and pixel."""
        swath, base = self.swath, self._base_m
        row, column = np.meshgrid(self._rows, self._columns, indexing="ij")
        lon, lat = swath.lonlat(row, column, base)
        position = geodetic_to_ecef(lon, lat, base)
        self.origin_m = position.reshape(-1, 3).mean(axis=0)
        fields = [*ground.plane.xy(lon, lat)]
        fields += [*np.moveaxis(position - self.origin_m, -1, 0)]
        fields += [*np.moveaxis(up_vector(lon, lat), -1, 0)]
        low = swath.line_pixel(lon, lat, base - self._reach_m)
        high = swath.line_pixel(lon, lat, base + self._reach_m)
        # The parabola through (-1, low), (0, 0), (1, high): slope and bend.
        for below, here, above in zip(low, (row, column), high, strict=True):
            fields += [0.5 * (above - below), 0.5 * (below + above) - here]
        return np.stack(fields)

    def points(self, rows: Floats, columns: Floats) -> Points:
        """Give the points that stand over some lines and pixels.

        Parameters
        ----------
        rows, columns : ndarray, shape (lines,) and (pixels,)
            Within the image and its margins.
        """
        upper, down = _between(self._rows, rows)
        left, across = _between(self._columns, columns)
        at_rows = (
            self._fields[:, upper] * (1.0 - down)[:, np.newaxis]
            + self._fields[:, upper + 1] * down[:, np.newaxis]
        )
        # A take and not an index: that would give arrays whose lines do not lie together.
        fields = np.take(np.diff(at_rows, axis=2), left, axis=2)
        fields *= across
        fields += np.take(at_rows, left, axis=2)
        x, y, px, py, pz, ux, uy, uz, line1, line2, pixel1, pixel2 = fields
        height = self._heights(x, y)
        lift = height - self._base_m
        part = lift / self._reach_m
        line = rows[:, np.newaxis] + part * (line1 + part * line2)
        pixel = columns + part * (pixel1 + part * pixel2)
        position = (px + lift * ux, py + lift * uy, pz + lift * uz)
        return Points(x, y, height, line, pixel, position)


def sigma0_factor(swath: Swath, line: Floats, pixel: Floats) -> Floats:
    """Sigma nought that a square metre of projected area, of gamma nought 1, makes in a cell.

    The sine of the incidence on the ellipsoid (at height 0, as JAXA calibrates) over the area of
    the cell in the slant plane.
    """
    angle = np.radians(
        incidence_deg(swath.orbit, swath.time_s(line), swath.range_m(pixel), swath.look)
    )
    along = [
        geodetic_to_ecef(*rdr2geo(swath.orbit, swath.time_s(line + shift), swath.range_m(pixel),
                                  look=swath.look))
        for shift in (-0.5, 0.5)
    ]  # fmt: skip
    length = np.linalg.norm(along[1] - along[0], axis=-1)
    return np.asarray(np.sin(angle) / (swath.range_spacing_m * length))


def _steps_m(swath: Swath, line: float, pixel: float) -> tuple[float, float]:
    """Metres on the ground from line to line and from pixel to pixel."""
    lines = line + np.array([0.0, 1.0, 0.0])
    pixels = pixel + np.array([0.0, 0.0, 1.0])
    places = geodetic_to_ecef(*swath.lonlat(lines, pixels))
    along, across = (float(np.linalg.norm(places[k] - places[0])) for k in (1, 2))
    return along, across


def _axis(first: float, last: float, step_m: float) -> Floats:
    """Places of the nodes along one axis."""
    count = max(2, math.ceil((last - first) * step_m / _NODE_M) + 1)
    return np.linspace(first, last, count)


def _between(nodes: Floats, places: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Node before each place, and how far on it is to the next."""
    where = (places - nodes[0]) / (nodes[1] - nodes[0])
    before = np.clip(where.astype(np.intp), 0, nodes.size - 2)
    return before, where - before

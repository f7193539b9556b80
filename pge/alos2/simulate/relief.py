"""Images of a ground with relief, before speckle: in slant range and on maps."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alos2.geometry.orbit import Floats
from alos2.geometry.rangedoppler import geo2rdr
from alos2.simulate.changes import Paint
from alos2.simulate.facets import covering, projected_power, radar_sigma0
from alos2.simulate.ground import Heights
from alos2.simulate.maps import Grid
from alos2.simulate.nodes import NodeGrid
from alos2.simulate.scene import Scene, Swath, line_spacing_m
from alos2.types import Polarization, RasterShape

FLOOR: Final = 1e-6
"""Sigma nought that everything has at least, shadow too (-60 dB): what is 0 means no data."""


class Relief:
    """What the radar sees of the relief, computed when it is first asked for.

    All polarisations of an image are made at once, and kept: 4 bytes for each sample of level 1.1,
    or for each cell of about a pixel's size of the other levels.

    Parameters
    ----------
    scene
        As planned, with a terrain.
    heights
        Of its surface.
    """

    def __init__(self, scene: Scene, heights: Heights) -> None:
        self.scene = scene
        self.heights = heights
        self._swaths: dict[int, Swath] = {}
        self._images: dict[int, NDArray[np.float32]] = {}

    def slant(self, swath: Swath, polarization: Polarization) -> NDArray[np.float32]:
        """Sigma nought of a slant-range image, linear, shape as the swath's."""
        scene, images = self.scene, self._images.get(id(swath))
        if images is None:
            ground = scene.ground
            paints = [
                Paint(ground, ground.sigma0_table(each), scene.changes, each)
                for each in scene.spec.all_polarizations
            ]
            images = radar_sigma0(swath, ground, self.heights, paints)
            images += np.float32(FLOOR)
            self._swaths[id(swath)] = swath  # kept, so that its id stays its own
            self._images[id(swath)] = images
        image: NDArray[np.float32] = images[scene.spec.all_polarizations.index(polarization)]
        return image

    def gamma0(self, polarization: Polarization) -> NDArray[np.float32]:
        """Terrain-flattened gamma nought in the `cells` of a map; 0 in shadow.

        Where the surface is laid over itself it is the mean by projected area.
        """
        number = 1 + self.scene.spec.all_polarizations.index(polarization)
        image: NDArray[np.float32] = self._flattened()[number]
        return image

    def coverage(self) -> NDArray[np.float32]:
        """How often each of the `cells` is covered by surface in sight."""
        image: NDArray[np.float32] = self._flattened()[0]
        return image

    def _flattened(self) -> NDArray[np.float32]:
        if -2 not in self._images:
            scene, ground, cells = self.scene, self.scene.ground, self.cells()
            paints = [
                Paint(ground, ground.sigma0_table(each), scene.changes, each)
                for each in scene.spec.all_polarizations
            ]
            power = projected_power(cells, ground, self.heights, [_one, *paints])
            power[1:] /= np.maximum(power[0], np.float32(1e-3))
            power[0] = covering(cells, ground, self.heights)
            self._images[-2] = power
        return self._images[-2]

    def cells(self) -> Swath:
        """Give the slant-range image from which a map is made, its cells no larger than pixels."""
        whole = self.scene.swaths[0]
        if -1 not in self._swaths:
            spacing = self.scene.spec.spacing
            along = max(1, math.floor(spacing / line_spacing_m(whole)))
            sine = math.sin(math.radians(self.scene.incidence_deg))
            across = max(1, math.floor(spacing * sine / whole.range_spacing_m))
            self._swaths[-1] = coarser(whole, along, across)
        return self._swaths[-1]


def _one(x_m: NDArray[np.float32], _: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ones_like(x_m)


def coarser(swath: Swath, along: int, across: int) -> Swath:
    """Give the image of the same times and ranges in cells of several lines and pixels."""
    lines = max(2, round((swath.shape.lines - 1) / along) + 1)
    pixels = max(2, round((swath.shape.pixels - 1) / across) + 1)
    return replace(
        swath,
        line_interval_s=swath.line_interval_s * (swath.shape.lines - 1) / (lines - 1),
        range_spacing_m=swath.range_spacing_m * (swath.shape.pixels - 1) / (pixels - 1),
        shape=RasterShape(lines, pixels),
    )


class MapPlaces:
    """Where the pixels of a map lie in a slant-range image.

    Parameters
    ----------
    scene
        With a grid.
    swath
        The slant-range image.
    heights
        Of the surface on which the map lies; None: the ellipsoid itself.
    """

    def __init__(self, scene: Scene, grid: Grid, swath: Swath, heights: Heights | None) -> None:
        self._heights = heights
        low, high = (0.0, 0.0) if heights is None else (heights.lowest_m, heights.highest_m)
        self._middle_m, self._reach_m = 0.5 * (low + high), max(0.5 * (high - low), 1.0)

        def places(line: Floats, pixel: Floats) -> tuple[Floats, ...]:
            lon, lat = grid.lonlat(line, pixel)
            at = []
            for step in (0.0, -self._reach_m, self._reach_m):
                t, r = geo2rdr(swath.orbit, lon, lat, self._middle_m + step)
                at.append((t - swath.first_line_s) / swath.line_interval_s)
                at.append((r - swath.near_range_m) / swath.range_spacing_m)
            return (*scene.ground.plane.xy(lon, lat), *at)

        self._nodes = NodeGrid(grid.shape, places)

    def strip(self, first_line: int, lines: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Line and pixel in the slant-range image, for some whole lines of the map."""
        x, y, line, pixel, line_low, pixel_low, line_high, pixel_high = self._nodes.strip(
            first_line, lines
        )
        if self._heights is None:
            return line, pixel
        heights = self._heights(x.astype(np.float64), y.astype(np.float64))
        part = ((heights - self._middle_m) / self._reach_m).astype(np.float32)
        half = np.float32(0.5)
        return (
            _parabola(line, line_low, line_high, part, half),
            _parabola(pixel, pixel_low, pixel_high, part, half),
        )


def _parabola(
    middle: NDArray[np.float32],
    low: NDArray[np.float32],
    high: NDArray[np.float32],
    part: NDArray[np.float32],
    half: np.float32,
) -> NDArray[np.float32]:
    """Value at `part` of the parabola through -1, 0 and 1."""
    bend = half * (high + low) - middle
    return np.asarray(middle + part * (half * (high - low) + part * bend))


def bilinear(
    image: NDArray[np.float32], line: NDArray[np.float32], pixel: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Values between the centres of four pixels; beyond the edge those of the edge."""
    lines, pixels = image.shape
    row, column = np.clip(line, 0.0, lines - 1.0), np.clip(pixel, 0.0, pixels - 1.0)
    top = np.minimum(row.astype(np.intp), lines - 2)
    left = np.minimum(column.astype(np.intp), pixels - 2)
    down, across = row - top.astype(np.float32), column - left.astype(np.float32)
    upper = image[top, left] * (1.0 - across) + image[top, left + 1] * across
    lower = image[top + 1, left] * (1.0 - across) + image[top + 1, left + 1] * across
    return np.asarray(upper * (1.0 - down) + lower * down, dtype=np.float32)

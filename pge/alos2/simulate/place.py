"""Placing a map grid so that the data fill it: geocoded and georeferenced products.

A geocoded raster is the box of the data's quadrilateral on a north-up map; a georeferenced one is
turned along the track and full of data. Its first line and pixel are chosen so that the image is
seen as on a map (north roughly up, no mirror): against the flight on ascending, with it on
descending passes. How JAXA's georeferenced images are turned is a guess.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from alos2.geometry.orbit import Floats
from alos2.geometry.rangedoppler import geo2rdr, rdr2geo
from alos2.simulate.maps import Grid, frame_for
from alos2.simulate.orbit import SimulatedOrbit
from alos2.simulate.spec import SimulationSpec

_LARGEST_ASPECT: Final = 6.0
"""Longest data rectangle, along to across, with which a box is filled to all four sides."""

Rectangle = tuple[float, float, float, float]
"""Start, end (s since the orbit's epoch), near range, far range (m)."""


def place_grid(spec: SimulationSpec, flight: SimulatedOrbit) -> tuple[Grid, Rectangle]:
    """Grid of the image and the rectangle of the data on it.

    Raises
    ------
    UsageError
        If the projection does not go with the latitude.
    BadProduct
        If the grid reaches beyond what the orbit sees.
    """
    frame = frame_for(spec.projection, spec.lon_deg, spec.lat_deg)
    step = spec.spacing
    if spec.option == "G":
        across, down = (step, 0.0), (0.0, -step)
    else:
        angle = _track_angle(spec, flight)
        # Down points backwards on ascending passes; across is down turned to the left: no mirror.
        backwards = spec.pass_direction == "A"  # noqa: S105
        turn = angle + math.pi if backwards else angle
        down = (step * math.sin(turn), step * math.cos(turn))
        across = (-down[1], down[0])
    easting, northing = frame.forward(spec.lon_deg, spec.lat_deg)
    row, column = spec.lines // 2, spec.pixels // 2
    if spec.level == "2.2":  # pixels' centres at multiples of the spacing
        easting, northing = (step * np.rint(value / step) for value in (easting, northing))
    origin = (
        float(easting) - across[0] * column - down[0] * row,
        float(northing) - across[1] * column - down[1] * row,
    )
    grid = Grid(frame, spec.shape, origin, across, down)
    return grid, _fill(spec, flight, grid) if spec.option == "G" else _cover(flight, grid)


def _track_angle(spec: SimulationSpec, flight: SimulatedOrbit) -> float:
    """Direction of flight on the map at the centre, rad clockwise from grid north."""
    frame = frame_for(spec.projection, spec.lon_deg, spec.lat_deg)
    t, r = geo2rdr(flight.orbit, spec.lon_deg, spec.lat_deg, spec.image_height_m)
    lon, lat = rdr2geo(
        flight.orbit, t + np.array([-0.05, 0.05]), r, look=spec.look, height_m=spec.image_height_m
    )
    easting, northing = frame.forward(lon, lat)
    return math.atan2(float(np.diff(easting)[0]), float(np.diff(northing)[0]))


def _cover(flight: SimulatedOrbit, grid: Grid) -> Rectangle:
    """All times and ranges of the raster (its edges are nearly straight in both)."""
    edge = np.linspace(0.0, 1.0, 9)
    low, high = np.zeros(9), np.ones(9)
    rows = np.concatenate([edge, edge, low, high])
    columns = np.concatenate([low, high, edge, edge])
    lon, lat = grid.lonlat(rows * (grid.shape.lines - 1), columns * (grid.shape.pixels - 1))
    t, r = geo2rdr(flight.orbit, lon, lat)
    return float(t.min()), float(t.max()), float(r.min()), float(r.max())


def _fill(spec: SimulationSpec, flight: SimulatedOrbit, grid: Grid) -> Rectangle:
    """Find the rectangle whose quadrilateral touches all four sides of the raster.

    Four unknowns (start, end, near, far), four sides: Newton's method. Where the track lies so
    obliquely on the map that this would be a splinter, the largest square in the middle.
    """
    height = spec.image_height_m
    t0, r0 = (float(v) for v in geo2rdr(flight.orbit, spec.lon_deg, spec.lat_deg, height))
    # Image pixels by a second and by a metre of slant range, at the centre.
    lon, lat = rdr2geo(
        flight.orbit, t0 + np.array([0.0, 0.1, 0.0]), r0 + np.array([0.0, 0.0, 100.0]),
        look=spec.look, height_m=height,
    )  # fmt: skip
    rows, columns = grid.line_pixel(lon, lat)
    by_time = np.array([columns[1] - columns[0], rows[1] - rows[0]]) / 0.1
    by_range = np.array([columns[2] - columns[0], rows[2] - rows[0]]) / 100.0
    wanted = np.array([grid.shape.pixels - 1.0, grid.shape.lines - 1.0])
    box = np.abs(np.stack([by_time, by_range], axis=1))
    along_px, across_px = float(np.hypot(*by_time)), float(np.hypot(*by_range))
    halves = np.full(2, -1.0)
    if abs(np.linalg.det(box)) > 1e-3 * along_px * across_px:
        halves = 0.5 * np.linalg.solve(box, wanted)
    aspect = halves[0] * along_px / max(halves[1] * across_px, 1e-9)
    if halves.min() <= 0.0 or not 1.0 / _LARGEST_ASPECT <= aspect <= _LARGEST_ASPECT:
        side = float((wanted / (box @ np.array([1.0 / along_px, 1.0 / across_px]))).min())
        half_t, half_r = 0.49 * side / along_px, 0.49 * side / across_px
        return t0 - half_t, t0 + half_t, r0 - half_r, r0 + half_r
    start = np.array([t0 - halves[0], t0 + halves[0], r0 - halves[1], r0 + halves[1]])
    return _touch(spec, flight, grid, start)


def _touch(
    spec: SimulationSpec, flight: SimulatedOrbit, grid: Grid, rectangle: Floats
) -> Rectangle:
    """Newton's method on the four sides of the box of the quadrilateral."""
    target = np.array([0.0, grid.shape.pixels - 1.0, 0.0, grid.shape.lines - 1.0])
    steps = np.array([1e-3, 1e-3, 10.0, 10.0])
    for _ in range(4):
        box = _box(spec, flight, grid, rectangle)
        slopes = [
            (_box(spec, flight, grid, rectangle + steps * unit) - box) / steps[k]
            for k, unit in enumerate(np.eye(4))
        ]
        rectangle = rectangle + np.linalg.solve(np.stack(slopes, axis=1), target - box)
    start, end, near, far = (float(v) for v in rectangle)
    return start, end, near, far


def _box(spec: SimulationSpec, flight: SimulatedOrbit, grid: Grid, rectangle: Floats) -> Floats:
    """Least and largest pixel, least and largest line of the quadrilateral's corners."""
    start, end, near, far = rectangle
    lon, lat = rdr2geo(
        flight.orbit,
        np.array([start, start, end, end]),
        np.array([near, far, far, near]),
        look=spec.look,
        height_m=spec.image_height_m,
    )
    rows, columns = grid.line_pixel(lon, lat)
    return np.array([columns.min(), columns.max(), rows.min(), rows.max()])

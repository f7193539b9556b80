"""How a relief looks to the radar: facets of the surface, summed up where they are seen.

The surface is cut into facets, three by two to a cell of level ground, along lines of one
zero-Doppler time. Each facet gives its power (gamma nought times its area as seen from the
satellite) to the cells that it covers in time and slant range, in parts by length. So
foreshortened slopes are bright, layover adds up, and nothing is lost or made. What lies behind a
nearer point of its own line, seen from the satellite, is in shadow and gives nothing.

The beta nought of a cell is that sum over the cell's area in the slant plane: the forward way of
what D. Small, "Flattening Gamma: Radiometric Terrain Correction for SAR Imagery", IEEE TGRS 49
(2011), undoes. Here it is done with vectors on true positions and none of the package's code for
flattening.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from alos2.geometry.orbit import Floats
from alos2.simulate.ground import Ground, Heights
from alos2.simulate.nodes import NodeGrid
from alos2.simulate.scene import Swath
from alos2.simulate.surface import Points, Surface, sigma0_factor

LINE_FACETS: Final = 2
"""Facets to a line."""
PIXEL_FACETS: Final = 3
"""Facets to a pixel of level ground."""
_BLOCK_FACETS: Final = 100_000
"""Facets that are worked on at a time: bounds the memory."""

Gamma0: TypeAlias = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]
"""Gamma nought by metres east and north on the ground's plane."""


class Facets(NamedTuple):
    """A block of facets; arrays of one shape."""

    east_m: Floats
    """Of the middles, on the ground's plane."""
    north_m: Floats
    area_m2: Floats
    """As seen from the satellite, what is in shadow left out."""
    first_line: Floats
    """Where the facet begins and ends in the image."""
    last_line: Floats
    first_pixel: Floats
    last_pixel: Floats


def facets(swath: Swath, ground: Ground, heights: Heights) -> Iterator[Facets]:
    """Cut the relief in and round an image into facets, block by block of lines.

    Parameters
    ----------
    swath
        The image.
    ground
        Whose plane the heights are on.
    heights
        Of the surface above the ellipsoid.
    """
    surface = Surface(swath, ground, heights)
    columns = _edges(surface.margin_pixels, swath.shape.pixels, PIXEL_FACETS)
    rows = _edges(surface.margin_lines, swath.shape.lines, LINE_FACETS)
    step = max(1, _BLOCK_FACETS // columns.size)
    for first in range(0, rows.size - 1, step):
        part = rows[first : first + step + 1]
        yield _block(surface, surface.points(part, columns), part)


def _edges(margin: int, count: int, parts: int) -> Floats:
    """Edges of facets: those of cells are among them."""
    cells = count + 2 * margin - 2
    return -margin + 0.5 + np.arange(cells * parts + 1) / parts


def _block(surface: Surface, points: Points, rows: Floats) -> Facets:
    swath = surface.swath
    satellites, _ = swath.orbit.interpolate(swath.time_s(rows))
    area = _areas(points, satellites, surface.origin_m)
    seen = _lit(points, satellites, surface.origin_m)
    area *= 0.5 * (seen[1:] + seen[:-1])
    lines = 0.5 * (points.line[:, 1:] + points.line[:, :-1])
    pixels = 0.5 * (points.pixel[1:] + points.pixel[:-1])
    return Facets(
        _middles(points.east_m),
        _middles(points.north_m),
        area,
        np.minimum(lines[1:], lines[:-1]),
        np.maximum(lines[1:], lines[:-1]),
        np.minimum(pixels[:, 1:], pixels[:, :-1]),
        np.maximum(pixels[:, 1:], pixels[:, :-1]),
    )


def _areas(points: Points, satellites: Floats, origin_m: Floats) -> Floats:
    """Areas of the facets as seen from the satellite, m^2; 0 of those turned away.

    Half the cross product of a facet's diagonals, along the line of sight.
    """
    one = [p[1:, 1:] - p[:-1, :-1] for p in points.position_m]
    other = [p[:-1, 1:] - p[1:, :-1] for p in points.position_m]
    middle = [_middles(p) for p in points.position_m]
    away = [
        (0.5 * (satellites[1:, axis] + satellites[:-1, axis]) - origin_m[axis])[:, np.newaxis]
        - middle[axis]
        for axis in range(3)
    ]
    area = upwards = distance = np.zeros(())
    for x in range(3):
        y, z = (x + 1) % 3, (x + 2) % 3
        normal = 0.5 * (one[y] * other[z] - one[z] * other[y])
        area = area + normal * away[x]
        # Whichever way round the corners go: upwards is away from the Earth's centre.
        upwards = upwards + normal * (middle[x] + origin_m[x])
        distance = distance + away[x] ** 2
    seen: Floats = np.maximum(np.where(upwards < 0.0, -area, area), 0.0)
    seen /= np.sqrt(distance)
    return seen


def _middles(corners: Floats) -> Floats:
    return np.asarray(
        0.25 * (corners[1:, 1:] + corners[:-1, :-1] + corners[:-1, 1:] + corners[1:, :-1])
    )


def _lit(points: Points, satellites: Floats, origin_m: Floats) -> Floats:
    """Part of each side between neighbours of a line that the satellite sees, 0 to 1.

    A sweep from near to far: a point is seen if its angle from the vertical below the satellite is
    larger than those of all nearer points. The tangent of the angle serves as well.
    """
    down = -satellites / np.linalg.norm(satellites, axis=-1)[:, np.newaxis]
    depth = square = np.zeros(())
    for axis, place in enumerate(points.position_m):
        ray = place - (satellites[:, axis] - origin_m[axis])[:, np.newaxis]
        depth = depth + ray * down[:, axis, np.newaxis]
        square = square + ray**2
    slope = np.sqrt(np.maximum(square - depth**2, 0.0)) / depth
    horizon = np.maximum.accumulate(slope, axis=1)[:, :-1]
    rise = slope[:, 1:] - slope[:, :-1]
    above = slope[:, 1:] - np.maximum(horizon, slope[:, :-1])
    part: Floats = np.clip(above / np.where(rise > 0.0, rise, 1.0), 0.0, 1.0)
    part *= rise > 0.0
    return part


def radar_sigma0(
    swath: Swath, ground: Ground, heights: Heights, gamma0: Sequence[Gamma0]
) -> NDArray[np.float32]:
    """Sigma nought of a relief in slant range, as JAXA's calibration defines it.

    Parameters
    ----------
    swath
        The image.
    ground
        Whose plane the heights are on.
    heights
        Of the surface above the ellipsoid.
    gamma0
        Terrain-flattened gamma nought of the ground, one function for each image wanted.

    Returns
    -------
    ndarray, shape (images, lines, pixels), float32
        Linear, without speckle; 0 in shadow.
    """
    image = projected_power(swath, ground, heights, gamma0)
    nodes = NodeGrid(swath.shape, lambda row, column: [sigma0_factor(swath, row, column)])
    for first in range(0, swath.shape.lines, 256):
        lines = min(256, swath.shape.lines - first)
        image[:, first : first + lines] *= nodes.strip(first, lines)[0]
    return image


def projected_power(
    swath: Swath, ground: Ground, heights: Heights, gamma0: Sequence[Gamma0]
) -> NDArray[np.float32]:
    """Gamma nought times projected area of all facets, by the cells in which they are seen, m^2."""
    image = np.zeros((len(gamma0), *swath.shape), dtype=np.float32)
    for block in facets(swath, ground, heights):
        x, y = block.east_m.astype(np.float32), block.north_m.astype(np.float32)
        weights = [block.area_m2 * function(x, y) for function in gamma0]
        _add(image, block, weights)
    return image


def covering(swath: Swath, ground: Ground, heights: Heights) -> NDArray[np.float32]:
    """How many times each cell is covered by surface that the satellite sees.

    1 on open ground; 0 where only shadow lies; 2 and more where the surface is laid over itself.

    Returns
    -------
    ndarray, shape (lines, pixels), float32
    """
    image = np.zeros((1, *swath.shape), dtype=np.float32)
    for block in facets(swath, ground, heights):
        cells = (block.last_line - block.first_line) * (block.last_pixel - block.first_pixel)
        _add(image, block, [np.where(block.area_m2 > 0.0, cells, 0.0)])
    plane: NDArray[np.float32] = image[0]
    return plane


def _add(image: NDArray[np.float32], block: Facets, weights: Sequence[Floats]) -> None:
    """Share the facets' power among the cells that they cover."""
    top, line_shares = _shares(block.first_line, block.last_line)
    left, pixel_shares = _shares(block.first_pixel, block.last_pixel)
    _, lines, pixels = image.shape
    low = max(int(top.min()), 0)
    high = min(int(top.max()) + len(line_shares), lines)
    if high <= low:
        return
    for down, line_share in enumerate(line_shares):
        row = top + (down - low)
        in_line = (line_share > 0.0) & (row >= 0) & (row < high - low)
        for across, pixel_share in enumerate(pixel_shares):
            column = left + across
            there = np.flatnonzero(
                in_line & (pixel_share > 0.0) & (column >= 0) & (column < pixels)
            )
            where = row.ravel()[there] * pixels + column.ravel()[there]
            share = line_share.ravel()[there] * pixel_share.ravel()[there]
            for plane, weight in zip(image, weights, strict=True):
                part = weight.ravel()[there] * share
                sums = np.bincount(where, part, minlength=(high - low) * pixels)
                plane[low:high] += sums.reshape(high - low, pixels).astype(np.float32)


def _shares(first: Floats, last: Floats) -> tuple[NDArray[np.intp], list[Floats]]:
    """First cell that lengths from `first` to `last` touch, and the parts in it and those beyond.

    Cells are centred on whole numbers.
    """
    start = np.floor(first + 0.5).astype(np.intp)
    length = np.maximum(last - first, 1e-9)
    last = first + length
    count = int(np.max(np.floor(last + 0.5).astype(np.intp) - start)) + 1
    parts = []
    for number in range(count):
        edge = start + (number - 0.5)
        covered = np.minimum(last, edge + 1.0) - np.maximum(first, edge)
        parts.append(np.maximum(covered, 0.0) / length)
    return start, parts

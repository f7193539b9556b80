"""Compiled loops of the terrain: lattices, heights, range-Doppler and angles at each cell.

All of them calculate each cell alone, as it is written: what comes out does not depend on where
windows are cut.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from alos2.raster.jit import exact_kernel

_ON_CENTRE: Final = 2e-3


@exact_kernel
def lattice_row(nodes: Any, step: int, line: int, pixel: int, out: Any) -> None:
    """Evaluate smooth functions along a part of one line of a grid.

    Parameters
    ----------
    nodes : float64 (k, 2 n + 1, 2 m + 1)
        Values of k functions at the corners, edges' middles and middles of n x m blocks.
    step
        Lines and pixels of a block.
    line, pixel
        Of the first value: 0-based from the first block's first; values are of pixel centres.
    out : float64 (k, pixels)
        Written: biquadratic in each block (Lagrange).
    """
    size = out.shape[1]
    a = line // step
    q = (line - a * step + 0.5) / step
    q0, q1, q2 = 2.0 * (q - 0.5) * (q - 1.0), 4.0 * q * (1.0 - q), 2.0 * q * (q - 0.5)
    for k in range(out.shape[0]):
        i = 0
        while i < size:
            b = (pixel + i) // step
            last = min(size, (b + 1) * step - pixel)
            u0 = (
                q0 * nodes[k, 2 * a, 2 * b]
                + q1 * nodes[k, 2 * a + 1, 2 * b]
                + q2 * nodes[k, 2 * a + 2, 2 * b]
            )
            u1 = (
                q0 * nodes[k, 2 * a, 2 * b + 1]
                + q1 * nodes[k, 2 * a + 1, 2 * b + 1]
                + q2 * nodes[k, 2 * a + 2, 2 * b + 1]
            )
            u2 = (
                q0 * nodes[k, 2 * a, 2 * b + 2]
                + q1 * nodes[k, 2 * a + 1, 2 * b + 2]
                + q2 * nodes[k, 2 * a + 2, 2 * b + 2]
            )
            c1, c2 = 4.0 * u1 - 3.0 * u0 - u2, 2.0 * (u0 - 2.0 * u1 + u2)
            for n in range(i, last):
                p = (pixel + n - b * step + 0.5) / step
                out[k, n] = u0 + p * (c1 + p * c2)
            i = last


@exact_kernel
def lattice_window(nodes: Any, step: int, line: int, pixel: int, out: Any) -> None:
    """Evaluate smooth functions in a window: ``lattice_row`` for `out` (k, lines, pixels)."""
    for j in range(out.shape[1]):
        lattice_row(nodes, step, line + j, pixel, out[:, j])


@exact_kernel
def sample_heights(
    patch: Any, first_row: int, first_column: int, columns: int, rows: int, at: Any, out: Any
) -> None:
    """Sample a raster bilinearly.

    Parameters
    ----------
    patch : float32 (height, width)
        Part of the raster; NaN where it has holes.
    first_row, first_column
        Of the patch within the raster.
    columns, rows
        Size of the raster; 0 columns: it goes round the Earth, and has no left and right edge.
    at : float64 (2, lines, pixels)
        Column and row, from the raster's corner: the first pixel's centre is (0.5, 0.5).
    out : float32 (lines, pixels)
        Written; NaN outside of the raster and where one of the pixels around is a hole.
    """
    height, width = patch.shape
    for j in range(out.shape[0]):
        for i in range(out.shape[1]):
            x, y = at[0, j, i] - 0.5, at[1, j, i] - 0.5
            out[j, i] = np.nan
            if not (-0.5 <= y <= rows - 0.5):
                continue
            y = min(max(y, 0.0), rows - 1.0)
            if columns:
                if not (-0.5 <= x <= columns - 0.5):
                    continue
                x = min(max(x, 0.0), columns - 1.0)
            column, row = math.floor(x), math.floor(y)
            p, q = x - column, y - row
            # Places are right to a few thousandths of a pixel: nearer to a centre they are on it,
            # so that a grid which is the raster's own has the raster's own holes.
            if p > 1.0 - _ON_CENTRE:
                column, p = column + 1, 0.0
            if q > 1.0 - _ON_CENTRE:
                row, q = row + 1, 0.0
            p, q = p * (p > _ON_CENTRE), q * (q > _ON_CENTRE)
            column, row = column - first_column, row - first_row
            # A neighbour of weight 0 is not asked for: it may be a hole, or beyond the edge.
            right, below = column + (p > 0.0), row + (q > 0.0)
            if column < 0 or row < 0 or right >= width or below >= height:
                continue
            upper = (1.0 - p) * patch[row, column] + p * patch[row, right]
            lower = (1.0 - p) * patch[below, column] + p * patch[below, right]
            out[j, i] = (1.0 - q) * upper + q * lower


@exact_kernel
def _state(coefficients: Any, u: float, scale: float) -> Any:
    """Position, velocity and acceleration of an orbit's polynomial in u = (t - centre) / scale."""
    n = coefficients.shape[0]
    x, y, z = coefficients[n - 1, 0], coefficients[n - 1, 1], coefficients[n - 1, 2]
    vx = vy = vz = ax = ay = az = 0.0
    for k in range(n - 2, -1, -1):
        ax, ay, az = ax * u + vx, ay * u + vy, az * u + vz
        vx, vy, vz = vx * u + x, vy * u + y, vz * u + z
        x = x * u + coefficients[k, 0]
        y = y * u + coefficients[k, 1]
        z = z * u + coefficients[k, 2]
    f = 2.0 / (scale * scale)
    return x, y, z, vx / scale, vy / scale, vz / scale, f * ax, f * ay, f * az


@exact_kernel
def solve_cells(
    ground: Any,
    heights: Any,
    coefficients: Any,
    centre: float,
    scale: float,
    side: float,
    radius: float,
    radar: Any,
    angles: Any,
) -> None:
    """Solve the range-Doppler equations at each cell, and find its angles.

    Parameters
    ----------
    ground : float64 (7, lines + 2, pixels + 2)
        Of each cell and a border of one: Earth-fixed position at height 0, m; the ellipsoid's
        normal; a first guess of the zero-Doppler time, s.
    heights : float32 (lines + 2, pixels + 2)
        Above the ellipsoid, m.
    coefficients, centre, scale
        Of the orbit's polynomial: (n, 3), of rising powers of (t - centre) / scale.
    side
        1 for a right-looking antenna, -1 for a left-looking one.
    radius
        Of the Earth's curvature, m.
    radar : float64 (3, lines, pixels)
        Written: zero-Doppler time, slant range, and slant range of the place at height 0 that is
        straight below in the zero-Doppler plane.
    angles : float32 (5, lines, pixels)
        Written, radians: incidence at height 0 at the same slant range, incidence at the cell,
        local incidence, slope in range (positive where the ground rises away from the radar),
        slope in azimuth (positive where it rises along the flight).
    """
    for j in range(radar.shape[1]):
        for i in range(radar.shape[2]):
            radar[:, j, i] = np.nan
            angles[:, j, i] = np.nan
            h = float(heights[j + 1, i + 1])
            if math.isnan(h):
                continue
            nx, ny, nz = ground[3, j + 1, i + 1], ground[4, j + 1, i + 1], ground[5, j + 1, i + 1]
            x = ground[0, j + 1, i + 1] + h * nx
            y = ground[1, j + 1, i + 1] + h * ny
            z = ground[2, j + 1, i + 1] + h * nz
            # One step of Newton's method: the guess, of the place at height 0, is good to some
            # milliseconds, and the step leaves 1e-6 / s of their square.
            t = ground[6, j + 1, i + 1]
            sx, sy, sz, vx, vy, vz, ax, ay, az = _state(coefficients, (t - centre) / scale, scale)
            bx, by, bz = x - sx, y - sy, z - sz
            excess = bx * vx + by * vy + bz * vz
            slope = bx * ax + by * ay + bz * az - (vx * vx + vy * vy + vz * vz)
            d = -excess / slope
            t += d
            sx, sy, sz = (
                sx + d * (vx + 0.5 * d * ax),
                sy + d * (vy + 0.5 * d * ay),
                sz + d * (vz + 0.5 * d * az),
            )
            vx, vy, vz = vx + d * ax, vy + d * ay, vz + d * az
            bx, by, bz = x - sx, y - sy, z - sz
            # The beam of a right-looking antenna points along velocity x position.
            right = (vy * sz - vz * sy) * bx + (vz * sx - vx * sz) * by + (vx * sy - vy * sx) * bz
            if right * side <= 0.0:
                continue
            r = math.sqrt(bx * bx + by * by + bz * bz)
            bx, by, bz = bx / r, by / r, bz / r
            radar[0, j, i] = t
            radar[1, j, i] = r
            # The plane's own vertical: the normal without its part along the flight.
            speed2 = vx * vx + vy * vy + vz * vz
            along = (nx * vx + ny * vy + nz * vz) / speed2
            px, py, pz = nx - along * vx, ny - along * vy, nz - along * vz
            f = h / (px * nx + py * ny + pz * nz)
            ex, ey, ez = x - f * px - sx, y - f * py - sy, z - f * pz - sz
            radar[2, j, i] = math.sqrt(ex * ex + ey * ey + ez * ez)

            down = bx * nx + by * ny + bz * nz
            cosine = -down
            angles[1, j, i] = math.acos(min(1.0, cosine))
            away2 = r * r + (radius + h) * (radius + h) + 2.0 * r * (radius + h) * cosine
            below = (away2 - r * r - radius * radius) / (2.0 * r * radius)
            angles[0, j, i] = math.acos(min(1.0, max(-1.0, below)))

            _slopes(ground, heights, j, i, (bx, by, bz), (vx, vy, vz), angles)


@exact_kernel
def _slopes(
    ground: Any, heights: Any, j: int, i: int, beam: Any, velocity: Any, angles: Any
) -> None:
    """Angles that need the neighbours; where one is missing the cell itself takes its place."""
    left, right = i, i + 2
    if math.isnan(heights[j + 1, left]):
        left = i + 1
    if math.isnan(heights[j + 1, right]):
        right = i + 1
    upper, lower = j, j + 2
    if math.isnan(heights[upper, i + 1]):
        upper = j + 1
    if math.isnan(heights[lower, i + 1]):
        lower = j + 1
    if left == right or upper == lower:
        return
    h0, h1 = float(heights[j + 1, left]), float(heights[j + 1, right])
    g0, g1 = float(heights[upper, i + 1]), float(heights[lower, i + 1])
    a, b = j + 1, i + 1
    dx = (
        ground[0, a, right]
        + h1 * ground[3, a, right]
        - ground[0, a, left]
        - h0 * ground[3, a, left]
    )
    dy = (
        ground[1, a, right]
        + h1 * ground[4, a, right]
        - ground[1, a, left]
        - h0 * ground[4, a, left]
    )
    dz = (
        ground[2, a, right]
        + h1 * ground[5, a, right]
        - ground[2, a, left]
        - h0 * ground[5, a, left]
    )
    ex = (
        ground[0, lower, b]
        + g1 * ground[3, lower, b]
        - ground[0, upper, b]
        - g0 * ground[3, upper, b]
    )
    ey = (
        ground[1, lower, b]
        + g1 * ground[4, lower, b]
        - ground[1, upper, b]
        - g0 * ground[4, upper, b]
    )
    ez = (
        ground[2, lower, b]
        + g1 * ground[5, lower, b]
        - ground[2, upper, b]
        - g0 * ground[5, upper, b]
    )
    mx, my, mz = dy * ez - dz * ey, dz * ex - dx * ez, dx * ey - dy * ex
    nx, ny, nz = ground[3, a, b], ground[4, a, b], ground[5, a, b]
    up = mx * nx + my * ny + mz * nz
    if up < 0.0:
        mx, my, mz, up = -mx, -my, -mz, -up
    bx, by, bz = beam
    down = bx * nx + by * ny + bz * nz
    rx, ry, rz = bx - down * nx, by - down * ny, bz - down * nz
    f = math.sqrt(rx * rx + ry * ry + rz * rz)
    rx, ry, rz = rx / f, ry / f, rz / f
    fx, fy, fz = ny * rz - nz * ry, nz * rx - nx * rz, nx * ry - ny * rx
    vx, vy, vz = velocity
    if fx * vx + fy * vy + fz * vz < 0.0:
        fx, fy, fz = -fx, -fy, -fz
    length = math.sqrt(mx * mx + my * my + mz * mz)
    cosine = -(mx * bx + my * by + mz * bz) / length
    angles[2, j, i] = math.acos(min(1.0, max(-1.0, cosine)))
    angles[3, j, i] = math.atan(-(mx * rx + my * ry + mz * rz) / up)
    angles[4, j, i] = math.atan(-(mx * fx + my * fy + mz * fz) / up)

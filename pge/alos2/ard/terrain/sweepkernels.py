"""Compiled loops of the sweep along range: facets' areas, layover and shadow.

Each azimuth line is swept alone and along it in one order, as it is written: what comes out does
not depend on how lines are shared out.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from alos2.raster.jit import exact_kernel

_CLEAR: Final = 0
_LAYOVER: Final = 1
_SHADOW: Final = 2


@exact_kernel
def sweep_line(
    before: Any,
    here: Any,
    after: Any,
    state: Any,
    cell_s: float,
    near_m: float,
    spacing_m: float,
    total: Any,
    mask: Any,
) -> None:
    """Sweep one azimuth line along range.

    Parameters
    ----------
    before, here, after : float64 (3, columns)
        Earth-fixed positions of the ground along the line and its neighbours, m, from near to far;
        NaN where there is no height.
    state : float64 (15,)
        The satellite at the line: position, velocity, acceleration, and the unit vectors down and
        aside in the zero-Doppler plane.
    cell_s, near_m, spacing_m
        Of the radar image: time of a row, near edge and size of a cell in slant range.
    total : float64 (cells,)
        Added to: the facets' areas across the look direction, over the area of the cell in the
        plane of slant range and azimuth.
    mask : uint8 (columns,)
        Written: 1 layover, 2 shadow, added up.
    """
    columns = mask.shape[0]
    ranges = np.empty(columns)
    _hide(here, state, ranges, mask)
    speed = math.sqrt(state[3] * state[3] + state[4] * state[4] + state[5] * state[5])
    for i in range(columns - 1):
        seen = 1.0 - 0.5 * ((mask[i] & _SHADOW > 0) + (mask[i + 1] & _SHADOW > 0))
        if not (seen > 0.0 and ranges[i] > 0.0 and ranges[i + 1] > 0.0):
            continue
        # Far ends less near ends; twice the line after less the line before, of both ends.
        px = here[0, i + 1] - here[0, i]
        py = here[1, i + 1] - here[1, i]
        pz = here[2, i + 1] - here[2, i]
        qx = after[0, i + 1] + after[0, i] - before[0, i + 1] - before[0, i]
        qy = after[1, i + 1] + after[1, i] - before[1, i + 1] - before[1, i]
        qz = after[2, i + 1] + after[2, i] - before[2, i + 1] - before[2, i]
        mx, my, mz = py * qz - pz * qy, pz * qx - px * qz, px * qy - py * qx
        if mx * here[0, i] + my * here[1, i] + mz * here[2, i] < 0.0:
            mx, my, mz = -mx, -my, -mz
        bx = 0.5 * (here[0, i] + here[0, i + 1]) - state[0]
        by = 0.5 * (here[1, i] + here[1, i + 1]) - state[1]
        bz = 0.5 * (here[2, i] + here[2, i + 1]) - state[2]
        facing = -(mx * bx + my * by + mz * bz)
        if not facing > 0.0:  # it turns away, or a neighbour is missing
            continue
        distance = math.sqrt(bx * bx + by * by + bz * bz)
        pull = bx * state[6] + by * state[7] + bz * state[8]
        pace = (speed * speed - pull) / speed  # of the zero-Doppler plane over the ground
        share = seen * 0.25 * facing / distance / (pace * cell_s * spacing_m)
        _spread(ranges[i], ranges[i + 1], share, near_m, spacing_m, total)


@exact_kernel
def _spread(
    a_m: float, b_m: float, share: float, near_m: float, spacing_m: float, total: Any
) -> None:
    """Add a facet's area to the cells that it lies in, by its part in each."""
    a, b = (a_m - near_m) / spacing_m, (b_m - near_m) / spacing_m
    low, high = min(a, b), max(a, b)
    if high <= 0.0 or low >= total.shape[0]:
        return
    first, last = math.floor(low), math.floor(high)
    if first == last:
        total[first] += share
        return
    whole = share / (high - low)
    for n in range(max(first, 0), min(last + 1, total.shape[0])):
        total[n] += whole * (min(high, n + 1.0) - max(low, float(n)))


@exact_kernel
def _hide(points: Any, state: Any, ranges: Any, mask: Any) -> None:
    """Slant ranges along a line (NaN: no ground), layover and shadow, active and passive.

    In shadow: something nearer is seen at a greater angle off nadir. In layover: something nearer
    is as far away, or something farther is as near.
    """
    highest, farthest = -math.inf, -math.inf
    columns = mask.shape[0]
    for i in range(columns):
        bx, by, bz = points[0, i] - state[0], points[1, i] - state[1], points[2, i] - state[2]
        r = math.sqrt(bx * bx + by * by + bz * bz)
        ranges[i] = r
        mask[i] = _CLEAR
        if math.isnan(r):
            continue
        tangent = (bx * state[12] + by * state[13] + bz * state[14]) / (
            bx * state[9] + by * state[10] + bz * state[11]
        )
        if tangent < highest:
            mask[i] |= _SHADOW
        if r <= farthest:
            mask[i] |= _LAYOVER
        highest, farthest = max(highest, tangent), max(farthest, r)
    nearest = math.inf
    for i in range(columns - 1, -1, -1):
        if math.isnan(ranges[i]):
            continue
        if ranges[i] >= nearest:
            mask[i] |= _LAYOVER
        nearest = min(nearest, ranges[i])


@exact_kernel
def read_area(area: Any, first_row: int, first_cell: int, at: Any, least: float, out: Any) -> None:
    """Read the radar image of areas back at places of the map, bilinearly.

    Parameters
    ----------
    area : float32 (rows, cells)
        Part of the radar image.
    first_row, first_cell
        Of the part.
    at : float64 (2, lines, pixels)
        Row and cell, from the radar image's corner; NaN where there is none.
    least
        Below it nothing is in sight.
    out : float32 (lines, pixels)
        Written; NaN where nothing is in sight.
    """
    rows, cells = area.shape
    for j in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[j, i] = np.nan
            y, x = at[0, j, i] - 0.5 - first_row, at[1, j, i] - 0.5 - first_cell
            if not (0.0 <= y <= rows - 1.0 and 0.0 <= x <= cells - 1.0):
                continue
            row, cell = min(int(y), rows - 2), min(int(x), cells - 2)
            q, p = y - row, x - cell
            value = (1.0 - q) * ((1.0 - p) * area[row, cell] + p * area[row, cell + 1]) + q * (
                (1.0 - p) * area[row + 1, cell] + p * area[row + 1, cell + 1]
            )
            if value >= least:
                out[j, i] = value

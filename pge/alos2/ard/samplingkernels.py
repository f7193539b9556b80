"""The loop that brings pixels of an image to the cells of a grid.

Calculated exactly as written (`exact_kernel`): the same cell comes out the same wherever the grid
is cut into blocks.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from alos2.raster.jit import exact_kernel


@exact_kernel
def step_across(before: float, here: float, after: float) -> float:
    """Change from cell to cell; of a cell at the edge of what is known the change on one side."""
    if np.isnan(after):
        return 0.0 if np.isnan(before) else here - before
    return after - here if np.isnan(before) else 0.5 * (after - before)


@exact_kernel
def power_at(power: npt.NDArray[np.float32], u: float, v: float) -> tuple[float, float]:
    """Weighted sum of the four pixels around a place, and the weight of those that have data."""
    lines, pixels = power.shape
    left, top = int(np.floor(u)), int(np.floor(v))
    du, dv = u - left, v - top
    total, weight = 0.0, 0.0
    for k in range(2):
        line = top + k
        if line < 0 or line >= lines:
            continue
        share = dv if k == 1 else 1.0 - dv
        for m in range(2):
            pixel = left + m
            if 0 <= pixel < pixels and not np.isnan(power[line, pixel]):
                part = share * (du if m == 1 else 1.0 - du)
                total += part * power[line, pixel]
                weight += part
    return total, weight


@exact_kernel
def cell_power(
    power: npt.NDArray[np.float32],
    x: float,
    y: float,
    steps: tuple[float, float, float, float],
    parts: int,
) -> float:
    """Mean power over one cell around (x, y); `steps` are those of x and y down and across."""
    total, weight = 0.0, 0.0
    for a in range(parts):
        down = (a + 0.5) / parts - 0.5
        for b in range(parts):
            across = (b + 0.5) / parts - 0.5
            some, share = power_at(
                power,
                x + down * steps[0] + across * steps[1],
                y + down * steps[2] + across * steps[3],
            )
            total += some
            weight += share
    return total / weight if weight >= 0.5 * parts * parts else np.nan


@exact_kernel
def sample_cells(
    power: npt.NDArray[np.float32],
    across: npt.NDArray[np.float64],
    down: npt.NDArray[np.float64],
    parts: int,
    out: npt.NDArray[np.float32],
) -> None:
    """Mean power over each cell: of `parts` x `parts` places in it, each between four pixels.

    Parameters
    ----------
    power : ndarray, shape (n, m), float32
        The image, or the part of it that is needed; NaN = no data.
    across, down : ndarray, shape (h + 2, w + 2), float64
        Where the centres of the cells, and of a ring of cells around them, lie in it: pixel and
        line, 0 = centre of the first; NaN where that is not known.
    parts : int
        At least 1.
    out : ndarray, shape (h, w), float32
        NaN where the cell's place is not known, or less than half of its weight has data.
    """
    lines, pixels = power.shape
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = np.nan
            x, y = across[i + 1, j + 1], down[i + 1, j + 1]
            if np.isnan(x) or np.isnan(y):
                continue
            steps = (
                step_across(across[i, j + 1], x, across[i + 2, j + 1]),
                step_across(across[i + 1, j], x, across[i + 1, j + 2]),
                step_across(down[i, j + 1], y, down[i + 2, j + 1]),
                step_across(down[i + 1, j], y, down[i + 1, j + 2]),
            )
            # Far beyond the image; numbers too large for a pixel's among them.
            reach_x = 0.5 * (abs(steps[0]) + abs(steps[1])) + 1.0
            reach_y = 0.5 * (abs(steps[2]) + abs(steps[3])) + 1.0
            if -reach_x < x < pixels + reach_x and -reach_y < y < lines + reach_y:
                out[i, j] = cell_power(power, x, y, steps, parts)

"""Cells of power resampled to a window of a map: bilinear in power, with an exact mask."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from alos2.raster.jit import kernel

_NOWHERE: Final = -1e8
"""Image coordinates below this come from a place that the surface does not know."""


@kernel
def sample_window(
    cells: Any, u: Any, v: Any, node_px: int, first_row: int, first_column: int, out: Any
) -> None:
    """Resample cells to a part of a block of map pixels.

    Parameters
    ----------
    cells : float32 (rows, columns), at least 2 x 2
        Power, NaN where there is no data.
    u, v : float64 (n + 1, m + 1)
        Column and row, in cells (their centres are whole numbers), at nodes of the block: the
        corners of map pixels that are `node_px` apart.
    node_px
        Map pixels between two nodes.
    first_row, first_column
        Of `out` within the block.
    out : float32 (lines, pixels)
        Written. A pixel is valid where the cell is in which its centre falls; its power is
        bilinear between those of the four cells around that are valid.
    """
    rows, columns = cells.shape
    for j in range(out.shape[0]):
        a = (first_row + j) // node_px
        down = (first_row + j - a * node_px + 0.5) / node_px
        for i in range(out.shape[1]):
            b = (first_column + i) // node_px
            across = (first_column + i - b * node_px + 0.5) / node_px
            out[j, i] = np.nan
            if min(u[a, b], u[a, b + 1], u[a + 1, b], u[a + 1, b + 1]) < _NOWHERE:
                continue
            left = u[a, b] + (u[a + 1, b] - u[a, b]) * down
            right = u[a, b + 1] + (u[a + 1, b + 1] - u[a, b + 1]) * down
            x = left + (right - left) * across
            left = v[a, b] + (v[a + 1, b] - v[a, b]) * down
            right = v[a, b + 1] + (v[a + 1, b + 1] - v[a, b + 1]) * down
            y = left + (right - left) * across
            if not (-0.5 <= x < columns - 0.5 and -0.5 <= y < rows - 0.5):
                continue
            if np.isnan(cells[int(y + 0.5), int(x + 0.5)]):
                continue
            x, y = min(max(x, 0.0), columns - 1.0), min(max(y, 0.0), rows - 1.0)
            column, row = min(int(x), columns - 2), min(int(y), rows - 2)
            p, q = np.float32(x - column), np.float32(y - row)
            total, weight = np.float32(0), np.float32(0)
            for k in range(4):
                d, c = k // 2, k % 2
                power = cells[row + d, column + c]
                share = (p if c else 1 - p) * (q if d else 1 - q)
                if not np.isnan(power):
                    total += share * power
                    weight += share
            out[j, i] = total / weight

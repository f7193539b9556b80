"""Cells of power are resampled to the pixels of a tile: bilinear, with an exact mask.

Power is as in `loadkernels`: float32, 0 where there is no data. Coordinates are exact at nodes and
bilinear between them. Loops that compute coordinates are kept apart from those that gather, so
that the compiler can make vector instructions of them.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from alos2.raster.jit import kernel
from alos2.raster.loadkernels import load_patch

EMPTY: Final = 0
"""Nothing of the tile is valid."""
DRAWN: Final = 1

_SIDE: Final = 256
_NOWHERE: Final = -1e8
"""Image coordinates below this come from a place that the surface does not know."""
_SLACK: Final = 0.01
"""Cells around a window against rounding of coordinates."""


@kernel
def node_window(
    pixel: Any,
    line: Any,
    down: int,
    across: int,
    steps: int,
    cell_lines: int,
    cell_pixels: int,
    lines: int,
    pixels: int,
    u: Any,
    v: Any,
) -> Any:
    """Find the window of cells that a tile needs, clipped to the image with a border of one cell.

    Parameters
    ----------
    pixel, line : float64 (n + 1, n + 1)
        Image coordinates at the nodes of a subtree.
    down, across, steps
        The tile's first node, and its number of nodes less one in each direction.
    cell_lines, cell_pixels, lines, pixels
        Size of a cell, and of the image.
    u, v : float64 (steps + 1, steps + 1)
        Written: column and row of the cell at the tile's nodes; cell centres are whole numbers.

    Returns
    -------
    top, left, rows, columns, inside
        The window in cells; `inside`: none of it was cut off.
    """
    first_u, last_u, first_v, last_v = np.inf, -np.inf, np.inf, -np.inf
    for a in range(steps + 1):
        for b in range(steps + 1):
            u[a, b] = pixel[down + a, across + b] / cell_pixels - 0.5
            v[a, b] = line[down + a, across + b] / cell_lines - 0.5
            first_u, last_u = min(first_u, u[a, b]), max(last_u, u[a, b])
            first_v, last_v = min(first_v, v[a, b]), max(last_v, v[a, b])
    most_rows, most_columns = -(-lines // cell_lines), -(-pixels // cell_pixels)
    low_v, high_v = np.floor(first_v - _SLACK), np.floor(last_v + _SLACK) + 1
    low_u, high_u = np.floor(first_u - _SLACK), np.floor(last_u + _SLACK) + 1
    inside = low_v >= 0 and low_u >= 0 and high_v < most_rows and high_u < most_columns
    top, left = np.int64(max(low_v, -1.0)), np.int64(max(low_u, -1.0))
    bottom, right = np.int64(min(high_v, most_rows)), np.int64(min(high_u, most_columns))
    return top, left, bottom - top + 1, right - left + 1, inside


@kernel
def row_coordinates(nodes: Any, j: int, node_px: int, first: float, coordinate: Any) -> None:
    """Interpolate one coordinate from the nodes to the 256 pixel centres of row `j`."""
    a = j // node_px
    share = (j - a * node_px + 0.5) / node_px
    for b in range(_SIDE // node_px):
        start = nodes[a, b] + (nodes[a + 1, b] - nodes[a, b]) * share
        stop = nodes[a, b + 1] + (nodes[a + 1, b + 1] - nodes[a, b + 1]) * share
        step = (stop - start) / node_px
        corners = min(nodes[a, b], nodes[a, b + 1], nodes[a + 1, b], nodes[a + 1, b + 1])
        # A surface that knows no place at a corner knows nothing about what is between.
        here = np.float32(start - first + 0.5 * step) if corners > _NOWHERE else np.float32(-9)
        by = np.float32(step) if corners > _NOWHERE else np.float32(0)
        part = coordinate[b * node_px : (b + 1) * node_px]
        for i in range(node_px):
            part[i] = here + np.float32(i) * by


@kernel
def sample_full(
    patch: Any, columns: int, u: Any, v: Any, top: int, left: int, node_px: int, tile: Any
) -> None:
    """Resample a patch in which everything is valid and every coordinate inside: bilinear.

    Parameters as `sample_masked`; the result is never 0.
    """
    right = np.empty(_SIDE, np.float32)
    below = np.empty(_SIDE, np.float32)
    corner = np.empty(_SIDE, np.uint32)
    width = np.uint32(columns)
    for j in range(_SIDE):
        row_coordinates(u, j, node_px, left, right)
        row_coordinates(v, j, node_px, top, below)
        for i in range(_SIDE):
            column, row = np.int32(right[i]), np.int32(below[i])
            right[i] -= np.float32(column)
            below[i] -= np.float32(row)
            corner[i] = np.uint32(row) * width + np.uint32(column)
        line = tile[j]
        for i in range(_SIDE):
            at = corner[i]
            upper = patch[at] + (patch[at + np.uint32(1)] - patch[at]) * right[i]
            at += width
            lower = patch[at] + (patch[at + np.uint32(1)] - patch[at]) * right[i]
            line[i] = upper + (lower - upper) * below[i]


@kernel
def sample_masked(
    patch: Any,
    rows: int,
    columns: int,
    u: Any,
    v: Any,
    top: int,
    left: int,
    node_px: int,
    tile: Any,
) -> Any:
    """Resample a patch with holes: bilinear between those of the four neighbours that are valid.

    A tile's pixel is valid where the cell in which its centre falls is. With the weights w of the
    bilinear and m = 1 where a neighbour is valid: power = sum(w m p) / sum(w m).

    Parameters
    ----------
    patch : float32 (rows * columns or more,)
        Power; 0 where not valid. Its border is not valid where coordinates lie beyond it.
    u, v : float64 (n + 1, n + 1)
        Column and row of the cell at the nodes; cell centres are whole numbers.
    top, left
        Row and column of the patch's first cell.
    node_px
        Tile pixels between two nodes.
    tile : float32 (256, 256)
        Written; 0 where not valid.

    Returns
    -------
    bool
        Whether any pixel is valid.
    """
    right = np.empty(_SIDE, np.float32)
    below = np.empty(_SIDE, np.float32)
    corner = np.empty(_SIDE, np.uint32)
    width = np.uint32(columns)
    most_u, most_v = np.float32(columns - 1), np.float32(rows - 1)
    last_u, last_v = np.int32(columns - 2), np.int32(rows - 2)
    half, one, zero = np.float32(0.5), np.float32(1), np.float32(0)
    best = zero
    for j in range(_SIDE):
        row_coordinates(u, j, node_px, left, right)
        row_coordinates(v, j, node_px, top, below)
        for i in range(_SIDE):
            x = min(max(right[i], zero), most_u)
            y = min(max(below[i], zero), most_v)
            column, row = min(np.int32(x), last_u), min(np.int32(y), last_v)
            right[i] = x - np.float32(column)
            below[i] = y - np.float32(row)
            corner[i] = np.uint32(row) * width + np.uint32(column)
        line = tile[j]
        for i in range(_SIDE):
            at, x, y = corner[i], right[i], below[i]
            p00, p01 = patch[at], patch[at + np.uint32(1)]
            at += width
            p10, p11 = patch[at], patch[at + np.uint32(1)]
            w00, w01 = (one - x) * (one - y), x * (one - y)
            w10, w11 = (one - x) * y, x * y
            total = w00 * p00 + w01 * p01 + w10 * p10 + w11 * p11
            share = zero
            share += w00 if p00 > zero else zero
            share += w01 if p01 > zero else zero
            share += w10 if p10 > zero else zero
            share += w11 if p11 > zero else zero
            upper = p00 if x < half else p01
            lower = p10 if x < half else p11
            own = upper if y < half else lower
            # Where its own pixel is valid the share is at least a quarter.
            value = total / max(share, np.float32(0.125)) if own > zero else zero
            line[i] = value
            best = max(best, value)
    return best > zero


@kernel
def keep_valid(
    valid: Any,
    u: Any,
    v: Any,
    top: int,
    left: int,
    half_lines: float,
    half_pixels: float,
    node_px: int,
    tile: Any,
) -> Any:
    """Empty those pixels of a tile whose centres do not fall into valid pixels of the image.

    Parameters
    ----------
    valid : bool (n, m)
        A window of the image.
    u, v, node_px
        As of `sample_masked`, for cells that overlap, one for each pixel of the image.
    top, left
        Line and pixel of the window's first.
    half_lines, half_pixels
        Half the size of such a cell: the image's coordinates are so much larger.
    tile : float32 (256, 256)
        Changed.

    Returns
    -------
    bool
        Whether any pixel is left.
    """
    rows, columns = valid.shape
    right = np.empty(_SIDE, np.float32)
    below = np.empty(_SIDE, np.float32)
    best = np.float32(0)
    for j in range(_SIDE):
        row_coordinates(u, j, node_px, left, right)
        row_coordinates(v, j, node_px, top, below)
        line = tile[j]
        for i in range(_SIDE):
            column = np.int64(np.floor(right[i] + np.float32(half_pixels)))
            row = np.int64(np.floor(below[i] + np.float32(half_lines)))
            inside = 0 <= column < columns and 0 <= row < rows
            line[i] = line[i] if inside and valid[row, column] else np.float32(0)
            best = max(best, line[i])
    return best > 0


@kernel
def base_tile(
    words: Any,
    starts: Any,
    swapped: bool,
    gains: Any,
    offset: np.float32,
    cell_lines: int,
    cell_pixels: int,
    pixel: Any,
    line: Any,
    down: int,
    across: int,
    node_px: int,
    patch: Any,
    tile: Any,
) -> Any:
    """Draw a tile of the deepest zoom from the digital numbers in a mapped file.

    Parameters as in `load_patch`, `node_window` and `sample_masked`.

    Returns
    -------
    int
        `EMPTY`; `DRAWN`; or, less than 0, minus the size that `patch` must have.
    """
    steps = _SIDE // node_px
    u, v = np.empty((steps + 1, steps + 1)), np.empty((steps + 1, steps + 1))
    lines, pixels = starts.size, gains.size
    top, left, rows, columns, inside = node_window(
        pixel, line, down, across, steps, cell_lines, cell_pixels, lines, pixels, u, v
    )
    if rows < 2 or columns < 2:
        return EMPTY
    if rows * columns > patch.size:
        return -rows * columns
    valid = load_patch(
        words, starts, swapped, gains, offset, cell_lines, cell_pixels,
        top, left, rows, columns, patch,
    )  # fmt: skip
    if valid == 0:
        return EMPTY
    if inside and valid == rows * columns:
        sample_full(patch, columns, u, v, top, left, node_px, tile)
        return DRAWN
    drawn = sample_masked(patch, rows, columns, u, v, top, left, node_px, tile)
    return DRAWN if drawn else EMPTY

"""How far an image reaches on a map, and how many tiles it will need.

The number of tiles is found from a small mask of the valid pixels, before any tile is drawn. It is
never too low: each cell of the mask counts for all tiles that the box around its corners touches.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from alos2.raster.layers import Surface
from alos2.raster.mercator import LIMIT_DEG, to_world

Bounds: TypeAlias = tuple[float, float, float, float]
"""West, south, east, north, degrees."""

_SIDE_POINTS: Final = 64
_MASK_SIDE: Final = 512
_DECIMALS: Final = 6


def bounds_of(surface: Surface) -> Bounds:
    """Return the box around an image, cut at the map's edge.

    West is never east of east, as TileJSON wants it: an image across the antimeridian has the
    whole circle.
    """
    lines, pixels = surface.shape
    t = np.linspace(0.0, 1.0, _SIDE_POINTS, endpoint=False)
    pixel = np.concatenate([t, np.ones_like(t), 1.0 - t, np.zeros_like(t)]) * pixels
    line = np.concatenate([np.zeros_like(t), t, np.ones_like(t), 1.0 - t]) * lines
    lon, lat = surface.lonlat(pixel, line)
    steps = (np.diff(lon, append=lon[:1]) + 180.0) % 360.0 - 180.0
    west, east = float(np.min(lon)), float(np.max(lon))
    south, north = float(np.min(lat)), float(np.max(lat))
    if abs(steps.sum()) > 180.0:  # round a pole
        west, east = -180.0, 180.0
        south, north = (south, LIMIT_DEG) if np.mean(lat) > 0 else (-LIMIT_DEG, north)
    else:
        unwrapped = lon[0] + np.concatenate([[0.0], np.cumsum(steps[:-1])])
        if unwrapped.min() < -180.0 or unwrapped.max() > 180.0:
            west, east = -180.0, 180.0

    def cut(lat_deg: float) -> float:
        return min(max(lat_deg, -LIMIT_DEG), LIMIT_DEG)

    box = (west, cut(south), east, cut(north))
    w, s, e, n = (round(degrees, _DECIMALS) for degrees in box)
    return w, s, e, n


def count_tiles(
    surface: Surface, valid: npt.NDArray[np.bool_], min_zoom: int, max_zoom: int
) -> dict[int, int]:
    """Return how many tiles each zoom will need, at most.

    Parameters
    ----------
    surface
        Where the image lies.
    valid : shape (n, m)
        The image, reduced: which of its cells hold a valid pixel, first line first.
    min_zoom, max_zoom
        Zooms to count.
    """
    mask = _reduced(valid)
    rows, columns = mask.shape
    lines, pixels = surface.shape
    # Corners of the cells; what padding added at the end lies beyond the image.
    down = np.minimum(np.arange(rows + 1) * (lines * _step(valid.shape[0]) / valid.shape[0]), lines)
    across = np.arange(columns + 1) * (pixels * _step(valid.shape[1]) / valid.shape[1])
    corner_pixel, corner_line = np.meshgrid(np.minimum(across, pixels), down)
    x, y = to_world(*surface.lonlat(corner_pixel, corner_line))
    wide = np.stack([x[:-1, :-1], x[:-1, 1:], x[1:, :-1], x[1:, 1:]])[:, mask]
    high = np.stack([y[:-1, :-1], y[:-1, 1:], y[1:, :-1], y[1:, 1:]])[:, mask]
    wide = wide[0] + (wide - wide[0] + 0.5) % 1.0 - 0.5  # across the antimeridian
    west, east, top, bottom = wide.min(0), wide.max(0), high.min(0), high.max(0)
    drawn = np.isfinite(top) & np.isfinite(bottom) & (bottom > 0.0) & (top < 1.0)
    boxes = np.stack([west, east, np.maximum(top, 0.0), np.minimum(bottom, 1.0 - 1e-12)])[:, drawn]
    return {zoom: _touched(boxes, zoom) for zoom in range(min_zoom, max_zoom + 1)}


def _step(size: int) -> int:
    return max(1, math.ceil(size / _MASK_SIDE))


def _reduced(valid: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Make a mask small: a cell is valid where any of what it stands for is."""
    step_down, step_across = (_step(size) for size in valid.shape)
    rows, columns = -(-valid.shape[0] // step_down), -(-valid.shape[1] // step_across)
    whole = np.zeros((rows * step_down, columns * step_across), np.bool_)
    whole[: valid.shape[0], : valid.shape[1]] = valid
    return np.asarray(whole.reshape(rows, step_down, columns, step_across).any(axis=(1, 3)))


def _touched(boxes: npt.NDArray[np.float64], zoom: int) -> int:
    """Count the tiles of `zoom` that boxes (west, east, top, bottom; world) touch."""
    count = 1 << zoom
    first_x, last_x, first_y, last_y = (np.floor(edge * count).astype(np.int64) for edge in boxes)
    if not first_x.size:
        return 0
    tiles: set[int] = set()
    most_x, most_y = int((last_x - first_x).max()), int((last_y - first_y).max())
    for i in range(most_x + 1):
        for j in range(most_y + 1):
            column, row = np.minimum(first_x + i, last_x), np.minimum(first_y + j, last_y)
            tiles.update(np.unique((column % count) * count + row).tolist())
    return len(tiles)

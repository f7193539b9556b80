"""A set of pixels becomes one simple polygon with few corners. Pure arithmetic, no geography.

The convex hull of the pixels closes every hole, bay and strait at once: radar shadow, sea without
data between islands, a border frayed by mountains. What a radar images in one scene is a
quadrilateral with nearly straight sides, so a hull's many short sides are only the stairs of its
pixels or the frays of its border. Those are taken away from the outside: a side goes, its two
neighbours are prolonged until they meet. So the polygon stays convex (hence simple) and never
loses a pixel; it only grows, by less than `tolerance` at each place as long as it has few corners.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import Polygon

Corners = npt.NDArray[np.float64]
"""Shape (n, 2): pixel and line (x, y), not closed, clockwise as seen with y downwards."""

FEW_CORNERS: Final = 8
MOST_CORNERS: Final = 16

_GROWTH: Final = 0.002
"""What a polygon of more than `FEW_CORNERS` may grow by for each side it loses, of its area."""


def hull(points: Corners) -> Corners:
    """Return the convex hull of `points`, (n, 2), which do not all lie on one line."""
    shape = shapely.convex_hull(shapely.multipoints(points))
    if not isinstance(shape, Polygon):
        raise ValueError("points on one line have no hull with an area")  # noqa: TRY004
    ring = np.asarray(shape.exterior.coords)[:-1]
    return ring if shape.exterior.is_ccw else ring[::-1].copy()


def _cross(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    product: npt.NDArray[np.float64] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


def _removals(ring: Corners) -> tuple[Corners, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """For each side i (corner i to i+1): where its neighbours meet, how far out, area gained."""
    begin, end = ring, np.roll(ring, -1, axis=0)
    side = end - begin
    before, after = begin - np.roll(ring, 1, axis=0), np.roll(ring, -2, axis=0) - end
    turn = _cross(before, after)
    with np.errstate(divide="ignore", invalid="ignore"):
        along = _cross(side, after) / turn  # how far the side before goes on, in its own length
        meet = begin + along[:, None] * before
        gained = np.abs(_cross(side, meet - begin)) / 2
        height = 2 * gained / np.hypot(side[:, 0], side[:, 1])
    # Neighbours that turn by half a circle or more between them never meet outside.
    never = ~(turn > 0) | ~np.isfinite(height)
    height[never] = gained[never] = np.inf
    return meet, height, gained


def _without_side(ring: Corners, side: int, corner: npt.NDArray[np.float64]) -> Corners:
    fewer = ring.copy()
    fewer[side] = corner
    return np.delete(fewer, (side + 1) % len(ring), axis=0)


def simplify_outwards(ring: Corners, tolerance: float) -> Corners:
    """Take sides away from a convex `ring`, from the outside, until few corners are left.

    Parameters
    ----------
    ring
        Convex, (n, 2), n >= 3, turning like `hull`'s.
    tolerance
        How far outside of a side that is taken away the new corner may lie, in the ring's unit.

    Returns
    -------
    Corners
        Convex, encloses `ring`, at most `MOST_CORNERS` corners.
    """
    area = abs(Polygon(ring).area)
    while len(ring) > 4:
        meet, height, gained = _removals(ring)
        fits = np.where(height <= tolerance, gained, np.inf)
        side = int(np.argmin(fits))
        if not np.isfinite(fits[side]):
            side = int(np.argmin(gained))
            frayed = len(ring) > FEW_CORNERS and gained[side] <= _GROWTH * area
            if not (frayed or len(ring) > MOST_CORNERS):
                break
        ring = _without_side(ring, side, meet[side])
    return ring


def outline(points: Corners, tolerance: float) -> Corners:
    """Return a simple polygon with few corners around `points`: hull, then fewer sides."""
    return simplify_outwards(hull(points), tolerance)

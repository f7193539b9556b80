"""Polygons in image coordinates drawn on the ground, with positions only where they are needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from alos2.errors import BadProduct
from alos2.geometry.orbit import Floats
from alos2.geometry.outlines import simplify, unwrap

_SIDE: Final = 24
_POLAR_SIDE: Final = 128
"""Positions at which a side is looked at; near a pole longitudes run faster."""
_POLAR_LATITUDE_DEG: Final = 75.0

Locate: TypeAlias = Callable[[Floats, Floats], tuple[Floats, Floats]]
"""Two image coordinates, shape (n,), to longitude and latitude, degrees."""


def drawn(locate: Locate, corners: Floats, tolerance_m: float) -> Floats:
    """Outline on the ground of a polygon in image or radar coordinates.

    Parameters
    ----------
    locate : callable
        Two arrays of coordinates, shape (n,), to longitudes and latitudes, degrees.
    corners : ndarray, shape (n, 2), float64
        Corners in those coordinates, not closed.
    tolerance_m : float
        Largest deviation of a drawn edge from the true one, m.

    Returns
    -------
    ndarray, shape (m, 2), float64
        Unwrapped longitudes and latitudes, not closed: the corners, and between them as many
        places as it takes.

    Raises
    ------
    BadProduct
        If a place is not on the Earth.
    """
    outline, kept = _located(locate, corners, _SIDE)
    if not np.isfinite(outline).all():
        raise BadProduct("the outline of an image does not lie on the Earth")
    if np.abs(outline[:, 1]).max() > _POLAR_LATITUDE_DEG:
        outline, kept = _located(locate, corners, _POLAR_SIDE)
    return simplify(unwrap(outline), tolerance_m, keep=kept)


def _located(
    locate: Locate, corners: Floats, side: int
) -> tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.intp]]]:
    """Places along a polygon's sides, each looked at in ``side`` positions; indices of corners."""
    share = (np.arange(side) / side)[:, np.newaxis]
    following = np.roll(corners, -1, axis=0)
    points = corners[:, np.newaxis] + share * (following - corners)[:, np.newaxis]
    flat = points.reshape(-1, 2)
    lon, lat = locate(flat[:, 0], flat[:, 1])
    return np.column_stack([lon, lat]), np.arange(len(corners)) * side

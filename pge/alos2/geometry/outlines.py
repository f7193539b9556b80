"""Outlines as rows of longitude and latitude: continuous, with as few corners as do.

An *unwrapped* outline is an array of shape (n, 2), degrees, not closed, whose longitudes run on
beyond 180 rather than jump. GeoJSON draws a straight line in longitude and latitude between two
positions, so deviations are measured from that line.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alos2.geometry.ellipsoid import up_vector
from alos2.geometry.orbit import Floats

METRES_PER_DEGREE: Final = 111_320.0
"""A degree of longitude on the equator; near enough for tolerances, m."""

_MOST_PER_EDGE: Final = 128
_POLE_DEG: Final = 1e-7
"""What is this near to a pole (1 cm) counts as the pole, degrees."""


def unwrap(outline: Floats) -> Floats:
    """Let longitudes run on instead of jumping by 360 degrees.

    Parameters
    ----------
    outline : ndarray, shape (n, 2), float64
        Degrees.

    Returns
    -------
    ndarray, shape (n, 2), float64
        The first longitude unchanged, each next one within 180 degrees of the one before.
    """
    steps = np.diff(outline[:, 0])
    turns = np.concatenate([[0.0], np.cumsum(-np.round(steps / 360.0))])
    return np.column_stack([outline[:, 0] + 360.0 * turns, outline[:, 1]])


def without_repeats(outline: Floats) -> Floats:
    """Drop positions that repeat the one before, and a last one that closes the outline.

    Parameters
    ----------
    outline : ndarray, shape (n, 2), float64
        Degrees, closed or not, unwrapped or not.

    Returns
    -------
    ndarray, shape (m, 2), float64
        Not closed.
    """
    if len(outline) < 2:
        return outline
    steps = outline - np.roll(outline, 1, axis=0)
    steps[:, 0] -= 360.0 * np.round(steps[:, 0] / 360.0)
    keep: NDArray[np.bool_] = np.any(np.abs(steps) > 1e-10, axis=1)
    if np.allclose(outline[0], outline[-1], rtol=0.0, atol=1e-10):
        # The closing repetition is dropped from the end, so that the start stays.
        keep[0], keep[-1] = True, False
    return outline[keep]


def along_great_circles(outline: Floats, tolerance_m: float) -> Floats:
    """Add positions so that edges follow great circles, as near a pole they must.

    Parameters
    ----------
    outline : ndarray, shape (n, 2), float64
        Corners, degrees, not closed.
    tolerance_m : float
        Largest deviation of a drawn line from the great circle, m.

    Returns
    -------
    ndarray, shape (m, 2), float64
        Unwrapped; the corners are kept.
    """
    vectors = up_vector(outline[:, 0], outline[:, 1])
    share = np.arange(1, _MOST_PER_EDGE)[:, np.newaxis] / _MOST_PER_EDGE
    rows: list[Floats] = []
    corners: list[int] = []
    before = _edge(vectors[-1], vectors[0], share)
    for i, corner in enumerate(outline):
        after = _edge(vectors[i], vectors[(i + 1) % len(outline)], share)
        places = corner[np.newaxis]
        if abs(corner[1]) >= 90.0 - _POLE_DEG:
            # A pole has every longitude: come in along one meridian and leave along the other.
            places = np.array([[before[-1, 0], corner[1]], [after[0, 0], corner[1]]])
        start = sum(len(row) for row in rows)
        corners += range(start, start + len(places))
        rows += [places, after]
        before = after
    return simplify(unwrap(np.concatenate(rows)), tolerance_m, keep=np.array(corners))


def _edge(start: Floats, stop: Floats, share: Floats) -> Floats:
    """Positions between two unit vectors, degrees, shape (n, 2)."""
    points = start + share * (stop - start)
    lon = np.arctan2(points[:, 1], points[:, 0])
    lat = np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1]))
    return np.asarray(np.degrees(np.column_stack([lon, lat])), dtype=np.float64)


def simplify(outline: Floats, tolerance_m: float, keep: np.ndarray | None = None) -> Floats:
    """Drop positions that lie near enough to the line between their neighbours.

    Parameters
    ----------
    outline : ndarray, shape (n, 2), float64
        Unwrapped, not closed, degrees.
    tolerance_m : float
        Largest deviation of a dropped position from the line that remains, m.
    keep : ndarray of int, optional
        Indices of positions to keep in any case; two far apart ones if not given.

    Returns
    -------
    ndarray, shape (m, 2), float64
        A part of the positions, in their order.

    Notes
    -----
    Douglas and Peucker, "Algorithms for the reduction of the number of points required to
    represent a digitized line", Cartographica 10 (1973). The outline may cross itself if the
    tolerance is larger than its narrow places.
    """
    count = len(outline)
    if count <= 3:
        return outline
    closing = outline[:1].copy()
    closing[0, 0] += 360.0 * np.round((outline[-1, 0] - closing[0, 0]) / 360.0)
    line = np.concatenate([outline, closing])
    if keep is None or len(keep) < 2:
        first = 0 if keep is None or len(keep) == 0 else int(keep[0])
        away = np.hypot(*(outline - outline[first]).T)
        keep = np.array(sorted({first, int(np.argmax(away))}))
    anchors = sorted({0, *(int(k) for k in keep), count})
    kept = np.zeros(count + 1, dtype=bool)
    kept[anchors] = True
    spans = list(pairwise(anchors))
    while spans:
        start, stop = spans.pop()
        if stop - start < 2:
            continue
        deviation = _deviation_m(line[start + 1 : stop], line[start], line[stop])
        worst = int(np.argmax(deviation))
        if deviation[worst] > tolerance_m:
            middle = start + 1 + worst
            kept[middle] = True
            spans += [(start, middle), (middle, stop)]
    return outline[kept[:count]]


def _deviation_m(points: Floats, start: Floats, stop: Floats) -> Floats:
    """Distance of points from a drawn line, m, at the scale of each point's latitude."""
    scale = METRES_PER_DEGREE * np.column_stack(
        [np.cos(np.radians(points[:, 1])), np.ones(len(points))]
    )
    chord = (stop - start) * scale
    offset = (points - start) * scale
    squared = np.maximum((chord**2).sum(axis=1), 1e-12)
    share = np.clip((offset * chord).sum(axis=1) / squared, 0.0, 1.0)
    away = offset - share[:, np.newaxis] * chord
    return np.asarray(np.hypot(away[:, 0], away[:, 1]), dtype=np.float64)

"""Outlines in the plane of azimuth time and slant range, where images are rectangles.

A ScanSAR product of level 1.1 is one rectangle a beam: neighbours overlap in range and start a
little apart in time, so that their union has steps. A box round all of them would hold ground that
no beam has seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from alos2.geometry.orbit import Floats


class Rectangle(NamedTuple):
    """Extent of one image, from centre to centre of its outermost samples."""

    start_s: float
    end_s: float
    near_m: float
    far_m: float


class _Strip(NamedTuple):
    """A stretch of slant range in which the union has one start and one end."""

    near_m: float
    far_m: float
    start_s: float
    end_s: float


def union_outlines(rectangles: Iterable[Rectangle]) -> list[Floats]:
    """Outlines of the union of some rectangles.

    Parameters
    ----------
    rectangles : iterable of Rectangle
        The beams. Those at the same range are taken to be continuous in time.

    Returns
    -------
    list of ndarray, shape (n, 2), float64
        Time (s) and range (m) of the corners of each connected part, not closed: from near to far
        along the early side, back along the late one. More than one where a beam is missing.
    """
    parts: list[list[_Strip]] = []
    for strip in _strips(sorted(set(rectangles), key=lambda r: (r.near_m, r.start_s))):
        if parts and _touch(parts[-1][-1], strip):
            parts[-1].append(strip)
        else:
            parts.append([strip])
    return [_outline(part) for part in parts]


def _strips(rectangles: list[Rectangle]) -> Iterable[_Strip]:
    """Stretches of range between any two neighbouring range limits, those seen by a beam."""
    limits = sorted({limit for r in rectangles for limit in (r.near_m, r.far_m)})
    for near, far in pairwise(limits):
        inside = [r for r in rectangles if r.near_m <= near and r.far_m >= far]
        if inside:
            yield _Strip(near, far, min(r.start_s for r in inside), max(r.end_s for r in inside))


def _touch(a: _Strip, b: _Strip) -> bool:
    """Whether two neighbouring strips share a piece of their common range limit."""
    return a.far_m == b.near_m and max(a.start_s, b.start_s) < min(a.end_s, b.end_s)


def _outline(strips: list[_Strip]) -> Floats:
    """Corners round a run of strips that touch."""
    early = [corner for s in strips for corner in ((s.start_s, s.near_m), (s.start_s, s.far_m))]
    late = [corner for s in strips for corner in ((s.end_s, s.near_m), (s.end_s, s.far_m))]
    return _needed(np.array(early + late[::-1], dtype=np.float64))


def _needed(corners: Floats) -> Floats:
    """Drop repeated corners, and those amid a straight side."""
    corners = corners[(corners != np.roll(corners, 1, axis=0)).any(axis=1)]
    before, after = np.roll(corners, 1, axis=0), np.roll(corners, -1, axis=0)
    straight = ((before == corners) & (corners == after)).any(axis=1)
    needed: Floats = corners[~straight]
    return needed

"""Outlines cut where GeoJSON wants them cut: at the antimeridian, and along it to a pole.

RFC 7946, section 3.1.9: what crosses the antimeridian should be cut in parts, none of which
crosses it. An outline round a pole has no closed form in longitude and latitude: it gets one by
running along the antimeridian to the pole and back, so that on a flat map the polygon reaches the
upper (or lower) edge.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from alos2.geometry.orbit import Floats
from alos2.geometry.outlines import unwrap

_HALF: Final = 180.0
_NO_LENGTH: Final = 1e-9
"""Rounding of longitudes after some sums, degrees."""
_NO_AREA: Final = 1e-14
"""Pieces smaller than this (1 cm x 1 cm) are rounding, square degrees."""


class _Crossing(NamedTuple):
    """Where an outline crosses the cut: after which position, where, and to which side."""

    after: int
    lat_deg: float
    to_east: bool


def signed_area(ring: Floats) -> float:
    """Area of a ring on the flat map, square degrees; positive if counter-clockwise."""
    following = np.roll(ring, -1, axis=0)
    return 0.5 * float(np.sum(ring[:, 0] * following[:, 1] - following[:, 0] * ring[:, 1]))


def split_antimeridian(ring: Floats) -> list[Floats]:
    """Cut an outline at the antimeridian, and close one round a pole along it.

    Parameters
    ----------
    ring : ndarray, shape (n, 2), float64
        Longitude and latitude, degrees, not closed, not crossing itself; each longitude is meant
        within 180 degrees of the one before. Either sense.

    Returns
    -------
    list of ndarray, shape (m, 2), float64
        One ring, or more across the antimeridian, west to east as met; each counter-clockwise,
        not closed, with longitudes from -180 to 180.
    """
    line = unwrap(ring)
    last_step = line[0, 0] - line[-1, 0]
    winding = int(np.round((line[-1, 0] + _wrapped(last_step) - line[0, 0]) / 360.0))
    if winding:
        line = _round_a_pole(line, winding)
    elif signed_area(line) < 0.0:
        line = line[::-1]
    if not winding:
        # The western end into [-180, 180): only the cut at +180 can then be met.
        line = line - [360.0 * np.floor((line[:, 0].min() + _HALF) / 360.0), 0.0]
    parts = [line]
    for cut in (_HALF, -_HALF):
        parts = [piece for part in parts for piece in _cut(part, cut)]
    for part in parts:
        np.clip(part[:, 0], -_HALF, _HALF, out=part[:, 0])
    return [part for part in parts if signed_area(part) > _NO_AREA]


def _cut(line: Floats, cut: float) -> list[Floats]:
    """Cut a counter-clockwise ring along a meridian, and bring what lies beyond back within."""
    beyond = line[:, 0].max() - cut if cut > 0.0 else cut - line[:, 0].min()
    if beyond < _NO_LENGTH:
        return [line.copy()]
    shifts = (0.0, -360.0) if cut > 0.0 else (360.0, 0.0)
    crossings = _crossings(line, cut)
    return [
        np.add(ring, [shift, 0.0])
        for shift, eastern in zip(shifts, (False, True), strict=True)
        for ring in _side(line, crossings, cut, eastern=eastern)
    ]


def _wrapped(degrees: float) -> float:
    """Angle as it is within half a turn."""
    return float(degrees - 360.0 * np.round(degrees / 360.0))


def _round_a_pole(line: Floats, winding: int) -> Floats:
    """Ring of an unwrapped outline that goes once round a pole."""
    north = float(np.mean(line[:, 1])) > 0.0
    # Counter-clockwise on the map: eastward below the north pole, westward above the south pole.
    if (winding > 0) != north:
        line, winding = line[::-1], -winding
    turned = np.array([360.0 * winding, 0.0])
    closed = np.concatenate([line, line[:1] + turned])
    # Of the edges that meet the antimeridian the one nearest to the pole: from there on poleward
    # all is inside. One exists, since the outline goes all the way round.
    turn = np.floor((closed[:, 0] - _HALF) / 360.0)
    meets = np.flatnonzero(np.diff(turn))
    cuts = 360.0 * np.maximum(turn[meets], turn[meets + 1]) + _HALF
    step = closed[meets + 1] - closed[meets]
    lats = closed[meets, 1] + (cuts - closed[meets, 0]) / step[:, 0] * step[:, 1]
    nearest = int(np.argmax(np.abs(lats)))
    index, cut, lat = int(meets[nearest]), cuts[nearest], lats[nearest]
    body = np.concatenate([closed[index + 1 : -1], closed[: index + 1] + turned])
    start = -_HALF if winding > 0 else _HALF
    body[:, 0] -= cut - start
    pole = 90.0 if north else -90.0
    ends = np.array([[-start, lat], [-start, pole], [start, pole], [start, lat]])
    return np.concatenate([body, ends])


def _crossings(line: Floats, cut: float) -> list[_Crossing]:
    """Find all places where an outline crosses a meridian, in its order."""
    east = line[:, 0] > cut
    found = []
    for after in np.flatnonzero(east != np.roll(east, -1)):
        here, there = line[after], line[(after + 1) % len(line)]
        share = (cut - here[0]) / (there[0] - here[0])
        lat = float(here[1] + share * (there[1] - here[1]))
        found.append(_Crossing(int(after), lat, bool(not east[after])))
    return found


def _side(line: Floats, crossings: list[_Crossing], cut: float, *, eastern: bool) -> list[Floats]:
    """Rings of what lies on one side of a cut.

    Along the cut, inside and outside alternate at the crossings in the order of their latitudes,
    so the first and second, third and fourth, ... bound the pieces of cut that close the rings.
    """
    order = sorted(range(len(crossings)), key=lambda k: crossings[k].lat_deg)
    partner = {}
    for low, high in zip(order[::2], order[1::2], strict=True):
        partner[low], partner[high] = high, low
    rings = []
    open_chains = {k for k, c in enumerate(crossings) if c.to_east == eastern}
    while open_chains:
        first = current = min(open_chains)
        positions: list[Floats] = []
        while True:
            open_chains.discard(current)
            leave = (current + 1) % len(crossings)
            positions.append(np.array([[cut, crossings[current].lat_deg]]))
            positions.append(_between(line, crossings[current].after, crossings[leave].after))
            positions.append(np.array([[cut, crossings[leave].lat_deg]]))
            current = partner[leave]
            if current == first or current not in open_chains:
                break
        ring = np.concatenate(positions)
        same = (np.abs(ring - np.roll(ring, 1, axis=0)) < 1e-12).all(axis=1)
        ring = ring[~same]
        if len(ring) >= 3:
            rings.append(ring)
    return rings


def _between(line: Floats, start: int, stop: int) -> Floats:
    """Positions after ``start`` up to ``stop``, round the end of the outline if need be."""
    if stop > start:
        return line[start + 1 : stop + 1]
    return np.concatenate([line[start + 1 :], line[: stop + 1]])

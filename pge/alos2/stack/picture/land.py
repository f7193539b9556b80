"""Where land is: Natural Earth's 1:50 million outlines, which come with the map of `alos2 serve`.

The file is TopoJSON: lines that countries share stand there once, as whole numbers, each counted
from the one before (specification: topojson/topojson-specification, version 1).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from alos2.geometry.antimeridian import split_antimeridian
from alos2.geometry.orbit import Floats

_FILE: Final = "web/static/vendor/natural-earth/countries-50m.json"
_TURN_DEG: Final = 180.0
"""Neighbours this far apart are meant to be near, the other way round the earth."""


def land_in(boxes: Sequence[tuple[float, float, float, float]]) -> BaseGeometry:
    """Return the land within some boxes.

    Parameters
    ----------
    boxes : sequence of (west, south, east, north)
        Degrees; none crosses the antimeridian.

    Returns
    -------
    BaseGeometry
        Longitude and latitude; empty where there is sea only, or no such file.
    """
    land = _land()
    parts = [shapely.clip_by_rect(land, *box) for box in boxes]
    return shapely.union_all([part for one in parts for part in shapely.get_parts(one)])


@lru_cache(maxsize=1)
def _land() -> Any:
    """Return all land as an array of valid polygons."""
    try:
        topology = json.loads((resources.files("alos2") / _FILE).read_bytes())
        arcs = _arcs(topology)
        polygons = [
            polygon
            for rings in _polygons(topology["objects"]["land"])
            for polygon in _cut([_ring(ring, arcs) for ring in rings])
        ]
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        # A plan is as good without: the file is for eyes only, and may have been left out.
        return np.array([], dtype=object)
    return shapely.make_valid(np.array(polygons, dtype=object))


def _arcs(topology: Any) -> list[Floats]:
    scale, shift = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    return [np.cumsum(np.array(arc), axis=0) * scale + shift for arc in topology["arcs"]]


def _polygons(geometry: Any) -> list[Any]:
    if geometry["type"] == "GeometryCollection":
        return [one for part in geometry["geometries"] for one in _polygons(part)]
    return geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]


def _cut(rings: Sequence[Floats]) -> list[BaseGeometry]:
    """Return a polygon, or the parts of one that lies across the antimeridian or round a pole."""
    if np.abs(np.diff(rings[0][:, 0])).max() < _TURN_DEG:
        return [shapely.Polygon(rings[0], rings[1:])]
    # It has no lakes that a plan's reader would miss.
    return [shapely.Polygon(ring) for ring in split_antimeridian(rings[0][:-1])]


def _ring(numbers: Sequence[int], arcs: Sequence[Floats]) -> Floats:
    """Put a ring together; the complement of an arc's number means that it is gone backwards."""
    pieces = [arcs[n] if n >= 0 else arcs[~n][::-1] for n in numbers]
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])

"""Footprints on one equal-area map, where they are cut, joined and measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from alos2.geometry.measures import centroid
from alos2.geometry.planes import EqualAreaPlane
from alos2.types import Json, LonLat

_STEP_DEG: Final = 0.25
_GRID_M: Final = 0.01
"""To which positions are rounded, so that parts cut at the antimeridian meet again."""


class Sheet:
    """An equal-area map round some places.

    Parameters
    ----------
    geometries : iterable of Json
        GeoJSON; the map's centre lies amid them.
    """

    def __init__(self, geometries: Iterable[Json]) -> None:
        vectors = []
        for geometry in geometries:
            lon, lat = np.radians(_middle(geometry))
            vectors.append([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
        x, y, z = np.mean(vectors, axis=0) if vectors else (1.0, 0.0, 0.0)
        self.plane = EqualAreaPlane(
            LonLat(
                float(np.degrees(np.arctan2(y, x))),
                float(np.degrees(np.arctan2(z, np.hypot(x, y)))),
            )
        )

    def put(self, geometry: Json) -> BaseGeometry:
        """Return a GeoJSON geometry on the map, m."""
        return self.put_shape(shape(geometry))

    def put_shape(self, flat: BaseGeometry) -> BaseGeometry:
        """Return a geometry of degrees on the map, m."""
        dense = shapely.segmentize(flat, _STEP_DEG)
        moved = shapely.transform(
            dense, lambda xy: np.column_stack(self.plane.project(xy[:, 0], xy[:, 1]))
        )
        if not moved.is_valid:
            moved = shapely.make_valid(moved)
        # Joins what was cut at the antimeridian, too.
        return shapely.unary_union(moved, grid_size=_GRID_M)


def union_of(geometries: Sequence[Json]) -> Json:
    """Return all that some GeoJSON geometries cover."""
    if len(geometries) == 1:
        return geometries[0]
    return to_json(shapely.union_all([shape(one) for one in geometries]))


def to_json(flat: BaseGeometry) -> Json:
    """Return a geometry of degrees as GeoJSON."""
    found: Json = json.loads(shapely.to_geojson(flat))
    return found


def only_area(flat: BaseGeometry) -> BaseGeometry:
    """Return the polygons of a geometry; empty where there are none."""
    parts = [one for one in shapely.get_parts(flat) if one.geom_type in ("Polygon", "MultiPolygon")]
    if flat.geom_type == "GeometryCollection":
        parts = [p for one in parts for p in shapely.get_parts(one)]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def _middle(geometry: Json) -> LonLat:
    if geometry["type"] in ("Polygon", "MultiPolygon"):
        return centroid(geometry)
    point = shape(geometry).centroid
    return LonLat(point.x, point.y)

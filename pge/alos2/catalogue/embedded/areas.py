"""Places that are searched: boxes, points, polygons, on a flat map from -180 to 180 degrees."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import shapely
from shapely.affinity import translate
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from alos2.errors import UsageError
from alos2.types import Json

Box: TypeAlias = tuple[float, float, float, float]
"""West, south, east, north, degrees; west > east across the antimeridian."""

_MOST_BOXES: Final = 8
_FARTHEST_DEG: Final = 540.0
_WKT: Final = re.compile(
    r"(MULTI)?(POINT|LINESTRING|POLYGON)\b|(LINEARRING|GEOMETRYCOLLECTION)\b", re.IGNORECASE
)
_HINT: Final = (
    "give WKT (POLYGON ((138 35, 139 35, 139 36, 138 35))), GeoJSON, or a file that holds one of "
    "them; longitude first, degrees"
)


@dataclass(frozen=True, eq=False)
class Area:
    """A place, cut at the antimeridian."""

    geometry: BaseGeometry

    @cached_property
    def boxes(self) -> tuple[Box, ...]:
        """West, south, east, north of a few boxes that hold all of it; none crosses."""
        parts = getattr(self.geometry, "geoms", [self.geometry])
        if len(parts) > _MOST_BOXES:
            # One for either half of the map: across the antimeridian they lie far apart.
            west, east = shapely.box(-180, -90, 0, 90), shapely.box(0, -90, 180, 90)
            parts = [self.geometry.intersection(half) for half in (west, east)]
        return tuple(part.bounds for part in parts if not part.is_empty)

    def meets(self, outlines: Any) -> Any:
        """Tell which of an array of shapely geometries it shares a point with."""
        shapely.prepare(self.geometry)
        return shapely.intersects(self.geometry, outlines)


def area_of_box(box: Box) -> Area:
    """Return the area of a box.

    Raises
    ------
    UsageError
        It is none on this earth.
    """
    west, south, east, north = box
    fair = -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90
    if not fair:
        raise UsageError(
            f"{box} is no box", hint="west, south, east, north in degrees; west > east crosses 180"
        )
    if west <= east:
        return Area(_solid(west, south, east, north))
    parts = [_solid(west, south, 180.0, north), _solid(-180.0, south, east, north)]
    return Area(shapely.union_all(parts))


def _solid(west: float, south: float, east: float, north: float) -> BaseGeometry:
    """Return a box, which may be a line or a point."""
    if west == east and south == north:
        return shapely.Point(west, south)
    if west == east or south == north:
        return shapely.LineString([(west, south), (east, north)])
    return shapely.box(west, south, east, north)


def area_of_geometry(geometry: Json) -> Area:
    """Return the area of a GeoJSON object: a geometry, Feature or FeatureCollection.

    Longitudes beyond 180 are taken as the other side of the antimeridian.

    Raises
    ------
    UsageError
        It is none, or lies beyond the earth's latitudes.
    """
    try:
        return _area(_shape(geometry))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, ShapelyError) as error:
        raise UsageError(f"this is no GeoJSON place: {error}", hint=_HINT) from error


def place_of(text: str) -> Json:
    """Return as a GeoJSON geometry what a person gives for a place.

    Parameters
    ----------
    text : str
        WKT, GeoJSON, or the path of a file that holds one of them.

    Raises
    ------
    UsageError
        It is none of them.
    """
    word = text.strip()
    if not word.startswith("{") and not _WKT.match(word):
        try:
            word = Path(word).read_text("utf-8-sig").strip()
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{text!r} is neither a place nor a file that can be read", hint=_HINT
            ) from error
    try:
        geometry = _shape(json.loads(word)) if word.startswith("{") else shapely.from_wkt(word)
        place: Json = json.loads(shapely.to_geojson(_area(geometry).geometry))
    except UsageError:
        raise
    except (
        KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, ShapelyError,
    ) as error:  # fmt: skip
        raise UsageError(f"{text[:80]!r} is no place: {error}", hint=_HINT) from error
    return place


def _shape(document: Any) -> BaseGeometry:
    kind = document["type"]
    if kind == "FeatureCollection":
        parts = [shape(one["geometry"]) for one in document["features"] if one["geometry"]]
        return shapely.union_all(parts)
    if kind == "Feature":
        return shape(document["geometry"])
    return shape(document)


def _area(geometry: BaseGeometry | None) -> Area:
    if geometry is None or geometry.is_empty:
        raise UsageError("the place is empty", hint=_HINT)
    flat = shapely.force_2d(geometry)
    if not flat.is_valid:
        flat = shapely.make_valid(flat)
    west, south, east, north = flat.bounds
    if not (south >= -90 and north <= 90 and west >= -_FARTHEST_DEG and east <= _FARTHEST_DEG):
        raise UsageError(f"the place lies beyond the earth: {flat.bounds}", hint=_HINT)
    if west < -180 or east > 180:
        flat = _wrapped(flat)
    west, south, east, north = flat.bounds
    if south == north and east - west in (0, 360) and abs(west) == 180:
        # A point on the antimeridian, which has two names.
        flat = shapely.MultiPoint([(-180, south), (180, south)])
    return Area(flat)


def _wrapped(flat: BaseGeometry) -> BaseGeometry:
    """Move what lies beyond the map to where it belongs."""
    parts: list[BaseGeometry] = []
    for turn in (-1, 0, 1):
        seen = flat.intersection(shapely.box(360 * turn - 180, -90, 360 * turn + 180, 90))
        if not seen.is_empty:
            moved = translate(seen, xoff=-360.0 * turn)
            parts.append(moved)
    return shapely.union_all(parts)

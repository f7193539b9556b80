"""Measures of GeoJSON outlines: centroid, bounding box, overlap, distance.

All take Polygons and MultiPolygons, also cut at the antimeridian or closed along it to a pole.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from alos2.geometry.ellipsoid import geodetic_to_ecef, up_vector
from alos2.geometry.orbit import Floats
from alos2.geometry.planes import EqualAreaPlane
from alos2.types import Json, LonLat

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_DISTANCE_STEP_M: Final = 2000.0
"""Spacing at which outlines are compared; chords this long sink 0.1 m below the surface."""

_MOST_POINTS: Final = 1500
"""Positions of an outline that is compared, at most (bounds time and memory)."""

_AREA_STEP_DEG: Final = 0.25


def exteriors(geometry: Json) -> list[Floats]:
    """Outer rings of a Polygon or MultiPolygon.

    Parameters
    ----------
    geometry : dict
        GeoJSON geometry, positions of two or more numbers.

    Returns
    -------
    list of ndarray, shape (n, 2), float64
        Degrees, closed as GeoJSON has them.

    Raises
    ------
    ValueError
        If it is another geometry, or its rings are not rings.
    """
    kind = geometry.get("type")
    if kind not in {"Polygon", "MultiPolygon"}:
        raise ValueError(f"a footprint is a Polygon or MultiPolygon, not {kind!r}")
    polygons = [geometry["coordinates"]] if kind == "Polygon" else geometry["coordinates"]
    rings = [_ring(polygon[0]) for polygon in polygons if polygon]
    if not rings:
        raise ValueError("a footprint without a ring")
    return rings


def centroid(geometry: Json) -> LonLat:
    """Centre of area.

    Parameters
    ----------
    geometry : dict
        GeoJSON Polygon or MultiPolygon, degrees.

    Returns
    -------
    LonLat
        Degrees; longitude from -180 to 180.
    """
    rings = exteriors(geometry)
    plane = EqualAreaPlane(_middle(rings))
    total = 0.0
    moment = np.zeros(2)
    for ring in rings:
        x, y = plane.project(*_stepped(ring, _AREA_STEP_DEG).T)
        cross = x[:-1] * y[1:] - x[1:] * y[:-1]
        total += float(cross.sum())
        moment += [float(((v[:-1] + v[1:]) * cross).sum()) for v in (x, y)]
    if total == 0.0:
        return plane.centre
    return plane.unproject(*(moment / (3.0 * total)))


def bbox(geometry: Json) -> list[float]:
    """Bounding box as GeoJSON has it.

    Parameters
    ----------
    geometry : dict
        GeoJSON Polygon or MultiPolygon, degrees.

    Returns
    -------
    list of float
        West, south, east, north, degrees. West is greater than east where the geometry lies
        across the antimeridian (RFC 7946, section 5.2).
    """
    rings = exteriors(geometry)
    lats = np.concatenate([ring[:, 1] for ring in rings])
    spans = sorted((float(ring[:, 0].min()), float(ring[:, 0].max())) for ring in rings)
    west, east = _smallest_span(spans)
    return [west, float(lats.min()), east, float(lats.max())]


def area_m2(geometry: Json) -> float:
    """Area on the ellipsoid.

    Parameters
    ----------
    geometry : dict
        GeoJSON Polygon or MultiPolygon, degrees; holes are not subtracted.

    Returns
    -------
    float
        Square metres.
    """
    rings = exteriors(geometry)
    plane = EqualAreaPlane(_middle(rings))
    total = 0.0
    for ring in rings:
        x, y = plane.project(*_stepped(ring, _AREA_STEP_DEG).T)
        total += 0.5 * abs(float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()))
    return total


def area_ratio(a: Json, b: Json) -> float:
    """Overlap of two footprints: area of the intersection over area of the union.

    Parameters
    ----------
    a, b : dict
        GeoJSON Polygons or MultiPolygons, degrees.

    Returns
    -------
    float
        0 (apart) to 1 (the same), measured on an equal-area map round both.
    """
    rings_a, rings_b = exteriors(a), exteriors(b)
    centre_a, centre_b = (up_vector(*_middle(rings)) for rings in (rings_a, rings_b))
    if float(centre_a @ centre_b) < 0.0:
        return 0.0
    plane = EqualAreaPlane(_lonlat(centre_a + centre_b))
    first, second = (_shape(rings, plane) for rings in (rings_a, rings_b))
    union = float(first.union(second).area)
    return float(first.intersection(second).area) / union if union > 0.0 else 0.0


def distance_m(a: Json, b: Json) -> float:
    """Distance between two outlines: how far one goes from the other, at most (Hausdorff).

    Parameters
    ----------
    a, b : dict
        GeoJSON Polygons or MultiPolygons, degrees. Cuts along the antimeridian or to a pole are
        not part of the outline.

    Returns
    -------
    float
        Metres in a straight line; 0 for the same outline.
    """
    first, second = _segments(exteriors(a)), _segments(exteriors(b))
    return max(_farthest(first, second), _farthest(second, first))


def _ring(positions: Any) -> Floats:
    try:
        ring = np.array([position[:2] for position in positions], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError("a ring must be a list of positions") from error
    if ring.ndim != 2 or len(ring) < 4 or not np.isfinite(ring).all():
        raise ValueError(f"a ring needs at least 4 positions, this has {len(ring)}")
    return ring


def _middle(rings: list[Floats]) -> LonLat:
    """Find a place amid some rings, whatever meridian or pole they lie at."""
    points = np.concatenate([_stepped(ring[:, :2], 5.0)[:-1] for ring in rings])
    return _lonlat(up_vector(points[:, 0], points[:, 1]).mean(axis=0))


def _lonlat(vector: Floats) -> LonLat:
    x, y, z = (float(v) for v in vector)
    return LonLat(
        float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arctan2(z, np.hypot(x, y))))
    )


def _stepped(ring: Floats, step_deg: float) -> Floats:
    """Add positions to a closed ring along its drawn (straight) edges."""
    pieces = []
    for start, stop in pairwise(ring):
        count = int(np.ceil(np.abs(stop - start).max() / step_deg)) or 1
        pieces.append(start + (np.arange(count) / count)[:, np.newaxis] * (stop - start))
    return np.concatenate([*pieces, ring[-1:]])


def _smallest_span(spans: list[tuple[float, float]]) -> tuple[float, float]:
    """Narrowest west and east that hold all spans, round the antimeridian if that is narrower."""
    merged: list[tuple[float, float]] = []
    for west, east in spans:
        if merged and west <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(east, merged[-1][1]))
        else:
            merged.append((west, east))
    # Gap before each span; that before the first goes round the antimeridian.
    gaps = [merged[0][0] + 360.0 - merged[-1][1]]
    gaps += [merged[k][0] - merged[k - 1][1] for k in range(1, len(merged))]
    widest = int(np.argmax(gaps))
    return merged[widest][0], merged[widest - 1][1]


def _shape(rings: list[Floats], plane: EqualAreaPlane) -> BaseGeometry:
    """Shapely geometry of some rings in a plane, made valid."""
    from shapely import make_valid, union_all  # noqa: PLC0415  costs 0.1 s where it is not needed
    from shapely.geometry import Polygon  # noqa: PLC0415

    shapes = []
    for ring in rings:
        x, y = plane.project(*_stepped(ring, _AREA_STEP_DEG).T)
        shapes.append(make_valid(Polygon(np.column_stack([x, y]))))
    return union_all(shapes)


def _segments(rings: list[Floats]) -> tuple[Floats, Floats]:
    """Find the starts and stops, Earth-fixed, m, of short pieces of the true outline."""
    edges = []
    for ring in rings:
        start, stop = ring[:-1], ring[1:]
        on_cut = (np.abs(start) == [180.0, 90.0]) & (np.abs(stop) == [180.0, 90.0])
        edges.append(np.stack([start, stop], axis=1)[~on_cut.any(axis=1)])
    ends = np.concatenate(edges)
    span = ends[:, 1] - ends[:, 0]
    scale = np.cos(np.radians(ends[:, :, 1]).mean(axis=1))
    lengths = 111_320.0 * np.hypot(span[:, 0] * scale, span[:, 1])
    step = max(_DISTANCE_STEP_M, float(lengths.sum()) / _MOST_POINTS)
    counts = np.maximum(np.ceil(lengths / step), 1.0).astype(np.intp)
    which = np.repeat(np.arange(len(ends)), counts)
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    shares = (number + np.array([[0.0], [1.0]])) / counts[which]
    places = ends[which, 0] + shares[..., np.newaxis] * span[which]
    xyz = geodetic_to_ecef(places[..., 0], places[..., 1])
    return xyz[0], xyz[1]


def _farthest(a: tuple[Floats, Floats], b: tuple[Floats, Floats]) -> float:
    """Largest distance of the positions of one outline from the other outline, m."""
    start, along = b[0], b[1] - b[0]
    squared = np.maximum((along**2).sum(axis=1), 1e-12)
    farthest = 0.0
    points = np.concatenate([a[0], a[1]])
    for part in np.array_split(points, max(1, len(points) // 256)):
        offset = part[:, np.newaxis, :] - start
        share = np.clip((offset * along).sum(axis=-1) / squared, 0.0, 1.0)
        away = offset - share[..., np.newaxis] * along
        farthest = max(farthest, float((away**2).sum(axis=-1).min(axis=1).max()))
    return float(np.sqrt(farthest))

"""The map in the picture of a plan: where things come to lie, land, graticule, scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely
from shapely.affinity import affine_transform
from shapely.geometry.base import BaseGeometry

from alos2.stack.picture.drawing import Drawing, Stroke, Words
from alos2.stack.picture.land import land_in
from alos2.stack.planning.plane import Sheet

SEA: Final = "#eaf1f6"
LAND: Final = "#faf8f2"
COAST: Final = "#b9c3cc"
GRID: Final = "#c9d3dc"
INK: Final = "#1f2933"
PALE: Final = "#5f6c7b"
_STEPS_DEG: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)
_LINES: Final = 4
_MARGIN: Final = 0.07
_POLAR: Final = 88.0


@dataclass(frozen=True)
class Frame:
    """A rectangle of the picture, pixels."""

    x: float
    y: float
    width: float
    height: float


class MapView:
    """A part of an equal-area map, in a frame of a picture.

    Parameters
    ----------
    sheet : Sheet
        The map.
    shown : BaseGeometry
        What has to be seen, on the map, m.
    frame : Frame
        Where in the picture.
    """

    def __init__(self, sheet: Sheet, shown: BaseGeometry, frame: Frame) -> None:
        self.sheet, self.frame = sheet, frame
        west, south, east, north = shown.bounds
        wide, high = max(east - west, 1000.0), max(north - south, 1000.0)
        self.m_per_px = (1 + 2 * _MARGIN) * max(wide / frame.width, high / frame.height)
        self._x, self._y = (west + east) / 2, (south + north) / 2

    def put(self, on_map: BaseGeometry) -> BaseGeometry:
        """Return a geometry of the map in the picture, cut at the frame."""
        a = 1.0 / self.m_per_px
        frame = self.frame
        moved = affine_transform(
            on_map,
            [
                a, 0.0, 0.0, -a,
                frame.x + frame.width / 2 - a * self._x,
                frame.y + frame.height / 2 + a * self._y,
            ],
        )  # fmt: skip
        return moved.intersection(self.box)

    @cached_property
    def box(self) -> BaseGeometry:
        """The frame."""
        f = self.frame
        return shapely.box(f.x, f.y, f.x + f.width, f.y + f.height)

    @cached_property
    def _bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of what is seen; west and east counted on from the centre."""
        half_x = self.frame.width * self.m_per_px / 2
        half_y = self.frame.height * self.m_per_px / 2
        shares = np.linspace(-1, 1, 41)
        edge = [(s, t) for s in shares for t in (-1.0, 1.0)]
        edge += [(t, s) for s, t in edge]
        places = [
            self.sheet.plane.unproject(self._x + s * half_x, self._y + t * half_y) for s, t in edge
        ]
        centre = self.sheet.plane.centre.lon_deg
        lon = np.array([(p.lon_deg - centre + 180.0) % 360.0 - 180.0 for p in places]) + centre
        lat = np.array([p.lat_deg for p in places])
        west, east = float(lon.min()), float(lon.max())
        south, north = float(lat.min()), float(lat.max())
        for pole in (90.0, -90.0):
            if abs(self.sheet.plane.centre.lat_deg - pole) < 90 and self._sees(pole):
                west, east = centre - 180.0, centre + 180.0
                south, north = min(south, pole), max(north, pole)
        return west, south, east, north

    def _sees(self, pole_deg: float) -> bool:
        x, y = self.sheet.plane.project(self.sheet.plane.centre.lon_deg, pole_deg)
        return bool(
            abs(float(x) - self._x) < self.frame.width * self.m_per_px / 2
            and abs(float(y) - self._y) < self.frame.height * self.m_per_px / 2
        )

    def draw_ground(self, drawing: Drawing) -> None:
        """Draw sea and land."""
        f = self.frame
        drawing.rectangle(f.x, f.y, f.width, f.height, SEA)
        west, south, east, north = self._bounds
        pad = 0.05 * (north - south)
        south, north = max(-90.0, south - pad), min(90.0, north + pad)
        boxes = []
        for turn in (-360.0, 0.0, 360.0):
            left, right = max(west - pad + turn, -180.0), min(east + pad + turn, 180.0)
            if right > left:
                boxes.append((left, south, right, north))
        land = land_in(boxes)
        if land.is_empty:
            return
        seen = self.put(self.sheet.put_shape(land))
        drawing.fill(seen, LAND)
        # Not the frame's own edge, where the land was cut.
        inner = self.box.buffer(-0.5)
        drawing.outline(seen.boundary.intersection(inner), COAST, 0.8)

    def draw_graticule(self, drawing: Drawing) -> None:
        """Draw meridians and parallels with their degrees beside the frame, and the frame."""
        west, south, east, north = self._bounds
        f = self.frame
        step_lat = _step(min(north - south, 180.0))
        step_lon = max(step_lat, _step(east - west))
        for lon in _multiples(west, east, step_lon):
            lats = np.linspace(max(south, -_POLAR), min(north, _POLAR), 60)
            seen = self._line(np.full(60, lon), lats)
            self._draw(drawing, seen)
            foot = [x for x, y in _ends(seen) if abs(y - f.y - f.height) < 0.5]
            if foot:
                drawing.add(
                    Words((foot[0], f.y + f.height + 13), _degrees(lon, "EW"), 11, PALE, "middle")
                )
        for lat in _multiples(south, north, step_lat):
            if abs(lat) > _POLAR:
                continue
            seen = self._line(np.linspace(west, east, 120), np.full(120, lat))
            self._draw(drawing, seen)
            left = [y for x, y in _ends(seen) if abs(x - f.x) < 0.5]
            if left:
                drawing.add(Words((f.x - 6, left[0]), _degrees(lat, "NS"), 11, PALE, "end"))
        corners = tuple((float(x), float(y)) for x, y in shapely.get_coordinates(self.box))
        drawing.add(Stroke(corners, "#8796a5", 1.2))

    def draw_scale(self, drawing: Drawing) -> None:
        """Draw how long some round number of kilometres is."""
        f = self.frame
        longest_m = 0.25 * f.width * self.m_per_px
        power = 10 ** math.floor(math.log10(longest_m))
        length_m = max(k * power for k in (1, 2, 5) if k * power <= longest_m)
        length = length_m / self.m_per_px
        x, y = f.x + 16, f.y + f.height - 18
        drawing.add(
            Stroke(((x, y - 4), (x, y), (x + length, y), (x + length, y - 4)), INK, 1.6),
            Words(
                (x + length / 2, y - 11), f"{length_m / 1000:g} km", 11, INK, "middle", halo=LAND
            ),
        )

    def _line(self, lon: Any, lat: Any) -> BaseGeometry:
        x, y = self.sheet.plane.project(lon, lat)
        return self.put(shapely.LineString(np.column_stack([x, y])))

    def _draw(self, drawing: Drawing, seen: BaseGeometry) -> None:
        drawing.outline(seen, GRID, 0.8)


def _ends(seen: BaseGeometry) -> list[tuple[float, float]]:
    parts = getattr(seen, "geoms", [seen])
    return [
        (float(x), float(y))
        for part in parts
        if part.geom_type == "LineString" and not part.is_empty
        for x, y in (part.coords[0], part.coords[-1])
    ]


def _step(span_deg: float) -> float:
    return next((s for s in _STEPS_DEG if span_deg / s <= _LINES + 1), _STEPS_DEG[-1])


def _multiples(low: float, high: float, step: float) -> list[float]:
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _degrees(value: float, letters: str) -> str:
    turned = (value + 180.0) % 360.0 - 180.0 if letters == "EW" else value
    if letters == "EW" and abs(abs(turned) - 180.0) < 1e-9:
        return "180°"
    letter = "" if turned == 0 else letters[turned < 0]
    return f"{abs(round(turned, 4)):g}°{letter}"

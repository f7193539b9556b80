"""A river plain between wooded hills, and its flood: the stack of the worked example.

The ground is the simulator's own (square parcels), with a relief from a file, woods on the hills,
fields and a river in the plain. Some days after the third date the river floods the plain;
two dates see the flood, the next one what is left of it in the lower places.

At L band, water on open ground mirrors the radar's pulse away: it darkens by some 9 dB. Water under
trees does the opposite, as trunk and water make a corner: flooded woods brighten in HH (Hess,
Melack & Simonett, 1990, International Journal of Remote Sensing 11, 1313-1325).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date as Date  # noqa: N812
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from alos2.geometry.orbit import Floats
from alos2.simulate.changes import Change
from alos2.simulate.demfile import write_dem
from alos2.simulate.ground import TangentPlane
from alos2.simulate.spec import SimulationSpec
from alos2.simulate.stack import CYCLE_DAYS, StackSpec
from alos2.simulate.terrain import Terrain
from alos2.types import Polarization

SIZE: Final = 520
"""Lines and pixels of a scene."""
DATES: Final = 7
TRACKS: Final = 2
FIRST_DAY: Final = Date(2020, 6, 15)
BEFORE: Final = 2
"""Number of the last date before the flood, counted from 0; the next two see it."""

_LON_DEG: Final = 139.90
_LAT_DEG: Final = 36.02
_REACH_M: Final = (-7000.0, -7500.0, 12500.0, 7500.0)
"""West, south, east, north of the relief, from the middle of the first track."""
_DEM_M: Final = 15.0
_CORNER_M: Final = 250.0
"""Distance of the corners of shores along the river."""
_RIVER_M: Final = 95.0
_FIELD_M: Final = 420.0
_WOODS_M: Final = 1600.0
"""So far from the middle there are woods in the plain; beyond, parcels are too large for them."""

_Pair: TypeAlias = tuple[float, float]
_OPEN: Final = ("field", "site", "water")
"""What is open ground in the plain: all of it becomes fields there."""

# dB of HH and HV, added to what the parcels of a kind have.
_TO_FIELD: Final = {"site": (12.0, 13.0), "water": (9.0, 10.0), "city": (-4.0, -3.0)}
_TO_WOOD: Final = {
    "site": (16.5, 20.0), "water": (13.5, 17.0), "field": (4.5, 7.0), "city": (-5.5, -4.0),
}  # fmt: skip
_FIELD_TO_RIVER: Final = (-10.0, -10.5)
_WOOD_TO_RIVER: Final = (-14.5, -17.5)
_TO_RIVER: Final = dict.fromkeys(_OPEN, _FIELD_TO_RIVER) | {"city": (-16.0, -18.5)}
_FLOODED_WOOD: Final = (3.0, 0.5)
_FLOODED_FIELD: Final = (-9.0, -8.0)
_FLOODED: Final = dict.fromkeys(_OPEN, _FLOODED_FIELD) | {"city": (2.0, 0.0)}
_CLEARED: Final = (-4.5, -7.0)
"""From woods to fields."""


@dataclass(frozen=True)
class Flood:
    """The stack to be made, and what is true of it."""

    stack: StackSpec
    water: tuple[tuple[float, float], ...]
    """Ring of the flooded ground at its highest, m east and north of the ground's centre; what an
    even number of it encloses (the river) is not in it."""
    days: tuple[Date, Date]
    """First day of the flood, and the first on which no more than pools are left."""


def flood(dem: Path, *, size: int = SIZE, spacing_m: float = 12.5) -> Flood:
    """Describe the flood's stack; the relief is written to `dem`, unless it is there.

    Parameters
    ----------
    dem : Path
        GeoTIFF of the ground's heights above the ellipsoid.
    size : int
        Lines and pixels of each scene.
    spacing_m : float
        Of their pixels.

    Raises
    ------
    UsageError
        A number cannot be.
    NoSpace, NoResource
        The relief cannot be written.
    """
    if not dem.exists():
        plane = TangentPlane(_LON_DEG, _LAT_DEG)
        dem.parent.mkdir(parents=True, exist_ok=True)
        write_dem(dem, heights_m, plane, box_m=_REACH_M, spacing_m=_DEM_M)
    begins = FIRST_DAY + timedelta(days=CYCLE_DAYS * BEFORE + 10)
    recedes = begins + timedelta(days=26)
    over = recedes + timedelta(days=15)
    ever = FIRST_DAY - timedelta(days=1)
    plain, river, frame = _band(1.0, 0.12), _river(), shapely.box(*_REACH_M)
    water = _band(0.80, 0.10).difference(river)
    pools = _band(0.34, 0.45).difference(river)
    near = shapely.box(-_WOODS_M, -_WOODS_M, _WOODS_M, _WOODS_M)
    changes = [
        *_changed(ever, None, plain, _TO_FIELD),
        *_changed(ever, None, plain.difference(near), {"forest": _CLEARED}),
        *_changed(ever, None, frame.difference(plain), _TO_WOOD),
        *_changed(ever, None, _fields(plain), dict.fromkeys(_OPEN, (2.2, 1.6))),
        *_changed(ever, None, river, _TO_RIVER),
        *_changed(ever, None, river.intersection(near), {"forest": _WOOD_TO_RIVER}),
        *_changed(ever, None, river.difference(near), {"forest": _FIELD_TO_RIVER}),
    ]
    for since, until, wet in ((begins, recedes, water), (recedes, over, pools)):
        changes += _changed(since, until, wet, _FLOODED)
        changes += _changed(since, until, wet.intersection(near), {"forest": _FLOODED_WOOD})
        changes += _changed(since, until, wet.difference(near), {"forest": _FLOODED_FIELD})
    scene = SimulationSpec(
        level="2.1", mode="FBD", pixels=size, lines=size, spacing_m=spacing_m, seed=8,
        lon_deg=_LON_DEG, lat_deg=_LAT_DEG, date=FIRST_DAY, zip="auig2", targets=False,
        terrain=Terrain("file", path=dem), changes=tuple(changes),
    )  # fmt: skip
    stack = StackSpec(scene, dates=DATES, every_days=CYCLE_DAYS, tracks=TRACKS)
    return Flood(stack, _ring(water), (begins, recedes))


def heights_m(x_m: Floats, y_m: Floats) -> Floats:
    """Heights of the ground: a plain along the river, hills on both sides.

    Parameters
    ----------
    x_m, y_m : ndarray
        Metres east and north of the middle.
    """
    away = np.abs(y_m - _middle(x_m)) - _half_width(x_m)
    rise = np.clip(away / 1500.0, 0.0, 1.0)
    rise = rise * rise * (3.0 - 2.0 * rise)
    crests = 1.0 + 0.7 * np.sin(x_m / 260.0 + y_m / 900.0) * np.cos(y_m / 340.0 - x_m / 1500.0)
    crests += 0.3 * np.sin(x_m / 610.0 - y_m / 450.0 + 1.0)
    return np.asarray(18.0 + 170.0 * rise * crests, dtype=np.float64)


def _middle(x: Floats) -> Floats:
    """Where the river runs, m north."""
    return np.asarray(650.0 * np.sin(x / 1150.0 + 0.4) + 210.0 * np.sin(x / 430.0 + 1.0) - 100.0)


def _half_width(x: Floats) -> Floats:
    """Of the plain, m."""
    return np.asarray(1250.0 + 260.0 * np.sin(x / 800.0 + 2.0) + 90.0 * np.sin(x / 310.0))


def _band(part: float, rough: float) -> BaseGeometry:
    """Return a part of the plain on both sides of the river, its shores uneven by a part of it."""
    x = np.arange(_REACH_M[0], _REACH_M[2] + _CORNER_M, _CORNER_M)
    shores = []
    for side, phase in ((1.0, 1.7), (-1.0, 0.2)):
        uneven = np.sin(x / 370.0 + phase) + 0.8 * np.sin(x / 190.0 + 3.0 * phase)
        away = _half_width(x) * part * (1.0 + rough * uneven)
        shores.append(np.stack([x, _middle(x) + side * away], axis=-1))
    return shapely.Polygon(np.concatenate([shores[0], shores[1][::-1]]))


def _river() -> BaseGeometry:
    x = np.arange(_REACH_M[0], _REACH_M[2] + 150.0, 150.0)
    return shapely.LineString(np.stack([x, _middle(x)], axis=-1)).buffer(
        _RIVER_M, quad_segs=2, cap_style="flat"
    )


def _fields(plain: BaseGeometry) -> BaseGeometry:
    """Return some fields of a tilted lattice in the plain."""
    turn, found = np.radians(24.0), []
    for row in range(-12, 12):
        for column in range(-16, 30):
            if (row * 7 + column * 5 + (row * column) % 3) % 4 != 0:
                continue
            u = _FIELD_M * (column + np.array([0.0, 1.0, 1.0, 0.0]) * 0.96)
            v = 0.6 * _FIELD_M * (row + np.array([0.0, 0.0, 1.0, 1.0]) * 0.94)
            x, y = u * np.cos(turn) - v * np.sin(turn), u * np.sin(turn) + v * np.cos(turn)
            field = shapely.Polygon(np.stack([x, y], axis=-1))
            if plain.contains(field):
                found.append(field)
    return shapely.MultiPolygon(found)


def _ring(area: BaseGeometry) -> tuple[tuple[float, float], ...]:
    """Return an area as one ring: its parts and holes, joined by bridges of no width."""
    rings = []
    for part in getattr(area, "geoms", [area]):
        for line in (part.exterior, *part.interiors):
            rings.append([(round(x, 1), round(y, 1)) for x, y in line.coords])
    start = rings[0][0]
    return tuple(corner for ring in rings for corner in (*ring, start))


def _changed(
    since: Date, until: Date | None, area: BaseGeometry, decibels: Mapping[str, _Pair]
) -> list[Change]:
    """Return a change of one region for each kind of parcel."""
    names: tuple[Polarization, Polarization] = ("HH", "HV")
    if area.is_empty:
        return []
    ring, made = _ring(area), []
    for values in dict.fromkeys(decibels.values()):
        kinds = tuple(kind for kind, those in decibels.items() if those == values)
        db = tuple(zip(names, values, strict=True))
        made.append(Change(since, db, until, polygon=ring, kinds=kinds))
    return made

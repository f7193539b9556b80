"""Terrains and changes as words of a command line.

* terrain: ``ridge:HEIGHT,WIDTH,AZIMUTH`` (also ``roof``, ``hills``), ``file:PATH``
* change: ``FROM[/UNTIL] REGION DB [KINDS]``, for example
  ``2020-07-13/2020-08-24 disc:0,0,400 HH=-9,HV=-7.5 field,forest``; the region is
  ``disc:EAST,NORTH,RADIUS`` or ``polygon:EAST,NORTH;EAST,NORTH;...`` in metres from the ground's
  centre, with ``disc@`` and ``polygon@`` in longitude and latitude; DB is one number or one for
  each polarisation.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Final, cast

from alos2.errors import UsageError
from alos2.simulate.changes import Change, Decibels
from alos2.simulate.terrain import Terrain, TerrainKind
from alos2.types import Polarization

_TERRAIN_HINT: Final = "for example ridge:600,4000,10 (height and width in m, azimuth)"
_USUAL: Final = (Terrain.height_m, Terrain.width_m, Terrain.azimuth_deg)
_CHANGE_HINT: Final = "for example '2020-07-13/2020-08-24 disc:0,0,400 HH=-9,HV=-7.5 field'"


def parse_terrain(words: str) -> Terrain:
    """Give the terrain that words mean.

    Raises
    ------
    UsageError
        They mean none.
    """
    kind, _, rest = words.partition(":")
    if kind == "file":
        return Terrain("file", path=Path(rest))
    numbers = _numbers(rest, f"terrain {words!r}", _TERRAIN_HINT)
    if not 1 <= len(numbers) <= 3:
        raise UsageError(f"terrain {words!r} has {len(numbers)} numbers", hint=_TERRAIN_HINT)
    height, width, azimuth = [*numbers, *_USUAL[len(numbers) :]]
    return Terrain(cast(TerrainKind, kind), height, width, azimuth)


def parse_change(words: str) -> Change:
    """Give the change that words mean.

    Raises
    ------
    UsageError
        They mean none.
    """
    parts = words.split()
    if not 3 <= len(parts) <= 4:
        raise UsageError(f"change {words!r} has {len(parts)} parts", hint=_CHANGE_HINT)
    since, _, until = parts[0].partition("/")
    region, lonlat = parts[1].replace("@", ":", 1), "@" in parts[1]
    shape, _, places = region.partition(":")
    what = f"change {words!r}"
    points = [_numbers(place, what, _CHANGE_HINT) for place in places.split(";")]
    disc = polygon = None
    if shape == "disc" and len(points) == 1 and len(points[0]) == 3:
        disc = (points[0][0], points[0][1], points[0][2])
    elif shape == "polygon" and all(len(point) == 2 for point in points):
        polygon = tuple((point[0], point[1]) for point in points)
    else:
        raise UsageError(f"{what}: {parts[1]!r} is no region", hint=_CHANGE_HINT)
    return Change(
        _day(since, what),
        _decibels(parts[2], what),
        until=_day(until, what) if until else None,
        disc=disc,
        polygon=polygon,
        lonlat=lonlat,
        kinds=tuple(parts[3].split(",")) if len(parts) == 4 else (),
    )


def _decibels(words: str, what: str) -> Decibels:
    if "=" not in words:
        (number,) = _numbers(words, what, _CHANGE_HINT)[:1]
        return number
    pairs = []
    for pair in words.split(","):
        name, _, number_words = pair.partition("=")
        (number,) = _numbers(number_words, what, _CHANGE_HINT)[:1]
        pairs.append((cast(Polarization, name), number))
    return tuple(pairs)


def _numbers(words: str, what: str, hint: str) -> list[float]:
    try:
        return [float(word) for word in words.split(",")]
    except ValueError:
        raise UsageError(f"{what}: {words!r} are no numbers", hint=hint) from None


def _day(words: str, what: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise UsageError(f"{what}: {words!r} is no day (YYYY-MM-DD)", hint=_CHANGE_HINT) from None

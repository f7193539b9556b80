"""How much of the area each date covers, where holes are, and what is nearly there twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from alos2.stack.planning.model import Acquisition, PlanWarning, Track
from alos2.stack.planning.plane import Sheet
from alos2.stack.planning.words import share_text, some_text
from alos2.types import Json

WHOLE: Final = 0.97
"""From this share on a date covers all: a frame never begins at quite the same place."""
HOLE: Final = 0.005
"""Share of the area without a scene that is told: footprints are known to some hundred metres."""
NEAR: Final = timedelta(days=1)
"""Acquisitions of one track that lie no further apart are nearly the same."""
_NOTHING: Final = 1e-9
_SHOWN: Final = 6


@dataclass(frozen=True)
class TrackCoverage:
    """How much of the area, or else of the track's own extent, a track covers."""

    shares: Mapping[str, float]
    """Of each acquisition by name, 0 to 1; of what the track could cover of the area."""
    of_area: float
    """What all its acquisitions together cover of the area; 1 without an area."""
    always: float
    """What each of its acquisitions covers, of what it could cover."""


@dataclass(frozen=True)
class Coverage:
    """What is covered, on one map."""

    sheet: Sheet
    area: BaseGeometry | None
    """The area on that map; None where none was given, or it is no polygon."""
    tracks: Mapping[str, TrackCoverage]
    covered: float
    """Share of the area that any acquisition covers; 1 without an area."""
    holes: BaseGeometry
    """What of the area no acquisition covers, on the map."""
    outlines: Mapping[str, BaseGeometry] = field(default_factory=dict)
    """Each track's acquisitions together, on the map."""


def cover(tracks: Sequence[Track], area: Json | None) -> Coverage:
    """Measure what tracks cover.

    Parameters
    ----------
    tracks : sequence of Track
        At least one.
    area : Json, optional
        GeoJSON.
    """
    geometries = [one.geometry for track in tracks for one in track.acquisitions]
    sheet = Sheet([area] if area is not None else geometries)
    wanted = None
    if area is not None and area["type"] in ("Polygon", "MultiPolygon"):
        wanted = sheet.put(area)
    of_tracks, outlines = {}, {}
    for track in tracks:
        shapes = {one.name: sheet.put(one.geometry) for one in track.acquisitions}
        outlines[track.name] = shapely.union_all(list(shapes.values()))
        of_tracks[track.name] = _of_track(shapes, outlines[track.name], wanted)
    everything = shapely.union_all(list(outlines.values()))
    holes = shapely.Polygon() if wanted is None else wanted.difference(everything)
    covered = 1.0 if wanted is None else 1.0 - holes.area / wanted.area
    return Coverage(sheet, wanted, of_tracks, covered, holes, outlines)


def _of_track(
    shapes: Mapping[str, BaseGeometry], whole: BaseGeometry, area: BaseGeometry | None
) -> TrackCoverage:
    reach = whole if area is None else whole.intersection(area)
    common = reach
    for one in shapes.values():
        common = common.intersection(one)
    return TrackCoverage(
        {name: _share(one, reach) for name, one in shapes.items()},
        1.0 if area is None else _share(reach, area),
        _share(common, reach),
    )


def _share(part: BaseGeometry, whole: BaseGeometry) -> float:
    area = float(whole.area)
    if area <= _NOTHING:
        return 0.0
    return min(1.0, float(part.intersection(whole).area) / area)


def warnings_of(tracks: Sequence[Track], coverage: Coverage) -> list[PlanWarning]:
    """Return what there is to know of coverage and of dates that are nearly the same."""
    found: list[PlanWarning] = []
    if 1.0 - coverage.covered > HOLE:
        part = (
            f"{share_text(1.0 - coverage.covered)} of the area"
            if coverage.covered > 0
            else "the area"
        )
        found.append(PlanWarning("never_covered", f"no scene covers {part}"))
    for track in tracks:
        found += _partial(track, coverage.tracks[track.name])
        found += _near_dates(track)
    lone = [track for track in tracks if len(track.acquisitions) == 1]
    if lone:
        names = some_text([f"{track.name} ({track.acquisitions[0].name})" for track in lone])
        have = "has" if len(lone) == 1 else "have"
        text = f"{names} {have} one date only: there is no series of it"
        scenes = tuple(name for track in lone for name in _names(track.acquisitions[0]))
        found.append(PlanWarning("single_date", text, scenes))
    return found


def _partial(track: Track, coverage: TrackCoverage) -> list[PlanWarning]:
    parts = [one for one in track.acquisitions if coverage.shares[one.name] < WHOLE]
    if not parts:
        return []
    shown = []
    for one in parts[:_SHOWN]:
        missing = sorted(set(track.frames) - set(one.frames))
        without = f", without frame {', '.join(missing)}" if missing else ""
        shown.append(f"{one.name} {share_text(coverage.shares[one.name])}{without}")
    more = f"; and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    text = f"{track.name}: {len(parts)} of {len(track.acquisitions)} dates cover only a part: "
    scenes = tuple(name for one in parts for name in _names(one))
    return [PlanWarning("partial_date", text + "; ".join(shown) + more, scenes, track.name)]


def _near_dates(track: Track) -> list[PlanWarning]:
    found = []
    for one, after in pairwise(track.acquisitions):
        apart = after.when - one.when
        if apart < NEAR:
            minutes = apart.total_seconds() / 60
            how = f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.0f} hours"
            text = f"{track.name}: {one.name} and {after.name} lie only {how} apart"
            scenes = (*_names(one), *_names(after))
            found.append(PlanWarning("near_duplicate_dates", text, scenes, track.name))
    return found


def _names(acquisition: Acquisition) -> tuple[str, ...]:
    return tuple(scene.scene for scene in acquisition.scenes)

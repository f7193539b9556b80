"""Scenes become acquisitions and tracks: what can be compared together, what cannot apart.

Scenes of one path, mode, look side, pass, beams or off-nadir angle and polarisations are alike (the
rule of ``alos2 search --stack``, with polarisations besides). Of these, frames that one pass took
one after the other, and whose footprints touch, belong to one track; a pass over a track is one
acquisition, though some of its frames be missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import combinations
from typing import Any, Final

from alos2.catalogue.embedded.rows import unix_us
from alos2.catalogue.embedded.stacks import beams_of, by_off_nadir, track_of
from alos2.geometry.measures import bbox
from alos2.stack.planning.model import Acquisition, PlannedScene, Track
from alos2.stack.planning.plane import Sheet, union_of

TOUCH_M: Final = 2000.0
"""Footprints this near to one another touch: they are known to some hundred metres."""
ADJACENT: Final = timedelta(seconds=5)
"""Between the end of a frame and the beginning of the next one, at most."""
_UNKNOWN_LENGTH: Final = timedelta(seconds=30)
"""Half of the longest scene, where a delivery does not say when it begins and ends."""
_USUAL: Final = {"S": ("HH",), "D": ("HH", "HV"), "Q": ("HH", "HV", "VH", "VV")}
"""Polarisations by the last letter of the mode."""


def tracks_of(scenes: Sequence[PlannedScene]) -> tuple[Track, ...]:
    """Group scenes.

    Parameters
    ----------
    scenes : sequence of PlannedScene
        One delivery of each, see `alos2.stack.planning.choosing`.

    Returns
    -------
    tuple of Track
        By path, frame, mode; their names differ.
    """
    tracks = [
        _track(key, alike, members)
        for key, beam_mates in _alike(scenes).items()
        for mates in by_off_nadir(beam_mates, _off_nadir, lambda s: s.scene)
        for alike in _by_beam_number(mates)
        for members in _passes(alike)
    ]
    tracks.sort(key=lambda t: (t.path, t.frames, t.mode, t.name))
    return tuple(tracks)


def touch(one: PlannedScene, other: PlannedScene) -> bool:
    """Whether two scenes are consecutive frames of one pass."""
    if one.said("alos2:orbit") != other.said("alos2:orbit"):
        return False
    first, second = sorted((one, other), key=lambda scene: scene.when)
    if span(second)[0] - span(first)[1] > ADJACENT:
        return False
    sheet = Sheet([one.geometry, other.geometry])
    return bool(sheet.put(one.geometry).distance(sheet.put(other.geometry)) <= TOUCH_M)


def span(scene: PlannedScene) -> tuple[Any, Any]:
    """Return when a scene begins and ends."""
    start, end = scene.said("start_datetime"), scene.said("end_datetime")
    if start is None or end is None:
        return scene.when - _UNKNOWN_LENGTH, scene.when + _UNKNOWN_LENGTH
    middle = unix_us(str(scene.said("datetime")))
    before, after = (unix_us(str(text)) - middle for text in (start, end))
    return scene.when + timedelta(microseconds=before), scene.when + timedelta(microseconds=after)


def _off_nadir(scene: PlannedScene) -> float | None:
    angle = scene.said("view:off_nadir")
    return float(angle) if isinstance(angle, (int, float)) else None


def _beam_number(scene: PlannedScene) -> str:
    """Return the number of the beam, where only that is said: level 2.2 has no angle."""
    numbers = scene.said("sar:beam_ids")
    return "".join(map(str, numbers)) if isinstance(numbers, list) else ""


def _by_beam_number(scenes: Sequence[PlannedScene]) -> list[list[PlannedScene]]:
    """Keep scenes of one angle together; part those without one by their beams' numbers."""
    if _off_nadir(scenes[0]) is not None:
        return [list(scenes)]
    numbers = sorted({_beam_number(scene) for scene in scenes})
    return [[scene for scene in scenes if _beam_number(scene) == one] for one in numbers]


def _alike(scenes: Sequence[PlannedScene]) -> dict[tuple[Any, ...], list[PlannedScene]]:
    """Return the scenes by path, mode, look, pass, beams, polarisations."""
    groups: dict[tuple[Any, ...], list[PlannedScene]] = defaultdict(list)
    for scene in sorted(scenes, key=lambda s: (s.when, s.scene, s.product)):
        said = {} if scene.item is None else scene.item["properties"]
        path, _, mode, look, direction = track_of(said)
        groups[path, mode, look, direction, beams_of(said), scene.polarizations].append(scene)
    return groups


def _passes(scenes: Sequence[PlannedScene]) -> Iterator[list[list[PlannedScene]]]:
    """Yield the tracks among like scenes: of each its passes, of each pass its scenes."""
    by_orbit: dict[Any, list[PlannedScene]] = defaultdict(list)
    for scene in scenes:
        by_orbit[scene.said("alos2:orbit")].append(scene)
    belongs = {scene.frame: scene.frame for scene in scenes}

    def first(frame: str) -> str:
        while belongs[frame] != frame:
            frame = belongs[frame]
        return frame

    for mates in by_orbit.values():
        for one, other in combinations(mates, 2):
            low, high = sorted((first(one.frame), first(other.frame)))
            if low != high and touch(one, other):
                belongs[high] = low
    tracks: dict[str, dict[Any, list[PlannedScene]]] = defaultdict(lambda: defaultdict(list))
    for scene in scenes:
        tracks[first(scene.frame)][scene.said("alos2:orbit")].append(scene)
    for frame in sorted(tracks):
        yield list(tracks[frame].values())


def _track(
    key: tuple[Any, ...], alike: Sequence[PlannedScene], passes: Sequence[Sequence[PlannedScene]]
) -> Track:
    path, mode, look, direction, beams, pols = key
    frames = tuple(sorted({scene.frame for one in passes for scene in one}))
    # Of all that are alike, not of this track: one beam has one name, whatever the frame; and of
    # the first, so that a further date changes no name.
    first = min(alike, key=lambda s: (s.when, s.scene))
    angle = _off_nadir(first)
    if not beams and angle is None:
        beams = tuple(_beam_number(first))
    return Track(
        name=track_name(
            path=path,
            frames=frames,
            mode=mode,
            beams=beams,
            off_nadir_deg=angle,
            look=look,
            direction=direction,
            polarizations=pols,
        ),
        path=path,
        frames=frames,
        mode=mode,
        look=look,
        pass_direction=direction,
        beams=beams,
        off_nadir_deg=angle,
        polarizations=pols,
        acquisitions=tuple(_acquisitions(passes)),
    )


def track_name(
    *,
    path: Any,
    frames: Sequence[str],
    mode: Any,
    beams: Sequence[str],
    off_nadir_deg: float | None,
    look: Any,
    direction: Any,
    polarizations: Sequence[str],
) -> str:
    """Return the name of a track, fit for a folder: ``P126_F0680-0690_FBD_28.6_R_A``.

    Beams of ScanSAR stand in the place of the angle, ``x`` where neither is known. Polarisations
    follow where they are not the usual ones of a mode (HH, HH+HV, all four).
    """
    frame = frames[0] if len(frames) == 1 else f"{frames[0]}-{frames[-1]}"
    beam = "x" if off_nadir_deg is None else f"{off_nadir_deg:.1f}"
    if beams:
        beam = f"B{''.join(beams)}"
    parts = [f"P{path:03d}", f"F{frame}", mode, beam, look, direction]
    if tuple(polarizations) != _USUAL.get(str(mode)[-1:]):
        parts.append("".join(polarizations) or "none")
    return "_".join(str(part) for part in parts)


def _acquisitions(passes: Sequence[Sequence[PlannedScene]]) -> Iterator[Acquisition]:
    """Yield the acquisitions by time, named by their days, and times where a day has several."""
    ordered = sorted((sorted(one, key=lambda s: (s.when, s.scene)) for one in passes),
                     key=lambda one: (one[0].when, one[0].scene))  # fmt: skip
    days = [f"{scenes[0].when:%Y%m%d}" for scenes in ordered]
    for scenes, day in zip(ordered, days, strict=True):
        when = scenes[0].when
        name = day if days.count(day) == 1 else f"{when:%Y%m%dT%H%M%S}"
        yield Acquisition(name, when, tuple(scenes), union_of([s.geometry for s in scenes]))


def north_first(tracks: Sequence[Track]) -> list[Track]:
    """Return tracks from north to south, for a legend beside a map."""
    return sorted(tracks, key=lambda t: -bbox(t.acquisitions[0].geometry)[3])

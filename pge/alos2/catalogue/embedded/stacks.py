"""Scenes that can be compared: one path, frame, mode, look, and beams or off-nadir angle.

A scene may be there as several datasets (levels, formats, metadata only): it counts once, and its
orbit is that of whichever dataset has one. Scenes whose delivery does not say the off-nadir angle
stand in a group of their own: nothing is guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Final, TypeVar

import numpy as np

from alos2.catalogue.embedded.rows import unix_us
from alos2.errors import BadProduct
from alos2.geometry.baselines import baseline
from alos2.geometry.orbit import LEAP_SECONDS, Orbit
from alos2.geometry.rings import centroid
from alos2.types import Json, LonLat

_OFF_NADIR_GAP_DEG: Final = 1.0
"""Neighbouring beams of PALSAR-2 lie some degrees apart, scenes of one beam within a tenth."""
_DAY_S: Final = 86400.0
_Seen = TypeVar("_Seen")


@dataclass
class _Scene:
    """What the datasets of one scene say together."""

    id: str
    track: tuple[Any, ...]
    beams: tuple[str, ...] = ()
    off_nadir_deg: float | None = None
    time: datetime | None = None
    geometry: Json = field(default_factory=dict)
    datasets: list[str] = field(default_factory=list)
    vectors: Json | None = None


@dataclass(frozen=True)
class Member:
    """A scene of a stack."""

    scene: str
    datasets: tuple[str, ...]
    time: datetime
    days: float
    """After the reference's time."""
    perpendicular_m: float | None
    """See `alos2.geometry.baselines`; None with a reason."""
    reason: str = ""


@dataclass(frozen=True)
class Stack:
    """Scenes that can be compared, by time; the first that has an orbit is their reference."""

    path: int | None
    frame: str | None
    mode: str | None
    look: str | None
    pass_direction: str | None
    beams: tuple[str, ...]
    off_nadir_deg: float | None
    reference: str
    members: tuple[Member, ...]

    def to_json(self) -> Json:
        """Return it as ``alos2 search --stack --json`` prints it."""
        return {
            "path": self.path,
            "frame": self.frame,
            "mode": self.mode,
            "look": self.look,
            "pass": self.pass_direction,
            "beams": list(self.beams),
            "off_nadir_deg": self.off_nadir_deg,
            "reference": self.reference,
            "scenes": [
                {
                    "scene": member.scene,
                    "datasets": list(member.datasets),
                    "datetime": member.time.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                    "days": round(member.days, 5),
                    "perpendicular_m": None
                    if member.perpendicular_m is None
                    else round(member.perpendicular_m, 1),
                    "reason": member.reason or None,
                }
                for member in self.members
            ],
        }


def stacks(items: Iterable[Json], *, least: int = 2) -> list[Stack]:
    """Group scenes that can be compared.

    Parameters
    ----------
    items : iterable of Json
        STAC items of ours, in any order.
    least : int, optional
        Leave out groups of fewer scenes.

    Returns
    -------
    list of Stack
        By path, frame and mode.
    """
    groups: dict[tuple[Any, ...], list[_Scene]] = defaultdict(list)
    for scene in _scenes(items):
        groups[scene.track, scene.beams].append(scene)
    found = []
    for scenes in groups.values():
        for alike in by_off_nadir(scenes, lambda s: s.off_nadir_deg, lambda s: s.id):
            if len(alike) >= least:
                found.append(_stack(alike))
    found.sort(key=lambda s: (s.path or 0, s.frame or "", s.mode or "", s.off_nadir_deg or 0.0))
    return found


def orbit_of(vectors: Json | None) -> Orbit | None:
    """Return the orbit of a STAC item's ``sat:orbit_state_vectors``; None where it has none.

    Raises
    ------
    BadProduct
        They are no orbit.
    """
    if not vectors:
        return None
    try:
        times = [_time(text) for text in vectors]
        states = np.array(list(vectors.values()), dtype=np.float64)
        if states.shape != (len(times), 6):
            raise BadProduct("its state vectors are not six numbers each")
        # An orbit counts the leap seconds that the texts of times do not show.
        elapsed = [_elapsed_s(times[0], when) for when in times]
        return Orbit(times[0], np.array(elapsed), states[:, :3], states[:, 3:], name="the item")
    except (TypeError, ValueError) as error:
        raise BadProduct(f"its state vectors cannot be read: {error}") from error


def track_of(said: Json) -> tuple[Any, ...]:
    """Return what scenes share that can be compared: path, frame, mode, look side, pass.

    Parameters
    ----------
    said : Json
        Properties of a STAC item of ours.
    """
    names = ("alos2:path", "alos2:frame", "sar:instrument_mode", "alos2:look", "alos2:pass")
    return tuple(said.get(name) for name in names)


def beams_of(said: Json) -> tuple[str, ...]:
    """Return the numbers of the beams that a STAC item's properties name.

    Beams are of ScanSAR level 1.1 only: full aperture and burst see the same ground.
    """
    return tuple(sorted({str(beam)[1:] for beam in said.get("alos2:beams") or ()}))


def _elapsed_s(epoch: datetime, when: datetime) -> float:
    leaps = sum(epoch < leap <= when for leap in LEAP_SECONDS)
    return (when - epoch).total_seconds() + leaps


def _scenes(items: Iterable[Json]) -> Iterator[_Scene]:
    """Yield the scenes, what their datasets say put together."""
    scenes: dict[tuple[str, tuple[Any, ...]], _Scene] = {}
    for item in items:
        said = item["properties"]
        if "alos2:scenes" in said:
            continue  # a finished stack, made of others' scenes
        name = str(said.get("alos2:scene") or item["id"])
        track = track_of(said)
        scene = scenes.setdefault((name, track), _Scene(name, track))
        scene.datasets.append(str(item["id"]))
        scene.beams = scene.beams or beams_of(said)
        if scene.off_nadir_deg is None:
            scene.off_nadir_deg = said.get("view:off_nadir")
        if scene.time is None or said.get("sat:orbit_state_vectors"):
            scene.time = _time(said["datetime"])
            scene.geometry = item["geometry"]
        scene.vectors = scene.vectors or said.get("sat:orbit_state_vectors")
    yield from scenes.values()


def _time(text: str) -> datetime:
    us = unix_us(text)
    whole, rest = divmod(us, 1_000_000)
    return datetime.fromtimestamp(whole, timezone.utc).replace(microsecond=rest)


def by_off_nadir(
    scenes: Iterable[_Seen], angle: Callable[[_Seen], float | None], name: Callable[[_Seen], str]
) -> Iterator[list[_Seen]]:
    """Yield runs of scenes whose off-nadir angles are the same beam's; the unknown together.

    Parameters
    ----------
    scenes : iterable
        Which share path, mode, look side and pass.
    angle, name : callable
        Return the off-nadir angle of one, degrees or None, and what it is ordered by.
    """
    unknown: list[_Seen] = []
    known: list[tuple[float, str, int, _Seen]] = []
    for number, scene in enumerate(scenes):
        angle_deg = angle(scene)
        if angle_deg is None:
            unknown.append(scene)
        else:
            known.append((angle_deg, name(scene), number, scene))
    if unknown:
        yield unknown
    run: list[_Seen] = []
    last = 0.0
    for angle_deg, _, _, scene in sorted(known, key=lambda one: one[:3]):
        if run and angle_deg - last > _OFF_NADIR_GAP_DEG:
            yield run
            run = []
        run.append(scene)
        last = angle_deg
    if run:
        yield run


def _stack(scenes: Sequence[_Scene]) -> Stack:
    timed = sorted(((s.time, s) for s in scenes if s.time), key=lambda pair: (pair[0], pair[1].id))
    orbits: dict[str, Orbit | str] = {}
    for _, scene in timed:
        try:
            orbits[scene.id] = orbit_of(scene.vectors) or "no dataset of it holds an orbit"
        except BadProduct as error:
            orbits[scene.id] = error.message
    with_orbit = [pair for pair in timed if isinstance(orbits[pair[1].id], Orbit)]
    start, reference = (with_orbit or timed)[0]
    middle = centroid(reference.geometry)
    members = []
    for when, scene in timed:
        across = _perpendicular_m(orbits[reference.id], orbits[scene.id], middle)
        known, reason = (None, across) if isinstance(across, str) else (across, "")
        days = (when - start).total_seconds() / _DAY_S
        members.append(Member(scene.id, tuple(scene.datasets), when, days, known, reason))
    path, frame, mode, look, direction = reference.track
    return Stack(
        path, frame, mode, look, direction,
        reference.beams, reference.off_nadir_deg, reference.id, tuple(members),
    )  # fmt: skip


def _perpendicular_m(reference: Orbit | str, orbit: Orbit | str, place: LonLat) -> float | str:
    """Return the perpendicular baseline, m, or why there is none."""
    if isinstance(orbit, str):
        return orbit
    if isinstance(reference, str):
        return f"reference: {reference}"
    try:
        return baseline(reference, orbit, place).perpendicular_m
    except BadProduct as error:
        return error.message

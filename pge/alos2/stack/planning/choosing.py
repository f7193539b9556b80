"""Of each scene one delivery is chosen, by rules that docs/stacks.md has; the rest is named.

1. Levels that ``[stack] levels`` does not list are left out.
2. Of several deliveries of a scene the first in the order of ``levels`` is taken; CEOS before
   GeoTIFF where an entry names no format; of the same product the one that was processed last,
   then a dataset before a folder, then the first path.
3. Of scenes of one pass that show nearly the same ground (ordered again with a shifted centre) one
   is taken, by the same order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, Final, NamedTuple

import shapely
from shapely.geometry import shape

from alos2.stack.planning.grouping import TOUCH_M, span
from alos2.stack.planning.model import LeftOut, PlannedScene, PlanWarning
from alos2.stack.planning.plane import Sheet
from alos2.stack.planning.words import share_text

SAME_GROUND: Final = 0.9
"""Of the smaller of two scenes, covered by the other: then one of them is enough."""


class Choice(NamedTuple):
    """What is used, and what is not."""

    scenes: tuple[PlannedScene, ...]
    left_out: tuple[LeftOut, ...]
    warnings: tuple[PlanWarning, ...]


def choose(scenes: Sequence[PlannedScene], levels: Sequence[str]) -> Choice:
    """Choose one delivery of each scene.

    Parameters
    ----------
    scenes : sequence of PlannedScene
        All that were found.
    levels : sequence of str
        ``2.1``, ``2.1-ceos``, ...: what is preferred first.
    """
    left_out: list[LeftOut] = []
    by_scene: dict[str, list[PlannedScene]] = defaultdict(list)
    for scene in scenes:
        by_scene[scene.scene].append(scene)
    chosen = []
    for name in sorted(by_scene):
        taken, rest = _best(by_scene[name], levels)
        left_out += rest
        if taken is not None:
            chosen.append(_led(taken, by_scene[name]))
    kept, doubled, warnings = _without_near(chosen, levels)
    return Choice(tuple(kept), (*left_out, *doubled), tuple(warnings))


def rank(scene: PlannedScene, levels: Sequence[str]) -> int | None:
    """Return the place of a delivery in the order of preference; None: it is not wanted."""
    for place, word in enumerate(levels):
        level, _, form = word.partition("-")
        if level == scene.level and form in ("", scene.format):
            return 2 * place + (form == "" and scene.format != "ceos")
    return None


def _best(
    deliveries: Sequence[PlannedScene], levels: Sequence[str]
) -> tuple[PlannedScene | None, list[LeftOut]]:
    places = {id(one): rank(one, levels) for one in deliveries}
    wanted = [one for one in deliveries if places[id(one)] is not None]
    left_out = [
        LeftOut(
            "other_level",
            one.label,
            f"level {one.level} {one.format} is not among what is used: {', '.join(levels)}",
            one.path,
        )
        for one in deliveries
        if places[id(one)] is None
    ]
    if not wanted:
        return None, left_out
    # The later processed first: the words of times sort as the times do.
    wanted.sort(key=lambda one: (one.dataset is None, str(one.path), one.product))
    wanted.sort(key=lambda one: str(one.said("alos2:processed") or ""), reverse=True)
    wanted.sort(key=lambda one: places[id(one)] or 0)
    taken, *rest = wanted
    left_out += [LeftOut("same_scene", one.label, _why(one, taken), one.path) for one in rest]
    return taken, left_out


def _why(one: PlannedScene, taken: PlannedScene) -> str:
    if (one.product, one.format) != (taken.product, taken.format):
        return f"the scene is used as {taken.product} ({taken.format}) of {taken.path}"
    if one.fingerprint == taken.fingerprint:
        return f"the same files lie in {taken.path}"
    times = [str(scene.said("alos2:processed") or "?")[:19] for scene in (one, taken)]
    if times[0] == times[1]:
        return f"a copy of the one in {taken.path}"
    return f"a copy, processed {times[0]}; the one of {taken.path}, processed {times[1]}, is used"


def _led(taken: PlannedScene, deliveries: Sequence[PlannedScene]) -> PlannedScene:
    """Give a GeoTIFF delivery the leader and the angle of another delivery of its scene."""
    if taken.format != "geotiff":
        return taken
    ceos = [one for one in deliveries if one.format == "ceos" and _same_view(one, taken)]
    if taken.leader is None and ceos:
        taken = replace(taken, leader=_leader_of(ceos[0]))
    if taken.item is not None and taken.said("view:off_nadir") is None:
        told = next((one for one in ceos if one.said("view:off_nadir") is not None), None)
        if told is not None:
            said = {**taken.item["properties"], "view:off_nadir": told.said("view:off_nadir")}
            taken = replace(taken, item={**taken.item, "properties": said})
    return taken


def _same_view(one: PlannedScene, other: PlannedScene) -> bool:
    names = ("sar:instrument_mode", "alos2:look", "alos2:pass")
    return all(one.said(name) == other.said(name) for name in names)


def _leader_of(ceos: PlannedScene) -> Any:
    leader = next((name for name in ceos.files if name.startswith("LED-")), None)
    return ceos.path if leader is None else ceos.path / leader


def _without_near(
    scenes: Sequence[PlannedScene], levels: Sequence[str]
) -> tuple[list[PlannedScene], list[LeftOut], list[PlanWarning]]:
    """Leave out scenes whose ground another one of the same pass shows."""
    by_pass: dict[tuple[Any, ...], list[PlannedScene]] = defaultdict(list)
    for scene in scenes:
        key = (scene.said("alos2:orbit"), scene.said("sar:instrument_mode"), scene.polarizations)
        by_pass[key].append(scene)
    doubled: dict[int, LeftOut] = {}
    warnings: list[PlanWarning] = []
    for mates in by_pass.values():
        mates.sort(key=lambda s: (rank(s, levels) or 0, s.scene))
        for one, other in combinations(mates, 2):
            if id(one) in doubled or id(other) in doubled:
                continue
            share = overlap(one, other)
            if share < SAME_GROUND:
                continue
            sentence = f"{share_text(share)} of its ground is {one.scene}'s, of the same pass"
            doubled[id(other)] = LeftOut("near_duplicate", other.label, sentence, other.path)
            text = (
                f"{one.scene} and {other.scene} are of one pass and show {share_text(share)} of "
                f"the same ground: {other.scene} is left out"
            )
            warnings.append(PlanWarning("near_duplicate_scene", text, (one.scene, other.scene)))
    kept = [scene for scene in scenes if id(scene) not in doubled]
    return kept, list(doubled.values()), warnings


def overlap(one: PlannedScene, other: PlannedScene) -> float:
    """Return the share of the smaller footprint that the other one covers; 0 if it is small."""
    if span(one)[0] > span(other)[1] or span(other)[0] > span(one)[1]:
        return 0.0
    if one.geometry["type"] == other.geometry["type"] == "Polygon" and _boxes_differ(one, other):
        return 0.0
    sheet = Sheet([one.geometry, other.geometry])
    first, second = sheet.put(one.geometry), sheet.put(other.geometry)
    smaller = min(first.area, second.area)
    return float(first.intersection(second).area / smaller) if smaller > TOUCH_M else 0.0


def _boxes_differ(one: PlannedScene, other: PlannedScene) -> bool:
    """Whether footprints have so little in common that they need not be cut with one another."""
    boxes = [shapely.box(*shape(scene.geometry).bounds) for scene in (one, other)]
    return bool(boxes[0].intersection(boxes[1]).area < 0.5 * min(box.area for box in boxes))

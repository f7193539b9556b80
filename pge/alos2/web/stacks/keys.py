"""Which of the catalogue's stacks of scenes a finished stack was made of, and the other way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

_SAME_DEG: Final = 1.0
"""Off-nadir angles of one beam lie nearer to each other (`alos2.catalogue.embedded.stacks`)."""


def catalogue_keys(said: Mapping[str, Any]) -> list[str]:
    """Return keys (`alos2.web.api.stacks`) of the scenes' stacks that a stack may be made of.

    Parameters
    ----------
    said : mapping
        The properties of its STAC item.
    """
    found = []
    for track in said.get("alos2:tracks") or ():
        words = str(track).split("_")
        if len(words) < 6:
            continue
        path, frames, mode, angle, look, heading_ = words[:6]
        beams = angle.startswith("B")
        for frame in _frames(frames, said.get("alos2:frames") or ()):
            tail = f"{'+'.join(angle[1:])}_x" if beams else f"x_{angle}"
            found.append(f"{int(path[1:])}_{frame}_{mode}_{look}_{heading_}_{tail}")
    return list(dict.fromkeys(found))


def _frames(text: str, known: Sequence[Any]) -> list[str]:
    """Return the frames of a track's name, ``F0680`` or ``F0680-0690``."""
    first, _, last = text.removeprefix("F").partition("-")
    last = last.removeprefix("F") or first
    between = [str(one) for one in known if first <= str(one) <= last]
    return between or list(dict.fromkeys((first, last)))


def is_made_of(said: Mapping[str, Any], key: str) -> bool:
    """Whether a finished stack was made of the catalogue's stack with a key."""
    *words, angle = key.split("_")
    for own in catalogue_keys(said):
        *its, its_angle = own.split("_")
        if its == words and _are_near(angle, its_angle):
            return True
    return False


def _are_near(one: str, other: str) -> bool:
    try:
        return abs(float(one) - float(other)) < _SAME_DEG
    except ValueError:
        return one == other

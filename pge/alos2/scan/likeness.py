"""Folders of one scene are alike: what was found out for one holds for the next.

An archive has thousands of folders whose files are named alike but for the scene. Which of their
files are a product, and what is missing, is found once for each likeness by
:mod:`alos2.scan.byname`, with some scene in the place of theirs. A first scan spends a third of the
time on names.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from alos2.errors import BadName
from alos2.naming import SceneId
from alos2.scan.byname import fingerprint, units_by_name
from alos2.scan.listing import Entry, File, entries_of
from alos2.scan.units import Unit

_START: Final = b"ALOS2"
_SOME: Final = "ALOS2000000000-150101"
_SCENE: Final = re.compile(rb"ALOS2[0-9]{9}-([0-9]{6})")
_MOST_FILES: Final = 100
_MOST_LIKENESSES: Final = 4096


class _Pattern(NamedTuple):
    """A unit of some scene."""

    unit: Unit
    files: tuple[int, ...]
    """Which of the folder's files are its own, in the order of their names."""


def units_in_folder(place: str, files: list[File]) -> list[Unit]:
    """Find the products in a folder; as `units_by_name`, several times as fast for one scene.

    Parameters
    ----------
    place : str
        The folder.
    files : list of File
        Its files, by name.
    """
    names = b"\0".join([file[0] for file in files])
    start = names.find(_START)
    found = _SCENE.match(names, start) if start >= 0 else None
    if found is None or len(files) > _MOST_FILES or not _is_day(found[1]):
        return units_by_name(place, entries_of(files))
    scene = found[0]
    if names.count(_START) != names.count(scene):
        return units_by_name(place, entries_of(files))
    patterns = _patterns(names.replace(scene, _SOME.encode()))
    return [_unit(place, scene.decode(), pattern, files) for pattern in patterns]


@lru_cache(maxsize=1024)
def _is_day(date: bytes) -> bool:
    try:
        SceneId.parse(f"{_SOME[:-6]}{date.decode()}")
    except BadName:
        return False
    return True


@lru_cache(maxsize=_MOST_LIKENESSES)
def _patterns(names: bytes) -> tuple[_Pattern, ...]:
    entries = [Entry(name, 0, 0, 0) for name in names.split(b"\0")]
    patterns = []
    for unit in units_by_name("", entries):
        own = set(unit.file_names)
        numbers = (i for i, entry in enumerate(entries) if entry.name.decode("latin-1") in own)
        patterns.append(_Pattern(unit, tuple(numbers)))
    return tuple(patterns)


def _unit(place: str, scene: str, pattern: _Pattern, files: list[File]) -> Unit:
    like = pattern.unit
    own = [files[number] for number in pattern.files]
    return Unit(
        place,
        like.dataset_id.replace(_SOME, scene),
        scene,
        like.product_text,
        like.image_format,
        like.codes,
        sum([file[1] for file in own]),
        max([Entry(*file).changed_ns for file in own]),
        fingerprint(own),
        in_zip=False,
        missing=tuple([name.replace(_SOME, scene) for name in like.missing]),
    )

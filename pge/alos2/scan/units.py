"""A unit: one product at one place, which one step of a job describes.

A place is a folder or a zip. Units are plain values, cheap to send between processes and to keep in
a database; their files' names are kept as short codes, since JAXA's names repeat the scene and the
product in each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from alos2.errors import UsageError

if TYPE_CHECKING:
    from alos2.naming import ProductId, SceneId
    from alos2.types import ProductFormat

ANY: Final = "any"
"""The word for products of all levels."""

_LEVELS: Final = ("1.1", "1.5", "2.1", "3.1")
_KML: Final = "*.kml"


class Unit(NamedTuple):
    """One product at one place."""

    place: str
    """The folder, or the path of the zip."""
    dataset_id: str
    """Of the dataset of metadata, ``-md`` included."""
    scene_text: str
    product_text: str
    image_format: ProductFormat
    codes: str
    """The names of its files with scene and product cut out, ``IMG-HH-*,LED-*``, sorted."""
    size: int
    """Bytes of all its files; in a zip: unpacked."""
    newest_ns: int
    """When any of its files was last written or changed, ns since 1970; in a zip: the zip."""
    fingerprint: bytes
    """16 bytes that differ when its files' names, sizes or times do (a zip's: its own times)."""
    in_zip: bool
    missing: tuple[str, ...]
    """What an ingest would refuse it for: names of files, or a sentence; empty: complete."""

    @property
    def scene(self) -> SceneId:
        """The scene, parsed."""
        from alos2.naming import SceneId  # noqa: PLC0415 - a scan with nothing new needs no names

        return SceneId.parse(self.scene_text)

    @property
    def product(self) -> ProductId:
        """The product, parsed."""
        from alos2.naming import ProductId  # noqa: PLC0415

        return ProductId.parse(self.product_text)

    @property
    def level(self) -> str:
        """``1.1``, ``1.5``, ``2.1``, ``3.1``."""
        return level_of(self.product_text)

    @property
    def file_names(self) -> tuple[str, ...]:
        """The base names of its files."""
        return file_names(self.scene_text, self.product_text, self.codes)


def level_of(product_text: str) -> str:
    """Return the level that the text of a (valid) product id tells: ``FBDR1.1__A`` is 1.1."""
    return product_text[4:7]


def code_of(name: str, scene_text: str, product_text: str) -> str:
    """Cut scene and product out of the name of a file of theirs."""
    if name == f"{scene_text}_{product_text}.kml":
        return _KML
    return name.replace(f"{scene_text}-{product_text}", "*")


def file_names(scene_text: str, product_text: str, codes: str) -> tuple[str, ...]:
    """Return the base names that a unit's `codes` stand for."""
    names = []
    for code in codes.split(","):
        if code == _KML:
            names.append(f"{scene_text}_{product_text}.kml")
        else:
            names.append(code.replace("*", f"{scene_text}-{product_text}"))
    return tuple(names)


class Wanted:
    """Which units a user asked for.

    Parameters
    ----------
    levels : sequence of str, optional
        ``1.1`` and others, or ``any``; level 1.1 where nothing is said.
    regex : str, optional
        Has to be found in the place or in ``place/name`` of one of the files. The reference's
        ``-regex`` is about the folder's path.

    Raises
    ------
    UsageError
        There is no such level, or `regex` is none.
    """

    def __init__(self, levels: Sequence[str] = ("1.1",), regex: str | None = None) -> None:
        unknown = [level for level in levels if level not in (*_LEVELS, ANY)]
        if unknown or not levels:
            raise UsageError(
                f"there is no level {', '.join(unknown) or '(none given)'}",
                hint=f"levels are {', '.join(_LEVELS)} and {ANY}",
            )
        self.levels: frozenset[str] | None = None if ANY in levels else frozenset(levels)
        """None: all of them."""
        try:
            self._regex = re.compile(regex) if regex else None
        except re.error as error:
            raise UsageError(f"{regex!r} is no regular expression: {error}") from error

    def wants(self, level: str, place: str, names: Iterable[str]) -> bool:
        """Whether a unit is one of them.

        Parameters
        ----------
        level : str
            Of its product.
        place : str
            Its folder or zip.
        names : iterable of str
            Of its files.
        """
        if self.levels is not None and level not in self.levels:
            return False
        if self._regex is None or self._regex.search(place):
            return True
        return any(self._regex.search(f"{place}/{name}") for name in names)

"""The map tiles of a dataset: which layers there are, and where a tile of one lies.

Tiles are given out with rows from the north (XYZ), whatever the dataset has on its disk: rows
from the south (TMS), or a PMTiles archive.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from alos2.types import Json
from alos2.web.answers import not_found
from alos2.web.archive import ArchiveFiles, OpenFile

if TYPE_CHECKING:
    from pmtiles.tile import Entry, HeaderDict

_REMEMBERED: Final = 512
_DEEPEST: Final = 24
_LEVELS: Final = 4
"""Of directories in a PMTiles archive: its root, and leaves below leaves."""


class Place(NamedTuple):
    """Of a tile: rows from the north."""

    zoom: int
    column: int
    row: int


@dataclass(frozen=True)
class Layer:
    """A layer of map tiles."""

    name: str
    path: str
    """Folder or archive, in the dataset's folder."""
    in_archive: bool
    tms: bool
    min_zoom: int
    max_zoom: int
    facts: Json
    """As the item has them."""

    def holds(self, place: Place) -> bool:
        """Whether there may be such a tile."""
        zoom, column, row = place
        side = 1 << min(zoom, _DEEPEST)
        return self.min_zoom <= zoom <= self.max_zoom and 0 <= column < side and 0 <= row < side


def layers_of(item: Json) -> dict[str, Layer]:
    """Return the layers of a STAC item by their names; files before archives."""
    said = item.get("properties") or {}
    found: dict[str, Layer] = {}
    for key in ("alos2:tiles", "alos2:tile_archives"):
        for one in said.get(key) or ():
            if not isinstance(one, dict) or one.get("layer") in found:
                continue
            in_archive = str(one.get("path", "")).endswith(".pmtiles")
            found[str(one["layer"])] = Layer(
                str(one["layer"]),
                str(one["path"]),
                in_archive,
                one.get("scheme") == "tms" and not in_archive,
                int(one["min_zoom"]),
                min(int(one["max_zoom"]), _DEEPEST),
                one,
            )
    return found


class Layers:
    """The layers of datasets, remembered until a dataset changes.

    Parameters
    ----------
    files : ArchiveFiles
    """

    def __init__(self, files: ArchiveFiles) -> None:
        self._files = files
        self._known: dict[str, tuple[str, dict[str, Layer]]] = {}
        self._lock = Lock()

    def of(self, dataset: str, folder: str | None = None) -> dict[str, Layer]:
        """Return the layers of a dataset.

        Raises
        ------
        HttpError
            404: there is no such dataset.
        """
        document = self._files.open(dataset, f"{dataset}.stac.json", folder=folder)
        try:
            known = self._known.get(dataset)
            if known is not None and known[0] == document.etag:
                return known[1]
            found = layers_of(_parsed(document))
            with self._lock:
                while len(self._known) >= _REMEMBERED:
                    self._known.pop(next(iter(self._known)))
                self._known[dataset] = (document.etag, found)
            return found
        finally:
            document.close()

    def tile(
        self, dataset: str, layer: Layer, place: Place, folder: str | None = None
    ) -> OpenFile | bytes | None:
        """Return a tile: its file, its bytes, or None where the layer has none there.

        Parameters
        ----------
        dataset, layer
        place : Place
        folder : str, optional
            Of the dataset in the archive, where it is not its id.

        Raises
        ------
        HttpError
            404: the archive of tiles is not there.
        """
        if layer.in_archive:
            archive = self._files.open(dataset, layer.path, folder=folder)
            try:
                return _tile_in(archive, place)
            finally:
                archive.close()
        zoom, column, row = place
        if layer.tms:
            row = (1 << zoom) - 1 - row
        name = f"{layer.path}/{zoom}/{column}/{row}.png"
        return self._files.open_if_there(dataset, name, folder=folder)


def _parsed(document: OpenFile) -> Json:
    try:
        item: Any = json.loads(document.read(0, document.size))
    except ValueError as error:
        raise not_found(f"{document.name} cannot be read: {error}") from error
    return item if isinstance(item, dict) else {}


def _tile_in(archive: OpenFile, place: Place) -> bytes | None:
    """Return a tile of a PMTiles archive (PMTiles Version 3, sections 4 and 5)."""
    from pmtiles.tile import find_tile, zxy_to_tileid  # noqa: PLC0415

    header = _header(archive)
    number = zxy_to_tileid(*place)
    offset, size = header["root_offset"], header["root_length"]
    for _ in range(_LEVELS):
        entry = find_tile(_directory(archive, offset, size), number)
        if entry is None:
            return None
        if entry.run_length:
            return archive.read(header["tile_data_offset"] + entry.offset, entry.length)
        offset, size = header["leaf_directory_offset"] + entry.offset, entry.length
    return None


class _Held:
    """An open archive that compares as its content does, so that what was read is remembered."""

    def __init__(self, archive: OpenFile) -> None:
        self.archive = archive

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.archive.etag == self.archive.etag

    def __hash__(self) -> int:
        return hash(self.archive.etag)


def _header(archive: OpenFile) -> HeaderDict:
    return _read_header(_Held(archive))


def _directory(archive: OpenFile, offset: int, size: int) -> list[Entry]:
    return _read_directory(_Held(archive), offset, size)


@lru_cache(maxsize=128)
def _read_header(held: _Held) -> HeaderDict:
    from pmtiles.tile import deserialize_header  # noqa: PLC0415

    header: HeaderDict = deserialize_header(held.archive.read(0, 127))
    return header


@lru_cache(maxsize=256)
def _read_directory(held: _Held, offset: int, size: int) -> list[Entry]:
    from pmtiles.tile import deserialize_directory  # noqa: PLC0415

    entries: list[Entry] = deserialize_directory(held.archive.read(offset, size))
    return entries

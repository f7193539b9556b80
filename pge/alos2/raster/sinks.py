"""Where finished tiles go: a folder of files, or one PMTiles archive, or both.

Sinks are called from several threads at once. What they write they write into a folder that the
caller throws away when drawing fails.

PMTiles: Protomaps, PMTiles Version 3 Specification. It holds one tile per address, so that each
layer needs an archive of its own; addresses are XYZ. The directory and the header are the
`pmtiles` library's. Tiles come in no particular order; they are spooled beside the archive and
written in the archive's own order, so that the same tiles make the same bytes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple

import mercantile

from alos2.raster.files import make_folder, refusal
from alos2.raster.layers import TileSink
from alos2.types import Json

if TYPE_CHECKING:
    from pmtiles.tile import HeaderDict

_ROOT_DIRECTORY_BYTES: Final = 16_384 - 127
"""Header and root directory lie within the first 16 KiB (specification, section 4.1)."""


class FolderSink:
    """``<folder>/{z}/{x}/{y}.png``.

    Parameters
    ----------
    folder
        Is made with the first tile.
    tms
        Rows count from the south.
    deepest
        Deeper tiles are not taken.
    """

    def __init__(self, folder: Path, *, tms: bool, deepest: int) -> None:
        self._folder = os.fspath(folder)
        self._tms = tms
        self._deepest = deepest
        self._columns: set[tuple[int, int]] = set()
        self._sizes: list[int] = []

    @property
    def tiles(self) -> int:
        """Tiles written."""
        return len(self._sizes)

    @property
    def size(self) -> int:
        """Their bytes."""
        return sum(self._sizes)

    def put(self, tile: mercantile.Tile, data: bytes) -> None:
        """See `TileSink.put`."""
        z, x = tile.z, tile.x
        if z > self._deepest:
            return
        column = f"{self._folder}/{z}/{x}"
        if (z, x) not in self._columns:
            make_folder(Path(column))
            self._columns.add((z, x))
        row = (1 << z) - 1 - tile.y if self._tms else tile.y
        path = f"{column}/{row}.png"
        try:
            with open(path, "wb", buffering=0) as file:  # noqa: PTH123  thousands of them
                file.write(data)
        except OSError as error:
            raise refusal(Path(path), error) from error
        self._sizes.append(len(data))  # appending to a list is safe between threads


class _Spooled(NamedTuple):
    tile_id: int
    offset: int
    length: int


class ArchiveSink:
    """One PMTiles archive; a context manager around the drawing, `finish` writes the archive.

    Parameters
    ----------
    path
        Of the archive; the spool lies beside it and goes when the context ends.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._spool_path = path.with_name(f".{path.name}.spool")
        self._entries: list[_Spooled] = []
        self._lock = threading.Lock()
        self._end = 0
        self._zooms: set[int] = set()

    def __enter__(self) -> ArchiveSink:
        try:
            self._spool = self._spool_path.open("w+b")
        except OSError as error:
            raise refusal(self._spool_path, error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._spool.close()
        self._spool_path.unlink(missing_ok=True)

    @property
    def tiles(self) -> int:
        """Tiles taken."""
        return len(self._entries)

    @property
    def size(self) -> int:
        """Their bytes."""
        return self._end

    def put(self, tile: mercantile.Tile, data: bytes) -> None:
        """See `TileSink.put`."""
        from pmtiles.tile import zxy_to_tileid  # noqa: PLC0415  only where it is asked for

        tile_id = zxy_to_tileid(tile.z, tile.x, tile.y)
        with self._lock:
            try:
                self._spool.write(data)
            except OSError as error:
                raise refusal(self.path, error) from error
            self._entries.append(_Spooled(tile_id, self._end, len(data)))
            self._end += len(data)
            self._zooms.add(tile.z)

    def finish(self, metadata: Json, bounds: tuple[float, float, float, float]) -> None:
        """Write the archive; the sink has taken one tile at least.

        Parameters
        ----------
        metadata
            The archive's JSON.
        bounds
            West, south, east, north, degrees.

        Raises
        ------
        NoSpace, NoResource
            It cannot be written.
        """
        entries = sorted(self._entries)
        try:
            with self.path.open("wb") as file:
                for part in _head(entries, metadata, bounds, self._zooms):
                    file.write(part)
                for entry in entries:
                    self._spool.seek(entry.offset)
                    file.write(self._spool.read(entry.length))
        except OSError as error:
            raise refusal(self.path, error) from error


def _head(
    entries: Sequence[_Spooled],
    metadata: Json,
    bounds: tuple[float, float, float, float],
    zooms: set[int],
) -> tuple[bytes, ...]:
    """Return what stands before the tiles: header, root directory, metadata, leaf directories."""
    import gzip  # noqa: PLC0415
    import json  # noqa: PLC0415

    from pmtiles.tile import Compression, Entry, TileType, serialize_header  # noqa: PLC0415
    from pmtiles.writer import optimize_directories  # noqa: PLC0415

    listed, offset = [], 0
    for entry in entries:
        listed.append(Entry(entry.tile_id, offset, entry.length, 1))
        offset += entry.length
    root, leaves, _ = optimize_directories(  # type: ignore[no-untyped-call]
        listed, _ROOT_DIRECTORY_BYTES
    )
    packed = gzip.compress(json.dumps(metadata, ensure_ascii=False).encode(), mtime=0)
    west, south, east, north = (round(degrees * 10_000_000) for degrees in bounds)
    root_end = 127 + len(root)
    header: HeaderDict = {
        "version": 3,
        "root_offset": 127,
        "root_length": len(root),
        "metadata_offset": root_end,
        "metadata_length": len(packed),
        "leaf_directory_offset": root_end + len(packed),
        "leaf_directory_length": len(leaves),
        "tile_data_offset": root_end + len(packed) + len(leaves),
        "tile_data_length": offset,
        "addressed_tiles_count": len(listed),
        "tile_entries_count": len(listed),
        "tile_contents_count": len(listed),
        "clustered": True,
        "internal_compression": Compression.GZIP,
        "tile_compression": Compression.NONE,
        "tile_type": TileType.PNG,
        "min_zoom": min(zooms),
        "max_zoom": max(zooms),
        "min_lon_e7": west,
        "min_lat_e7": south,
        "max_lon_e7": east,
        "max_lat_e7": north,
        "center_zoom": min(zooms),
        "center_lon_e7": (west + east) // 2,
        "center_lat_e7": (south + north) // 2,
    }
    return bytes(serialize_header(header)), root, packed, leaves


class BothSink:
    """Gives each tile to two sinks."""

    def __init__(self, first: TileSink, second: TileSink) -> None:
        self._sinks = (first, second)

    def put(self, tile: mercantile.Tile, data: bytes) -> None:
        """See `TileSink.put`."""
        for sink in self._sinks:
            sink.put(tile, data)

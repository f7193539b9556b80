"""A Zarr store written here: its format is JSON and one packed file a chunk.

Zarr storage specification version 2 (zarr-specs, 2.0), with consolidated metadata
(``.zmetadata``) and xarray's ``_ARRAY_DIMENSIONS``; chunks are shuffled (numcodecs ``shuffle``)
and packed by zlib. Version 2 because all readers know it: zarr-python 2 and 3, GDAL, xarray.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from alos2.raster.files import make_folder, write_file
from alos2.types import Json

_LEVEL: Final = 4


class _Array(NamedTuple):
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: np.dtype[Any]
    fill: float | int | None


class ZarrStore:
    """See `alos2.timeseries.cube.CubeStore`; a context manager."""

    def __init__(self, path: Path, threads: int) -> None:
        self._path = path
        self._metadata: dict[str, Json] = {".zgroup": {"zarr_format": 2}}
        self._arrays: dict[str, _Array] = {}
        self._pool = ThreadPoolExecutor(threads)

    def __enter__(self) -> ZarrStore:
        make_folder(self._path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown()
        if error is None:
            for name, document in self._metadata.items():
                write_file(self._path / name, _text(document))
            whole = {"zarr_consolidated_format": 1, "metadata": self._metadata}
            write_file(self._path / ".zmetadata", _text(whole))

    def attributes(self, said: Json) -> None:
        """See `CubeStore`."""
        self._metadata[".zattrs"] = said

    def coordinate(
        self, name: str, values: npt.NDArray[Any], dimensions: Sequence[str], said: Json
    ) -> None:
        """See `CubeStore`."""
        shape = values.shape
        self.variable(name, _Array(shape, shape, values.dtype, None), dimensions, said)
        self.put(name, (0,) * values.ndim, values)

    def values(
        self,
        name: str,
        layout: tuple[tuple[int, ...], tuple[int, ...]],
        kind: tuple[str, float | int],
        said: Json,
    ) -> None:
        """See `CubeStore`."""
        (shape, chunks), (dtype, fill) = layout, kind
        self.variable(name, _Array(shape, chunks, np.dtype(dtype), fill), ("time", "y", "x"), said)

    def variable(self, name: str, array: _Array, dimensions: Sequence[str], said: Json) -> None:
        """Declare an array."""
        self._arrays[name] = array
        size = array.dtype.itemsize
        fill: Any = array.fill
        if fill is not None and np.isnan(fill):
            fill = "NaN"
        self._metadata[f"{name}/.zarray"] = {
            "zarr_format": 2,
            "shape": list(array.shape),
            "chunks": list(array.chunks),
            "dtype": array.dtype.newbyteorder("<").str,
            "compressor": {"id": "zlib", "level": _LEVEL},
            "filters": [{"id": "shuffle", "elementsize": size}] if size > 1 else None,
            "fill_value": fill,
            "order": "C",
            "dimension_separator": ".",
        }
        self._metadata[f"{name}/.zattrs"] = {"_ARRAY_DIMENSIONS": list(dimensions), **said}
        make_folder(self._path / name)

    def put(self, name: str, place: Sequence[int], values: npt.NDArray[Any]) -> None:
        """See `CubeStore`."""
        array = self._arrays[name]

        def write(part: tuple[slice, ...]) -> None:
            _write_chunk(self._path / name, array, place, part, values)

        for _ in self._pool.map(write, _parts(values.shape, array.chunks)):
            pass


def _parts(shape: Sequence[int], chunks: Sequence[int]) -> Iterator[tuple[slice, ...]]:
    """Cut an array that begins where a chunk begins into chunks."""
    starts = [range(0, size, chunk) for size, chunk in zip(shape, chunks, strict=True)]
    for corner in product(*starts):
        yield tuple(
            slice(first, min(first + chunk, size))
            for first, chunk, size in zip(corner, chunks, shape, strict=True)
        )


def _write_chunk(
    folder: Path,
    array: _Array,
    place: Sequence[int],
    part: tuple[slice, ...],
    values: npt.NDArray[Any],
) -> None:
    found = values[part]
    if array.fill is not None:
        empty = np.isnan(found) if np.isnan(array.fill) else found == array.fill
        if empty.all():
            return  # what is not there is the fill value
    if found.shape == array.chunks:
        chunk = np.ascontiguousarray(found)
    else:
        # Chunks at the edge are as large as all others.
        chunk = np.full(array.chunks, 0 if array.fill is None else array.fill, array.dtype)
        chunk[tuple(slice(size) for size in found.shape)] = found
    chunk = chunk.astype(chunk.dtype.newbyteorder("<"), copy=False)
    data = chunk.reshape(-1).view(np.uint8).reshape(chunk.size, array.dtype.itemsize)
    if array.dtype.itemsize > 1:
        data = data.T
    number = ".".join(
        str((first + piece.start) // size)
        for first, piece, size in zip(place, part, array.chunks, strict=True)
    )
    # A scalar's only chunk is called 0.
    write_file(folder / (number or "0"), zlib.compress(data.tobytes(), _LEVEL))


def _text(document: Json) -> bytes:
    return json.dumps(document, indent=1, sort_keys=True, allow_nan=False).encode()

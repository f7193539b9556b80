"""A netCDF-4 file through h5netcdf, which is HDF5 through h5py and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from alos2.errors import NoResource, UsageError
from alos2.raster.files import refusal
from alos2.types import Json

_LEVEL: Final = 4


def _library() -> Any:
    try:
        import h5netcdf  # noqa: PLC0415  an extra
    except ImportError as error:
        raise UsageError(
            "netCDF cubes need the packages h5netcdf and h5py",
            hint="pip install 'alos2-ingest[cube]', or make the cube as zarr",
        ) from error
    return h5netcdf


class NetcdfStore:
    """See `alos2.timeseries.cube.CubeStore`; a context manager."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._library = _library()
        self._file: Any = None

    def __enter__(self) -> NetcdfStore:
        try:
            self._file = self._library.File(self._path, "w")
        except OSError as error:
            raise refusal(self._path, error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._file.close()
        except (OSError, RuntimeError) as fault:  # HDF5's own are RuntimeErrors
            if error is None:
                raise NoResource(f"{self._path.name} cannot be written: {fault}") from fault

    def attributes(self, said: Json) -> None:
        """See `CubeStore`."""
        self._file.attrs.update(said)

    def coordinate(
        self, name: str, values: npt.NDArray[Any], dimensions: Sequence[str], said: Json
    ) -> None:
        """See `CubeStore`."""
        for dimension, size in zip(dimensions, values.shape, strict=True):
            if dimension not in self._file.dimensions:
                self._file.dimensions[dimension] = size
        variable = self._file.create_variable(name, tuple(dimensions), values.dtype, data=values)
        variable.attrs.update(said)

    def values(
        self,
        name: str,
        layout: tuple[tuple[int, ...], tuple[int, ...]],
        kind: tuple[str, float | int],
        said: Json,
    ) -> None:
        """See `CubeStore`."""
        dtype, fill = kind
        variable = self._file.create_variable(
            name,
            ("time", "y", "x"),
            np.dtype(dtype),
            fillvalue=np.dtype(dtype).type(fill),
            chunks=layout[1],
            compression="gzip",
            compression_opts=_LEVEL,
            shuffle=True,
        )
        variable.attrs.update(said)

    def put(self, name: str, place: Sequence[int], values: npt.NDArray[Any]) -> None:
        """See `CubeStore`."""
        where = tuple(
            slice(first, first + size) for first, size in zip(place, values.shape, strict=True)
        )
        try:
            self._file[name][where] = values
        except (OSError, RuntimeError) as error:
            raise NoResource(f"{self._path.name} cannot be written: {error}") from error

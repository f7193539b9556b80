"""GeoTIFFs of a map grid that are written window by window and are there whole or not at all.

The windows go into a tiled scratch file beside the result. GDAL's COG driver then writes image and
overviews in an order of its own, so that the same values make the same bytes in whatever order
they came. Tiles that are not compressed have their places from the beginning, and stay there.
Layout: OGC 21-026, Cloud Optimized GeoTIFF Standard 1.0.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from alos2.errors import BadProduct, NoResource, NoSpace
from alos2.product.model import MapGrid
from alos2.raster.files import make_folder, refusal
from alos2.raster.lean import RasterioError, RasterioWindow, rasterio
from alos2.raster.leftovers import hidden_stem, remove_leftovers
from alos2.raster.overviews import (
    MEANS,
    POWER_MEANS,
    TAG,
    Form,
    Image,
    levels_of,
    virtual,
    write_levels,
)
from alos2.raster.powercodes import PowerCodec
from alos2.raster.rawtiles import TileLayout
from alos2.raster.rawwrite import TileWriter, can_write_tiles, say_nan
from alos2.types import RasterShape, Window

Overviews: TypeAlias = Literal["mean", "nearest", "none"]
Layout: TypeAlias = Literal["cog", "tiled"]

BLOCK: Final = 512
"""Width and height of a tile; also what strips of a divided run are multiples of."""
_RESAMPLING: Final[dict[str, str]] = {"mean": "AVERAGE", "nearest": "NEAREST", "none": "NEAREST"}
_GDAL_OPTIONS: Final[dict[str, Any]] = {"GDAL_CACHEMAX": 128 << 20}
"""rasterio takes bytes here; GDAL alone would take 5 % of the machine."""


@dataclass(frozen=True)
class GridBand:
    """What a band of a file is called."""

    name: str
    unit: str = ""


class GridFile:
    """A GeoTIFF that is being written; a context manager.

    Nothing is at `path` (or what was there stays) until the context ends without an exception.
    What no window covers is no data.

    Parameters
    ----------
    path
        Of the file. Its folder is made. While it is written, scratch files lie beside it whose
        names begin with a dot; they take the size of the image uncompressed.
    grid
        Where its pixels lie.
    dtype
        numpy's name of the samples' type.
    nodata
        The value that means no data; None: there is none.
    bands
        Descriptions and units, one a band.
    tags
        Metadata of the file; no times of creation, so that the same run makes the same bytes.
    overviews
        How overviews are made: means of the valid pixels, the nearest pixel, or not at all.
        Only of the layout ``cog``.
    codec
        Of files in decibels or codes of them: means are made of the power that they stand for.
        None: of the numbers as they are. The tag `overviews.TAG` says which.
    layout
        ``cog``, or a plain tiled GeoTIFF without overviews.
    compress
        GDAL's name of a compression; None: not compressed.
    block
        Width and height of a tile.

    Raises
    ------
    NoSpace, NoResource
        The file cannot be written (when entered, at `write`, or when the context ends).
    """

    def __init__(
        self,
        path: Path,
        grid: MapGrid,
        *,
        dtype: str,
        nodata: float | int | None,
        bands: Sequence[GridBand] = (GridBand("1"),),
        tags: Mapping[str, str] = MappingProxyType({}),
        overviews: Overviews = "mean",
        codec: PowerCodec | None = None,
        layout: Layout = "cog",
        compress: str | None = "DEFLATE",
        block: int = BLOCK,
    ) -> None:
        self.path = path
        self.grid = grid
        self.dtype = np.dtype(dtype)
        self._nodata = nodata
        self._bands = tuple(bands)
        self._tags = dict(tags)
        self._overviews: Overviews = overviews
        self._codec = codec if overviews == "mean" and layout == "cog" else None
        if overviews == "mean" and layout == "cog":
            self._tags[TAG] = MEANS if self._codec is None else POWER_MEANS
        self._layout: Layout = layout
        self._compress = compress or "NONE"
        self._block = block
        # The process in the name: two runs that make the same file must not share scratch.
        self._stem = hidden_stem(path)
        self._scratch = path.with_name(f"{self._stem}.scratch.tif")
        self._unfinished = path.with_name(f"{self._stem}.part")
        self._more: list[Path] = []
        self._file: Any = None
        self._tiles: TileWriter | None = None

    def __enter__(self) -> GridFile:
        make_folder(self.path.parent)
        remove_leftovers(self.path)
        shape = self.grid.shape
        straight = len(self._bands) == 1 and can_write_tiles()
        # What is never written is a hole in the file; GDAL would write every NaN.
        is_nan = self._nodata is not None and math.isnan(self._nodata)
        nodata = 0 if straight and is_nan else self._nodata
        try:
            with rasterio.Env(**_GDAL_OPTIONS):
                self._file = rasterio.open(
                    self._scratch,
                    "w",
                    driver="GTiff",
                    height=shape.lines,
                    width=shape.pixels,
                    count=len(self._bands),
                    dtype=self.dtype.name,
                    nodata=nodata,
                    crs=crs_of(self.grid),
                    transform=rasterio.Affine(*self.grid.transform),
                    tiled=True,
                    blockxsize=self._block,
                    blockysize=self._block,
                    # As the finished file has it: a tile of the one is made of one of the other.
                    interleave="pixel",
                    BIGTIFF="IF_SAFER",
                )
                for number, band in enumerate(self._bands, 1):
                    self._file.set_band_description(number, band.name)
                    self._file.set_band_unit(number, band.unit)
                self._file.update_tags(**{"AREA_OR_POINT": "Area", **self._tags})
            if straight:
                self._file.close()
                self._tiles = self._open_tiles(say_nan_is_nodata=is_nan)
        except (RasterioError, OSError) as error:
            self._clean()
            raise _cannot(self.path, error) from error
        return self

    def _open_tiles(self, *, say_nan_is_nodata: bool) -> TileWriter:
        if say_nan_is_nodata:
            say_nan(self._scratch)
        layout = TileLayout(*self.grid.shape, self._block, self._block)
        return TileWriter(self._scratch, layout, self.dtype, self._nodata or 0)

    def write(self, window: Window, values: npt.NDArray[Any]) -> None:
        """Write a window; called from one thread at a time.

        Parameters
        ----------
        window
            Within the grid.
        values
            Shape (bands, lines, pixels), or (lines, pixels) of a file of one band.

        Raises
        ------
        NoSpace, NoResource
            It cannot be written.
        """
        planes = values[np.newaxis] if values.ndim == 2 else values
        expected = (len(self._bands), window.lines, window.pixels)
        if planes.shape != expected or planes.dtype != self.dtype:
            raise ValueError(
                f"{self.path.name}: {planes.dtype} values of shape {planes.shape} are not "
                f"{self.dtype} of {expected}"
            )
        if planes.dtype.kind == "f":
            # NaNs have signs and payloads, which depend on how a loop was vectorised.
            unknown = np.isnan(planes)
            if unknown.any():
                planes = planes.copy()
                planes[unknown] = np.nan
        place = RasterioWindow(window.pixel, window.line, window.pixels, window.lines)
        try:
            if self._tiles is not None:
                self._tiles.write(window, planes[0])
            else:
                self._file.write(planes, window=place)
        except (RasterioError, OSError) as error:
            raise _cannot(self.path, error) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            try:
                if self._tiles is not None:
                    self._tiles.close(complete=error is None)
                else:
                    self._file.close()
                if error is None:
                    self._finish()
            except (RasterioError, OSError) as fault:
                if error is None:
                    raise _cannot(self.path, fault) from fault
        finally:
            self._clean()

    def _finish(self) -> None:
        shape, block = self.grid.shape, self._block
        tiles = -(-shape.lines // block) * -(-shape.pixels // block)
        least = tiles * block * block * self.dtype.itemsize * len(self._bands)
        # GDAL keeps silent about tiles that it could not write when it closes a file.
        if self._scratch.stat().st_size < least:
            raise NoSpace(f"the disk is full at {self.path.name}")
        is_ready = self._tiles is not None and self._layout == "tiled" and self._compress == "NONE"
        written = self._scratch if is_ready else self._copy()
        with written.open("r+b") as file:  # Windows syncs only what may be written
            os.fsync(file.fileno())
        written.replace(self.path)

    def _copy(self) -> Path:
        """Let GDAL put the scratch file into the form of the result."""
        block = self._block
        options: dict[str, Any] = {"compress": self._compress, "BIGTIFF": "IF_SAFER"}
        if self._layout == "cog":
            options |= {
                "driver": "COG",
                "blocksize": block,
                "resampling": _RESAMPLING[self._overviews],
                "overviews": "NONE" if self._overviews == "none" else "AUTO",
                "predictor": "YES" if self._compress != "NONE" else "NO",
            }
        else:
            options |= {
                "driver": "GTiff",
                "tiled": True,
                "blockxsize": block,
                "blockysize": block,
                "interleave": "pixel",
                "predictor": _predictor(self.dtype) if self._compress != "NONE" else 1,
            }
        with rasterio.Env(**_GDAL_OPTIONS):
            source = self._scratch
            if self._codec is not None:
                source = self._with_overviews(self._codec)
                options["overviews"] = "FORCE_USE_EXISTING"
            rasterio.shutil.copy(source, self._unfinished, num_threads=2, **options)
        return self._unfinished

    def _with_overviews(self, codec: PowerCodec) -> Path:
        """Return a virtual dataset of the scratch file and of overviews that are made here."""
        image = Image(self._scratch, self.grid.shape, self.dtype.name, self._block)
        levels = levels_of(image, self._stem)
        self._more += [level.path for level in levels]
        write_levels(image, levels, codec, self._nodata)
        form = Form(
            crs_of(self.grid).to_wkt(),
            self.grid.transform,
            self._nodata,
            [(band.name, band.unit) for band in self._bands],
            {"AREA_OR_POINT": "Area", **self._tags},
        )
        path = self.path.with_name(f"{self._stem}.scratch.vrt")
        self._more.append(path)
        path.write_text(virtual(image, levels, form), "utf-8")
        return path

    def _clean(self) -> None:
        for path in (self._scratch, self._unfinished, *self._more):
            path.unlink(missing_ok=True)
            # GDAL's sidecar, where it finds something that a TIFF cannot hold.
            path.with_name(f"{path.name}.aux.xml").unlink(missing_ok=True)


def _predictor(dtype: np.dtype[Any]) -> int:
    """Return TIFF's number: 3 of floating-point numbers, 2 of integers (TIFF Supplement 2, 3)."""
    return 3 if dtype.kind == "f" else 2


def _cannot(path: Path, error: Exception) -> NoResource:
    if isinstance(error, OSError) and error.errno is not None:
        return refusal(path, error)
    return NoResource(f"{path.name} cannot be written: {error}")


def crs_of(grid: MapGrid) -> Any:
    """Return a grid's CRS as rasterio has it.

    Raises
    ------
    BadProduct
        It cannot be understood.
    """
    try:
        if grid.epsg is not None:
            return rasterio.crs.CRS.from_epsg(grid.epsg)
        return rasterio.crs.CRS.from_wkt(grid.crs_wkt)
    except rasterio.errors.CRSError as error:
        raise BadProduct(f"map grid: its projection cannot be used: {error}") from error


def grid_of(dataset: Any) -> MapGrid:
    """Return the grid of an open rasterio dataset.

    Raises
    ------
    BadProduct
        It lies on no map.
    """
    transform = tuple(float(value) for value in dataset.transform[:6])
    if not dataset.crs or not all(map(math.isfinite, transform)):
        raise BadProduct(
            f"{dataset.name}: it lies on no map: no coordinate system is in it",
            hint="give a GeoTIFF with its map projection",
        )
    a, b, c, d, e, f = transform
    shape = RasterShape(dataset.height, dataset.width)
    return MapGrid(dataset.crs.to_wkt(), dataset.crs.to_epsg(), (a, b, c, d, e, f), shape)


def read_grid(path: Path) -> MapGrid:
    """Return the map grid of any GeoTIFF, or of what else GDAL reads.

    Raises
    ------
    BadProduct
        It cannot be read, or lies on no map.
    """
    try:
        with rasterio.open(path) as dataset:
            return grid_of(dataset)
    except (RasterioError, OSError) as error:
        raise BadProduct(f"{path}: it cannot be read as a raster: {error}") from error

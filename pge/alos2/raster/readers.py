"""Samples of an image file, window by window: one way to read CEOS and GeoTIFF.

A read copies the window and keeps nothing else resident for long: batch systems limit resident
memory, and an image is many times larger than what an ingest may use. All readers may be used
from several threads. What lies uncompressed in its file is mapped; GDAL reads the rest.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from alos2.ceos.image import CeosImage
from alos2.errors import BadProduct
from alos2.product.model import Image
from alos2.raster.mapped import MappedPixels, map_ceos, map_geotiff
from alos2.types import RasterShape, Window

# Not GTIFF_DIRECT_IO: it reads windows faster, and gives zeros where a file has been cut short.
_GDAL_OPTIONS: Final[dict[str, Any]] = {
    "GDAL_CACHEMAX": 64 << 20,  # rasterio wants bytes; GDAL alone would take 5 % of the machine
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",  # no hunt for side-car files
}


class SampleReader(Protocol):
    """Reads the digital numbers of an image."""

    @property
    def mapped(self) -> MappedPixels | None:
        """The pixels where they lie in the file, if they are uint16 and lie there as they are."""

    def read(self, window: Window) -> npt.NDArray[Any]:
        """Return uint16 (lines, pixels), or I and Q as float32 or int16 (lines, pixels, 2)."""


def _check_shape(name: str, found: RasterShape, image: Image) -> None:
    if found != image.shape:
        raise BadProduct(
            f"{name}: is {found.pixels} x {found.lines} pixels, "
            f"not {image.shape.pixels} x {image.shape.lines}"
        )


class CeosReader:
    """An IMG file of CEOS; gives mapped pages back as it goes (see `CeosImage`)."""

    def __init__(self, opened: CeosImage, image: Image) -> None:
        _check_shape(image.file.name, opened.shape, image)
        self._image = opened
        self.mapped = map_ceos(opened)

    def read(self, window: Window) -> npt.NDArray[Any]:
        """Return native-endian uint16 (lines, pixels) or float32 I, Q (lines, pixels, 2).

        Raises
        ------
        BadRecord
            The file is shorter than its descriptor says.
        """
        samples = self._image.read(window)
        if samples.dtype.kind != "c":
            return samples
        return samples.view(np.float32).reshape(*samples.shape, 2)


class MappedReader:
    """A GeoTIFF of uint16 whose strips are not compressed."""

    def __init__(self, mapped: MappedPixels) -> None:
        self.mapped = mapped

    def read(self, window: Window) -> npt.NDArray[Any]:
        """Return native-endian uint16 (lines, pixels)."""
        return self.mapped.read(window)


class GdalReader:
    """Any GeoTIFF: one band of uint16; or I and Q as two bands of int16 or one of complex."""

    mapped = None

    def __init__(self, path: Path, image: Image, dataset: Any) -> None:
        self._path = path
        self._dataset = dataset
        self._lock = threading.Lock()
        self._slc = image.dtype != "uint16"
        if self._slc and dataset.count != 2 and not dataset.dtypes[0].startswith("complex"):
            raise BadProduct(f"{path.name}: has {dataset.count} band(s), not I and Q")
        _check_shape(path.name, RasterShape(dataset.height, dataset.width), image)

    def read(self, window: Window) -> npt.NDArray[Any]:
        """Return uint16 (lines, pixels), or I and Q (lines, pixels, 2).

        Raises
        ------
        BadProduct
            A strip is damaged or missing.
        """
        from alos2.raster.lean import RasterioWindow, rasterio  # noqa: PLC0415  see _gdal

        place = RasterioWindow(window.pixel, window.line, window.pixels, window.lines)
        two_bands = self._slc and self._dataset.count == 2
        try:
            with self._lock, rasterio.Env(**_GDAL_OPTIONS):
                samples = self._dataset.read([1, 2] if two_bands else 1, window=place)
        except rasterio.errors.RasterioError as error:
            raise BadProduct(
                f"{self._path.name}: lines {window.line} to {window.line + window.lines - 1} "
                f"cannot be read: {error}"
            ) from error
        if two_bands:
            return np.moveaxis(samples, 0, -1)
        if self._slc:
            return np.stack([samples.real, samples.imag], axis=-1)
        return np.asarray(samples)


@contextmanager
def open_reader(image: Image) -> Iterator[SampleReader]:
    """Open the samples of `image`, an unpacked IMG file.

    Raises
    ------
    BadProduct
        The file is not on disk, is no image, or is not the one that `image` describes.
    """
    path = image.file.path
    if path is None:
        raise BadProduct(
            f"{image.file.name} is still inside an archive", hint="unpack the product first"
        )
    if path.suffix.lower() == ".tif":
        mapped = _mapped(path) if image.dtype == "uint16" else None
        if mapped is not None:
            _check_shape(path.name, mapped.shape, image)
            yield MappedReader(mapped)
            return
        with _gdal(path, image) as reader:
            yield reader
        return
    try:
        opened = CeosImage.open(path)
    except OSError as error:
        raise BadProduct(f"{path.name} cannot be opened: {error.strerror or error}") from error
    with opened:
        yield CeosReader(opened, image)


def _mapped(path: Path) -> MappedPixels | None:
    try:
        return map_geotiff(path)
    except (BadProduct, OSError):
        return None  # GDAL will say what is wrong, or know how to read it


@contextmanager
def _gdal(path: Path, image: Image) -> Iterator[GdalReader]:
    # Importing it takes a quarter of a second, and most images do without.
    from alos2.raster.lean import rasterio  # noqa: PLC0415

    try:
        with rasterio.Env(**_GDAL_OPTIONS), warnings.catch_warnings():
            # Level 1.1 has none.
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            dataset = rasterio.open(path)
    except (rasterio.errors.RasterioError, rasterio.errors.CRSError) as error:
        # The second: keys that no projection has.
        raise BadProduct(f"{path.name} cannot be opened as GeoTIFF: {error}") from error
    with dataset:
        yield GdalReader(path, image, dataset)

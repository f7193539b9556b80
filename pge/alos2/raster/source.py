"""Calibrated pixels of any product by window: one interface over CEOS and GeoTIFF.

The equations are `alos2.radiometry`'s. A digital number of 0 is no data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from alos2.product.model import Image, MapGrid, Product
from alos2.radiometry import Lut, factor_for, lut_sigma0, read_lut, sigma0
from alos2.raster.pictures import CalibrationUsed
from alos2.raster.readers import SampleReader, open_reader
from alos2.types import RasterShape, Window

_DARK_BUT_VALID: Final = np.float32(1e-20)
_BRIGHTEST: Final = np.float32(1e12)
"""120 dB: a sample above is a damaged one. Below it, sums over any cell stay finite in float32."""

_Calibrate: TypeAlias = Callable[[npt.NDArray[np.float32], Window], npt.NDArray[np.float32]]
"""From DN^2 or I^2+Q^2 (no zeros among the valid ones) to sigma nought."""


class PixelSource(Protocol):
    """One image, calibrated."""

    @property
    def name(self) -> str:
        """Base name of the file, for messages."""

    @property
    def shape(self) -> RasterShape:
        """Lines and pixels."""

    @property
    def grid(self) -> MapGrid | None:
        """Where its pixels lie on a map; None for level 1.1."""

    @property
    def calibration(self) -> CalibrationUsed:
        """How digital numbers become sigma nought."""

    def power(self, window: Window) -> npt.NDArray[np.float32]:
        """Return sigma nought (linear power), shape (lines, pixels), NaN = no data.

        `window` lies within the image. Memory is a few times the window's size.

        Raises
        ------
        BadProduct
            The file cannot be read there.
        """

    def valid(self, window: Window) -> npt.NDArray[np.bool_]:
        """Return which pixels of `window` hold data, shape (lines, pixels). Raises as `power`."""


def intensity(samples: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return DN^2 of (lines, pixels) or I^2 + Q^2 of (lines, pixels, 2), float32.

    Samples that are NaN, infinite or absurd (a damaged float) come out as NaN or infinity.
    """
    parts = samples.astype(np.float32, copy=False)
    with np.errstate(over="ignore", invalid="ignore"):
        # In place: readers hand out fresh arrays, and these blocks are large.
        np.multiply(parts, parts, out=parts)
        return parts if parts.ndim == 2 else parts[..., 0] + parts[..., 1]


class FileSource:
    """`PixelSource` over an image file."""

    def __init__(
        self,
        image: Image,
        reader: SampleReader,
        calibrate: _Calibrate,
        calibration: CalibrationUsed,
    ) -> None:
        self.name = image.file.name
        self.shape = image.shape
        self.grid = image.grid
        self.calibration = calibration
        self._reader = reader
        self._calibrate = calibrate

    def power(self, window: Window) -> npt.NDArray[np.float32]:
        """See `PixelSource.power`."""
        raw = intensity(self._read(window))
        empty = raw == 0
        with np.errstate(over="ignore", invalid="ignore"):  # of damaged samples, see below
            power = self._calibrate(raw, window)
        # A LUT with a negative offset could take a dark pixel below zero: it stays valid.
        np.maximum(power, _DARK_BUT_VALID, out=power)
        empty |= ~(power <= _BRIGHTEST)
        power[empty] = np.nan
        return power

    def valid(self, window: Window) -> npt.NDArray[np.bool_]:
        """See `PixelSource.valid`."""
        samples = self._read(window)
        if samples.ndim == 2:
            return np.asarray(samples != 0)
        return np.asarray((samples != 0).any(axis=-1))

    def _read(self, window: Window) -> npt.NDArray[Any]:
        lines, pixels = self.shape
        inside = (
            0 <= window.line <= window.line + window.lines <= lines
            and 0 <= window.pixel <= window.pixel + window.pixels <= pixels
        )
        if not inside:
            raise ValueError(f"{window} is not within the {lines} x {pixels} of {self.name}")
        return self._reader.read(window)


def _by_factor(factor_db: float) -> _Calibrate:
    def calibrate(raw: npt.NDArray[np.float32], _: Window) -> npt.NDArray[np.float32]:
        return np.asarray(sigma0(raw, factor_db))

    return calibrate


def _by_lut(lut: Lut, *, complex_samples: bool) -> _Calibrate:
    def calibrate(raw: npt.NDArray[np.float32], window: Window) -> npt.NDArray[np.float32]:
        columns = slice(window.pixel, window.pixel + window.pixels)
        return np.asarray(lut_sigma0(raw, lut, columns, complex_samples=complex_samples))

    return calibrate


def _calibration_of(product: Product, image: Image) -> tuple[_Calibrate, CalibrationUsed]:
    said = product.calibration
    lut_file = said.luts.get(image.polarization) if said else None
    if lut_file is not None:
        with lut_file.member.open() as opened:
            lut = read_lut(opened, lut_file.name, columns=image.shape.pixels)
        calibrate = _by_lut(lut, complex_samples=image.dtype != "uint16")
        return calibrate, CalibrationUsed(None, "lut")
    if said is not None and said.factor_db is not None:
        return _by_factor(said.factor_db), CalibrationUsed(said.factor_db, said.source)
    unknown = factor_for(product.level, None)
    return _by_factor(unknown.db), CalibrationUsed(unknown.db, unknown.source)


@contextmanager
def open_source(product: Product, image: Image) -> Iterator[PixelSource]:
    """Open one image of `product`, unpacked on disk, with its calibration.

    Parameters
    ----------
    product
        Says how digital numbers become sigma nought.
    image
        One of its images. May be read from several threads while it is open.

    Raises
    ------
    BadProduct
        Image or LUT cannot be read, or are not what the product says.
    """
    calibrate, calibration = _calibration_of(product, image)
    with open_reader(image) as reader:
        yield FileSource(image, reader, calibrate, calibration)

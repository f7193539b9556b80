"""Calibrated pixels of any product by window: one interface over CEOS and GeoTIFF.

The equations are `alos2.radiometry`'s. A digital number of 0 is no data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from alos2.product.model import Image, MapGrid, Product
from alos2.radiometry import Lut, factor_for, from_db, lut_sigma0, read_lut, sigma0
from alos2.raster.mapped import MappedPixels
from alos2.raster.pictures import CalibrationUsed
from alos2.raster.readers import SampleReader, open_reader
from alos2.types import RasterShape, Window

_DARK_BUT_VALID: Final = np.float32(1e-20)
_BRIGHTEST: Final = np.float32(1e12)
"""120 dB: a sample above is a damaged one. Below it, sums over any cell stay finite in float32."""

_Calibrate: TypeAlias = Callable[[npt.NDArray[np.float32], Window], npt.NDArray[np.float32]]
"""From DN^2 or I^2+Q^2 (no zeros among the valid ones) to sigma nought."""


@dataclass(frozen=True, eq=False)
class RawPixels:
    """Digital numbers in a mapped file, and how they become power: (DN^2 + offset) * gains."""

    mapped: MappedPixels
    gains: npt.NDArray[np.float32]
    """Of each column, shape (pixels,)."""
    offset: np.float32


class _Calibration(NamedTuple):
    apply: _Calibrate
    gains: npt.NDArray[np.float32]
    offset: np.float32
    used: CalibrationUsed


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


@runtime_checkable
class RawSource(Protocol):
    """A `PixelSource` whose digital numbers may be had as they lie in the file."""

    @property
    def raw(self) -> RawPixels | None:
        """What a kernel needs to calibrate them itself; None: only `PixelSource.power` will do."""


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
        calibration: _Calibration,
    ) -> None:
        self.name = image.file.name
        self.shape = image.shape
        self.grid = image.grid
        self.calibration = calibration.used
        self._reader = reader
        self._calibrate = calibration.apply
        mapped = reader.mapped
        self.raw = mapped and RawPixels(mapped, calibration.gains, calibration.offset)

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


def _by_factor(factor_db: float, source: str, image: Image) -> _Calibration:
    def apply(raw: npt.NDArray[np.float32], _: Window) -> npt.NDArray[np.float32]:
        return np.asarray(sigma0(raw, factor_db))

    gains = np.full(image.shape.pixels, from_db(factor_db), np.float32)
    return _Calibration(apply, gains, np.float32(0), CalibrationUsed(factor_db, source))


def _by_lut(lut: Lut, *, complex_samples: bool) -> _Calibration:
    def apply(raw: npt.NDArray[np.float32], window: Window) -> npt.NDArray[np.float32]:
        columns = slice(window.pixel, window.pixel + window.pixels)
        return np.asarray(lut_sigma0(raw, lut, columns, complex_samples=complex_samples))

    gains = (1.0 / lut.gains).astype(np.float32)
    return _Calibration(apply, gains, np.float32(lut.offset), CalibrationUsed(None, "lut"))


def _calibration_of(product: Product, image: Image) -> _Calibration:
    said = product.calibration
    lut_file = said.luts.get(image.polarization) if said else None
    if lut_file is not None:
        with lut_file.member.open() as opened:
            lut = read_lut(opened, lut_file.name, columns=image.shape.pixels)
        return _by_lut(lut, complex_samples=image.dtype != "uint16")
    if said is not None and said.factor_db is not None:
        return _by_factor(said.factor_db, said.source, image)
    unknown = factor_for(product.level, None)
    return _by_factor(unknown.db, unknown.source, image)


def sample_gains(product: Product, image: Image) -> tuple[npt.NDArray[np.float32], CalibrationUsed]:
    """Sigma nought of samples whose ``I^2 + Q^2`` is 1, of each pixel of a line; and who says so.

    Raises
    ------
    BadProduct
        The LUT cannot be read.
    """
    calibration = _calibration_of(product, image)
    ones = np.ones((1, image.shape.pixels), np.float32)
    gains = calibration.apply(ones, Window(0, 0, *ones.shape))[0]
    return np.ascontiguousarray(gains, np.float32), calibration.used


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
    calibration = _calibration_of(product, image)
    with open_reader(image) as reader:
        yield FileSource(image, reader, calibration)

"""Numbers of a floating-point file as what is averaged, where nobody says how to read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from alos2.errors import UsageError
from alos2.mosaic.metrics import Rule
from alos2.mosaic.model import Codec, Plane

_DARKEST: Final = np.float32(1e-20)
"""Power that is taken as -200 dB: zero has no logarithm."""


@dataclass(frozen=True)
class Floats:
    """Floating-point numbers: as they lie in the file, or decibels that stand for power."""

    dtype: str
    nodata: float | int | None
    decibels: bool = False

    def decode(self, values: npt.NDArray[Any]) -> Plane:
        """Return power, or the values; float32, NaN = no data."""
        plain = np.array(values, np.float32)
        if self.nodata is not None and not np.isnan(self.nodata):
            plain[values == self.nodata] = np.nan
        plain[~np.isfinite(plain)] = np.nan
        if self.decibels:
            np.multiply(plain, np.float32(0.1), out=plain)
            np.power(np.float32(10), plain, out=plain)
        return plain

    def encode(self, power: Plane) -> npt.NDArray[Any]:
        """Return the inverse of `decode`."""
        values = power
        if self.decibels:
            values = np.float32(10) * np.log10(np.maximum(power, _DARKEST))
        if self.nodata is not None and not np.isnan(self.nodata):
            values = np.where(np.isnan(values), np.float32(self.nodata), values)
        return values.astype(self.dtype, copy=False)


def codec_of(dataset: Any, band: int, rule: Rule) -> Codec:
    """Return how to read a file that nobody gave a codec for.

    Parameters
    ----------
    dataset
        Open rasterio dataset.
    band
        From 1 on; its unit says whether it is in dB.
    rule
        Whether power is wanted.

    Raises
    ------
    UsageError
        Its numbers are integers: codes, of which nobody says what they mean.
    """
    dtype = dataset.dtypes[band - 1]
    unit = (dataset.units[band - 1] or "").strip().lower()
    if np.dtype(dtype).kind != "f" and not (rule.combine == "sum" and unit in {"", "1"}):
        raise UsageError(
            f"{dataset.name}: {dtype} numbers are codes, and nothing says of what",
            hint="give the encoding with which the series was written",
        )
    nodata = dataset.nodatavals[band - 1]
    if np.dtype(dtype).kind != "f":
        return Counts(dtype, nodata)
    if nodata is None:
        nodata = float("nan")  # holes of the mosaic must be told from data
    return Floats(dtype, nodata, decibels=rule.quantity == "power" and unit == "db")


@dataclass(frozen=True)
class Counts:
    """Whole numbers that are added up."""

    dtype: str
    nodata: float | int | None

    def decode(self, values: npt.NDArray[Any]) -> Plane:
        """Return the numbers, float32, NaN = no data."""
        plain = values.astype(np.float32)
        if self.nodata is not None:
            plain[values == self.nodata] = np.nan
        return plain

    def encode(self, power: Plane) -> npt.NDArray[Any]:
        """Return whole numbers, at most what the type holds; no data where there is none."""
        most = np.iinfo(self.dtype).max
        nothing = 0 if self.nodata is None else self.nodata
        numbers = np.clip(np.where(np.isnan(power), 0, power), 0, most)
        numbers = np.where(np.isnan(power), nothing, numbers)
        return np.asarray(np.rint(numbers).astype(self.dtype))

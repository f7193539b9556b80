"""Decibels, and codes of them, as power: quickly, for overviews. Loads no raster library."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Power: TypeAlias = npt.NDArray[np.float32]

_DB_PER_E: Final = 10.0 / math.log(10.0)
_LEAST_POWER: Final = np.float32(1e-13)
"""-130 dB, as in the full image."""


class PowerCodec(Protocol):
    """What a file's numbers mean."""

    def decode(self, values: npt.NDArray[Any]) -> Power:
        """Return linear power, NaN = no data."""

    def encode(self, power: Power) -> npt.NDArray[Any]:
        """Return the file's numbers."""


@dataclass(frozen=True)
class Decibels:
    """Decibels as float32 (NaN = no data), or as codes: dB = scale * code + offset, 0 = no data.

    In float32, which is enough for overviews and several times as fast as float64.
    """

    dtype: str
    scale: float = 1.0
    offset: float = 0.0

    def decode(self, values: npt.NDArray[Any]) -> Power:
        """Return linear power, NaN = no data."""
        if self.dtype != "float32":
            return np.asarray(_table(self)[values])
        return np.asarray(np.exp(values * np.float32(1.0 / _DB_PER_E)), np.float32)

    def encode(self, power: Power) -> npt.NDArray[Any]:
        """Return decibels, or the nearest codes."""
        decibels = np.log(np.maximum(power, _LEAST_POWER))
        decibels *= np.float32(_DB_PER_E)
        if self.dtype == "float32":
            return np.asarray(decibels)
        codes = np.rint((decibels - np.float32(self.offset)) / np.float32(self.scale))
        codes = np.clip(codes, 1, np.iinfo(self.dtype).max)
        codes[np.isnan(codes)] = 0
        return np.asarray(codes.astype(self.dtype))


@lru_cache(maxsize=8)
def _table(codes: Decibels) -> Power:
    numbers = np.arange(np.iinfo(codes.dtype).max + 1)
    decibels = codes.scale * numbers + codes.offset
    table: Power = np.exp(decibels / _DB_PER_E).astype(np.float32)
    table[0] = np.nan
    return table


def quick(codec: PowerCodec, dtype: str, nodata: float | None) -> PowerCodec | None:
    """Return what makes a file's overviews means of power.

    Parameters
    ----------
    codec
        What the file's numbers mean.
    dtype, nodata
        Of the file.

    Returns
    -------
    PowerCodec or None
        `Decibels` if that is what `codec` does; None if the numbers are power themselves, so that
        their own means are means of power; else `codec`.
    """
    if np.dtype(dtype).kind == "f":
        sample = codec.decode(np.array([1.0, 10.0], dtype)).tolist()
        if sample == [1.0, 10.0]:
            return None
        is_nan = nodata is not None and math.isnan(nodata) and dtype == "float32"
        in_db = np.allclose(sample, [10.0**0.1, 10.0], rtol=1e-5)
        return Decibels("float32") if is_nan and in_db else codec
    highest = np.iinfo(dtype).max
    codes = np.array([0, 1, highest // 2, highest], dtype)
    power = codec.decode(codes).astype(np.float64)
    if nodata == 0 and np.isnan(power[0]) and (power[1:] > 0).all():
        low, middle, high = (10.0 * np.log10(power[1:])).tolist()
        scale = (high - low) / (highest - 1)
        if abs(low + scale * (highest // 2 - 1) - middle) < 1e-3:
            return Decibels(dtype, scale, low - scale)
    return codec

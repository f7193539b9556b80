"""What a time series is: layers by time on one grid, and what their numbers mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from alos2.errors import UsageError
from alos2.product.model import MapGrid
from alos2.raster.powercodes import Decibels, PowerCodec
from alos2.timeseries.codes import (
    NO_DATA,
    CodeType,
    db_to_power,
    power_to_db,
    step,
    to_codes,
    value_table,
)

Power: TypeAlias = npt.NDArray[np.float32]
"""Linear power, NaN = no data."""


@dataclass(frozen=True)
class Encoding:
    """What the numbers in a file mean.

    Parameters
    ----------
    quantity
        Linear power, or decibels of it.
    dtype
        float32, or codes of decibels in one or two bytes (`alos2.timeseries.codes`).
    minimum, maximum
        Decibels of the lowest and highest code.
    nodata
        Of float32: NaN, or OpenSarToolkit's 0. Of codes 0, whatever is given.

    Raises
    ------
    UsageError
        There is no such encoding.
    """

    quantity: Literal["power", "db"] = "power"
    dtype: Literal["float32", "uint8", "uint16"] = "float32"
    minimum: float = -30.0
    maximum: float = 5.0
    nodata: float = math.nan

    def __post_init__(self) -> None:
        if self.quantity not in {"power", "db"} or self.dtype not in {"float32", "uint8", "uint16"}:
            raise UsageError(f"{self.quantity} cannot be written as {self.dtype}")
        if self.dtype != "float32":
            if self.quantity != "db":
                raise UsageError(
                    f"{self.dtype} takes decibels only",
                    hint="set to_db, or dtype_output = float32",
                )
            step(self.dtype, self.minimum, self.maximum)
            object.__setattr__(self, "nodata", NO_DATA)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Encoding):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        # NaN is not equal to itself.
        nodata = None if math.isnan(self.nodata) else self.nodata
        return self.quantity, self.dtype, self.minimum, self.maximum, nodata

    @property
    def codes(self) -> CodeType | None:
        """The type of the codes; None of float32."""
        return None if self.dtype == "float32" else self.dtype

    @property
    def unit(self) -> str:
        """Of the quantity."""
        return "dB" if self.quantity == "db" else "linear power"

    @property
    def scale(self) -> float:
        """Decibels between two codes; value = scale * number + offset. 1 of float32."""
        return step(self.codes, self.minimum, self.maximum) if self.codes else 1.0

    @property
    def offset(self) -> float:
        """Decibels of a code 0, if it were one. 0 of float32."""
        return self.minimum - self.scale if self.codes else 0.0

    @property
    def overviews(self) -> PowerCodec | None:
        """How `GridFile` makes overviews: means of power. None: the numbers are power already."""
        if self.quantity != "db":
            return None
        if self.codes is None:
            return Decibels("float32") if math.isnan(self.nodata) else self
        return Decibels(self.codes, self.scale, self.offset)

    def power_table(self) -> Power:
        """Return the power of every code, float32, shape (256,) or (65536,); of 0 it is NaN.

        Raises
        ------
        UsageError
            float32 has no codes.
        """
        if self.codes is None:
            raise UsageError("float32 has no table of codes")
        return _power_table(self.codes, self.minimum, self.maximum)

    def decode(self, values: npt.NDArray[Any]) -> Power:
        """Return the linear power of a file's numbers, NaN = no data."""
        if self.codes is not None:
            return np.asarray(self.power_table()[values])
        power = db_to_power(values) if self.quantity == "db" else values.astype(np.float32)
        if not math.isnan(self.nodata):
            power[values == self.nodata] = np.nan
        return power

    def encode(self, power: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a file's numbers of linear power (NaN = no data)."""
        if self.codes is not None:
            return to_codes(power_to_db(power), self.codes, self.minimum, self.maximum)
        values = power_to_db(power) if self.quantity == "db" else power
        numbers = np.array(values, np.float32)
        if not math.isnan(self.nodata):
            numbers[np.isnan(numbers)] = self.nodata
        return numbers


@lru_cache(maxsize=8)
def _power_table(codes: CodeType, minimum: float, maximum: float) -> Power:
    table = db_to_power(value_table(codes, minimum, maximum))
    table.flags.writeable = False  # it is shared
    return table


@dataclass(frozen=True)
class Layer:
    """One date: a band of a file."""

    path: Path
    when: datetime
    """UTC."""
    band: int = 1


@dataclass(frozen=True)
class Series:
    """One polarisation of a track over time.

    Raises
    ------
    UsageError
        There are no layers, or they are not in the order of time.
    """

    polarization: str
    layers: tuple[Layer, ...]
    """By time."""
    grid: MapGrid
    encoding: Encoding
    name: str = ""
    """Of the track."""

    def __post_init__(self) -> None:
        if not self.layers:
            raise UsageError(f"a time series of {self.polarization} has no dates")
        times = [layer.when for layer in self.layers]
        if any(when.tzinfo is None for when in times):
            raise UsageError(f"the dates of the series of {self.polarization} have no time zone")
        if sorted(times) != times:
            raise UsageError(f"the dates of the series of {self.polarization} are not in order")

    @property
    def dates(self) -> tuple[datetime, ...]:
        """When each layer was acquired, UTC."""
        return tuple(layer.when for layer in self.layers)

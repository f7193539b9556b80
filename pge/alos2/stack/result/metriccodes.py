"""What the codes of a timescan's integer files mean, from their own tags."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from alos2.errors import BadProduct
from alos2.raster.lean import RasterioError, rasterio
from alos2.timeseries.codes import db_to_power, from_codes, power_to_db, to_codes


@dataclass(frozen=True)
class MetricCodes:
    """Codes of one metric; what `alos2.mosaic.Codec` asks for."""

    dtype: Literal["uint8", "uint16"]
    minimum: float
    maximum: float
    is_power: bool
    """Whether the values are decibels of a power, which is what is averaged."""
    nodata: float | int | None = 0

    def values(self, codes: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return the values that codes stand for (decibels as such); NaN = no data."""
        found = from_codes(codes, self.dtype, self.minimum, self.maximum)
        return np.asarray(found, np.float32)

    def decode(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return power, or the values where they are no power; NaN = no data."""
        found = self.values(values)
        return np.asarray(db_to_power(found), np.float32) if self.is_power else found

    def encode(self, power: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        """Return the inverse of `decode`."""
        values = power_to_db(power) if self.is_power else power
        return np.asarray(to_codes(values, self.dtype, self.minimum, self.maximum))


def codec_of(path: Path) -> MetricCodes | None:
    """Return what the codes of a metric's file mean; None where its values are as they are.

    Raises
    ------
    BadProduct
        It cannot be read, or does not say.
    """
    try:
        with rasterio.open(path) as dataset:
            dtype, tags, unit = dataset.dtypes[0], dataset.tags(), dataset.units[0]
        if dtype not in {"uint8", "uint16"}:
            return None
        low, high = float(tags["code_minimum"]), float(tags["code_maximum"])
    except (RasterioError, OSError, KeyError, ValueError) as error:
        raise BadProduct(
            f"{path} does not say what its codes mean: {error}", hint="make the timescan again"
        ) from error
    power = unit == "dB" and tags.get("metric") in {"avg", "max", "min", "median", "p5", "p95"}
    return MetricCodes(dtype, low, high, power)

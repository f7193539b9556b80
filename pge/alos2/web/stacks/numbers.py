"""What the numbers of a stack's file mean: decibels, power, or what a metric measures.

Files say so by their tags and units (`alos2.timeseries`). Those of mosaics have fewer tags; what
they leave out is what series and timescans use by default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from alos2.errors import BadProduct
from alos2.timeseries.codes import CODES, CodeType, from_codes
from alos2.timeseries.metrics import TABLE
from alos2.timeseries.model import Encoding
from alos2.web.stacks.model import POWER_METRICS

Plane = npt.NDArray[np.float32]
Quantity = Literal["backscatter", "angle", "count", "plain"]

_TINY: Final = np.float32(1e-13)
"""Of `alos2.timeseries.codes`: what has no logarithm is -130 dB."""


@dataclass(frozen=True)
class Meaning:
    """How the numbers of one file are read."""

    quantity: Quantity
    dtype: str
    nodata: float | None
    codes: tuple[float, float] | None
    """Values of the lowest and the highest code of an integer file."""
    is_power: bool
    """Whether they are linear power, that is shown in dB."""

    def values(self, numbers: npt.NDArray[Any]) -> Plane:
        """Return what is shown, float32, NaN = no data; backscatter in dB."""
        if self.codes is not None:
            kind: CodeType = "uint8" if self.dtype == "uint8" else "uint16"
            found = from_codes(numbers, kind, *self.codes)
        else:
            found = numbers.astype(np.float32)
            if self.nodata is not None and not np.isnan(self.nodata):
                found[numbers == self.nodata] = np.nan
        if self.is_power:
            # Comparisons with NaN are false: it stays.
            found = np.float32(10) * np.log10(np.maximum(found, _TINY))
        found[~np.isfinite(found)] = np.nan
        return np.asarray(found, np.float32)


def meaning_of(dataset: Any, metric: str | None) -> Meaning:
    """Return what an open dataset's numbers mean.

    Parameters
    ----------
    dataset
        Of rasterio.
    metric : str or None
        None: the backscatter of a date.

    Raises
    ------
    BadProduct
        Its numbers are of a type that stacks have not.
    """
    dtype, tags = str(dataset.dtypes[0]), dataset.tags()
    nodata, unit = dataset.nodatavals[0], (dataset.units[0] or "").strip().lower()
    backscatter = metric is None or metric in POWER_METRICS
    quantity: Quantity = "backscatter" if backscatter else "plain"
    if metric == "phase":
        quantity = "angle"
    elif metric == "count":
        quantity = "count"
    if dtype in CODES:
        kind: CodeType = "uint8" if dtype == "uint8" else "uint16"
        return Meaning(quantity, dtype, 0, _limits(tags, metric, kind), is_power=False)
    if dtype not in ("float32", "float64"):
        raise BadProduct(f"{dataset.name}: numbers of type {dtype} are no stack's")
    decibels = unit == "db" or tags.get("quantity") == "db"
    return Meaning(quantity, dtype, nodata, None, is_power=backscatter and not decibels)


def _limits(tags: Any, metric: str | None, kind: CodeType) -> tuple[float, float]:
    names = ("minimum_db", "maximum_db") if metric is None else ("code_minimum", "code_maximum")
    try:
        low, high = (float(tags[name]) for name in names)
        if low < high:
            return low, high
    except (KeyError, ValueError):
        pass
    if metric is not None:
        return TABLE[metric].limits(kind)
    usual = Encoding("db", kind)
    return usual.minimum, usual.maximum

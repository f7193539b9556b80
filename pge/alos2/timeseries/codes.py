"""Numbers as codes of one or two bytes, as OpenSarToolkit writes them, and exactly back.

With D = 255 or 65535 codes, and a step s = (maximum - minimum) / (D - 1):

    code = round((clip(value, minimum, maximum) - minimum) / s + 1)
    value = (code - 1) s + minimum

Code 0 is no data. (OpenSarToolkit's ``rescale_to_int`` has the first line; its inverse for two
bytes divides by D in place of D - 1 and is 0.0008 dB off, here it is exact.)
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from alos2.errors import UsageError

CodeType: TypeAlias = Literal["uint8", "uint16"]

CODES: Final[dict[str, int]] = {"uint8": 255, "uint16": 65535}
"""Highest code of each type; as many codes mean a value."""
NO_DATA: Final = 0

LEAST_POWER: Final = 1e-13
"""-130 dB: what is below, and what is not above 0, counts as this much."""


def step(dtype: CodeType, minimum: float, maximum: float) -> float:
    """Return the difference of two neighbouring codes' values.

    Raises
    ------
    UsageError
        The limits are not a low and a high one.
    """
    if not minimum < maximum:
        raise UsageError(f"codes cannot go from {minimum:g} to {maximum:g}")
    return (maximum - minimum) / (CODES[dtype] - 1)


def to_codes(
    values: npt.NDArray[Any], dtype: CodeType, minimum: float, maximum: float
) -> npt.NDArray[Any]:
    """Return codes of floating-point values; NaN becomes 0, what is beyond the limits clipped.

    Raises
    ------
    UsageError
        The limits are not a low and a high one.
    """
    size = step(dtype, minimum, maximum)
    scaled = np.asarray(values, np.float64)
    unknown = np.isnan(scaled)
    scaled = np.clip(scaled, minimum, maximum)
    scaled -= minimum
    scaled /= size
    scaled += 1.0
    np.rint(scaled, out=scaled)
    scaled[unknown] = NO_DATA
    return scaled.astype(dtype)


def value_table(dtype: CodeType, minimum: float, maximum: float) -> npt.NDArray[np.float64]:
    """Return the value of every code, shape (256,) or (65536,); that of 0 is NaN.

    Raises
    ------
    UsageError
        The limits are not a low and a high one.
    """
    size = step(dtype, minimum, maximum)
    table = np.asarray((np.arange(CODES[dtype] + 1) - 1.0) * size + minimum, np.float64)
    table[NO_DATA] = np.nan
    return table


def from_codes(
    codes: npt.NDArray[Any], dtype: CodeType, minimum: float, maximum: float
) -> npt.NDArray[np.float32]:
    """Return the values of codes, float32, NaN = no data. Raises as `value_table`."""
    table = value_table(dtype, minimum, maximum).astype(np.float32)
    return np.asarray(table[codes])


def power_to_db(power: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return 10 log10 of linear power, float64; NaN stays NaN."""
    floored = np.maximum(np.asarray(power, np.float64), LEAST_POWER)
    return np.asarray(10.0 * np.log10(floored), np.float64)


def db_to_power(db: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return the linear power of decibels, float32; NaN stays NaN."""
    return np.asarray(10.0 ** (np.asarray(db, np.float64) / 10.0), np.float32)

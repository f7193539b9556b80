"""Calibration by a table of gains: GeoTIFF products and their LUT-<pol>-....txt.

* Levels 1.5, 2.1, 3.1: sigma0 = (DN^2 + B) / A[column]
* Level 1.1: sigma0 = (I^2 + Q^2) / A[column]^2, with B = 0

Both linear. The text has B in its first line and the A of each column in the next ones, each
`` %.15E``. A real geocoded product's are all 10^8.3 (its calibration factor of -83 dB); only of
georeferenced products they depend on range.

Source: JAXA, "ALOS-2/PALSAR-2 Level 1.1/1.5/2.1/3.1 GeoTIFF Product Format Description", Rev. A,
LUT file; a real LUT of level 1.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alos2.errors import BadProduct
from alos2.radiometry.power import Reals

_MOST_BYTES: Final = 16_000_000
"""A LUT of 65,536 columns has 1.6 MB; something else is no LUT."""
_SMALLEST_GAIN: Final = 1e-6
_LARGEST: Final = 1e18
"""Real gains are 10^8.3 (of power) or its root: what lies beyond these is a damaged number."""


@dataclass(frozen=True, eq=False)
class Lut:
    """Gains of the columns of one image."""

    offset: float
    """B: added to ``DN^2``."""
    gains: NDArray[np.float64]
    """A, shape (pixels,): positive."""

    def __post_init__(self) -> None:
        gains = np.array(self.gains, dtype=np.float64)
        gains.setflags(write=False)
        object.__setattr__(self, "gains", gains)

    @property
    def is_uniform(self) -> bool:
        """Whether one gain holds for all columns, as in geocoded products."""
        return bool((self.gains == self.gains[0]).all())


def read_lut(file: BinaryIO | bytes, name: str, *, columns: int | None = None) -> Lut:
    """Read a LUT file.

    Parameters
    ----------
    file : binary file or bytes
        The text.
    name : str
        Its name, for messages.
    columns : int, optional
        Width of the image: the file must have one line more.

    Returns
    -------
    Lut
        Offset and gains.

    Raises
    ------
    BadProduct
        If it is not a list of numbers, one a line, of the right length, with positive gains that
        can be (1e-6 to 1e18).
    """
    data = file if isinstance(file, bytes) else file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise BadProduct(f"{name} is too long for a LUT (more than {_MOST_BYTES} bytes)")
    lines = data.rstrip().splitlines()
    if len(lines) < 2:
        raise BadProduct(f"{name} is no LUT: it has {len(lines)} lines")
    values = _numbers(lines, name)
    if columns is not None and len(values) != columns + 1:
        raise BadProduct(
            f"{name} has {len(values)} lines, {columns + 1} are due for {columns} columns"
        )
    bad = np.flatnonzero(~(values[1:] > 0.0))
    if bad.size:
        raise BadProduct(
            f"{name}, line {int(bad[0]) + 2}: a gain of {values[bad[0] + 1]} is not positive"
        )
    _require_plausible(values, name)
    return Lut(float(values[0]), values[1:])


def _require_plausible(values: NDArray[np.float64], name: str) -> None:
    """Refuse what would overflow a float32, or draw a scene as black or white as none can be."""
    absurd = (values[1:] < _SMALLEST_GAIN) | (values[1:] > _LARGEST)
    bad = [0] if abs(values[0]) > _LARGEST else list(np.flatnonzero(absurd)[:1] + 1)
    if bad:
        raise BadProduct(
            f"{name}, line {int(bad[0]) + 1}: {values[bad[0]]:g} is no "
            f"{'gain' if bad[0] else 'offset'} that a product can have"
        )


def _numbers(lines: list[bytes], name: str) -> NDArray[np.float64]:
    """One finite number a line."""
    values = np.empty(len(lines))
    for index, line in enumerate(lines):
        try:
            # Python would take 1_0 for ten.
            values[index] = float(line) if b"_" not in line else np.nan
        except ValueError:
            values[index] = np.nan
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        found = lines[int(bad[0])][:40].decode("ascii", "backslashreplace")
        raise BadProduct(f"{name}, line {int(bad[0]) + 1}: {found!r} is not a number")
    return values


def lut_bytes(lut: Lut) -> bytes:
    """Text of a LUT file, as JAXA writes it (for the simulator)."""
    values = [lut.offset, *(float(gain) for gain in lut.gains)]
    return "".join(f" {value:.15E}\n" for value in values).encode("ascii")


def lut_sigma0(
    dn_power: Reals, lut: Lut, columns: ArrayLike | slice | None = None, *, complex_samples: bool
) -> Reals:
    """Linear sigma nought of samples calibrated by a LUT.

    Parameters
    ----------
    dn_power : ndarray, shape (..., m)
        ``DN^2`` or ``I^2 + Q^2``; NaN where there is no data. Means must run down a column, or over
        columns of one gain.
    lut : Lut
        Of the image's polarisation.
    columns : slice or array_like of int, optional
        Which columns of the image the last axis is (m of them); all of them if not given.
    complex_samples : bool
        True for level 1.1, whose gains are of amplitude.

    Returns
    -------
    ndarray, same shape and dtype
        Linear; NaN stays.

    Raises
    ------
    ValueError
        If the columns are not as many as the last axis is long.
    """
    if columns is None or isinstance(columns, slice):
        gains = lut.gains if columns is None else lut.gains[columns]
    else:
        gains = lut.gains[np.asarray(columns, dtype=np.intp)]
    if gains.shape != dn_power.shape[-1:]:
        raise ValueError(f"{gains.size} gains for {dn_power.shape[-1]} columns")
    if complex_samples:
        return np.asarray(dn_power / gains**2, dtype=dn_power.dtype)
    return np.asarray((dn_power + lut.offset) / gains, dtype=dn_power.dtype)

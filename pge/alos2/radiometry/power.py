"""Power, decibels, and means of power.

Speckle multiplies: a mean must be taken of power (squared amplitude), before the logarithm. The
mean of decibels is 2.5 dB too low for one look, and the mean of amplitudes squared 1.05 dB
(Ulaby and Long, "Microwave Radar and Radiometric Remote Sensing" (2014), section 5-6).

gamma nought and beta nought follow from sigma nought by the local angle of incidence; JAXA's pages
do not give them, these are the usual definitions (Raney et al., "A plea for radar brightness",
IGARSS 1994; Small, "Flattening gamma", IEEE TGRS 49 (2011)).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reals: TypeAlias = NDArray[np.floating[Any]]
"""Array of single or double precision numbers."""


def digital_power(samples: NDArray[Any]) -> NDArray[np.float32]:
    """Squared digital numbers, with JAXA's 0 for no data made NaN.

    Parameters
    ----------
    samples : ndarray
        Amplitudes DN (uint16; levels 1.5, 2.1, 3.1) or complex I + jQ (level 1.1), any shape.

    Returns
    -------
    ndarray, same shape, float32
        ``DN^2`` or ``I^2 + Q^2``; NaN where the sample is 0.
    """
    if np.iscomplexobj(samples):
        real, imaginary = samples.real.astype(np.float32), samples.imag.astype(np.float32)
        power = real * real + imaginary * imaginary
    else:
        amplitude = samples.astype(np.float32)
        power = amplitude * amplitude
    power[power == 0.0] = np.nan
    return power


def to_db(power: ArrayLike) -> Reals:
    """Ten times the decimal logarithm.

    Parameters
    ----------
    power : array_like
        Linear; what is not positive has no logarithm.

    Returns
    -------
    ndarray, float32 if given such, else float64
        dB; NaN where the power is NaN, zero or negative.
    """
    values = np.asarray(power)
    if values.dtype != np.float32:
        values = values.astype(np.float64)
    result = np.full_like(values, np.nan)
    np.log10(values, out=result, where=values > 0.0)
    return np.asarray(10.0 * result, dtype=values.dtype)


def from_db(db: ArrayLike) -> Reals:
    """Power of decibels, the inverse of ``to_db``."""
    values = np.asarray(db)
    kind = np.float32 if values.dtype == np.float32 else np.float64
    return np.asarray(10.0 ** (values.astype(np.float64) / 10.0), dtype=kind)


def multilook(power: Reals, lines: int, pixels: int) -> Reals:
    """Means of power over blocks, taken over the valid samples.

    Parameters
    ----------
    power : ndarray, shape (n, m), float
        Linear, NaN where there is no data.
    lines, pixels : int
        Size of a block, at least 1. What is left over at the end of either axis is dropped.

    Returns
    -------
    ndarray, shape (n // lines, m // pixels), dtype as given
        NaN where a block has no valid sample.

    Raises
    ------
    ValueError
        If a block has no size.
    """
    if lines < 1 or pixels < 1:
        raise ValueError(f"a block of {lines} x {pixels} samples is none")
    height, width = power.shape[0] // lines, power.shape[1] // pixels
    blocks = power[: height * lines, : width * pixels].reshape(height, lines, width, pixels)
    valid = ~np.isnan(blocks)
    count = valid.sum(axis=(1, 3))
    total = np.where(valid, blocks, 0.0).sum(axis=(1, 3), dtype=np.float64)
    mean = np.full((height, width), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return np.asarray(mean, dtype=power.dtype)


def gamma0(sigma0: ArrayLike, incidence_deg: ArrayLike) -> NDArray[np.float64]:
    """Backscatter per area across the line of sight.

    Parameters
    ----------
    sigma0 : array_like
        Linear sigma nought.
    incidence_deg : array_like, shape that broadcasts
        Angle of incidence, at least 0 and below 90 degrees.

    Returns
    -------
    ndarray, float64
        ``sigma0 / cos(incidence)``, linear.

    Raises
    ------
    ValueError
        If an angle is out of bounds.
    """
    angle = np.asarray(incidence_deg, dtype=np.float64)
    if ((angle < 0.0) | (angle >= 90.0)).any():
        raise ValueError("gamma nought needs angles of incidence from 0 to below 90 degrees")
    return np.asarray(sigma0, dtype=np.float64) / np.cos(np.radians(angle))


def beta0(sigma0: ArrayLike, incidence_deg: ArrayLike) -> NDArray[np.float64]:
    """Radar brightness: backscatter per area of the slant-range image.

    Parameters
    ----------
    sigma0 : array_like
        Linear sigma nought.
    incidence_deg : array_like, shape that broadcasts
        Angle of incidence, above 0 and at most 90 degrees.

    Returns
    -------
    ndarray, float64
        ``sigma0 / sin(incidence)``, linear.

    Raises
    ------
    ValueError
        If an angle is out of bounds.
    """
    angle = np.asarray(incidence_deg, dtype=np.float64)
    if ((angle <= 0.0) | (angle > 90.0)).any():
        raise ValueError("beta nought needs angles of incidence from above 0 to 90 degrees")
    return np.asarray(sigma0, dtype=np.float64) / np.sin(np.radians(angle))

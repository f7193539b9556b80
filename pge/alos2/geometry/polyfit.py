"""Least squares fits of polynomials in two variables, in the leader's term orders.

Variables are centred and scaled for the fit, since powers of thousands of lines or of degrees of
longitude would otherwise lose most digits, and the coefficients are then expanded.
"""

from __future__ import annotations

from math import comb
from typing import Final

import numpy as np

from alos2.geometry.orbit import Floats

_CUBIC_POWERS: Final = (
    (0, 0),
    (1, 0),
    (0, 1),
    (1, 1),
    (2, 0),
    (0, 2),
    (2, 1),
    (1, 2),
    (3, 0),
    (0, 3),
)
"""Powers of latitude and longitude of the 10 map terms."""


def cubic_terms(lat: Floats, lon: Floats) -> Floats:
    """Compute the ten monomials of the map polynomials, in the record's order.

    Parameters
    ----------
    lat, lon : ndarray, shapes that broadcast
        The two variables (degrees in the record).

    Returns
    -------
    ndarray, shape (..., 10), float64
        ``1, p, q, pq, p^2, q^2, p^2 q, p q^2, p^3, q^3``.
    """
    return np.stack([lat**i * lon**j for i, j in _CUBIC_POWERS], axis=-1)


def fit_cubic(lat: Floats, lon: Floats, values: Floats) -> Floats:
    """Ten coefficients of the cubic in (lat, lon) that fits the values best.

    Parameters
    ----------
    lat, lon, values : ndarray, shape (n,), float64
        Samples; n at least 10.

    Returns
    -------
    ndarray, shape (10,), float64
        In the order of ``cubic_terms``, of the variables as given (not centred).

    Raises
    ------
    ValueError
        If the samples are too few or do not span an area.
    """
    lat0, lat_scale = _centre(lat)
    lon0, lon_scale = _centre(lon)
    u, v = (lat - lat0) / lat_scale, (lon - lon0) / lon_scale
    scaled = _solve(cubic_terms(u, v), values)
    table = np.zeros((4, 4))
    for (i, j), value in zip(_CUBIC_POWERS, scaled, strict=True):
        table[i, j] = value
    expanded = _expansion(lat0, lat_scale).T @ table @ _expansion(lon0, lon_scale)
    return np.array([expanded[i, j] for i, j in _CUBIC_POWERS], dtype=np.float64)


def fit_biquartic(fast: Floats, slow: Floats, values: Floats) -> Floats:
    """Twenty-five coefficients of the best polynomial of degree 4 in each variable.

    Parameters
    ----------
    fast, slow, values : ndarray, shape (n,), float64
        Samples; n at least 25. Variables should already be counted from an origin among them.

    Returns
    -------
    ndarray, shape (25,), float64
        Coefficient k belongs to ``fast^(4 - k % 5) * slow^(4 - k // 5)``.

    Raises
    ------
    ValueError
        If the samples are too few or do not span an area.
    """
    fast_scale, slow_scale = (float(np.abs(v).max(initial=0.0)) for v in (fast, slow))
    if not (fast_scale > 0.0 and slow_scale > 0.0):
        raise ValueError("the points of a fit must span an area")
    power = np.arange(4, -1, -1)
    u, v = (fast / fast_scale)[:, np.newaxis], (slow / slow_scale)[:, np.newaxis]
    matrix = ((v**power)[:, :, np.newaxis] * (u**power)[:, np.newaxis, :]).reshape(-1, 25)
    scaled = _solve(matrix, values).reshape(5, 5)
    unscaled: Floats = scaled / slow_scale ** power[:, np.newaxis] / fast_scale**power
    return unscaled.ravel()


def _solve(matrix: Floats, values: Floats) -> Floats:
    if matrix.shape[0] < matrix.shape[1]:
        raise ValueError(f"a fit of {matrix.shape[1]} terms needs as many points")
    return np.asarray(np.linalg.lstsq(matrix, values, rcond=1e-13)[0], dtype=np.float64)


def _centre(values: Floats) -> tuple[float, float]:
    """Middle and half extent of some samples."""
    low, high = float(values.min()), float(values.max())
    if not high > low:
        raise ValueError("the points of a fit must span an area")
    return 0.5 * (low + high), 0.5 * (high - low)


def _expansion(centre: float, scale: float) -> Floats:
    """Matrix E with ((x - centre) / scale)^i = sum over m of E[i, m] x^m, up to cubes."""
    table = np.zeros((4, 4))
    for i in range(4):
        for m in range(i + 1):
            table[i, m] = comb(i, m) * (-centre) ** (i - m) / scale**i
    return table

"""Coordinates through pyproj, arrays of any shape: one value as well as many."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def transformed(
    way: Any, x: npt.ArrayLike, y: npt.ArrayLike, **options: Any
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Bring coordinates from one reference system to another.

    pyproj before 3.7.2 takes an array of one value for a point, in a way that numpy warns of.

    Parameters
    ----------
    way : pyproj.Transformer
        Made with ``always_xy``.
    x, y : array_like, of one shape
        In the units of the one system.
    **options
        Of ``Transformer.transform``: ``direction``, ``errcheck``.

    Returns
    -------
    x, y : ndarray, float64, of that shape
        In the units of the other; infinite where there is no such place.
    """
    given_x, given_y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if given_x.size == 1:
        point = way.transform(given_x.item(), given_y.item(), **options)
        return np.full(given_x.shape, point[0]), np.full(given_x.shape, point[1])
    there_x, there_y = way.transform(given_x, given_y, **options)
    return np.asarray(there_x), np.asarray(there_y)

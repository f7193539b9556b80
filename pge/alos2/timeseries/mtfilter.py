"""The multi-temporal speckle filter of Quegan and Yu.

S. Quegan, J. J. Yu, "Filtering of multichannel SAR images", IEEE TGRS 39(11):2373-2379, 2001, doi
10.1109/36.964973, for dates whose speckle is independent:

    J_k(x) = E[I_k](x) * (1/N) * sum over i of I_i(x) / E[I_i](x)

E is the local mean, here any filter of `alos2.speckle`; N counts the dates that have data at x, so
that a gap costs looks there and nothing else. With a boxcar the mean is kept: I/E is 1 on average.
Filters that lean towards the pixel itself make it less, by some 0.05 / looks; docs/time-series.md
has what was measured. With a boxcar of n pixels and M dates of L looks the equivalent number of
looks becomes, to first order,

    L n M / (n + M - 1)

(with the relative speckle d_i = I_i/E - 1 of variance 1/L and its window's mean e_i of variance
1/(nL) and covariance 1/(nL) with d_i: J_k is proportional to 1 + e_k + mean of (d_i - e_i)).

Every pixel is a function of its window at all dates, summed in the order of the dates in float64:
the same to the last bit wherever the image is cut, and for any number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from alos2.speckle import Speckle, SpeckleFilter, despeckle, halo
from alos2.timeseries.model import Power

_COLUMNS: Final = 2048
"""Pixels of a line that are filtered at a time: bounds what filters need for themselves."""


def local_mean(power: Power, options: SpeckleFilter, speckle: Speckle) -> Power:
    """Return E, the locally filtered power, of whole lines; see `despeckle`."""
    margin = halo(options)
    mean = np.empty_like(power)
    pixels = power.shape[1]
    for first in range(0, pixels, _COLUMNS):
        last = min(first + _COLUMNS, pixels)
        left, right = max(0, first - margin), min(pixels, last + margin)
        part = despeckle(power[:, left:right], options, speckle.looks, bright=speckle.bright)
        mean[:, first:last] = part[:, first - left : last - left]
    return mean


class RatioMean:
    """The mean over time of I / E: what all dates share.

    Parameters
    ----------
    shape
        Lines and pixels.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._total = np.zeros(shape, np.float64)
        self._count = np.zeros(shape, np.uint16)

    def add(self, ratio: Power) -> None:
        """Add a date's `ratio_of`; the order of the dates is part of the result."""
        known = np.isfinite(ratio)
        np.add(self._total, ratio, out=self._total, where=known)
        self._count += known

    def mean(self) -> Power:
        """Return the mean over the dates with data, NaN where there is none."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self._total / self._count, np.float32)


def ratio_of(power: Power, mean: Power) -> Power:
    """Return I / E, NaN where there is no data or E is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = power / mean
    ratio[~(mean > 0)] = np.nan
    return ratio


def multitemporal(
    stack: npt.NDArray[np.float32], options: SpeckleFilter, speckles: Sequence[Speckle]
) -> npt.NDArray[np.float32]:
    """Filter a stack that fits into memory.

    Parameters
    ----------
    stack
        Linear power, float32, shape (dates, lines, pixels), NaN = no data.
    options
        The local filter E.
    speckles
        Of each date.

    Returns
    -------
    ndarray
        float32, the shape of `stack`, NaN where that is NaN.
    """
    means = [local_mean(power, options, s) for power, s in zip(stack, speckles, strict=True)]
    ratio = RatioMean(stack.shape[1:])
    for power, mean in zip(stack, means, strict=True):
        ratio.add(ratio_of(power, mean))
    shared = ratio.mean()
    return np.stack([mean * shared for mean in means])

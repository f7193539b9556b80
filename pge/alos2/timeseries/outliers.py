"""Outliers of a pixel's dates, and the exchanges that sort them.

OpenSarToolkit's rule (``ost.generic.timescan.remove_outliers``), in power: values beyond the 5th
and the 95th percentile are put aside; m and s are mean and standard deviation of the rest; what
is farther from m than z times s is an outlier (z = 2). It is applied to every pixel by its own
valid dates, of which there have to be five; in OpenSarToolkit one missing date switches it off.

A value lies beyond a percentile, which is between two neighbours of the sorted values or on one,
exactly if it is smaller than the neighbour further inside. So nothing has to be interpolated.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

_TAIL_PERCENT: Final = 5


def tail_lengths(dates: int) -> npt.NDArray[np.int32]:
    """Return how far the inner neighbour of the 5th percentile is from the end of sorted values.

    Shape (dates + 1,), by the number of valid dates: ceil(0.05 (n - 1)), in whole numbers.
    """
    steps = np.maximum(np.arange(dates + 1) - 1, 0)
    return (-(-steps * _TAIL_PERCENT // 100)).astype(np.int32)


@lru_cache(maxsize=8)
def sorting_network(count: int) -> npt.NDArray[np.int32]:
    """Return the exchanges that sort `count` numbers, shape (exchanges, 2).

    Batcher's odd-even merge sort for any number: D. E. Knuth, The Art of Computer Programming 3,
    2nd edition, section 5.2.2, algorithm M.
    """
    pairs: list[tuple[int, int]] = []
    top = 1 << max((count - 1).bit_length() - 1, 0)
    p = top if count > 1 else 0
    while p:
        q, r, d = top, 0, p
        while d:
            pairs.extend((i, i + d) for i in range(count - d) if i & p == r)
            d, q, r = q - p, q >> 1, p
        p >>= 1
    network = np.array(pairs, np.int32).reshape(-1, 2)
    network.flags.writeable = False  # it is shared
    return network

"""The range of power around its mean that holds a given share of speckle and keeps the mean.

Lee, Wen, Ainsworth, Chen, Chen, "Improved sigma filter for speckle filtering of SAR imagery", IEEE
TGRS 47(1):202-213, 2009, doi 10.1109/TGRS.2008.2002881, equations 5 to 8: of the distribution p of
power of mean 1, the bounds I1 and I2 solve

    integral of p from I1 to I2 = sigma,    integral of I p from I1 to I2 = sigma.

The paper tabulates them for one to four looks. Here they are solved for any number L of them: p is
the gamma distribution, and with its regularised incomplete function P the two integrals are
differences of P(L, L I) and of P(L + 1, L I).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

_HALVINGS = 80


class SigmaRange(NamedTuple):
    """Multiples of the mean, and the speckle that is left between them."""

    low: float
    high: float
    variation: float
    """Squared coefficient of variation of the speckle within."""


@lru_cache(maxsize=32)
def sigma_range(looks: float, sigma: float) -> SigmaRange:
    """Return the range for `looks` (above 0) and the share `sigma` (0 to 1)."""
    low, high = 0.0, _quantile(looks, 1.0 - sigma)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        upper = _quantile(looks, _below(looks, looks * middle) + sigma)
        # The further up the range lies, the greater the mean of what is in it.
        if _between(looks + 1, looks, middle, upper) > sigma:
            high = middle
        else:
            low = middle
    upper = _quantile(looks, _below(looks, looks * low) + sigma)
    share = _between(looks, looks, low, upper)
    first = _between(looks + 1, looks, low, upper) / share
    second = (looks + 1) / looks * _between(looks + 2, looks, low, upper) / share
    return SigmaRange(low, upper, (second - first**2) / first**2)


def _between(shape: float, looks: float, low: float, high: float) -> float:
    return _below(shape, looks * high) - _below(shape, looks * low)


def _quantile(looks: float, share: float) -> float:
    """Return the power below which a share of the distribution of mean 1 lies."""
    low, high = 0.0, 2.0
    while _below(looks, looks * high) < share and high < 1e6:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _below(looks, looks * middle) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _below(shape: float, x: float) -> float:
    """Return the regularised lower incomplete gamma function P(shape, x).

    By its series below the mean and by the continued fraction of its complement above (DLMF
    8.11.4 and 8.9.2, the latter by Lentz's method).
    """
    if x <= 0:
        return 0.0
    scale = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1.0 / shape
        number = shape
        while abs(term) > 1e-17 * abs(total):
            number += 1
            term *= x / number
            total += term
        return min(scale * total, 1.0)
    tiny = 1e-300
    b = x + 1 - shape
    c, d = 1 / tiny, 1 / b
    fraction = d
    for i in range(1, 100_000):
        a = -i * (i - shape)
        b += 2
        d = 1 / (a * d + b or tiny)
        c = b + a / c or tiny
        fraction *= d * c
        if abs(d * c - 1) < 1e-16:
            break
    return max(1.0 - scale * fraction, 0.0)

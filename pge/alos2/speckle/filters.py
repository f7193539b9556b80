"""The speckle filters themselves: see `despeckle`.

Sources. With z the pixel, m and v mean and variance of its window, Cz^2 = v / m^2, Cu^2 = 1/looks:

Lee
    J.-S. Lee, "Digital image enhancement and noise filtering by use of local statistics", IEEE
    TPAMI 2(2):165-168, 1980, doi 10.1109/TPAMI.1980.4766994: m + b (z - m), where
    b = max(0, 1 - Cu^2/Cz^2) / (1 + Cu^2).
Refined Lee
    J.-S. Lee, "Refined filtering of image noise using local statistics", CGIP 15(4):380-389, 1981,
    doi 10.1016/S0146-664X(81)80018-4; Lee, Grunes, De Grandi, "Polarimetric SAR speckle filtering
    and its implication for classification", IEEE TGRS 37(5):2363-2373, 1999, doi 10.1109/36.789635:
    the same over that half of a 7 x 7 window, of eight, that lies along the strongest edge of means
    of 3 x 3 pixels, on the side whose mean is more like that of the middle.
Lee Sigma
    See `alos2.speckle.gammarange`: the same over those pixels of the window that are within the
    speckle's range around a first guess (Lee over 3 x 3 pixels). Pixels of strong targets stay as
    they are: those among 3 x 3 of which the middle one and at least four others are brighter than
    98 % of the image.
Frost
    Frost, Stiles, Shanmugan, Holtzman, "A model for radar images and its application to adaptive
    digital filtering of multiplicative noise", IEEE TPAMI 4(2):157-166, 1982,
    doi 10.1109/TPAMI.1982.4767223: weights exp(-damping Cz^2 distance).
Gamma Map
    Lopes, Nezry, Touzi, Laur, "Maximum a posteriori speckle filtering and first order texture
    models in SAR images", IGARSS 1990, doi 10.1109/IGARSS.1990.689026: m where Cz <= Cu, z where
    Cz >= sqrt(2) Cu, between them the mode of the gamma-gamma posterior.

What they do to the mean of homogeneous speckle: boxcar, Lee and Frost keep it. Refined Lee and Lee
sigma lower it by 0.1 % at sixteen looks, 0.4 % at four and 1.5 % at one: of two halves the one that
is more like the middle is, speckle being skewed, more often the darker one. Gamma MAP finds modes:
0.4 %, 1.4 % and 4 %. The median of speckle is below its mean by 2, 8 and 30 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from alos2.speckle.gammarange import sigma_range
from alos2.speckle.looks import Speckle
from alos2.speckle.options import SpeckleFilter, halo
from alos2.types import RasterShape, Window

Power: TypeAlias = npt.NDArray[np.float32]

_TARGET_PIXELS: Final = 5
"""Lee Sigma: so many bright pixels of 3 x 3 make a strong target (T_k of the paper)."""


def despeckle(
    power: Power, options: SpeckleFilter, looks: float, *, bright: float = math.inf
) -> Power:
    """Filter the speckle of an image, or of a part of it.

    Parameters
    ----------
    power
        Linear, float32, shape (lines, pixels), NaN = no data. Of a part: with `halo` pixels more
        on every side that is not the image's edge; their own results are of no use.
    options
        The filter. Its own number of looks, where it has one, is used before `looks`.
    looks
        Equivalent number of looks of the image.
    bright
        Lee Sigma: power above which pixels may belong to strong targets; see `measure`.

    Returns
    -------
    ndarray
        float32, the shape of `power`; NaN where that is NaN.
    """
    name = options.filter
    if name == "None":
        return power
    margin = halo(options)
    padded = np.pad(np.asarray(power, np.float32), margin, constant_values=np.nan)
    np.copyto(padded, np.nan, where=np.isinf(padded))
    inside = padded[margin:-margin, margin:-margin]
    speckle = 1.0 / (looks if options.looks is None else options.looks)
    if name == "Median":
        return _median(padded, margin, inside)
    if name == "Refined Lee":
        return _refined_lee(padded, speckle, inside)
    if name == "Lee Sigma":
        return _lee_sigma(padded, margin, options, (1.0 / speckle, bright), inside)
    mean, variation = _statistics(padded, margin, options.window_size // 2, inside.shape)
    if name == "Boxcar":
        filtered = mean
    elif name == "Lee":
        filtered = _lee(inside, mean, variation, speckle)
    elif name == "Gamma Map":
        filtered = _gamma_map(inside, mean, variation, speckle)
    else:
        return _frost(padded, margin, options.damping, variation)
    filtered[np.isnan(inside)] = np.nan
    return filtered


def despeckle_window(
    read: Callable[[Window], Power],
    window: Window,
    shape: RasterShape,
    options: SpeckleFilter,
    speckle: Speckle,
) -> Power:
    """Filter one window of a larger image.

    Parameters
    ----------
    read
        Returns the power of a window of the image.
    window
        What is wanted.
    shape
        Of the image.
    speckle
        What was measured of the image, or is known of it.
    """
    margin = halo(options)
    top, left = max(0, window.line - margin), max(0, window.pixel - margin)
    bottom = min(shape.lines, window.line + window.lines + margin)
    right = min(shape.pixels, window.pixel + window.pixels + margin)
    power = read(Window(top, left, bottom - top, right - left))
    filtered = despeckle(power, options, speckle.looks, bright=speckle.bright)
    line, pixel = window.line - top, window.pixel - left
    return np.ascontiguousarray(filtered[line : line + window.lines, pixel : pixel + window.pixels])


def _statistics(
    padded: Power, margin: int, radius: int, shape: tuple[int, ...]
) -> tuple[Power, Power]:
    """Return mean and squared coefficient of variation of square windows."""
    from alos2.speckle.windowkernels import window_statistics  # noqa: PLC0415  numba, late

    mean, variation = np.empty(shape, np.float32), np.empty(shape, np.float32)
    window_statistics(padded, margin, radius, mean, variation)
    return mean, variation


def _median(padded: Power, margin: int, inside: Power) -> Power:
    from alos2.speckle.windowkernels import median  # noqa: PLC0415

    out = np.empty(inside.shape, np.float32)
    median(padded, margin, out)
    return out


def _lee(z: Power, mean: Power, variation: Power, speckle: float) -> Power:
    # In numpy, each step of which is rounded alike wherever it happens.
    with np.errstate(divide="ignore", invalid="ignore"):
        share = 1.0 - speckle / variation.astype(np.float64)
        np.maximum(share, 0.0, out=share)
        share /= 1.0 + speckle
        share *= z.astype(np.float64) - mean
    share += mean
    return share.astype(np.float32)


def _gamma_map(z: Power, mean: Power, variation: Power, looks_inverse: float) -> Power:
    looks = 1.0 / looks_inverse
    m, value, spread = (part.astype(np.float64) for part in (mean, z, variation))
    with np.errstate(divide="ignore", invalid="ignore"):
        alpha = (1.0 + looks_inverse) / (spread - looks_inverse)
        b = alpha - looks - 1.0
        root = np.sqrt(m * m * b * b + 4.0 * alpha * looks * m * value)
        between = (b * m + root) / (2.0 * alpha)
    result = np.where(spread <= looks_inverse, m, between)
    return np.where(spread >= 2.0 * looks_inverse, value, result).astype(np.float32)


def _frost(padded: Power, margin: int, damping: float, variation: Power) -> Power:
    from alos2.speckle.windowkernels import frost  # noqa: PLC0415

    steps = np.arange(-margin, margin + 1)
    squared = steps[:, np.newaxis] ** 2 + steps**2
    rings, ring_of = np.unique(squared, return_inverse=True)
    ring_of = ring_of.reshape(squared.shape).astype(np.int64)
    out = np.empty(variation.shape, np.float32)
    frost(padded, margin, ring_of, np.sqrt(rings.astype(np.float64)), damping, variation, out)
    return out


def _refined_lee(padded: Power, speckle: float, inside: Power) -> Power:
    from alos2.speckle.directedkernels import refined_lee  # noqa: PLC0415

    lines, pixels = inside.shape
    small, _ = _statistics(padded, 1, 1, (lines + 4, pixels + 4))
    starts, lengths = half_windows()
    out = np.empty(inside.shape, np.float32)
    refined_lee(padded, small, starts, lengths, speckle, out)
    return out


def half_windows() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the first pixel and the number of pixels of each line of the nine windows, (9, 7)."""
    row, full = np.arange(7), np.full(7, 7)
    half, none = np.full(7, 4), np.zeros(7, np.int64)
    upper = row < 4
    cases: list[tuple[Any, Any]] = [
        (none, half),  # left
        (none + 3, half),  # right
        (none, np.where(upper, 7, 0)),  # upper
        (none, np.where(upper[::-1], 7, 0)),  # lower
        (row, 7 - row),  # upper right
        (none, row + 1),  # lower left
        (none, 7 - row),  # upper left
        (6 - row, row + 1),  # lower right
        (none, full),
    ]
    starts, lengths = zip(*cases, strict=True)
    return np.array(starts, np.int64), np.array(lengths, np.int64)


def _lee_sigma(
    padded: Power,
    margin: int,
    options: SpeckleFilter,
    image: tuple[float, float],
    inside: Power,
) -> Power:
    from alos2.speckle.sigmakernels import lee_sigma  # noqa: PLC0415

    looks, bright = image
    mean, variation = _statistics(padded, margin, options.target_window_size // 2, inside.shape)
    guess = _lee(inside, mean, variation, 1.0 / looks)
    out = np.empty(inside.shape, np.float32)
    bounds = np.array(sigma_range(looks, options.sigma), np.float64)
    kept = _strong_targets(padded, margin, bright)
    lee_sigma(padded, margin, options.window_size // 2, guess, bounds, kept, out)
    return out


def _strong_targets(padded: Power, margin: int, bright: float) -> npt.NDArray[np.bool_]:
    """Return which pixels belong to strong targets; the margin is at least 2 wide."""
    lines, pixels = (size - 2 * margin for size in padded.shape)
    if not math.isfinite(bright):
        return np.zeros((lines, pixels), np.bool_)
    near = padded[margin - 2 : margin + lines + 2, margin - 2 : margin + pixels + 2] >= bright
    middle = near[1:-1, 1:-1] & (_neighbours(near) >= _TARGET_PIXELS)
    return np.asarray(near[2:-2, 2:-2] & (_neighbours(middle) > 0))


def _neighbours(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int8]:
    """Count the true pixels of 3 x 3 windows, of all pixels but the outermost."""
    count = mask.astype(np.int8)
    down = count[:-2] + count[1:-1] + count[2:]
    return np.asarray(down[:, :-2] + down[:, 1:-1] + down[:, 2:])

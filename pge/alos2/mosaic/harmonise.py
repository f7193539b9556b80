"""Gains that level tracks: least squares over what their overlaps show.

The same ground seen from two tracks differs by what is left of calibration and of the view. For
each pair a robust mean over cells of 10 log10 of the ratio of mean powers is taken: means of 256
pixels leave little of the speckle, and what changed between the dates is left out, as long as it is
less than half of the overlap (beginning with the median, the mean of what lies within three
deviations, again and again). The gains g (dB, added) minimise the sum over pairs of
n_ij (d_ij + g_i - g_j)^2, n the number of cells and d the ratio, and have mean 0 over the tracks
that hang together by overlaps: the solution of least norm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from alos2.mosaic.cells import FULL, Cells
from alos2.mosaic.model import Gains, Overlap

LEAST_CELLS: Final = 32
"""Whole cells that an overlap needs: 8,192 pixels."""
_DEVIATIONS: Final = 3.0
_MAD_TO_SIGMA: Final = 1.4826
"""A normal distribution's standard deviation over its median absolute deviation."""
_MOST_ROUNDS: Final = 20
_LARGE_DB: Final = 3.0
"""A gain beyond this is hardly calibration: other beams, other polarisations, other seasons."""


def _common(one: Cells, other: Cells) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the mean powers of the cells that are whole in both, shape (n,)."""
    top, left = max(one.row, other.row), max(one.column, other.column)
    bottom = min(one.row + one.mean.shape[0], other.row + other.mean.shape[0])
    right = min(one.column + one.mean.shape[1], other.column + other.mean.shape[1])
    if bottom <= top or right <= left:
        return np.zeros(0), np.zeros(0)
    here, there = (
        np.s_[top - cells.row : bottom - cells.row, left - cells.column : right - cells.column]
        for cells in (one, other)
    )
    mine, yours = one.mean[here], other.mean[there]
    whole = (one.count[here] == FULL) & (other.count[there] == FULL) & (mine > 0) & (yours > 0)
    return mine[whole].astype(np.float64), yours[whole].astype(np.float64)


def robust_mean(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean of what is no outlier, and the median absolute deviation from it.

    The median alone would be drawn towards outliers that lie on one side: by a tenth of a dB where
    a flood covers a sixth of an overlap.

    Parameters
    ----------
    values
        Shape (n,), at least one.
    """
    middle = float(np.median(values))
    for _ in range(_MOST_ROUNDS):
        spread = float(np.median(np.abs(values - middle)))
        kept = values[np.abs(values - middle) <= _DEVIATIONS * _MAD_TO_SIGMA * spread]
        before, middle = middle, float(kept.mean()) if kept.size else middle
        if abs(middle - before) < 1e-6:
            break
    return middle, float(np.median(np.abs(values - middle)))


def overlap_of(names: tuple[str, str], one: Cells, other: Cells) -> Overlap:
    """Compare two rasters where both are."""
    mine, yours = _common(one, other)
    if mine.size < LEAST_CELLS:
        return Overlap(*names, cells=int(mine.size), ratio_db=None, spread_db=None)
    ratios = 10.0 * np.log10(mine / yours)
    middle, spread = robust_mean(ratios)
    return Overlap(*names, int(mine.size), round(middle, 4), round(spread, 4))


def harmonise(cells: Mapping[str, Cells]) -> Gains:
    """Find the gain of each track.

    Parameters
    ----------
    cells
        Of each track, of power.

    Returns
    -------
    Gains
        0 dB for a track that overlaps with none (enough); it is said in the notes.
    """
    names = list(cells)
    overlaps = [overlap_of(pair, cells[pair[0]], cells[pair[1]]) for pair in combinations(names, 2)]
    known = [overlap for overlap in overlaps if overlap.ratio_db is not None]
    matrix = np.zeros((len(known), len(names)))
    right = np.zeros(len(known))
    for row, overlap in enumerate(known):
        weight = np.sqrt(overlap.cells)
        matrix[row, names.index(overlap.first)] = weight
        matrix[row, names.index(overlap.second)] = -weight
        right[row] = -weight * (overlap.ratio_db or 0.0)
    solved = np.linalg.lstsq(matrix, right, rcond=None)[0] if known else np.zeros(len(names))
    # Ten-thousandths of a dB: what is written down is exactly what is used.
    decibels = {name: round(float(gain), 4) + 0.0 for name, gain in zip(names, solved, strict=True)}
    return Gains(decibels, tuple(_left(o, decibels) for o in overlaps), _notes(overlaps, decibels))


def _left(overlap: Overlap, decibels: Mapping[str, float]) -> Overlap:
    if overlap.ratio_db is None:
        return overlap
    left = overlap.ratio_db + decibels[overlap.first] - decibels[overlap.second]
    return replace(overlap, left_db=round(left, 4))


def _notes(overlaps: list[Overlap], decibels: Mapping[str, float]) -> tuple[str, ...]:
    held = {o.first: o.second for o in overlaps if o.ratio_db is not None}
    held |= {o.second: o.first for o in overlaps if o.ratio_db is not None}
    notes = []
    for name, gain in decibels.items():
        if name not in held and len(decibels) > 1:
            most = max(o.cells for o in overlaps if name in (o.first, o.second))
            notes.append(
                f"track {name} keeps 0 dB: its largest overlap has {most} whole cells of 16 x 16 "
                f"pixels, of {LEAST_CELLS} needed"
            )
        elif abs(gain) > _LARGE_DB:
            notes.append(
                f"track {name} gets {gain:+.2f} dB, which is more than calibration explains: are "
                "beam, polarisation and season the same?"
            )
    groups = _groups(overlaps, decibels)
    if len(groups) > 1 and sum(len(group) > 1 for group in groups) > 1:
        said = "; ".join(", ".join(group) for group in groups)
        notes.append(f"groups of tracks that do not overlap are levelled each by itself: {said}")
    return tuple(notes)


def _groups(overlaps: list[Overlap], decibels: Mapping[str, float]) -> list[list[str]]:
    """Return the tracks that hang together."""
    group = {name: number for number, name in enumerate(decibels)}
    for overlap in overlaps:
        if overlap.ratio_db is not None:
            gone, kept = group[overlap.second], group[overlap.first]
            group = {name: kept if of == gone else of for name, of in group.items()}
    return [[n for n in group if group[n] == number] for number in dict.fromkeys(group.values())]

"""Consecutive frames of one pass, as one image.

JAXA cuts a pass into frames that overlap by some kilometres. The same echoes are in both, processed
twice, so power is averaged there over the frames that have data: no seam, and no place counted
twice. What was not taken in the same pass, the same way, is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from alos2.dataset.stac import observation_time
from alos2.errors import BadProduct, NotSupported, UsageError
from alos2.product.model import Product
from alos2.types import Polarization

Plane = npt.NDArray[np.float32]

LEVELS: Final = ("1.1", "1.5", "2.1", "2.2")
"""Levels that are calibrated backscatter."""
_OFF_NADIR_DEG: Final = 0.15
"""Nominal angles of one beam agree to this; those of neighbouring beams differ by 2 and more."""

_ALIKE: Final[tuple[tuple[str, Callable[[Product], Any]], ...]] = (
    ("orbit", lambda p: p.scene.orbit),
    ("pass direction", lambda p: p.pass_direction),
    ("look side", lambda p: p.look),
    ("mode", lambda p: p.mode),
    ("level", lambda p: p.level),
    ("format", lambda p: p.format),
    ("polarisations", lambda p: "+".join(p.polarizations)),
    ("beam", lambda p: p.sensor.beam_number),
    ("having an orbit", lambda p: p.orbit is not None),
)


def one_pass(products: Sequence[Product]) -> tuple[Product, ...]:
    """Return the frames of one pass in the order of time.

    Raises
    ------
    UsageError
        There is none, one is given twice, or they were not taken in one pass in the same way.
    NotSupported
        A level that is no calibrated backscatter (3.1).
    BadProduct
        One has no image, or does not say when it was taken.
    """
    if not products:
        raise UsageError("no product is given")
    for product in products:
        if product.level not in LEVELS:
            raise NotSupported(
                f"{_name(product)}: level {product.level} is no calibrated backscatter (its noise "
                "is reduced and its dynamic range compressed)",
                hint="give level 1.1, 1.5, 2.1 or 2.2 of the same scene",
            )
        if not product.images:
            raise BadProduct(f"{_name(product)} has no image")
    first = products[0]
    for other in products[1:]:
        for what, value in _ALIKE:
            if value(other) != value(first):
                raise UsageError(
                    f"{_name(first)} and {_name(other)} are not frames of one pass: their {what} "
                    f"differs ({value(first)} and {value(other)})",
                    hint="make one scene of each pass, then a time series of them",
                )
        _require_same_angle(first, other)
    frames = sorted(products, key=lambda p: (observation_time(p), p.scene.frame))
    for earlier, later in pairwise(frames):
        if earlier.scene == later.scene:
            raise UsageError(f"{_name(earlier)} and {_name(later)} are the same scene, given twice")
    return tuple(frames)


def _require_same_angle(first: Product, other: Product) -> None:
    angles = first.sensor.off_nadir_deg, other.sensor.off_nadir_deg
    if angles[0] is None or angles[1] is None:
        return
    if abs(angles[0] - angles[1]) > _OFF_NADIR_DEG:
        raise UsageError(
            f"{_name(first)} and {_name(other)} are of different beams: off-nadir angles "
            f"{angles[0]:g} and {angles[1]:g} degrees",
            hint="make one scene of each beam",
        )


def gaps(frames: Sequence[Product]) -> tuple[str, ...]:
    """Say in words where frames, in order of time, leave out a part of the pass."""
    found = []
    for earlier, later in pairwise(frames):
        end, start = earlier.end_time, later.start_time
        if end is not None and start is not None and start > end:
            found.append(
                f"frames {earlier.scene.frame} and {later.scene.frame} do not overlap: "
                f"{(start - end).total_seconds():.1f} s between them are missing"
            )
    return tuple(found)


def span(frames: Sequence[Product]) -> tuple[datetime, datetime]:
    """Return the first and the last time of some frames."""
    starts = [frame.start_time or observation_time(frame) for frame in frames]
    ends = [frame.end_time or observation_time(frame) for frame in frames]
    return min(starts), max(ends)


def chosen_polarizations(
    frames: Sequence[Product], wanted: Sequence[Polarization] | None
) -> tuple[Polarization, ...]:
    """Return the polarisations to make, in the products' order.

    Raises
    ------
    UsageError
        One is wanted that there is not.
    """
    there = frames[0].polarizations
    if wanted is None:
        return there
    missing = [pol for pol in wanted if pol not in there]
    if missing:
        raise UsageError(
            f"{_name(frames[0])} has no polarisation {', '.join(missing)}, only {', '.join(there)}"
        )
    return tuple(pol for pol in there if pol in wanted)


class Joiner:
    """Takes the planes of frames one after the other, and gives their mean where they overlap."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self._total = np.zeros(shape, np.float32)
        self._count = np.zeros(shape, np.uint16)

    def add(self, power: Plane) -> None:
        """Take the next frame; NaN = no data."""
        known = ~np.isnan(power)
        np.add(self._total, power, out=self._total, where=known)
        self._count += known

    def mean(self) -> Plane:
        """Return the mean power, NaN where no frame has data."""
        result = np.full(self._total.shape, np.nan, np.float32)
        np.divide(self._total, self._count, out=result, where=self._count > 0, casting="same_kind")
        return result


def _name(product: Product) -> str:
    return f"{product.scene}-{product.product}"

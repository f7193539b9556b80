"""What changes on the ground from one day on: floods, fields, buildings.

A change multiplies the backscatter of the parcels in a region, between two days. So the ground of
a date is a function of the seed, the place and the date.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date as Date  # noqa: N812
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from alos2.errors import UsageError
from alos2.simulate.ground import KINDS, Ground, TangentPlane, parcel_index
from alos2.simulate.regions import Inside, disc, polygon
from alos2.types import POLARIZATIONS, Polarization

Decibels: TypeAlias = "float | tuple[tuple[Polarization, float], ...]"

_MOST_DB = 60.0


@dataclass(frozen=True)
class Change:
    """Backscatter that differs in a region for some time.

    Raises
    ------
    UsageError
        If there is not exactly one region, or something in it cannot be.
    """

    since: Date
    """First day on which it is seen (UTC)."""
    db: Decibels
    """What is added, dB: one number, or one for each polarisation named (others stay)."""
    until: Date | None = None
    """First day on which it is over; None: it stays."""
    disc: tuple[float, float, float] | None = None
    """East, north and radius, m on the ground's plane (`lonlat`: the centre in degrees)."""
    polygon: tuple[tuple[float, float], ...] | None = None
    """Corners, east and north in m on the ground's plane (`lonlat`: degrees)."""
    lonlat: bool = False
    """The region's places are longitudes and latitudes."""
    kinds: tuple[str, ...] = ()
    """Only parcels of these kinds (site, water, field, forest, city); none: all."""

    def __post_init__(self) -> None:
        self._check_region()
        if self.until is not None and self.until <= self.since:
            raise UsageError(f"a change from {self.since} cannot be over on {self.until}")
        for kind in self.kinds:
            if kind not in KINDS:
                raise UsageError(f"parcels of kind {kind!r} do not exist: {', '.join(KINDS)} do")
        for polarization, _ in () if isinstance(self.db, (int, float)) else self.db:
            if polarization not in POLARIZATIONS:
                raise UsageError(f"polarisation {polarization!r} of a change is none")
        for polarization in POLARIZATIONS:
            added = self.decibels(polarization)
            if not abs(added) <= _MOST_DB:
                raise UsageError(f"a change of {added:g} dB: at most {_MOST_DB:g} dB")

    def _check_region(self) -> None:
        if (self.disc is None) == (self.polygon is None):
            raise UsageError("a change has one region: a disc or a polygon")
        if self.polygon is not None and len(self.polygon) < 3:
            raise UsageError(f"a polygon of {len(self.polygon)} corners is none")
        if self.disc is not None and self.disc[2] <= 0.0:
            raise UsageError(f"a disc of radius {self.disc[2]:g} m is empty")
        numbers = [*(self.disc or ()), *(v for corner in self.polygon or () for v in corner)]
        if not all(math.isfinite(number) for number in numbers):
            raise UsageError("a change has a region with a number that is none")

    def decibels(self, polarization: Polarization) -> float:
        """Give what is added in a polarisation, dB."""
        if isinstance(self.db, (int, float)):
            return float(self.db)
        return float(dict(self.db).get(polarization, 0.0))

    def is_on(self, day: Date) -> bool:
        """Whether it is seen on a day."""
        return self.since <= day and (self.until is None or day < self.until)

    def region(self, plane: TangentPlane) -> Inside:
        """Give the test whether points of the plane lie in it."""
        if self.disc is not None:
            x, y, radius = self.disc
            if self.lonlat:
                x, y = (float(v) for v in plane.xy(x, y))
            return disc(x, y, radius)
        corners = self.polygon or ()
        if self.lonlat:
            lon, lat = np.array(corners, dtype=np.float64).T
            east, north = plane.xy(lon, lat)
            corners = tuple(zip(east.tolist(), north.tolist(), strict=True))
        return polygon(tuple((float(x), float(y)) for x, y in corners))


class Paint:
    """Values by parcel, changed where something has happened.

    Parameters
    ----------
    ground
        Where the parcels are.
    table
        Value by parcel index, float32.
    changes
        Those that are seen.
    polarization
        Whose dB are added.
    exponent
        1 for power, 0.5 for amplitude.
    """

    def __init__(
        self,
        ground: Ground,
        table: NDArray[np.float32],
        changes: Sequence[Change],
        polarization: Polarization,
        *,
        exponent: float = 1.0,
    ) -> None:
        self._table = table
        # Changes of one region, such as one for each kind of parcel, ask for it once.
        places = {_place(change): change.region(ground.plane) for change in changes}
        self._regions: Sequence[Inside] = list(places.values())
        numbers = {place: number for number, place in enumerate(places)}
        self._changes: Sequence[tuple[int, NDArray[np.bool_] | None, np.float32]] = [
            (
                numbers[_place(change)],
                ground.kind_table(change.kinds) if change.kinds else None,
                np.float32(10.0 ** (0.1 * exponent * change.decibels(polarization))),
            )
            for change in changes
        ]

    def __call__(self, x_m: NDArray[np.float32], y_m: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the values at metres east and north of the ground's centre."""
        number = parcel_index(x_m, y_m)
        out: NDArray[np.float32] = self._table[number]
        inside = [region(x_m, y_m) for region in self._regions]
        for region, kinds, factor in self._changes:
            where = inside[region]
            out[where if kinds is None else where & kinds[number]] *= factor
        return out


def _place(change: Change) -> tuple[object, ...]:
    return change.disc, change.polygon, change.lonlat

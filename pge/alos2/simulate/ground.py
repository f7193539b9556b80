"""The ground: what scatters how strongly, the same for every product of one seed and place.

Seen from above, the ground is flat at one height and paved with square parcels, each of one sigma
nought. Parcels grow with their distance from the centre (a core of four 100 m squares, then frames
of twelve squares whose side doubles from frame to frame), so that a picture of 300 m and one of
300 km both hold parcels of a useful size, and their list stays short. In each frame three parcels
are dark, bare sites with one point target each, away from the middle and mostly above the ground.

Everything is a function of the position and the seed: any part of any image can be made alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alos2.geometry.ellipsoid import ecef_to_geodetic, geodetic_to_ecef, up_vector
from alos2.geometry.orbit import Floats
from alos2.types import Polarization

CORE_PARCEL_M: Final = 100.0
FRAMES: Final = 13
"""Frames round the core; the last ends 819 km from the centre."""


class _Kind(NamedTuple):
    """Sigma nought of a kind of ground, dB: HH, VV, and HV = VH; and how much parcels differ."""

    hh: float
    vv: float
    cross: float
    spread: float


_KINDS: Final = {
    "site": _Kind(-24.0, -23.0, -33.0, 0.5),
    "water": _Kind(-21.0, -19.5, -30.0, 1.0),
    "field": _Kind(-12.0, -11.5, -20.0, 2.5),
    "forest": _Kind(-7.5, -8.0, -13.0, 1.0),
    "city": _Kind(-2.0, -2.5, -9.0, 1.5),
}
KINDS: Final = tuple(_KINDS)
_CORE_KINDS: Final = ("site", "water", "field", "city")
_FRAME_KINDS: Final = ("site",) * 3 + ("water",) * 2 + ("field",) * 4 + ("forest",) * 2 + ("city",)

_SMALLEST_RCS_DBSM: Final = 22.0
_LARGEST_RCS_DBSM: Final = 43.0
_RCS_STEP_DB: Final = 3.0
"""By frame: bigger parcels are seen by coarser modes."""
_CROSS_RCS_DB: Final = -18.0
_LARGEST_HEIGHT_M: Final = 500.0


class Parcel(NamedTuple):
    """A square of one sigma nought, in metres east and north on the tangent plane."""

    number: int
    """Index of the table of sigma noughts."""
    kind: str
    west_m: float
    south_m: float
    side_m: float
    sigma0_db: dict[Polarization, float]
    has_target: bool


class PointTarget(NamedTuple):
    """A point scatterer."""

    name: str
    frame: int
    """Of the parcel that it stands in."""
    lon_deg: float
    lat_deg: float
    height_m: float
    """Above the ellipsoid."""
    rcs_dbsm: dict[Polarization, float]
    """Radar cross section, dB above a square metre."""
    east_m: float
    north_m: float


@dataclass(frozen=True)
class TangentPlane:
    """The plane that touches the ellipsoid at the centre: x east, y north, m (orthographic)."""

    lon_deg: float
    lat_deg: float

    @cached_property
    def _frame(self) -> tuple[Floats, Floats, Floats, Floats]:
        lon, lat = np.radians(self.lon_deg), np.radians(self.lat_deg)
        east = np.array([-np.sin(lon), np.cos(lon), 0.0])
        up = up_vector(self.lon_deg, self.lat_deg)
        north = np.array([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)])
        return geodetic_to_ecef(self.lon_deg, self.lat_deg), east, north, up

    def xy(self, lon_deg: ArrayLike, lat_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Metres east and north of places on the ellipsoid."""
        center, east, north, _ = self._frame
        away = geodetic_to_ecef(lon_deg, lat_deg) - center
        return away @ east, away @ north

    def lonlat(self, x_m: ArrayLike, y_m: ArrayLike) -> tuple[Floats, Floats]:
        """Places on the ellipsoid of metres east and north."""
        center, east, north, up = self._frame
        x, y = (np.asarray(v, dtype=np.float64)[..., np.newaxis] for v in (x_m, y_m))
        flat = center + x * east + y * north
        drop = np.zeros(flat.shape[:-1])
        for _ in range(8):  # each turn leaves less than a tenth of the height
            lon, lat, height = ecef_to_geodetic(flat - drop[..., np.newaxis] * up)
            drop = drop + height / np.maximum(up_vector(lon, lat) @ up, 0.5)
        return lon, lat


class Heights(Protocol):
    """Heights of a surface above the ellipsoid."""

    lowest_m: float
    highest_m: float

    def __call__(self, x_m: Floats, y_m: Floats) -> Floats:
        """Heights, m, at metres east and north of the ground's centre."""


def parcel_index(x_m: NDArray[np.float32], y_m: NDArray[np.float32]) -> NDArray[np.intp]:
    """Which parcel points of the plane lie in.

    Parameters
    ----------
    x_m, y_m : ndarray, float32
        Metres east and north of the centre.

    Returns
    -------
    ndarray, intp
        Index of the table of sigma noughts: 16 x frame + 4 x row + column.
    """
    reach = np.maximum(np.abs(x_m), np.abs(y_m)) / np.float32(CORE_PARCEL_M)
    frame = np.clip(np.frexp(reach)[1], 0, FRAMES)
    side = np.ldexp(np.float32(CORE_PARCEL_M), np.maximum(frame - 1, 0))
    column = np.clip(np.floor(x_m / side).astype(np.intp) + 2, 0, 3)
    row = np.clip(np.floor(y_m / side).astype(np.intp) + 2, 0, 3)
    number: NDArray[np.intp] = (16 * frame + 4 * row + column).astype(np.intp, copy=False)
    return number


class Ground:
    """All parcels and targets round one centre.

    Parameters
    ----------
    seed : int
        Of everything random.
    lon_deg, lat_deg : float
        The centre.
    height_m : float
        Of the flat ground above the ellipsoid.
    heights : Heights, optional
        Of the ground, where it is not flat.
    targets : bool
        Whether point targets stand on it.
    """

    def __init__(
        self,
        seed: int,
        lon_deg: float,
        lat_deg: float,
        height_m: float,
        *,
        heights: Heights | None = None,
        targets: bool = True,
    ) -> None:
        self.plane = TangentPlane(lon_deg, lat_deg)
        self.height_m = height_m
        self.heights = heights
        parcels: list[Parcel] = []
        placed: list[PointTarget] = []
        for frame in range(FRAMES + 1):
            self._pave(frame, np.random.default_rng([seed, 1, frame]), parcels, placed)
        self.parcels = tuple(p if targets else p._replace(has_target=False) for p in parcels)
        self.targets = tuple(placed) if targets else ()

    def _pave(
        self,
        frame: int,
        rng: np.random.Generator,
        parcels: list[Parcel],
        targets: list[PointTarget],
    ) -> None:
        """Add the parcels of one frame (0 is the core) and their targets."""
        inner = [(1, 1), (1, 2), (2, 1), (2, 2)]
        every = [(row, column) for row in range(4) for column in range(4)]
        places = inner if frame == 0 else [place for place in every if place not in inner]
        names = _CORE_KINDS if frame == 0 else _FRAME_KINDS
        side = CORE_PARCEL_M * 2.0 ** max(frame - 1, 0)
        for (row, column), number in zip(places, rng.permutation(len(names)), strict=True):
            name = names[number]
            kind, shift = _KINDS[name], rng.uniform(-1.0, 1.0)
            co, cross = kind.spread * shift, kind.spread * shift
            sigma0: dict[Polarization, float] = {
                "HH": round(kind.hh + co, 2),
                "HV": round(kind.cross + cross, 2),
                "VH": round(kind.cross + cross, 2),
                "VV": round(kind.vv + co, 2),
            }
            west, south = (column - 2) * side, (row - 2) * side
            index = 16 * frame + 4 * row + column
            parcels.append(Parcel(index, name, west, south, side, sigma0, name == "site"))
            if name == "site":
                label = f"T{frame:02d}{'abc'[sum(t.frame == frame for t in targets)]}"
                place = self._target_place(west, south, side, rng)
                targets.append(self._target(label, frame, place))

    def _target_place(
        self, west: float, south: float, side: float, rng: np.random.Generator
    ) -> tuple[float, float, float]:
        """Metres east and north in the middle of a parcel, and above the ground."""
        x, y = (corner + side * rng.uniform(0.4, 0.6) for corner in (west, south))
        stands, part = rng.uniform() < 1.0 / 3.0, rng.uniform(0.3, 1.0)
        return x, y, 0.0 if stands else min(0.15 * side, _LARGEST_HEIGHT_M) * part

    def _target(self, label: str, frame: int, place: tuple[float, float, float]) -> PointTarget:
        x, y, height = place
        lon, lat = self.plane.lonlat(x, y)
        co = min(_SMALLEST_RCS_DBSM + _RCS_STEP_DB * max(frame - 1, 0), _LARGEST_RCS_DBSM)
        rcs: dict[Polarization, float] = {
            "HH": co,
            "HV": co + _CROSS_RCS_DB,
            "VH": co + _CROSS_RCS_DB,
            "VV": co,
        }
        # Rounded, so that the numbers in the truth are the numbers that were used.
        return PointTarget(
            label,
            frame,
            round(float(lon), 10),
            round(float(lat), 10),
            round(self.height_m + height, 3),
            rcs,
            x,
            y,
        )

    def _standing(self, target: PointTarget) -> PointTarget:
        """Lift a target with the ground that it stands on."""
        if self.heights is None:
            return target
        lift = float(self.heights(np.array([target.east_m]), np.array([target.north_m]))[0])
        return target._replace(height_m=round(target.height_m + lift - self.height_m, 3))

    def sigma0_table(self, polarization: Polarization) -> NDArray[np.float32]:
        """Linear sigma nought by parcel index."""
        table = np.zeros(16 * (FRAMES + 1), dtype=np.float32)
        for parcel in self.parcels:
            table[parcel.number] = 10.0 ** (0.1 * parcel.sigma0_db[polarization])
        return table

    def kind_table(self, kinds: Sequence[str]) -> NDArray[np.bool_]:
        """Whether parcels are of some kinds, by parcel index."""
        table = np.zeros(16 * (FRAMES + 1), dtype=np.bool_)
        for parcel in self.parcels:
            table[parcel.number] = parcel.kind in kinds
        return table

    def targets_within(self, radius_m: float) -> tuple[PointTarget, ...]:
        """Targets not further than this from the centre."""
        near = (t for t in self.targets if np.hypot(t.east_m, t.north_m) <= radius_m)
        return tuple(self._standing(target) for target in near)

    def parcels_within(self, radius_m: float) -> tuple[Parcel, ...]:
        """Parcels whose centre is not further than this from the centre."""
        return tuple(
            p
            for p in self.parcels
            if np.hypot(p.west_m + 0.5 * p.side_m, p.south_m + 0.5 * p.side_m) <= radius_m
        )

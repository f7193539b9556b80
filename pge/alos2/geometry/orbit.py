"""The satellite's way through space: state vectors, and positions between them.

Positions between state vectors come from the Hermite polynomial of degree 7 through the positions
and velocities of the four nearest vectors, the method that InSAR processors use for ALOS-2's 60 s
vectors (public readers agree; a check on a real leader: four against eight points differ by
0.04 mm). The polynomials are made once per orbit, so that position, velocity and acceleration at
many times cost a few vector operations.

Formula: de Boor, "A Practical Guide to Splines" (1978), chapter I (osculatory interpolation).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alos2.errors import BadProduct

Floats: TypeAlias = NDArray[np.float64]
"""Array of double precision numbers."""

POINTS: Final = 4
"""State vectors that one interpolating polynomial goes through."""

LEAP_SECONDS: Final = (
    datetime(2015, 7, 1, tzinfo=timezone.utc),
    datetime(2017, 1, 1, tzinfo=timezone.utc),
)
"""UTC midnights of ALOS-2's mission life right after an inserted second (IERS Bulletin C)."""

_NEAREST_M: Final = 6_300_000.0
_FARTHEST_M: Final = 50_000_000.0
"""From the Earth's centre: just below its surface, and just beyond geostationary orbits, m."""
_FASTEST_M_S: Final = 20_000.0
_MISFIT_FLOOR_M: Final = 1000.0
_MISFIT_RATE: Final = 5.0e-6
"""Bound on |v''| / |v|, 1/s^2: a low orbit has about 1.2e-6 (mean motion squared)."""


@dataclass(frozen=True, eq=False)
class Orbit:
    """State vectors of one arc, in an Earth-fixed frame.

    Parameters
    ----------
    epoch : datetime
        Timezone-aware UTC time of ``t = 0``.
    times_s : ndarray, shape (n,), float64
        Seconds since the epoch, strictly increasing, at any interval; n is at least 4.
    positions_m : ndarray, shape (n, 3), float64
        Earth-centred Earth-fixed positions (ITRF; the leader calls it ECR), m.
    velocities_m_s : ndarray, shape (n, 3), float64
        Their rates of change in the same frame, m/s.

    Raises
    ------
    BadProduct
        With fewer than four vectors, with shapes that differ, with a value that is not a number,
        with times that do not increase, or with a vector that does not fit its neighbours.
    """

    epoch: datetime
    times_s: Floats
    positions_m: Floats
    velocities_m_s: Floats
    name: str = field(default="orbit", kw_only=True)
    """What messages call it, for example the leader's file name."""

    def __post_init__(self) -> None:
        if self.epoch.tzinfo is None:
            raise ValueError("the epoch of an orbit needs a timezone (UTC)")
        for attribute in ("times_s", "positions_m", "velocities_m_s"):
            values = np.array(getattr(self, attribute), dtype=np.float64)
            values.setflags(write=False)
            object.__setattr__(self, attribute, values)
        self._check()

    def _check(self) -> None:
        """Refuse an arc that cannot be interpolated."""
        count = self.times_s.size
        shapes = (self.times_s.shape, self.positions_m.shape, self.velocities_m_s.shape)
        if count < POINTS:
            raise BadProduct(f"{self.name} has {count} state vectors, at least {POINTS} are needed")
        if shapes != ((count,), (count, 3), (count, 3)):
            raise BadProduct(f"{self.name}: times, positions and velocities have shapes {shapes}")
        finite = (
            np.isfinite(self.times_s)
            & np.isfinite(self.positions_m).all(axis=1)
            & np.isfinite(self.velocities_m_s).all(axis=1)
        )
        if not finite.all():
            first = int(np.argmin(finite))
            raise BadProduct(f"{self.name}: state vector {first} of {count} is not a number")
        self._check_heights()
        steps = np.diff(self.times_s)
        if not (steps > 0.0).all():
            first = int(np.argmax(steps <= 0.0))
            raise BadProduct(
                f"{self.name}: times of state vectors {first} and {first + 1} of {count} "
                f"do not increase ({self.times_s[first]:.3f} s, {self.times_s[first + 1]:.3f} s)"
            )
        self._check_neighbours(steps)

    def _check_heights(self) -> None:
        """Refuse vectors below the ground, beyond all radars, or faster than any orbit is."""
        # Components first: the squares of absurd ones are infinite.
        fair = (np.abs(self.positions_m) <= _FARTHEST_M).all(axis=1)
        fair &= (np.abs(self.velocities_m_s) <= _FASTEST_M_S).all(axis=1)
        if fair.all():
            fair = np.linalg.norm(self.positions_m, axis=1) >= _NEAREST_M
        if not fair.all():
            first = int(np.argmin(fair))
            raise BadProduct(
                f"{self.name}: state vector {first} of {self.times_s.size} is no place and "
                "velocity of a satellite"
            )

    def _check_neighbours(self, steps: Floats) -> None:
        """Refuse a vector whose position and velocity contradict the next one's.

        The trapezium rule integrates velocities with an error of step^3 |v''| / 12, about 0.15 km
        for 60 s: far less than what a wrong digit or a zeroed field makes.
        """
        mean_velocity = 0.5 * (self.velocities_m_s[1:] + self.velocities_m_s[:-1])
        moved = np.diff(self.positions_m, axis=0)
        misfit = np.linalg.norm(moved - mean_velocity * steps[:, np.newaxis], axis=1)
        speed = np.linalg.norm(mean_velocity, axis=1)
        allowed = _MISFIT_FLOOR_M + _MISFIT_RATE * speed * steps**3 / 12.0
        if (misfit > allowed).any():
            worst = int(np.argmax(misfit / allowed))
            raise BadProduct(
                f"{self.name}: state vectors {worst} and {worst + 1} of {self.times_s.size} "
                f"contradict each other by {misfit[worst] / 1000.0:.1f} km"
            )

    @property
    def start(self) -> datetime:
        """UTC time of the first state vector."""
        return self.time(float(self.times_s[0]))

    @property
    def end(self) -> datetime:
        """UTC time of the last state vector."""
        return self.time(float(self.times_s[-1]))

    def seconds(self, when: datetime) -> float:
        """Elapsed seconds from the epoch to a UTC time, leap seconds counted.

        Parameters
        ----------
        when : datetime
            Timezone-aware time.

        Returns
        -------
        float
            Seconds since the epoch (negative before it).
        """
        forward = sum(self.epoch < leap <= when for leap in LEAP_SECONDS)
        backward = sum(when < leap <= self.epoch for leap in LEAP_SECONDS)
        return (when - self.epoch).total_seconds() + forward - backward

    def time(self, t_s: float) -> datetime:
        """UTC time of ``t_s`` seconds after the epoch, to the microsecond.

        An instant within a leap second, which ``datetime`` cannot say, is given as the midnight
        that ends it.
        """
        when = self.epoch + timedelta(seconds=float(t_s))
        for leap in LEAP_SECONDS:
            if self.epoch < leap <= when:
                return max(when - timedelta(seconds=1.0), leap)
            if when < leap <= self.epoch:
                return when + timedelta(seconds=1.0)
        return when

    def interpolate(self, t_s: ArrayLike) -> tuple[Floats, Floats]:
        """Position and velocity at some times.

        Parameters
        ----------
        t_s : array_like, shape (...)
            Seconds since the epoch, within the arc.

        Returns
        -------
        positions_m, velocities_m_s : ndarray, shape (..., 3), float64
            Earth-fixed position, m, and velocity, m/s.

        Raises
        ------
        BadProduct
            If a time lies outside the arc of the state vectors, or is not a number.
        """
        position, velocity, _ = self.states(t_s)
        return position, velocity

    def states(self, t_s: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """Position, velocity and acceleration at some times.

        Parameters
        ----------
        t_s : array_like, shape (...)
            Seconds since the epoch, within the arc.

        Returns
        -------
        positions_m, velocities_m_s, accelerations_m_s2 : ndarray, shape (..., 3), float64
            In the Earth-fixed frame; each is the derivative of the one before.

        Raises
        ------
        BadProduct
            If a time lies outside the arc of the state vectors, or is not a number.
        """
        t = np.asarray(t_s, dtype=np.float64)
        self.require_inside(t)
        # The two vectors before and the two after; at either end of the arc the four outermost.
        segment = np.clip(
            np.searchsorted(self.times_s, t, side="right") - POINTS // 2,
            0,
            self.times_s.size - POINTS,
        )
        centres, scales, coefficients = self._segments
        scale = scales[segment][..., np.newaxis]
        u = (t - centres[segment])[..., np.newaxis] / scale
        terms = coefficients[segment]
        position = terms[..., -1, :].copy()
        velocity = np.zeros_like(position)
        half_acceleration = np.zeros_like(position)
        for k in range(terms.shape[-2] - 2, -1, -1):
            half_acceleration = half_acceleration * u + velocity
            velocity = velocity * u + position
            position = position * u + terms[..., k, :]
        return position, velocity / scale, 2.0 * half_acceleration / scale**2

    def require_inside(self, t_s: ArrayLike) -> None:
        """Raise ``BadProduct`` unless all times lie within the arc (its ends included)."""
        t = np.asarray(t_s, dtype=np.float64)
        outside = ~((t >= self.times_s[0]) & (t <= self.times_s[-1]))
        if outside.any():
            wrong = float(t[outside].flat[0]) if t.ndim else float(t)
            said = _clock(self.time(wrong)) if abs(wrong) < 1e9 else f"{wrong} s after the epoch"
            raise BadProduct(
                f"{said} lies outside the arc of {self.name}, "
                f"{_clock(self.start)} to {_clock(self.end)} ({self.times_s.size} state vectors)"
            )

    @cached_property
    def _segments(self) -> tuple[Floats, Floats, Floats]:
        """Centre and half length (s) of each run of four vectors, and its polynomial.

        The coefficients, shape (n - 3, 8, 3), belong to rising powers of
        ``(t - centre) / half length``.
        """
        runs = np.arange(self.times_s.size - POINTS + 1)[:, np.newaxis] + np.arange(POINTS)
        times = self.times_s[runs]
        centres = 0.5 * (times[:, 0] + times[:, -1])
        scales = 0.5 * (times[:, -1] - times[:, 0])
        u = ((times - centres[:, np.newaxis]) / scales[:, np.newaxis])[..., np.newaxis]
        power = np.arange(2 * POINTS)
        values = u**power
        slopes = power * u ** np.maximum(power - 1, 0)
        matrix = np.concatenate([values, slopes], axis=1)
        wanted = np.concatenate(
            [self.positions_m[runs], self.velocities_m_s[runs] * scales[:, np.newaxis, np.newaxis]],
            axis=1,
        )
        return centres, scales, np.linalg.solve(matrix, wanted)


def _clock(when: datetime) -> str:
    """UTC time as messages write it."""
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

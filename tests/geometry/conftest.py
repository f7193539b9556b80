"""Orbits with known truth, and the real leader where it may be read."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from alos2.ceos.reader import Leader, read_leader
from alos2.geometry.orbit import Orbit

EARTH_RATE_RAD_S = 7.292115e-5
GM_M3_S2 = 3.986004418e14
EPOCH = datetime(2020, 6, 1, 12, 0, 0, tzinfo=timezone.utc)


class CircularOrbit:
    """A circular orbit as ALOS-2's in an Earth-fixed frame, exact at any time."""

    def __init__(
        self, *, node_deg: float = 0.0, start_s: float = 0.0, altitude_m: float = 637_000.0
    ) -> None:
        self.radius_m = 6_378_137.0 + altitude_m
        self.rate = np.sqrt(GM_M3_S2 / self.radius_m**3)
        self.node = np.radians(node_deg)
        self.start_s = start_s
        self.inclination = np.radians(97.92)

    def state(self, t_s: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Position (m) and velocity (m/s), shape (..., 3), t seconds after the epoch."""
        t = np.asarray(t_s, float)
        angle = self.rate * (t + self.start_s)
        node = self.node - EARTH_RATE_RAD_S * t
        ci, si = np.cos(self.inclination), np.sin(self.inclination)
        u, w = np.cos(angle), np.sin(angle)
        du, dw = -w * self.rate, u * self.rate
        cn, sn = np.cos(node), np.sin(node)
        dn = -EARTH_RATE_RAD_S
        x, y, z = u * cn - w * ci * sn, u * sn + w * ci * cn, w * si
        vx = du * cn - dw * ci * sn - dn * (u * sn + w * ci * cn)
        vy = du * sn + dw * ci * cn + dn * (u * cn - w * ci * sn)
        position = self.radius_m * np.stack([x, y, z], axis=-1)
        velocity = self.radius_m * np.stack([vx, vy, dw * si], axis=-1)
        return position, velocity

    def orbit(self, *, count: int = 28, step_s: float = 60.0, epoch: datetime = EPOCH) -> Orbit:
        """State vectors from the epoch on."""
        times = step_s * np.arange(count)
        position, velocity = self.state(times)
        return Orbit(epoch, times, position, velocity, name="LED-test")

    @property
    def period_s(self) -> float:
        return float(2.0 * np.pi / self.rate)

    def starting_at(self, argument_deg: float) -> CircularOrbit:
        """The same orbit, mid-arc (t = 810 s) at an angle from the ascending node."""
        start = np.radians(argument_deg) / self.rate - 810.0
        moved = CircularOrbit(start_s=start, altitude_m=self.radius_m - 6_378_137.0)
        moved.node = self.node
        return moved


@pytest.fixture(scope="session")
def circular() -> type[CircularOrbit]:
    return CircularOrbit


@pytest.fixture(scope="session")
def orbit() -> Orbit:
    """An ascending arc over the equator, mid-arc at t = 810 s."""
    return CircularOrbit().starting_at(0.0).orbit()


@pytest.fixture(scope="session")
def delivery(real_data: Path) -> Iterator[zipfile.ZipFile]:
    path = real_data / "palsar2-real" / "0000022708_001001_ALOS2015976960-140909.zip"
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="session")
def leader(delivery: zipfile.ZipFile) -> Leader:
    name = "LED-ALOS2015976960-140909-FBDR1.5GUA"
    return read_leader(io.BytesIO(delivery.read(name)), name=name)


@pytest.fixture(scope="session")
def real_orbit(leader: Leader) -> Orbit:
    record = leader.platform_position
    assert record is not None
    vectors = np.array(
        [
            [point[k] for k in ("x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s")]
            for point in record["points"]
        ]
    )
    epoch = datetime(
        record["first_year"], record["first_month"], record["first_day"], tzinfo=timezone.utc
    ) + timedelta(seconds=record["first_second_of_day"])
    times = record["interval_s"] * np.arange(len(vectors))
    return Orbit(epoch, times, vectors[:, :3], vectors[:, 3:], name=leader.name)


@pytest.fixture(scope="session")
def summary(delivery: zipfile.ZipFile) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="(.*)"', delivery.read("summary.txt").decode("ascii")))

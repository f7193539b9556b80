"""What a simulated portal has to offer, and to whom."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from math import atan2
from pathlib import Path

from alos2.errors import UsageError
from alos2.naming import MODES
from alos2.types import Json


@dataclass(frozen=True)
class Account:
    """Who may log in."""

    username: str
    password: str = field(repr=False)


def invented_account(prefix: str = "demo") -> Account:
    """Return an account that has never existed: made at random, kept nowhere."""
    return Account(f"{prefix}-{secrets.token_hex(3)}", secrets.token_urlsafe(18))


@dataclass(frozen=True)
class Offer:
    """One delivery of the simulator."""

    archive: Path
    """Zip, as the simulator packed it."""
    scene: str
    """``ALOS2oooooffff-YYMMDD``."""
    product: str
    """E.g. ``FBDR1.1__A``."""
    start: str
    """When the observation began: ISO 8601, UTC, with ``Z``."""
    end: str
    ring: tuple[tuple[float, float], ...]
    """Corners of the data, degrees east and north, closed; not across the antimeridian."""

    @classmethod
    def read(cls, archive: Path) -> Offer:
        """Read what is true of `archive` from the ``.truth.json`` beside it.

        Raises
        ------
        UsageError
            There is none, or not exactly one.
        """
        truths = sorted(archive.parent.glob("*.truth.json"))
        if len(truths) != 1:
            raise UsageError(
                f"{archive.parent} holds {len(truths)} .truth.json files, not one",
                hint="alos2 simulate writes one beside each delivery: one folder a delivery",
            )
        truth = json.loads(truths[0].read_text(encoding="utf-8"))
        data = truth["data"]
        corners = [(c["lon_deg"], c["lat_deg"]) for c in data["corners"].values()]
        return cls(
            archive, truth["scene"], truth["product"], data["start"], data["end"], _ring(corners)
        )

    @property
    def identifier(self) -> str:
        """Scene and product: how a catalogue names it."""
        return f"{self.scene}-{self.product}"

    @property
    def order(self) -> str:
        """Ten digits: the order that the delivery is of."""
        return self.archive.stem

    @property
    def dataset_id(self) -> str:
        """G-Portal's number of the observation mode; the modes are counted in their order."""
        return str(27004000 + MODES.index(self.product[:3]))

    @property
    def geometry(self) -> Json:
        """GeoJSON Polygon."""
        return {"type": "Polygon", "coordinates": [[list(corner) for corner in self.ring]]}


def _ring(corners: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Order four corners counter-clockwise about their middle, and close the ring."""
    lon = sum(corner[0] for corner in corners) / len(corners)
    lat = sum(corner[1] for corner in corners) / len(corners)
    ordered = sorted(corners, key=lambda corner: atan2(corner[1] - lat, corner[0] - lon))
    return (*ordered, ordered[0])

"""What a plan is made of: scenes, acquisitions, tracks, and what is told about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from alos2.types import Json, LookSide, PassDirection, Polarization, ProductFormat

WarningCode: TypeAlias = Literal[
    "near_duplicate_dates",
    "near_duplicate_scene",
    "partial_date",
    "never_covered",
    "mixed_levels",
    "split_by_level",
    "mixed_processing",
    "unknown_off_nadir",
    "no_orbit",
    "no_dem",
    "unusable_dem",
    "single_date",
]
"""What a plan warns of; stable, documented in docs/stacks.md."""

LeftOutCode: TypeAlias = Literal[
    "other_level",
    "same_scene",
    "near_duplicate",
    "incomplete",
    "gone",
    "unreadable",
    "not_asked_for",
    "no_common_extent",
]
"""Why a delivery is not used; stable, documented in docs/stacks.md."""


@dataclass(frozen=True)
class PlannedScene:
    """One delivery of one scene."""

    scene: str
    """E.g. ``ALOS2015976960-140909``."""
    product: str
    """E.g. ``FBDR2.1GUA``."""
    path: Path
    """Folder or zip in which its files lie."""
    leader: Path | None
    """CEOS leader of the same scene (or a folder or zip that holds it), for a GeoTIFF delivery."""
    when: datetime
    """Middle of the observation, UTC."""
    level: str
    format: ProductFormat
    polarizations: tuple[Polarization, ...]
    frame: str
    geometry: Json
    """Footprint, GeoJSON."""
    item: Json | None
    """STAC item, as an ingest would write it."""
    files: tuple[str, ...] = ()
    """Names of its files in `path`, where other files may lie too; empty: all of a zip."""
    fingerprint: str = ""
    """Hexadecimal: names, sizes, and SHA-256 (of a dataset) or times of change of its files."""
    dataset: str | None = None
    """Id of the dataset that it was found as."""

    @property
    def label(self) -> str:
        """For messages: scene, product and format."""
        return f"{self.scene}-{self.product} ({self.format})"

    def said(self, name: str) -> object:
        """Return a property of the item; None where there is none."""
        return None if self.item is None else self.item["properties"].get(name)

    @property
    def has_orbit(self) -> bool:
        """Whether state vectors are at hand."""
        return self.leader is not None or bool(self.said("sat:orbit_state_vectors"))

    def to_json(self) -> Json:
        """Return what ``plan.json`` says of it."""
        return {
            "scene": self.scene,
            "product": self.product,
            "level": self.level,
            "format": self.format,
            "polarizations": list(self.polarizations),
            "frame": self.frame,
            "datetime": utc_text(self.when),
            "path": str(self.path),
            "leader": None if self.leader is None else str(self.leader),
            "dataset": self.dataset,
            "fingerprint": self.fingerprint,
            "geometry": self.geometry,
        }


@dataclass(frozen=True)
class Acquisition:
    """What one pass saw of a track: one scene, or consecutive frames."""

    name: str
    """Day, ``20200615``; with the time, ``20200615T031500``, where a day has two."""
    when: datetime
    """Of the first scene, UTC."""
    scenes: tuple[PlannedScene, ...]
    """By time."""
    geometry: Json
    """All that its scenes cover, GeoJSON."""

    @property
    def frames(self) -> tuple[str, ...]:
        """The frames that are there."""
        return tuple(scene.frame for scene in self.scenes)


@dataclass(frozen=True)
class Track:
    """Acquisitions that can be compared: one path, frame set, mode, beam, look, pass."""

    name: str
    """E.g. ``P126_F0680-0690_FBD_28.6_R_A``."""
    path: int
    frames: tuple[str, ...]
    mode: str
    look: LookSide
    pass_direction: PassDirection
    beams: tuple[str, ...]
    """Of ScanSAR level 1.1, without the letter of the method; the number of the beam where no
    angle is said; empty otherwise."""
    off_nadir_deg: float | None
    polarizations: tuple[Polarization, ...]
    acquisitions: tuple[Acquisition, ...]
    """By time."""

    @property
    def scenes(self) -> tuple[PlannedScene, ...]:
        """All scenes, by time."""
        return tuple(scene for one in self.acquisitions for scene in one.scenes)

    def to_json(self) -> Json:
        """Return what ``plan.json`` says of it, but for the coverage."""
        return {
            "name": self.name,
            "path": self.path,
            "frames": list(self.frames),
            "mode": self.mode,
            "look": self.look,
            "pass": self.pass_direction,
            "beams": list(self.beams),
            "off_nadir_deg": self.off_nadir_deg,
            "polarizations": list(self.polarizations),
        }


@dataclass(frozen=True)
class PlanWarning:
    """Something to know before anything runs."""

    code: WarningCode
    message: str
    scenes: tuple[str, ...] = ()
    """Scenes concerned."""
    track: str | None = None

    def to_json(self) -> Json:
        """Return what ``plan.json`` says of it."""
        return {
            "code": self.code,
            "message": self.message,
            "track": self.track,
            "scenes": list(self.scenes),
        }


@dataclass(frozen=True)
class LeftOut:
    """A delivery that was found and is not used."""

    code: LeftOutCode
    what: str
    """Scene, product and format; or the path of what cannot be read."""
    message: str
    """Why."""
    path: Path | None = None

    def to_json(self) -> Json:
        """Return what ``plan.json`` says of it."""
        return {
            "code": self.code,
            "what": self.what,
            "message": self.message,
            "path": None if self.path is None else str(self.path),
        }


@dataclass
class Inventory:
    """What was found."""

    scenes: list[PlannedScene] = field(default_factory=list)
    """All deliveries that can be used, several of a scene among them."""
    left_out: list[LeftOut] = field(default_factory=list)
    """Those that cannot, with the reason."""
    searched: list[str] = field(default_factory=list)
    """Where was looked."""


def utc_text(when: datetime) -> str:
    """Return a time as documents have it, to the second."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")

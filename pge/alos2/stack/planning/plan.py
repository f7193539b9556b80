"""A plan: from a configuration to tracks, acquisitions and grids, and what to know beforehand.

Nothing is processed: leaders and summaries are read, footprints compared. `make_plan` is what every
step of a stack begins with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alos2.errors import NothingFound
from alos2.product.model import MapGrid
from alos2.stack.config.model import StackConfig
from alos2.stack.config.read import area_of
from alos2.stack.planning.choosing import choose
from alos2.stack.planning.coverage import Coverage, cover, warnings_of
from alos2.stack.planning.estimates import Estimates, estimate
from alos2.stack.planning.foreseen import foreseen
from alos2.stack.planning.grids import (
    MOSAIC,
    grid_json,
    grids_before,
    grids_of,
    has_common_ground,
)
from alos2.stack.planning.grouping import tracks_of
from alos2.stack.planning.inventory import take_inventory
from alos2.stack.planning.model import (
    Acquisition,
    Inventory,
    LeftOut,
    PlannedScene,
    PlanWarning,
    Track,
    utc_text,
)
from alos2.types import Json

__all__ = [
    "MOSAIC",
    "Acquisition",
    "Estimates",
    "LeftOut",
    "Plan",
    "PlanWarning",
    "PlannedScene",
    "Track",
    "make_plan",
]

PLAN_JSON: Final = "plan.json"
"""In the work folder."""
_SHOWN: Final = 3


@dataclass(frozen=True)
class Plan:
    """What a stack will be made of."""

    config: StackConfig
    tracks: tuple[Track, ...]
    """By path, frames, mode."""
    area: Json | None
    """GeoJSON, cut at the antimeridian."""
    grids: Mapping[str, MapGrid]
    """By a track's name; `MOSAIC` is the one that holds them all."""
    warnings: tuple[PlanWarning, ...]
    left_out: tuple[LeftOut, ...]
    coverage: Coverage
    estimates: Estimates

    def track(self, name: str) -> Track:
        """Return the track called `name`.

        Raises
        ------
        NothingFound
            There is none.
        """
        for track in self.tracks:
            if track.name == name:
                return track
        raise NothingFound(
            f"there is no track {name}", hint=f"there are {', '.join(t.name for t in self.tracks)}"
        )

    def to_json(self) -> Json:
        """Return it as ``plan.json`` has it: the same of the same scenes, without times of making.

        The configuration is in it as it is checked, with absolute paths.
        """
        return {
            "kind": "alos2-stack-plan",
            "version": 1,
            "area": self.area,
            "covered": round(self.coverage.covered, 4),
            "tracks": [self._track_json(track) for track in self.tracks],
            "mosaic_grid": grid_json(self.grids[MOSAIC]),
            "warnings": [warning.to_json() for warning in self.warnings],
            "left_out": [one.to_json() for one in self.left_out],
            "estimates": self.estimates.to_json(),
            "config": self.config.to_json(),
        }

    def _track_json(self, track: Track) -> Json:
        coverage = self.coverage.tracks[track.name]
        return {
            **track.to_json(),
            "grid": grid_json(self.grids[track.name]),
            "of_area": round(coverage.of_area, 4),
            "always": round(coverage.always, 4),
            "acquisitions": [
                {
                    "name": one.name,
                    "datetime": utc_text(one.when),
                    "frames": list(one.frames),
                    "covers": round(coverage.shares[one.name], 4),
                    "scenes": [scene.to_json() for scene in one.scenes],
                }
                for one in track.acquisitions
            ],
        }


def make_plan(
    config: StackConfig, *, tell: Callable[[str, int, int | None], None] | None = None
) -> Plan:
    """Make the plan of a configuration.

    Parameters
    ----------
    config : StackConfig
        As `alos2.stack.config.model.load_config` gives it.
    tell : callable, optional
        Told of progress: stage, done, total.

    Raises
    ------
    NothingFound
        There is no scene that is meant, or no archive or folder of that name.
    UsageError
        The configuration asks for what cannot be.
    PublishFailed, NoResource
        The archive's catalogue cannot be read.
    """
    area = area_of(config)
    found = take_inventory(config, tell=tell)
    choice = choose(found.scenes, _levels(config))
    left_out = [*found.left_out, *choice.left_out]
    if not choice.scenes:
        raise _nothing(found, left_out)
    tracks = tracks_of(choice.scenes)
    wanted = config.single_ard.polarisation
    if wanted is not None:
        left_out += [_without(t, wanted) for t in tracks if not set(t.polarizations) & set(wanted)]
        tracks = tuple(t for t in tracks if set(t.polarizations) & set(wanted))
        if not tracks:
            raise NothingFound(
                f"no track has {', '.join(wanted)}", hint="see [single_ARD] polarisation"
            )
    if config.stack.extent == "intersection":
        left_out += [_apart(track) for track in tracks if not has_common_ground(track)]
        tracks = tuple(track for track in tracks if has_common_ground(track))
        if not tracks:
            raise NothingFound(
                f"no track is left: {left_out[-1].message}", hint='set [stack] extent = "union"'
            )
    grids = grids_of(tracks, area, config, grids_before(_earlier(config), config, area))
    coverage = cover(tracks, area)
    warnings = [*choice.warnings, *warnings_of(tracks, coverage), *foreseen(tracks, config)]
    return Plan(
        config,
        tracks,
        area,
        grids,
        tuple(warnings),
        tuple(left_out),
        coverage,
        estimate(tracks, grids, coverage, config),
    )


def _levels(config: StackConfig) -> list[str]:
    """Return the levels that can be used: flattened gamma nought is nothing else any more."""
    flattened = config.single_ard.product_type == "RTC-gamma0"
    return [word for word in config.stack.levels if flattened or not word.startswith("2.2")]


def _earlier(config: StackConfig) -> object:
    """Return what the plan in the work folder says; None where there is none that can be read."""
    try:
        return json.loads((config.stack.work_dir / PLAN_JSON).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None  # it is written anew


def _apart(track: Track) -> LeftOut:
    names = ", ".join(one.name for one in track.acquisitions)
    why = f"its acquisitions {names} have no ground in common"
    return LeftOut("no_common_extent", track.name, why)


def _without(track: Track, wanted: Sequence[str]) -> LeftOut:
    why = f"it has {', '.join(track.polarizations) or 'no image'}, and not {', '.join(wanted)}"
    return LeftOut("not_asked_for", track.name, why)


def _nothing(found: Inventory, left_out: Sequence[LeftOut]) -> NothingFound:
    where = ", ".join(found.searched)
    if not left_out:
        return NothingFound(
            f"{where} has no scene of the kind",
            hint="ask for a larger area, other days or less ([search])",
        )
    if all(one.code == "not_asked_for" for one in left_out):
        return NothingFound(
            f"{where}: [search] and the area mean none of {len(left_out)} deliveries",
            hint="ask for a larger area, other days or less",
        )
    reasons = [f"{one.what}: {one.message}" for one in left_out[:_SHOWN]]
    more = f"; and {len(left_out) - _SHOWN} more" if len(left_out) > _SHOWN else ""
    return NothingFound(
        f"{where}: none of {len(left_out)} deliveries can be used: {'; '.join(reasons)}{more}",
        hint="see [stack] levels and [search]",
    )

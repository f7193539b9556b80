"""Stacks of one ground: dates of one path, frames of one pass, neighbouring tracks, one DEM.

Every scene is a product of its own, as :func:`alos2.simulate.simulate` makes it. The ground is the
same in all of them but for its changes; speckle is independent from scene to scene.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np

from alos2.archive.writing import writing_failed
from alos2.errors import UsageError
from alos2.geometry.polynomials import wrap_lon
from alos2.geometry.rangedoppler import rdr2geo
from alos2.simulate.run import simulate
from alos2.simulate.scene import Scene, plan
from alos2.simulate.spec import SimulationResult, SimulationSpec
from alos2.simulate.stacktruth import stack_truth
from alos2.simulate.truedem import write_scene_dem

CYCLE_DAYS: Final = 14
"""After this long the satellite is on the same path again."""
TRACK_DAYS: Final = 5
"""A neighbouring track is flown so much later (74 orbits, a path further)."""
TRACK_OVERLAP: Final = 0.3
"""Part of a track that the next one shows too."""

DEM_NAME: Final = "stack-dem.tif"
TRUTH_NAME: Final = "stack.truth.json"

_MOST_SCENES: Final = 1000
_MOST_TRACKS: Final = 5


@dataclass(frozen=True)
class StackSpec:
    """A stack to be made.

    Raises
    ------
    UsageError
        If something in it cannot be.
    """

    scene: SimulationSpec
    """What each scene is like; its date is the first, its place that of the first frame and
    track, and of the ground. Speckle is always that of the date."""
    dates: int = 6
    every_days: int = CYCLE_DAYS
    """Whole repeat cycles, so that all dates are of one path."""
    frames: int = 1
    """Overlapping scenes of each pass, along the flight."""
    tracks: int = 1
    """Neighbouring tracks, each further from the satellite and some days later."""
    baseline_m: float = 0.0
    """Orbits lie up to so far to the right or left of the first date's, and half as far up or
    down."""

    def __post_init__(self) -> None:
        for name, value, most in (
            ("dates", self.dates, _MOST_SCENES),
            ("frames", self.frames, 20),
            ("tracks", self.tracks, _MOST_TRACKS),
        ):
            if not 1 <= value <= most:
                raise UsageError(f"{value} {name}: 1 to {most} are possible")
        if self.dates * self.frames * self.tracks > _MOST_SCENES:
            raise UsageError(f"more than {_MOST_SCENES} scenes")
        if self.every_days < 1 or self.every_days % CYCLE_DAYS:
            raise UsageError(
                f"every {self.every_days} days: the path is the same after {CYCLE_DAYS} days only",
                hint=f"take a multiple of {CYCLE_DAYS}",
            )
        if not 0.0 <= self.baseline_m <= 5000.0:
            raise UsageError(f"baselines of {self.baseline_m:g} m: 0 to 5000 are possible")
        if self.scene.frame_step:
            raise UsageError("frames of a stack are counted from the place given", hint="frames")

    def scenes(self) -> tuple[StackScene, ...]:
        """Give the spec of every scene: by track, date, frame.

        Raises
        ------
        UsageError
            If a day cannot be had, or a neighbouring track is not seen.
        """
        ground = self.scene.ground or (self.scene.lon_deg, self.scene.lat_deg)
        first = replace(self.scene, ground=ground, speckle_by_date=True, dem=False)
        found = []
        for track in range(self.tracks):
            placed = self._track(first, track)
            for number in range(self.dates):
                day = placed.date + timedelta(days=self.every_days * number)
                dated = replace(placed, date=day, orbit_offset_m=self._offset(track, number))
                found += [
                    StackScene(replace(dated, frame_step=step), track, number, step)
                    for step in range(self.frames)
                ]
        return tuple(found)

    def _offset(self, track: int, number: int) -> tuple[float, float]:
        """Where the orbit of a date lies; that of the first date is where it should."""
        right, up = self.scene.orbit_offset_m
        if number == 0 or self.baseline_m == 0.0:
            return right, up
        rng = np.random.default_rng([self.scene.seed, 2, track, number])
        across, high = (round(float(v), 3) for v in rng.uniform(-1.0, 1.0, 2) * self.baseline_m)
        return right + across, up + 0.5 * high

    def _track(self, first: SimulationSpec, track: int) -> SimulationSpec:
        """Move the place across the track."""
        if track == 0:
            return first
        scene = plan(first)
        width = (1.0 - TRACK_OVERLAP) * (scene.far_range_m - scene.near_range_m)
        lon, lat = rdr2geo(
            scene.orbit, scene.flight.center_s, scene.center_range_m + track * width,
            look=first.look,
        )  # fmt: skip
        return replace(
            first,
            lon_deg=float(wrap_lon(lon)),
            lat_deg=float(lat),
            date=first.date + timedelta(days=TRACK_DAYS * track),
        )


@dataclass(frozen=True)
class StackScene:
    """One scene of a stack."""

    spec: SimulationSpec
    track: int
    date_number: int
    frame: int


@dataclass(frozen=True)
class StackResult:
    """What was made."""

    scenes: tuple[SimulationResult, ...]
    """By track, date, frame."""
    dem_path: Path | None
    """The true surface under all of them; None on flat ground."""
    truth_path: Path
    """JSON of the whole stack."""


def simulate_stack(
    stack: StackSpec, out: Path, *, progress: Callable[[int, int], None] | None = None
) -> StackResult:
    """Make the scenes of a stack, its DEM and its truth.

    Parameters
    ----------
    stack : StackSpec
        What to make.
    out : Path
        Folder in which all of it will lie: what :func:`alos2.simulate.simulate` makes of each
        scene, ``stack-dem.tif`` (with a terrain that is no file) and ``stack.truth.json``.
    progress : callable, optional
        Called with the scenes done and the scenes to do.

    Returns
    -------
    StackResult

    Raises
    ------
    UsageError
        If the stack asks for something impossible, or something of it is there already.
    NoSpace, NoResource
        If the disk is too small, or cannot be written.
    """
    members = stack.scenes()
    planned = [plan(member.spec) for member in members]
    _require_names(planned, out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".stack-", dir=out))
    except FileExistsError:
        raise UsageError(f"{out} is no folder", hint="choose another place") from None
    except OSError as error:
        raise writing_failed(out, error) from error
    try:
        made = []
        for number, member in enumerate(members, 1):
            made.append(simulate(member.spec, staging))
            if progress is not None:
                progress(number, len(members))
        dem = _make_dem(stack, planned, staging)
        truth = stack_truth(stack, members, planned, dem)
        text = json.dumps(truth, indent=1, allow_nan=False)
        (staging / TRUTH_NAME).write_text(text + "\n", encoding="utf-8")
        for path in sorted(staging.iterdir()):
            path.rename(out / path.name)
    except OSError as error:
        raise writing_failed(out, error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    terrain = stack.scene.terrain
    source = None if terrain is None else terrain.path
    return StackResult(
        tuple(_in_place(result, out) for result in made),
        out / dem if dem is not None else source,
        out / TRUTH_NAME,
    )


def _require_names(planned: list[Scene], out: Path) -> None:
    """Refuse scenes that would have one name, and names that are taken."""
    stems = [scene.names_stem for scene in planned]
    twins = sorted({stem for stem in stems if stems.count(stem) > 1})
    if twins:
        raise UsageError(f"two scenes of the stack would both be {twins[0]}")
    names = [DEM_NAME, TRUTH_NAME, *stems, *(f"{stem}.truth.json" for stem in stems)]
    for name in names:
        if (out / name).exists():
            raise UsageError(
                f"{out / name} is there already", hint="remove it, or choose another folder"
            )


def _make_dem(stack: StackSpec, planned: list[Scene], folder: Path) -> str | None:
    terrain = stack.scene.terrain
    if terrain is None or terrain.kind == "file":
        return None
    write_scene_dem(folder / DEM_NAME, planned)
    return DEM_NAME


def _in_place(result: SimulationResult, out: Path) -> SimulationResult:
    return replace(
        result,
        product_dir=out / result.product_dir.name,
        archive=None if result.archive is None else out / result.archive.name,
        truth_path=out / result.truth_path.name,
    )

"""What can be foreseen of a plan: deliveries that do not go together, orbits and heights missing.

Told before anything runs; the rules are those of `alos2.ard`, which refuses what cannot be.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from alos2.errors import BadProduct, NothingFound, UsageError
from alos2.stack.config.model import StackConfig
from alos2.stack.planning.model import PlannedScene, PlanWarning, Track, WarningCode


def foreseen(tracks: Sequence[Track], config: StackConfig) -> list[PlanWarning]:
    """Return what there is to know of levels, orbits and heights.

    Parameters
    ----------
    tracks : sequence of Track
        Of the plan.
    config : StackConfig
        What is to be made of them.
    """
    found = [warning for track in tracks for warning in _of_deliveries(track)]
    found += _split(tracks)
    ard = config.single_ard
    if ard.product_type == "RTC-gamma0":
        for track in tracks:
            found += _of_orbits(track, ard.flattening)
    found += _of_dem(tracks, config)
    return found


def require_dem(tracks: Sequence[Track], config: StackConfig) -> None:
    """Refuse what no scene could be made of, before the first is begun.

    Raises
    ------
    UsageError, BadProduct, NothingFound
        The DEM is of no use, or RTC-gamma0 is asked for without one.
    """
    if config.single_ard.dem.path is not None:
        _open_dem(config)
    elif config.single_ard.product_type == "RTC-gamma0" and all(
        scene.level != "2.2" for track in tracks for scene in track.scenes
    ):
        raise UsageError(
            "RTC-gamma0 needs a digital elevation model, and none is given",
            hint="set [single_ARD.dem] path, or product_type = GTC-gamma0",
        )


def _open_dem(config: StackConfig) -> None:
    # Imported late: a plan without a DEM needs no rasters.
    from alos2.ard.terrain.dem import Dem  # noqa: PLC0415

    dem = config.single_ard.dem
    if dem.path is not None:
        if not dem.path.exists():
            raise NothingFound(f"there is no DEM {dem.path}", hint="see [single_ARD.dem] path")
        Dem.open(dem.path, heights=dem.heights, fill_m=dem.fill_m).close()


def _of_dem(tracks: Sequence[Track], config: StackConfig) -> list[PlanWarning]:
    """Tell what a DEM is missing for, or why the one that is given is of no use."""
    ard = config.single_ard
    if ard.dem.path is not None:
        try:
            _open_dem(config)
        except (BadProduct, NothingFound, UsageError) as error:
            hint = f" ({error.hint})" if error.hint else ""
            return [PlanWarning("unusable_dem", f"{error.message}{hint}")]
        return []
    scenes = [scene for track in tracks for scene in track.scenes if scene.level != "2.2"]
    if ard.product_type != "RTC-gamma0":
        scenes = [scene for scene in scenes if scene.level in ("1.1", "1.5")]
    if not scenes:
        return []
    if ard.product_type == "RTC-gamma0":
        text = "RTC-gamma0 needs a DEM ([single_ARD.dem] path), or say product_type = GTC-gamma0"
    else:
        levels = " and ".join(sorted({scene.level for scene in scenes}))
        text = (
            f"level {levels} without a DEM ([single_ARD.dem] path): all ground is taken to lie "
            f"{ard.dem.height_m:g} m above the ellipsoid"
        )
    return [PlanWarning("no_dem", text, tuple(scene.scene for scene in scenes))]


def _split(tracks: Sequence[Track]) -> list[PlanWarning]:
    """Tell of tracks that only the levels of their deliveries keep apart."""
    found: list[PlanWarning] = []
    for one, other in combinations(tracks, 2):
        alike = ("path", "mode", "look", "pass_direction", "polarizations")
        if any(getattr(one, name) != getattr(other, name) for name in alike):
            continue
        levels = [{scene.level for scene in track.scenes} for track in (one, other)]
        if set(one.frames) & set(other.frames) and not levels[0] & levels[1]:
            text = (
                f"{one.name} and {other.name} see the same frames, at level "
                f"{', '.join(sorted(levels[0]))} and {', '.join(sorted(levels[1]))}: one level for "
                "all ([stack] levels) may make one track of them"
            )
            scenes = tuple(scene.scene for track in (one, other) for scene in track.scenes)
            found.append(PlanWarning("split_by_level", text, scenes))
    return found


def _of_orbits(track: Track, flattening: str) -> list[PlanWarning]:
    blind = [scene for scene in track.scenes if not scene.has_orbit and scene.level != "2.2"]
    if not blind or (flattening == "angular" and all(scene.level != "1.5" for scene in blind)):
        return []
    text = f"{track.name}: {len(blind)} of {len(track.scenes)} scenes have no orbit and "
    if flattening == "area" or any(scene.level == "1.5" for scene in blind):
        text += "cannot become RTC-gamma0"
    elif len(blind) == len(track.scenes):
        text += "will be flattened by angles, with the nominal altitude"
    else:
        text += 'will be flattened by angles, the others by area (flattening = "angular" for all)'
    text += "; CEOS leaders of them ([stack] leaders) give orbits"
    return [_of(text, "no_orbit", blind, track)]


def _of_deliveries(track: Track) -> list[PlanWarning]:
    found: list[PlanWarning] = []
    kinds = sorted({f"{s.level} {s.format}" for s in track.scenes})
    if len({scene.level for scene in track.scenes}) > 1:
        text = (
            f"{track.name} mixes levels {', '.join(kinds)}: what changes may be the processing "
            "([stack] levels takes one)"
        )
        found.append(_of(text, "mixed_levels", track.scenes, track))
    spacings = {scene.said("sar:pixel_spacing_range") for scene in track.scenes}
    if len(spacings) > 1 and len(kinds) == 1:
        text = f"{track.name} mixes pixel spacings: {', '.join(sorted(map(str, spacings)))} m"
        found.append(_of(text, "mixed_processing", track.scenes, track))
    if track.off_nadir_deg is None and not track.beams:
        text = f"{track.name}: its deliveries do not say the off-nadir angle; beams may be mixed"
        found.append(_of(text, "unknown_off_nadir", track.scenes, track))
    return found


def _of(text: str, code: WarningCode, scenes: Sequence[PlannedScene], track: Track) -> PlanWarning:
    return PlanWarning(code, text, tuple(s.scene for s in scenes), track.name)

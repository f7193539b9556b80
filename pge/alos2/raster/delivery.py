"""Whether a layer's tiles become files or a PMTiles archive.

Under HySDS every file is uploaded with locks of its own and one failure undoes the job, so a
dataset has a budget of files. The co-polarised layer, which HySDS's map shows, stays as files as
deep as the budget allows; all else, and what of it is deeper, goes into archives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alos2.raster.pictures import PictureOptions


@dataclass(frozen=True)
class Delivery:
    """How one layer is delivered."""

    files_to: int | None
    """Deepest zoom that is there as files; None: no files."""
    archive: bool
    """Whether all of its zooms are in an archive."""


@dataclass(frozen=True)
class Deliveries:
    """How all layers of a product are delivered."""

    layers: Mapping[str, Delivery]
    note: str = ""
    """What the budget did, in a sentence; empty where it did nothing."""


def plan_deliveries(
    names: Sequence[str],
    co: str,
    per_zoom: Mapping[str, Mapping[int, int]],
    options: PictureOptions,
) -> Deliveries:
    """Decide for each layer.

    Parameters
    ----------
    names
        Layers, in order.
    co
        The one that stays as files if only one can.
    per_zoom
        Tiles of each layer at each of its zooms, at most; all layers have the same zooms. Numbers
        are looked at only where there is a budget.
    options
        ``pmtiles`` and ``tile_budget``.
    """
    if options.pmtiles:
        return Deliveries({name: Delivery(None, archive=True) for name in names})
    deepest = max(per_zoom[co])
    budget, all_tiles = options.tile_budget, sum(sum(per_zoom[name].values()) for name in names)
    if budget == 0 or all_tiles <= budget:
        return Deliveries({name: Delivery(deepest, archive=False) for name in names})
    fits = [zoom for zoom in per_zoom[co] if _down_to(per_zoom[co], zoom) <= budget]
    files_to = max(fits, default=None)
    chosen = {name: Delivery(None, archive=True) for name in names}
    chosen[co] = Delivery(files_to, archive=files_to != deepest)
    return Deliveries(chosen, _sentence(chosen, co, budget, all_tiles))


def _down_to(per_zoom: Mapping[int, int], deepest: int) -> int:
    return sum(count for zoom, count in per_zoom.items() if zoom <= deepest)


def _sentence(chosen: Mapping[str, Delivery], co: str, budget: int, all_tiles: int) -> str:
    archives = ", ".join(name for name, delivery in chosen.items() if delivery.archive)
    files_to = chosen[co].files_to
    files = (
        "no tiles are files" if files_to is None else f"{co} is there as files to zoom {files_to}"
    )
    return (
        f"up to {all_tiles} tiles are more than the budget of {budget} files: {files}, "
        f"and in PMTiles: {archives}"
    )

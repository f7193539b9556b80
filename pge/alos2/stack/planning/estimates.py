"""What a plan will need: pixels, disk and memory, to within some tens of per cent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alos2.geometry.footprints import grid_footprint
from alos2.product.model import MapGrid
from alos2.stack.config.model import StackConfig
from alos2.stack.planning.coverage import Coverage
from alos2.stack.planning.model import Track
from alos2.stack.running.room import machine_room
from alos2.types import Json

_OVERVIEWS: Final = 4.0 / 3.0
_PACKED: Final = {"float32": 0.9, "uint16": 0.9, "uint8": 0.8}
"""Share that is left of backscatter by DEFLATE: speckle is noise."""
_BYTES: Final = {"float32": 4, "uint16": 2, "uint8": 1}
_LAYER_BYTES: Final = {"lia": 2.6, "ei": 1.2, "area": 3.0, "gs": 1.2}
"""A pixel of the further layers, packed: they are smoother."""
_MASK_BYTES: Final = 0.05
_EXPANDED: Final = {"percentiles": 2, "harmonics": 5}


@dataclass(frozen=True)
class Estimates:
    """What a plan will need."""

    acquisitions: int
    scenes: int
    disk_bytes: Mapping[str, int]
    """By step: ``ard``, ``series``, ``timescan``, ``mosaic``."""
    memory_mb: int
    """The most that all tasks together take: as given, else a part of what is free now."""
    is_given: bool
    """Whether that was given."""

    def to_json(self) -> Json:
        """Return what ``plan.json`` says of it."""
        return {
            "acquisitions": self.acquisitions,
            "scenes": self.scenes,
            "disk_bytes": {**self.disk_bytes, "total": sum(self.disk_bytes.values())},
            # What the machine has free now is not the plan's.
            "memory_mb": self.memory_mb if self.is_given else None,
        }


def estimate(
    tracks: Sequence[Track],
    grids: Mapping[str, MapGrid],
    coverage: Coverage,
    config: StackConfig,
) -> Estimates:
    """Estimate what the tracks of a plan need."""
    disk = dict.fromkeys(("ard", "series", "timescan", "mosaic"), 0.0)
    ard_px = _layer_px(config)
    series_px = _bytes_px(config.time_series_ard.dtype_output)
    metrics = sum(_EXPANDED.get(name, 1) for name in dict.fromkeys(config.time_scan_ard.metrics))
    for track in tracks:
        whole = _grid_m2(coverage, grids[track.name])
        pixels = grids[track.name].shape.lines * grids[track.name].shape.pixels
        covered = [
            pixels * min(1.0, _cut_m2(coverage, one.geometry, config) / whole)
            for one in track.acquisitions
        ]
        pols = _polarizations(track, config)
        power = pols * _bytes_px("float32")
        disk["ard"] += sum(covered) * (power + ard_px) * _OVERVIEWS
        disk["series"] += sum(covered) * pols * series_px * _OVERVIEWS
        disk["timescan"] += max(covered) * pols * metrics * series_px * _OVERVIEWS
    if len(tracks) > 1:
        disk["mosaic"] = disk["series"] + disk["timescan"]
    return Estimates(
        sum(len(track.acquisitions) for track in tracks),
        sum(len(track.scenes) for track in tracks),
        {name: round(size) for name, size in disk.items()},
        machine_room(config.stack.threads, config.stack.memory_mb).memory_mb,
        config.stack.memory_mb is not None,
    )


def _layer_px(config: StackConfig) -> float:
    return _MASK_BYTES + sum(_LAYER_BYTES[layer] for layer in config.single_ard.layers)


def _bytes_px(dtype: str) -> float:
    return _BYTES[dtype] * _PACKED[dtype]


def _polarizations(track: Track, config: StackConfig) -> int:
    wanted = config.single_ard.polarisation
    return len([pol for pol in track.polarizations if wanted is None or pol in wanted])


def _grid_m2(coverage: Coverage, grid: MapGrid) -> float:
    return float(coverage.sheet.put(grid_footprint(grid.crs_wkt, grid.transform, grid.shape)).area)


def _cut_m2(coverage: Coverage, geometry: Json, config: StackConfig) -> float:
    outline = coverage.sheet.put(geometry)
    if coverage.area is not None and config.stack.cut_to_area:
        outline = outline.intersection(coverage.area.envelope)
    return float(outline.area)

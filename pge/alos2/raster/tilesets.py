"""All map tiles of a product: which layers, how deep, into files or archives, in one walk.

Everything is made in a hidden folder and moved to ``tiles`` at the end: all of it or nothing.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from alos2.raster.composite import PlannedLayer, co_polarized, plan_layers
from alos2.raster.control import check
from alos2.raster.delivery import Deliveries, plan_deliveries
from alos2.raster.extent import bounds_of, count_tiles
from alos2.raster.files import make_folder, move_folder, write_file
from alos2.raster.ground import Band, Ground
from alos2.raster.layers import Layer, LayerReport, TileSink, draw_layers
from alos2.raster.mercator import LIMIT_DEG, native_zoom
from alos2.raster.pictures import RATIO, PictureOptions
from alos2.raster.places import Places
from alos2.raster.reports import ShownChannel, StretchLimits, TileLayer
from alos2.raster.sinks import ArchiveSink, BothSink, FolderSink
from alos2.raster.task import Task
from alos2.raster.tilejson import archive_metadata, tilejson
from alos2.types import Json

TILES: Final = "tiles"
TILEJSON_SUFFIX: Final = ".tilejson.json"
ARCHIVE_SUFFIX: Final = ".pmtiles"
STAGE: Final = "tiles"

_BEYOND: Final = f"what lies beyond {LIMIT_DEG:.2f} degrees latitude is not drawn (Web Mercator)"
_NOWHERE: Final = (
    "no map tiles: all of it lies beyond the Web Mercator limit of "
    f"{LIMIT_DEG:.2f} degrees latitude"
)


_Made: TypeAlias = "tuple[TileLayer | None, TileLayer | None]"
"""One layer as files and as an archive."""


@dataclass(frozen=True)
class TileSets:
    """The tiles of a product."""

    layers: tuple[TileLayer, ...] = ()
    """As files."""
    archives: tuple[TileLayer, ...] = ()
    """In PMTiles."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Sinks:
    """Where one layer goes."""

    folder: FolderSink | None
    archive: ArchiveSink | None

    @property
    def sink(self) -> TileSink:
        if self.folder is not None and self.archive is not None:
            return BothSink(self.folder, self.archive)
        sink = self.folder or self.archive
        if sink is None:
            raise ValueError("a layer goes nowhere")
        return sink


def make_tiles(
    ground: Ground,
    bands: Sequence[Band],
    limits: Mapping[str, StretchLimits],
    valid: Mapping[str, npt.NDArray[np.bool_]],
    task: Task,
) -> TileSets:
    """Draw the tiles of `bands` into ``tiles`` in the task's folder.

    Parameters
    ----------
    ground
        Where they lie.
    bands
        Those that hold data: at least one polarisation, then single beams.
    limits
        Stretch limits of each polarisation, and of ``ratio`` where there is a composite.
    valid
        Each band as it lies on its map, reduced: which pixels hold data, first line first.

    Raises
    ------
    BadProduct
        An image cannot be read.
    NoSpace, NoResource
        The system refuses to write.
    Interrupted
        The task was cancelled; nothing is left behind.
    """
    plan = _plan(ground, bands, limits, valid, task.options)
    with _unfinished(task.out_dir) as part:
        reports, made = _draw(plan, ground, bands, part, task)
        if not made:
            return TileSets(notes=(_NOWHERE,))
        check(task.cancelled)  # what came while the last tiles were drawn
        move_folder(part, task.out_dir / TILES)
    beyond = dict.fromkeys(note for report in reports for note in _notes(report))
    return TileSets(
        tuple(files for files, _ in made if files is not None),
        tuple(archive for _, archive in made if archive is not None),
        tuple(filter(None, (plan.deliveries.note, *beyond))),
    )


@dataclass(frozen=True)
class _Plan:
    """What is to be drawn, before anything is."""

    layers: tuple[PlannedLayer, ...]
    limits: Mapping[str, StretchLimits]
    deliveries: Deliveries
    native_zoom: int
    deepest: int

    def limits_of(self, layer: PlannedLayer) -> tuple[StretchLimits, ...]:
        return tuple(self.limits[channel.limits] for channel in layer.channels)


def _plan(
    ground: Ground,
    bands: Sequence[Band],
    limits: Mapping[str, StretchLimits],
    valid: Mapping[str, npt.NDArray[np.bool_]],
    options: PictureOptions,
) -> _Plan:
    polarizations = [band.polarization for band in bands if band.beam is None]
    beams = [(band.polarization, band.beam) for band in bands if band.beam is not None]
    layers = plan_layers(polarizations, beams, composite=options.composite and RATIO in limits)
    native = native_zoom(ground.surface)
    deepest = options.deepest_zoom(native)
    zooms = range(options.min_zoom, deepest + 1)
    if options.tile_budget and not options.pmtiles:
        per_zoom = _count(layers, ground, bands, valid, zooms)
    else:
        per_zoom = {layer.name: dict.fromkeys(zooms, 0) for layer in layers}
    names = [layer.name for layer in layers]
    deliveries = plan_deliveries(names, co_polarized(names), per_zoom, options)
    return _Plan(layers, limits, deliveries, native, deepest)


def _count(
    layers: Sequence[PlannedLayer],
    ground: Ground,
    bands: Sequence[Band],
    valid: Mapping[str, npt.NDArray[np.bool_]],
    zooms: range,
) -> Mapping[str, Mapping[int, int]]:
    """Count the tiles of each layer at each zoom, at most."""
    whole = np.logical_or.reduce([valid[band.name] for band in bands if band.beam is None])
    of_all = count_tiles(ground.places, whole, zooms[0], zooms[-1])
    per_zoom = {layer.name: of_all for layer in layers}
    for band in bands:
        if band.beam is not None and band.mapped.grid is not None:
            places = Places(band.mapped.grid)
            per_zoom[band.name] = count_tiles(places, valid[band.name], zooms[0], zooms[-1])
    return per_zoom


def _draw(
    plan: _Plan, ground: Ground, bands: Sequence[Band], part: Path, task: Task
) -> tuple[tuple[LayerReport, ...], list[_Made]]:
    """Draw all layers into `part`; what was made of each that is not empty."""
    options = task.options
    with ExitStack() as stack:
        sinks = [_open_sinks(part, layer.name, plan, options, stack) for layer in plan.layers]
        layers = [
            Layer(
                name=planned.name,
                channels=tuple(channel.channel for channel in planned.channels),
                limits=plan.limits_of(planned),
                min_zoom=options.min_zoom,
                max_zoom=plan.deepest,
                sink=sink.sink,
            )
            for planned, sink in zip(plan.layers, sinks, strict=True)
        ]
        reports = draw_layers(
            [band.source for band in bands],
            ground.surface,
            layers,
            threads=options.threads,
            stage=STAGE,
            progress=task.progress,
            cancelled=task.cancelled,
        )
        made = []
        for planned, report, sink in zip(plan.layers, reports, sinks, strict=True):
            if report.tiles:
                band = bands[planned.channels[0].channel.band]
                shown = TileLayer(
                    name=planned.name,
                    min_zoom=report.min_zoom,
                    max_zoom=report.max_zoom,
                    native_zoom=plan.native_zoom,
                    count=report.tiles,
                    bytes=report.bytes,
                    tms=options.tms,
                    stretch=plan.limits_of(planned)[0],
                    calibration=band.source.calibration,
                    notes=_notes(report),
                    channels=tuple(
                        ShownChannel(channel.shows, plan.limits[channel.limits])
                        for channel in planned.channels
                    ),
                    bounds=bounds_of(band.surface or ground.surface),
                )
                deepest_file = plan.deliveries.layers[planned.name].files_to
                made.append(_finish(shown, sink, deepest_file, part, task.dataset_id))
    return reports, made


def _notes(report: LayerReport) -> tuple[str, ...]:
    return (_BEYOND,) if report.beyond else ()


@contextmanager
def _unfinished(out_dir: Path) -> Iterator[Path]:
    """Make the hidden folder; whatever is still there at the end goes."""
    part = out_dir / f".{TILES}.part"
    make_folder(part)
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _open_sinks(
    part: Path, name: str, plan: _Plan, options: PictureOptions, stack: ExitStack
) -> _Sinks:
    delivery = plan.deliveries.layers[name]
    folder = archive = None
    if delivery.files_to is not None:
        folder = FolderSink(part / name, tms=options.tms, deepest=delivery.files_to)
    if delivery.archive:
        archive = stack.enter_context(ArchiveSink(part / f"{name}{ARCHIVE_SUFFIX}"))
    return _Sinks(folder, archive)


def _finish(
    shown: TileLayer, sinks: _Sinks, deepest_file: int | None, part: Path, title: str
) -> _Made:
    """Write what lies beside the tiles; return the layer as files and as an archive."""
    files = archive = None
    final = part.with_name(TILES)
    if sinks.folder is not None and sinks.folder.tiles:
        name = f"{shown.name}{TILEJSON_SUFFIX}"
        files = replace(
            shown,
            max_zoom=shown.max_zoom if deepest_file is None else min(deepest_file, shown.max_zoom),
            count=sinks.folder.tiles,
            bytes=sinks.folder.size,
            tilejson=final / name,
        )
        write_file(part / name, _text(tilejson(files, title)))
    if sinks.archive is not None and shown.bounds is not None:
        path = sinks.archive.path
        archive = replace(shown, tms=False, archive=final / path.name)
        sinks.archive.finish(archive_metadata(archive, title), shown.bounds)
    return files, archive


def _text(document: Json) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()

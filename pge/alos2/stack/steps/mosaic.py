"""Mosaics of all tracks: of each pair of dates, and of each metric; `alos2.mosaic`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alos2.stack.config.options import mosaic_options
from alos2.stack.planning.plan import MOSAIC, Plan
from alos2.stack.running.keys import key_of, made_from
from alos2.stack.running.plainvalues import grid_from, options_from, plain_grid, plain_options
from alos2.stack.running.receipt import read_receipt
from alos2.stack.running.tasks import StepJob, Task
from alos2.stack.steps.ard import FOLDER as ARD
from alos2.stack.steps.series import FOLDER as SERIES
from alos2.stack.steps.series import polarizations_of
from alos2.stack.steps.timescan import FOLDER as TIMESCAN

if TYPE_CHECKING:
    from alos2.mosaic import Gains, MosaicInput
    from alos2.timeseries.model import Series

FOLDER = "Mosaic"
_MEMORY_MB = 1000


def tasks(plan: Plan) -> Iterator[Task]:
    """Yield a task for the dates and one for the metrics, if there are several tracks."""
    if len(plan.tracks) < 2:
        return
    options = plain_options(mosaic_options(plan.config, plan.area))
    pols: list[str] = []
    for track in plan.tracks:
        pols += [pol for pol in polarizations_of(plan, track) if pol not in pols]
    parameters = {
        "options": options,
        "polarizations": pols,
        "grid": plain_grid(plan.grids[MOSAIC]),
    }
    needs_area = options["weighting"] == "area"
    scenes = tuple(
        f"{track.name}/{ARD}/{one.name}" for track in plan.tracks for one in track.acquisitions
    )
    for what in (SERIES, TIMESCAN):
        said = plan.config.mosaic
        pairs = {"window_days": said.date_window_days, "incomplete": said.incomplete}
        more = pairs if what == SERIES else {}
        made = tuple(f"{track.name}/{what}" for track in plan.tracks)
        yield Task(
            f"{FOLDER}/{what}",
            "mosaic",
            parameters={**parameters, **more, "of": what},
            needs=(*made, *(scenes if needs_area else ())),
            least=2,
            memory_mb=_MEMORY_MB,
        )


class MosaicStep:
    """See `alos2.stack.running.tasks.Step`."""

    name = "mosaic"
    version = 2
    alone = True

    def run(self, job: StepJob) -> Sequence[str]:
        """Make the mosaics."""
        return self._dates(job) if job.task.parameters["of"] == SERIES else self._metrics(job)

    def _dates(self, job: StepJob) -> Sequence[str]:
        """Make one of each pair of dates and polarisation; those that are there are kept."""
        from alos2.mosaic import MosaicInput, pair_dates, pair_name  # noqa: PLC0415 - rasters
        from alos2.timeseries.series import load_series  # noqa: PLC0415 - rasters

        notes: list[str] = []
        areas = _areas(job)
        for pol in job.task.parameters["polarizations"]:
            tracks: dict[str, Series] = {
                name.split("/")[0]: load_series(folder, pol)
                for name, folder in job.needed(SERIES)
                if (folder / f"Timeseries.bs.{pol}.vrt").is_file()
            }
            dates = {track: [one.when for one in s.layers] for track, s in tracks.items()}
            said = job.task.parameters
            for pair in pair_dates(dates, said["window_days"], incomplete=said["incomplete"]):
                inputs = []
                for track, when in pair.items():
                    series = tracks[track]
                    layer = next(one for one in series.layers if one.when == when)
                    inputs.append(
                        MosaicInput(
                            layer.path,
                            track,
                            layer.band,
                            areas.get((track, layer.path.name[:8])),
                            series.encoding,
                        )
                    )
                made = self._one(job, inputs, f"{pair_name(pair)}.bs.{pol}.tif")
                notes += made[1]
        return list(dict.fromkeys(notes))

    def _metrics(self, job: StepJob) -> Sequence[str]:
        """Make one of each metric; all are brought to one level by the gains of the mean."""
        from alos2.mosaic import MosaicInput  # noqa: PLC0415 - rasters
        from alos2.stack.result.metriccodes import codec_of  # noqa: PLC0415 - rasters

        notes: list[str] = []
        areas = {track: path for (track, _), path in sorted(_areas(job).items(), reverse=True)}
        for pol in job.task.parameters["polarizations"]:
            by_metric: dict[str, list[MosaicInput]] = {}
            for name, folder in job.needed(TIMESCAN):
                track = name.split("/")[0]
                for path in sorted(folder.glob(f"bs.{pol}.*.tif")):
                    metric = path.name.split(".")[2]
                    by_metric.setdefault(metric, []).append(
                        MosaicInput(path, track, 1, areas.get(track), codec_of(path))
                    )
            gains: Gains | None = None
            for metric in sorted(by_metric, key=lambda name: (name != "avg", name)):
                found, told = self._one(
                    job, by_metric[metric], f"bs.{pol}.{metric}.tif", metric=metric, gains=gains
                )
                notes += told
                gains = found if metric == "avg" else gains
        return list(dict.fromkeys(notes))

    @staticmethod
    def _one(
        job: StepJob, inputs: Sequence[MosaicInput], name: str, **more: Any
    ) -> tuple[Gains | None, Sequence[str]]:
        from alos2.mosaic import MosaicOptions, mosaic  # noqa: PLC0415 - rasters

        said = job.task.parameters
        key = None
        if more.get("gains") is None and more.get("metric") is None:
            # Of dates each mosaic stands for itself: a new date leaves the others as they are.
            content = {k: said[k] for k in ("options", "grid")} | {"name": name}
            key = key_of(
                made_from("mosaic of a date", MosaicStep.version, content, _sums(inputs), {})
            )
            if job.keep_part(key):
                return None, ()
        options = options_from(
            MosaicOptions, said["options"], threads=job.threads, memory_mb=job.memory_mb
        )
        made = mosaic(
            inputs,
            grid_from(said["grid"]),
            job.out / name,
            options,
            tags=_meaning(inputs[0].codec, more.get("metric")),
            progress=job.progress,
            cancelled=job.cancelled,
            **more,
        )
        if key is not None:
            job.parts[key] = [name]
        return made.gains, made.notes


def _meaning(codec: object, metric: str | None) -> dict[str, str]:
    """Return the tags that say what a mosaic's numbers mean, as its inputs have them."""
    tags = {} if metric is None else {"metric": metric}
    if getattr(codec, "dtype", "float32") == "float32":
        return tags
    unit = "{}_db" if metric is None else "code_{}"
    limits = {unit.format(end): getattr(codec, end, None) for end in ("minimum", "maximum")}
    return tags | {name: f"{value:.9g}" for name, value in limits.items() if value is not None}


def _sums(inputs: Sequence[MosaicInput]) -> Mapping[str, str]:
    """Return the checksums of files that tasks have made, from their receipts."""
    found: dict[str, str] = {}
    for one in inputs:
        for path in (one.path, one.area):
            receipt = None if path is None else read_receipt(path.parent)
            if path is not None and receipt is not None:
                found[f"{one.track} {path.name}"] = receipt.files[path.name][1]
    return found


def _areas(job: StepJob) -> dict[tuple[str, str], Path]:
    """Return the scattering areas that there are, by track and day."""
    found: dict[tuple[str, str], Path] = {}
    for name, folder in job.needed(ARD):
        track, _, date = name.split("/")
        for path in sorted(folder.glob("*-lc.tif")):
            found[track, date[:8]] = path
    return found


STEP = MosaicStep()

"""The time series of each track: `alos2.timeseries.series`, a polarisation after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alos2.stack.config.options import ard_options, series_options
from alos2.stack.planning.plan import Plan, Track
from alos2.stack.running.keys import key_of, made_from
from alos2.stack.running.plainvalues import options_from, plain_options
from alos2.stack.running.receipt import read_receipt
from alos2.stack.running.tasks import StepJob, Task
from alos2.stack.steps.ard import FOLDER as ARD
from alos2.stack.steps.ard import folder_of
from alos2.timeseries.options import SeriesOptions

if TYPE_CHECKING:
    from datetime import datetime

    from alos2.timeseries.series import Acquired

FOLDER = "Timeseries"
_MEMORY_MB = 1000


def polarizations_of(plan: Plan, track: Track) -> list[str]:
    """Return the polarisations that are made of a track."""
    wanted = ard_options(plan.config, track).polarizations
    return [pol for pol in track.polarizations if wanted is None or pol in wanted]


def tasks(plan: Plan) -> Iterator[Task]:
    """Yield a task for each track."""
    for track in plan.tracks:
        yield Task(
            f"{track.name}/{FOLDER}",
            "series",
            track.name,
            parameters={
                "options": plain_options(series_options(plan.config)),
                "polarizations": polarizations_of(plan, track),
                "name": track.name,
            },
            needs=tuple(folder_of(track, one) for one in track.acquisitions),
            least=1,
            lines=plan.grids[track.name].shape.lines,
            memory_mb=_MEMORY_MB,
        )


class SeriesStep:
    """See `alos2.stack.running.tasks.Step`."""

    name = "series"
    version = 1
    alone = True

    def run(self, job: StepJob) -> Sequence[str]:
        """Write the series of all polarisations; dates that stand for themselves are kept."""
        from alos2.timeseries.series import write_series  # noqa: PLC0415 - rasters

        options = self._options(job)
        for pol, acquired in self._acquired(job).items():
            missing = self._missing(job, pol, acquired, options)
            write_series(
                acquired,
                job.out,
                pol,
                options,
                name=job.task.parameters["name"],
                only=missing,
                progress=job.progress,
                cancelled=job.cancelled,
            )
        return self._notes(job)

    def _missing(
        self, job: StepJob, pol: str, acquired: Sequence[Acquired], options: SeriesOptions
    ) -> list[datetime] | None:
        """Return the dates that are to be written; None: all, as they depend on one another."""
        if not _stand_alone(options):
            return None
        missing: list[datetime] = []
        for one, file, key in self._dates(job, pol, acquired):
            if not job.keep_part(key):
                job.parts[key] = [file]
                missing.append(one.when)
        return missing

    def _dates(
        self, job: StepJob, pol: str, acquired: Sequence[Acquired]
    ) -> Iterator[tuple[Acquired, str, str]]:
        """Yield each date with its file and the key of that."""
        from alos2.timeseries.series import series_names  # noqa: PLC0415 - rasters

        said = {k: v for k, v in job.task.parameters.items() if k != "polarizations"}
        ordered = sorted(acquired, key=lambda one: (one.when, one.path))
        names = series_names([one.when for one in ordered])
        for one, name in zip(ordered, names, strict=True):
            file = f"{name}.bs.{pol}.tif"
            content = {**said, "file": file}
            yield one, file, key_of(made_from("a date", self.version, content, _sums(one), {}))

    def run_part(self, job: StepJob, lines: range) -> None:
        """Write some lines of all series, as strips."""
        from alos2.timeseries.series import write_series  # noqa: PLC0415 - rasters

        for pol, acquired in self._acquired(job).items():
            write_series(
                acquired,
                job.out,
                pol,
                self._options(job),
                name=job.task.parameters["name"],
                lines=lines,
                cancelled=job.cancelled,
            )

    def assemble(self, job: StepJob, parts: Sequence[Path]) -> Sequence[str]:
        """Join the strips."""
        from alos2.timeseries.series import join_series  # noqa: PLC0415 - rasters

        strips = gathered(parts, job.scratch)
        for pol, acquired in self._acquired(job).items():
            join_series(
                acquired,
                strips,
                job.out,
                pol,
                self._options(job),
                name=job.task.parameters["name"],
                cancelled=job.cancelled,
            )
            if _stand_alone(self._options(job)):
                job.parts.update({key: [file] for _, file, key in self._dates(job, pol, acquired)})
        return self._notes(job)

    @staticmethod
    def _options(job: StepJob) -> SeriesOptions:
        return options_from(
            SeriesOptions,
            job.task.parameters["options"],
            threads=job.threads,
            memory_mb=job.memory_mb,
        )

    @staticmethod
    def _acquired(job: StepJob) -> Mapping[str, Sequence[Acquired]]:
        """Return what there is of each polarisation, by time."""
        from alos2.ard.stored import load_ard  # noqa: PLC0415 - rasters
        from alos2.timeseries.series import Acquired  # noqa: PLC0415 - rasters

        found: dict[str, list[Acquired]] = {}
        scenes = [load_ard(folder) for _, folder in job.needed(ARD)]
        for scene in sorted(scenes, key=lambda one: one.when):
            for pol in job.task.parameters["polarizations"]:
                if pol in scene.layers:
                    found.setdefault(pol, []).append(
                        Acquired(scene.layers[pol], scene.when, scene.layers.get("mask"))
                    )
        return found

    def _notes(self, job: StepJob) -> list[str]:
        acquired = self._acquired(job)
        most = max((len(dates) for dates in acquired.values()), default=0)
        return [
            f"{pol}: only {len(acquired.get(pol, ()))} of {most} dates have it"
            for pol in job.task.parameters["polarizations"]
            if len(acquired.get(pol, ())) < most
        ]


def _stand_alone(options: SeriesOptions) -> bool:
    """Whether a date's file depends on no other date."""
    union = options.apply_ls_mask and options.ls_mask == "union"
    return not (options.remove_mt_speckle or union or options.extent == "intersection")


def _sums(one: Acquired) -> dict[str, str]:
    """Return the checksums of an acquisition's files, from their receipt."""
    receipt = read_receipt(one.path.parent)
    names = [path.name for path in (one.path, one.mask) if path is not None]
    return {} if receipt is None else {name: receipt.files[name][1] for name in names}


def gathered(parts: Sequence[Path], scratch: Path) -> Path:
    """Return one folder with the strips of all parts, under their own names."""
    folder = scratch / "strips"
    folder.mkdir()
    for part in parts:
        for strip in sorted(part.iterdir()):
            (folder / strip.name).symlink_to(strip.resolve())
    return folder


STEP = SeriesStep()

"""The metrics of each track's series: `alos2.timeseries.timescan`, polarisation by polarisation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alos2.stack.config.options import timescan_options
from alos2.stack.planning.plan import Plan
from alos2.stack.running.plainvalues import options_from, plain_options
from alos2.stack.running.tasks import StepJob, Task
from alos2.stack.steps.series import FOLDER as SERIES
from alos2.stack.steps.series import polarizations_of
from alos2.timeseries.timescanoptions import LEAST_MEMORY_MB, TimescanOptions

if TYPE_CHECKING:
    from alos2.timeseries.model import Series

FOLDER = "Timescan"
_MEMORY_MB = 1000


def tasks(plan: Plan) -> Iterator[Task]:
    """Yield a task for each track."""
    for track in plan.tracks:
        yield Task(
            f"{track.name}/{FOLDER}",
            "timescan",
            track.name,
            parameters={
                "options": plain_options(timescan_options(plan.config)),
                "polarizations": polarizations_of(plan, track),
            },
            needs=(f"{track.name}/{SERIES}",),
            lines=plan.grids[track.name].shape.lines,
            memory_mb=_MEMORY_MB,
        )


class TimescanStep:
    """See `alos2.stack.running.tasks.Step`."""

    name = "timescan"
    version = 1
    alone = True

    def run(self, job: StepJob) -> Sequence[str]:
        """Make the metrics of all polarisations."""
        from alos2.timeseries.timescan import timescan  # noqa: PLC0415 - rasters

        for series in self._series(job):
            timescan(
                series,
                job.out,
                self._options(job),
                progress=job.progress,
                cancelled=job.cancelled,
            )
        return self._notes(job)

    def run_part(self, job: StepJob, lines: range) -> None:
        """Make some lines of all metrics, as strips."""
        from alos2.timeseries.timescan import timescan  # noqa: PLC0415 - rasters

        for series in self._series(job):
            timescan(series, job.out, self._options(job), lines=lines, cancelled=job.cancelled)

    def assemble(self, job: StepJob, parts: Sequence[Path]) -> Sequence[str]:
        """Join the strips."""
        from alos2.timeseries.timescan import (  # noqa: PLC0415 - rasters
            Timescan,
            assemble_timescan,
        )

        options = self._options(job)
        for series in self._series(job):
            pol = series.polarization
            strips = [
                Timescan(
                    pol,
                    {m: next(iter(part.glob(f"bs.{pol}.{m}.L*.tif"))) for m in options.layers},
                )
                for part in parts
            ]
            assemble_timescan(strips, series, job.out, options, cancelled=job.cancelled)
        return self._notes(job)

    @classmethod
    def _notes(cls, job: StepJob) -> list[str]:
        """Say what cannot be had of so few dates."""
        from alos2.timeseries.harmonics import LEAST_DATES  # noqa: PLC0415 - rasters
        from alos2.timeseries.metrics import HARMONIC_METRICS  # noqa: PLC0415 - rasters

        dates = max((len(series.layers) for series in cls._series(job)), default=0)
        empty = [name for name in cls._options(job).layers if name in HARMONIC_METRICS]
        if not empty or dates >= LEAST_DATES:
            return []
        return [f"{', '.join(empty)} are empty: they need {LEAST_DATES} dates, there are {dates}"]

    @staticmethod
    def _options(job: StepJob) -> TimescanOptions:
        return options_from(
            TimescanOptions,
            job.task.parameters["options"],
            threads=job.threads,
            memory_mb=max(LEAST_MEMORY_MB, job.memory_mb),
        )

    @staticmethod
    def _series(job: StepJob) -> Iterator[Series]:
        from alos2.timeseries.series import load_series  # noqa: PLC0415 - rasters

        ((_, folder),) = job.needed(SERIES)
        for pol in job.task.parameters["polarizations"]:
            if (folder / f"Timeseries.bs.{pol}.vrt").is_file():
                yield load_series(folder, pol)


STEP = TimescanStep()

"""The series of a track as one CF cube, where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alos2.stack.planning.plan import Plan
from alos2.stack.running.tasks import StepJob, Task
from alos2.stack.steps.series import FOLDER as SERIES
from alos2.stack.steps.series import polarizations_of

FOLDER = "Cube"
_NAMES = {"zarr": "cube.zarr", "netcdf": "cube.nc"}


def tasks(plan: Plan) -> Iterator[Task]:
    """Yield a task for each track, if cubes are asked for."""
    form = plan.config.time_series_ard.cube
    if form == "none":
        return
    for track in plan.tracks:
        yield Task(
            f"{track.name}/{FOLDER}",
            "cube",
            track.name,
            parameters={"format": form, "polarizations": polarizations_of(plan, track)},
            needs=(f"{track.name}/{SERIES}",),
        )


class CubeStep:
    """See `alos2.stack.running.tasks.Step`."""

    name = "cube"
    version = 1
    alone = True

    def run(self, job: StepJob) -> Sequence[str]:
        """Write the cube of all polarisations."""
        from alos2.timeseries.cube import write_cube  # noqa: PLC0415 - rasters
        from alos2.timeseries.series import load_series  # noqa: PLC0415 - rasters

        ((_, folder),) = job.needed(SERIES)
        form = job.task.parameters["format"]
        series = [
            load_series(folder, pol)
            for pol in job.task.parameters["polarizations"]
            if (folder / f"Timeseries.bs.{pol}.vrt").is_file()
        ]
        write_cube(
            series, job.out / _NAMES[form], form, progress=job.progress, cancelled=job.cancelled
        )
        return []


STEP = CubeStep()

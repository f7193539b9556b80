"""Analysis-ready data of each acquisition: `alos2.ard` on the frames of one pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from alos2.ard.options import LEAST_MEMORY_MB, ArdOptions
from alos2.stack.config.options import ard_options
from alos2.stack.planning.plan import Acquisition, Plan, Track
from alos2.stack.running.keys import file_identity
from alos2.stack.running.plainvalues import grid_from, options_from, plain_grid, plain_options
from alos2.stack.running.tasks import StepJob, Task
from alos2.stack.running.unpacked import scene_json, unpacked_products

FOLDER = "ARD"
_MEMORY_MB = 700


def folder_of(track: Track, one: Acquisition) -> str:
    """Return the id of an acquisition's task."""
    return f"{track.name}/{FOLDER}/{one.name}"


def tasks(plan: Plan) -> Iterator[Task]:
    """Yield a task for each acquisition."""
    dem = plan.config.single_ard.dem
    inputs: dict[str, str] = {}
    if dem.path is not None:
        inputs["dem"] = file_identity(dem.path)
        if Path(dem.heights).is_file():
            inputs["geoid"] = file_identity(Path(dem.heights))
    for track in plan.tracks:
        parameters = {
            "options": plain_options(ard_options(plan.config, track)),
            "grid": plain_grid(plan.grids[track.name]),
            # A file of undulations is known by its content.
            "heights": "file" if "geoid" in inputs else dem.heights,
            "fill_m": dem.fill_m,
        }
        for one in track.acquisitions:
            yield Task(
                folder_of(track, one),
                "ard",
                track.name,
                one.name,
                parameters={**parameters, "name": one.name},
                inputs={**inputs, **{scene.label: scene.fingerprint for scene in one.scenes}},
                arguments={
                    "scenes": [scene_json(scene) for scene in one.scenes],
                    "dem": None if dem.path is None else str(dem.path),
                    "heights": dem.heights,
                },
                memory_mb=_MEMORY_MB,
            )


class ArdStep:
    """See `alos2.stack.running.tasks.Step`."""

    name = "ard"
    version = 1
    alone = False

    def run(self, job: StepJob) -> Sequence[str]:
        """Make the layers of an acquisition; raises as `alos2.ard.scene.make_ard`."""
        # Imported late: what only looks at keys needs no rasters.
        from alos2.ard.scene import make_ard  # noqa: PLC0415
        from alos2.ard.terrain.dem import Dem  # noqa: PLC0415

        said, where = job.task.parameters, job.task.arguments
        options = options_from(
            ArdOptions,
            said["options"],
            threads=job.threads,
            memory_mb=max(LEAST_MEMORY_MB, job.memory_mb),
        )
        with ExitStack() as stack:
            products = stack.enter_context(unpacked_products(where["scenes"], job.scratch))
            dem = None
            if where["dem"] is not None:
                opened = Dem.open(
                    Path(where["dem"]), heights=where["heights"], fill_m=said["fill_m"]
                )
                dem = stack.enter_context(opened)
            made = make_ard(
                products,
                grid_from(said["grid"]),
                options,
                job.out,
                name=said["name"],
                dem=dem,
                progress=job.progress,
                cancelled=job.cancelled,
            )
            return made.notes


STEP = ArdStep()

"""Pictures of each track: its dates as an animation, two of them side by side, its metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from alos2.errors import NoResource, NoSpace
from alos2.stack.config.options import animation_options
from alos2.stack.planning.plan import Plan
from alos2.stack.running.plainvalues import options_from, plain_options
from alos2.stack.running.tasks import StepJob, Task
from alos2.stack.steps.series import FOLDER as SERIES
from alos2.stack.steps.series import polarizations_of
from alos2.stack.steps.timescan import FOLDER as TIMESCAN

if TYPE_CHECKING:
    from alos2.animation import AnimationOptions, Frame

FOLDER = "Animation"


def tasks(plan: Plan) -> Iterator[Task]:
    """Yield a task for each track."""
    for track in plan.tracks:
        yield Task(
            f"{track.name}/{FOLDER}",
            "animation",
            track.name,
            parameters={
                "options": plain_options(animation_options(plan.config)),
                "formats": list(plan.config.animation.formats),
                "pair": [plan.config.animation.before, plan.config.animation.after],
                "polarizations": polarizations_of(plan, track),
                "name": track.name,
            },
            needs=(f"{track.name}/{SERIES}", f"{track.name}/{TIMESCAN}"),
            least=1,
        )


class AnimationStep:
    """See `alos2.stack.running.tasks.Step`."""

    name = "animation"
    version = 2
    alone = True

    def run(self, job: StepJob) -> Sequence[str]:
        """Draw what there is."""
        from alos2.animation import (  # noqa: PLC0415 - rasters
            AnimationOptions,
            Frame,
            metric_quicklooks,
        )
        from alos2.stack.result.metriccodes import codec_of  # noqa: PLC0415 - rasters
        from alos2.timeseries.series import load_series  # noqa: PLC0415 - rasters

        said = job.task.parameters
        options = options_from(AnimationOptions, said["options"])
        notes: list[str] = []
        for _, folder in job.needed(SERIES):
            layers: dict[object, dict[str, Path]] = {}
            decode = None
            for pol in said["polarizations"]:
                if (folder / f"Timeseries.bs.{pol}.vrt").is_file():
                    series = load_series(folder, pol)
                    decode = series.encoding.decode
                    for layer in series.layers:
                        layers.setdefault(layer.when, {})[pol] = layer.path
            # A date that lacks a polarisation would change the colours of the whole film.
            most = max((len(found) for found in layers.values()), default=0)
            frames = [
                Frame(when, found, decode)  # type: ignore[arg-type]
                for when, found in sorted(layers.items(), key=lambda one: str(one[0]))
                if len(found) == most
            ]
            if len(frames) < 2:
                notes.append("one date is no animation")
            else:
                notes += self._films(job, frames, options)
        for _, folder in job.needed(TIMESCAN):
            for pol in said["polarizations"]:
                metrics = {
                    path.name.split(".")[2]: path for path in sorted(folder.glob(f"bs.{pol}.*.tif"))
                }
                codecs = {name: codec_of(path) for name, path in metrics.items()}
                metric_quicklooks(
                    metrics,
                    job.out,
                    title=f"{said['name']} {pol}",
                    max_px=options.max_px,
                    decode={name: codec.decode for name, codec in codecs.items() if codec},
                )
        return notes

    @staticmethod
    def _films(job: StepJob, frames: Sequence[Frame], options: AnimationOptions) -> Iterator[str]:
        """Draw all dates, and two side by side; yield what could not be made."""
        from alos2.animation import animate, before_after  # noqa: PLC0415 - rasters

        name = job.task.parameters["name"]
        for form in sorted(job.task.parameters["formats"]):
            try:
                animate(
                    frames,
                    job.out / f"{name}.{form}",
                    options,
                    progress=job.progress,
                    cancelled=job.cancelled,
                )
            except NoSpace:
                raise
            except NoResource as error:
                # There is no encoder on this machine; the other pictures do without.
                yield f"no {form}: {error}"
        before, after = pair_of(frames, *job.task.parameters["pair"])
        if before is after:
            yield "the pair's two days are nearest to the same date: there is no pair"
            return
        before_after(before, after, job.out / f"{name}.before-after.png", options)
        before_after(before, after, job.out / f"{name}.blink.gif", options)


def pair_of(frames: Sequence[Frame], before: str | None, after: str | None) -> tuple[Frame, Frame]:
    """Choose what is shown side by side: the dates nearest to two days, else the first and last."""

    def nearest(day: str | None, else_: Frame) -> Frame:
        if day is None:
            return else_
        noon = datetime.fromisoformat(f"{day}T12:00:00+00:00")
        return min(frames, key=lambda frame: abs(frame.when - noon))

    return nearest(before, frames[0]), nearest(after, frames[-1])


STEP = AnimationStep()

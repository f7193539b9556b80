"""Tiny steps with real files: what they write can be told from what they were given."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

from alos2.errors import BadProduct
from alos2.stack.running.keys import key_of, made_from
from alos2.stack.running.tasks import Step, StepJob, Task

LINES = 1500


def _count(job: StepJob) -> None:
    """Note in a folder beside the work folder that a task was done."""
    where = job.task.arguments.get("count")
    if where:
        name = f"{time.monotonic_ns()}-{os.getpid()}-{job.task.id.replace('/', '_')}"
        (Path(where) / name).touch()


def _lines(text: str, lines: range) -> bytes:
    """Some bytes for each line, of the text and the line alone."""
    return b"".join(hashlib.sha256(f"{text}/{n}".encode()).digest()[:4] for n in lines)


class Scene:
    name = "ard"
    version = 1
    alone = False

    def run(self, job: StepJob) -> Sequence[str]:
        _count(job)
        if job.task.arguments.get("broken"):
            raise BadProduct(f"{job.task.date} is damaged")
        (job.scratch / "unpacked").write_bytes(b"x" * 1000)
        said = f"{dict(job.task.inputs)} {job.task.parameters}"
        (job.out / "HH.tif").write_bytes(_lines(said, range(LINES)))
        (job.out / "sub").mkdir()
        (job.out / "sub" / "HV.tif").write_bytes(_lines(f"{said} HV", range(LINES)))
        time.sleep(float(job.task.arguments.get("sleep", 0)))
        return [f"scene of {job.task.date}"]


class Series:
    name = "series"
    version = 1
    alone = True

    def run(self, job: StepJob) -> Sequence[str]:
        _count(job)
        (job.out / "all.tif").write_bytes(self._bytes(job, range(LINES)))
        self._dates(job)
        return []

    def run_part(self, job: StepJob, lines: range) -> None:
        _count(job)
        (job.out / "part").write_bytes(self._bytes(job, lines))

    def assemble(self, job: StepJob, parts: Sequence[Path]) -> Sequence[str]:
        (job.out / "all.tif").write_bytes(b"".join((p / "part").read_bytes() for p in parts))
        self._dates(job)
        return []

    @staticmethod
    def _bytes(job: StepJob, lines: range) -> bytes:
        time.sleep(float(job.task.arguments.get("sleep", 0)))
        scenes = [(folder / "HH.tif").read_bytes() for _, folder in job.needed("ARD")]
        out = bytearray(4 * len(lines))
        for scene in scenes:
            part = scene[4 * lines.start : 4 * lines.stop]
            out = bytearray(a ^ b for a, b in zip(out, part, strict=True))
        return f"{job.task.parameters}".encode() * (lines.start == 0) + bytes(out)

    @staticmethod
    def _dates(job: StepJob) -> None:
        for name, folder in job.needed("ARD"):
            date = name.rpartition("/")[2]
            content = {"scene": (folder / "sub" / "HV.tif").read_bytes().hex()}
            key = key_of(made_from("date", 1, content, {}, {}))
            if not job.keep_part(key):
                (job.out / f"{date}.tif").write_bytes(bytes.fromhex(content["scene"])[::-1])
                job.parts[key] = [f"{date}.tif"]
                _count(job)


class Timescan:
    name = "timescan"
    version = 1
    alone = True

    def run(self, job: StepJob) -> Sequence[str]:
        _count(job)
        ((_, series),) = job.needed("Timeseries")
        told = (series / "all.tif").read_bytes()
        for metric in job.task.parameters["metrics"]:
            (job.out / f"{metric}.tif").write_bytes(hashlib.sha256(told + metric.encode()).digest())
        return []


STEPS: dict[str, Step] = {"ard": Scene(), "series": Series(), "timescan": Timescan()}


def step_of(name: str) -> Step:
    return STEPS[name]


def tasks(
    dates: Sequence[str],
    *,
    tracks: Sequence[str] = ("P1",),
    resolution: int = 25,
    metrics: Sequence[str] = ("avg",),
    broken: Sequence[str] = (),
    count: Path | None = None,
    sleep: float = 0.0,
) -> list[Task]:
    made = []
    for track in tracks:
        scenes = [
            Task(
                f"{track}/ARD/{date}",
                "ard",
                track,
                date,
                parameters={"resolution": resolution},
                inputs={"scene": f"{track} {date}"},
                arguments={
                    "broken": date in broken,
                    "sleep": sleep,
                    "count": str(count) if count else None,
                },
            )
            for date in dates
        ]
        made += scenes
        more = {"count": str(count) if count else None, "sleep": sleep}
        series = Task(
            f"{track}/Timeseries",
            "series",
            track,
            parameters={"filter": True},
            arguments=more,
            needs=tuple(scene.id for scene in scenes),
            least=1,
            lines=LINES,
        )
        scan = Task(
            f"{track}/Timescan",
            "timescan",
            track,
            parameters={"metrics": list(metrics)},
            arguments=more,
            needs=(series.id,),
        )
        made += [series, scan]
    return made


def files(work: Path) -> dict[str, bytes]:
    """All that is there, by name."""
    return {
        path.relative_to(work).as_posix(): path.read_bytes()
        for path in sorted(work.rglob("*"))
        if path.is_file()
    }

"""An archive as groups have it, of simulated scenes, and chunks that a scan would make of it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from alos2.scan.results import read_results, write_chunk
from alos2.simulate import SimulationSpec, simulate

DATES = (date(2018, 9, 5), date(2019, 2, 14), date(2020, 6, 15))


@dataclass(frozen=True)
class Scene:
    """A simulated product of level 1.1."""

    id: str
    """Of its dataset of metadata."""
    folder: Path
    names: tuple[str, ...]
    """Of its files, summary.txt left out."""


def simulated(where: Path, days: Sequence[date] = DATES) -> list[Scene]:
    """Simulate a small product of each day."""
    found = []
    for number, day in enumerate(days):
        spec = SimulationSpec(level="1.1", pixels=64, lines=64, seed=number, date=day)
        made = simulate(spec, where / str(number))
        names = sorted(path.name for path in made.product_dir.iterdir())
        names.remove("summary.txt")
        found.append(Scene(f"{made.scene}-{made.product}-md", made.product_dir, tuple(names)))
    return found


def spread(scenes: Sequence[Scene], folder: Path) -> Path:
    """Put the files of all scenes into one folder, with the last one's summary.txt."""
    folder.mkdir(parents=True)
    for scene in scenes:
        for name in (*scene.names, "summary.txt"):
            shutil.copy(scene.folder / name, folder / name)
    return folder


def unit(scene: Scene, place: Path, *, summary: bool = True) -> dict[str, Any]:
    """Return what a chunk says of a scene in a folder."""
    names = [*scene.names, *(["summary.txt"] if summary else [])]
    return {"place": str(place), "dataset_id": scene.id, "files": names}


def chunk(folder: Path, out: Path, units: Sequence[dict[str, Any]], **options: Any) -> Path:
    """Make the folder of a chunk."""
    folder.mkdir(parents=True)
    out.mkdir(exist_ok=True)
    write_chunk(
        folder,
        {
            "version": 1,
            "token": folder.name,
            "out": str(out),
            "units": list(units),
            "options": {"footprint_options": {"sarcat": False}, **options},
        },
    )
    return folder


def outcomes(folder: Path) -> dict[str, str]:
    """Return the last outcome of each dataset id."""
    return {line["dataset_id"]: line["outcome"] for line in read_results(folder)[0]}

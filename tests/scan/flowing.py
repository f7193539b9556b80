"""What the tests of the scan share: small scenes, an archive of them, scans of it in process."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.scan.dryrun import dry_run
from alos2.scan.options import ScanOptions
from alos2.scan.report import ScanReport
from alos2.scan.run import cancel, scan
from alos2.simulate import SimulationSpec, simulate


def make_scenes(folder: Path, count: int) -> list[Path]:
    """Simulate small products of different days."""
    made = []
    for number in range(count):
        day = date(2019, 1, 1) + timedelta(days=14 * number)
        spec = SimulationSpec(level="1.1", pixels=32, lines=32, seed=number, date=day)
        made.append(simulate(spec, folder / f"{number}").product_dir)
    return made


@dataclass
class Place:
    """An archive, and what is known of it."""

    folder: Path
    scenes: list[Path]
    options: ScanOptions = field(init=False)
    told: list[dict[str, Any]] = field(default_factory=list)
    """What the last run told."""

    def __post_init__(self) -> None:
        self.root.mkdir()
        self.out.mkdir()
        self.options = ScanOptions(
            roots=(self.root,),
            out=self.out,
            settle_s=0,
            second_look_s=0,
            chunk_size=50,  # one process does it all, unless a test says otherwise
            job_options=lambda: {"footprint_options": {"sarcat": False}},
        )

    @property
    def root(self) -> Path:
        return self.folder / "archive"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def state(self) -> Path:
        return self.options.folder

    def put(self, number: int, where: str) -> Path:
        """Put a scene into a folder; return it."""
        place = self.root / where
        shutil.copytree(self.scenes[number], place)
        return place

    def id(self, number: int) -> str:
        """Return the id of a scene's dataset."""
        return f"{self.scenes[number].name}-md"

    def scan(self, **more: Any) -> ScanReport:
        """Scan, with other options if given."""
        self.told = []
        return scan(replace(self.options, **more), self.told.append)

    def dry(self, **more: Any) -> ScanReport:
        self.told = []
        return dry_run(replace(self.options, **more), self.told.append)

    def cancel(self, **more: Any) -> ScanReport:
        self.told = []
        return cancel(replace(self.options, **more), self.told.append)

    def counts(self, report: ScanReport) -> dict[str, int]:
        """Return the counts of a report that are not zero."""
        return {state: count for state, count in report.counts.items() if count}

    def entered(self) -> list[str]:
        """Return the ids in the archive's catalogue."""
        with EmbeddedCatalogue.open(self.out, create=False, read_only=True) as catalogue:
            return list(catalogue.ids())

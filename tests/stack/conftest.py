"""Small simulated deliveries in a folder, and the same as an archive of metadata."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.jobs.metadata import describe_in_place
from alos2.jobs.options import IngestOptions
from alos2.simulate import SimulationSpec, simulate
from stack.planned import Fleet
from stack.smallstacks import small_stack  # noqa: F401


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    base = tmp_path_factory.mktemp("fleet")
    folder, archive = base / "deliveries", base / "archive"
    dates = tuple(date(2019, 9, 4) + timedelta(days=14 * n) for n in range(3))

    def deliver(day: date, *, second: bool) -> None:
        spec = SimulationSpec(
            level="2.1", format="geotiff", pixels=64, lines=64, spacing_m=1000.0, date=day,
            lat_deg=35.65 if second else 35.2, lon_deg=138.49 if second else 138.6,
        )  # fmt: skip
        simulate(spec, folder / f"{day}-{second}")

    for number, day in enumerate(dates):
        deliver(day, second=False)
        if number != 1:
            deliver(day, second=True)
    simulate(SimulationSpec(level="1.1", pixels=48, lines=48, date=dates[0]), folder / "slc")
    archive.mkdir()
    for _ in describe_in_place(folder, IngestOptions(out=archive)):
        pass
    EmbeddedCatalogue.open(archive).close()
    return Fleet(folder, archive, dates)

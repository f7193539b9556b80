"""An archive of small simulated scenes in several stacks, made by the real ingest.

Scenes are small in pixels and, but for level 1.1, large on the ground, so that footprints and
tiles look as those of real ones. ``python tests/fakes/archive.py DIR`` makes one to look at;
``ALOS2_TEST_SCENES=DIR`` lets the browser's tests take it instead of one of their own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.footprint import FootprintOptions
from alos2.jobs.ingest import Ingested, ingest
from alos2.jobs.metadata import describe_in_place
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from alos2.raster.pictures import PictureOptions
from alos2.simulate import SimulationSpec, simulate

REPEAT_DAYS = 14
OFF_NADIR_OF_M = 700_000.0
"""Slant range, m: an angle's part of it is about the baseline across."""


@dataclass(frozen=True)
class Track:
    """A place that is seen again and again in one way."""

    name: str
    spec: SimulationSpec
    first: date
    cycles: Sequence[int]
    """When, in cycles of 14 days after `first`."""
    baselines_m: Sequence[float] = ()
    """How far the satellite lay aside of its track, roughly; none: not at all."""
    max_zoom: int = 11
    cog: bool = False
    more: dict[str, Any] = field(default_factory=dict)

    def specs(self) -> Iterator[SimulationSpec]:
        """Yield what is to be simulated."""
        for number, cycle in enumerate(self.cycles):
            aside_m = self.baselines_m[number] if self.baselines_m else 0.0
            yield replace(
                self.spec,
                date=self.first + timedelta(days=REPEAT_DAYS * cycle),
                off_nadir_deg=self.spec.off_nadir + aside_m / OFF_NADIR_OF_M * 57.29578,
                seed=1000 + 17 * number + len(self.name),
            )


def _spec(lat: float, lon: float, **more: Any) -> SimulationSpec:
    usual: dict[str, Any] = {"pixels": 260, "lines": 260, "lat_deg": lat, "lon_deg": lon}
    return SimulationSpec(**{**usual, **more})


FUJI = Track(
    "fuji ascending",
    _spec(35.36, 138.73, level="1.5", mode="FBD", spacing_m=150.0),
    date(2020, 1, 14),
    (0, 1, 3, 4, 7, 9, 12, 15, 20, 26, 33, 40),
    (0, 85, -140, 60, 210, -35, 120, -190, 20, 155, -75, 95),
)
FUJI_DOWN = Track(
    "fuji descending",
    _spec(35.40, 138.60, level="2.1", format="geotiff", mode="UBS", spacing_m=150.0,
          pass_direction="D"),
    date(2021, 3, 2),
    (0, 2, 3, 6, 10, 14),
)  # fmt: skip
KUMAMOTO = Track(
    "kumamoto slant range",
    _spec(32.80, 130.75, level="1.1", mode="FBD", pixels=192, lines=256, pass_direction="D"),
    date(2016, 3, 7),
    (0, 3, 4, 5, 8, 12),
    (0, -120, 45, 160, -60, 30),
    max_zoom=14,
)
JAPAN_WIDE = Track(
    "scansar",
    _spec(36.2, 138.0, level="1.5", mode="WBD", spacing_m=1000.0, pixels=330, lines=330,
          pass_direction="D"),
    date(2019, 5, 9),
    (0, 3, 6, 13, 26),
    (0, 260, -90, 130, -210),
    max_zoom=8,
)  # fmt: skip
NOTO = Track(
    "noto quad, left",
    _spec(37.35, 136.95, level="2.1", format="geotiff", mode="HBQ", spacing_m=150.0, look="L",
          pixels=220, lines=200),
    date(2023, 12, 5),
    (0, 2, 3, 5),
    max_zoom=10,
)  # fmt: skip
FIJI = Track(
    "antimeridian",
    _spec(-16.85, 179.98, level="1.5", mode="FBD", spacing_m=150.0),
    date(2022, 8, 11),
    (0, 4, 9),
    (0, 70, -105),
    max_zoom=9,
)
OTHERS = tuple(
    Track(name, spec, when, (0,), max_zoom=zoom, cog=cog)
    for name, spec, when, zoom, cog in (
        ("chile", _spec(-31.6, -71.2, level="2.1", format="geotiff", mode="FBD", spacing_m=150.0),
         date(2015, 9, 20), 10, True),
        ("kilauea", _spec(19.40, -155.28, level="1.5", mode="FBS", spacing_m=100.0),
         date(2018, 5, 8), 11, True),
        ("iceland", _spec(64.6, -17.4, level="2.1", mode="UBD", spacing_m=150.0,
                          pass_direction="D"), date(2024, 2, 3), 10, False),
        ("svalbard", _spec(78.5, 16.0, level="1.5", mode="WBD", spacing_m=600.0, projection="P"),
         date(2022, 3, 18), 8, False),
        ("amazon", _spec(-9.7, -63.1, level="2.1", format="geotiff", mode="FBD", spacing_m=200.0,
                         pixels=330, lines=330), date(2017, 7, 22), 10, False),
        ("palawan", _spec(9.5, 118.4, level="1.5", format="geotiff", mode="FBD", option="R",
                          spacing_m=150.0), date(2021, 12, 17), 10, False),
        ("scansar slant", _spec(33.6, 135.6, level="1.1", mode="WBS", pixels=96, lines=128),
         date(2019, 10, 13), 12, False),
        ("hatay", _spec(36.3, 36.3, level="1.1", mode="UBS", pixels=256, lines=256),
         date(2023, 2, 17), 14, False),
        ("spotlight", _spec(35.68, 139.76, level="1.5", mode="SBS", spacing_m=10.0),
         date(2024, 6, 1), 14, True),
    )
)  # fmt: skip
TRACKS = (FUJI, FUJI_DOWN, KUMAMOTO, JAPAN_WIDE, NOTO, FIJI, *OTHERS)
"""45 scenes, and one described as metadata alone."""

FOREST = _spec(-3.1, -60.0, level="1.1", mode="FBD", pixels=128, lines=128)
"""The scene of which there is metadata alone."""


@dataclass(frozen=True)
class FakeArchive:
    """What was made."""

    folder: Path
    ids: dict[str, tuple[str, ...]]
    """Datasets by the name of their track; ``metadata`` has the one of metadata alone."""

    @property
    def count(self) -> int:
        """How many datasets there are."""
        return sum(len(ids) for ids in self.ids.values())

    def write(self, path: Path) -> None:
        """Write down what was made, for another process."""
        path.write_text(json.dumps([str(self.folder), self.ids]), "utf-8")

    @classmethod
    def read(cls, path: Path) -> FakeArchive:
        """Read what another process has written down."""
        folder, ids = json.loads(path.read_text("utf-8"))
        return cls(Path(folder), {name: tuple(made) for name, made in ids.items()})


def make_archive(folder: Path, tracks: Sequence[Track] = TRACKS) -> FakeArchive:
    """Simulate, ingest and catalogue.

    Parameters
    ----------
    folder : Path
        Takes ``products``, the simulated deliveries, and ``archive``.
    tracks : sequence of Track, optional
    """
    archive = folder / "archive"
    archive.mkdir(parents=True, exist_ok=True)
    work = [(track, number, spec) for track in tracks for number, spec in enumerate(track.specs())]

    def one(job: tuple[Track, int, SimulationSpec]) -> tuple[str, str]:
        track, number, spec = job
        made = simulate(spec, folder / "products" / track.name.replace(" ", "-") / str(number))
        return track.name, _ingested(made.product_dir, _options(archive, track))

    ids: dict[str, tuple[str, ...]] = {}
    # The first alone: what it compiles, the others find.
    first, *rest = work
    with ThreadPoolExecutor(2) as pool:
        for name, made in (one(first), *pool.map(one, rest)):
            ids[name] = (*ids.get(name, ()), made)
    forest = simulate(FOREST, folder / "products" / "forest")
    (described,) = describe_in_place(
        forest.product_dir.parent, _options(archive, FUJI), tags=("forest",)
    )
    ids["metadata"] = (_line(described)["id"],)
    catalogue = EmbeddedCatalogue.open(archive)
    catalogue.rebuild()
    catalogue.close()
    return FakeArchive(archive, ids)


def _options(archive: Path, track: Track) -> IngestOptions:
    return IngestOptions(
        out=archive,
        footprint_options=FootprintOptions(sarcat=False),
        pictures=PictureOptions(
            max_zoom=track.max_zoom, threads=1, cog="db" if track.cog else None
        ),
    )


def _ingested(product: Path, options: IngestOptions) -> str:
    (outcome,) = ingest(str(product), options)
    return str(_line(outcome)["id"])


def _line(outcome: Ingested | Failed) -> dict[str, Any]:
    if isinstance(outcome, Failed):
        raise outcome.error
    return outcome.line


if __name__ == "__main__":
    place = Path(sys.argv[1])
    made = make_archive(place)
    made.write(place / "made")
    print(made.folder)  # noqa: T201

"""What a stack's configuration may say: one model, from which the file and its reference are made.

Sections and fields have the names of OpenSarToolkit's project file where it has the like, so that
its users find what they know; `old` in a field's notes is its name in OpenSarToolkit of 2019. How a
file is read is in :mod:`alos2.stack.config.read`, how one is written in
:mod:`alos2.stack.config.text`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from alos2.naming import LEVELS
from alos2.stack.config.base import File, Section, Words, is_numbers, said
from alos2.stack.config.sections import (
    Animation,
    Cluster,
    DemFile,
    Mosaic,
    SingleArd,
    SpeckleFilter,
    TimeScanArd,
    TimeSeriesArd,
)
from alos2.types import Json, Polarization

__all__ = [
    "Animation",
    "Cluster",
    "DemFile",
    "Mosaic",
    "Search",
    "Section",
    "SingleArd",
    "SpeckleFilter",
    "Stack",
    "StackConfig",
    "TimeScanArd",
    "TimeSeriesArd",
    "load_config",
]

FORMATS: Final = ("ceos", "geotiff")


class Stack(Section):
    """Which scenes, where, and with what means."""

    area: str | tuple[float, float, float, float] | None = said(
        None,
        "Area of interest: WKT, GeoJSON, a file that holds one of them, or [west, south, east, "
        "north] in degrees. Without one all that the scenes cover.",
        ost="aoi",
    )  # fmt: skip
    archive: File | None = said(
        None, "Archive whose catalogue is searched, see [search].", ost="download_dir"
    )
    folders: Annotated[tuple[File, ...], Field(strict=False)] = said(
        (), "Folders and zips in which products are looked for, besides or instead of the archive."
    )
    leaders: Annotated[dict[str, File], Field(strict=False)] = said(
        {},
        "CEOS leaders of scenes whose GeoTIFF delivery has no orbit: scene = file. A CEOS delivery "
        "of the same scene that is found anyway serves by itself.",
    )
    levels: Words = said(
        ("2.1", "2.2", "1.1", "1.5"),
        "Which delivery of a scene is taken where there are several: the first that is there. An "
        "entry may name the format too (2.1-geotiff), else CEOS comes before GeoTIFF. What is not "
        "listed is not used.",
    )
    work_dir: File = said(
        Path("stack"), "Folder for all results and what is needed on the way.",
        ost="processing_dir",
    )  # fmt: skip
    crs: str | None = said(
        None,
        "Coordinate reference system of all results, such as EPSG:32654. Without one the UTM zone "
        "of the middle.",
        ost="single_ARD.dem.out_projection",
    )
    extent: Literal["union", "intersection"] = said(
        "union", "Extent of a time series: all that its dates cover, or only what all of them do."
    )
    cut_to_area: bool = said(
        True, "Whether grids end at the area's bounding box.", old="subset", ost="subset"
    )
    memory_mb: int | None = said(
        None, "Most memory of a step, MB. Without it a part of what the machine has.", ge=256
    )
    threads: int | None = said(
        None, "Threads of a step. Without it as many as there are cores.",
        ge=1, le=256, ost="max_workers, snap_cpu_parallelism",
    )  # fmt: skip

    @field_validator("area", mode="before")
    @classmethod
    def _box(cls, value: Any) -> Any:
        return tuple(float(v) for v in value) if is_numbers(value, 4) else value

    @field_validator("levels", mode="after")
    @classmethod
    def _known_levels(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        levels = dict.fromkeys((*LEVELS, "2.2"))
        allowed = [*levels, *(f"{level}-{form}" for level in levels for form in FORMATS)]
        for word in value:
            if word not in allowed:
                raise ValueError(f"{word!r} is not one of {', '.join(allowed)}")
        if not value:
            raise ValueError("without a level no scene is used")
        return value


class Search(Section):
    """Which scenes of the archive and folders are meant, by the names of `alos2 search`."""

    date: str | None = said(
        None, "A day, or first/last; one of them may be left open (2018-01-01/..).",
        ost="start, end",
    )  # fmt: skip
    mode: str | None = said(None, "Mode as in product names (FBD), or its first letters.")
    pol: Annotated[tuple[Polarization, ...], Field(strict=False)] = said(
        (), "Polarisations; all of them are there."
    )
    pass_: Literal["A", "D"] | None = said(None, "A: ascending, D: descending.", alias="pass")
    look: Literal["L", "R"] | None = said(None, "Look side.")
    path: Annotated[tuple[int, ...], Field(strict=False)] = said(
        (), "JAXA's paths (tracks), 1 to 207."
    )
    frame: Words = said((), "Centre frames, such as 0680.")
    orbit: Annotated[tuple[int, ...], Field(strict=False)] = said((), "Absolute orbits.")
    off_nadir: Annotated[tuple[float, float] | None, Field(strict=False)] = said(
        None, "Least and most off-nadir angle, degrees."
    )
    text: str | None = said(None, "Words of the catalogue; all are there. Only of an archive.")
    tag: Words = said((), "Tags; all are there. Only of an archive.")

    @field_validator("off_nadir", mode="before")
    @classmethod
    def _angles(cls, value: Any) -> Any:
        return tuple(float(v) for v in value) if is_numbers(value, 2) else value


class StackConfig(Section):
    """A stack's configuration. Paths in it are absolute once a file was read."""

    stack: Stack = Field(Stack(), description="Which scenes, where, and with what means.")
    search: Search = Field(Search(), description="Which of the archive's and folders' scenes.")
    single_ard: SingleArd = Field(
        SingleArd(), alias="single_ARD", description="How a scene becomes analysis-ready."
    )
    time_series_ard: TimeSeriesArd = Field(
        TimeSeriesArd(), alias="time-series_ARD", description="How scenes become a time series."
    )
    time_scan_ard: TimeScanArd = Field(
        TimeScanArd(), alias="time-scan_ARD", description="What is made of each pixel's series."
    )
    mosaic: Mosaic = Field(Mosaic(), description="How tracks come together.")
    animation: Animation = Field(Animation(), description="What is drawn of a series.")
    cluster: Cluster = Field(Cluster(), description="How the work is spread over a cluster.")
    _source: Path | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _has_weights(self) -> StackConfig:
        if self.mosaic.weighting == "area" and "area" not in self.single_ard.layers:
            raise ValueError('[mosaic] weighting = "area" needs "area" among [single_ARD] layers')
        return self

    @property
    def source(self) -> Path | None:
        """The file that it was read from; not part of it."""
        return self._source

    def read_from(self, source: Path) -> StackConfig:
        """Return a copy that knows the file it was read from."""
        known = self.model_copy()
        known._source = source  # noqa: SLF001  our own
        return known

    def to_json(self) -> Json:
        """Return it by the names of the file, as JSON has it."""
        return self.model_dump(mode="json", by_alias=True)

    @property
    def dem(self) -> DemFile:
        """The digital elevation model."""
        return self.single_ard.dem


def load_config(path: Path, changes: Json | None = None) -> StackConfig:
    """Read a configuration file; see `alos2.stack.config.read.load_config`."""
    # Imported late: the reader imports this module.
    from alos2.stack.config.read import load_config as load  # noqa: PLC0415

    return load(path, changes)

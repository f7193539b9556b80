"""``alos2 search`` of an archive of one's own: by what its catalogue knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import click

from alos2.cli.grouped import GroupedOption
from alos2.cli.output import json_line
from alos2.cli.searchoptions import box_of, days_of
from alos2.errors import NothingFound, UsageError
from alos2.types import POLARIZATIONS, Json

if TYPE_CHECKING:
    from alos2.catalogue.embedded import EmbeddedCatalogue, Hit, Query

_Command = TypeVar("_Command", bound=Callable[..., Any])

ARCHIVE: Final = "archive"
"""Behind ``--source``: an archive of one's own."""
_HEADING: Final = "What to look for in an archive"
_USUAL_LIMIT: Final = 100
_PASSES: Final = {"A": "A", "ASCENDING": "A", "ASC": "A", "D": "D", "DESCENDING": "D", "DSC": "D"}
_LOOKS: Final = {"L": "L", "LEFT": "L", "R": "R", "RIGHT": "R"}


def archive_options(function: _Command) -> _Command:
    """Add what an archive can be searched by besides."""

    def option(*names: str, **settings: Any) -> Callable[[_Command], _Command]:
        return click.option(*names, cls=GroupedOption, heading=_HEADING, **settings)

    options = [
        option(
            "--archive", type=click.Path(path_type=Path, file_okay=False),
            help="Folder of the datasets [default: $ALOS2_ARCHIVE, else here].",
        ),
        option("--point", nargs=2, type=float, metavar="LON LAT", help="A place, degrees."),
        option(
            "--area", metavar="WKT|GEOJSON|FILE",
            help="A place polygon or any other shape; footprints that meet it are found.",
        ),
        option("--level", "levels", multiple=True, help="1.1, 1.5, 2.1 or 3.1; may be repeated."),
        option(
            "--pol", "pols", multiple=True, type=click.Choice(POLARIZATIONS, case_sensitive=False),
            help="Polarisation; all that are given are there.",
        ),
        option(
            "--pass", "pass_direction", type=click.Choice(list(_PASSES), case_sensitive=False),
            metavar="A|D", help="Ascending or descending.",
        ),
        option(
            "--look", type=click.Choice(list(_LOOKS), case_sensitive=False), metavar="L|R",
            help="Look side.",
        ),
        option(
            "--path", "paths", multiple=True, type=click.IntRange(1, 207), metavar="PATH",
            help="JAXA's path (track).",
        ),
        option("--frame", "frames", multiple=True, help="Centre frame, e.g. 0700."),
        option("--orbit", "orbits", multiple=True, type=int, help="Absolute orbit."),
        option("--off-nadir", metavar="A-B", help="Off-nadir angle, degrees: 28-34, or one."),
        option("--text", help="Words or beginnings of words; all are there."),
        option("--tag", "tags", multiple=True, help="A tag; all that are given are there."),
        option("--kind", "kinds", multiple=True, help="Dataset or type: alos2_slc, ALOS2_GeoTIFF."),
        option(
            "--sort", metavar="KEY,...",
            help="time, id, created, level, mode, path, frame, orbit, off_nadir; -time: newest "
            "first, which is the default.",
        ),
        option(
            "--stack", "as_stacks", is_flag=True,
            help="Group scenes that can be compared; time and perpendicular baselines.",
        ),
    ]  # fmt: skip
    for one in reversed(options):
        function = one(function)
    return function


@dataclass(frozen=True)
class ArchiveChoice:
    """What the options of `archive_options` hold."""

    archive: Path | None
    point: tuple[float, float] | None
    area: str | None
    levels: tuple[str, ...]
    pols: tuple[str, ...]
    pass_direction: str | None
    look: str | None
    paths: tuple[int, ...]
    frames: tuple[str, ...]
    orbits: tuple[int, ...]
    off_nadir: str | None
    text: str | None
    tags: tuple[str, ...]
    kinds: tuple[str, ...]
    sort: str | None
    as_stacks: bool

    def refuse(self, source: str) -> None:
        """Refuse what `source`, which is no archive, cannot be asked.

        Raises
        ------
        UsageError
            Something of it was given.
        """
        given = [name for name, value in self.__dict__.items() if value not in (None, (), False)]
        if given:
            raise UsageError(
                f"{source} cannot be searched by --{given[0].replace('_', '-').rstrip('s')}",
                hint="only an archive can (--source archive)",
            )

    def place(self) -> Path | None:
        """Return the archive to search if no portal is named: named, set, or right here."""
        from alos2.catalogue.embedded.folders import CATALOGUE_FOLDER
        from alos2.cli.settings import load

        settled = load().archive
        if self.archive is not None or (settled is not None and settled.is_dir()):
            return self.archive or settled
        here = Path.cwd()
        return here if (here / CATALOGUE_FOLDER).is_dir() else None


def query_of(
    choice: ArchiveChoice,
    *,
    names: Sequence[str],
    bbox: str | None,
    days: str | None,
    mode: str | None,
    limit: int | None,
) -> Query:
    """Return what the options ask a catalogue.

    Raises
    ------
    UsageError
        One of them cannot be read.
    """
    from alos2.catalogue.embedded import Query
    from alos2.catalogue.embedded.areas import place_of
    from alos2.sources.portals.gportal.modes import datasets_of, mode_of

    if choice.point is not None and choice.area is not None:
        raise UsageError("--point and --area are two places", hint="give one of them")
    geometry: Json | None = None
    if choice.point is not None:
        geometry = place_of("POINT ({} {})".format(*choice.point))
    elif choice.area is not None:
        geometry = place_of(choice.area)
    start, end = moments_of(days)
    modes = () if mode is None else tuple(mode_of(number) for number in datasets_of(mode))
    words = choice.sort.split(",") if choice.sort else ["-time"]
    return Query(
        names=tuple(names),
        bbox=box_of(bbox),
        geometry=geometry,
        start=start,
        end=end,
        kinds=choice.kinds,
        levels=choice.levels,
        modes=tuple(str(one) for one in modes if one),
        polarizations=tuple(pol.upper() for pol in choice.pols),
        pass_direction=_PASSES.get((choice.pass_direction or "").upper()),
        look=_LOOKS.get((choice.look or "").upper()),
        paths=choice.paths,
        frames=tuple(frame.zfill(4) for frame in choice.frames),
        orbits=choice.orbits,
        off_nadir=_angles(choice.off_nadir),
        text=choice.text,
        tags=choice.tags,
        sort=tuple(word.strip().replace("-nadir", "_nadir") for word in words),
        limit=limit,
    )


def moments_of(text: str | None) -> tuple[datetime | None, datetime | None]:
    """Return the first and last moment that ``--date`` names; times of day count where given.

    Raises
    ------
    UsageError
        It names none.
    """
    if text is None:
        return None, None
    if "T" not in text.upper():
        start, end = days_of(text)
        last = timedelta(days=1, microseconds=-1)
        return (
            None if start is None else datetime.combine(start, time(), timezone.utc),
            None if end is None else datetime.combine(end, time(), timezone.utc) + last,
        )
    first, slash, second = text.partition("/")
    return _moment(first), _moment(second if slash else first)


def _moment(text: str) -> datetime | None:
    from alos2.catalogue.embedded.rows import unix_us

    if text.strip() in ("", ".."):
        return None
    try:
        us = unix_us(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not a time", hint="as 2018-09-05T12:00:00Z") from error
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=us)


def _angles(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    first, _, last = text.replace("..", "-").partition("-")
    try:
        low, high = float(first), float(last or first)
    except ValueError:
        raise UsageError(
            f"{text!r} is no range of angles", hint="degrees, as 28-34, or one angle"
        ) from None
    # One angle means a beam: documents say 28.2 or 28.4 of the same.
    return (low, high) if last else (low - 0.5, high + 0.5)


def search_archive(
    place: Path, query: Query, *, form: Literal["table", "json", "ndjson"], as_stacks: bool
) -> None:
    """Print what an archive has.

    Raises
    ------
    NothingFound
        Nothing, or there is no catalogue.
    UsageError, PublishFailed, NoResource
        It cannot be asked.
    """
    from alos2.catalogue.embedded import EmbeddedCatalogue

    with EmbeddedCatalogue.open_to_read(place) as catalogue:
        if as_stacks:
            from alos2.cli.searchstacks import show_stacks

            show_stacks(catalogue, query, form=form)
        else:
            _show(catalogue, query, form)


def _show(catalogue: EmbeddedCatalogue, query: Query, form: str) -> None:
    from dataclasses import replace

    limit = query.limit or _USUAL_LIMIT
    hits: list[Hit] = []
    gone = 0
    more = False
    # One more than wanted, to know whether there is more.
    for hit in catalogue.search(replace(query, limit=None)):
        if not hit.folder.is_dir():
            gone += 1
        elif len(hits) == limit:
            more = True
            break
        else:
            hits.append(hit)
            if form == "ndjson":
                json_line(_located(hit))
    if gone:
        click.echo(f"alos2: {gone} datasets are gone (alos2 catalog rebuild)", err=True)
    if not hits:
        raise NothingFound(
            f"{catalogue.archive} has nothing of the kind",
            hint="ask for a larger place, other days or less; --source gportal asks G-Portal",
        )
    if form == "json":
        features = [_located(hit) for hit in hits]
        json_line({"type": "FeatureCollection", "features": features, "more": more})
    elif form == "table":
        _table(hits)
    if more:
        click.echo(f"alos2: these are the first {limit}; there are more (--limit)", err=True)


def _located(hit: Hit) -> Json:
    """Return the item with the place of its document, from which its relative paths lead on."""
    from alos2.catalogue.embedded.folders import item_file

    item = hit.item
    own = {"rel": "self", "href": item_file(hit.folder).as_uri(), "type": "application/geo+json"}
    return {**item, "links": [own, *(k for k in item["links"] if k.get("rel") != "self")]}


def _table(hits: Sequence[Hit]) -> None:
    rows = [("ID", "TIME (UTC)", "POL", "PASS", "LOOK", "PATH", "FRAME", "OFF-NADIR", "TAGS")]
    for hit in hits:
        said = hit.item["properties"]
        off_nadir = said.get("view:off_nadir")
        rows.append(
            (
                hit.id,
                str(said["datetime"])[:16].replace("T", " "),
                "/".join(said.get("sar:polarizations") or ()) or "-",
                str(said.get("alos2:pass") or "-"),
                str(said.get("alos2:look") or "-"),
                str(said.get("alos2:path") or "-"),
                str(said.get("alos2:frame") or "-"),
                "-" if off_nadir is None else f"{off_nadir:.1f}",
                ", ".join(said.get("alos2:tags") or ()),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())

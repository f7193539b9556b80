"""``alos2 catalog``: the catalogue beside an archive, made anew, looked over, exported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from alos2.cli.grouped import GroupedCommand, GroupedOption
from alos2.cli.output import human_size, json_line
from alos2.cli.progress import progress_bar
from alos2.errors import NothingFound, SomeFailed, UsageError

_Command = TypeVar("_Command", bound=Callable[..., Any])

FORMATS: Final = ("stac", "geoparquet", "csv", "geojson")
_MOST_SHOWN: Final = 20
_JSON = click.option(
    "--json", "as_json", is_flag=True, cls=GroupedOption, heading="Result",
    help="One JSON object.",
)  # fmt: skip


def _archive_argument(function: _Command) -> _Command:
    return click.argument(
        "archive",
        required=False,
        metavar="[ARCHIVE]",
        type=click.Path(path_type=Path, file_okay=False),
    )(function)


def chosen_archive(named: Path | None) -> Path:
    """Return the archive that is meant: as named, else ``$ALOS2_ARCHIVE``, else this folder.

    Raises
    ------
    NothingFound
        It does not exist.
    """
    from alos2.cli.settings import load

    archive = named or load().archive or Path.cwd()
    if not archive.is_dir():
        raise NothingFound(
            f"there is no archive {archive}", hint="name one, or set ALOS2_ARCHIVE to it"
        )
    return archive


@click.group("catalog")
def command() -> None:
    """Keep the catalogue that lies beside an archive's datasets.

    ARCHIVE is the folder of the datasets [default: $ALOS2_ARCHIVE, else here]. Ingest enters
    datasets by itself; alos2 search looks through it.
    """


@command.command("rebuild", cls=GroupedCommand)
@_archive_argument
@click.option(
    "--journal", type=click.Choice(["wal", "delete"]), cls=GroupedOption, heading="How",
    help="SQLite's journal from now on [default: wal on a local disk, else delete].",
)  # fmt: skip
@_JSON
@click.pass_context
def rebuild(ctx: click.Context, /, archive: Path | None, journal: Any, *, as_json: bool) -> None:
    """Make the catalogue anew from the dataset folders.

    Who searches meanwhile sees the old one, then the new one.
    """
    from alos2.catalogue.embedded.store import Store

    # Not opened: it may be damaged, or not there.
    place = chosen_archive(archive)
    quiet = bool((ctx.obj or {}).get("quiet"))
    with progress_bar(quiet=quiet) as progress:
        rebuilt = Store(place).rebuild(
            journal=journal, progress=lambda done: progress("read", done, None)
        )
    if as_json:
        json_line(
            {
                "archive": str(place),
                "items": rebuilt.items,
                "left_out": list(rebuilt.troubles),
                "seconds": round(rebuilt.seconds, 3),
            }
        )
    else:
        click.echo(f"{rebuilt.items} datasets in the catalogue of {place}")
    if rebuilt.troubles:
        raise SomeFailed(
            f"{len(rebuilt.troubles)} folders were left out, the first: {rebuilt.troubles[0]}",
            hint="alos2 catalog verify names them all",
        )


@command.command("verify", cls=GroupedCommand)
@_archive_argument
@click.option(
    "--checksums", is_flag=True, cls=GroupedOption, heading="How",
    help="Read every file to the end and compare its SHA-256; count the tiles.",
)  # fmt: skip
@_JSON
@click.pass_context
def verify(ctx: click.Context, /, archive: Path | None, *, checksums: bool, as_json: bool) -> None:
    """Compare the catalogue with the archive, and the files with what is said of them.

    Exit code 8 if anything is wrong: a dataset that only one of the two knows, a file that is
    missing or of another size, tables that are out of step.
    """
    from alos2.catalogue.embedded import EmbeddedCatalogue

    place = chosen_archive(archive)
    quiet = bool((ctx.obj or {}).get("quiet"))
    with EmbeddedCatalogue.open_to_read(place) as catalogue, progress_bar(quiet=quiet) as progress:
        total = len(catalogue)
        report = catalogue.verify(
            checksums=checksums,
            progress=lambda done: progress("verify", done, max(done, total)),
        )
    if as_json:
        json_line(
            {
                "archive": str(place),
                "ok": not report.faults,
                "items": report.items,
                "datasets": report.datasets,
                "files": report.files,
                "bytes_read": report.size_bytes,
                "faults": [fault.to_json() for fault in report.faults],
            }
        )
    else:
        read = f", {human_size(report.size_bytes)} read" if checksums else ""
        click.echo(
            f"{report.items} datasets in the catalogue, {report.datasets} in {place}, "
            f"{report.files} files{read}"
        )
        for fault in report.faults[:_MOST_SHOWN]:
            click.echo(f"  {fault.what + ':':<16} {fault.place}: {fault.sentence}")
        if len(report.faults) > _MOST_SHOWN:
            click.echo(f"  and {len(report.faults) - _MOST_SHOWN} more (--json has them all)")
    if report.faults:
        raise SomeFailed(
            f"{len(report.faults)} things are wrong in {place}",
            hint="alos2 catalog rebuild mends the catalogue, ingesting again a dataset",
        )


@command.command("export", cls=GroupedCommand)
@click.argument("out", type=click.Path(path_type=Path))
@_archive_argument
@click.option(
    "--format", "form", type=click.Choice(FORMATS), required=True, cls=GroupedOption,
    heading="How", help="stac is a folder (a static STAC catalogue), the others are one file.",
)  # fmt: skip
@click.option(
    "--base-url", metavar="URL", cls=GroupedOption, heading="How",
    help="Under which URL the archive can be fetched (stac) [default: relative paths to it].",
)  # fmt: skip
@_JSON
def export(
    *, out: Path, archive: Path | None, form: str, base_url: str | None, as_json: bool
) -> None:
    """Write the whole catalogue to OUT in a form that others read.

    CSV and GeoJSON open in GDAL and QGIS; geoparquet is stac-geoparquet and needs the extra
    'alos2-ingest[geoparquet]'.
    """
    from alos2.catalogue.embedded import EmbeddedCatalogue
    from alos2.catalogue.embedded.exporting import EXPORTS
    from alos2.catalogue.embedded.staticstac import export_stac

    if base_url is not None and form != "stac":
        raise UsageError("--base-url is for --format stac", hint="leave it out")
    place = chosen_archive(archive)
    with EmbeddedCatalogue.open_to_read(place) as catalogue:
        if form == "stac":
            count = export_stac(catalogue, out, base_url=base_url)
        else:
            count = EXPORTS[form](catalogue, out)
    if as_json:
        json_line({"archive": str(place), "format": form, "out": str(out), "items": count})
    else:
        click.echo(f"{count} datasets in {out}")


@command.command("remove", cls=GroupedCommand)
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option(
    "--archive", type=click.Path(path_type=Path, file_okay=False), cls=GroupedOption,
    heading="How", help="Folder of the datasets [default: $ALOS2_ARCHIVE, else here].",
)  # fmt: skip
@click.option(
    "--delete", is_flag=True, cls=GroupedOption, heading="How",
    help="Delete their folders too, if they are there.",
)  # fmt: skip
def remove(*, ids: tuple[str, ...], archive: Path | None, delete: bool) -> None:
    """Forget datasets whose folders are gone.

    A folder that is there is left alone and stays known, unless --delete is given. Exit code 6 if
    none of them was known.
    """
    from alos2.catalogue.embedded import EmbeddedCatalogue

    place = chosen_archive(archive)
    gone = 0
    with EmbeddedCatalogue.open(place, create=False) as catalogue:
        for name in ids:
            if not catalogue.exists(name):
                click.echo(f"alos2: {name} is not in the catalogue", err=True)
            elif not delete and catalogue.refresh(name):
                click.echo(f"alos2: {name} is there; --delete deletes its folder too", err=True)
            else:
                if delete:
                    catalogue.delete(name)
                click.echo(name)
                gone += 1
    if not gone:
        raise NothingFound("nothing was forgotten", hint="alos2 search lists what is known")

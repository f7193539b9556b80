"""``alos2 ingest``: products from paths and URLs into datasets."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from alos2.cli.grouped import GroupedCommand, GroupedOption
from alos2.cli.output import json_line, product_block
from alos2.cli.pictureoptions import PICTURE_OPTIONS, picture_options
from alos2.cli.progress import progress_bar
from alos2.cli.publish import publish_options, published_block, publishing
from alos2.errors import UsageError

if TYPE_CHECKING:
    from alos2.jobs.options import IngestOptions

_Command = TypeVar("_Command", bound=Callable[..., Any])

FOOTPRINTS = ("bos_sarcat", "geometry", "raster", "summary", "isce")


_SOURCE = "Footprint and geometry"


PORTALS: Final = {
    "auig2": "alos2.cli.ingest_auig2",
    "gportal": "alos2.cli.ingest_gportal",
    "optemis": "alos2.cli.ingest_optemis",
    "portal": "alos2.cli.ingest_portal",
    "sentinel-asia": "alos2.cli.ingest_sentinel_asia",
}
"""Where the command of each portal is; imported when it is asked for."""


class _IngestGroup(click.Group):
    """Takes paths and URLs as they are; a first word that names a kind of source chooses it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in PORTALS:
            args = ["any", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *PORTALS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in PORTALS:
            return super().get_command(ctx, cmd_name)
        command: click.Command = importlib.import_module(PORTALS[cmd_name]).command
        return command


class _AnyCommand(GroupedCommand):
    """The command of plain paths and URLs, whose own name nobody types."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        path = (ctx.parent or ctx).command_path
        formatter.write_usage(path, " ".join(self.collect_usage_pieces(ctx)))


def common_options(function: _Command) -> _Command:
    """Add what every kind of ingest may be told."""
    options = [
        click.option(
            "--out",
            type=click.Path(path_type=Path, file_okay=False), cls=GroupedOption, heading="Result",
            help="Folder that takes the datasets [default: $ALOS2_ARCHIVE, else here].",
        ),
        click.option(
            "--force", is_flag=True, cls=GroupedOption, heading="Result",
            help="Replace a dataset that has other content.",
        ),
        click.option(
            "--json", "as_json", is_flag=True, cls=GroupedOption, heading="Result",
            help="One JSON object a dataset.",
        ),
        click.option(
            "--keep-download", is_flag=True, cls=GroupedOption, heading="Result",
            help="Leave the downloaded zip in the hidden folder .alos2-downloads.",
        ),
        click.option(
            "--footprint",
            type=click.Choice(FOOTPRINTS), cls=GroupedOption, heading=_SOURCE,
            help="Whose word to take for where the scene lies [default: the first that knows].",
        ),
        click.option(
            "--min-overlap",
            type=click.FloatRange(0, 1, min_open=True), cls=GroupedOption, heading=_SOURCE,
            help="Area ratio from which the catalogue's footprint is believed [default: 0.8].",
        ),
        click.option(
            "--leader",
            type=click.Path(path_type=Path), cls=GroupedOption, heading=_SOURCE,
            help="CEOS leader (file, folder or zip) of the same scene, for a GeoTIFF delivery.",
        ),
        *PICTURE_OPTIONS,
    ]  # fmt: skip
    function = publish_options(function)
    for option in reversed(options):
        function = option(function)
    return function


_credential_option = click.option(
    "--credential", metavar="NAME", cls=GroupedOption, heading="Transfer",
    help="Name of the credential profile for the URLs' host (never a password).",
)  # fmt: skip


@click.group("ingest", cls=_IngestGroup, invoke_without_command=False)
def command() -> None:
    """Make datasets of products: alos2 ingest PATH|URL ..."""


@command.command("any", cls=_AnyCommand, hidden=True)
@click.argument("targets", nargs=-1, required=True, metavar="PATH|URL...")
@_credential_option
@common_options
@click.pass_context
def ingest_any(ctx: click.Context, /, targets: tuple[str, ...], **chosen: Any) -> None:
    """Make datasets of ALOS-2/PALSAR-2 products.

    PATH is a zip, a zip in a zip or an unpacked folder; URL is http(s), webdav(s), ftp(s), sftp,
    s3 or file. A download that was cut off goes on where it ended. A dataset is
    there whole or not at all; the same product again changes nothing. Where a word could be both,
    'alos2 ingest url URL ...' takes URLs only.

    Portals have commands of their own: alos2 ingest auig2, gportal, sentinel-asia or optemis, and
    'alos2 ingest portal NAME' for those of plugins; each with --help.
    """
    run(ctx, targets, **chosen)


@command.command("url", cls=GroupedCommand)
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@_credential_option
@common_options
@click.pass_context
def ingest_url(ctx: click.Context, /, urls: tuple[str, ...], **chosen: Any) -> None:
    """Make datasets of products behind URLs."""
    for url in urls:
        if "://" not in url:
            raise UsageError(
                f"{url!r} is not a URL", hint="for a file or folder: alos2 ingest PATH"
            )
    run(ctx, urls, **chosen)


def run(
    ctx: click.Context,
    targets: Sequence[str],
    *,
    as_json: bool,
    publish_to: str | None,
    place_names: tuple[str, ...],
    catalogue: bool,
    **chosen: Any,
) -> None:
    """Ingest `targets` with what the flags, the environment and the configuration say."""
    # Imported late, so that --help is quick.
    from alos2.jobs import context
    from alos2.jobs.ingest import ingest_all
    from alos2.jobs.outcome import Failed, raise_failures

    options = chosen_options(**chosen)
    failures: list[Failed] = []
    done = 0
    quiet = bool((ctx.obj or {}).get("quiet"))
    with context.about(context.job, "ingest"), progress_bar(quiet=quiet) as progress:
        published = publishing(
            publish_to,
            place_names,
            catalogue=catalogue,
            force=options.force,
            progress=progress,
        )
        for outcome in ingest_all(targets, replace(options, progress=progress)):
            if isinstance(outcome, Failed):
                failures.append(outcome)
                continue
            line, failure = published(outcome.line)
            failure = failure or outcome.uncatalogued
            (json_line if as_json else product_block)(line)
            if line.get("published") and not as_json:
                published_block(line["published"])
            if failure is not None:
                failures.append(Failed(line["id"], failure))
            else:
                done += 1
    raise_failures(failures, done)


def chosen_options(
    *,
    out: Path | None,
    footprint: Any,
    min_overlap: float | None,
    leader: Path | None,
    force: bool,
    keep_download: bool,
    credential: str | None = None,
    **pictures: Any,
) -> IngestOptions:
    """Return what the flags of `common_options`, the environment and the configuration say."""
    from alos2.cli.settings import ingest_options, load
    from alos2.jobs.catalogued import keeps_catalogue

    settings = load()
    options = ingest_options(settings, out=out)
    is_archive = out is not None or settings.archive is not None
    if min_overlap is not None:
        found = replace(options.footprint_options, min_overlap=min_overlap)
        options = replace(options, footprint_options=found)
    return replace(
        options,
        footprint=footprint or options.footprint,
        leader=leader,
        force=force,
        keep_download=keep_download or options.keep_download,
        credential=credential,
        catalogue=keeps_catalogue(options.out, is_archive=is_archive),
        pictures=picture_options(options.pictures, **pictures),
    )

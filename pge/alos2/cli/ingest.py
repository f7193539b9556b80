"""``alos2 ingest``: products from paths and URLs into datasets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from alos2.cli.grouped import GroupedCommand, GroupedOption
from alos2.cli.output import json_line, product_block
from alos2.cli.pictureoptions import PICTURE_OPTIONS, picture_options
from alos2.cli.progress import progress_bar
from alos2.cli.publish import publish_options, published_block, publishing
from alos2.errors import UsageError

_Command = TypeVar("_Command", bound=Callable[..., Any])

FOOTPRINTS = ("bos_sarcat", "geometry", "raster", "summary", "isce")


_SOURCE = "Footprint and geometry"


class _IngestGroup(click.Group):
    """Takes paths and URLs as they are; a first word that names a kind of source chooses it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands:
            args = ["any", *args]
        return super().parse_args(ctx, args)


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


@click.group("ingest", cls=_IngestGroup, invoke_without_command=False)
def command() -> None:
    """Make datasets of products: alos2 ingest PATH|URL ..."""


@command.command("any", cls=_AnyCommand, hidden=True)
@click.argument("targets", nargs=-1, required=True, metavar="PATH|URL...")
@common_options
@click.pass_context
def ingest_any(ctx: click.Context, /, targets: tuple[str, ...], **chosen: Any) -> None:
    """Make datasets of ALOS-2/PALSAR-2 products.

    PATH is a zip, a zip in a zip or an unpacked folder; URL is http(s) or file. A dataset is
    there whole or not at all; the same product again changes nothing. Where a word could be both,
    'alos2 ingest url URL ...' takes URLs only.
    """
    run(ctx, targets, **chosen)


@command.command("url", cls=GroupedCommand)
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
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
    out: Path | None,
    footprint: Any,
    min_overlap: float | None,
    leader: Path | None,
    force: bool,
    publish_to: str | None,
    place_names: tuple[str, ...],
    **pictures: Any,
) -> None:
    """Ingest `targets` with what the flags, the environment and the configuration say."""
    # Imported late, so that --help is quick.
    from alos2.cli.settings import ingest_options, load
    from alos2.jobs import context
    from alos2.jobs.ingest import ingest_all
    from alos2.jobs.outcome import Failed, raise_failures

    settings = load()
    options = ingest_options(settings, out=out)
    if min_overlap is not None:
        found = replace(options.footprint_options, min_overlap=min_overlap)
        options = replace(options, footprint_options=found)
    options = replace(
        options,
        footprint=footprint or options.footprint,
        leader=leader,
        force=force,
        pictures=picture_options(options.pictures, **pictures),
    )
    failures: list[Failed] = []
    done = 0
    quiet = bool((ctx.obj or {}).get("quiet"))
    with context.about(context.job, "ingest"), progress_bar(quiet=quiet) as progress:
        published = publishing(publish_to, place_names, force=force, progress=progress)
        for outcome in ingest_all(targets, replace(options, progress=progress)):
            if isinstance(outcome, Failed):
                failures.append(outcome)
                continue
            line, failure = published(outcome.line)
            (json_line if as_json else product_block)(line)
            if line.get("published") and not as_json:
                published_block(line["published"])
            if failure is not None:
                failures.append(Failed(line["id"], failure))
            else:
                done += 1
    raise_failures(failures, done)

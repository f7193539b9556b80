"""``alos2 publish``, and ``--publish`` of ``alos2 ingest``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from alos2.cli.grouped import GroupedCommand, GroupedOption
from alos2.cli.output import human_size, json_line
from alos2.cli.progress import progress_bar
from alos2.errors import Alos2Error, UsageError
from alos2.types import Json

if TYPE_CHECKING:
    from alos2.publish.model import Published
    from alos2.raster.pictures import Progress

_Command = TypeVar("_Command", bound=Callable[..., Any])

_WHERE = "Where to"
_HOW = "How"
_SET_HELP = "Value of a {{ NAME }} in RULES [default: $ALOS2_NAME]; may be repeated."


def publish_options(function: _Command) -> _Command:
    """Add what an ingest may be told about publishing."""
    options = [
        click.option(
            "--publish", "publish_to", metavar="RULES|URL|DIR", cls=GroupedOption,
            heading="Publishing", help="Publish each dataset; as 'alos2 publish --to'.",
        ),
        click.option(
            "--set", "place_names", multiple=True, metavar="NAME=VALUE", cls=GroupedOption,
            heading="Publishing", help=_SET_HELP,
        ),
        click.option(
            "--catalogue", is_flag=True, cls=GroupedOption, heading="Publishing",
            help="File what is published in HySDS's catalogue [at $ALOS2_GRQ_URL].",
        ),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


@click.command("publish", cls=GroupedCommand)
@click.argument(
    "folders", nargs=-1, required=True, metavar="DATASET_DIR...", type=click.Path(path_type=Path)
)
@click.option(
    "--to",
    required=True,
    envvar="ALOS2_PUBLISH_TO",
    metavar="RULES|URL|DIR",
    cls=GroupedOption,
    heading=_WHERE,
    help="A datasets.json, or a folder, s3:// or davs:// URL of your own [$ALOS2_PUBLISH_TO].",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    cls=GroupedOption,
    heading=_WHERE,
    help=_SET_HELP,
)
@click.option(
    "--catalogue",
    is_flag=True,
    cls=GroupedOption,
    heading=_WHERE,
    help="File it in HySDS's catalogue besides [at $ALOS2_GRQ_URL].",
)
@click.option(
    "--force",
    is_flag=True,
    cls=GroupedOption,
    heading=_HOW,
    help="Replace another dataset of the same id.",
)
@click.option(
    "--verify-all",
    is_flag=True,
    cls=GroupedOption,
    heading=_HOW,
    help="Read everything back, also what is verified by other means.",
)
@click.option(
    "--at-once",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    cls=GroupedOption,
    heading=_HOW,
    help="Files that travel at a time.",
)
@click.option(
    "--wait",
    "patience_s",
    type=click.FloatRange(0),
    default=600,
    show_default=True,
    metavar="SECONDS",
    cls=GroupedOption,
    heading=_HOW,
    help="How long to wait for another publisher of the same dataset.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    cls=GroupedOption,
    heading=_HOW,
    help="One JSON object a dataset.",
)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    folders: tuple[Path, ...],
    to: str,
    settings: tuple[str, ...],
    *,
    catalogue: bool,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Publish datasets: all files there and verified, or none.

    RULES is a datasets.json as HySDS has it (config/datasets.json is one). A folder or URL of your
    own takes each dataset under its id. The same dataset again changes nothing; another of the
    same id is refused. Accounts come from a credential profile, the environment or ~/.netrc (for
    S3 from the AWS configuration): never from an argument or a URL.
    """
    # Imported late, so that --help is quick.
    from alos2.jobs.outcome import Failed, raise_failures

    failures: list[Failed] = []
    done = 0
    quiet = bool((ctx.obj or {}).get("quiet"))
    with progress_bar(quiet=quiet) as progress:
        publish = publisher(to, settings, catalogue=catalogue, progress=progress, **chosen)
        for folder in folders:
            try:
                line = publish(folder)
            except Alos2Error as error:
                if error.exit_code in (130, 143):
                    raise
                failures.append(Failed(str(folder), error))
                continue
            done += 1
            (json_line if as_json else published_block)(line)
    raise_failures(failures, done)


def publisher(
    to: str,
    settings: tuple[str, ...],
    *,
    progress: Progress,
    catalogue: bool = False,
    **chosen: Any,
) -> Callable[[Path], Json]:
    """Return what publishes a folder and tells what became of it.

    Raises
    ------
    UsageError
        `to` leads nowhere, or the catalogue's address is not known.
    """
    from alos2.hysds.accounts import account_for
    from alos2.publish.engine import publish
    from alos2.publish.model import PublishOptions
    from alos2.publish.target import target_of

    target = target_of(to, settings)
    options = PublishOptions(logins=account_for, progress=progress, **chosen)
    extra: dict[str, Any] = {}
    if catalogue:
        from alos2.catalogue import GrqCatalogue, document_of
        from alos2.hysds.cluster import connect, find_cluster

        # It is closed with the process; one connection serves all datasets.
        rest = connect(find_cluster(Path.cwd()), "GRQ")
        extra = {"catalogue": GrqCatalogue(rest), "document": document_of}

    def run(folder: Path) -> Json:
        return published_line(publish(folder, target, options, **extra), catalogued=catalogue)

    return run


def publishing(
    to: str | None,
    place_names: tuple[str, ...],
    *,
    catalogue: bool,
    force: bool,
    progress: Progress,
) -> Callable[[Json], tuple[Json, Alos2Error | None]]:
    """Return what an ingest does with the line of each dataset: publish it, if `to` says where.

    The line that comes back has a further key ``published``: what `published_line` says, or null
    where it failed, and why comes beside it.

    Raises
    ------
    UsageError
        `to` leads nowhere, or there is none to catalogue; the catalogue's address is not known.
    """
    if to is None:
        if catalogue:
            raise UsageError(
                "--catalogue files what is published, and nothing is", hint="add --publish"
            )
        return lambda line: (line, None)
    publish = publisher(to, place_names, catalogue=catalogue, force=force, progress=progress)

    def run(line: Json) -> tuple[Json, Alos2Error | None]:
        try:
            return {**line, "published": publish(Path(line["dataset_dir"]))}, None
        except Alos2Error as error:
            if error.exit_code in (130, 143):
                raise
            return {**line, "published": None}, error

    return run


def published_line(published: Published, *, catalogued: bool) -> Json:
    """Return what is said of a published dataset; docs/publishing.md has the keys."""
    placement = published.placement
    browse = placement.browse
    return {
        "id": published.id,
        "type": placement.filing.type,
        "dataset": placement.filing.dataset,
        "index": placement.filing.index,
        "status": published.status,
        "location": placement.publish.location,
        "urls": list(placement.publish.urls),
        "browse_urls": [] if browse is None else list(browse.urls),
        "catalogued": catalogued,
        "files": published.files,
        "size": published.size_bytes,
        "seconds": round(published.seconds, 3),
        "dataset_dir": str(published.folder),
    }


def published_block(line: Json) -> None:
    """Print where a dataset is, for a person."""
    click.echo(f"{line['id']}  [{line['status']}]")
    rows = [
        ("at", line["location"]),
        *(("url", url) for url in line["urls"] if url != line["location"]),
        ("files", f"{line['files']}, {human_size(line['size'])}"),
    ]
    if line["catalogued"]:
        rows.append(("catalogued in", line["index"]))
    for name, value in rows:
        click.echo(f"  {name:<19} {value}")

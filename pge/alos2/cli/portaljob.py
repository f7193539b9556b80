"""What the commands of all portals share: their options, the list, the outcomes, the last line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from alos2.cli.grouped import GroupedOption
from alos2.cli.ingest import chosen_options, common_options
from alos2.cli.output import human_size, json_line, product_block
from alos2.cli.progress import progress_bar
from alos2.cli.publish import published_block, publishing

if TYPE_CHECKING:
    from alos2.errors import Alos2Error
    from alos2.hysds.workdir import WorkDir
    from alos2.jobs.options import IngestOptions
    from alos2.jobs.portaloutcome import Listed, Outcome, Tally
    from alos2.sources.credentials import Choice
    from alos2.sources.portals.model import Query
    from alos2.types import Json

_Command = TypeVar("_Command", bound=Callable[..., Any])
_PORTAL = "Portal"


def portal_options(function: _Command) -> _Command:
    """Add what every portal's ingest may be told, and `common_options`."""
    options = [
        click.option(
            "--profile", cls=GroupedOption, heading=_PORTAL,
            help="Which site of it: a profile of alos2.toml, or a built-in one.",
        ),
        click.option(
            "--credential", metavar="NAME", cls=GroupedOption, heading=_PORTAL,
            help="Name of the credential profile (never a password).",
        ),
        click.option(
            "--list", "list_only", is_flag=True, cls=GroupedOption, heading=_PORTAL,
            help="Only say what there is, and what would be done with it.",
        ),
        click.option(
            "--at-once", type=click.IntRange(1, 16), cls=GroupedOption, heading=_PORTAL,
            help="Downloads at the same time, at most 2 from one host [default: 3].",
        ),
    ]  # fmt: skip
    function = common_options(function)
    for option in reversed(options):
        function = option(function)
    return function


def run_portal(
    ctx: click.Context,
    name: str,
    query: Query,
    *,
    profile: str | None,
    credential: str | None,
    list_only: bool,
    at_once: int | None,
    as_json: bool,
    publish_to: str | None,
    place_names: tuple[str, ...],
    catalogue: bool,
    **chosen: Any,
) -> None:
    """Ingest, or list, what the portal `name` finds for `query`.

    Parameters
    ----------
    ctx : click.Context
        Of the command.
    name : str
        As ``alos2.sources.portals.registry.names`` has it.
    query : Query
        What to look for.
    profile, credential, list_only, at_once, as_json, publish_to, place_names, catalogue
        As `portal_options` gives them.
    **chosen
        The rest of `portal_options`.
    """
    # Imported late, so that --help is quick.
    from alos2.jobs import context
    from alos2.jobs.portaloutcome import Tally

    options = replace(chosen_options(**chosen), credential=credential)
    quiet = bool((ctx.obj or {}).get("quiet"))
    tally = Tally()
    with context.about(context.job, f"ingest {name}"), progress_bar(quiet=quiet) as progress:
        outcomes = portal_outcomes(
            name,
            query,
            replace(options, progress=progress),
            profile=profile,
            list_only=list_only,
            at_once=at_once,
        )
        if list_only:
            show_list(outcomes, tally, as_json=as_json)
        else:
            published = publishing(
                publish_to,
                place_names,
                catalogue=catalogue,
                force=options.force,
                progress=progress,
            )
            for outcome in _published(outcomes, published):
                tally.add(outcome)
                _show(outcome, as_json=as_json, quiet=quiet)
    if not quiet and not list_only:
        click.echo(f"alos2: {tally}", err=True)
    tally.raise_failures()


def portal_outcomes(
    name: str,
    query: Query,
    options: IngestOptions,
    *,
    profile: str | None = None,
    list_only: bool = False,
    at_once: int | None = None,
    work: WorkDir | None = None,
    queue: str | None = None,
    resubmit: bool = False,
    credential: Choice = None,
    notes: list[str] | None = None,
) -> Iterator[Outcome]:
    """Open the portal and yield the outcomes: for commands and PGEs alike.

    Parameters
    ----------
    name, query
        See `run_portal`.
    options : IngestOptions
        How, and where to; ``credential`` names the account.
    profile : str, optional
        Which site of the portal.
    list_only : bool
        Only list.
    at_once : int, optional
        Downloads at the same time.
    work : WorkDir, optional
        The directory of the job that this is.
    queue : str, optional
        Under HySDS: the queue that takes a job for each file. A single id is always ingested
        here: this may be the job that was submitted for it.
    resubmit : bool
        Submit a job also for what is held or under way.
    credential : str or Credential, optional
        Instead of ``options.credential``: a name, or the account itself.
    notes : list of str, optional
        Takes what people should know about the whole run.

    Yields
    ------
    Ingested, Failed, Skipped, Submitted or Listed
        See `alos2.jobs.portal.ingest_portal`.
    """
    from alos2.cli.settings import load, portal_profile
    from alos2.jobs.fanout import NOT_SUBMITTED, fan_out_for
    from alos2.jobs.pool import Caps
    from alos2.jobs.portal import ingest_portal
    from alos2.sources.portals.registry import open_portal

    site = portal_profile(load(), name, profile)
    # Before the portal is asked: whether there is a queue is known, a login may lock an account.
    alone = list_only or len(query.ids) == 1
    fan_out = None if alone or work is None else fan_out_for(work, queue, resubmit=resubmit)
    if queue and fan_out is None and not alone and notes is not None:
        notes.append(NOT_SUBMITTED.format(queue=queue))
    caps = Caps() if at_once is None else Caps(at_once, min(at_once, Caps().per_host))
    with (
        nullcontext() if fan_out is None else closing(fan_out),
        open_portal(
            name,
            profile=site,
            credential=credential or options.credential,
            options=options.transfer,
        ) as portal,
    ):
        yield from ingest_portal(
            portal,
            query,
            options,
            fan_out=fan_out,
            queue=queue,
            list_only=list_only,
            caps=caps,
        )


def _published(
    outcomes: Iterable[Outcome], publish: Callable[[Json], tuple[Json, Alos2Error | None]]
) -> Iterator[Outcome]:
    """Publish each dataset as soon as it is there; one that could not be is followed by why."""
    from alos2.jobs.ingest import Ingested
    from alos2.jobs.outcome import Failed

    for outcome in outcomes:
        if not isinstance(outcome, Ingested):
            yield outcome
            continue
        line, failure = publish(outcome.line)
        yield replace(outcome, line=line)
        for error in (failure, outcome.uncatalogued):
            if error is not None:
                yield Failed(str(line["id"]), error)


def _show(outcome: Outcome, *, as_json: bool, quiet: bool) -> None:
    """Print a dataset on standard output, the rest on standard error."""
    from alos2.dataset.scrub import scrub
    from alos2.jobs.ingest import Ingested
    from alos2.jobs.portaloutcome import line_of

    if isinstance(outcome, Ingested):
        (json_line if as_json else product_block)(outcome.line)
        if outcome.line.get("published") and not as_json:
            published_block(outcome.line["published"])
    elif not quiet:
        click.echo(f"alos2: {scrub(line_of(outcome))}", err=True)


def show_list(outcomes: Iterable[Outcome], tally: Tally, *, as_json: bool) -> None:
    """Print the files: a JSON object a line as they come, or a table at the end."""
    from alos2.jobs.portaloutcome import Listed, line_of

    listed: list[Listed] = []
    for outcome in outcomes:
        tally.add(outcome)
        if not isinstance(outcome, Listed):
            click.echo(f"alos2: {line_of(outcome)}", err=True)
        elif as_json:
            json_line(outcome.to_json())
        else:
            listed.append(outcome)
    if listed:
        _table(listed)


def _table(listed: list[Listed]) -> None:
    rows = [("ID", "EOR", "DAY", "SIZE", "FILE", "")]
    for one in listed:
        item = one.item
        rows.append(
            (
                item.id,
                item.eor_id or "-",
                f"{item.when:%Y-%m-%d}" if item.when else "-",
                human_size(item.size) if item.size is not None else "?",
                item.name or item.title or "?",
                f"left out: {one.reason}" if one.reason else "",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[5]]).rstrip())

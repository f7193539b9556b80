"""``alos2 ingest portal NAME``: from any portal, those of plugins included."""

from __future__ import annotations

from typing import Any

import click

from alos2.cli.grouped import GroupedOption
from alos2.cli.portaljob import portal_options, run_portal
from alos2.cli.searchoptions import SearchCommand, box_of, days_of, search_options


@click.command("portal", cls=SearchCommand)
@click.argument("name")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@search_options
@click.option(
    "--eor-id", metavar="ID", cls=GroupedOption, heading="What to look for",
    help="Emergency observation request, where the portal has such.",
)  # fmt: skip
@portal_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    name: str,
    ids: tuple[str, ...],
    bbox: str | None,
    days: str | None,
    mode: str | None,
    limit: int | None,
    eor_id: str | None,
    **chosen: Any,
) -> None:
    """Make datasets of what the portal NAME has, also one that a plugin brings.

    ID is whatever the portal calls a file or product. A portal refuses what it cannot be searched
    by. 'alos2 search --source list' names all portals.
    """
    from alos2.sources.portals.model import Query

    start, end = days_of(days)
    query = Query(ids, eor_id, start, end, box_of(bbox), mode, limit)
    run_portal(ctx, name, query, **chosen)

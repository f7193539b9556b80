"""``alos2 ingest sentinel-asia``: data files of emergency observation requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alos2.cli.eoroptions import eor_options, eor_query
from alos2.cli.grouped import GroupedCommand
from alos2.cli.portaljob import portal_options, run_portal

if TYPE_CHECKING:
    from datetime import date


@click.command("sentinel-asia", cls=GroupedCommand)
@eor_options
@portal_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    data_ids: tuple[str, ...],
    eor_id: str | None,
    start: date | None,
    end: date | None,
    **chosen: Any,
) -> None:
    """Make datasets of ALOS-2 files of Sentinel Asia's emergency observation requests (EOR).

    Give exactly one of --data-id, --eor-id and --start-date. Of a request or of days all ALOS-2
    data files are taken that are zips and of which there is no dataset yet; --list says which.
    """
    run_portal(ctx, "sentinel-asia", eor_query(data_ids, eor_id, start, end), **chosen)

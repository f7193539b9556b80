"""``alos2 ingest optemis``: Sentinel Asia's present portal. Experimental."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alos2.cli.eoroptions import eor_options, eor_query
from alos2.cli.grouped import GroupedCommand
from alos2.cli.portaljob import portal_options, run_portal

if TYPE_CHECKING:
    from datetime import date


@click.command("optemis", cls=GroupedCommand)
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
    """EXPERIMENTAL: make datasets of ALOS-2 files of OPTEMIS, Sentinel Asia's present portal.

    The portal's answers were never seen by who wrote this: where fields and paths are is
    configuration (docs/portals.md). Give exactly one of --data-id, --eor-id and --start-date.
    """
    run_portal(ctx, "optemis", eor_query(data_ids, eor_id, start, end), **chosen)

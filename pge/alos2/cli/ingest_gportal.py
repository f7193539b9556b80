"""``alos2 ingest gportal``: products by name, or those of a place and time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from alos2.cli.portaljob import portal_options, run_portal
from alos2.cli.searchoptions import SearchCommand, box_of, days_of, search_options
from alos2.errors import UsageError

if TYPE_CHECKING:
    from alos2.sources.portals.model import Query

_HINT = (
    "name products (ALOS2oooooffff-YYMMDD, the same with -FBDR1.1__A, or a download's address), "
    "or say where and when: --bbox W S E N, --date A/B, --mode"
)


@click.command("gportal", cls=SearchCommand)
@click.argument("names", nargs=-1, metavar="[PRODUCT_ID]...")
@search_options
@portal_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    *,
    names: tuple[str, ...],
    bbox: str | None,
    days: str | None,
    mode: str | None,
    limit: int | None,
    **chosen: Any,
) -> None:
    """Make datasets of products of JAXA's G-Portal.

    PRODUCT_ID is the name of a product or scene, or the address of a download, also by way of the
    login page (goto=). Without one all products of --bbox, --date and --mode are taken of which
    there is no dataset yet; --list says which, without a login. The site is --profile gportal-2026
    (the default: key) or gportal-legacy (account and password).
    """
    query = gportal_query(names, bbox=bbox, days=days_of(days), mode=mode, limit=limit)
    run_portal(ctx, "gportal", query, **chosen)


def gportal_query(
    names: Sequence[str],
    *,
    bbox: str | None,
    days: tuple[date | None, date | None],
    mode: str | None,
    limit: int | None = None,
) -> Query:
    """Return the query for names, or for a place and time.

    Raises
    ------
    UsageError
        Neither is given, or both.
    """
    from alos2.sources.portals.model import Query
    from alos2.sources.portals.querytext import check_days

    start, end = days
    ids = tuple(dict.fromkeys(word.strip() for word in names if word.strip()))
    given = [
        word
        for word, value in (("a box", bbox), ("days", start or end), ("a mode", mode))
        if value is not None
    ]
    if ids and given:
        raise UsageError(f"product ids and {given[0]} are given", hint=_HINT)
    if not ids and bbox is None and start is None and end is None:
        raise UsageError("nothing says what to ingest", hint=_HINT)
    check_days(start, end)
    return Query(ids, start=start, end=end, bbox=box_of(bbox), mode=mode, limit=limit)

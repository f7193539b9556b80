"""``alos2 ingest auig2``: orders of JAXA's AUIG2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alos2.cli.grouped import GroupedCommand
from alos2.cli.portaljob import portal_options, run_portal, show_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alos2.jobs.portaloutcome import Outcome
    from alos2.sources.portals.model import Portal, Query


@click.command("auig2", cls=GroupedCommand)
@click.argument("orders", nargs=-1, required=True, metavar="ORDER_ID...")
@portal_options
def command(
    *,
    orders: tuple[str, ...],
    list_only: bool,
    profile: str | None,
    credential: str | None,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Make datasets of AUIG2 orders (legacy: the portal may be gone).

    ORDER_ID is the number in AUIG2's mail, zeros in front included. All orders are downloaded with
    one login. The account comes from a credential profile, the environment, the keyring or netrc:
    docs/credentials.md.
    """
    # Imported late, so that --help is quick.
    from alos2.sources.portals.auig2 import order_ids
    from alos2.sources.portals.model import Query

    query = Query(ids=order_ids(" ".join(orders)))
    if list_only:
        _list(query, profile, credential, as_json=as_json)
        return
    run_portal(
        click.get_current_context(),
        "auig2",
        query,
        profile=profile,
        credential=credential,
        list_only=False,
        as_json=as_json,
        **chosen,
    )


def _list(query: Query, profile: str | None, credential: str | None, *, as_json: bool) -> None:
    """Say which of the orders can be downloaded, by beginning to download each."""
    from alos2.cli.settings import ingest_options, load, portal_profile
    from alos2.jobs.portaloutcome import Tally
    from alos2.sources.portals.registry import open_portal

    settings = load()
    site = portal_profile(settings, "auig2", profile)
    patience = ingest_options(settings, out=None).transfer
    tally = Tally()
    with open_portal("auig2", profile=site, credential=credential, options=patience) as portal:
        show_list(_looked_at(portal, query), tally, as_json=as_json)
    tally.raise_failures()


def _looked_at(portal: Portal, query: Query) -> Iterator[Outcome]:
    from dataclasses import replace

    from alos2.errors import Alos2Error, Interrupted, LoginFailed, TransferFailed
    from alos2.jobs.outcome import Failed
    from alos2.jobs.portaloutcome import Listed
    from alos2.sources.remote import Passing

    for item in portal.search(query):
        try:
            with portal.remote(item).open(0, None) as reply:
                yield Listed(replace(item, name=reply.name, size=reply.total))
        except Passing as fault:
            yield Failed(item.id, TransferFailed(f"AUIG2: {fault}"))
        except (Interrupted, LoginFailed):
            raise
        except Alos2Error as error:
            yield Failed(item.id, error)

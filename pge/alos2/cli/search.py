"""``alos2 search``: what an archive, portals and catalogues have, without fetching anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from alos2.cli.grouped import GroupedOption
from alos2.cli.output import human_size, json_line
from alos2.cli.searcharchive import (
    ARCHIVE,
    ArchiveChoice,
    archive_options,
    query_of,
    search_archive,
)
from alos2.cli.searchoptions import SearchCommand, box_of, days_of, search_options

if TYPE_CHECKING:
    from alos2.jobs.search import Found

_SOURCE = "Where to look"
_RESULT = "Result"
_USUAL_LIMIT = 100

Form = Literal["table", "json", "ndjson"]


@click.command("search", cls=SearchCommand)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--source", cls=GroupedOption, heading=_SOURCE,
    help="Portal, catalogue or archive; --source list names them all [default: the archive if "
    "there is one, else gportal].",
)  # fmt: skip
@click.option(
    "--profile", cls=GroupedOption, heading=_SOURCE,
    help="Which site of it: a profile of alos2.toml, or a built-in one (gportal-legacy).",
)  # fmt: skip
@click.option(
    "--credential", cls=GroupedOption, heading=_SOURCE,
    help="Name of the credential, where a login is needed (never a password).",
)  # fmt: skip
@search_options
@archive_options
@click.option(
    "--eor", "eor_id", metavar="ID", cls=GroupedOption, heading="What to look for",
    help="Emergency observation request (sentinel-asia, optemis).",
)  # fmt: skip
@click.option(
    "--json", "form", flag_value="json", cls=GroupedOption, heading=_RESULT,
    help="One GeoJSON FeatureCollection.",
)  # fmt: skip
@click.option(
    "--ndjson", "form", flag_value="ndjson", cls=GroupedOption, heading=_RESULT,
    help="One GeoJSON Feature a line.",
)  # fmt: skip
def command(
    names: tuple[str, ...],
    *,
    source: str | None,
    profile: str | None,
    credential: str | None,
    bbox: str | None,
    days: str | None,
    mode: str | None,
    limit: int | None,
    eor_id: str | None,
    form: Form | None,
    **archive: Any,
) -> None:
    """Search the archive, a portal or a catalogue; nothing is fetched.

    NAMEs are products or scenes. A portal has to be told them, or where (--bbox) or when (--date).
    Where $ALOS2_ARCHIVE or --archive names an archive, or this folder is one, it is searched
    unless --source says otherwise. Exit code 6 when nothing is found.
    """
    # Imported late, so that --help is quick.
    from alos2.cli.settings import load, portal_profile
    from alos2.jobs.search import SearchOptions, open_search, search, search_names
    from alos2.sources.model import TransferOptions
    from alos2.sources.portals.model import Query
    from alos2.sources.portals.registry import names as names_of_portals

    if source == "list":
        portals = names_of_portals()
        others = [name for name in search_names() if name not in portals]
        for name in (*portals, ARCHIVE, *others):
            click.echo(name)
        return
    choice = ArchiveChoice(**archive)
    is_of_portals = bool(profile or credential or eor_id)
    if source == ARCHIVE or (source is None and not is_of_portals):
        place = choice.place() or (Path.cwd() if source == ARCHIVE else None)
        if place is not None:
            where = query_of(choice, names=names, bbox=bbox, days=days, mode=mode, limit=limit)
            search_archive(place, where, form=form or "table", as_stacks=choice.as_stacks)
            return
    source = source or "gportal"
    choice.refuse(source)
    start, end = days_of(days)
    query = Query(
        ids=names,
        eor_id=eor_id,
        start=start,
        end=end,
        bbox=box_of(bbox),
        mode=mode,
        limit=limit or _USUAL_LIMIT,
    )
    site = portal_profile(load(), source, profile) if source in names_of_portals() else None
    # Somebody is waiting; a catalogue may think for more than a minute.
    patience = TransferOptions(retries=2, stall_s=120.0)
    options = SearchOptions(profile=site, credential=credential, transfer=patience)
    with open_search(source, options) as portal:
        found = search(portal, query)
    _show(found, form or "table")
    if found.more:
        click.echo(f"alos2: these are the first {query.limit}; there are more (--limit)", err=True)


def _show(found: Found, form: Form) -> None:
    from alos2.jobs.search import collection, feature

    if form == "json":
        json_line(collection(found))
    elif form == "ndjson":
        for item in found.items:
            json_line(feature(item))
    else:
        rows = [("ID", "TIME (UTC)", "MODE", "SIZE", "FILE")]
        for item in found.items:
            when = f"{item.when:%Y-%m-%d %H:%M}" if item.when else "?"
            size = human_size(item.size) if item.size else "?"
            what = f"- {item.skip}" if item.skip else item.name or item.title
            rows.append((item.id, when, item.properties.get("mode", ""), size, what))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for row in rows:
            cells = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
            click.echo("  ".join([*cells, row[4]]).rstrip())

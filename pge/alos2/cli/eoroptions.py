"""What to look for at the portals of Sentinel Asia: a file, a request, or the requests of days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import click

from alos2.cli.grouped import GroupedOption
from alos2.errors import UsageError

if TYPE_CHECKING:
    from alos2.sources.portals.model import Query

_Command = TypeVar("_Command", bound=Callable[..., Any])
_HEADING = "What to look for (exactly one of --data-id, --eor-id, --start-date)"


def eor_options(function: _Command) -> _Command:
    """Add ``--data-id``, ``--eor-id``, ``--start-date`` and ``--end-date``."""
    options = [
        click.option(
            "--data-id", "data_ids", multiple=True, metavar="ID", cls=GroupedOption,
            heading=_HEADING, help="A file; may be repeated.",
        ),
        click.option(
            "--eor-id", metavar="ID", cls=GroupedOption, heading=_HEADING,
            help="All files of this emergency observation request.",
        ),
        click.option(
            "--start-date", "start", metavar="DAY", callback=_day, cls=GroupedOption,
            heading=_HEADING, help="All files of the requests from this day on (2019-08-16).",
        ),
        click.option(
            "--end-date", "end", metavar="DAY", callback=_day, cls=GroupedOption,
            heading=_HEADING, help="The last day, itself included [default: no last day].",
        ),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def _day(ctx: click.Context, parameter: click.Parameter, text: str | None) -> date | None:  # noqa: ARG001
    from alos2.sources.portals.querytext import parse_day

    return None if text is None or not text.strip() else parse_day(text)


def eor_query(
    data_ids: Sequence[str], eor_id: str | None, start: date | None, end: date | None
) -> Query:
    """Return the query for exactly one of the three.

    Raises
    ------
    UsageError
        None of them is given, or several.
    """
    from alos2.sources.portals.model import Query

    ids = tuple(dict.fromkeys(word.strip() for word in data_ids if word.strip()))
    eor_id = (eor_id or "").strip() or None
    given = [
        name
        for name, value in (("data id", ids), ("EOR id", eor_id), ("start date", start))
        if value
    ]
    hint = "give exactly one of data id, EOR id and start date; an end date only with a start date"
    if len(given) != 1:
        said = " and ".join(given) + " are given" if given else "nothing says what to ingest"
        raise UsageError(said, hint=hint)
    if end is not None and start is None:
        raise UsageError(f"an end date is given with a {given[0]}", hint=hint)
    if start is not None and end is not None and end < start:
        raise UsageError(f"the end date {end} lies before the start date {start}", hint=hint)
    return Query(ids=ids, eor_id=eor_id, start=start, end=end)

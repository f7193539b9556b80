"""Options of everything that searches: where, when, which mode, how many."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

import click

from alos2.cli.grouped import GroupedCommand, GroupedOption

_Command = TypeVar("_Command", bound=Callable[..., Any])
_HEADING = "What to look for"
_NUMBER = re.compile(r"[+-]?\d*\.?\d+,?")


class SearchCommand(GroupedCommand):
    """Takes a box as four words too: ``--bbox 138 34 139 35``, negative numbers included."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Join the four numbers behind ``--bbox`` by commas."""
        joined: list[str] = []
        words = list(args)
        while words:
            word = words.pop(0)
            joined.append(word)
            if word == "--bbox":
                numbers = words[:4]
                if len(numbers) == 4 and all(_NUMBER.fullmatch(n) for n in numbers):
                    joined[-1] = "--bbox=" + ",".join(n.rstrip(",") for n in numbers)
                    words = words[4:]
                elif words:
                    # One word that begins with a minus is no option here.
                    joined[-1] = f"--bbox={words.pop(0)}"
        return super().parse_args(ctx, joined)


def search_options(function: _Command) -> _Command:
    """Add ``--bbox``, ``--date``, ``--mode`` and ``--limit``."""
    options = [
        click.option(
            "--bbox", metavar="W S E N", cls=GroupedOption, heading=_HEADING,
            help="Box in degrees, also with commas; west > east crosses the antimeridian.",
        ),
        click.option(
            "--date", "days", metavar="A/B", cls=GroupedOption, heading=_HEADING,
            help="A day (2018-09-05), or two with a slash; A/.. and ../B are open.",
        ),
        click.option(
            "--mode", cls=GroupedOption, heading=_HEADING,
            help="Mode as in product names (FBD), its first letters (FB), or a word (scansar).",
        ),
        click.option(
            "--limit", type=click.IntRange(min=1), cls=GroupedOption, heading=_HEADING,
            help="At most so many.",
        ),
    ]  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def days_of(text: str | None) -> tuple[date | None, date | None]:
    """Return the first and last day that ``--date`` names; None, None without it."""
    from alos2.sources.portals.querytext import parse_days

    return (None, None) if text is None else parse_days(text)


def box_of(text: str | None) -> tuple[float, float, float, float] | None:
    """Return the box that ``--bbox`` names."""
    from alos2.sources.portals.querytext import parse_bbox

    return None if text is None else parse_bbox(text)

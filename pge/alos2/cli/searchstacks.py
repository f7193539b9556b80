"""``alos2 search --stack``: scenes that can be compared, and how far apart they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import click

from alos2.cli.output import json_line
from alos2.errors import NothingFound

if TYPE_CHECKING:
    from alos2.catalogue.embedded import EmbeddedCatalogue, Query
    from alos2.catalogue.embedded.stacks import Stack

_WORDS = {"A": "ascending", "D": "descending", "L": "left", "R": "right", None: "?"}


def show_stacks(
    catalogue: EmbeddedCatalogue, query: Query, *, form: Literal["table", "json", "ndjson"]
) -> None:
    """Print the stacks of what a query finds.

    Raises
    ------
    NothingFound
        No two scenes of it can be compared.
    """
    from alos2.catalogue.embedded.stacks import stacks

    items = (hit.item for hit in catalogue.search(query) if hit.folder.is_dir())
    found = stacks(items)
    if not found:
        raise NothingFound(
            "no two scenes of it can be compared", hint="ask for a longer time or a larger place"
        )
    if form == "json":
        json_line({"stacks": [stack.to_json() for stack in found]})
    elif form == "ndjson":
        for stack in found:
            json_line(stack.to_json())
    else:
        for number, stack in enumerate(found):
            if number:
                click.echo()
            _block(stack)


def _block(stack: Stack) -> None:
    beam = ""
    if stack.beams:
        beam = f", beams {' '.join(stack.beams)}"
    elif stack.off_nadir_deg is not None:
        beam = f", off-nadir {stack.off_nadir_deg:.1f}"
    click.echo(
        f"path {stack.path}, frame {stack.frame}, {stack.mode}, {_WORDS[stack.pass_direction]}, "
        f"looking {_WORDS[stack.look]}{beam}: {len(stack.members)} scenes"
    )
    rows: list[Sequence[str]] = [("SCENE", "TIME (UTC)", "DAYS", "BPERP (m)", "DATASETS")]
    for member in stack.members:
        across = member.perpendicular_m
        rows.append(
            (
                member.scene + ("*" if member.scene == stack.reference else ""),
                f"{member.time:%Y-%m-%d %H:%M}",
                f"{member.days:.0f}",
                "-" if across is None else f"{across:.1f}",
                " ".join(member.datasets),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        scene, when, days, across_text = (row[column] for column in range(4))
        click.echo(
            f"  {scene:<{widths[0]}}  {when:<{widths[1]}}  {days:>{widths[2]}}  "
            f"{across_text:>{widths[3]}}  {row[4]}".rstrip()
        )
    for reason in dict.fromkeys(m.reason for m in stack.members if m.reason):
        count = sum(m.reason == reason for m in stack.members)
        click.echo(f"  - no baseline of {count}: {reason}")

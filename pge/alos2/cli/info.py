"""``alos2 info``: what a product is, without network and without pixels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from alos2.cli.output import json_line, product_block
from alos2.errors import Alos2Error
from alos2.types import Json


@click.command("info")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a product, a line each.")
@click.option(
    "--leader",
    type=click.Path(path_type=Path),
    help="CEOS leader (file, folder or zip) of the same scene, for a GeoTIFF delivery.",
)
def command(paths: tuple[Path, ...], *, as_json: bool, leader: Path | None) -> None:
    """Tell what ALOS-2 products PATHS (folders, zips, zips in zips) hold.

    Nothing is extracted; neither network nor pixels are touched. What is missing or damaged is
    listed under problems, and the exit code is 0 all the same.
    """
    # Imported late, so that --help is quick.
    from alos2.jobs.info import describe
    from alos2.jobs.outcome import Failed, raise_failures

    failures: list[Failed] = []
    done = 0
    for path in paths:
        try:
            lines: Iterable[Json] = describe(path, leader=leader)
        except Alos2Error as error:
            failures.append(Failed(str(path), error))
            continue
        done += 1
        for line in lines:
            (json_line if as_json else product_block)(line)
    raise_failures(failures, done)

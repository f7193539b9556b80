"""A progress bar on standard error, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alos2.raster.pictures import Progress


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Progress]:
    """Give something to tell of progress; silent where standard error is not a terminal."""
    # Imported late, so that --help is quick: numpy comes with it.
    from alos2.raster.pictures import silent

    if quiet or not sys.stderr.isatty():
        yield silent
        return
    # Imported late: programs that read our output never see a bar.
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<16}"), BarColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, int] = {}

        def show(stage: str, done: int, total: int | None) -> None:
            if stage not in tasks:
                for finished in tasks.values():
                    bars.update(finished, visible=False)  # type: ignore[arg-type]
                tasks[stage] = int(bars.add_task(stage, total=total))
            bars.update(tasks[stage], completed=done, total=total)  # type: ignore[arg-type]

        yield show

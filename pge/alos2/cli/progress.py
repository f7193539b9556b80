"""Progress on standard error: a bar on a terminal, or lines of JSON for the program that asked.

With ``ALOS2_PROGRESS=json`` each line is ``{"progress": {"stage", "done", "total"}}``, a few a
second; ``total`` is null where nobody knows.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from alos2.cli.output import human_size

if TYPE_CHECKING:
    from alos2.raster.pictures import Progress

_EVERY_S: Final = 0.25

BYTES_STAGE: Final = "download"
"""The stage that counts bytes that come from outside: it shows its rate."""


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Progress]:
    """Give something to tell of progress; silent where nobody wants to know.

    That is where standard error is no terminal, unless the environment asks for JSON.
    """
    if os.environ.get("ALOS2_PROGRESS") == "json":
        yield _lines()
        return
    # Imported late, so that --help is quick: numpy comes with it.
    from alos2.raster.pictures import silent

    if quiet or not sys.stderr.isatty():
        yield silent
        return
    # Imported late: programs that read our output never see a bar.
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description:<16}"),
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, int] = {}
        lock = threading.Lock()

        def show(stage: str, done: int, total: int | None) -> None:
            with lock:
                if stage not in tasks:
                    for finished in tasks.values():
                        bars.update(finished, visible=False)  # type: ignore[arg-type]
                    tasks[stage] = int(bars.add_task(stage, total=total, amount=""))
                task = tasks[stage]
                bars.update(task, completed=done, total=total)  # type: ignore[arg-type]
                if stage == BYTES_STAGE:
                    speed = next((t.speed for t in bars.tasks if int(t.id) == task), None)
                    bars.update(task, amount=amount(done, total, speed))  # type: ignore[arg-type]

        yield show


def _lines() -> Progress:
    """Return what prints a line of JSON when a stage begins or ends, and now and then between."""
    last_stage, last_s = "", 0.0
    lock = threading.Lock()

    def tell(stage: str, done: int, total: int | None) -> None:
        nonlocal last_stage, last_s
        with lock:
            now_s = time.monotonic()
            if stage == last_stage and done != total and now_s - last_s < _EVERY_S:
                return
            last_stage, last_s = stage, now_s
            told = {"progress": {"stage": stage, "done": done, "total": total}}
            sys.stderr.write(json.dumps(told) + "\n")
            sys.stderr.flush()

    return tell


def amount(done: int, total: int | None, speed: float | None) -> str:
    """Say how much of a transfer is there, and how fast it goes.

    Parameters
    ----------
    done, total : int
        Bytes that are there, and that there will be; None: unknown.
    speed : float, optional
        Bytes a second of late; None: not known yet.
    """
    there = human_size(done) if total is None else f"{human_size(done)} of {human_size(total)}"
    return there if speed is None else f"{there}, {human_size(int(speed))}/s"

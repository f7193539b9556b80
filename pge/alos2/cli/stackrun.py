"""``alos2 stack run`` and its steps alone: a stack is made, or what is missing of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from alos2.cli.grouped import GroupedCommand, GroupedOption
from alos2.cli.output import json_line
from alos2.cli.progress import progress_bar

if TYPE_CHECKING:
    from alos2.stack.running.report import Settled
    from alos2.stack.running.whole import Done, Wanted

_Function = TypeVar("_Function", bound=Callable[..., Any])
_LONGEST_WHY: Final = 80


def _option(heading: str, *names: str, **more: Any) -> Callable[[_Function], _Function]:
    return click.option(*names, cls=GroupedOption, heading=heading, **more)


def _config(function: _Function) -> _Function:
    path = click.Path(path_type=Path, dir_okay=False)
    return click.argument("config", metavar="CONFIG", type=path)(function)


def _common(function: _Function) -> _Function:
    """Add what all verbs take that make something."""
    path = click.Path(path_type=Path, dir_okay=False)
    for option in reversed(
        (
            _option("How", "--threads", type=click.IntRange(1, 256), metavar="N",
                    help="Cores to use [default: the configuration's, else those there are]."),
            _option("How", "--memory", "memory_mb", type=click.IntRange(256), metavar="MB",
                    help="Most memory, MB [default: the configuration's, else a part of the "
                    "machine's]."),
            _option("How", "--verify", is_flag=True,
                    help="Compare checksums of what is there, and not only sizes."),
            _option("How", "--wait", "patience_s", type=click.FloatRange(0), default=0.0,
                    metavar="SECONDS", help="How long to wait for another run of this stack."),
            _option("On a cluster", "--site", type=path, metavar="FILE",
                    help="Site file: jobs of its scheduler do the work [default: [cluster] site]."),
            _option("On a cluster", "--scheduler", metavar="NAME",
                    help="Instead of the site file's; 'here' is this process."),
            _option("On a cluster", "--poll", "poll_s", type=click.FloatRange(0), metavar="SECONDS",
                    help="How often the scheduler is asked [default: 15]."),
            _option("Result", "--json", "as_json", is_flag=True,
                    help="A JSON object a line: plan, tasks, datasets, summary."),
        )
    ):  # fmt: skip
        function = option(function)
    return function


@click.command("run", cls=GroupedCommand)
@_config
@_option(
    "Result",
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="ARCHIVE",
    help="Put a dataset of each finished track, and of the mosaic, into an archive.",
)
@_option("Result", "--force", is_flag=True, help="Replace datasets of the same id that differ.")
@_common
@click.pass_context
def run(ctx: click.Context, /, config: Path, **given: Any) -> None:
    """Make the whole stack that CONFIG describes, or what is missing of it.

    What is there and was made of the same things in the same way is kept. A scene that fails does
    not stop the others: what can go on without it does, exit code 8, and the next run tries it
    again.
    """  # fmt: skip
    _make(ctx, config, None, given)


def _verb(name: str, text: str, *, only: bool = False) -> click.Command:
    def function(ctx: click.Context, /, config: Path, **given: Any) -> None:
        _make(ctx, config, name, given)

    function.__doc__ = f"{text}\n\n    What it needs and is missing is made first."
    made: Callable[..., Any] = click.pass_context(function)
    made = _common(made)
    if only:
        made = _option("What", "--only", "dates", multiple=True, metavar="DATE",
                       help="Only this acquisition (2020-07-13); repeatable.")(made)  # fmt: skip
    return click.command(name, cls=GroupedCommand)(_config(made))


@click.command("status", cls=GroupedCommand)
@_config
@_option("Result", "--json", "as_json", is_flag=True, help="A JSON object a line.")
@click.pass_context
def status(ctx: click.Context, /, config: Path, *, as_json: bool) -> None:
    """Say what is there of the stack that CONFIG describes, and what a run would make, and why."""
    from alos2.stack.config.read import load_config
    from alos2.stack.running.whole import damaged
    from alos2.stack.running.whole import status as look_at

    with progress_bar(quiet=_quiet(ctx)) as progress:
        plan, found = look_at(load_config(config), progress)
    for one in found.values():
        if as_json:
            json_line({"kind": "task", **one.to_json()})
        else:
            word = "done" if one.state == "kept" else "to do"
            click.echo(f"{word:<6} {one.task.id}{_because(one)}")
    if not as_json:
        for left in damaged(plan):
            click.echo(f"left out: {left.what}: {left.message}")


def _because(one: Settled) -> str:
    """Return why a task is to be done; names within its track without the track's."""
    why = one.why.replace(f"{one.task.track}/", "") if one.task.track else one.why
    if len(why) > _LONGEST_WHY:
        why = f"{why[: _LONGEST_WHY - 3]}..."
    return f"  ({why})" if why else ""


def _make(ctx: click.Context, config: Path, verb: str | None, given: Mapping[str, Any]) -> None:
    from alos2.stack.config.read import load_config
    from alos2.stack.running.whole import VERBS, Wanted, make_whole

    as_json = bool(given["as_json"])
    said = {name: value for name, value in given.items() if name != "as_json"}
    if "dates" in said:
        said["dates"] = tuple(date.replace("-", "") for date in said["dates"])
    wanted: Wanted = Wanted(steps=None if verb is None else VERBS[verb], **said)
    tell = json_line if as_json else lambda _: None
    with progress_bar(quiet=_quiet(ctx)) as progress:
        done: Done = make_whole(load_config(config), wanted, tell=tell, progress=progress)
    if as_json:
        json_line(done.report.to_json())
    else:
        for line in done.report.table():
            click.echo(line)
        for kept in done.datasets:
            click.echo(f"dataset: {kept.line['id']} [{kept.line['status']}]")
        click.echo(f"{done.report.work}: {_sum(done)}")
    for kept in done.datasets:
        if kept.uncatalogued is not None:
            raise kept.uncatalogued
    done.report.raise_failures()


def _sum(done: Done) -> str:
    counted = done.report.counts()
    told = ", ".join(f"{number} {state}" for state, number in counted.items() if number)
    return f"{told or 'nothing to do'}, {done.report.seconds:.1f} s"


def _quiet(ctx: click.Context) -> bool:
    return bool((ctx.obj or {}).get("quiet"))


COMMANDS: Final[Mapping[str, click.Command]] = {
    "run": run,
    "ard": _verb("ard", "Make the acquisitions analysis-ready.", only=True),
    "series": _verb("series", "Make the time series of each track, and its cube."),
    "timescan": _verb("timescan", "Make the metrics of each track's series."),
    "mosaic": _verb("mosaic", "Make the mosaics of all tracks."),
    "animate": _verb("animate", "Draw animations and quick looks of each track."),
    "status": status,
}
"""Verbs of ``alos2 stack`` that run it, by name."""

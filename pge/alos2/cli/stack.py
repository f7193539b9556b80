"""``alos2 stack``: scenes that can be compared become time series; here: what is to be made."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from alos2.cli.grouped import GroupedOption
from alos2.cli.output import json_line
from alos2.cli.progress import progress_bar
from alos2.cli.searchoptions import SearchCommand
from alos2.cli.stackoptions import changes_of, choice_options, with_archive
from alos2.errors import UsageError

_FILE: Final = "stack.toml"
_CONFIGS: Final = (".toml", ".yaml", ".yml")


class _StackGroup(click.Group):
    """The verbs that make something are imported when one of them is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        from alos2.cli.stackrun import COMMANDS

        return [*self.commands, *COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        from alos2.cli.stackrun import COMMANDS

        return COMMANDS.get(cmd_name)


@click.group("stack", cls=_StackGroup)
def command() -> None:
    """Make time series of scenes that can be compared.

    init writes a configuration, plan says what would be made of which scenes, run makes it.
    docs/stacks.md has the rest.
    """


@command.command("init", cls=SearchCommand)
@click.argument("file", default=_FILE, type=click.Path(path_type=Path, dir_okay=False))
@choice_options
@click.option("--force", is_flag=True, cls=GroupedOption, heading="Result", help="Replace FILE.")
def init(file: Path, *, force: bool, **chosen: Any) -> None:
    """Write a configuration to FILE [default: stack.toml], each parameter explained.

    Its name's end says whether it becomes TOML (.toml) or YAML (.yaml, .yml).
    """
    from alos2.stack.config.read import checked
    from alos2.stack.config.text import write_config

    config = checked(changes_of(chosen), "the command line")
    write_config(config, file, force=force)
    click.echo(file)


@command.command("plan", cls=SearchCommand)
@click.argument("places", nargs=-1, metavar="[CONFIG | FOLDER...]", type=click.Path(path_type=Path))
@choice_options
@click.option(
    "--no-plot", is_flag=True, cls=GroupedOption, heading="Result",
    help="No pictures: only plan.json is written.",
)  # fmt: skip
@click.option(
    "--json", "as_json", is_flag=True, cls=GroupedOption, heading="Result",
    help="One JSON object: what plan.json holds.",
)  # fmt: skip
@click.pass_context
def plan(
    ctx: click.Context, /, places: tuple[Path, ...], *, no_plot: bool, as_json: bool, **chosen: Any
) -> None:
    """Say which scenes make up which tracks, and what to know before anything runs.

    The scenes are those that CONFIG means, or that lie in the FOLDERs (or zips), or that the
    archive's catalogue has ($ALOS2_ARCHIVE, --archive). Options go before what CONFIG says. Told
    are coverage of each date, holes, scenes that are there twice, and what the stack will need;
    plan.json and pictures of it (plan.svg, plan.png) are written into the work folder.

    Exit code 6: there are no such scenes.
    """
    from alos2.stack.planning.plan import make_plan
    from alos2.stack.planning.report import plan_lines, write_plan

    config = _config_of(places, changes_of(chosen))
    quiet = bool((ctx.obj or {}).get("quiet"))
    with progress_bar(quiet=quiet) as progress:
        made = make_plan(config, tell=progress)
    written = write_plan(made, config.stack.work_dir, plot=not no_plot)
    if as_json:
        json_line({**made.to_json(), "files": [str(path) for path in written]})
        return
    for line in plan_lines(made):
        click.echo(line)
    click.echo("")
    for path in written:
        click.echo(path)


def _config_of(places: tuple[Path, ...], changes: Any) -> Any:
    """Return the configuration that a command line means.

    Raises
    ------
    UsageError
        It names a configuration and folders, or says what cannot be.
    """
    from alos2.stack.config.read import config_of, load_config, merged, parsed

    files = [place for place in places if place.suffix.lower() in _CONFIGS and not place.is_dir()]
    if files and len(places) > 1:
        raise UsageError(
            f"{files[0]} is a configuration: nothing else can be given beside it",
            hint="name the folders in its [stack] folders",
        )
    if files:
        said = merged(parsed(files[0]), changes)
        return load_config(files[0], with_archive(said, changes))
    if places:
        folders = [
            *changes.get("stack", {}).get("folders", ()),
            *map(str, map(Path.absolute, places)),
        ]
        changes = merged(changes, {"stack": {"folders": folders}})
    return config_of(with_archive(changes, changes), "the command line", Path.cwd())

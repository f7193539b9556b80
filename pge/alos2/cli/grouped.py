"""Help of a command with many options: under headings, instead of one long list."""

from __future__ import annotations

from typing import Any

import click


class GroupedOption(click.Option):
    """An option that stands under a heading.

    Parameters
    ----------
    heading : str
        Shown above the options that share it.
    """

    def __init__(self, *args: Any, heading: str = "Options", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heading = heading


class GroupedCommand(click.Command):
    """A command whose help shows its options under their headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the headings in the order of their first options."""
        sections: dict[str, list[tuple[str, str]]] = {}
        own = [p for p in self.get_params(ctx) if isinstance(p, GroupedOption)]
        rest = [p for p in self.get_params(ctx) if p not in own]
        for parameter in [*own, *rest]:
            record = parameter.get_help_record(ctx)
            if isinstance(parameter, click.Option) and record is not None:
                heading = getattr(parameter, "heading", "Help")
                sections.setdefault(heading, []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)

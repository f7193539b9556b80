"""The steps of a stack, a module each: which tasks there are, and how they are done."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from alos2.errors import BadDocument

if TYPE_CHECKING:
    from alos2.stack.planning.plan import Plan
    from alos2.stack.running.graph import Graph
    from alos2.stack.running.tasks import Step

STEPS: Final = ("ard", "series", "cube", "timescan", "mosaic", "animation")
"""In their order; each is a module here with ``STEP`` and ``tasks(plan)``."""


@cache
def step_of(name: str) -> Step:
    """Return a step by its name; its libraries are imported when it works.

    Raises
    ------
    BadDocument
        There is none of that name.
    """
    if name not in STEPS:
        raise BadDocument(f"there is no step {name!r}")
    return cast("Step", import_module(f"alos2.stack.steps.{name}").STEP)


def graph_of(plan: Plan) -> Graph:
    """Return all tasks of a plan.

    Raises
    ------
    NothingFound
        A file that the configuration names is not there.
    UsageError
        The configuration asks for what cannot be.
    """
    from alos2.stack.running.graph import Graph  # noqa: PLC0415 - a worker needs no plan

    modules = (import_module(f"alos2.stack.steps.{name}") for name in STEPS)
    return Graph(task for module in modules for task in module.tasks(plan))

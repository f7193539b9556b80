"""Which scheduler a name means: built in, or of an entry point of group ``alos2.schedulers``.

Such an entry point is a function that takes a `alos2.cluster.site.Site` and returns a
`alos2.cluster.model.Scheduler`; its name is the one in the site file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import Final, cast

from alos2.cluster.model import Scheduler
from alos2.cluster.site import Site, system_name
from alos2.errors import NoResource, UsageError

ENTRY_POINT_GROUP: Final = "alos2.schedulers"


def psij_installed() -> bool:
    """Return whether PSI/J is there, without importing it."""
    return find_spec("psij") is not None


_BATCH: Final[Mapping[str, tuple[str, str]]] = {
    "slurm": ("alos2.cluster.slurm", "KIND"),
    "pbs": ("alos2.cluster.pbs", "KIND"),
    "torque": ("alos2.cluster.pbs", "TORQUE"),
    "gridengine": ("alos2.cluster.sge", "KIND"),
    "lsf": ("alos2.cluster.lsf", "KIND"),
}
_BUILT_IN: Final = ("local", *_BATCH)


def _built_in(name: str, site: Site) -> Scheduler:
    """Import what `name` needs: not before somebody asks for it."""
    if name == "local":
        return cast(Scheduler, import_module("alos2.cluster.local").LocalScheduler(site))
    module, kind = _BATCH[name]
    batch = import_module("alos2.cluster.batch")
    return cast(Scheduler, batch.BatchScheduler(getattr(import_module(module), kind), site))


def _plugins() -> dict[str, EntryPoint]:
    """Return the entry points by name; the built-in names cannot be taken over."""
    found = entry_points(group=ENTRY_POINT_GROUP)
    return {e.name.lower(): e for e in found if e.name.lower() not in _BUILT_IN}


def known_schedulers() -> tuple[str, ...]:
    """Return the names that `scheduler_for` takes, in alphabetical order."""
    return tuple(sorted({*_BUILT_IN, *_plugins()}))


def scheduler_for(site: Site, environ: Mapping[str, str] | None = None) -> Scheduler:
    """Return the scheduler that a site means.

    Parameters
    ----------
    site : Site
        As `alos2.cluster.site.load_site` gives it.
    environ : mapping, optional
        Where given, its ``QSUB_SYSTEM`` and ``QUEUE`` win over `site`; `load_site` has heeded
        them already.

    Raises
    ------
    UsageError
        The site names no scheduler, or one that nobody knows, or its plugin cannot be loaded.
    NoResource
        PSI/J is not installed.
    """
    named = (environ or {}).get("QSUB_SYSTEM") or site.scheduler
    if (environ or {}).get("QUEUE"):
        site = replace(site, queue=(environ or {})["QUEUE"])
    known = ", ".join(known_schedulers())
    if not named:
        raise UsageError(
            "no scheduler is named",
            hint=f"set scheduler in {site.file}, $QSUB_SYSTEM or --scheduler: {known}",
        )
    name = system_name(named)
    site = replace(site, scheduler=name)
    if name in _BUILT_IN:
        if not psij_installed():
            raise NoResource(
                f"the scheduler {name} needs PSI/J, which is not installed",
                hint="pip install 'alos2-ingest[cluster]'",
            )
        return _built_in(name, site)
    plugin = _plugins().get(name)
    if plugin is None:
        raise UsageError(
            f"the scheduler {named!r} is not known",
            hint=f"known: {known}; qsub means gridengine, bsub means lsf",
        )
    try:
        factory = cast(Callable[[Site], Scheduler], plugin.load())
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"the plugin {plugin.value!r} for the scheduler {name} cannot be loaded: {error}",
            hint="install it again, or remove it",
        ) from error
    return factory(site)

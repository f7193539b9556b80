"""What is special about a site: one TOML file, read here and checked key by key.

Precedence: flag > environment (``QSUB_SYSTEM``, ``QUEUE``) > file; the file is the one given by
``--site``, else ``$ALOS2_SITE``, else ``alos2/site.toml`` in the user's configuration folder.
``gekko/site.example.toml`` shows all keys.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from alos2.cluster import sitevalues as values
from alos2.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

QSUB_SYSTEMS: Final[Mapping[str, str]] = {
    "qsub": "gridengine",
    "sge": "gridengine",
    "bsub": "lsf",
    "torque": "torque",
    "pbs_classic": "torque",
    "pbspro": "pbs",
    "sbatch": "slurm",
}
"""Other names of schedulers, as ``QSUB_SYSTEM`` gives them; each also goes by its own name."""


@dataclass(frozen=True)
class Site:
    """What jobs need at one site; every field is a key of the file, beside `path`."""

    scheduler: str | None = None
    queue: str | None = None
    """Queue; a partition for Slurm."""
    project: str | None = None
    """``-P`` of PBS Pro, Grid Engine and LSF; others have accounts only and take it as one."""
    account: str | None = None
    """``-A``; ``--account`` of Slurm."""
    walltime_s: int | None = None
    """Key ``walltime``, seconds."""
    cpus: int = 1
    memory_mb: int | None = None
    """Key ``memory``, MB of the whole job."""
    parallel_environment: str = "smp"
    """Grid Engine's name for several cores of one node; used when `cpus` is above 1."""
    modules: tuple[str, ...] = ()
    setup: tuple[str, ...] = ()
    """Lines of bash that come before the command."""
    python: str | None = None
    """The Python on the nodes that has alos2-ingest; else the one that submits."""
    directives: tuple[str, ...] = ()
    """Further options in the scheduler's own words, without its ``#PBS``."""
    environment: Mapping[str, str] = field(default_factory=dict)
    chunk_size: int = 50
    """Scenes a job."""
    jobs_in_flight: int = 20
    """Most jobs that wait or run at a time."""
    path: Path | None = None
    """The file that it was read from."""

    @property
    def file(self) -> str:
        """The file's name, for messages."""
        return str(self.path) if self.path else "the site file"


_CHECKS: Final[Mapping[str, tuple[str, values.Check]]] = {
    "scheduler": ("scheduler", values.word),
    "queue": ("queue", values.word),
    "project": ("project", values.word),
    "account": ("account", values.word),
    "walltime": ("walltime_s", values.duration_s),
    "cpus": ("cpus", values.count),
    "memory": ("memory_mb", values.memory_mb),
    "parallel_environment": ("parallel_environment", values.word),
    "modules": ("modules", values.lines),
    "setup": ("setup", values.lines),
    "python": ("python", values.text),
    "directives": ("directives", values.lines),
    "environment": ("environment", values.table),
    "chunk_size": ("chunk_size", values.count),
    "jobs_in_flight": ("jobs_in_flight", values.count),
}


def system_name(name: str) -> str:
    """Return a scheduler's own name for one of its names (``qsub`` is Grid Engine)."""
    lower = name.strip().lower()
    return QSUB_SYSTEMS.get(lower, lower)


def site_file(environ: Mapping[str, str]) -> Path | None:
    """Return the file that is read when none was named: None where there is none."""
    named = environ.get("ALOS2_SITE")
    if named:
        return Path(named)
    base = environ.get("XDG_CONFIG_HOME") or (
        f"{environ['HOME']}/.config" if environ.get("HOME") else None
    )
    usual = Path(base) / "alos2" / "site.toml" if base else None
    return usual if usual is not None and usual.is_file() else None


def load_site(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Site:
    """Return the site that a file and the environment describe.

    Parameters
    ----------
    path : Path, optional
        What ``--site`` names.
    environ : mapping, optional
        The environment; else this process's.

    Raises
    ------
    UsageError
        The file cannot be read, is not TOML, or a key or value of it is not allowed; or
        ``QSUB_SYSTEM`` or ``QUEUE`` is no plain word.
    """
    environ = os.environ if environ is None else environ
    file = path or site_file(environ)
    site = Site() if file is None else _read(file)
    site = replace(
        site,
        scheduler=_variable(environ, "QSUB_SYSTEM") or site.scheduler,
        queue=_variable(environ, "QUEUE") or site.queue,
    )
    return site if site.scheduler is None else with_scheduler(site, site.scheduler)


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    given = environ.get(name)
    if not given:
        return None
    try:
        return values.word(given)
    except ValueError as error:
        raise UsageError(f"${name}: {error}", hint="set it to one plain word or unset it") from None


def with_scheduler(site: Site, name: str) -> Site:
    """Return `site` with another scheduler, by any of its names."""
    return replace(site, scheduler=system_name(name))


def _read(file: Path) -> Site:
    try:
        document = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise UsageError(
            f"site file {file} cannot be read: {error.strerror}",
            hint="name another with --site or $ALOS2_SITE; gekko/site.example.toml is one to copy",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"site file {file} is not TOML: {error}",
            hint='values are written as key = "text", see gekko/site.example.toml',
        ) from error
    found: dict[str, Any] = {}
    for key, value in document.items():
        if key not in _CHECKS:
            raise UsageError(
                f"site file {file}: unknown key {key!r}",
                hint=f"known keys: {', '.join(sorted(_CHECKS))}",
            )
        name, check = _CHECKS[key]
        try:
            found[name] = check(value)
        except ValueError as error:
            raise UsageError(
                f"site file {file}: key {key!r}: {error}", hint="see gekko/site.example.toml"
            ) from None
    return Site(**found, path=file)

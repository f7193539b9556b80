#!/usr/bin/env python3
"""PGE: scenes of an archive in, a dataset of their time series, metrics and pictures out.

``-config`` names or is a configuration of ``alos2 stack`` (docs/stacks.md); area, archive, search
and DEM may be given beside it, or instead of it. Parameters that are not given as flags are read
from ``_context.json``: ``config``, ``area``, ``archive``, ``path``, ``frame``, ``date``, ``dem``,
``partial``. The archive must be mounted on the worker; it is only read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alos2.cli.pge import run_job
from alos2.errors import UsageError
from alos2.hysds.workdir import WorkDir

if TYPE_CHECKING:
    from alos2.jobs.options import IngestOptions
    from alos2.jobs.portaloutcome import Outcome

NAMES: Final = ("config", "area", "archive", "path", "frame", "date", "dem")
WORK: Final = ".alos2-stack"
"""Folder of all that is made on the way, in the working directory; removed in the end."""


def job(
    arguments: argparse.Namespace, work: WorkDir, notes: list[str]
) -> Callable[[IngestOptions], Iterable[Outcome]]:
    """Read the parameters, and return what makes the datasets.

    Raises
    ------
    UsageError
        Nothing says where the scenes are, or the configuration asks for what cannot be.
    """
    from alos2.stack.jobparameters import config_from  # noqa: PLC0415  slow; not for --help
    from alos2.stack.pgejob import make_datasets  # noqa: PLC0415

    given = {
        name: (getattr(arguments, name) or "").strip() or work.parameter(name) for name in NAMES
    }
    if not given["config"] and not given["archive"]:
        raise UsageError(
            "nothing says where the scenes are: neither config nor archive is given",
            hint="stack_alos2.py -archive DIR -area 'WKT' [-path N] [-date FIRST/LAST] [-dem FILE]",
        )
    partial = bool(arguments.partial) or work.flag("partial")
    config = config_from(given, work_dir=work.path / WORK)
    return lambda options: make_datasets(config, options, notes, partial=partial)


def main() -> int:
    """Parse the arguments and run the job."""
    parser = argparse.ArgumentParser(
        description="Make a stack of ALOS-2/PALSAR-2 scenes, as datasets in the working directory."
    )
    parser.add_argument("-config", metavar="FILE|TOML", help="configuration of alos2 stack")
    parser.add_argument("-area", metavar="AREA", help="WKT, GeoJSON, or west,south,east,north")
    parser.add_argument("-archive", metavar="DIR", help="archive of datasets with its catalogue")
    parser.add_argument("-path", metavar="N", help="JAXA's paths, with commas")
    parser.add_argument("-frame", metavar="FFFF", help="centre frames, with commas")
    parser.add_argument("-date", metavar="FIRST/LAST", help="a day, or first/last")
    parser.add_argument("-dem", metavar="FILE", help="digital elevation model")
    parser.add_argument("-partial", action="store_true", help="go on without scenes that fail")
    parser.add_argument("-v", "--verbose", action="count", default=0)
    arguments = parser.parse_args()
    work = WorkDir(Path.cwd())
    notes: list[str] = []
    return run_job(
        "stack_alos2",
        lambda: job(arguments, work, notes),
        work,
        verbosity=1 + arguments.verbose,
        notes=notes,
    )


if __name__ == "__main__":
    sys.exit(main())

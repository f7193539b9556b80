#!/usr/bin/env python3
"""PGE: products that lie in an archive in, datasets of metadata (``<id>-md``) out; none is copied.

``-dir`` and ``-fdate`` name what is meant, else ``dir``, ``fdate`` and ``md_tag`` in
``_context.json``. The archive must be mounted on the worker; it is only read.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from alos2.cli.pge import run_job
from alos2.errors import UsageError
from alos2.hysds.workdir import WorkDir

if TYPE_CHECKING:
    from alos2.jobs.options import IngestOptions
    from alos2.jobs.portaloutcome import Outcome


def job(
    arguments: argparse.Namespace, work: WorkDir
) -> Callable[[IngestOptions], Iterable[Outcome]]:
    """Read the parameters, and return what makes the datasets.

    Raises
    ------
    UsageError
        No folder is named, or the frame and date cannot be read.
    """
    from alos2.jobs.metadata import FrameDate, describe_in_place  # noqa: PLC0415  slow; not for --help

    def said(flag: str | None, name: str) -> str:
        return (flag or "").strip() or work.parameter(name) or ""

    folder = said(arguments.dir, "dir")
    if not folder:
        raise UsageError(
            "no folder: neither -dir nor dir in _context.json gives one",
            hint="ingest_alos2_md.py -dir DIR [-fdate FFFF-YYMMDD]",
        )
    wanted = said(arguments.fdate, "fdate")
    only = FrameDate.parse(wanted) if wanted else None
    tags = [tag for tag in re.split(r"[\s,]+", said(arguments.md_tag, "md_tag")) if tag]
    return lambda options: describe_in_place(Path(folder), options, only=only, tags=tags)


def main() -> int:
    """Parse the arguments and run the job."""
    parser = argparse.ArgumentParser(
        description="Describe ALOS-2/PALSAR-2 products where they lie, in the working directory."
    )
    parser.add_argument("-dir", metavar="DIR", help="folder (or zip) of the archive")
    parser.add_argument("-fdate", metavar="FFFF-YYMMDD", help="only this frame and date")
    parser.add_argument("-md-tag", dest="md_tag", metavar="TAG", help="word to find them by")
    parser.add_argument("-v", "--verbose", action="count", default=0)
    arguments = parser.parse_args()
    work = WorkDir(Path.cwd())
    return run_job(
        "ingest_alos2_md",
        lambda: job(arguments, work),
        work,
        verbosity=1 + arguments.verbose,
    )


if __name__ == "__main__":
    sys.exit(main())

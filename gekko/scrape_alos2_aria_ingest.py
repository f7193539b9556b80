#!/usr/bin/env python3
r"""Scan an archive and submit what is new: ``alos2 scan DIR`` under the name and flags of old.

``scrape_alos2_aria_ingest.py -dir DIR [-regex R] -pbs gekko/ingest2aria.pbs``: scheduler and
resources come from the lines of the batch script (``#PBS``, ``#SBATCH``, ``#$``, ``#BSUB``), and it
is the body of each job. Further flags are those of ``alos2 scan``. gekko/README.md tells more.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pge"))

from alos2.cli.main import main as alos2

FOLDERS = r".*/P\d{3}/F\d{4}.*"
"""How folders are named where this began: by JAXA's path and frame."""


def arguments_of_scan() -> list[str]:
    """Return the command line of ``alos2`` that says what ours says."""
    parser = argparse.ArgumentParser(
        description="Scan an archive of ALOS-2 files and submit jobs that catalogue what is new.",
        epilog="All other flags are those of 'alos2 scan'; see 'alos2 scan --help'.",
        allow_abbrev=False,
    )
    parser.add_argument("-dir", required=True, metavar="DIR", help="folder of the archive")
    parser.add_argument(
        "-regex",
        default=FOLDERS,
        metavar="R",
        help="only folders (or files) whose path has it; '' for all [%(default)s]",
    )
    parser.add_argument(
        "-pbs",
        metavar="FILE",
        help="batch script: its directives and body are those of each job",
    )
    known, further = parser.parse_known_args()
    found = ["-v", "scan", known.dir]
    if known.regex:
        found += ["--regex", known.regex]
    if known.pbs:
        found += ["--script", known.pbs]
    return found + further


if __name__ == "__main__":
    alos2(arguments_of_scan())

#!/usr/bin/env python3
"""PGE: one download URL in, one published dataset (or several) out, in the working directory.

The URL comes from ``-d``, else from ``download_url`` in ``_context.json``, which a HySDS worker
writes. Exit codes are those of the ``alos2`` command; on failure ``_alt_error.txt`` and
``_alt_traceback.txt`` tell why, on success ``pge_metrics.json`` tells of the download.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from alos2.cli.pge import run_pge
from alos2.errors import UsageError
from alos2.hysds.workdir import WorkDir


def download_url(argument: str | None, work: WorkDir) -> str:
    """Return the URL to ingest.

    Raises
    ------
    UsageError
        Neither the flag nor the context gives one.
    """
    url = (argument or "").strip() or work.parameter("download_url")
    if not url:
        raise UsageError(
            "no URL: neither -d nor download_url in _context.json gives one",
            hint="ingest_alos2_downloadurl.py -d URL",
        )
    return url


def main() -> int:
    """Parse the arguments and run the job."""
    parser = argparse.ArgumentParser(
        description="Ingest an ALOS-2/PALSAR-2 product from a URL into the working directory."
    )
    parser.add_argument(
        "-d",
        "--download_url",
        metavar="URL",
        help="the product's zip; default: download_url in _context.json",
    )
    parser.add_argument("-v", "--verbose", action="count", default=0)
    arguments = parser.parse_args()
    work = WorkDir(Path.cwd())
    return run_pge(
        "ingest_alos2_downloadurl",
        lambda: [download_url(arguments.download_url, work)],
        work,
        verbosity=1 + arguments.verbose,
    )


if __name__ == "__main__":
    sys.exit(main())

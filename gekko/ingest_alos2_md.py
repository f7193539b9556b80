#!/usr/bin/env python3
"""Describe the scenes of one frame and date where they lie, and file them in catalogues.

``ingest_alos2_md.py -dir DIR -fdate FFFF_YYMMDD``: a dataset of metadata (``<id>-md``) of each such
product in the folder or zip. Nothing there is copied or written. A batch job of a scan runs
``-chunk FOLDER`` instead (or has ``ALOS2_CHUNK``). gekko/README.md tells more.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pge"))

from alos2.cli import logs
from alos2.cli.main import install_signal_handlers, report
from alos2.errors import NothingFound, UsageError
from alos2.jobs import context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alos2.jobs.ingest import Ingested
    from alos2.jobs.options import IngestOptions
    from alos2.jobs.outcome import Failed


def parsed() -> argparse.Namespace:
    """Return the command line; ``-dir`` and ``-fdate`` may be empty where a chunk is meant."""
    parser = argparse.ArgumentParser(
        description="Describe ALOS-2/PALSAR-2 scenes where they lie; nothing is copied."
    )
    parser.add_argument(
        "-dir", nargs="?", default="", const="", metavar="DIR", help="folder (or zip) of the scenes"
    )
    parser.add_argument(
        "-fdate",
        nargs="?",
        default="",
        const="",
        metavar="FFFF_YYMMDD",
        help="only this frame and date",
    )
    parser.add_argument("-md-tag", default="", metavar="TAG", help="word to find the datasets by")
    parser.add_argument(
        "-archive", type=Path, metavar="DIR", help="takes the datasets and a catalogue of them"
        " [$ALOS2_ARCHIVE]; else the datasets go into the working directory",
    )  # fmt: skip
    parser.add_argument(
        "-hysdsdir", default="", metavar="DIR",
        help="file them by HySDS's own ingest_dataset.py, of this checkout",
    )  # fmt: skip
    parser.add_argument(
        "-dsfile", default="", metavar="FILE", help="HySDS's datasets.json [the one in -hysdsdir]"
    )
    parser.add_argument(
        "-grq_es_url", default="", metavar="URL",
        help="HySDS's Elasticsearch or OpenSearch: asked first, and told without -hysdsdir"
        " [$ALOS2_GRQ_URL]; its login comes from a credential profile or netrc",
    )  # fmt: skip
    parser.add_argument("-force", action="store_true", help="replace datasets of the same id")
    parser.add_argument("-chunk", default="", metavar="FOLDER", help="a chunk of a scan")
    parser.add_argument("-v", "--verbose", action="count", default=0)
    return parser.parse_args()


def job(arguments: argparse.Namespace) -> int:
    """Run the job; raises what keeps it from being done."""
    chunk = arguments.chunk or (not arguments.dir and os.environ.get("ALOS2_CHUNK"))
    if chunk:
        from alos2.scan.worker import run_chunk  # noqa: PLC0415  slow; not for --help

        return run_chunk(Path(chunk))
    from alos2.cli.settings import ingest_options, load  # noqa: PLC0415
    from alos2.jobs.catalogued import keeps_catalogue  # noqa: PLC0415
    from alos2.jobs.portaloutcome import Tally  # noqa: PLC0415

    settings = load()
    archive = arguments.archive or settings.archive
    if archive is not None and not archive.is_dir():
        # It is not made: on a node, a folder of this name may only be not mounted.
        raise NothingFound(f"there is no archive {archive}", hint="make the folder, or mount it")
    options = ingest_options(settings, out=archive)
    keeps = keeps_catalogue(options.out, is_archive=archive is not None)
    options = replace(options, catalogue=keeps)
    tally = Tally()
    for outcome in outcomes(arguments, options):
        tally.add(told(outcome))
    tally.raise_failures()
    return 0


def told(outcome: Ingested | Failed) -> Ingested | Failed:
    """Print a dataset's line; one that its archive's catalogue does not know has failed."""
    from alos2.jobs.outcome import Failed  # noqa: PLC0415

    if isinstance(outcome, Failed):
        return outcome
    if outcome.uncatalogued is not None:
        return Failed(outcome.line["id"], outcome.uncatalogued)
    sys.stdout.write(json.dumps(outcome.line, ensure_ascii=True) + "\n")
    sys.stdout.flush()
    return outcome


def outcomes(arguments: argparse.Namespace, options: IngestOptions) -> Iterator[Ingested | Failed]:
    """Describe what the flags name.

    Raises
    ------
    UsageError
        They name nothing, or what cannot be.
    """
    from alos2.jobs.metadata import FrameDate, describe_in_place  # noqa: PLC0415
    from alos2.scan.filing import filing_for  # noqa: PLC0415

    if not arguments.dir:
        raise UsageError("no folder is given", hint="-dir DIR -fdate FFFF_YYMMDD")
    url = arguments.grq_es_url or os.environ.get("ALOS2_GRQ_URL", "").strip()
    if arguments.dsfile and not (arguments.hysdsdir or url):
        raise UsageError(
            "-dsfile says how HySDS files datasets, and nobody is named who does",
            hint="add -hysdsdir DIR or -grq_es_url URL",
        )
    filing = filing_for(
        {
            "grq": {"url": url} if url else None,
            "hysds_dir": arguments.hysdsdir or None,
            "dataset_file": arguments.dsfile or None,
        }
    )
    return describe_in_place(
        Path(arguments.dir),
        replace(options, force=arguments.force),
        only=FrameDate.parse(arguments.fdate) if arguments.fdate else None,
        tags=[tag for tag in re.split(r"[\s,]+", arguments.md_tag) if tag],
        filing=filing,
    )


def main() -> int:
    """Parse the arguments, run the job, and return the exit code."""
    arguments = parsed()
    logs.set_up(1 + arguments.verbose, as_json=False)
    install_signal_handlers()
    try:
        with context.about(context.job, "ingest_alos2_md"):
            return job(arguments)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the last net: it is reported
        return report(error)


if __name__ == "__main__":
    sys.exit(main())

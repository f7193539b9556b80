#!/usr/bin/env python3
"""PGE: products of JAXA's G-Portal in, published datasets out, in the working directory.

What to ingest comes from the flags, else from ``_context.json``, which a HySDS worker writes:
``gportal_id`` (one name, or several with commas or spaces between), or ``bbox`` (west, south, east,
north), ``start_date``, ``end_date`` (which is part of the window) and ``mode``; absent or blank
means not given. ``queue`` names the queue that takes a job for each product, with ``resubmit``
(``true``) also for those that are held or under way; ``profile`` names the site
(``gportal-2026``, ``gportal-legacy``), ``credential`` the account's profile; never a password. Exit
codes are those of the ``alos2`` command.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alos2.cli.ingest_gportal import gportal_query
from alos2.cli.legacylogin import Parser, add_login_flags, login_choice
from alos2.cli.pge import run_job
from alos2.cli.portaljob import portal_outcomes
from alos2.errors import UsageError
from alos2.hysds.workdir import CONTEXT_FILE, WorkDir
from alos2.sources.portals.querytext import parse_day

if TYPE_CHECKING:
    from alos2.jobs.options import IngestOptions
    from alos2.jobs.portaloutcome import Outcome
    from alos2.sources.portals.model import Query

log = logging.getLogger("alos2.gportal")

WHAT = ("gportal_id", "bbox", "start_date", "end_date", "mode")
PASSWORD = "gportal_password"  # noqa: S105  a parameter's name
UNUSED = (
    f"{PASSWORD} came as a job parameter, which this job does not use: it was taken out of "
    f"{CONTEXT_FILE} here. Change it, and name a credential profile instead"
)


def parsed() -> argparse.Namespace:
    """Parse the command line.

    Raises
    ------
    UsageError
        It is wrong.
    """
    parser = Parser(
        description="Ingest ALOS-2/PALSAR-2 products of G-Portal into the working directory.",
        epilog="What is not given comes from _context.json in the working directory.",
    )
    what = parser.add_argument_group("what to ingest: names, or a place and time")
    what.add_argument(
        "-i", "--gportal_id", "--gportal-id", metavar="ID", action="append",
        help="product or scene (ALOS2oooooffff-YYMMDD...), or a download's address",
    )  # fmt: skip
    what.add_argument("--bbox", metavar="W,S,E,N", help="box in degrees: --bbox=-120,34,-119,35")
    what.add_argument("--start_date", "--start-date", metavar="DAY", help="first day: 2018-09-05")
    what.add_argument("--end_date", "--end-date", metavar="DAY", help="last day, itself included")
    what.add_argument("--mode", help="mode as in product names, e.g. FBD")
    parser.add_argument("--list", action="store_true", help="only say what there is")
    parser.add_argument("--queue", help="under HySDS: queue that takes a job for each product")
    parser.add_argument(
        "--resubmit", action="store_true", help="... also for what is held or under way"
    )
    parser.add_argument("--profile", help="gportal-2026 (default) or gportal-legacy")
    add_login_flags(parser)
    parser.add_argument("-v", "--verbose", action="count", default=0)
    return parser.parse_args()


def parameters(arguments: argparse.Namespace, work: WorkDir) -> dict[str, str | None]:
    """Return what to ingest: the flags if they name anything, else the context.

    Raises
    ------
    UsageError
        The context cannot be read, or a parameter is not text.
    """
    ids = " ".join(arguments.gportal_id or [])
    given = {**vars(arguments), "gportal_id": ids}
    flags = {name: (given[name] or "").strip() or None for name in WHAT}
    if any(flags.values()):
        return flags
    found = {name: work.parameter(name) for name in WHAT if name not in ("gportal_id", "bbox")}
    return {**found, "gportal_id": " ".join(work.words("gportal_id")), "bbox": box(work)}


def box(work: WorkDir) -> str | None:
    """Return the context's ``bbox`` as text; it may be a list of four numbers too.

    Raises
    ------
    UsageError
        It is neither.
    """
    value: Any = work.context().get("bbox")
    if not isinstance(value, list):
        return work.parameter("bbox")
    if any(isinstance(side, bool) or not isinstance(side, (int, float)) for side in value):
        raise UsageError(
            f"bbox in {CONTEXT_FILE} is not four numbers", hint="west, south, east, north, degrees"
        )
    return ",".join(str(side) for side in value) or None


def query_of(found: dict[str, str | None]) -> Query:
    """Return the query that the parameters mean.

    Raises
    ------
    UsageError
        They say nothing, or too much, or something that is not so.
    """
    start, end = found["start_date"], found["end_date"]
    return gportal_query(
        (found["gportal_id"] or "").replace(",", " ").split(),
        bbox=found["bbox"],
        days=(parse_day(start) if start else None, parse_day(end) if end else None),
        mode=found["mode"],
    )


def main() -> int:
    """Parse the arguments and run the job."""
    work = WorkDir(Path.cwd())
    arguments, problem = None, None
    try:
        arguments = parsed()
    except UsageError as error:
        problem = error
    notes: list[str] = []

    def job() -> Callable[[IngestOptions], Iterable[Outcome]]:
        # First of all, and whatever else is wrong: HySDS uploads this file.
        if work.take_secret(PASSWORD) is not None:
            log.warning("%s", UNUSED)
            notes.append(UNUSED)
        if problem is not None or arguments is None:
            raise problem or UsageError("no arguments")
        query = query_of(parameters(arguments, work))
        username = (arguments.username or "").strip() or work.parameter("credential")
        credential = login_choice(username, arguments.password, None)
        queue = arguments.queue or work.parameter("queue")
        resubmit = arguments.resubmit or work.flag("resubmit")
        profile = arguments.profile or work.parameter("profile")

        def outcomes(options: IngestOptions) -> Iterable[Outcome]:
            return portal_outcomes(
                "gportal",
                query,
                options,
                profile=profile,
                list_only=arguments.list,
                work=work,
                queue=queue,
                resubmit=resubmit,
                credential=credential,
                notes=notes,
            )

        return outcomes

    verbosity = 1 + (arguments.verbose if arguments is not None else 0)
    return run_job("ingest_alos2_gportal", job, work, verbosity=verbosity, notes=notes)


if __name__ == "__main__":
    sys.exit(main())

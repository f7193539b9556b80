#!/usr/bin/env python3
"""PGE: Sentinel Asia's ALOS-2 files in, published datasets out, in the working directory.

What to ingest comes from the flags, else from ``_context.json``, which a HySDS worker writes:
exactly one of ``data_id``, ``eor_id`` and ``start_date`` (with ``end_date``, which is part of the
window); absent or blank means not given. ``queue`` (in old jobs ``queue_eor_id``) names the queue
that takes a job for each file of a request or of days, with ``resubmit`` (``true``) also for those
that are held or under way; ``data_eor_id`` tells such a job under which request its file was found.
``credential`` names the account's profile; never a password. Exit codes are those of the ``alos2``
command.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from alos2.cli.eoroptions import eor_query
from alos2.cli.legacylogin import Parser, add_login_flags, login_choice
from alos2.cli.pge import run_job
from alos2.cli.portaljob import portal_outcomes
from alos2.errors import UsageError
from alos2.hysds.workdir import WorkDir
from alos2.sources.portals.querytext import parse_day

if TYPE_CHECKING:
    from alos2.jobs.options import IngestOptions
    from alos2.jobs.portaloutcome import Outcome
    from alos2.sources.portals.model import Query

log = logging.getLogger("alos2.sentinelasia")

WHAT = ("data_id", "eor_id", "start_date", "end_date")
PASSWORD = "password"  # noqa: S105  a parameter's name
UNUSED = (
    "a password came as a job parameter, which this job does not use: it was taken out of "
    "_context.json here. Change it, and name a credential profile instead"
)


def parsed() -> argparse.Namespace:
    """Parse the command line.

    Raises
    ------
    UsageError
        It is wrong.
    """
    parser = Parser(
        description="Ingest ALOS-2 files of Sentinel Asia's emergency observation requests.",
        epilog="What is not given comes from _context.json in the working directory.",
    )
    what = parser.add_argument_group("what to ingest: exactly one of data id, EOR id, start")
    what.add_argument("-data_id", "--data_id", "--data-id", metavar="ID", help="one file")
    what.add_argument(
        "-eor_id", "--eor_id", "--eor-id", metavar="ID", help="all files of a request"
    )
    what.add_argument(
        "-start_time", "--start_date", "--start-date", dest="start_date", metavar="DAY",
        help="all files of the requests from this day on: 2019-08-16 or 20190816",
    )  # fmt: skip
    what.add_argument(
        "-end_time", "--end_date", "--end-date", dest="end_date", metavar="DAY",
        help="the last day, itself included; default: no last day",
    )  # fmt: skip
    parser.add_argument(
        "-dry_run", "--dry_run", "--list", dest="dry_run", action="store_true",
        help="only list the files, one JSON object a line",
    )  # fmt: skip
    parser.add_argument("-queue", "--queue", help="under HySDS: takes a job for each file")
    parser.add_argument(
        "--resubmit", action="store_true", help="... also for what is held or under way"
    )
    parser.add_argument("--profile", help="which site: a profile of alos2.toml")
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
    flags = {name: (getattr(arguments, name) or "").strip() or None for name in WHAT}
    if any(flags[name] for name in WHAT[:3]):
        return {**flags, "data_eor_id": None}
    found = {name: flags[name] or work.parameter(name) for name in WHAT}
    return {**found, "data_eor_id": work.parameter("data_eor_id") if found["data_id"] else None}


def query_of(found: dict[str, str | None]) -> Query:
    """Return the query that the parameters mean.

    Raises
    ------
    UsageError
        They name nothing, or more than one thing, or a day is none.
    """
    data_id, eor_id, start, end = (found[name] for name in WHAT)
    query = eor_query(
        [data_id] if data_id else [],
        eor_id,
        parse_day(start) if start else None,
        parse_day(end) if end else None,
    )
    return replace(query, eor_id=found["data_eor_id"]) if query.ids else query


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
        queue = arguments.queue or work.parameter("queue") or work.parameter("queue_eor_id")
        resubmit = arguments.resubmit or work.flag("resubmit")

        def outcomes(options: IngestOptions) -> Iterable[Outcome]:
            return portal_outcomes(
                "sentinel-asia",
                query,
                options,
                profile=arguments.profile,
                list_only=arguments.dry_run,
                work=work,
                queue=queue,
                resubmit=resubmit,
                credential=credential,
                notes=notes,
            )

        return outcomes

    verbosity = 1 + (arguments.verbose if arguments is not None else 0)
    return run_job("ingest_alos2_sentinelasia", job, work, verbosity=verbosity, notes=notes)


if __name__ == "__main__":
    sys.exit(main())

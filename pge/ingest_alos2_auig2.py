#!/usr/bin/env python3
"""PGE: AUIG2 orders in, published datasets out, in the working directory.

The orders come from ``-o``, else from ``auig2_orderid`` in ``_context.json``, which a HySDS worker
writes: one, or several with commas or spaces between. Who to log in as is named by ``-u``, else by
``auig2_username``: a credential profile of this machine. Of several orders, ``queue`` names the
queue that takes a job for each, with ``resubmit`` (``true``) also for what is held or under way.

Legacy: an ``auig2_password`` in ``_context.json`` is used when it is not blank, as the password of
the account ``auig2_username``. It is taken out of the file before anything else is done. Exit codes
are those of the ``alos2`` command.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from alos2.cli.legacylogin import Parser, add_login_flags, login_choice
from alos2.cli.pge import run_job
from alos2.errors import UsageError
from alos2.hysds.workdir import CONTEXT_FILE, WorkDir
from alos2.sources.credentials import Credential

if TYPE_CHECKING:
    from alos2.jobs.options import IngestOptions
    from alos2.jobs.portaloutcome import Outcome

log = logging.getLogger("alos2.auig2")

PASSWORD = "auig2_password"  # noqa: S105  a parameter's name
WARNING = (
    f"{PASSWORD} came as a job parameter, which HySDS keeps in places that this job cannot reach "
    f"(Mozart, Elasticsearch, the queue); it was taken out of {CONTEXT_FILE} here. Change it, and "
    "name a credential profile in auig2_username instead"
)


def orders(arguments: argparse.Namespace, work: WorkDir) -> tuple[str, ...]:
    """Return the order ids of the flags, else those of the context.

    Raises
    ------
    UsageError
        There is none, or something is no order id.
    """
    from alos2.sources.portals.auig2 import order_ids  # noqa: PLC0415  slow; not for --help

    given = " ".join(arguments.order).replace(",", " ").split() or work.words("auig2_orderid")
    if not given:
        raise UsageError(
            "no order: neither -o nor auig2_orderid in _context.json gives one",
            hint="ingest_alos2_auig2.py -o ORDER_ID",
        )
    return order_ids(" ".join(given))


def parsed() -> argparse.Namespace:
    """Parse the command line.

    Raises
    ------
    UsageError
        It is wrong.
    """
    parser = Parser(
        description="Ingest AUIG2 orders of ALOS-2/PALSAR-2 products into the working directory.",
        epilog="What is not given comes from _context.json in the working directory.",
    )
    parser.add_argument(
        "-o", "--order", "--order_id", metavar="ORDER_ID", action="append", default=[],
        help="an order; may be repeated, or several with commas",
    )  # fmt: skip
    add_login_flags(parser)
    parser.add_argument("--profile", help="which site: a profile of alos2.toml")
    parser.add_argument("-v", "--verbose", action="count", default=0)
    return parser.parse_args()


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
        secret = work.take_secret(PASSWORD)
        if secret is not None:
            log.warning("%s", WARNING)
            notes.append(WARNING)
        if problem is not None or arguments is None:
            raise problem or UsageError("no arguments")
        wanted = orders(arguments, work)
        username = (arguments.username or "").strip() or work.parameter("auig2_username")
        credential = login_choice(username, arguments.password, secret)
        queue = work.parameter("queue") if len(wanted) > 1 else None
        resubmit = work.flag("resubmit")
        if queue and isinstance(credential, Credential):
            raise UsageError(
                "a queue and a password exclude one another: no job is told a password",
                hint="leave one of them empty; a mounted credential needs no password",
            )

        def outcomes(options: IngestOptions) -> Iterable[Outcome]:
            from alos2.cli.portaljob import portal_outcomes  # noqa: PLC0415  slow
            from alos2.sources.portals.model import Query  # noqa: PLC0415  slow

            return portal_outcomes(
                "auig2",
                Query(ids=wanted),
                replace(options, credential=None),
                profile=arguments.profile,
                work=work,
                queue=queue,
                resubmit=resubmit,
                credential=credential,
                notes=notes,
            )

        return outcomes

    verbosity = 1 + (arguments.verbose if arguments is not None else 0)
    return run_job("ingest_alos2_auig2", job, work, verbosity=verbosity, notes=notes)


if __name__ == "__main__":
    sys.exit(main())

"""What every PGE script shares: run a job in its working directory and report as HySDS expects."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence

from alos2.cli import logs
from alos2.cli.main import describe, install_signal_handlers, report
from alos2.hysds.workdir import Download, WorkDir
from alos2.jobs import context


def run_pge(
    name: str, targets: Callable[[], Sequence[str]], work: WorkDir, *, verbosity: int
) -> int:
    """Ingest `targets` into the working directory.

    Parameters
    ----------
    name : str
        The job's name, for the log.
    targets : callable
        Gives the URLs or paths; it may raise, which is reported like any other failure.
    work : WorkDir
        Takes the datasets and the reports.
    verbosity : int
        As ``alos2.cli.logs.set_up`` has it.

    Returns
    -------
    int
        The exit code. Datasets that were made are printed, one JSON object a line.
    """
    logs.set_up(verbosity, as_json=False)
    install_signal_handlers()
    try:
        # Imported late: a usage error should not wait for the rasters' libraries.
        with context.about(context.job, name):
            wanted = list(targets())
            downloads, messages = _ingest(wanted, work)
        work.report_success(downloads, messages)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the last net: it is reported
        work.report_failure(error, describe(error)[1])
        return report(error)
    return 0


def _ingest(targets: Sequence[str], work: WorkDir) -> tuple[list[Download], list[str]]:
    from alos2.cli.settings import ingest_options, load
    from alos2.jobs.ingest import ingest_all
    from alos2.jobs.outcome import Failed, raise_failures

    options = ingest_options(load(), out=work.path)
    downloads: list[Download] = []
    messages: list[str] = []
    failures: list[Failed] = []
    done = 0
    for outcome in ingest_all(targets, options):
        if isinstance(outcome, Failed):
            failures.append(outcome)
            continue
        done += 1
        downloads.extend(d for d in outcome.downloads if d not in downloads)
        messages.append(f"{outcome.line['id']}: {outcome.line['status']}")
        sys.stdout.write(json.dumps(outcome.line, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    raise_failures(failures, done)
    return downloads, messages

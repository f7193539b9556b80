"""What every PGE script shares: run a job in its working directory and report as HySDS expects."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from alos2.cli import logs
from alos2.cli.main import describe, install_signal_handlers, report
from alos2.hysds.workdir import Download, WorkDir
from alos2.jobs import context

if TYPE_CHECKING:
    from alos2.jobs.options import IngestOptions
    from alos2.jobs.portaloutcome import Outcome

MOST_LINES: Final = 5
"""As many outcomes have their lines in ``_alt_msg.txt``; those of more are in the details."""


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

    def job() -> Callable[[IngestOptions], Iterable[Outcome]]:
        wanted = list(targets())

        def outcomes(options: IngestOptions) -> Iterable[Outcome]:
            from alos2.jobs.ingest import ingest_all

            return ingest_all(wanted, options)

        return outcomes

    return run_job(name, job, work, verbosity=verbosity)


def run_job(
    name: str,
    job: Callable[[], Callable[[IngestOptions], Iterable[Outcome]]],
    work: WorkDir,
    *,
    verbosity: int,
    notes: Sequence[str] = (),
) -> int:
    """Run any job into the working directory.

    Parameters
    ----------
    name : str
        The job's name, for the log.
    job : callable
        Reads the job's parameters and returns what makes its outcomes; either may raise, which is
        reported like any other failure.
    work : WorkDir
        Takes the datasets and the reports.
    verbosity : int
        As ``alos2.cli.logs.set_up`` has it.
    notes : sequence of str
        Lines for ``_alt_msg.txt``, before what became of the job; looked at when the job has ended,
        so the job may add to it.

    Returns
    -------
    int
        The exit code. Datasets that were made are printed, one JSON object a line.
    """
    logs.set_up(verbosity, as_json=False)
    install_signal_handlers()
    told = _Told()
    try:
        with context.about(context.job, name):
            outcomes = job()
            _run(outcomes, work, told)
        messages, details = told.messages(notes)
        work.report_success(told.downloads, messages, details)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the last net: it is reported
        work.report_failure(error, describe(error)[1], *told.messages(notes))
        return report(error)
    return 0


@dataclass
class _Told:
    """What there is to say of a job, also of one that fails in the middle."""

    downloads: list[Download] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    """One for each outcome."""
    sum: str = ""
    """Of all outcomes so far, in one line."""
    handed_on: bool = False
    """Whether other jobs were submitted: then people look for which, and why not others."""

    def messages(self, notes: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the message and its details: of many outcomes the message has the sum."""
        if not self.handed_on and len(self.lines) <= MOST_LINES:
            return [*notes, *self.lines], []
        return [*notes, self.sum], self.lines


def _run(
    outcomes: Callable[[IngestOptions], Iterable[Outcome]], work: WorkDir, told: _Told
) -> None:
    # Imported late: a usage error should not wait for the rasters' libraries.
    from alos2.cli.settings import ingest_options, load
    from alos2.jobs.ingest import Ingested
    from alos2.jobs.portaloutcome import Listed, Submitted, Tally, line_of

    tally = Tally()
    for outcome in outcomes(ingest_options(load(), out=work.path)):
        tally.add(outcome)
        told.lines.append(line_of(outcome))
        told.sum = str(tally)
        if isinstance(outcome, Ingested):
            told.downloads.extend(d for d in outcome.downloads if d not in told.downloads)
            _print(outcome.line)
        elif isinstance(outcome, Listed):
            _print(outcome.to_json())
        elif isinstance(outcome, Submitted):
            told.handed_on = True
    tally.raise_failures()


def _print(line: object) -> None:
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()

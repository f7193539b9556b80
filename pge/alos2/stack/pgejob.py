"""The stack as a job of HySDS: datasets in the working directory, and nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from alos2 import errors
from alos2.errors import Alos2Error, BadProduct
from alos2.jobs.ingest import Ingested
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from alos2.stack.config.model import StackConfig
from alos2.stack.running.report import Settled
from alos2.stack.running.whole import Wanted, make_whole


def make_datasets(
    config: StackConfig, options: IngestOptions, notes: list[str], *, partial: bool = False
) -> Iterator[Ingested | Failed]:
    """Make a stack, and yield its datasets.

    Parameters
    ----------
    config : StackConfig
        Its work folder is removed when all is made; after a failure it stays, for a retry in the
        same directory.
    options : IngestOptions
        ``out`` takes the datasets; ``cancelled`` and ``progress`` are not used.
    notes : list of str
        Takes a line for each thing that somebody should know.
    partial : bool, optional
        Whether datasets without the scenes that failed are good enough: HySDS publishes nothing of
        a job that failed.

    Yields
    ------
    Ingested or Failed
        A dataset, or what came to nothing.

    Raises
    ------
    Alos2Error
        There is no plan, or nothing could be made.
    """
    wanted = Wanted(out=None, force=options.force)
    done = make_whole(config, wanted)
    notes += [f"{warning.code}: {warning.message}" for warning in done.plan.warnings]
    failed = [one for one in done.report.failed if one.state == "failed"]
    lost = [one for one in failed if not (partial and one.task.step == "ard")]
    notes += [f"without {one.task.id}: {_said(one)}" for one in failed if one not in lost]
    if not any(one.state != "failed" for one in done.report.settled.values()):
        done.report.raise_failures()
    for one in lost:
        yield Failed(one.task.id, _error(one))
    for what, why in done.report.left_out:
        if partial:
            notes.append(f"without {what}: {why}")
        else:
            lost_delivery = BadProduct(why, hint="bring it again, take it away, or allow partial")
            yield Failed(what, lost_delivery)
    # Imported late: a job that fails before needs no pictures.
    from alos2.stack.result.dataset import keep_datasets  # noqa: PLC0415

    for kept in keep_datasets(
        done.plan, done.report, options.out, is_archive=False, force=options.force
    ):
        yield Ingested(kept.line, uncatalogued=kept.uncatalogued)
    if not lost and (partial or not done.report.left_out):
        shutil.rmtree(config.stack.work_dir, ignore_errors=True)


def _said(one: Settled) -> str:
    return str((one.error or {}).get("message", one.why))


def _error(one: Settled) -> Alos2Error:
    error = one.error or {}
    kind = getattr(errors, str(error.get("class")), Alos2Error)
    made: Alos2Error = kind(_said(one), hint=error.get("hint"))
    return made

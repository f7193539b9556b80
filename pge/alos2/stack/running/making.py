"""One task is done, and its folder gets its place: whole or not at all."""

from __future__ import annotations

import logging
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alos2.archive.writing import sync_folder, writing_failed
from alos2.dataset.durable import sync_tree
from alos2.dataset.exchange import exchange
from alos2.dataset.scrub import scrub
from alos2.errors import Alos2Error, DatasetDiffers
from alos2.raster.pictures import Progress, never, silent
from alos2.stack.running.receipt import NAME, Receipt, read_receipt, write_receipt
from alos2.stack.running.tasks import DividedStep, Step, StepJob, Task
from alos2.types import Json

log = logging.getLogger(__name__)

HIDDEN: Final = ".stack"
"""Folder of the run's own affairs, in the work folder."""


@dataclass(frozen=True)
class Order:
    """A task that is to be done now."""

    task: Task
    key: str
    made_from: Json
    made: Mapping[str, Path]
    old: tuple[Path, Receipt] | None = None


@dataclass(frozen=True)
class Means:
    """With what it is done."""

    threads: int = 1
    memory_mb: int = 1000
    progress: Progress = silent
    cancelled: Callable[[], bool] = never


def fresh_folder(parent: Path) -> Path:
    """Make a folder of a name that nobody has.

    Raises
    ------
    NoSpace, NoResource
        It cannot be made.
    """
    folder = parent / secrets.token_hex(6)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise writing_failed(folder, error) from error
    return folder


def make(step: Step, order: Order, folder: Path, means: Means) -> Path:
    """Do a task in a folder of its own.

    Parameters
    ----------
    step : Step
        How.
    order : Order
        What.
    folder : Path
        Empty, on the disk of the work folder.
    means : Means
        With what.

    Returns
    -------
    Path
        A folder in it that holds the outputs and their receipt, on the disk.

    Raises
    ------
    Alos2Error
        It cannot be done.
    """
    return _finished(order, folder, means, step.run)


def make_part(step: DividedStep, order: Order, lines: range, folder: Path, means: Means) -> Path:
    """Do some lines of a task; as `make`, without a receipt."""
    job = _job(order, folder, means)
    try:
        step.run_part(job, lines)
        sync_tree(job.out)
    except OSError as error:
        raise writing_failed(folder, error) from error
    finally:
        shutil.rmtree(job.scratch, ignore_errors=True)
    return job.out


def assemble(
    step: DividedStep, order: Order, parts: Sequence[Path], folder: Path, means: Means
) -> Path:
    """Put the parts of a task together; as `make`."""
    return _finished(order, folder, means, lambda job: step.assemble(job, parts))


def _job(order: Order, folder: Path, means: Means) -> StepJob:
    out, scratch = folder / "out", folder / "scratch"
    try:
        out.mkdir()
        scratch.mkdir()
    except OSError as error:
        raise writing_failed(folder, error) from error
    return StepJob(
        order.task,
        out,
        scratch,
        order.made,
        threads=means.threads,
        memory_mb=means.memory_mb,
        progress=means.progress,
        cancelled=means.cancelled,
        old=order.old,
    )


def _finished(
    order: Order, folder: Path, means: Means, run: Callable[[StepJob], Sequence[str]]
) -> Path:
    job = _job(order, folder, means)
    try:
        notes = run(job)
        shutil.rmtree(job.scratch, ignore_errors=True)
        write_receipt(job.out, order.key, order.made_from, notes, job.parts)
        sync_tree(job.out)
    except OSError as error:
        raise writing_failed(folder, error) from error
    finally:
        shutil.rmtree(job.scratch, ignore_errors=True)
    return job.out


def put_in_place(out: Path, place: Path) -> Receipt:
    """Give a folder of outputs its name; what was there before is replaced in the same step.

    Parameters
    ----------
    out : Path
        As `make` returns it.
    place : Path
        Its place in the work folder.

    Raises
    ------
    DatasetDiffers
        Something that no run made is at its place.
    NoSpace, NoResource
        It cannot be renamed.
    """
    receipt = read_receipt(out)
    if receipt is None:
        raise DatasetDiffers(f"{out} has no receipt", hint="run the same command again")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists() and not place.is_symlink():
            out.rename(place)
            sync_folder(place.parent)
            return receipt
        _require_ours(place)
        if exchange(out, place):
            sync_folder(place.parent)
            shutil.rmtree(out, ignore_errors=True)  # the old one, by now
            return receipt
        aside = out.with_name(f"{out.name}-old")
        place.rename(aside)
        out.rename(place)
        sync_folder(place.parent)
        shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise writing_failed(place, error) from error
    return receipt


def _require_ours(place: Path) -> None:
    ours = place.is_dir() and not place.is_symlink()
    if ours and ((place / NAME).exists() or not any(place.iterdir())):
        return
    raise DatasetDiffers(
        f"{place} is in the way: no run of this stack made it",
        hint="move it away, or use another work folder",
    )


def error_json(error: BaseException) -> Json:
    """Return what reports and job folders tell of an error, without secrets."""
    if isinstance(error, Alos2Error):
        kind, message, hint = type(error).__name__, error.message, error.hint
        code = error.exit_code
    elif isinstance(error, MemoryError):
        kind, message, code = "NoResource", "not enough memory", 9
        hint = "give --memory or a smaller number of threads, or use a larger machine"
    else:
        kind, message, code = "InternalError", f"{type(error).__name__}: {error}", 1
        hint = "please report it as an issue, with the log"
    return {"class": kind, "message": scrub(message), "hint": scrub(hint), "exit_code": code}

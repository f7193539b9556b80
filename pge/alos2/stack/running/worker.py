"""One job of a spread stack: a task, some lines of one, or the putting together of those.

    python -m alos2.stack.running.worker TASKFILE

The task file's folder takes ``out/`` with what was made and ``outcome.json``, each in one step. A
second copy of the job waits for the first and finds all done. Exit codes are those of `alos2`.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any, Final, cast

from alos2.archive.writing import writing_failed
from alos2.dataset.jsontext import json_bytes
from alos2.dataset.locks import FileLock
from alos2.errors import Alos2Error, BadDocument, Interrupted, NoResource, Terminated
from alos2.stack.running.making import (
    Means,
    Order,
    assemble,
    error_json,
    fresh_folder,
    make,
    make_part,
)
from alos2.stack.running.receipt import read_receipt
from alos2.stack.running.tasks import DividedStep, StepTable, task_from
from alos2.types import Json

log = logging.getLogger(__name__)

TASK_FILE: Final = "task.json"
OUTCOME: Final = "outcome.json"
OUT: Final = "out"
_CLAIM: Final = "claim.lock"
_FOR_EVER_S: Final = 1e9


def step_table(module: str) -> StepTable:
    """Return the steps of a module that has ``step_of(name)``.

    Raises
    ------
    BadDocument
        It has none.
    """
    try:
        return cast(StepTable, import_module(module).step_of)
    except (ImportError, AttributeError) as error:
        raise BadDocument(f"no steps in {module}: {error}") from error


def order_json(
    order: Order,
    steps: str,
    *,
    threads: int,
    memory_mb: int,
    lines: range | None = None,
    parts: Sequence[Path] = (),
) -> Json:
    """Return what a task file holds."""
    return {
        "steps": steps,
        "task": order.task.to_json(),
        "key": order.key,
        "made_from": order.made_from,
        "made": {name: str(folder) for name, folder in order.made.items()},
        "old": None if order.old is None else str(order.old[0]),
        "threads": threads,
        "memory_mb": memory_mb,
        "lines": None if lines is None else [lines.start, lines.stop],
        "parts": [str(part) for part in parts],
    }


def read_outcome(folder: Path) -> Json | None:
    """Return what a job left: ``{"error": None or object}``; None while it has not."""
    try:
        outcome = json.loads((folder / OUTCOME).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(outcome, dict):
        return None
    return outcome if outcome.get("error") or (folder / OUT).is_dir() else None


def work(task_file: Path) -> int:
    """Do what a task file says, unless it is done; return the exit code."""
    folder = task_file.resolve().parent
    with _claimed(folder):
        found = read_outcome(folder)
        if found is None:
            found = {"error": _done(task_file, folder)}
            _write(folder / OUTCOME, found)
        else:
            log.info("it is done already")
    error = found["error"]
    return int(error["exit_code"]) if error else 0


def _done(task_file: Path, folder: Path) -> Json | None:
    """Do it; return the error, if any. An interruption leaves no outcome."""
    place: Path | None = None
    try:
        said = json.loads(task_file.read_bytes())
        place = fresh_folder(folder)
        out = _made(said, place)
        if not (folder / OUT).exists():
            out.rename(folder / OUT)
    except Interrupted:
        raise
    except Alos2Error as error:
        log.warning("%s", error.short)
        return error_json(error)
    except OSError as error:
        failed = writing_failed(folder, error)
        log.warning("%s", failed.short)
        return error_json(failed)
    except Exception as error:
        # The last net: whoever submitted this job wants to be told in words.
        log.exception("stumbled over %s", task_file)
        return error_json(error)
    finally:
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)
    return None


def _made(said: Json, place: Path) -> Path:
    order = _order(said)
    step = step_table(said["steps"])(order.task.step)
    means = Means(int(said["threads"]), int(said["memory_mb"]))
    if said["lines"] is None and not said["parts"]:
        return make(step, order, place, means)
    if not isinstance(step, DividedStep):
        raise BadDocument(f"{order.task.id}: {step.name} is not done by lines")
    if said["lines"] is not None:
        return make_part(step, order, range(*said["lines"]), place, means)
    return assemble(step, order, [Path(part) for part in said["parts"]], place, means)


def _order(said: Json) -> Order:
    old = None
    if said["old"] is not None:
        receipt = read_receipt(Path(said["old"]))
        old = None if receipt is None else (Path(said["old"]), receipt)
    made = {name: Path(folder) for name, folder in said["made"].items()}
    return Order(task_from(said["task"]), said["key"], said["made_from"], made, old)


@contextmanager
def _claimed(folder: Path) -> Iterator[None]:
    """Hold the folder for this copy of the job, where the file system has locks.

    Without, two copies make the same bytes side by side, and the first to end is taken.
    """
    lock = FileLock(folder / _CLAIM, f"{folder.name} is at work", patience_s=_FOR_EVER_S)
    try:
        lock.__enter__()
    except NoResource as error:
        log.warning("%s", error.short)
        yield
        return
    try:
        yield
    finally:
        lock.__exit__(None, None, None)


def _write(path: Path, document: Json) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(json_bytes(document))
        part.replace(path)
    except OSError as error:
        raise writing_failed(path, error) from error


def _terminate(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise Terminated("stopped by SIGTERM; nothing half-made is left")


def main(arguments: Sequence[Any] | None = None) -> int:
    """Do the task of the file that is named."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    if len(given) != 1:
        sys.stderr.write("usage: python -m alos2.stack.running.worker TASKFILE\n")
        return 2
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return work(Path(given[0]))
    except Alos2Error as error:
        log.error("%s", error.short)  # noqa: TRY400 - expected, and told in words
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())

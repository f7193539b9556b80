"""What a batch job runs: the units of one chunk, one after the other, each told of when it is done.

No database is opened here and no folder is listed: ``chunk.json`` says which files a scene has.
Running a chunk twice does no harm. Datasets are made under locks and in one step, a catalogue is
written to by id, and what stands in ``results.ndjson`` is not done again.
"""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType
from typing import Any, Final

from alos2.dataset.scrub import scrub
from alos2.dataset.times import utc_text
from alos2.errors import Alos2Error, Interrupted, UsageError
from alos2.footprint import FootprintOptions
from alos2.jobs import context
from alos2.jobs.metadatajob import Filing, MetadataJob
from alos2.jobs.options import IngestOptions
from alos2.scan.claim import Claim
from alos2.scan.filing import filing_for
from alos2.scan.results import (
    CLAIM,
    Results,
    read_chunk,
    read_done,
    read_results,
    write_done,
)
from alos2.scan.unitproduct import UnitProducts
from alos2.types import Json

log = logging.getLogger(__name__)

SOME_FAILED: Final = 8
STOPPED: Final = 143
_OUTCOMES: Final = {"new": "made", "replaced": "made", "catalogued": "catalogued"}


def run_chunk(folder: Path, *, patience_s: float = 60.0) -> int:
    """Do what a chunk says.

    Parameters
    ----------
    folder : Path
        Of the chunk.
    patience_s : float, optional
        How long to wait for another copy of this job, seconds.

    Returns
    -------
    int
        0: all units are done; 8: some failed, and the results say why; 143: SIGTERM came, and the
        units that are left were not begun.

    Raises
    ------
    UsageError
        It is no chunk.
    NoResource, NoSpace
        Another copy is at work on it, or the folder cannot be written to.
    """
    folder = folder.absolute()
    chunk = read_chunk(folder)
    with Claim(folder / CLAIM, patience_s) as claim, _stop_signal() as stopped:
        done = read_done(folder)
        if done is not None:
            log.info("chunk %s has been done already", chunk["token"])
            return int(done["exit_code"])
        return _run(chunk, folder, claim, stopped)


def _run(chunk: Json, folder: Path, claim: Claim, stopped: threading.Event) -> int:
    started = datetime.now(timezone.utc)
    last = {_key(line): line for line in read_results(folder)[0]}
    units = {_key(unit): unit for unit in chunk["units"]}
    with Results(folder) as results, UnitProducts() as products:
        work = _Work(chunk, products)
        for key, unit in units.items():
            if key in last and last[key]["outcome"] != "failed":
                continue
            if stopped.is_set():
                log.warning("stopped by SIGTERM; the results tell what is done")
                return STOPPED
            last[key] = work.line(unit)
            results.append(last[key])
            claim.beat()
    counts = Counter(str(last[key]["outcome"]) for key in units)
    exit_code = SOME_FAILED if counts["failed"] else 0
    write_done(
        folder,
        {
            "token": chunk["token"],
            "units": len(units),
            **{word: counts[word] for word in ("made", "unchanged", "catalogued", "failed")},
            "exit_code": exit_code,
            "host": socket.gethostname(),
            "started": utc_text(started),
            "ended": _now(),
        },
    )
    log.info("%d units: %s", len(units), ", ".join(f"{n} {word}" for word, n in counts.items()))
    return exit_code


class _Work:
    """Does units, and tells of each what became of it."""

    def __init__(self, chunk: Json, products: UnitProducts) -> None:
        self._out = Path(chunk["out"])
        self._products = products
        self._job: MetadataJob | None = None
        self._fault: Alos2Error | None = None
        try:
            self._job = _job(chunk.get("options") or {}, self._out)
        except Alos2Error as error:
            # Told with each unit: that is where people look.
            self._fault = error

    def line(self, unit: Json) -> Json:
        """Do a unit; only an interruption ends all."""
        dataset_id = str(unit["dataset_id"])
        with context.about(context.product, dataset_id):
            try:
                said = self._done(unit, dataset_id)
            except Interrupted:
                raise
            except Alos2Error as error:
                log.warning("%s", error.short)
                said = self._failed(dataset_id, error)
            except MemoryError as error:
                log.warning("not enough memory")
                said = self._failed(dataset_id, error, code=9)
            except Exception as error:
                # The last net of a unit: one scene that we stumble over must not keep the
                # thousands behind it from being described. Its traceback goes to the log.
                log.exception("stumbled over %s", unit["place"])
                said = self._failed(dataset_id, error)
        return {"dataset_id": dataset_id, "place": unit["place"], **said, "when": _now()}

    def _done(self, unit: Json, dataset_id: str) -> Json:
        if self._job is None:
            raise self._fault or UsageError("there is nothing to do")
        folder = str(self._out / dataset_id)
        if self._job.held(dataset_id):
            log.info("the catalogue has it")
            return {
                "outcome": "catalogued",
                "folder": None,
                "error": None,
                "catalogue": "present",
            }
        product = self._products.of(str(unit["place"]), dataset_id, unit.get("files"))
        line = self._job.make(product).line
        return {
            "outcome": _OUTCOMES.get(line["status"], "unchanged"),
            "folder": folder,
            "error": None,
            "catalogue": line.get("catalogue"),
        }

    def _failed(self, dataset_id: str, error: BaseException, *, code: int = 1) -> Json:
        folder = self._out / dataset_id
        if isinstance(error, Alos2Error):
            kind, message, hint = type(error).__name__, error.message, error.hint
            code = error.exit_code
        else:
            kind, message = "InternalError", f"{type(error).__name__}: {error}"
            hint = "please report it as an issue, with the job's log"
        told = {"class": kind, "message": scrub(message), "hint": scrub(hint), "exit_code": code}
        # What was filed in vain is made all the same.
        made = code == 7 and folder.is_dir()
        return {
            "outcome": "failed",
            "folder": str(folder) if made else None,
            "error": told,
            "catalogue": None,
        }


def _job(options: Json, out: Path) -> MetadataJob:
    """Read the options of a chunk.

    Raises
    ------
    UsageError
        One is not what it has to be.
    NoResource
        The folder for the datasets cannot be made.
    """
    footprint: Any = options.get("footprint")
    given = {key: v for key, v in (options.get("footprint_options") or {}).items() if v is not None}
    if "cache_dir" in given:
        given["cache_dir"] = Path(given["cache_dir"])
    try:
        footprints = FootprintOptions(**given)
    except TypeError as error:
        raise UsageError(f"chunk.json: footprint_options: {error}") from error
    ready = IngestOptions(
        out=out,
        footprint=footprint,
        footprint_options=footprints,
        force=bool(options.get("force")),
    )
    filing: Filing | None = filing_for(options)
    return MetadataJob(ready, tuple(options.get("tags") or ()), filing)


def _key(line: Json) -> tuple[str, str]:
    return str(line["place"]), str(line["dataset_id"])


def _now() -> str:
    return utc_text(datetime.now(timezone.utc))


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    """Note a SIGTERM instead of dying of it; batch systems send one before they kill."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped  # only the main thread may handle signals
        return

    def note(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stopped.set()

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGTERM, before)

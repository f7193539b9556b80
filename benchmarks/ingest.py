"""A whole ingest by URL: seconds of each stage, and peak memory beside the scene's size.

There is no peer that does the same. Each run is a process of its own; deliveries are simulated,
served on loopback, and ingested with all pictures and tiles. ``peak_rss_mb`` counts mapped files
too, which the system may take back; ``peak_anon_mb`` (Linux) is what the process really needs.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pge"))

from _bench import Case, Row, parse_arguments, run_once, show
from alos2.footprint import FootprintOptions
from alos2.jobs import build as build_job
from alos2.jobs import ingest as ingest_job
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed

MB = 1_000_000
CALLS = (
    ("fetch", ingest_job, "fetch"),
    ("unpack", ingest_job, "unpack"),
    ("hash", ingest_job, "file_sha256"),
    ("hash", ingest_job, "hash_files"),
    ("recognise", ingest_job, "recognise"),
    ("footprint", build_job, "footprint_report"),
    ("pictures", build_job, "make_pictures"),
    ("package", build_job, "package_product"),
)
"""Where the pipeline calls what each stage is; what is left is writing the dataset and syncing."""
STAGES = tuple(dict.fromkeys(stage for stage, _, _ in CALLS))


class Stopwatch:
    """Adds up the seconds of each stage by standing before the function that does it."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        for stage, module, name in CALLS:
            self._stand_before(stage, module, name)

    def _stand_before(self, stage: str, module: ModuleType, name: str) -> None:
        function: Callable[..., Any] = getattr(module, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.seconds[stage] += time.perf_counter() - start

        setattr(module, name, timed)


@contextmanager
def anonymous_peak() -> Iterator[Callable[[], float | None]]:
    """Look at the memory that no file backs, every 20 ms; gives what tells its peak in MB."""
    status, stop, peak = Path("/proc/self/status"), threading.Event(), 0.0

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.02):
            text = status.read_text().partition("RssAnon:")[2]
            peak = max(peak, int(text.split()[0]) * 1024 / MB) if text else peak

    if not status.exists():
        yield lambda: None
        return
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield lambda: peak
    finally:
        stop.set()
        watcher.join()


def clear(_target: str, out: Path, _report: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)


def run(target: str, out: Path, report: Path) -> None:
    """Ingest `target`, and write what it took."""
    watch, start = Stopwatch(), time.perf_counter()
    with anonymous_peak() as peak:
        options = IngestOptions(out=out, footprint_options=FootprintOptions(sarcat=False))
        for outcome in ingest_job.ingest_all([target], options):
            if isinstance(outcome, Failed):
                raise outcome.error
    total = time.perf_counter() - start
    stages = watch.seconds | {"rest": total - sum(watch.seconds.values())}
    report.write_text(json.dumps({"stages": stages, "peak_anon_mb": peak()}))


def simulated(where: Path, level: str, form: str, lines: int, *, archive: bool) -> Path:
    """Make a delivery in a process of its own; return its zip or its folder."""
    run_once(Case(_simulate, (where, level, form, lines, archive)))
    found = where.glob("*.zip") if archive else (p for p in where.iterdir() if p.is_dir())
    return next(iter(found))


def _simulate(where: Path, level: Any, form: Any, lines: int, archive: bool) -> None:
    from alos2.simulate import SimulationSpec, simulate  # noqa: PLC0415 - not what is measured

    simulate(
        SimulationSpec(
            level=level, format=form, mode="UBS", pixels=lines, lines=lines, seed=1,
            zip="auig2" if archive else None,
        ),
        where,
    )  # fmt: skip


def measure(name: str, size: str, target: str, work: Path, runs: int) -> Row:
    """Ingest `target` several times: medians of seconds, the largest of memory."""
    case = Case(run, (target, work / "out", work / "report.json"), clear)
    samples, reports = [], []
    for _ in range(runs):
        samples.append(run_once(case))
        reports.append(json.loads((work / "report.json").read_text()))
    stages = {
        f"{stage}_s": round(statistics.median(r["stages"][stage] for r in reports), 3)
        for stage in (*STAGES, "rest")
    }
    anonymous = [r["peak_anon_mb"] for r in reports if r["peak_anon_mb"] is not None]
    return Row(
        name,
        size,
        round(statistics.median(sample.seconds for sample in samples), 4),
        None,
        None,
        None,
        round(max(sample.peak_rss_mb for sample in samples), 1),
        runs,
        {"peak_anon_mb": round(max(anonymous), 1) if anonymous else None} | stages,
    )


KINDS = (
    ("L1.1 CEOS", "1.1", "ceos", True),
    ("L1.5 CEOS", "1.5", "ceos", True),
    ("L2.1 GeoTIFF", "2.1", "geotiff", True),
    ("L1.1 CEOS folder", "1.1", "ceos", False),
)
"""A folder has no zip that can be taken over: it is packed."""
QUICK = (400,)
WHOLE = (2_000, 6_000, 12_000)
LARGEST = 24_000
"""Lines of a level 2.1 that is larger than JAXA's."""


def rows(folder: Path, *, quick: bool, runs: int) -> Iterator[Row]:
    from alos2.cli.demo import served  # noqa: PLC0415 - the measured process needs no server

    for name, level, form, archive in KINDS:
        largest = (LARGEST,) if level == "2.1" and not quick else ()
        for lines in (QUICK if quick else WHOLE) + largest:
            where = folder / "delivery"
            source = simulated(where, level, form, lines, archive=archive)
            size = f"{lines} x {lines}"
            with served(where) as base:
                target = f"{base}/{source.name}" if archive else str(source)
                yield measure(name, size, target, folder, runs)
            shutil.rmtree(where)
            shutil.rmtree(folder / "out")


def main() -> None:
    arguments = parse_arguments((__doc__ or "").splitlines()[0])
    with tempfile.TemporaryDirectory() as folder:
        default = 1 if arguments.quick else 3
        found = rows(Path(folder), quick=arguments.quick, runs=arguments.runs or default)
        show(found, as_json=arguments.json)


if __name__ == "__main__":
    main()

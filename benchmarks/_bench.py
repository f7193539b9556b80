"""What every benchmark shares: fresh processes, medians, peak memory, one row format.

A row is one object: ``name``, ``size``, ``ours_s``, ``peer``, ``peer_s``, ``ratio`` (peer / ours,
above 1 is faster), ``peak_rss_mb`` (of ours), ``runs``. Ours and the peers run in turn, each time
in a process of its own, so that what the machine does meanwhile meets them all.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Sample:
    """One run."""

    seconds: float
    peak_rss_mb: float


@dataclass(frozen=True)
class Row:
    """Ours beside one peer, or alone."""

    name: str
    size: str
    ours_s: float
    peer: str | None
    peer_s: float | None
    ratio: float | None
    peak_rss_mb: float
    runs: int
    more: dict[str, Any] = field(default_factory=dict)
    """What else was measured: further keys of the row's object."""

    def as_object(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        row = asdict(self)
        return row | row.pop("more")


@dataclass(frozen=True)
class Case:
    """One callable with its arguments; it must be importable (a module's top level)."""

    run: Callable[..., object]
    arguments: tuple[Any, ...] = ()
    prepare: Callable[..., object] | None = None
    """Called before, outside of the clock, with the same arguments."""


def peak_rss_mb() -> float:
    """Return the peak memory of this process in MB (10^6 bytes)."""
    status = Path("/proc/self/status")
    if status.exists():
        # Unlike ru_maxrss this does not remember the process that we were started from.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    if sys.platform == "win32":
        return float("nan")
    import resource  # noqa: PLC0415 - not on Windows

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1e6 if sys.platform == "darwin" else used * 1024 / 1e6


def _child(case: Case, pipe: Connection) -> None:
    if case.prepare is not None:
        case.prepare(*case.arguments)
    start = time.perf_counter()
    case.run(*case.arguments)
    pipe.send(Sample(time.perf_counter() - start, peak_rss_mb()))


def run_once(case: Case) -> Sample:
    """Run a case in a fresh process.

    Raises
    ------
    RuntimeError
        It failed; its traceback is on stderr.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(case, there))
    process.start()
    there.close()
    try:
        return here.recv()  # type: ignore[no-any-return]
    except EOFError:
        raise RuntimeError(f"{case.run.__name__} failed") from None
    finally:
        process.join()


def alone(
    name: str, size: str, ours: Case, *, runs: int = 5, more: Mapping[str, Any] | None = None
) -> Row:
    """Run ours `runs` times where there is no peer; return the one row."""
    samples = [run_once(ours) for _ in range(runs)]
    seconds = statistics.median(sample.seconds for sample in samples)
    memory = max(sample.peak_rss_mb for sample in samples)
    row = Row(name, size, round(seconds, 4), None, None, None, round(memory, 1), runs)
    return replace(row, more=dict(more or {}))


def compare(
    name: str, size: str, ours: Case, peers: Mapping[str, Case], *, runs: int = 5
) -> list[Row]:
    """Run ours and the peers in turn `runs` times; return a row for each peer."""
    samples: dict[str, list[Sample]] = {key: [] for key in ("", *peers)}
    for _ in range(runs):
        for key, case in (("", ours), *peers.items()):
            if hasattr(os, "sync"):
                os.sync()
            samples[key].append(run_once(case))
    medians = {
        key: statistics.median(sample.seconds for sample in taken) for key, taken in samples.items()
    }
    memory = max(sample.peak_rss_mb for sample in samples[""])
    return [
        Row(
            name,
            size,
            round(medians[""], 4),
            peer,
            round(medians[peer], 4),
            round(medians[peer] / medians[""], 2),
            round(memory, 1),
            runs,
        )
        for peer in peers
    ]


def parse_arguments(description: str) -> argparse.Namespace:
    """Read ``--json``, ``--quick`` and ``--runs``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    parser.add_argument("--quick", action="store_true", help="a smaller case, for a first look")
    parser.add_argument("--runs", type=int, default=None, help="runs of each (median is taken)")
    return parser.parse_args()


def show(rows: Iterable[Row], *, as_json: bool) -> None:
    """Print rows as they come: NDJSON, or a table."""
    header = (
        f"{'name':24} {'size':>10} {'ours s':>9} {'peer':34} {'peer s':>9} {'ratio':>6} {'MB':>7}"
    )
    for number, row in enumerate(rows):
        if as_json:
            print(json.dumps(row.as_object()), flush=True)
            continue
        if number == 0:
            print(header)
        peer, ratio = _number(row.peer_s, 9, 3), _number(row.ratio, 6, 2)
        more = "  ".join(f"{key} {value}" for key, value in row.more.items())
        print(
            f"{row.name:24} {row.size:>10} {row.ours_s:9.3f} {row.peer or '-':34} {peer} "
            f"{ratio} {row.peak_rss_mb:7.1f}  {more}".rstrip(),
            flush=True,
        )


def _number(value: float | None, width: int, decimals: int) -> str:
    return f"{'-':>{width}}" if value is None else f"{value:{width}.{decimals}f}"


def note(sentence: str) -> None:
    """Say on stderr what was left out, and why."""
    print(sentence, file=sys.stderr)

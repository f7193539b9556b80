"""What a scan would submit and remove, tried on a copy of the state."""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from alos2.scan import chunks, forgetting, plan, ready
from alos2.scan.finding import clock_of, find
from alos2.scan.options import ScanOptions
from alos2.scan.report import ScanReport
from alos2.scan.state import copied
from alos2.types import Json


def dry_run(options: ScanOptions, tell: Callable[[Json], None]) -> ScanReport:
    """Say what `scan` would submit; nothing is changed. Raises as `scan`."""
    ready.check(options)
    report = ScanReport()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="alos2-scan-") as scratch,
        copied(options.folder, Path(scratch)) as state,
    ):
        clock = clock_of(options)
        walk = find(state, options, clock, report, tell)
        if walk is not None and options.forget_gone:
            forgetting.forget(state, options, walk, report, tell, only_say=True)
        retry = options.retry_failed
        report.retried = plan.prepare(state, clock, options.wanted, retry_failed=retry)
        for unit in plan.candidates(state, options.wanted):
            report.submitted += 1
            tell(
                {
                    "kind": "would submit",
                    "dataset_id": unit.dataset_id,
                    "place": os.fsdecode(unit.path),
                    "replaces": unit.forced or options.force,
                }
            )
        report.counts = state.counts()
        report.in_flight = len(chunks.live_chunks(state))
    size = options.chunk_size or options.site.chunk_size
    report.jobs = math.ceil(report.submitted / size)
    report.seconds = time.monotonic() - began
    return report

"""The walk of a scan: what is new, changed or gone goes into the state."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from alos2.scan import missing
from alos2.scan.entering import Clock, Entering
from alos2.scan.options import ScanOptions
from alos2.scan.report import ScanReport
from alos2.scan.seen import below
from alos2.scan.state import ScanState
from alos2.scan.walk import Found, Settling, Trouble, Walk
from alos2.types import Json

_PLACES: Final = 1000
"""Places that are entered in one transaction."""


def clock_of(options: ScanOptions) -> Clock:
    """Return now, and how old a file has to be."""
    return Clock(time.time_ns(), int(options.settle_s * 1e9))


def find(
    state: ScanState,
    options: ScanOptions,
    clock: Clock,
    report: ScanReport,
    tell: Callable[[Json], None],
) -> Walk | None:
    """Walk the roots and enter what is new, changed or gone; and datasets that are missing.

    Returns
    -------
    Walk or None
        Which is over; None: there was nothing to walk.
    """
    if not options.roots:
        return None
    out = options.out.absolute()
    walk = Walk(
        options.roots,
        known=options.folder / state.path.name,
        skip=[folder for folder in (out, options.folder) if folder not in options.roots],
        settle_s=options.settle_s,
        now_ns=clock.now_ns,
    )
    entering = Entering(state, clock)
    for batch in _batches(walk, report, tell):
        entering.enter(batch)
        options.progress("places", entering.found, None)
    gone = entering.missed(walk)
    for some in iter(lambda: list(islice(gone, _PLACES)), []):
        entering.gone(some)
    report.walked = True
    report.folders, report.files, report.walk_s = walk.folders, walk.files, walk.seconds
    report.found = entering.found
    entering.finish(walk)
    _miss(state, options, walk, report, tell)
    report.any_scene = bool(report.young_zips) or any(holds_scenes(state, r) for r in options.roots)
    return walk


def _miss(
    state: ScanState,
    options: ScanOptions,
    walk: Walk,
    report: ScanReport,
    tell: Callable[[Json], None],
) -> None:
    """Set scenes to do whose datasets are no longer in the archive."""
    try:
        names = missing.missing(state, options.out) if options.out.is_dir() else []
    except OSError as error:
        place, sentence = str(options.out), f"cannot be read: {error.strerror or error}"
        report.trouble(place, f"{sentence}; no dataset is missed")
        tell({"kind": "trouble", "place": place, "sentence": sentence})
        return
    report.missing = missing.make_again(state, walk, names)


def holds_scenes(state: ScanState, root: Path) -> bool:
    """Whether a scene was met at or below `root`."""
    path = os.fsencode(root.absolute())
    first, end = below(path)
    return bool(
        state.one(
            """SELECT 1 FROM places JOIN units ON units.place = places.id
               WHERE path = ? OR (path >= ? AND path < ?) LIMIT 1""",
            (path, first, end),
        )
    )


def _batches(walk: Walk, report: ScanReport, tell: Callable[[Json], None]) -> Iterator[list[Found]]:
    batch: list[Found] = []
    for item in walk:
        if isinstance(item, Found):
            batch.append(item)
            if len(batch) >= _PLACES:
                yield batch
                batch = []
        elif isinstance(item, Trouble):
            report.trouble(item.path, item.sentence)
            tell({"kind": "trouble", "place": item.path, "sentence": item.sentence})
        elif isinstance(item, Settling):
            report.young_zips += 1
    if batch:
        yield batch

"""Datasets that the archive should hold and does not: somebody removed or damaged them.

At each walk the archive is listed once, and compared with what is known to have been made. Some
of the datasets that are there, others each time, are looked into as well.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import filterfalse, islice
from operator import itemgetter
from pathlib import Path
from typing import Final

from alos2.scan.entering import NOT_THERE
from alos2.scan.state import ScanState
from alos2.scan.walk import Walk, is_within

DOCUMENT: Final = ".dataset.json"
"""What a dataset's folder holds at least, after its own name."""
_LOOKED_INTO: Final = 1000
"""Datasets that are opened at each scan; all of them would cost as much as the walk."""
_LAST: Final = "last dataset looked into"
_BATCH: Final = 1000


def missing(state: ScanState, archive: Path) -> list[str]:
    """Return the ids of datasets that were made in the archive and are not there, or not whole.

    Datasets that only another catalogue holds are not expected here.

    Raises
    ------
    OSError
        The archive cannot be listed: nothing can be said.
    """
    there = set(os.listdir(archive))  # noqa: PTH208 - tens of thousands at each scan
    rows = state.db.execute("SELECT dataset_id FROM made WHERE kept AND fingerprint <> x''")
    gone = list(filterfalse(there.__contains__, map(itemgetter(0), rows)))
    return gone + [
        name for name in _some_in_turn(state) if name in there and not _is_whole(archive, name)
    ]


def make_again(state: ScanState, walk: Walk, names: Sequence[str]) -> int:
    """Set scenes to do whose datasets are missing, as far as a walk has just met their files.

    Returns
    -------
    int
        How many.
    """
    count = 0
    waiting = iter(names)
    for some in iter(lambda: list(islice(waiting, _BATCH)), []):
        with state.transaction() as db:
            for name in some:
                rows = db.execute(
                    """SELECT units.id, path FROM units JOIN places ON places.id = units.place
                       WHERE dataset_id = ? AND state = 'done'""",
                    (name,),
                ).fetchall()
                for number, path in rows:
                    if is_within(path, walk.walked) and not walk.in_doubt(path):
                        # Made from nothing that is there: what is left of it is replaced.
                        db.execute(
                            "UPDATE made SET fingerprint = ? WHERE dataset_id = ?",
                            (NOT_THERE, name),
                        )
                        db.execute("UPDATE units SET state = 'changed' WHERE id = ?", (number,))
                        count += 1
    return count


def _is_whole(archive: Path, name: str) -> bool:
    try:
        os.stat(f"{archive}/{name}/{name}{DOCUMENT}")  # noqa: PTH116 - thousands at each scan
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _some_in_turn(state: ScanState) -> list[str]:
    """Return the next datasets to look into, and remember where to go on."""
    statement = """SELECT dataset_id FROM made WHERE kept AND fingerprint <> x''
        AND dataset_id > ? ORDER BY dataset_id LIMIT ?"""
    last = state.fact(_LAST) or ""
    found = [row[0] for row in state.db.execute(statement, (last, _LOOKED_INTO))]
    begun_again = last and len(found) < _LOOKED_INTO
    if begun_again:
        rest = state.db.execute(statement, ("", _LOOKED_INTO - len(found)))
        found += [row[0] for row in rest if row[0] <= last]
    if found and found[-1] != last:
        state.remember(_LAST, found[-1])
    return found

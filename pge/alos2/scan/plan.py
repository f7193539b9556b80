"""Which units are to be done now: what has settled, which of several places counts, what is wanted.

The same dataset id at two places is done once. The place counts that has been done already or that
a job has, else the first by its path; a place that failed, is incomplete or has gone does not
count, so that the other one gets its chance.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final, NamedTuple

from alos2.scan.entering import Clock
from alos2.scan.schema import UnitState
from alos2.scan.state import ScanState
from alos2.scan.units import Wanted, file_names

TO_DO: Final = (
    "CASE WHEN EXISTS (SELECT 1 FROM made WHERE made.dataset_id = units.dataset_id) "
    "THEN 'changed' ELSE 'new' END"
)
"""The state of a unit that is (again) to be done."""
_PAGE: Final = 500


class Candidate(NamedTuple):
    """A unit that is to be done."""

    id: int
    dataset_id: str
    path: bytes
    """Its place."""
    forced: bool
    """Whether the archive has this dataset from other files or another place: it is replaced."""


def prepare(state: ScanState, clock: Clock, wanted: Wanted, *, retry_failed: bool = False) -> int:
    """Bring the states of all units up to date; return how many failed ones are tried again."""
    with state.transaction():
        _ripen(state, clock)
        retried = _retry(state, wanted) if retry_failed else 0
        _settle_duplicates(state)
    return retried


def candidates(state: ScanState, wanted: Wanted) -> Iterator[Candidate]:
    """Yield what is to be done, in the order in which it was found; memory stays small.

    Their states may be changed while this runs.
    """
    last = 0
    condition, values = _level_condition(wanted)
    while True:
        rows = state.db.execute(
            f"""SELECT units.id, units.dataset_id, places.path, units.scene, units.product,
                units.codes, units.level,
                made.dataset_id IS NOT NULL
                  AND (made.path <> places.path OR made.fingerprint <> units.fingerprint)
                FROM units JOIN places ON places.id = units.place
                LEFT JOIN made ON made.dataset_id = units.dataset_id
                WHERE units.id IN (SELECT id FROM units WHERE state IN ('new', 'changed')
                  {condition} AND id > ? ORDER BY id LIMIT {_PAGE}) ORDER BY units.id""",  # noqa: S608
            (*values, last),
        ).fetchall()
        if not rows:
            return
        for number, dataset_id, path, scene, product, codes, level, forced in rows:
            last = number
            names = file_names(scene, product, codes)
            if wanted.wants(level, os.fsdecode(path), names):
                yield Candidate(number, dataset_id, path, bool(forced))


def _level_condition(wanted: Wanted) -> tuple[str, tuple[str, ...]]:
    if wanted.levels is None:
        return "", ()
    marks = ", ".join("?" * len(wanted.levels))
    return f"AND level IN ({marks})", tuple(sorted(wanted.levels))


def _ripen(state: ScanState, clock: Clock) -> None:
    """Units whose files have not been changed for long enough are to be done."""
    rows = state.db.execute(
        "SELECT id, newest_ns, seen_ns FROM units WHERE state = 'settling'"
    ).fetchall()
    ripe = [(number,) for number, newest, seen in rows if not clock.is_young(newest, seen)]
    state.db.executemany(
        f"""UPDATE units SET state = CASE WHEN missing <> '' THEN 'incomplete' ELSE {TO_DO} END
            WHERE id = ?""",  # noqa: S608
        ripe,
    )


def _retry(state: ScanState, wanted: Wanted) -> int:
    rows = state.db.execute(
        """SELECT units.id, places.path, scene, product, codes, level FROM units
           JOIN places ON places.id = units.place WHERE state = 'failed'"""
    ).fetchall()
    again = [
        (number,)
        for number, path, scene, product, codes, level in rows
        if wanted.wants(level, os.fsdecode(path), file_names(scene, product, codes))
    ]
    state.db.executemany(
        f"""UPDATE units SET state = {TO_DO}, chunk = NULL, error = NULL, error_class = NULL
            WHERE id = ?""",  # noqa: S608
        again,
    )
    return len(again)


class _Rival(NamedTuple):
    """One of several places of a dataset id."""

    id: int
    state: UnitState
    path: bytes
    is_source: bool
    """Whether the dataset in the archive was made from here."""
    is_current: bool
    """... and from these files."""

    @property
    def rank(self) -> tuple[int, bytes]:
        """Lower comes first."""
        if self.state == "submitted":
            return 0, self.path
        return (1 if self.state == "done" or self.is_source else 2), self.path


_RIVALS: Final = """
    SELECT dataset_id FROM units WHERE state = 'duplicate'
    UNION
    SELECT dataset_id FROM (SELECT dataset_id FROM units
      WHERE state IN ('new', 'changed', 'duplicate', 'submitted', 'done', 'settling')
      GROUP BY dataset_id HAVING count(*) > 1)
"""


def _settle_duplicates(state: ScanState) -> None:
    names = [row[0] for row in state.db.execute(_RIVALS)]
    for name in names:
        rows = state.db.execute(
            """SELECT units.id, state, coalesce(was_at, places.path),
                 coalesce(made.path = places.path, 0),
                 coalesce(made.path = places.path AND made.fingerprint = units.fingerprint, 0)
               FROM units LEFT JOIN places ON places.id = units.place
               LEFT JOIN made ON made.dataset_id = units.dataset_id
               WHERE units.dataset_id = ?
               AND state IN ('new', 'changed', 'duplicate', 'submitted', 'done', 'settling')""",
            (name,),
        )
        rivals = [_Rival(*row) for row in rows]
        # A copy that is still being written does not keep a finished one waiting.
        first, *others = sorted(
            rivals, key=lambda r: (r.state == "settling" and not r.is_source, *r.rank)
        )
        if first.state == "duplicate":
            word = "'done'" if first.is_current else TO_DO
            state.db.execute(f"UPDATE units SET state = {word} WHERE id = ?", (first.id,))  # noqa: S608
        state.db.executemany(
            "UPDATE units SET state = 'duplicate' WHERE id = ?",
            [(rival.id,) for rival in others if rival.state in ("new", "changed", "done")],
        )

"""What the walk found becomes rows: new, changed, settling, incomplete, gone.

Only what is new or changed comes here. A unit that a job has at this moment is not touched but in
what its files are now: when the job has ended, that decides whether it has to be done again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from alos2.scan.schema import UnitState
from alos2.scan.seen import Seen
from alos2.scan.state import ScanState

if TYPE_CHECKING:
    from alos2.scan.units import Unit
    from alos2.scan.walk import Found, Walk

NOT_THERE = b""
"""Fingerprint of a unit whose files went away while a job had it."""


class Clock(NamedTuple):
    """Now, and how old a file has to be; ns."""

    now_ns: int
    settle_ns: int

    def is_young(self, newest_ns: int, seen_ns: int) -> bool:
        """Whether files may still be copied.

        Parameters
        ----------
        newest_ns : int
            When the newest of them was changed; in the future where clocks differ.
        seen_ns : int
            When they were first seen as they are now; counts where the other is in the future.
        """
        since = newest_ns if newest_ns <= self.now_ns else seen_ns
        return self.settle_ns > 0 and self.now_ns - since < self.settle_ns


class Entering:
    """Enters what a walk yields.

    Parameters
    ----------
    state : ScanState
        Open for writing.
    clock : Clock
        Of this scan.

    Attributes
    ----------
    found : int
        Units that were new, changed or gone.
    """

    def __init__(self, state: ScanState, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._seen = Seen(state.db)
        self._any_made = bool(state.one("SELECT 1 FROM made LIMIT 1"))
        self._any_gone = bool(state.one("SELECT 1 FROM units WHERE was_at IS NOT NULL LIMIT 1"))
        self.found = 0

    def enter(self, founds: Sequence[Found]) -> None:
        """Enter places that are new or have changed, in one transaction."""
        with self._state.transaction():
            places = self._seen.mark(founds)
            fresh: list[tuple[Any, ...]] = []
            for place, found in zip(places, founds, strict=True):
                known = self._known(place, found)
                for unit in found.units:
                    self.found += 1
                    row = known.pop(unit.dataset_id, None)
                    if row is None:
                        fresh.append(self._row(place, unit))
                    else:
                        self._change(row, unit, place)
                self._leave(known.values(), found.path)
            self._state.db.executemany(_INSERT, fresh)

    def missed(self, walk: Walk) -> Iterator[tuple[int, str]]:
        """Yield known places that a walk, which is over, did not meet."""
        return self._seen.gone(walk)

    def gone(self, places: Iterable[tuple[int, str]]) -> None:
        """Enter places that are no longer there, in one transaction."""
        with self._state.transaction() as db:
            forgotten = []
            for place, path in places:
                rows = db.execute(_KNOWN + " WHERE place = ?", (place,)).fetchall()
                self._leave([_Known(*row) for row in rows], path)
                forgotten.append(place)
            self._seen.forget(forgotten)

    def finish(self, walk: Walk) -> None:
        """Note that a walk is over, after `gone`."""
        with self._state.transaction():
            self._seen.finished(walk)

    def _known(self, place: int, found: Found) -> dict[str, _Known]:
        """Return what is known of this place; of a new one what was there once."""
        known: dict[str, _Known] = {}
        rows: list[Any] = []
        if found.place_id:
            rows = self._state.db.execute(_KNOWN + " WHERE place = ?", (place,)).fetchall()
        if self._any_gone:
            rows += self._state.db.execute(
                _KNOWN + " WHERE was_at = ?", (os.fsencode(found.path),)
            ).fetchall()
        for row in rows:
            known.setdefault(row[1], _Known(*row))
        return known

    def _row(self, place: int, unit: Unit) -> tuple[Any, ...]:
        state = self._judged(unit, self._clock.now_ns)
        return (
            place, unit.dataset_id, unit.scene_text, unit.product_text, unit.level, unit.codes,
            unit.size, unit.newest_ns, self._clock.now_ns, unit.fingerprint, int(unit.in_zip),
            "\n".join(unit.missing), state,
        )  # fmt: skip

    def _judged(self, unit: Unit, seen_ns: int) -> UnitState:
        made = None
        if self._any_made:
            made = self._state.db.execute(
                "SELECT fingerprint, path FROM made WHERE dataset_id = ?", (unit.dataset_id,)
            ).fetchone()
        if made == (unit.fingerprint, os.fsencode(unit.place)):
            return "done"
        if self._clock.is_young(unit.newest_ns, seen_ns):
            return "settling"
        if unit.missing:
            return "incomplete"
        return "changed" if made else "new"

    def _change(self, row: _Known, unit: Unit, place: int) -> None:
        same = row.fingerprint == unit.fingerprint and row.state != "gone"
        state = row.state
        if row.state != "submitted" and not same:
            state = self._judged(unit, self._clock.now_ns)
        self._state.db.execute(
            """UPDATE units SET place = ?, codes = ?, size = ?, newest_ns = ?, fingerprint = ?,
               seen_ns = CASE WHEN ? THEN seen_ns ELSE ? END, missing = ?, state = ?,
               was_at = NULL, error_class = CASE WHEN ? THEN error_class END,
               error = CASE WHEN ? THEN error END WHERE id = ?""",
            (
                place, unit.codes, unit.size, unit.newest_ns, unit.fingerprint, same,
                self._clock.now_ns, "\n".join(unit.missing), state, same, same, row.id,
            ),
        )  # fmt: skip

    def _leave(self, rows: Iterable[_Known], path: str) -> None:
        """Take away what is no longer at its place; a job that has it is waited for."""
        for row in rows:
            if row.state == "gone":
                continue
            self.found += 1
            self._any_gone = True
            state = "submitted" if row.state == "submitted" else "gone"
            self._state.db.execute(
                """UPDATE units SET state = ?, fingerprint = ?, place = -id, was_at = ?,
                   error = NULL, error_class = NULL WHERE id = ?""",
                (state, NOT_THERE, os.fsencode(path), row.id),
            )


class _Known(NamedTuple):
    id: int
    dataset_id: str
    state: UnitState
    fingerprint: bytes


_KNOWN = "SELECT id, dataset_id, state, fingerprint FROM units"
_INSERT = """INSERT INTO units (place, dataset_id, scene, product, level, codes, size, newest_ns,
    seen_ns, fingerprint, in_zip, missing, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

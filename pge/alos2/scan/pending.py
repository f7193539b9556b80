"""Lots of units, one lot a job."""

from __future__ import annotations

from alos2.scan import plan
from alos2.scan.options import ScanOptions
from alos2.scan.plan import Candidate
from alos2.scan.state import ScanState


class Pending:
    """What is to be submitted, in lots of one chunk each: all replacing datasets, or none.

    Parameters
    ----------
    state : ScanState
        With a plan made.
    options : ScanOptions
        Its ``wanted`` and ``force``.
    size : int
        Units a lot.
    """

    def __init__(self, state: ScanState, options: ScanOptions, size: int) -> None:
        self._candidates = plan.candidates(state, options.wanted)
        self._size = size
        self._force = options.force
        self._lots: dict[bool, list[Candidate]] = {False: [], True: []}

    def next(self) -> tuple[list[Candidate], bool] | None:
        """Return units and whether they replace what is there; None when there are no more."""
        for unit in self._candidates:
            lot = self._lots[unit.forced or self._force]
            lot.append(unit)
            if len(lot) >= self._size:
                break
        for forced, lot in sorted(self._lots.items(), key=lambda pair: -len(pair[1])):
            if lot:
                self._lots[forced] = []
                return lot, forced
        return None

    def count_left(self) -> int:
        """Return how many are left."""
        return sum(map(len, self._lots.values())) + sum(1 for _ in self._candidates)

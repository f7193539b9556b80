"""What can become of a portal's file, one line about it, and the sum over all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TypeAlias

from alos2.jobs.fanout import Line
from alos2.jobs.ingest import Ingested
from alos2.jobs.outcome import Failed, raise_failures
from alos2.sources.portals.model import Item
from alos2.types import Json


@dataclass(frozen=True)
class Listed:
    """A file that a portal has, and what an ingest would do with it."""

    item: Item
    held: str | None = None
    """Id of the dataset that it has become already."""

    @property
    def reason(self) -> str:
        """Why it would be left out; empty if it would be ingested."""
        if self.item.skip:
            return self.item.skip
        return f"already there as {self.held}" if self.held else ""

    def to_json(self) -> Json:
        """Return what ``--list --json`` prints about it."""
        item = self.item
        return {
            "provider": item.provider,
            "id": item.id,
            "eor_id": item.eor_id,
            "data_id": item.data_id,
            "order_id": item.order_id,
            "title": item.title,
            "name": item.name,
            "size": item.size,
            "when": None if item.when is None else item.when.isoformat(),
            "footprint": item.footprint,
            "properties": dict(item.properties),
            "held": self.held,
            "skip": self.item.skip,
            "ingest": not self.reason,
        }


@dataclass(frozen=True)
class Skipped:
    """A file that was left out: it is no product, or it is held already."""

    item: Item
    reason: str
    held: str | None = None


@dataclass(frozen=True)
class Submitted:
    """A file that was handed on to a job of its own, if it needed one."""

    item: Item
    line: Line


Outcome: TypeAlias = "Ingested | Failed | Skipped | Submitted | Listed"


def line_of(outcome: Outcome) -> str:
    """Return one line about an outcome, for people and for HySDS's message."""
    if isinstance(outcome, Ingested):
        return f"{outcome.line['id']}: {outcome.line['status']}"
    if isinstance(outcome, Failed):
        return f"{outcome.what}: failed, {outcome.error.short}"
    if isinstance(outcome, Submitted):
        return str(outcome.line)
    if isinstance(outcome, Skipped):
        return f"{outcome.item.id}: left out, {outcome.reason}"
    said = f"would be left out, {outcome.reason}" if outcome.reason else "would be ingested"
    return f"{outcome.item.id}: {said}"


class Tally:
    """Counts outcomes: what the last line of a run says, and what its exit code is made of."""

    def __init__(self) -> None:
        self.failures: list[Failed] = []
        self.done = 0
        """Datasets, jobs submitted or under way, and files that were there already."""
        self._words: Counter[str] = Counter()

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        if isinstance(outcome, Failed):
            self.failures.append(outcome)
            self._words["failed"] += 1
        elif isinstance(outcome, Submitted):
            self._words[outcome.line.outcome] += 1
        elif isinstance(outcome, Skipped):
            self._words["already there" if outcome.held else "left out"] += 1
        elif isinstance(outcome, Ingested):
            self._words[str(outcome.line["status"])] += 1
        else:
            self._words["listed"] += 1
        self.done += not (isinstance(outcome, Failed) or self._is_no_product(outcome))

    @staticmethod
    def _is_no_product(outcome: Outcome) -> bool:
        return isinstance(outcome, Skipped) and not outcome.held

    def __str__(self) -> str:
        return ", ".join(f"{count} {word}" for word, count in self._words.items()) or "nothing"

    def raise_failures(self) -> None:
        """Raise what the exit code shall tell of; see `alos2.jobs.outcome.raise_failures`."""
        raise_failures(self.failures, self.done)

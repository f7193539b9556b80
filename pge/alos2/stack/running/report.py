"""What became of a run: for the end of it, and ``report.json`` of what there is.

``report.json`` tells what the work folder holds and what failed, and nothing of how it came about:
a run that was killed and run again leaves the same one as a run that nobody disturbed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from alos2 import errors
from alos2.archive.writing import writing_failed
from alos2.dataset.jsontext import json_bytes
from alos2.errors import Alos2Error, SomeFailed
from alos2.stack.planning.words import count_text, some_text
from alos2.stack.running.receipt import Receipt
from alos2.stack.running.tasks import THERE, State, Task
from alos2.types import Json

NAME: Final = "report.json"


@dataclass(frozen=True)
class Settled:
    """What became of a task."""

    task: Task
    state: State | Literal["missing"]
    """``missing``: it was not asked for, or only looked at."""
    key: str
    """Empty where it failed."""
    receipt: Receipt | None = None
    error: Json | None = None
    """``class``, ``message``, ``hint``, ``exit_code``."""
    why: str = ""
    """Why it was made, or could not be."""
    seconds: float = 0.0
    without: tuple[str, ...] = ()
    """What it would have needed, and went on without."""

    def to_json(self) -> Json:
        """Return what an event tells."""
        return {
            **_what(self.task),
            "state": self.state,
            "key": self.key or None,
            "why": self.why,
            "without": list(self.without),
            "seconds": round(self.seconds, 3),
            "error": self.error,
        }


def _what(task: Task) -> Json:
    return {"id": task.id, "step": task.step, "track": task.track, "date": task.date}


class RunReport:
    """What became of a run.

    Parameters
    ----------
    work : Path
        The work folder.
    settled : mapping
        Tasks that were asked for.
    all_tasks : mapping
        All tasks of the stack.
    left_out : sequence of (str, str)
        Deliveries that should be in the stack and are not, as they are damaged; and why.

    Attributes
    ----------
    seconds : float
        How long it took.
    """

    def __init__(
        self,
        work: Path,
        settled: Mapping[str, Settled],
        all_tasks: Mapping[str, Settled],
        left_out: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.work = work
        self.left_out = tuple(left_out)
        self.settled = {name: settled[name] for name in all_tasks if name in settled}
        self.all_tasks = dict(all_tasks)
        self.seconds = 0.0

    @property
    def made(self) -> tuple[str, ...]:
        """Ids of the tasks that were done in this run."""
        return tuple(name for name, one in self.settled.items() if one.state == "made")

    @property
    def failed(self) -> tuple[Settled, ...]:
        """Those that failed, or lacked what failed."""
        return tuple(o for o in self.settled.values() if o.state in ("failed", "skipped"))

    def counts(self) -> dict[str, int]:
        """Return how many tasks ended in each state."""
        counted = Counter(one.state for one in self.settled.values())
        return {state: counted[state] for state in ("made", "kept", "failed", "skipped")}

    def to_json(self) -> Json:
        """Return the summary of this run."""
        return {
            "kind": "summary",
            "work": str(self.work),
            **self.counts(),
            "by_step": {step: dict(counted) for step, counted in self._by_step().items()},
            "failures": [one.to_json() for one in self.failed],
            "left_out": _left_out(self.left_out),
            "seconds": round(self.seconds, 3),
        }

    def _by_step(self) -> dict[str, Counter[str]]:
        found: dict[str, Counter[str]] = {}
        for one in self.settled.values():
            found.setdefault(one.task.step, Counter())[one.state] += 1
        return found

    def table(self) -> Iterator[str]:
        """Yield lines of text: a row a step, then what failed and what to do."""
        states = ("made", "kept", "failed", "skipped")
        steps = self._by_step()
        width = max([len("step"), *(len(step) for step in steps)])
        yield f"{'step':<{width}}  " + "  ".join(f"{state:>7}" for state in states) + "  seconds"
        for step, counted in steps.items():
            spent = sum(o.seconds for o in self.settled.values() if o.task.step == step)
            numbers = "  ".join(f"{counted[state]:>7}" for state in states)
            yield f"{step:<{width}}  {numbers}  {spent:>7.1f}"
        yield from self._failures()
        for what, why in self.left_out:
            yield f"left out: {what}: {why}"
        told: dict[tuple[str, str], list[str]] = {}
        for one in self.settled.values():
            for note in one.receipt.notes if one.receipt and one.state == "made" else ():
                told.setdefault((one.task.step, note), []).append(one.task.id)
        for (step, note), names in told.items():
            whose = names[0] if len(names) == 1 else f"{len(names)} of {step}"
            yield f"note:    {whose}: {note}"

    def _failures(self) -> Iterator[str]:
        """Yield what failed, the same fault of several tasks once, and what lacks it."""
        told: dict[str, list[str]] = {}
        for one in self.settled.values():
            if one.state == "failed" and one.error is not None:
                hint = f" ({one.error['hint']})" if one.error["hint"] else ""
                told.setdefault(f"{one.error['message']}{hint}", []).append(one.task.id)
        for what, names in told.items():
            yield f"failed:  {some_text(names)}: {what}"
        for one in self.settled.values():
            if one.state == "skipped":
                lost = [n for n in one.task.needs if self.settled[n].state not in THERE]
                yield f"skipped: {one.task.id}: it needs {some_text(lost)}"
            elif one.state != "failed" and one.without:
                yield f"note:    {one.task.id} is without {some_text(one.without)}"

    def document(self) -> Json:
        """Return what ``report.json`` holds: what there is, not how it came about."""
        tasks = [_entry(one) for one in self.all_tasks.values()]
        return {
            "tracks": sorted({one["track"] for one in tasks if one["track"]}),
            "whole": not self.left_out
            and all(one["state"] == "done" and not one["without"] for one in tasks),
            "left_out": _left_out(self.left_out),
            "tasks": tasks,
        }

    def write(self, tasks: Iterable[Task]) -> Path:
        """Write ``report.json``; of the tasks given, in their order.

        Raises
        ------
        NoSpace, NoResource
            It cannot be written.
        """
        self.all_tasks = {task.id: self.all_tasks[task.id] for task in tasks}
        target = self.work / NAME
        part = self.work / f".{NAME}.part"
        try:
            part.write_bytes(json_bytes(self.document()))
            part.replace(target)
        except OSError as error:
            raise writing_failed(target, error) from error
        return target

    def raise_failures(self) -> None:
        """Raise what a program has to end with.

        Raises
        ------
        SomeFailed
            Some were done and some failed.
        Alos2Error
            All failed: the first one's class.
        """
        bad = [one for one in self.failed if one.state == "failed"]
        if not bad:
            if self.left_out:
                what, why = self.left_out[0]
                raise SomeFailed(
                    f"{count_text(len(self.left_out), 'delivery is', 'deliveries are')} not in it: "
                    f"{what}: {why}",
                    hint="bring them again or take them away, and run the same command again",
                )
            return
        first = bad[0].error or {}
        what = f"{bad[0].task.id}: {first.get('message', '')}"
        if any(one.state in THERE for one in self.settled.values()):
            raise SomeFailed(
                f"{len(self.failed)} of {len(self.settled)} tasks were not done, the first: {what}",
                hint="what could go on without them did; run the same command to try them again",
            )
        kind = getattr(errors, str(first.get("class")), Alos2Error)
        raise kind(what, hint=first.get("hint"))


def _left_out(found: Sequence[tuple[str, str]]) -> list[Json]:
    return [{"what": what, "message": why} for what, why in found]


def _entry(one: Settled) -> Json:
    done = one.state in THERE
    entry = {
        **_what(one.task),
        "state": "done" if done else one.state,
        "folder": one.task.id,
        "key": one.key if done else None,
        "without": list(one.without),
        "error": one.error,
    }
    if one.receipt is not None:
        entry["notes"] = list(one.receipt.notes)
        entry["files"] = {name: size for name, (size, _) in one.receipt.files.items()}
    return entry

"""What is done for a stack: tasks, each with one folder of outputs, and the steps that do them.

A task's id is its folder below the work folder (``P126_F0680_FBD_28.6_R_A/ARD/20200615``). A step
gets a `StepJob` of plain values, so that it runs the same in this process and in a batch job.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol, runtime_checkable

from alos2.raster.pictures import Progress, never, silent
from alos2.stack.running.receipt import Receipt
from alos2.types import Json

State = Literal["kept", "made", "failed", "skipped"]
"""``kept``: it was there. ``skipped``: what it needs is not there, for it failed."""

THERE: Final[frozenset[State]] = frozenset(("kept", "made"))

BLOCK_LINES: Final = 512
"""Lines of a grid that stay together when a task is divided."""


@dataclass(frozen=True)
class Task:
    """One thing to make: a folder of files that come into being in one step."""

    id: str
    """Its folder, relative to the work folder, with ``/``."""
    step: str
    """Name of the step that makes it."""
    track: str | None = None
    date: str | None = None
    """``YYYYMMDD``, of a single acquisition."""
    parameters: Json = field(default_factory=dict)
    """What of the parameters matters to the bytes; plain JSON."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Identity of files from outside, by what they are for; see `alos2.stack.running.keys`."""
    arguments: Json = field(default_factory=dict)
    """Where those files lie and the like: what does not matter to the bytes; plain JSON."""
    needs: tuple[str, ...] = ()
    """Tasks whose outputs it reads."""
    least: int | None = None
    """With how many of them it goes on where others failed; None: all are needed."""
    lines: int = 0
    """Lines of its grid, if it can be divided by blocks of lines."""
    memory_mb: int = 500
    """What it takes with one thread, about."""

    def to_json(self) -> Json:
        """Return what `task_from` reads."""
        return {
            "id": self.id,
            "step": self.step,
            "track": self.track,
            "date": self.date,
            "parameters": self.parameters,
            "inputs": dict(self.inputs),
            "arguments": self.arguments,
            "needs": list(self.needs),
            "least": self.least,
            "lines": self.lines,
            "memory_mb": self.memory_mb,
        }


def task_from(document: Json) -> Task:
    """Return the task that `Task.to_json` told of."""
    return Task(**{**document, "needs": tuple(document["needs"])})


@dataclass(frozen=True)
class StepJob:
    """What a step is given to do one task, or a part of one."""

    task: Task
    out: Path
    """Folder that takes the outputs: there, empty, on the disk of the work folder."""
    scratch: Path
    """Folder for what is needed meanwhile; removed afterwards."""
    made: Mapping[str, Path]
    """Folders of the outputs that it needs, by task; those of failed ones are missing."""
    threads: int = 1
    memory_mb: int = 1000
    progress: Progress = silent
    cancelled: Callable[[], bool] = never
    old: tuple[Path, Receipt] | None = None
    """What the same task made before, from other things: parts of it may be kept."""
    parts: dict[str, list[str]] = field(default_factory=dict)
    """Filled in by the step: key of a part of the outputs -> its files; see `keep_part`."""

    def keep_part(self, key: str) -> bool:
        """Take over a part that the old outputs have already; False where it is to be made.

        Parameters
        ----------
        key : str
            Of all that the part is made from, as `alos2.stack.running.keys.key_of` gives it.
        """
        if self.old is None:
            return False
        folder, receipt = self.old
        names = receipt.parts.get(key)
        if names is None or receipt.fault(folder, only=names):
            return False
        for name in names:
            target = self.out / name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                target.hardlink_to(folder / name)
            except OSError:
                return False
        self.parts[key] = list(names)
        return True

    def needed(self, step_folder: str) -> list[tuple[str, Path]]:
        """Return id and folder of what it needs below a folder of that name, sorted by id."""
        return sorted(
            (name, folder) for name, folder in self.made.items() if step_folder in name.split("/")
        )


class Step(Protocol):
    """How tasks of one kind are done."""

    @property
    def name(self) -> str:
        """As in `Task.step`."""

    @property
    def version(self) -> int:
        """One more whenever the same parameters give other bytes."""

    @property
    def alone(self) -> bool:
        """Whether one task takes all cores; else several run side by side."""

    def run(self, job: StepJob) -> Sequence[str]:
        """Make the outputs; return notes for the report.

        Raises
        ------
        Alos2Error
            They cannot be made.
        """


@runtime_checkable
class DividedStep(Step, Protocol):
    """A step whose tasks may be done some lines at a time; they have `Task.lines`."""

    def run_part(self, job: StepJob, lines: range) -> None:
        """Make what `assemble` needs of some lines."""

    def assemble(self, job: StepJob, parts: Sequence[Path]) -> Sequence[str]:
        """Make of all parts, in the order of their lines, the very bytes that `run` makes."""


StepTable = Callable[[str], Step]
"""Gives the step of a name."""


def divided(lines: int, blocks: int) -> list[range]:
    """Divide the lines of a grid into ranges of so many blocks of 512; the last may be shorter."""
    size = BLOCK_LINES * max(1, blocks)
    return [range(start, min(start + size, lines)) for start in range(0, lines, size)]

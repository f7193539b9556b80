"""What a job itself left in its folder: when it started, with which code it ended.

``job-<id>.started`` holds the node's name, the time and the native id; ``job-<id>.exit`` the exit
code, the seconds it ran and the walltime it had (0 for none), and for local jobs a word why it was
ended. It is renamed into its place, so it is there whole or not at all. ``job-<id>.cancelled`` says
that we ended it: after ``qdel`` Grid Engine's accounts say the same as after any KILL.
``<id>`` is the native id up to
its first dot: PBS adds the server's name, and not always the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alos2.cluster.model import JobStatus

_NEAR_WALLTIME_S: Final = 45
"""A job that a signal ended so close to its walltime was ended by it: schedulers look at their
clock now and then, and some warn before."""

_SIGNAL_BASE: Final = 128
_LAST_SIGNAL: Final = 64
# SIGINT, KILL, USR1, USR2, TERM, XCPU: what schedulers end a job with.
_ENDING_SIGNALS: Final = frozenset((2, 9, 10, 12, 15, 24))


@dataclass(frozen=True)
class Witness:
    """What a job's folder says about it."""

    started: str = ""
    """``node at time``, empty where it never began."""
    exit_code: int | None = None
    seconds: int = 0
    walltime_s: int = 0
    word: str = ""
    cancelled: bool = False

    @property
    def signal(self) -> int | None:
        """The signal that ended the command, as its shell reports it."""
        if self.exit_code is None:
            return None
        number = self.exit_code - _SIGNAL_BASE
        return number if 0 < number <= _LAST_SIGNAL else None

    def status(self) -> JobStatus | None:
        """Return how the job ended, None where it left no exit code."""
        if self.exit_code is None:
            return None
        if self.exit_code == 0:
            return JobStatus("done", 0)
        if self.signal is None:
            return JobStatus("failed", self.exit_code)
        if self.word:
            return JobStatus("killed", self.exit_code, self.word)
        late = self.walltime_s and self.seconds >= self.walltime_s - _NEAR_WALLTIME_S
        if late and self.seconds >= self.walltime_s / 2 and self.signal in _ENDING_SIGNALS:
            return JobStatus("killed", self.exit_code, "walltime")
        return JobStatus("killed", self.exit_code, f"signal {self.signal}")


def short_id(native_id: str) -> str:
    """Return the part of a native id that names a job's files."""
    return native_id.partition(".")[0]


def read_witness(folder: Path, native_id: str) -> Witness:
    """Return what the job left in its folder; an absent folder says nothing."""
    stem = f"job-{short_id(native_id)}"
    try:
        # Listing the folder asks an NFS server again; a name that was looked up once and was not
        # there may else stay away for a minute.
        names = {entry.name for entry in folder.iterdir()}
    except OSError:
        return Witness()
    started = _words(folder / f"{stem}.started") if f"{stem}.started" in names else []
    ended = _words(folder / f"{stem}.exit") if f"{stem}.exit" in names else []
    where = " at ".join(started[:2])
    cancelled = f"{stem}.cancelled" in names
    if len(ended) < 3 or not all(word.isdigit() for word in ended[:3]):
        return Witness(where, cancelled=cancelled)
    code, seconds, walltime = (int(word) for word in ended[:3])
    return Witness(where, code, seconds, walltime, " ".join(ended[3:]), cancelled)


def note_cancelled(folder: Path, native_id: str) -> None:
    """Note in a job's folder that it was cancelled; a folder that is gone needs no note."""
    try:
        (folder / f"job-{short_id(native_id)}.cancelled").touch()
    except OSError:
        return


def started_jobs(folder: Path) -> tuple[str, ...]:
    """Return the native ids of the jobs that have begun in a folder, oldest first.

    For a submitter that was killed before it could note the id.
    """
    try:
        files = [each for each in folder.iterdir() if each.name.endswith(".started")]
    except OSError:
        return ()
    found = [words for words in map(_words, files) if len(words) == 3]
    return tuple(words[2] for words in sorted(found, key=lambda words: words[1]))


def _words(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").split()
    except OSError:
        return []

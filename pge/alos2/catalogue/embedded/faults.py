"""SQLite's complaints as the errors of this project, said at the one place that talks to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alos2.errors import Alos2Error, NoResource, NoSpace, PublishFailed

REBUILD = "alos2 catalog rebuild makes it anew from the dataset folders"


@contextmanager
def speaking(path: Path) -> Iterator[None]:
    """Turn what SQLite raises about the catalogue at `path` into a named error.

    Raises
    ------
    PublishFailed
        It is locked for too long, damaged, or of another version.
    NoSpace, NoResource
        The disk is full, or cannot be read or written.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise named(error, path) from error


def named(error: sqlite3.Error, path: Path) -> Alos2Error:
    """Return the error that says what happened to the catalogue at `path`."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return busy(path)
    if "full" in text:
        return NoSpace(f"no space left while writing {path}")
    if "unable to open" in text or "readonly" in text or "disk I/O" in text:
        return NoResource(
            f"{path} cannot be opened, read or written: {text}",
            hint="check that the folder is there and that you may write to it",
        )
    return PublishFailed(f"{path} is damaged or not a catalogue of ours: {text}", hint=REBUILD)


def busy(path: Path) -> PublishFailed:
    """Return what is said when another process does not let go of the catalogue."""
    return PublishFailed(
        f"{path} is being written by another process",
        hint="wait until it has ended; what was not entered is found by alos2 catalog verify",
    )

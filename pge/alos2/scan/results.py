"""The files of a chunk: what a job is to do, and what it says of each unit as soon as it is done.

A chunk is a folder that the scanning process and the job on a node both see, often over NFS.
``chunk.json`` is written before the job is submitted. The job appends a line to
``results.ndjson`` for each unit, brought to the disk before the next one is begun, and writes
``done.json`` at the end. A job that is killed leaves what it has finished, and perhaps half a line.
Paths that are no UTF-8 go through: JSON's own escapes keep them (``surrogateescape``).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Final

from alos2.archive.writing import sync_folder, writing_failed
from alos2.errors import BadProduct, UsageError
from alos2.types import Json

CHUNK: Final = "chunk.json"
RESULTS: Final = "results.ndjson"
DONE: Final = "done.json"
CLAIM: Final = "claim"
VERSION: Final = 1


def write_chunk(folder: Path, chunk: Json) -> None:
    """Write what a job is to do.

    Raises
    ------
    NoSpace, NoResource
        The folder cannot be written to.
    """
    _write(folder / CHUNK, chunk)


def read_chunk(folder: Path) -> Json:
    """Read what a job is to do.

    Raises
    ------
    UsageError
        There is no such chunk, or one of another version.
    """
    path = folder / CHUNK
    try:
        chunk = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror or error}", hint="give the folder of a chunk"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON: {error}", hint="run the scan again") from error
    if not isinstance(chunk, dict) or chunk.get("version") != VERSION:
        raise UsageError(
            f"{path} is no chunk of version {VERSION}",
            hint="the scan and its jobs have to run the same alos2-ingest",
        )
    fault = _fault(chunk)
    if fault:
        raise UsageError(f"{path}: {fault}", hint="run the scan again")
    return chunk


def _fault(chunk: Json) -> str:
    if not (isinstance(chunk.get("token"), str) and isinstance(chunk.get("out"), str)):
        return "it has no token or no out"
    units = chunk.get("units")
    if not isinstance(units, list) or not isinstance(chunk.get("options", {}), dict):
        return "it has no list of units"
    for unit in units:
        texts = isinstance(unit, dict) and (unit.get("place"), unit.get("dataset_id"))
        if not texts or not all(isinstance(text, str) for text in texts):
            return "a unit has no place or no dataset_id"
        names = unit.get("files")
        if names is not None and not (
            isinstance(names, list) and all(_is_base_name(name) for name in names)
        ):
            return f"the files of {unit['dataset_id']} are no names"
    return ""


def _is_base_name(name: object) -> bool:
    return isinstance(name, str) and name not in ("", ".", "..") and os.sep not in name


def write_done(folder: Path, done: Json) -> None:
    """Say that all units of a chunk have been tried; raises as `write_chunk`."""
    _write(folder / DONE, {"version": VERSION, **done})


def read_done(folder: Path) -> Json | None:
    """Return what the job said at its end; None before.

    Raises
    ------
    BadProduct
        The folder cannot be read.
    """
    try:
        done = json.loads((folder / DONE).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(folder / DONE, error) from error
    except ValueError:
        return None  # damaged: it is done again
    return done if isinstance(done, dict) and isinstance(done.get("exit_code"), int) else None


def read_results(folder: Path, start: int = 0) -> tuple[list[Json], int]:
    """Return the lines of a job, and where to go on reading.

    Parameters
    ----------
    folder : Path
        Of the chunk.
    start : int, optional
        Byte to begin at: what an earlier call returned.

    Returns
    -------
    lines : list of Json
        Of whole lines only: half a line may become whole. What is no JSON is left out.
    end : int
        Byte behind the last whole line.

    Raises
    ------
    BadProduct
        The file cannot be read.
    """
    try:
        with (folder / RESULTS).open("rb") as file:
            file.seek(start)
            data = file.read()
    except FileNotFoundError:
        return [], start
    except OSError as error:
        raise _unreadable(folder / RESULTS, error) from error
    whole = data[: data.rfind(b"\n") + 1]
    found = [_line(text) for text in whole.splitlines()]
    return [line for line in found if line is not None], start + len(whole)


def _line(text: bytes) -> Json | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    known = isinstance(line, dict) and {"dataset_id", "place", "outcome"} <= line.keys()
    return line if known else None


class Results:
    """Appends results; a context manager.

    Parameters
    ----------
    folder : Path
        Of the chunk.

    Raises
    ------
    NoSpace, NoResource
        The file cannot be written, now or later.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / RESULTS
        try:
            self._file = self._path.open("ab+", buffering=0)
            size = self._file.seek(0, os.SEEK_END)
            if size:
                self._file.seek(size - 1)
                if self._file.read(1) != b"\n":
                    self._put(b"\n")  # half a line of a killed run: it ends here
            else:
                sync_folder(folder)
        except OSError as error:
            raise writing_failed(self._path, error) from error

    def __enter__(self) -> Results:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, line: Json) -> None:
        """Bring a line to the disk; raises NoSpace, NoResource."""
        try:
            self._put(json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n")
            os.fsync(self._file.fileno())
        except OSError as error:
            raise writing_failed(self._path, error) from error

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]


def _write(path: Path, document: Json) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as file:
            file.write(json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise writing_failed(path, error) from error


def _unreadable(path: Path, error: OSError) -> BadProduct:
    return BadProduct(
        f"{path} cannot be read: {error.strerror or error}",
        hint="check that the scan's folder is mounted",
    )

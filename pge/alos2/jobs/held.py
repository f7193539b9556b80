"""What is there already, so that a portal's file is not downloaded a second time."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from alos2.archive.writing import writing_failed

log = logging.getLogger(__name__)

NOTES: Final = ".alos2-held"
"""Name of the folder of `ArchiveCatalogue`'s notes, in the folder that takes the datasets."""


class Catalogue(Protocol):
    """Knows which of a portal's files have become datasets."""

    def holds(self, data_id: str) -> str | None:
        """Return the id of a dataset whose ``source.data_id`` is `data_id`; None if there is none.

        Raises
        ------
        PublishFailed
            A catalogue that has to be asked over a network does not answer.
        """
        ...


class ArchiveCatalogue:
    """The datasets in the folder that takes them, by the ``source.data_id`` of their met.json.

    Two things cannot be told from the datasets, so a small note is written about them. A delivery
    may hold several scenes, and a run may end between two of them: from `begin` to `finish` it
    does not count as held. And its scenes may have been there before, made of another file that
    held the same: then no dataset names it, though nothing of it is missing.

    Parameters
    ----------
    folder : Path
        Takes the datasets; it need not exist yet. Looked through once, at the first question.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, str] | None = None

    def holds(self, data_id: str) -> str | None:
        """Return the id of a dataset made of the whole delivery `data_id`, or None."""
        note = self._note(data_id)
        if note.exists():
            datasets = _noted(note)
            whole = bool(datasets) and all((self._folder / name).is_dir() for name in datasets)
            return datasets[0] if whole else None
        if self._known is None:
            self._known = dict(_data_ids(self._folder))
        return self._known.get(data_id)

    def begin(self, data_id: str) -> None:
        """Note that the delivery is being made into datasets, which may end half-way.

        Raises
        ------
        NoResource
            The folder cannot be written to.
        """
        self._write(data_id, [])

    def finish(self, data_id: str, datasets: Sequence[str]) -> None:
        """Note that every scene of the delivery has become one of `datasets`.

        None at all takes the note of `begin` back: nothing of the delivery is there.

        Raises
        ------
        NoResource
            The folder cannot be written to.
        """
        named = [_data_id(self._folder / name / f"{name}.met.json") for name in datasets]
        if any(name != data_id for name in named):
            self._write(data_id, datasets)
            return
        note = self._note(data_id)
        note.unlink(missing_ok=True)
        try:
            note.parent.rmdir()
        except OSError:
            return  # it holds other notes

    def _write(self, data_id: str, datasets: Sequence[str]) -> None:
        note = self._note(data_id)
        text = json.dumps({"data_id": data_id, "datasets": list(datasets)}) + "\n"
        fresh = note.with_suffix(".new")
        try:
            note.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(note)
        except OSError as error:
            raise writing_failed(note, error) from error

    def _note(self, data_id: str) -> Path:
        # An id is the portal's text; a digest of it is always a file's name.
        digest = hashlib.sha256(data_id.encode()).hexdigest()
        return self._folder / NOTES / f"{digest[:16]}.json"


def _noted(note: Path) -> list[str]:
    """Return the datasets that a note names; none of a note that cannot be read."""
    try:
        datasets = json.loads(note.read_bytes())["datasets"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    return [name for name in datasets if isinstance(name, str)]


def _data_ids(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (data id, dataset id) of the datasets in `folder` that came from a portal."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except OSError:
        return  # none yet; writing there will say what is wrong
    for name in names:
        data_id = _data_id(folder / name / f"{name}.met.json")
        if data_id:
            yield data_id, name


def _data_id(met: Path) -> str:
    try:
        content = met.read_bytes()
    except OSError:
        return ""  # a file, or somebody else's folder
    if b'"data_id"' not in content:
        return ""
    try:
        found: Any = json.loads(content)["source"]["data_id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        log.warning("%s cannot be read; its dataset does not count as held", met)
        return ""
    return found if isinstance(found, str) else ""

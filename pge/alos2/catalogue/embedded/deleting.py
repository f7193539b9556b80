"""A dataset deleted: out of the archive in one step, forgotten, and then its files removed.

It is moved into the catalogue's own folder first. Killed anywhere, the dataset is there whole and
known, or it is gone and the next one that opens the catalogue forgets it and removes its files.
"""

from __future__ import annotations

import logging
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from alos2.archive.writing import sync_folder, writing_failed
from alos2.dataset.locks import FileLock

if TYPE_CHECKING:
    from alos2.catalogue.embedded.catalogue import EmbeddedCatalogue

log = logging.getLogger(__name__)

_REMOVED: Final = "removed"


def delete(catalogue: EmbeddedCatalogue, name: str) -> bool:
    """See `EmbeddedCatalogue.delete`."""
    folder = catalogue.folder_of(name) or catalogue.archive / name
    lock = FileLock(folder.parent / f".{name}.lock", f"dataset {name} is being written")
    with catalogue.begun(name), lock:
        lock.stays = lock.found  # what a killed ingest left is for the next ingest
        removed = catalogue.folder / _REMOVED / f"{name}~{secrets.token_hex(4)}"
        try:
            removed.parent.mkdir(exist_ok=True)
            with suppress(FileNotFoundError):
                folder.rename(removed)
                sync_folder(folder.parent)
        except OSError as error:
            raise writing_failed(folder, error) from error
        known = catalogue.exists(name)
        catalogue.refresh(name)
    was_there = removed.exists()
    _take_away(removed)
    return was_there or known


def empty_removed(folder: Path) -> None:
    """Remove what killed processes left of deleted datasets in a catalogue's `folder`."""
    try:
        left = list((folder / _REMOVED).iterdir())
    except OSError:
        return  # nothing was ever deleted
    for place in left:
        _take_away(place)


def _take_away(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    if place.exists():
        log.warning("%s could not be removed; the next one that writes tries again", place)

"""The datasets of an archive as its folders tell: the truth that a catalogue is made from."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from alos2.dataset.documents import DATASET_SUFFIX, MET_SUFFIX, STAC_SUFFIX
from alos2.errors import BadDocument, NoResource
from alos2.types import Json

CATALOGUE_FOLDER: Final = ".alos2-catalogue"
"""Where in an archive the catalogue lies."""


class DatasetFolder(NamedTuple):
    """A folder that is a dataset, or half of one."""

    folder: str
    """Below the archive, with ``/``."""
    whole: bool
    """Whether it has the STAC item that it is known by."""


def find_datasets(archive: Path) -> Iterator[DatasetFolder]:
    """Yield the datasets below `archive`, in the order of their names at each level.

    A folder is one if it holds ``<its name>.stac.json``; folders in it are its own affair. Names
    that begin with a dot (work under way, downloads) and links to folders are left out.

    Raises
    ------
    NoResource
        A folder cannot be listed.
    """
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        names, below = _listed(archive, folder)
        own = folder.rpartition("/")[2]
        if own and f"{own}{STAC_SUFFIX}" in names:
            yield DatasetFolder(folder, whole=True)
            continue
        if own and (f"{own}{DATASET_SUFFIX}" in names or f"{own}{MET_SUFFIX}" in names):
            yield DatasetFolder(folder, whole=False)
            continue
        waiting.extend(reversed([f"{folder}/{name}" if folder else name for name in below]))


def _listed(archive: Path, folder: str) -> tuple[set[str], list[str]]:
    """Return the names of files, and sorted those of folders to look into."""
    files: set[str] = set()
    folders: list[str] = []
    try:
        with os.scandir(os.path.join(archive, folder)) as entries:  # noqa: PTH118  of each folder
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith("."):
                        folders.append(entry.name)
                else:
                    files.add(entry.name)
    except FileNotFoundError:
        return set(), []  # gone meanwhile
    except OSError as error:
        raise NoResource(
            f"{archive / folder} cannot be listed: {error.strerror or error}",
            hint="a catalogue of half an archive would be a wrong one: make it readable",
        ) from error
    return files, sorted(folders)


def item_file(folder: Path) -> Path:
    """Return where a dataset keeps its STAC item."""
    return folder / f"{folder.name}{STAC_SUFFIX}"


def read_item(folder: Path) -> Json | None:
    """Return the STAC item of a dataset's folder; None where there is none.

    Raises
    ------
    BadDocument
        It cannot be read, or is another dataset's.
    """
    file = f"{folder}{os.sep}{folder.name}{STAC_SUFFIX}"
    hint = "make the dataset again, or remove its folder"
    try:
        with open(file, "rb") as stream:  # noqa: PTH123  a million of them
            item = json.loads(stream.read())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise BadDocument(f"{file} cannot be read: {error}", hint=hint) from error
    if not isinstance(item, dict) or item.get("id") != folder.name:
        raise BadDocument(f"{file} is not the STAC item of {folder.name}", hint=hint)
    return item

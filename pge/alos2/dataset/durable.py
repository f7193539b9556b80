"""What has been written is on the disk, not only in its cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from alos2.archive.writing import sync_folder

_SYNCS_AT_A_TIME: Final = 8
"""A journal takes many together, so thousands of tiles need not wait for one another."""


def sync_tree(root: Path) -> None:
    """Bring every file and folder below `root`, and `root`, to the disk.

    Raises
    ------
    OSError
        The disk is full, or broken: some systems say so only now.
    """
    files, folders = _contents(root)
    with ThreadPoolExecutor(_SYNCS_AT_A_TIME) as pool:
        for _ in pool.map(_sync_file, files):
            pass
    for folder in reversed(folders):
        sync_folder(folder)


def _contents(root: Path) -> tuple[list[Path], list[Path]]:
    files: list[Path] = []
    folders: list[Path] = []
    for name, _, names in os.walk(root, onerror=_raise):
        folders.append(Path(name))
        files.extend(Path(name) / file for file in names)
    return files, folders


def _raise(error: OSError) -> None:
    raise error


def _sync_file(path: Path) -> None:
    # Windows syncs only what is open for writing.
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def hidden_siblings(folder: Path, prefix: str) -> Iterator[Path]:
    """Yield what lies in `folder` under a name that starts with `prefix`."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(prefix):
                yield Path(entry.path)
